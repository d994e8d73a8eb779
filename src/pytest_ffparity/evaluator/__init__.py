"""The embedded evaluator: model, the eight rules, and the evaluator that asks for their facts.

Nothing here imports pytest, a driver or an HTTP client; rules do no I/O and read no clock.
"""
