"""The judgement: parity matrix, comparison, running a vector on N paths, stress, verdict."""
