"""Faults that a real cutover would have, seeded into the db path to see whether they are caught."""
