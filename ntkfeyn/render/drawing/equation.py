"""The equation of diagrams: a cumulant, drawn as a blob, equals the sum of its diagrams with their weights.

Enters: a Recursion. Leaves: one Drawing in rows, which every picture format prints as it prints a diagram.
"""

from __future__ import annotations

from dataclasses import replace

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import LimitError
from ntkfeyn.render.drawing.layout import blob, layout
from ntkfeyn.render.drawing.names import tensor_names
from ntkfeyn.render.drawing.primitives import Drawing, Label, Point, legend_text
from ntkfeyn.render.formulas import term_text
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols

WIDTH = 26.0  # of a row
MOST = 200  # diagrams of one picture
SPACE, BELOW, ROWS = 0.35, 0.35, 0.7  # between pieces, down to an id, between rows
SIGN, ID = 0.42, 0.24


def equation(recursion: Recursion, symbols: Symbols, width: float = WIDTH) -> Drawing:
    """Blob = sum of diagrams; before each its weight, below it its id and what its tags mean.

    Constants (C_b, lambda_b) stand as text.

    Raises LimitError for more than MOST diagrams.
    """
    shape = recursion.cumulant
    if len(recursion.diagrams) > MOST:
        raise LimitError(
            f"{recursion.name}@{recursion.order} has {len(recursion.diagrams)} diagrams; at most {MOST} fit a picture."
            " Try: ntkfeyn diagrams --format svg -o DIR"
        )
    correction = recursion.order - shape.leading_order
    tex, plain = tensor_names(shape.name, correction, symbols)
    latex, text = LatexNotation(symbols.latex), TextNotation(symbols.text)
    pieces: list[Drawing] = [blob(shape, tex, plain, symbols), _text("=", "=")]
    constants = [term for term in recursion.terms if not term.diagrams]
    for term in constants:
        pieces.append(_text(term_text(term, latex), term_text(term, text)))
    for i, diagram in enumerate(recursion.diagrams):
        sign = "+ " if i or constants else ""
        weight = "" if diagram.weight == 1 else str(diagram.weight)
        tex_weight = "" if diagram.weight == 1 else latex.fraction(diagram.weight)
        if sign or weight:
            pieces.append(_text(sign + tex_weight, sign + weight))
        pieces.append(_named(layout(diagram, symbols), diagram.id))
    return _in_rows(f"{shape.name}@{recursion.order}", pieces, width)


def _text(tex: str, plain: str) -> Drawing:
    return Drawing("", (), (), (Label((0.0, 0.0), tex, plain, SIGN),))


def _named(drawing: Drawing, name: str) -> Drawing:
    """With its id below, centred at the origin."""
    x0, y0, x1, y1 = drawing.box()
    moved = _moved(drawing, (-(x0 + x1) / 2, -(y0 + y1) / 2))
    labels = [Label((0.0, -(y1 - y0) / 2 - BELOW), rf"\text{{{name}}}", name, ID)]
    if drawing.legend:
        meaning = legend_text(drawing)
        labels.append(Label((0.0, -(y1 - y0) / 2 - 2 * BELOW), rf"\text{{{meaning}}}", meaning, ID))
    return replace(moved, labels=(*moved.labels, *labels))


def _moved(drawing: Drawing, by: Point) -> Drawing:
    def shifted(point: Point) -> Point:
        return (round(point[0] + by[0], 4), round(point[1] + by[1], 4))

    return replace(
        drawing,
        paths=tuple(replace(path, points=tuple(map(shifted, path.points))) for path in drawing.paths),
        marks=tuple(replace(mark, centre=shifted(mark.centre)) for mark in drawing.marks),
        labels=tuple(replace(label, centre=shifted(label.centre)) for label in drawing.labels),
    )


def _in_rows(title: str, pieces: list[Drawing], width: float) -> Drawing:
    """Pieces one beside the other; a row ends before a sign that would stand at its end."""
    rows: list[list[Drawing]] = [[]]
    for group in _groups(pieces):
        if rows[-1] and _length([*rows[-1], *group]) > width:
            rows.append([])
        rows[-1] += group
    placed, top = [], 0.0
    for row in rows:
        boxes = [piece.box() for piece in row]
        above, below = max(box[3] for box in boxes), min(box[1] for box in boxes)
        x = 0.0
        for piece, (x0, _, x1, _) in zip(row, boxes, strict=True):
            placed.append(_moved(piece, (x - x0, top - above)))
            x += x1 - x0 + SPACE
        top -= above - below + ROWS
    return Drawing(
        title,
        tuple(path for piece in placed for path in piece.paths),
        tuple(mark for piece in placed for mark in piece.marks),
        tuple(label for piece in placed for label in piece.labels),
    )


def _groups(pieces: list[Drawing]) -> list[list[Drawing]]:
    """What must not be torn apart: the blob with "=", a sign with its diagram."""
    groups: list[list[Drawing]] = [pieces[:2]]
    waiting: list[Drawing] = []
    for piece in pieces[2:]:
        waiting.append(piece)
        if piece.marks:
            groups.append(waiting)
            waiting = []
    return [*groups, waiting] if waiting else groups


def _length(row: list[Drawing]) -> float:
    return sum(box[2] - box[0] for box in (piece.box() for piece in row)) + SPACE * (len(row) - 1)
