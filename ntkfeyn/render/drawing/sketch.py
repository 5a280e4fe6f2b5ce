"""A sketch of a Drawing for the terminal, in braille dots (two by four a character) with the labels written over them.

Enters: drawings and the width of the terminal. Leaves: lines of text, pictures side by side where they fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, cos, hypot, pi, sin
from textwrap import wrap

from ntkfeyn.render.drawing.legend import legend_lines
from ntkfeyn.render.drawing.primitives import BLACK, WHITE, Drawing, Mark, Path, Point

DOTS = 14.0  # a unit of length
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_RHYTHM = {
    "solid": (1, 1),
    "dotted": (1, 4),
    "sparse": (1, 7),
    "dashdot": (3, 6),
    "dashdotdot": (2, 5),
    "dashed": (4, 7),
}


def sketch(drawing: Drawing) -> list[str]:
    """The lines of one picture."""
    x0, y0, x1, y1 = drawing.box()
    columns, rows = ceil((x1 - x0) * DOTS / 2) + 1, ceil((y1 - y0) * DOTS / 4) + 1
    dots: dict[tuple[int, int], bool] = {}

    def at(point: Point) -> tuple[int, int]:
        return round((point[0] - x0) * DOTS), round((y1 - point[1]) * DOTS)

    for path in drawing.paths:
        dots.update(dict.fromkeys((at(p) for p in _trace(path)), True))
    for mark in (mark for mark in drawing.marks if not mark.port):
        inside = [p for p in _disc(mark) if hypot(p[0] - mark.centre[0], p[1] - mark.centre[1]) < mark.radius]
        dots.update(dict.fromkeys((at(p) for p in inside), mark.fill == BLACK))
        dots.update(dict.fromkeys((at(p) for p in _outline(mark)), True))
    cells = [[0] * columns for _ in range(rows)]
    for (x, y), drawn in dots.items():
        if drawn and 0 <= x < 2 * columns and 0 <= y < 4 * rows:
            cells[y // 4][x // 2] |= _BITS[y % 4][x % 2]
    lines = [[chr(0x2800 + cell) if cell else " " for cell in row] for row in cells]
    for label in drawing.labels:
        x, y = at(label.centre)
        start = max(0, min(columns - len(label.plain), round(x / 2 - len(label.plain) / 2)))
        lines[min(rows - 1, y // 4)][start : start + len(label.plain)] = list(label.plain)
    texts = ["".join(line).rstrip() for line in lines]
    while not texts[-1]:
        texts.pop()
    return texts


def side_by_side(drawings: Sequence[Drawing], width: int) -> str:
    """Titled pictures in rows no wider than ``width``, then their legend; empty if not even one fits."""
    pictures = [[drawing.title, *sketch(drawing)] for drawing in drawings]
    widths = [max(map(len, picture)) for picture in pictures]
    if not pictures or max(widths) > width:
        return ""
    rows: list[list[int]] = [[]]
    for i, own in enumerate(widths):
        if rows[-1] and sum(widths[k] + 3 for k in rows[-1]) + own > width:
            rows.append([])
        rows[-1].append(i)
    blocks = ["\n".join(_row([pictures[i] for i in row], [widths[i] for i in row])) + "\n" for row in rows]
    legend = [part for line in legend_lines(drawings) for part in wrap(line, width)]
    return "\n".join([*blocks, *(["\n".join(legend) + "\n"] if legend else [])])


def _row(pictures: list[list[str]], widths: list[int]) -> Iterable[str]:
    height = max(map(len, pictures))
    for k in range(height):
        parts = [p[k] if k < len(p) else "" for p in pictures]
        yield "   ".join(f"{part:<{own}}" for part, own in zip(parts, widths, strict=True)).rstrip()


def _trace(path: Path) -> Iterable[Point]:
    """Points about a dot apart, with the rhythm of the line style."""
    drawn, period = _RHYTHM[path.style]
    count = 0
    points = path.sampled(40)
    for (ax, ay), (bx, by) in pairwise(points):
        steps = max(1, round(hypot(bx - ax, by - ay) * DOTS))
        for k in range(steps):
            if count % period < drawn:
                yield (ax + (bx - ax) * k / steps, ay + (by - ay) * k / steps)
            count += 1


def _outline(mark: Mark) -> Iterable[Point]:
    if mark.fill not in (WHITE, BLACK) or mark.radius > 0.15:
        steps = ceil(2 * pi * mark.radius * DOTS * 1.5)
        for k in range(steps):
            angle = 2 * pi * k / steps
            yield (mark.centre[0] + mark.radius * cos(angle), mark.centre[1] + mark.radius * sin(angle))
    elif mark.fill == WHITE:
        for side in (-1, 0, 1):
            for other in (-1, 1):
                yield (mark.centre[0] + side * mark.radius, mark.centre[1] + other * mark.radius)
                yield (mark.centre[0] + other * mark.radius, mark.centre[1] + side * mark.radius)


def _disc(mark: Mark) -> Iterable[Point]:
    reach = ceil(mark.radius * DOTS) + 1
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            yield (mark.centre[0] + i / DOTS, mark.centre[1] + j / DOTS)
