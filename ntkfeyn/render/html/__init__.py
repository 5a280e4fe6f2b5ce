"""The HTML atlas: recursions enter, one self-contained page leaves: formulas as MathML, pictures as inline SVG."""
