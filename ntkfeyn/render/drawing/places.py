"""Where things go in a picture: neurons, cubic vertices around them, tensors beside and between them.

Enters: a Diagram and the radius of each tensor's disc. Leaves: coordinates. Neurons lie in a row (one or two) or on a
ring, each with its cubic vertices fanned outwards; a tensor or a weight block on one neuron sits beside it, one on
several between them. A large disc gets more room, so that the arcs of its pairs are as long as those of a small one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import pi, sin

from ntkfeyn.derivation.diagrams import Diagram, TensorVertex
from ntkfeyn.render.drawing.blocks import BlockPlace, Obstacles, bows, find_place
from ntkfeyn.render.drawing.primitives import Point, distance, polar, towards, turn

NEURON = 0.18
INTERNAL = 1.5  # from a neuron to its cubic vertices
JOINED = 1.75  # half the distance of two neurons that a weight block joins
ARC = 0.8  # between a disc and a neuron
APART = 0.22  # between discs, and between a disc and a line


class Places:
    """Coordinates of neurons, cubic vertices and tensors."""

    def __init__(self, diagram: Diagram, radii: Sequence[float]) -> None:
        self.diagram, self.radii = diagram, radii
        held = diagram.propagators
        self.holder = {i: j for j, group in enumerate(held) for i in group}
        self.attached = [self._attached(vertex) for vertex in diagram.tensor_vertices]
        self.joined = [tuple(sorted({self.holder[i] for i in b.cubic_vertices})) for b in diagram.weight_blocks]
        self.neurons, directions = self._neurons()
        self.outward: dict[int, float] = {}
        self.cubic: dict[int, Point] = {}
        self.blocks: dict[int, BlockPlace] = {}
        in_block = {i for block in diagram.weight_blocks for i in block.cubic_vertices}
        for j, held_here in enumerate(held):
            group = [i for i in held_here if i not in in_block]
            beside = [k for k, neurons in enumerate(self.joined) if neurons == (j,)]
            angles = _fan(len(group) + len(beside), directions[j], alone=len(held) == 1)
            for i, angle in zip(group, angles, strict=False):
                self.outward[i] = angle
                self.cubic[i] = polar(self.neurons[j], INTERNAL, angle)
            for k, angle in zip(beside, angles[len(group) :], strict=True):
                self.blocks[k] = BlockPlace(polar(self.neurons[j], INTERNAL, angle), angle)
        self.room: dict[int, float] = {}  # half the angle that a tensor beside a neuron has to itself
        self.placed: dict[int, Point] = {}
        self._place_tensors()
        self.tensors = [self.placed[k] for k in range(len(radii))]

    def _attached(self, vertex: TensorVertex) -> tuple[int, ...]:
        slots = {self.diagram.propagator_of(slot) for slot in vertex.ends}
        return tuple(sorted(slots | {j for j, count in enumerate(vertex.zz) if count}))

    def _neurons(self) -> tuple[list[Point], list[float]]:
        """A point for one neuron, a row for two, a ring for more; and the outward direction of each."""
        count = len(self.diagram.propagators)
        if count == 1:
            return [(0.0, 0.0)], [pi]
        shared = [group for group in self.attached if len(group) > 1]
        crowd = max((shared.count(group) for group in shared), default=1)
        largest = max((self.radii[k] for k, group in enumerate(self.attached) if len(group) > 1), default=0.0)
        half = NEURON + ARC + largest
        if any(len(group) > 1 for group in self.joined):
            half = max(half, JOINED)
        if count == 2:
            half += 0.25 * (crowd - 1)
            return [(-half, 0.0), (half, 0.0)], [pi, 0.0]
        radius = max(half / sin(pi / count), half) * 1.12 + 0.1 * count * (crowd - 1)
        order = _ring_order(count, [*self.attached, *self.joined])
        angle = {j: pi - 2 * pi * k / count for k, j in enumerate(order)}
        return [polar((0, 0), radius, angle[j]) for j in range(count)], [angle[j] for j in range(count)]

    def _place_tensors(self) -> None:
        attached = self.attached
        groups = sorted({group for group in attached if len(group) > 1}, key=lambda group: (-len(group), group))
        for group in groups:
            members = [k for k, other in enumerate(attached) if other == group]
            self.placed.update(zip(members, self._between(group, members), strict=True))
        self._place_blocks()
        for j in range(len(self.neurons)):
            self._place_beside(j, [k for k, group in enumerate(attached) if group == (j,)])

    def _place_blocks(self) -> None:
        """The blocks that join several neurons."""
        for k, block in enumerate(self.diagram.weight_blocks):
            if k not in self.blocks:
                neurons = [self.neurons[j] for j in self.joined[k]]
                self.blocks[k] = find_place(block, neurons, self._taken())

    def block_lines(self, number: int) -> list[tuple[int, Point, float]]:
        """The internal lines of a weight block: cubic vertex, neuron, and how far the line bends aside."""
        found = []
        for j in self.joined[number]:
            here = [i for i in self.diagram.weight_blocks[number].cubic_vertices if self.holder[i] == j]
            found += [(i, self.neurons[j], bow) for i, bow in zip(here, bows(len(here)), strict=True)]
        return found

    def _taken(self) -> Obstacles:
        """What is placed already."""
        found = Obstacles([(point, NEURON) for point in self.neurons])
        for i, point in self.cubic.items():
            slots = [polar(point, 0.95, self.outward[i] + side) for side in (0.6, -0.6)]
            found.points += [(point, 0.1), *((slot, 0.2) for slot in slots)]
            found.segments += [(point, end) for end in (*slots, self.neurons[self.holder[i]])]
        for k, place in self.blocks.items():
            block = self.diagram.weight_blocks[k]
            found.points += [(place.centre, 0.15), *((slot, 0.2) for slot in place.slots(block).values())]
            found.segments += place.segments(block, [self.neurons[j] for j in self.joined[k]])
        for k, point in self.placed.items():
            found.points.append((point, self.radii[k] + APART))
            found.segments += [(point, self.neurons[j]) for j in self.attached[k]]
        return found

    def _between(self, group: tuple[int, ...], members: list[int]) -> list[Point]:
        """Points for tensors on the same neurons: around their centre, across the way between two of them."""
        centre = (
            sum(self.neurons[j][0] for j in group) / len(group),
            sum(self.neurons[j][1] for j in group) / len(group),
        )
        across = towards(self.neurons[group[0]], self.neurons[group[1]]) + pi / 2
        step = max(1.25, 2 * max(self.radii[k] for k in members) + 3 * APART)
        spread = [polar(centre, step * ((len(members) - 1) / 2 - n), across) for n in range(len(members))]
        taken = [(point, 0.4) for point in [*self.neurons, *self.cubic.values()]]
        taken += [(place.centre, 0.4) for place in self.blocks.values()]
        taken += [(point, self.radii[k] + APART) for k, point in self.placed.items()]
        shifts = [0.0, *(sign * step * 0.3 for step in range(1, 9) for sign in (1, -1))]
        for shift in shifts:
            moved = [polar(point, shift, across) for point in spread]
            clear = zip(members, moved, strict=True)
            if all(distance(point, other) > self.radii[k] + gap for k, point in clear for other, gap in taken):
                return moved
        return spread

    def _place_beside(self, j: int, members: list[int]) -> None:
        """Around a neuron, as far from its lines and from each other as they can be."""
        centre = self.neurons[j]
        lines = [towards(centre, self.cubic[i]) for i in self.diagram.propagators[j] if i in self.cubic]
        lines += [towards(centre, self.blocks[k].centre) for k, group in enumerate(self.joined) if j in group]
        lines += [
            towards(centre, self.placed[k]) for k, group in enumerate(self.attached) if len(group) > 1 and j in group
        ]
        directions = [pi * k / 36 for k in range(72)]
        chosen: list[float] = []
        for _ in members:
            others = [*lines, *chosen]
            best = max(directions, key=lambda angle: round(min(turn(angle, other) for other in others), 6))
            chosen.append(best)
        spots = []
        for n, angle in enumerate(evened := _evened(chosen, lines)):
            others = [*lines, *evened[:n], *evened[n + 1 :]]
            spots.append((min((turn(angle, other) for other in others), default=pi), n, angle))
        # the tensor with most pairs gets most room
        spots.sort(key=lambda spot: (-round(spot[0], 6), spot[1]))
        members = sorted(members, key=lambda k: -self._pairs(k))
        angle_of = {k: angle for k, (_, _, angle) in zip(members, spots, strict=True)}
        for k, (closest, _, angle) in zip(members, spots, strict=True):
            own = self.radii[k] + APART
            away = [NEURON + ARC + self.radii[k]]
            away.append(min(own / max(sin(min(closest, pi / 2)), 0.2), 2.6))  # clear of the line beside it
            for other in members:  # and of the discs beside it
                if other != k:
                    away.append((own + self.radii[other]) / (2 * max(sin(turn(angle, angle_of[other]) / 2), 0.1)))
            self.placed[k] = polar(centre, max(away), angle)
            self.room[k] = 0.42 * closest

    def _pairs(self, k: int) -> int:
        vertex = self.diagram.tensor_vertices[k]
        return len(vertex.tied) + len(vertex.mixed) + sum(vertex.zz)


def _evened(chosen: list[float], lines: list[float]) -> list[float]:
    """Directions that share a gap between lines, spread evenly over it."""
    if not lines:
        return chosen
    start = sorted(line % (2 * pi) for line in lines)
    gaps = [(a, (b - a) if b > a else b - a + 2 * pi) for a, b in zip(start, [*start[1:], start[0]], strict=True)]
    result = list(chosen)
    for a, width in gaps:
        inside = sorted(
            (k for k, angle in enumerate(chosen) if 0 < (angle - a) % (2 * pi) < width),
            key=lambda k: (chosen[k] - a) % (2 * pi),
        )
        for n, k in enumerate(inside, start=1):
            result[k] = a + width * n / (len(inside) + 1)
    return result


def _fan(count: int, outward: float, *, alone: bool) -> list[float]:
    """Directions of the cubic vertices of a neuron: all round if it is alone, else around its outward direction."""
    if alone:
        return [outward - 2 * pi * k / count for k in range(count)]
    width = min(1.6, 0.55 * count) if count > 1 else 0.0
    return [outward + width * (1 - 2 * k / (count - 1)) if count > 1 else outward for k in range(count)]


def _ring_order(count: int, attached: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The order of neurons on the ring with the fewest crossings of tensors between two neurons."""
    pairs = sorted({group for group in attached if len(group) == 2})

    def crossings(order: tuple[int, ...]) -> int:
        at = {j: k for k, j in enumerate(order)}
        chords = [tuple(sorted((at[a], at[b]))) for a, b in pairs]
        return sum(a < c < b < d for a, b in chords for c, d in chords)

    if count > 6:
        return tuple(range(count))
    return min(((0, *rest) for rest in permutations(range(1, count))), key=crossings)
