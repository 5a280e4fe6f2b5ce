"""Layout: the geometry of a diagram's picture, computed once and fed to TikZ, SVG, PNG and the terminal.

Enters: a Diagram. Leaves: a ``Drawing``. External slots are filled dots with their sample; z lines are solid, an NTK's
slots dotted in one colour a parameter contraction (two or three parallel lines at the centre of a dNTK or ddNTK); cubic
vertices are small dots (squares where a new parameter is contracted), propagators white circles, layer-l tensors grey
discs with their name (theory section 4). Neurons lie in a row (one or two) or on a ring, each with its cubic vertices
fanned outwards; a tensor on one neuron sits beside it, a tensor on several between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from math import cos, pi, sin

from ntkfeyn.derivation.diagrams import CubicVertex, Diagram, TensorVertex
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.crowd import Crowd
from ntkfeyn.render.drawing.names import function_names, raised, slot_names, tensor_names
from ntkfeyn.render.drawing.primitives import (
    BLACK,
    DOTTINGS,
    GREY,
    PALETTE,
    WHITE,
    Drawing,
    Label,
    Mark,
    Path,
    Point,
    arcs,
    distance,
    parallel,
    polar,
    towards,
    turn,
    wave,
)
from ntkfeyn.render.symbols import Symbols

Strokes = list[tuple[str, str]]
Edges = dict[frozenset[int], tuple[str, str]]
Z_LINE: Strokes = [("solid", BLACK)]
NEURON, DISC, CUBIC, DOT = 0.19, 0.27, 0.05, 0.065
INTERNAL, EXTERNAL, BESIDE = 1.6, 0.95, 1.25


@dataclass
class _Canvas:
    symbols: Symbols
    paths: list[Path] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)


def layout(diagram: Diagram, symbols: Symbols) -> Drawing:
    """The picture of a diagram."""
    canvas, places = _Canvas(symbols), _Places(diagram)
    strokes = edge_strokes(diagram.cumulant)
    for tensor, centre in places.tensors:
        _draw_tensor(canvas, diagram, tensor, centre, places, strokes)
    for i, vertex in enumerate(diagram.cubic_vertices):
        _draw_cubic(canvas, vertex, places.cubic[i], places.outward[i], places.neurons[places.holder[i]], strokes)
    canvas.marks += [Mark(centre, NEURON, WHITE) for centre in places.neurons]
    crowd = Crowd(canvas.paths, canvas.marks, canvas.labels)
    for i, vertex in enumerate(diagram.cubic_vertices):
        names = function_names(vertex, symbols)
        canvas.labels.append(_function_label(crowd, names, places.cubic[i], places.neurons[places.holder[i]]))
    for tensor, centre in places.tensors:
        if tensor.order:
            canvas.labels.append(_power_label(crowd, tensor.order, centre))
    return Drawing(diagram.id, tuple(canvas.paths), tuple(canvas.marks), tuple(canvas.labels), tuple(canvas.legend))


def edge_strokes(cumulant: Cumulant) -> Edges:
    """A line style and a colour for each contracted parameter, by the two slots it joins."""
    edges = [frozenset((leg.labels[a], leg.labels[b])) for leg in cumulant.legs for a, b in leg.edges]
    return {edge: (DOTTINGS[k % len(DOTTINGS)], PALETTE[k % len(PALETTE)]) for k, edge in enumerate(edges)}


# --- where things go ---


class _Places:
    """Coordinates of neurons, cubic vertices and tensors."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        held = diagram.propagators
        self.holder = {i: j for j, group in enumerate(held) for i in group}
        attached = [self._attached(vertex) for vertex in diagram.tensor_vertices]
        self.neurons, directions = self._neurons(attached)
        self.outward: dict[int, float] = {}
        self.cubic: dict[int, Point] = {}
        for j, group in enumerate(held):
            for i, angle in zip(group, _fan(len(group), directions[j], alone=len(held) == 1), strict=True):
                self.outward[i] = angle
                self.cubic[i] = polar(self.neurons[j], INTERNAL, angle)
        self.taken = [*self.neurons, *self.cubic.values()]
        self.room: dict[Point, float] = {}  # half the angle that a tensor beside a neuron has to itself
        self.tensors: list[tuple[TensorVertex, Point]] = []
        self._place_tensors(attached)

    def _attached(self, vertex: TensorVertex) -> tuple[int, ...]:
        slots = {self.diagram.propagator_of(slot) for slot in vertex.ends}
        return tuple(sorted(slots | {j for j, count in enumerate(vertex.zz) if count}))

    def _neurons(self, attached: list[tuple[int, ...]]) -> tuple[list[Point], list[float]]:
        """A point for one neuron, a row for two, a ring for more; and the outward direction of each."""
        count = len(self.diagram.propagators)
        if count == 1:
            return [(0.0, 0.0)], [pi]
        crowd = max((attached.count(group) for group in attached if len(group) > 1), default=1)
        if count == 2:
            half = 1.35 + 0.2 * (crowd - 1)
            return [(-half, 0.0), (half, 0.0)], [pi, 0.0]
        radius = (0.95 + 0.15 * (crowd - 1)) * count / 1.5
        order = _ring_order(count, attached)
        angle = {j: pi - 2 * pi * k / count for k, j in enumerate(order)}
        return [polar((0, 0), radius, angle[j]) for j in range(count)], [angle[j] for j in range(count)]

    def _place_tensors(self, attached: list[tuple[int, ...]]) -> None:
        placed: dict[int, Point] = {}
        groups = sorted({group for group in attached if len(group) > 1}, key=lambda group: (-len(group), group))
        for group in groups:
            members = [k for k, other in enumerate(attached) if other == group]
            for k, point in zip(members, self._between(group, len(members)), strict=True):
                placed[k] = point
                self.taken.append(point)
        for j in range(len(self.neurons)):
            members = [k for k, group in enumerate(attached) if group == (j,)]
            shared = [placed[k] for k, group in enumerate(attached) if len(group) > 1 and j in group]
            for k, point in zip(members, self._beside(j, len(members), shared), strict=True):
                placed[k] = point
                self.taken.append(point)
        self.tensors = [(vertex, placed[k]) for k, vertex in enumerate(self.diagram.tensor_vertices)]

    def _between(self, group: tuple[int, ...], count: int) -> list[Point]:
        """Points for tensors on the same neurons: around their centre, across the way between two of them."""
        centre = (
            sum(self.neurons[j][0] for j in group) / len(group),
            sum(self.neurons[j][1] for j in group) / len(group),
        )
        across = towards(self.neurons[group[0]], self.neurons[group[1]]) + pi / 2
        spread = [polar(centre, 1.25 * ((count - 1) / 2 - k), across) for k in range(count)]
        shifts = [0.0, *(sign * step * 0.3 for step in range(1, 9) for sign in (1, -1))]
        for shift in shifts:
            moved = [polar(point, shift, across) for point in spread]
            if all(distance(point, other) > 0.85 for point in moved for other in self.taken):
                return moved
        return spread

    def _beside(self, j: int, count: int, shared: list[Point]) -> list[Point]:
        """Points around a neuron, as far from its lines and from each other as they can be."""
        centre = self.neurons[j]
        lines = [towards(centre, self.cubic[i]) for i in self.diagram.propagators[j]]
        lines += [towards(centre, point) for point in shared]
        directions = [pi * k / 36 for k in range(72)]
        chosen: list[float] = []
        for _ in range(count):
            others = [*lines, *chosen]
            best = max(directions, key=lambda angle: round(min(turn(angle, other) for other in others), 6))
            chosen.append(best)
        chosen = _evened(chosen, lines)
        closest = min((turn(a, b) for n, a in enumerate(chosen) for b in [*lines, *chosen[:n]]), default=pi)
        radius = BESIDE if closest > 0.7 else min(2.4, BESIDE * 0.7 / max(closest, 0.2))
        points = [polar(centre, radius, angle) for angle in chosen]
        self.room.update(dict.fromkeys(points, 0.48 * closest))
        return points


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


# --- drawing ---


def _draw_cubic(
    canvas: _Canvas,
    vertex: CubicVertex,
    centre: Point,
    outward: float,
    neuron: Point,
    strokes: Edges,
) -> None:
    """Two external slots, the cubic vertex, and its line to the neuron: wavy for s s, dashed where s is derived."""
    turned = sorted((outward - 0.65, outward + 0.65), key=lambda t: (-round(sin(t), 6), round(cos(t), 6)))
    for slot, direction in zip(vertex.slots, turned, strict=True):
        dot = polar(centre, EXTERNAL, direction)
        lines = [stroke for edge, stroke in strokes.items() if slot in edge]
        canvas.paths += parallel(centre, dot, lines or Z_LINE, 0.09)
        canvas.marks.append(Mark(dot, DOT, BLACK))
        canvas.labels.append(Label(polar(dot, 0.28, direction), *slot_names(slot, canvas.symbols)))
    orders = [factor.order for factor in vertex.factors]
    if orders == [0, 0]:
        canvas.paths.append(wave(centre, neuron))
    else:
        first_is_left = sin(turned[0] - towards(centre, neuron)) > 0  # each line on the side of its own slot
        styles = [("dashed" if order else "solid", BLACK) for order in orders]
        canvas.paths += parallel(centre, neuron, styles if first_is_left else styles[::-1], 0.1)
    square = vertex.rule.square
    canvas.marks.append(Mark(centre, 0.09 if square else CUBIC, WHITE if square else BLACK, square=square))


def _function_label(crowd: Crowd, names: tuple[str, str], centre: Point, neuron: Point) -> Label:
    """What the cubic vertex puts on its neuron, beside its line where there is most room."""
    along = towards(centre, neuron)
    options = [
        Label(polar(polar(centre, INTERNAL * at, along), away, along + side * pi / 2), *names, 0.3)
        for away in (0.33, 0.4, 0.48)
        for at in (0.45, 0.38, 0.52, 0.3, 0.6, 0.2, 0.1)
        for side in ((1, -1) if cos(along) < 0 else (-1, 1))
    ]
    return crowd.roomiest(options)


def _power_label(crowd: Crowd, order: int, centre: Point) -> Label:
    """The power of 1/n of a tensor, beside its disc."""
    tex, plain = ("/n", "/n") if order == 1 else (f"/n^{order}", "/n" + raised(order))
    angles = [pi / 4 + pi * k / 12 for k in range(24)]
    return crowd.roomiest([Label(polar(centre, DISC + 0.24, angle), tex, plain, 0.26) for angle in angles])


def _draw_tensor(
    canvas: _Canvas,
    diagram: Diagram,
    vertex: TensorVertex,
    centre: Point,
    places: _Places,
    strokes: Edges,
) -> None:
    ends = _end_strokes(vertex, strokes)
    lines: dict[int, list[Strokes]] = {}
    for a, b in vertex.tied:
        lines.setdefault(diagram.propagator_of(vertex.ends[a]), []).extend([ends[a], ends[b]])
    for v in vertex.mixed:
        lines.setdefault(diagram.propagator_of(vertex.ends[v]), []).extend([ends[v], Z_LINE])
    for j, count in enumerate(vertex.zz):
        if count:
            lines.setdefault(j, []).extend([Z_LINE] * (2 * count))
    for j, arcs_of in sorted(lines.items()):
        canvas.paths += arcs(centre, places.neurons[j], arcs_of, places.room.get(centre, pi))
    canvas.marks.append(Mark(centre, DISC, GREY))
    canvas.labels.append(_tensor_label(canvas, vertex, centre))


def _tensor_label(canvas: _Canvas, vertex: TensorVertex, centre: Point) -> Label:
    """The tensor's letter with its correction; the legend says what the symbol of one without a letter means."""
    correction = vertex.order - standard(vertex.name).leading_order
    label = Label(centre, *tensor_names(vertex.name, correction, canvas.symbols), 0.26)
    meaning = (label.plain, f"{vertex.name}@{vertex.order}")
    if vertex.name not in NAMES and meaning not in canvas.legend:
        canvas.legend.append(meaning)
    return label


def _end_strokes(vertex: TensorVertex, strokes: Edges) -> list[Strokes]:
    """For each end of the internal trees one dotted line a contraction, in its colour."""
    found = []
    for tree in vertex.trees:
        for k, slot in enumerate(tree.nodes):
            others = [tree.nodes[a + b - k] for a, b in tree.edges if k in (a, b)]
            found.append([strokes[frozenset((slot, other))] for other in others])
    return found


def blob(cumulant: Cumulant, tex: str, plain: str, symbols: Symbols) -> Drawing:
    """The cumulant itself: a grey blob with its external slots, paired as the channel says."""
    canvas, strokes = _Canvas(symbols), edge_strokes(cumulant)
    for i, (a, b) in enumerate(cumulant.channel):
        outward = pi - 2 * pi * i / len(cumulant.channel)
        turned = sorted((outward - 0.42, outward + 0.42), key=lambda t: (-round(sin(t), 6), round(cos(t), 6)))
        for slot, direction in zip((cumulant.labels[a], cumulant.labels[b]), turned, strict=True):
            dot = polar((0, 0), 1.35, direction)
            lines = [stroke for edge, stroke in strokes.items() if slot in edge]
            canvas.paths += parallel((0.0, 0.0), dot, lines or Z_LINE, 0.09)
            canvas.marks.append(Mark(dot, DOT, BLACK))
            canvas.labels.append(Label(polar(dot, 0.28, direction), *slot_names(slot, canvas.symbols)))
    canvas.marks.append(Mark((0.0, 0.0), 0.5, GREY))
    canvas.labels.append(Label((0.0, 0.0), tex, plain))
    return Drawing(cumulant.name, tuple(canvas.paths), tuple(canvas.marks), tuple(canvas.labels))
