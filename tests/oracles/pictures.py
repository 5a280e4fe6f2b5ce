"""What is wrong with a drawing, measured on its primitives alone.

Knows nothing of how it was laid out: a path belongs to a mark if one of its ends lies at the mark's centre.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import atan2, degrees, hypot
from typing import Any

Point = tuple[float, float]
AT_CENTRE = 0.16  # parallel lines end this near to the centre of their mark


def _near(a: Point, b: Point) -> float:
    return hypot(a[0] - b[0], a[1] - b[1])


def _to_segment(p: Point, a: Point, b: Point) -> float:
    ux, uy = b[0] - a[0], b[1] - a[1]
    length = ux * ux + uy * uy
    t = max(0.0, min(1.0, ((p[0] - a[0]) * ux + (p[1] - a[1]) * uy) / length)) if length else 0.0
    return _near(p, (a[0] + t * ux, a[1] + t * uy))


def _segments(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(pairwise(points))


def _ends_at(points: Sequence[Point], centre: Point) -> bool:
    return min(_near(points[0], centre), _near(points[-1], centre)) < AT_CENTRE


def _crossing(p: tuple[Point, Point], q: tuple[Point, Point]) -> float | None:
    """The angle in degrees at which two segments cross."""
    (ax, ay), (bx, by) = p
    (cx, cy), (dx, dy) = q
    u, v = (bx - ax, by - ay), (dx - cx, dy - cy)
    det = u[0] * v[1] - u[1] * v[0]
    if abs(det) < 1e-12:
        return None
    s = ((cx - ax) * v[1] - (cy - ay) * v[0]) / det
    t = ((cx - ax) * u[1] - (cy - ay) * u[0]) / det
    if not (0 < s < 1 and 0 < t < 1):
        return None
    angle = abs(degrees(atan2(det, u[0] * v[0] + u[1] * v[1])))
    return min(angle, 180 - angle)


def crossings(drawing: Any) -> list[float]:
    """Angles of crossings of paths; those hidden under a mark at which one of the two ends do not show."""
    sampled = [path.sampled(12) for path in drawing.paths]
    found = []
    for i, first in enumerate(sampled):
        for second in sampled[:i]:
            for p in _segments(first):
                for q in _segments(second):
                    if max(p[0][0], p[1][0]) < min(q[0][0], q[1][0]) or max(q[0][0], q[1][0]) < min(p[0][0], p[1][0]):
                        continue
                    angle = _crossing(p, q)
                    middle = ((p[0][0] + p[1][0]) / 2, (p[0][1] + p[1][1]) / 2)
                    if angle is not None and not any(_near(middle, m.centre) < m.radius + 0.1 for m in drawing.marks):
                        found.append(angle)
    return found


def faults(drawing: Any) -> Iterator[str]:
    """One line for each thing that a reader could take for another graph."""
    sampled = [path.sampled(12) for path in drawing.paths]
    for mark in drawing.marks:
        for points in sampled:
            if _ends_at(points, mark.centre):
                continue
            if min(_to_segment(mark.centre, *segment) for segment in _segments(points)) < mark.radius + 0.03:
                yield f"a line runs through the mark at {mark.centre}"
    for i, mark in enumerate(drawing.marks):
        for other in drawing.marks[:i]:
            if _near(mark.centre, other.centre) < mark.radius + other.radius + 0.08:
                yield f"marks at {mark.centre} and {other.centre} touch"
    for i, label in enumerate(drawing.labels):
        (x, y), (w, h) = label.centre, label.extent()
        for other in drawing.labels[:i]:
            u, v = other.extent()
            if abs(other.centre[0] - x) < w + u and abs(other.centre[1] - y) < h + v:
                yield f"labels {label.plain} and {other.plain} overlap"
        inside = [mark for mark in drawing.marks if _near(mark.centre, label.centre) < 0.01]
        for mark in drawing.marks:
            gap = max(abs(mark.centre[0] - x) - w, abs(mark.centre[1] - y) - h)
            if mark not in inside and gap < mark.radius:
                yield f"label {label.plain} lies on the mark at {mark.centre}"
        for points in sampled:
            if inside and _ends_at(points, inside[0].centre):
                continue
            if any(abs(p[0] - x) < w and abs(p[1] - y) < h for p in points):
                yield f"label {label.plain} lies on a line"
    x0, y0, x1, y1 = drawing.box()
    everything = [p for points in sampled for p in points] + [m.centre for m in drawing.marks]
    everything += [label.centre for label in drawing.labels]
    if any(not (x0 < p[0] < x1 and y0 < p[1] < y1) for p in everything):
        yield "something lies outside the box"
