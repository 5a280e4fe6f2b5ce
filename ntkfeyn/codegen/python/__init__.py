"""Python for NumPy and for JAX: how statements are written in it, and its files."""
