"""How a derivation is shown: formulas as text and LaTeX, JSON, SymPy, pictures, an appendix, an explanation.

Enters: records of ``derivation``. Leaves: text. What is specific to one artefact has a room of its own below.
"""
