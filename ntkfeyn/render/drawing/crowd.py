"""Where a label has most room among what is drawn already.

Enters: paths, marks and labels, and the places that a label may take. Leaves: the label at the roomiest of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot

from ntkfeyn.render.drawing.primitives import Label, Mark, Path, Point

ENOUGH = 0.07  # more distance than this is not better
Occupied = tuple[float, float, float, float, float]  # x, y, half width and half height of a box, a radius around it


class Crowd:
    """Everything that a label should keep away from."""

    def __init__(self, paths: Iterable[Path], marks: Iterable[Mark], labels: Iterable[Label]) -> None:
        self.occupied: list[Occupied] = [(*p, 0.0, 0.0, 0.0) for path in paths for p in path.sampled()]
        self.occupied += [(*mark.centre, 0.0, 0.0, mark.radius) for mark in marks]
        for label in labels:
            self.add(label)

    def add(self, label: Label) -> None:
        self.occupied.append((*label.centre, *label.extent(), 0.0))

    def roomiest(self, label: Label, centres: Iterable[Point], around: Point, reach: float) -> Label:
        """The label at the first of the centres that keep the most distance, up to a little; it joins the crowd.

        All of the centres lie within ``reach`` of a point.
        """
        extent = label.extent()
        near = self._near(around, reach + max(extent) + ENOUGH)
        best, most = around, -float("inf")
        for centre in centres:
            room = _room(centre, extent, near, most)
            if room > most:
                best, most = centre, room
            if most >= ENOUGH:
                break
        found = label.at(best)
        self.add(found)
        return found

    def _near(self, around: Point, reach: float) -> list[Occupied]:
        """What may matter within a distance of a point."""
        x, y = around
        return [
            (u, v, w, h, r)
            for u, v, w, h, r in self.occupied
            if -reach - w - r < u - x < reach + w + r and -reach - h - r < v - y < reach + h + r
        ]


def _room(centre: Point, extent: tuple[float, float], near: list[Occupied], most: float) -> float:
    """The distance to the nearest neighbour, to three digits; given up once it is no more than ``most``."""
    (x, y), (w, h) = centre, extent
    least = ENOUGH
    for other_x, other_y, other_w, other_h, radius in near:
        across, up = abs(other_x - x) - w - other_w, abs(other_y - y) - h - other_h
        if across - radius >= least or up - radius >= least:
            continue
        gap = (hypot(across, up) if across > 0 < up else across if across > up else up) - radius
        if gap < least:
            least = gap
            if round(least, 3) <= most:
                break
    return round(least, 3)
