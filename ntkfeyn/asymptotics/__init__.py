"""Depth: how tensors depend on the number of layers, derived from their recursions (THEORY section 11).

Enters: a System, an activation, couplings; one input. Leaves: closed forms where every mean is a number times a power
of K (``homogeneous``), asymptotic series where K falls to a fixed point (``falling``); as JSON, text and LaTeX.
"""
