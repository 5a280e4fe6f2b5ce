"""C99: how statements are written in it, and its files."""
