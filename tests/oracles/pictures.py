"""What is wrong with a drawing, measured on its primitives alone.

Knows nothing of how it was laid out: a path belongs to a mark if one of its ends lies at the mark's centre, or at a
port on the mark's rim.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import atan2, hypot, pi
from typing import Any

import numpy as np

Point = tuple[float, float]
AT_CENTRE = 0.16  # parallel lines end this near to the centre of their mark
ASIDE = 0.03  # half a point: what is nearer touches


def _near(a: Point, b: Point) -> float:
    return hypot(a[0] - b[0], a[1] - b[1])


class _Lines:
    """Every path in short segments from ``a`` to ``b``; ``path`` says whose they are."""

    def __init__(self, drawing: Any, steps: int) -> None:
        sampled = [np.array(path.sampled(steps)) for path in drawing.paths]
        self.ends = [(points[0], points[-1]) for points in sampled]
        empty = np.zeros((0, 2))
        self.a = np.concatenate([points[:-1] for points in sampled] or [empty])
        self.b = np.concatenate([points[1:] for points in sampled] or [empty])
        self.path = np.repeat(np.arange(len(sampled)), [len(points) - 1 for points in sampled])

    def ending_at(self, centre: Point) -> set[int]:
        """The paths that have an end at a point."""
        return {k for k, ends in enumerate(self.ends) if min(_near(end, centre) for end in ends) < AT_CENTRE}

    def from_point(self, p: Point) -> Any:
        """The distance of each segment."""
        along = self.b - self.a
        length = np.maximum((along**2).sum(axis=1), 1e-18)
        t = np.clip(((np.array(p) - self.a) * along).sum(axis=1) / length, 0, 1)
        return np.hypot(*(np.array(p) - self.a - t[:, None] * along).T)

    def nearest(self, p: Point) -> dict[int, float]:
        """The distance of each path."""
        found = np.full(len(self.ends), np.inf)
        np.minimum.at(found, self.path, self.from_point(p))
        return dict(enumerate(found.tolist()))


def crossings(drawing: Any) -> list[float]:
    """Angles of crossings of paths; those hidden under a mark at which one of the two ends do not show."""
    lines = _Lines(drawing, 12)
    low, high = np.minimum(lines.a, lines.b), np.maximum(lines.a, lines.b)
    i, j = np.nonzero(
        (lines.path[:, None] > lines.path[None, :])
        & (high[:, None, 0] >= low[None, :, 0]) & (high[None, :, 0] >= low[:, None, 0])
        & (high[:, None, 1] >= low[None, :, 1]) & (high[None, :, 1] >= low[:, None, 1])
    )  # fmt: skip
    u, v, w = lines.b[i] - lines.a[i], lines.b[j] - lines.a[j], lines.a[j] - lines.a[i]
    det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    det = np.where(abs(det) < 1e-12, np.nan, det)
    s, t = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / det, (w[:, 0] * u[:, 1] - w[:, 1] * u[:, 0]) / det
    crossed = (s > 0) & (s < 1) & (t > 0) & (t < 1)
    angle = abs(np.degrees(np.arctan2(det, (u * v).sum(axis=1))))[crossed]
    middle = ((lines.a[i] + lines.b[i]) / 2)[crossed]
    shown = [all(_near(p, m.centre) >= m.radius + 0.1 for m in drawing.marks) for p in middle]
    return [float(min(a, 180 - a)) for a, seen in zip(angle, shown, strict=True) if seen]


def ports(drawing: Any, disc: Any) -> list[Any]:
    """The small marks whose centres lie on the rim of a disc."""
    return [m for m in drawing.marks if m is not disc and abs(_near(m.centre, disc.centre) - disc.radius) < 0.01]


def tensor_at(drawing: Any, disc: Any) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Legs and channel of a tensor, read off its picture: edges between its slots, and the partner of each slot.

    Two slots leave the disc at each port, apart from each other; a solid line is a z, and a dotted one ends where the
    other line of its style and colour does.
    """
    slots: list[list[tuple[str, str]]] = []
    partner: list[int] = []
    for port in [mark for mark in ports(drawing, disc) if mark.radius < disc.radius / 3]:
        found = []
        for path in drawing.paths:
            ends = path.points if _near(path.points[0], port.centre) < 0.12 else ()
            if ends:
                (x, y), (u, v) = ends[0], ends[1]
                found.append((atan2(v - y, u - x), (path.style, path.colour)))
        out = atan2(port.centre[1] - disc.centre[1], port.centre[0] - disc.centre[0])
        turned = sorted(((angle - out + pi) % (2 * pi), stroke) for angle, stroke in found)
        gaps = [b[0] - a[0] for a, b in pairwise(turned)]
        cut = gaps.index(max(gaps)) + 1
        partner += [len(slots) + 1, len(slots)]
        slots += [[stroke for _, stroke in part] for part in (turned[:cut], turned[cut:])]
    held: dict[tuple[str, str], list[int]] = {}
    for slot, strokes in enumerate(slots):
        for stroke in strokes:
            held.setdefault(stroke, []).append(slot)
    dotted = {stroke: found for stroke, found in held.items() if stroke[0] != "solid"}
    edges = [(a, b) for a, b in dotted.values()]
    return tuple(sorted(edges)), tuple(partner)


def _to_box(p: Point, centre: Point, extent: tuple[float, float]) -> float:
    """From a point to a label; negative inside."""
    across, up = abs(p[0] - centre[0]) - extent[0], abs(p[1] - centre[1]) - extent[1]
    return hypot(across, up) if across > 0 < up else max(across, up)


def faults(drawing: Any) -> Iterator[str]:
    """One line for each thing that a reader could take for another graph."""
    lines = _Lines(drawing, 24)
    rims = {id(mark): ports(drawing, mark) for mark in drawing.marks}
    on_rim = {id(port): mark for mark in drawing.marks for port in rims[id(mark)] if port.radius < mark.radius}
    for mark in drawing.marks:
        own = lines.ending_at(mark.centre)
        leaving = {k for port in rims[id(mark)] for k in lines.ending_at(port.centre)}
        for path, apart in lines.nearest(mark.centre).items():
            if path not in own and apart - mark.radius < (-0.02 if path in leaving else 0.03):
                yield f"a line runs through the mark at {mark.centre}"
    for i, mark in enumerate(drawing.marks):
        for other in drawing.marks[:i]:
            if on_rim.get(id(mark)) is other or on_rim.get(id(other)) is mark:
                continue
            same_disc = id(mark) in on_rim and on_rim[id(mark)] is on_rim.get(id(other))
            if _near(mark.centre, other.centre) < mark.radius + other.radius + (0.04 if same_disc else 0.08):
                yield f"marks at {mark.centre} and {other.centre} touch"
    points = np.concatenate([lines.a, lines.b])
    for i, label in enumerate(drawing.labels):
        (x, y), (w, h) = label.centre, label.extent()
        for other in drawing.labels[:i]:
            u, v = other.extent()
            if abs(other.centre[0] - x) < w + u + ASIDE and abs(other.centre[1] - y) < h + v + ASIDE:
                yield f"labels {label.plain} and {other.plain} overlap"
        inside = [mark for mark in drawing.marks if _near(mark.centre, label.centre) < 0.01]
        if any(hypot(w, h) > mark.radius for mark in inside):
            yield f"label {label.plain} sticks out of its disc"
        for mark in drawing.marks:
            own = on_rim.get(id(mark)) in inside
            if mark not in inside and _to_box(mark.centre, (x, y), (w, h)) < mark.radius + (0.0 if own else ASIDE):
                yield f"label {label.plain} lies on the mark at {mark.centre}"
        off = abs(points - (x, y)) - (w, h)
        away = np.where((off > 0).all(axis=1), np.hypot(*off.T), off.max(axis=1))
        if (away < (0.0 if inside else ASIDE)).any():
            yield f"label {label.plain} lies on a line"
    x0, y0, x1, y1 = drawing.box()
    everything = [tuple(p) for p in points] + [m.centre for m in drawing.marks]
    everything += [(lab.centre[0] + s * lab.extent()[0], lab.centre[1]) for lab in drawing.labels for s in (-1, 1)]
    if any(not (x0 < p[0] < x1 and y0 < p[1] < y1) for p in everything):
        yield "something lies outside the box"
