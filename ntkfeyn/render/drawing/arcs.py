"""Legs and channel in a few lines of text: slots in a row, the legs' parameter contractions above, the pairs below.

Enters: a Cumulant. Leaves: lines of equal length. A line that has to pass another one crosses it at a right angle, so
each arc can be followed; arcs that end at one slot are never on the same row.

         ╭┈┈╮
    1  2  3  4      F: z1 z2 NTK34, channel 13.24
"""

from __future__ import annotations

from collections.abc import Sequence

from ntkfeyn.model.cumulants import Cumulant

Span = tuple[int, int]
STEP, GAP = 3, 2  # columns between slots, and more between legs
UNICODE = {"up": "╭╮", "down": "╰╯", "leg": "┈", "pair": "─", "post": "│", "leg post": "┊", "joins": "├┤┼"}
ASCII = {"up": "..", "down": "''", "leg": ".", "pair": "-", "post": "|", "leg post": ":", "joins": "+++"}


def arcs(shape: Cumulant, *, ascii_only: bool = False) -> list[str]:
    """The drawing, one text a line."""
    signs = ASCII if ascii_only else UNICODE
    columns, place = [], 0
    for leg in shape.legs:
        for label in leg.labels:
            columns.append(place)
            place += max(STEP, len(str(label)) + 1)
        place += GAP
    size = place
    row = [" "] * size
    for label, column in zip(shape.labels, columns, strict=True):
        row[column : column + len(str(label))] = str(label)
    legs = [(columns[a], columns[b]) for a, b in shape.edges]
    pairs = [(columns[a], columns[b]) for a, b in shape.channel]
    above = _rows(legs, size, signs["leg"], signs["leg post"], signs["up"] + signs["joins"])
    below = _rows(pairs, size, signs["pair"], signs["post"], signs["down"] + signs["joins"])
    return [*reversed(above), "".join(row), *below]


def _rows(spans: Sequence[Span], size: int, line: str, post: str, signs: str) -> list[str]:
    """Rows of arcs, the one next to the slots first; posts lead from farther rows to their slots.

    ``signs``: left and right corner, the same where a post goes on, and a crossing.
    """
    left, right, *joins = tuple(signs)
    passed = {" ": post, left: joins[0], right: joins[1], line: joins[2]}
    levels: list[list[Span]] = []
    for span in sorted((min(s), max(s)) for s in spans):
        free = [level for level in levels if all(span[0] > b or span[1] < a for a, b in level)]
        if not free:
            levels.append([])
        (free or levels[-1:])[0].append(span)
    rows = [[" "] * size for _ in levels]
    for number, level in enumerate(levels):
        for a, b in level:
            rows[number][a], rows[number][b] = left, right
            rows[number][a + 1 : b] = line * (b - a - 1)
    for number, level in enumerate(levels):
        for column in (end for span in level for end in span):
            for nearer in rows[:number]:
                nearer[column] = passed.get(nearer[column], nearer[column])
    return ["".join(row) for row in rows]
