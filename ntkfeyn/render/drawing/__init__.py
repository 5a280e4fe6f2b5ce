"""Pictures of diagrams: laid out once, printed as TikZ, SVG, PNG, DOT and on a terminal."""
