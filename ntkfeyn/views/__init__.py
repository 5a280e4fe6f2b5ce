"""The views that ``derive`` and friends return: frozen records with pictures, LaTeX, SymPy, tables, JSON and files."""

from ntkfeyn.views.symbolic import Depth, Diagram, Picture, Recursion, emitted_files, explanation

__all__ = ["Depth", "Diagram", "Picture", "Recursion", "emitted_files", "explanation"]
