"""Where a label has most room among what is drawn already.

Enters: paths, marks and labels, and the places that a label may take. Leaves: the label at the roomiest of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from ntkfeyn.render.drawing.primitives import Label, Mark, Path

ENOUGH = 0.09  # more distance than this is not better
Occupied = tuple[float, float, float, float, float]  # x, y, half width and half height of a box, a radius around it


class Crowd:
    """Everything that a label should keep away from."""

    def __init__(self, paths: Iterable[Path], marks: Iterable[Mark], labels: Iterable[Label]) -> None:
        self.occupied: list[Occupied] = [(*p, 0.0, 0.0, 0.0) for path in paths for p in path.sampled(12)]
        self.occupied += [(*mark.centre, 0.0, 0.0, mark.radius) for mark in marks]
        for label in labels:
            self.add(label)

    def add(self, label: Label) -> None:
        self.occupied.append((*label.centre, *label.extent(), 0.0))

    def roomiest(self, options: list[Label]) -> Label:
        """The first of the labels that keep the most distance, up to a little; it joins the crowd."""
        best, most = options[0], -float("inf")
        for option in options:
            room = self._room(option, most)
            if room > most:
                best, most = option, room
            if most >= ENOUGH:
                break
        self.add(best)
        return best

    def _room(self, label: Label, most: float) -> float:
        """The distance to the nearest neighbour, to three digits; given up once it is no more than ``most``."""
        w, h = label.extent()
        x, y = label.centre
        least = ENOUGH
        for other_x, other_y, other_w, other_h, radius in self.occupied:
            across, up = abs(other_x - x) - w - other_w, abs(other_y - y) - h - other_h
            gap = (across if across > up else up) - radius
            if gap < least:
                least = gap
                if round(least, 3) <= most:
                    break
        return round(least, 3)
