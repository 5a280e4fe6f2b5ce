"""What is asked for: legs, channels, cumulants, targets, networks, activations by name (THEORY sections 1 and 2).

Enters: text and numbers as a user types them. Leaves: frozen, checked records. No numpy, no SymPy.
"""
