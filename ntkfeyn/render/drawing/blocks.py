"""Weight blocks in pictures: one vertex where the external lines of all slots meet, from which internal lines leave.

Enters: a block with the places of what is drawn already. Leaves: where it goes, its slots, and its lines, which bend
where several lead to one neuron. The slots of a pair of the channel stand together; an internal line names its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import WeightBlock
from ntkfeyn.render.drawing.primitives import BLACK, Path, Point, distance, polar, towards, turn, wave

BLOCK = 0.13  # radius of the vertex
SLOT = 0.95  # from it to its slots
INSIDE, BETWEEN = 0.4, 0.72  # angles between slots of one pair, and of two
BOW = 0.34  # how far a line bends aside
STEPS = 24
CLEAR = 0.17  # from a line to its label
FAR = 2.0  # from a vertex or the middle of a line to any of its labels
PARALLEL = 0.05  # half the distance of the two lines of one vertex
APART = 0.2  # angle between the last external line and an internal one
WEDGE = 0.72  # angle between lines that meet at a neuron
AWAY = 0.6  # from the vertex to other marks
ROOM = 0.3  # that a slot takes with its label
LABEL = 0.25  # from a slot to the middle of its label
Segment = tuple[Point, Point]


@dataclass
class Obstacles:
    """What lines and marks of a block should keep away from: points with radii, and segments."""

    points: list[tuple[Point, float]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)


class BlockPlace(NamedTuple):
    """The vertex, and the direction in the middle of its external lines."""

    centre: Point
    outward: float

    def slots(self, block: WeightBlock) -> dict[int, Point]:
        """The dot of each slot, by its label."""
        angles, at = [], 0.0
        for _ in block.pairs:
            angles += [at, at + INSIDE]
            at += INSIDE + BETWEEN
        middle = (at - BETWEEN) / 2
        labels = [slot for pair in block.pairs for slot in pair]
        turned = [self.outward + middle - angle for angle in angles]
        return {label: polar(self.centre, SLOT, angle) for label, angle in zip(labels, turned, strict=True)}

    def segments(self, block: WeightBlock, neurons: Sequence[Point]) -> list[Segment]:
        """Its lines as straight ones."""
        return [(self.centre, point) for point in (*self.slots(block).values(), *neurons)]


def find_place(block: WeightBlock, neurons: Sequence[Point], taken: Obstacles) -> BlockPlace:
    """Near the middle of its neurons, as clear of everything as can be."""
    middle = (sum(x for x, _ in neurons) / len(neurons), sum(y for _, y in neurons) / len(neurons))
    best, least = BlockPlace(middle, pi / 2), 10**9
    for place in _candidates(middle):  # the nearest first
        faults = _faults(place, block, neurons, taken)
        if faults < least:
            best, least = place, faults
        if not faults:
            break
    return best


def _candidates(middle: Point) -> Iterator[BlockPlace]:
    for outward in (pi / 2, -pi / 2):
        yield BlockPlace(middle, outward)
    for step in range(1, 18):
        for k in range(24):
            angle = pi / 2 + (-1) ** k * (k + 1) // 2 * pi / 12
            yield BlockPlace(polar(middle, 0.25 * step, angle), angle)


def _faults(place: BlockPlace, block: WeightBlock, neurons: Sequence[Point], taken: Obstacles) -> int:
    """How much it touches or crosses."""
    slots = list(place.slots(block).values())
    labels = [polar(slot, LABEL, towards(place.centre, slot)) for slot in slots]
    own = place.segments(block, neurons)
    faults = 0
    for point, radius in taken.points:
        if point not in neurons:
            faults += 2 * (distance(place.centre, point) < radius + BLOCK + AWAY)
            faults += sum(_apart(point, segment) < radius + 0.16 for segment in own)
        faults += sum(distance(slot, point) < radius + ROOM for slot in slots)
    for segment in taken.segments:
        faults += 2 * (_apart(place.centre, segment) < BLOCK + 0.2)
        faults += sum(_apart(slot, segment) < ROOM for slot in (*slots, *labels))
        faults += 2 * sum(_cross(segment, line) for line in own)
        faults += sum(
            turn(towards(neuron, place.centre), towards(neuron, segment[0])) < WEDGE
            for neuron in neurons
            if segment[1] == neuron
        )
    faults += 2 * sum(distance(place.centre, neuron) < 0.9 for neuron in neurons)
    among = max(turn(place.outward, towards(place.centre, slot)) for slot in slots) + APART
    faults += sum(turn(place.outward, towards(place.centre, neuron)) < among for neuron in neurons)
    return faults


def bows(count: int) -> list[float]:
    """How far each of several lines between two points bends aside."""
    return [BOW * (2 * k - count + 1) for k in range(count)]


def internal_lines(start: Point, end: Point, bow: float, orders: Sequence[int]) -> list[Path]:
    """The line of one pair of hidden weights: wavy for s s, else solid or dashed for each activation."""
    if list(orders) == [0, 0]:
        return [Path(tuple(_bent(start, end, bow, point) for point in wave(start, end).points))]
    angle = towards(start, end)
    styles = ["dashed" if order else "solid" for order in orders]
    found = []
    for style, side in zip(styles, (PARALLEL, -PARALLEL), strict=True):
        straight = [_along(start, end, k / STEPS) for k in range(STEPS + 1)]
        shifted = [(x - side * sin(angle), y + side * cos(angle)) for x, y in straight]
        found.append(Path(tuple(_bent(start, end, bow, point) for point in shifted), style, BLACK))
    return found


def on_line(start: Point, end: Point, bow: float, part: float) -> Point:
    """A point of a bent line."""
    return _bent(start, end, bow, _along(start, end, part))


def tag_places(place: BlockPlace, extent: Point) -> Iterator[Point]:
    """Where the tag of a vertex may stand: near it, away from its slots first."""
    for gap in (0.1, 0.2, 0.3, 0.4, 0.5):
        for k in range(24):
            angle = place.outward + pi + (-1) ** k * (k + 1) // 2 * pi / 12
            across, up = abs(cos(angle)), abs(sin(angle))
            reach = min(extent[0] / across if across > 1e-9 else 1e9, extent[1] / up if up > 1e-9 else 1e9)
            yield polar(place.centre, BLOCK + gap + reach, angle)


def function_places(start: Point, end: Point, bow: float, extent: Point) -> Iterator[Point]:
    """Where the functions of an internal line may stand: beside it, outside where it bends."""
    along = towards(start, end)
    away = extent[0] * abs(sin(along)) + extent[1] * abs(cos(along)) + CLEAR
    sides = (1,) if bow > 0 else (-1,) if bow < 0 else (1, -1) if cos(along) < 0 else (-1, 1)
    for more in (0.0, 0.08, 0.16, 0.3, 0.45):
        for at in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82):
            for side in sides:
                yield polar(on_line(start, end, bow, at), away + more, along + side * pi / 2)


def _along(start: Point, end: Point, part: float) -> Point:
    return (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)


def _bent(start: Point, end: Point, bow: float, point: Point) -> Point:
    """A point near the straight line, moved aside as much as the bent one is there."""
    angle, length = towards(start, end), distance(start, end)
    t = ((point[0] - start[0]) * cos(angle) + (point[1] - start[1]) * sin(angle)) / length
    aside = 4 * bow * t * (1 - t)
    return (round(point[0] - aside * sin(angle), 3), round(point[1] + aside * cos(angle), 3))


def _apart(point: Point, segment: Segment) -> float:
    """From a point to a segment."""
    (ax, ay), (bx, by) = segment
    square = (bx - ax) ** 2 + (by - ay) ** 2
    t = ((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / square if square else 0.0
    return distance(point, _along(segment[0], segment[1], min(1.0, max(0.0, t))))


def _cross(first: Segment, second: Segment) -> bool:
    """Whether two segments cross inside of both."""
    (a, b), (c, d) = first, second
    if {a, b} & {c, d}:
        return False

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
