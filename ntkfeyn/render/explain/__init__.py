"""How one diagram becomes its term, step by step, and why its factor is what it is."""
