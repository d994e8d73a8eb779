"""Who is asking: bearer tokens, the key set they are checked against, and dev headers."""
