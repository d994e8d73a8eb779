"""What every HTTP client of a path needs: a safe URL, and an exchange that is bounded.

Nothing here knows what is asked; `auth` and `approvals` stand on it.
"""
