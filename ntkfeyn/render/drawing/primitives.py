"""Drawing primitives: paths, marks and labels in units of about a centimetre; every picture format prints these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, cos, hypot, pi, sin

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
            return tuple(_bezier(self.points, k / steps) for k in range(steps + 1))
        if len(self.points) > 2:
            return self.points
        (x, y), (u, v) = self.points
        return tuple((x + (u - x) * k / steps, y + (v - y) * k / steps) for k in range(steps + 1))


@dataclass(frozen=True)
class Mark:
    """A circle, or a square of half width ``radius``."""

    centre: Point
    radius: float
    fill: str
    square: bool = False


@dataclass(frozen=True)
class Label:
    """Text centred at a point, as TeX maths and as plain text."""

    centre: Point
    tex: str
    plain: str
    size: float = 0.3

    def extent(self) -> tuple[float, float]:
        """Half width and half height; marks of derivatives and exponents are narrow."""
        wide = sum(0.22 if c in "'{}¹²³⁴⁵⁶⁷⁸⁹⁽⁾()" else 0.56 for c in self.plain)
        return self.size * wide / 2, self.size * 0.4


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


def legended(drawing: Drawing) -> Drawing:
    """With its legend as a line of text below; the drawing itself where it has none."""
    if not drawing.legend:
        return drawing
    x0, y0, x1, _ = drawing.box()
    text = legend_text(drawing)
    label = Label(((x0 + x1) / 2, y0 - 0.3), rf"\text{{{text}}}", text, 0.24)
    return replace(drawing, labels=(*drawing.labels, label), legend=())


def legend_text(drawing: Drawing) -> str:
    """C000 = C0C0C0@2, .."""
    return ", ".join(f"{tag} = {meaning}" for tag, meaning in drawing.legend)


def _bezier(points: tuple[Point, ...], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(w * p[0] for w, p in zip(weights, points, strict=True))
    return (x, sum(w * p[1] for w, p in zip(weights, points, strict=True)))


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


def arcs(a: Point, b: Point, strokes: list[list[tuple[str, str]]], room: float) -> list[Path]:
    """Arcs from a to b, one an end, fanned out by at most ``room`` to each side; an end may carry several lines."""
    direction, length = towards(a, b), distance(a, b)
    widest = min(0.3 * (len(strokes) - 1), 1.1, room)
    paths = []
    for k, lines in enumerate(strokes):
        fan = widest * (2 * k / (len(strokes) - 1) - 1) if len(strokes) > 1 else 0.0
        for m, (style, colour) in enumerate(lines):
            bend = fan + 0.14 * (m - (len(lines) - 1) / 2)
            first, second = polar(a, 0.5 * length, direction + bend), polar(b, 0.5 * length, direction + pi - bend)
            paths.append(Path((a, first, second, b), style, colour, curved=True))
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
