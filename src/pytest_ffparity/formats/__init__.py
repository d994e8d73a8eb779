"""The text forms that every part reads and writes alike: strict JSON, JSON pointers, instants."""
