"""The views that ``derive`` and friends return: frozen records with pictures, LaTeX, SymPy, tables, JSON and files."""

from ntkfeyn.views.depth_forms import Depth
from ntkfeyn.views.symbolic import Diagram, Diagrams, Explained, Picture, Recursion, emitted_files, explanation

__all__ = ["Depth", "Diagram", "Diagrams", "Explained", "Picture", "Recursion", "emitted_files", "explanation"]
