"""Drawing primitives: paths, marks and labels in a unit of 2.5 times the size of letters; every format prints these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import atan2, cos, hypot, pi, sin

from ntkfeyn.render.drawing.typeset import typeset

Point = tuple[float, float]
PALETTE = ("0072B2", "D55E00", "009E73", "CC79A7", "7A5C00", "56B4E9", "6A3D9A", "000000")
DOTTINGS = ("dotted", "dashdot", "sparse", "dashdotdot")  # contractions differ in grey print too
DASHES = {  # lengths of dashes and gaps, by the style of a line
    "solid": (),
    "dashed": (6, 4),
    "dotted": (1.5, 3),
    "sparse": (1.5, 7),
    "dashdot": (8, 3, 1.5, 3),
    "dashdotdot": (8, 3, 1.5, 3, 1.5, 3),
}
BLACK, GREY, WHITE = "000000", "D9D9D9", "FFFFFF"
LETTER = 0.4  # size of the letters
OPENING, BUNDLE = 0.3, 0.22  # half the angle of a pair at its port; between the lines of one end
LEAST_DISC = 0.3
NARROW = frozenset("'’ ijlI.,:;|/!()[]{}¹²³⁴⁵⁶⁷⁸⁹⁰⁽⁾₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Path:
    """A line through ``points``, or the Bezier curve of four control points if ``curved``."""

    points: tuple[Point, ...]
    style: str = "solid"
    colour: str = BLACK
    curved: bool = False

    def sampled(self, steps: int = 16) -> tuple[Point, ...]:
        """Points along the path."""
        if self.curved:
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.points
            weights = _weights(steps)
            return tuple(
                (a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy) for a, b, c, d in weights
            )
        if len(self.points) > 2:
            return self.points
        (x, y), (u, v) = self.points
        return tuple((x + (u - x) * k / steps, y + (v - y) * k / steps) for k in range(steps + 1))


@dataclass(frozen=True)
class Mark:
    """A circle, or a square of half width ``radius``; ``port``: on the rim of a disc, where a pair leaves it."""

    centre: Point
    radius: float
    fill: str
    square: bool = False
    port: bool = False


@dataclass(frozen=True)
class Label:
    """Text centred at a point, as TeX maths and as plain text.

    ``plainly``: as large as the latter; ``line``: of a legend, whose left edge is where ``extent`` has it.
    """

    centre: Point
    tex: str
    plain: str
    size: float = LETTER
    plainly: bool = False
    line: bool = False

    def extent(self) -> tuple[float, float]:
        """Half width and half height."""
        return extent((self.tex, self.plain), self.plainly, self.size)

    def radius(self) -> float:
        """Of a disc around the label."""
        return round(max(LEAST_DISC, hypot(*self.extent()) + 0.07), 4)

    def at(self, centre: Point) -> Label:
        return replace(self, centre=centre)


@lru_cache(maxsize=4096)
def extent(names: tuple[str, str], plainly: bool, size: float = LETTER) -> tuple[float, float]:
    """Half width and half height of a label in TeX maths, or in plain text."""
    if plainly:
        wide = sum(0.33 if c in NARROW else 0.52 if c.isascii() and not c.isupper() else 0.74 for c in names[1])
        return size * wide / 2, size * 0.38
    box = typeset(names[0])
    return size * box.width / 2, size * (box.height + box.depth) / 2


@dataclass(frozen=True)
class Drawing:
    """Everything to draw, back to front: paths, then marks, then labels; ``legend`` explains short tags."""

    title: str
    paths: tuple[Path, ...]
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    legend: tuple[tuple[str, str], ...] = ()

    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 with a margin."""
        points = [p for path in self.paths for p in path.sampled()]
        points += [(m.centre[0] + s * m.radius, m.centre[1] + s * m.radius) for m in self.marks for s in (-1, 1)]
        for label in self.labels:
            w, h = label.extent()
            points += [(label.centre[0] + s * w, label.centre[1] + s * h) for s in (-1, 1)]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        return min(xs) - 0.1, min(ys) - 0.1, max(xs) + 0.1, max(ys) + 0.1


@lru_cache
def _weights(steps: int) -> tuple[tuple[float, float, float, float], ...]:
    """Of the four control points, along a Bezier curve."""
    ways = [k / steps for k in range(steps + 1)]
    return tuple(((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in ways)


def prime(text: str) -> str:
    """Plain text with the mark of a derivative that print has."""
    return text.replace("'", "′")


def polar(centre: Point, radius: float, angle: float) -> Point:
    return (round(centre[0] + radius * cos(angle), 4), round(centre[1] + radius * sin(angle), 4))


def towards(a: Point, b: Point) -> float:
    return atan2(b[1] - a[1], b[0] - a[0])


def distance(a: Point, b: Point) -> float:
    return hypot(b[0] - a[0], b[1] - a[1])


def turn(angle: float, other: float) -> float:
    """The size of the angle between two directions."""
    return abs(atan2(sin(angle - other), cos(angle - other)))


def parallel(a: Point, b: Point, styles: list[tuple[str, str]], gap: float) -> list[Path]:
    """Straight parallel lines, the first one on the left of the way from a to b."""
    normal = towards(a, b) + pi / 2
    paths = []
    for k, (style, colour) in enumerate(styles):
        shift = polar((0, 0), gap * ((len(styles) - 1) / 2 - k), normal)
        ends = tuple((round(p[0] + shift[0], 4), round(p[1] + shift[1], 4)) for p in (a, b))
        paths.append(Path(ends, style, colour))
    return paths


def lens(port: Point, neuron: Point, bend: float, ends: list[list[tuple[str, str]]], room: float = pi) -> list[Path]:
    """The arcs of a pair from its port to its neuron, ``bend`` off the straight way; an end may carry several lines.

    At the neuron no arc is more than ``room`` off it.
    """
    direction, length = towards(port, neuron), distance(port, neuron)
    paths = []
    for lines, side in zip(ends, (1, -1), strict=True):
        for m, (style, colour) in enumerate(lines):
            angle = bend + side * (OPENING + BUNDLE * m)
            squeezed = angle * min(1.0, room / (abs(bend) + OPENING + BUNDLE * (len(lines) - 1)))
            first = polar(port, 0.5 * length, direction + angle)
            second = polar(neuron, 0.5 * length, direction + pi - squeezed)
            paths.append(Path((port, first, second, neuron), style, colour, curved=True))
    return paths


def wave(a: Point, b: Point) -> Path:
    """A wavy line: the fluctuation of s s or of Omega."""
    length, angle = distance(a, b), towards(a, b)
    periods = max(2, round(length / 0.28))
    steps = 8 * periods
    points = []
    for k in range(steps + 1):
        x, y = length * k / steps, 0.07 * sin(2 * pi * k / 8)
        point = (a[0] + x * cos(angle) - y * sin(angle), a[1] + x * sin(angle) + y * cos(angle))
        points.append((round(point[0], 3), round(point[1], 3)))
    return Path(tuple(points))
