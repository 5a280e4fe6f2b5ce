"""The method: from external legs and an order in 1/n to reduced recursions (THEORY sections 3 to 5).

Enters: cumulants at orders. Leaves: diagrams with weights (``enumeration``), product terms (``translation``), their
reduction and expansion, recursions and their closure (``recursion``). Exact fractions, frozen records, no numpy, no
SymPy: this is why deriving is fast.
"""
