"""The equation of diagrams: a cumulant, drawn as a blob, equals the sum of its diagrams with their weights.

Enters: a Recursion. Leaves: one Drawing in rows, which SVG, PNG and PDF print as they print a diagram. In a row the
neurons lie on one line with the signs between the pictures, and the ids below them on another.
"""

from __future__ import annotations

from dataclasses import replace

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import LimitError
from ntkfeyn.render.drawing.layout import blob, layout
from ntkfeyn.render.drawing.legend import legended, text
from ntkfeyn.render.drawing.names import tensor_names
from ntkfeyn.render.drawing.primitives import Drawing, Label, Point, extent
from ntkfeyn.render.formulas import term_text
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols

WIDTH = 26.0  # of a row
MOST = 200  # diagrams of one picture
SPACE, BELOW, ROWS = 0.3, 0.22, 0.65  # between pieces, down to an id, between rows
SIGN, ID = 0.5, 0.32
Piece = tuple[Drawing, str]  # with the id below it


def equation(recursion: Recursion, symbols: Symbols, width: float = WIDTH) -> Drawing:
    """Blob = sum of diagrams; before each its weight, below it its id; below all what their tags mean.

    Constants (C_b, lambda_b) stand as text.

    Raises LimitError for more than MOST diagrams.
    """
    shape = recursion.cumulant
    if len(recursion.diagrams) > MOST:
        raise LimitError(
            f"{recursion.name}@{recursion.order} has {len(recursion.diagrams)} diagrams; at most {MOST} fit a picture."
            " Try: ntkfeyn diagrams --format svg -o DIR"
        )
    tex, plain = tensor_names(shape.name, recursion.order - shape.leading_order, symbols)
    latex, words = LatexNotation(symbols.latex), TextNotation(symbols.text)
    groups: list[list[Piece]] = [[(blob(shape, tex, plain, symbols, plainly=True), ""), _words("=", "=")]]
    constants = [term for term in recursion.terms if not term.diagrams]
    for term in constants:
        groups.append([_words(term_text(term, latex), term_text(term, words))])
    drawings = [layout(diagram, symbols, plainly=True) for diagram in recursion.diagrams]
    for i, (diagram, drawing) in enumerate(zip(recursion.diagrams, drawings, strict=True)):
        sign = "- " if diagram.weight < 0 else "+ " if i or constants else ""
        size = abs(diagram.weight)
        weight, tex_weight = ("", "") if size == 1 else (str(size), latex.fraction(size))
        before = [_words(sign + tex_weight, sign + weight)] if sign or weight else []
        groups.append([*before, (drawing, diagram.id)])
    return legended(_in_rows(f"{shape.name}@{recursion.order}", groups, width), drawings)


def _words(tex: str, plain: str) -> Piece:
    return Drawing("", (), (), (Label((0.0, 0.0), tex, plain, SIGN, plainly=True),)), ""


def _moved(drawing: Drawing, by: Point) -> Drawing:
    def shifted(point: Point) -> Point:
        return (round(point[0] + by[0], 4), round(point[1] + by[1], 4))

    return replace(
        drawing,
        paths=tuple(replace(path, points=tuple(map(shifted, path.points))) for path in drawing.paths),
        marks=tuple(replace(mark, centre=shifted(mark.centre)) for mark in drawing.marks),
        labels=tuple(replace(label, centre=shifted(label.centre)) for label in drawing.labels),
    )


def _in_rows(title: str, groups: list[list[Piece]], width: float) -> Drawing:
    """Pieces one beside the other; a group, as a sign with its diagram, is not torn apart."""
    rows: list[list[Piece]] = [[]]
    for group in groups:
        if rows[-1] and _length([*rows[-1], *group]) > width:
            rows.append([])
        rows[-1] += group
    placed: list[Drawing] = []
    top = 0.0
    for row in rows:
        boxes = [drawing.box() for drawing, _ in row]
        above, below = max(box[3] for box in boxes), min(box[1] for box in boxes)
        x, y = 0.0, round(top - above, 4)
        for piece, (x0, _, x1, _) in zip(row, boxes, strict=True):
            length = _width(piece)
            moved = _moved(piece[0], (x - x0 + (length - x1 + x0) / 2, y))
            if piece[1]:
                middle = (round(x + length / 2, 4), round(y + below - BELOW, 4))
                moved = replace(
                    moved, labels=(*moved.labels, Label(middle, text(piece[1]), piece[1], ID, plainly=True))
                )
            placed.append(moved)
            x += length + SPACE
        top = y + below - BELOW - ROWS
    return Drawing(
        title,
        tuple(path for piece in placed for path in piece.paths),
        tuple(mark for piece in placed for mark in piece.marks),
        tuple(label for piece in placed for label in piece.labels),
    )


def _width(piece: Piece) -> float:
    """Of a drawing, or of the id below it."""
    x0, _, x1, _ = piece[0].box()
    return max(x1 - x0, 2 * extent(("", piece[1]), True, ID)[0])


def _length(row: list[Piece]) -> float:
    return sum(map(_width, row)) + SPACE * (len(row) - 1)
