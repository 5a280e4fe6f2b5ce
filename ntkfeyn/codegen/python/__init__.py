"""Python and JAX."""
