"""The built-in paths, and the world that they run in: keys, tokens, servers."""
