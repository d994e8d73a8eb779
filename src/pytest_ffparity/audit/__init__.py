"""The trail of writes: one envelope each, chained, kept until Admin's sink has taken it."""
