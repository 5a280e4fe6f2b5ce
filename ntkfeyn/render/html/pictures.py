"""Inline SVG of a Drawing, small and without colours of its own: a style sheet says how it looks, by day and by night.

Enters: a Drawing. Leaves: an <svg> element. What has the same style is one path; coordinates have one decimal.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise

from ntkfeyn.render.drawing.primitives import DASHES, LETTER, PALETTE, Drawing, Mark, Path, Point, prime
from ntkfeyn.render.drawing.svg import MIDDLE, SCALE

STROKES = {style: f"d{k}" for k, style in enumerate(DASHES)}  # classes of the style sheet
COLOURS = {colour: f"c{k}" for k, colour in enumerate(PALETTE)}
AXIS = 6.0  # of signs beside pictures, above their baseline, in px
FILLS = {"000000": "k", "D9D9D9": "g", "FFFFFF": "w"}


def picture(drawing: Drawing, *, raised: bool = False) -> str:
    """The picture without its legend; hidden from screen readers: what stands around it says what it shows.

    ``raised``: beside signs, whose middle is where its neurons lie.
    """
    x0, y0, x1, y1 = drawing.box()

    def at(point: Point) -> tuple[float, float]:
        return round(SCALE * (point[0] - x0), 1), round(SCALE * (y1 - point[1]), 1)

    lines: dict[str, str] = {}
    for path in drawing.paths:
        kind = f"{STROKES[path.style]} {COLOURS[path.colour]}"
        lines[kind] = lines.get(kind, "") + _path(path, [at(point) for point in path.points])
    rows = [f'<path class="{kind}" d="{way}"/>' for kind, way in lines.items()]
    rows += [_mark(mark, at(mark.centre)) for mark in drawing.marks]
    for label in drawing.labels:
        x, y = at(label.centre)
        size = "" if label.size == LETTER else f' font-size="{_number(SCALE * label.size)}"'
        baseline = _number(y + MIDDLE * SCALE * label.size)
        rows.append(f'<text x="{_number(x)}" y="{baseline}"{size}>{escape(prime(label.plain))}</text>')
    width, height = (_number(SCALE * length) for length in (x1 - x0, y1 - y0))
    place = f' style="vertical-align:{_number(SCALE * y0 + AXIS)}px"' if raised else ""
    head = f'<svg class="p" aria-hidden="true" width="{width}" height="{height}" viewBox="0 0 {width} {height}"{place}>'
    return head + "".join(rows) + "</svg>"


def _path(path: Path, points: list[tuple[float, float]]) -> str:
    """The way of a path: absolute where it begins, then relative."""
    (x, y), *rest = points
    begun = f"M{_number(x)} {_number(y)}"
    if path.curved:
        return begun + "c" + " ".join(f"{_number(a - x)} {_number(b - y)}" for a, b in rest)
    steps = [(c - a, d - b) for (a, b), (c, d) in pairwise(points)]
    return begun + "l" + " ".join(f"{_number(dx)} {_number(dy)}" for dx, dy in steps)


def _mark(mark: Mark, centre: tuple[float, float]) -> str:
    (x, y), r, fill = centre, SCALE * mark.radius, FILLS[mark.fill]
    if mark.square:
        size = _number(2 * r)
        return f'<rect class="{fill}" x="{_number(x - r)}" y="{_number(y - r)}" width="{size}" height="{size}"/>'
    return f'<circle class="{fill}" cx="{_number(x)}" cy="{_number(y)}" r="{_number(r)}"/>'


def _number(value: float) -> str:
    """One decimal, none where it is zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
