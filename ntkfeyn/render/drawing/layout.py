"""Layout: the geometry of a diagram's picture, computed once and fed to TikZ, SVG, PNG, PDF and the terminal.

Enters: a Diagram. Leaves: a ``Drawing``. External slots are filled dots with their sample; z lines are solid, an NTK's
slots dotted in one colour a parameter contraction (two or three parallel lines at the centre of a dNTK or ddNTK); cubic
vertices are small dots (squares where a new parameter is contracted), propagators white circles, layer-l tensors grey
discs with their name (theory section 4). The two lines of a pair leave a disc at one port, a small white circle on its
rim: they share a neuron. So the legs of a tensor, by the colours of its lines, and its channel can be read off. A
weight block is a large dot where all its external lines meet (theory section 9).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import cos, pi, sin

from ntkfeyn.derivation.diagrams import CubicVertex, Diagram, TensorVertex
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.blocks import BLOCK, FAR, function_places, internal_lines, on_line, tag_places
from ntkfeyn.render.drawing.crowd import Crowd
from ntkfeyn.render.drawing.legend import BLOCK_POWER, POWER, Entry, tensor_entry
from ntkfeyn.render.drawing.names import function_names, power_names, slot_names, tensor_names
from ntkfeyn.render.drawing.places import INTERNAL, NEURON, Places
from ntkfeyn.render.drawing.primitives import (
    BLACK,
    DOTTINGS,
    GREY,
    LEAST_DISC,
    PALETTE,
    WHITE,
    Drawing,
    Label,
    Mark,
    Path,
    Point,
    lens,
    parallel,
    polar,
    towards,
    wave,
)
from ntkfeyn.render.symbols import Symbols

Strokes = list[tuple[str, str]]
Edges = dict[frozenset[int], tuple[str, str]]
Z_LINE: Strokes = [("solid", BLACK)]
ORIGIN: Point = (0.0, 0.0)
CUBIC, SQUARE, DOT, PORT = 0.055, 0.09, 0.065, 0.06
EXTERNAL, SPREAD = 0.85, 0.65  # from a cubic vertex to its slots, and half the angle between them
BLOB, BLOB_SPREAD = 0.5, 0.5  # least radius, and half the angle between the slots of a pair
NEAR = 0.1  # from a dot or a disc to its label
CLEAR = 0.17  # from a line to its label
FAN = 0.5  # half the angle between pairs on one neuron
LINES = 0.09  # between parallel lines


@dataclass
class _Canvas:
    """What has been drawn so far."""

    symbols: Symbols
    plainly: bool
    paths: list[Path] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    legend: list[Entry] = field(default_factory=list)

    def drawing(self, title: str) -> Drawing:
        unique = dict.fromkeys(self.legend)
        return Drawing(title, tuple(self.paths), tuple(self.marks), tuple(self.labels), tuple(unique))

    def label(self, names: tuple[str, str], centre: Point = ORIGIN) -> Label:
        return Label(centre, *names, plainly=self.plainly)

    def slot(self, slot: int, start: Point, dot: Point, strokes: Edges, *, meeting: bool = False) -> None:
        """An external slot: its lines, which may meet where they start, its dot, its sample."""
        lines = [stroke for edge, stroke in strokes.items() if slot in edge]
        drawn = parallel(start, dot, lines or Z_LINE, LINES)
        self.paths += [replace(path, points=(start, path.points[1])) for path in drawn] if meeting else drawn
        self.marks.append(Mark(dot, DOT, BLACK))
        label = self.label(slot_names(slot, self.symbols))
        self.labels.append(label.at(_off(label.extent(), dot, DOT + NEAR, towards(start, dot))))


def layout(diagram: Diagram, symbols: Symbols, *, plainly: bool = False) -> Drawing:
    """The picture of a diagram: discs fit their labels as TeX sets them, or as plain text where ``plainly``."""
    canvas, strokes = _Canvas(symbols, plainly), edge_strokes(diagram.cumulant)
    vertices = diagram.tensor_vertices
    names = [canvas.label(_tensor_names(vertex, symbols)) for vertex in vertices]
    places = Places(diagram, [name.radius() for name in names])
    for k, vertex in enumerate(vertices):
        _draw_tensor(canvas, diagram, vertex, k, places, strokes)
        canvas.labels.append(names[k].at(places.tensors[k]))
        if vertex.name not in NAMES:
            canvas.legend.append(tensor_entry(tensor_names(vertex.name, 0, symbols)[1], vertex.name))
    for i, centre in sorted(places.cubic.items()):
        cubic, neuron = diagram.cubic_vertices[i], places.neurons[places.holder[i]]
        _draw_cubic(canvas, cubic, centre, places.outward[i], neuron, strokes)
    for k in range(len(diagram.weight_blocks)):
        _draw_block(canvas, diagram, k, places, strokes)
    canvas.marks += [Mark(centre, NEURON, WHITE) for centre in places.neurons]
    crowd = Crowd(canvas.paths, canvas.marks, canvas.labels)
    for i, centre in sorted(places.cubic.items()):
        function = canvas.label(function_names(diagram.cubic_vertices[i], symbols))
        canvas.labels.append(_function_label(crowd, function, centre, places.neurons[places.holder[i]]))
    for k in range(len(diagram.weight_blocks)):
        _label_block(canvas, crowd, diagram, k, places)
    for k, vertex in enumerate(vertices):
        if vertex.order:
            tag = canvas.label(power_names(vertex.order, symbols))
            canvas.labels.append(_power_label(crowd, tag, places.tensors[k], places.radii[k]))
            canvas.legend.append((tag.plain, POWER.format(width=symbols.text.width)))
    return canvas.drawing(diagram.id)


def edge_strokes(cumulant: Cumulant) -> Edges:
    """A line style and a colour for each contracted parameter, by the two slots it joins."""
    edges = [frozenset((leg.labels[a], leg.labels[b])) for leg in cumulant.legs for a, b in leg.edges]
    return {edge: (DOTTINGS[k % len(DOTTINGS)], PALETTE[k % len(PALETTE)]) for k, edge in enumerate(edges)}


def _tensor_names(vertex: TensorVertex, symbols: Symbols) -> tuple[str, str]:
    return tensor_names(vertex.name, vertex.order - standard(vertex.name).leading_order, symbols)


def _draw_cubic(
    canvas: _Canvas,
    vertex: CubicVertex,
    centre: Point,
    outward: float,
    neuron: Point,
    strokes: Edges,
) -> None:
    """Two external slots, the cubic vertex, and its line to the neuron: wavy for s s, dashed where s is derived."""
    turned = _downwards(outward, SPREAD)
    for slot, direction in zip(vertex.slots, turned, strict=True):
        canvas.slot(slot, centre, polar(centre, EXTERNAL, direction), strokes)
    orders = [factor.order for factor in vertex.factors]
    if orders == [0, 0]:
        canvas.paths.append(wave(centre, neuron))
    else:
        first_is_left = sin(turned[0] - towards(centre, neuron)) > 0  # each line on the side of its own slot
        styles = [("dashed" if order else "solid", BLACK) for order in orders]
        canvas.paths += parallel(centre, neuron, styles if first_is_left else styles[::-1], 0.1)
    square = vertex.rule.square
    canvas.marks.append(Mark(centre, SQUARE if square else CUBIC, WHITE if square else BLACK, square=square))


def _draw_block(canvas: _Canvas, diagram: Diagram, number: int, places: Places, strokes: Edges) -> None:
    """All slots of a weight block, its vertex and its internal lines."""
    block, place = diagram.weight_blocks[number], places.blocks[number]
    for slot, dot in place.slots(block).items():
        canvas.slot(slot, place.centre, dot, strokes, meeting=True)
    for i, neuron, bow in places.block_lines(number):
        orders = [factor.order for factor in diagram.cubic_vertices[i].factors]
        canvas.paths += internal_lines(place.centre, neuron, bow, orders)
    canvas.marks.append(Mark(place.centre, BLOCK, BLACK))


def _label_block(canvas: _Canvas, crowd: Crowd, diagram: Diagram, number: int, places: Places) -> None:
    """The power of 1/n of a weight block, and what its internal lines put on their neurons."""
    block, place, symbols = diagram.weight_blocks[number], places.blocks[number], canvas.symbols
    tag = canvas.label(power_names(block.cost, symbols))
    canvas.legend.append((tag.plain, BLOCK_POWER.format(width=symbols.text.width)))
    canvas.labels.append(crowd.roomiest(tag, tag_places(place, tag.extent()), place.centre, FAR))
    for i, neuron, bow in places.block_lines(number):
        function = canvas.label(function_names(diagram.cubic_vertices[i], symbols))
        found = function_places(place.centre, neuron, bow, function.extent())
        canvas.labels.append(crowd.roomiest(function, found, on_line(place.centre, neuron, 0.0, 0.5), FAR))


def _downwards(outward: float, spread: float) -> list[float]:
    """Two directions around ``outward``, the upper one first."""
    return sorted((outward - spread, outward + spread), key=lambda t: (-round(sin(t), 6), round(cos(t), 6)))


def _off(extent: tuple[float, float], point: Point, gap: float, direction: float) -> Point:
    """The centre of a label whose box keeps ``gap`` from a point, measured on the way there."""
    across, up = abs(cos(direction)), abs(sin(direction))
    reach = min(extent[0] / across if across > 1e-9 else 1e9, extent[1] / up if up > 1e-9 else 1e9)
    return polar(point, gap + reach, direction)


def _function_label(crowd: Crowd, label: Label, centre: Point, neuron: Point) -> Label:
    """What the cubic vertex puts on its neuron, beside its line where there is most room."""
    along = towards(centre, neuron)
    w, h = label.extent()
    away = w * abs(sin(along)) + h * abs(cos(along)) + CLEAR
    places = (
        polar(polar(centre, INTERNAL * at, along), away + more, along + side * pi / 2)
        for more in (0.0, 0.08, 0.16)
        for at in (0.45, 0.38, 0.52, 0.3, 0.6, 0.2, 0.1)
        for side in ((1, -1) if cos(along) < 0 else (-1, 1))
    )
    return crowd.roomiest(label, places, polar(centre, INTERNAL * 0.35, along), INTERNAL * 0.25 + away + 0.16)


def _power_label(crowd: Crowd, label: Label, centre: Point, radius: float) -> Label:
    """The power of 1/n of a tensor, beside its disc."""
    extent = label.extent()
    angles = [pi / 4 + pi * k / 12 for k in range(24)]
    places = (_off(extent, centre, radius + gap, angle) for gap in (NEAR, 2 * NEAR) for angle in angles)
    return crowd.roomiest(label, places, centre, radius + 2 * NEAR + sum(extent))


def _draw_tensor(
    canvas: _Canvas, diagram: Diagram, vertex: TensorVertex, number: int, places: Places, strokes: Edges
) -> None:
    """A disc, and for each pair of its channel a port from which two arcs lead to the pair's neuron."""
    centre, radius = places.tensors[number], places.radii[number]
    ends = _end_strokes(vertex, strokes)
    pairs: dict[int, list[list[Strokes]]] = {}
    for a, b in vertex.tied:
        pairs.setdefault(diagram.propagator_of(vertex.ends[a]), []).append([ends[a], ends[b]])
    for v in vertex.mixed:
        pairs.setdefault(diagram.propagator_of(vertex.ends[v]), []).append([ends[v], Z_LINE])
    for j, count in enumerate(vertex.zz):
        if count:
            pairs.setdefault(j, []).extend([[Z_LINE, Z_LINE]] * count)
    canvas.marks.append(Mark(centre, radius, GREY))
    room = places.room.get(number, pi)
    for j, found in sorted(pairs.items()):
        neuron = places.neurons[j]
        direction, widest = towards(centre, neuron), min(FAN * (len(found) - 1), 1.1)
        for k, pair in enumerate(found):
            fan = widest * (2 * k / (len(found) - 1) - 1) if len(found) > 1 else 0.0
            port = polar(centre, radius, direction + fan * (LEAST_DISC / radius) ** 0.8)  # as far apart on a large disc
            canvas.paths += lens(port, neuron, fan, pair, room)
            canvas.marks.append(Mark(port, PORT, WHITE, port=True))


def _end_strokes(vertex: TensorVertex, strokes: Edges) -> list[Strokes]:
    """For each end of the internal trees one dotted line a contraction, in its colour."""
    found = []
    for tree in vertex.trees:
        for k, slot in enumerate(tree.nodes):
            others = [tree.nodes[a + b - k] for a, b in tree.edges if k in (a, b)]
            found.append([strokes[frozenset((slot, other))] for other in others])
    return found


def blob(cumulant: Cumulant, tex: str, plain: str, symbols: Symbols, *, plainly: bool = False) -> Drawing:
    """The cumulant itself: a grey disc with its external slots, each pair of its channel at a port of its own."""
    canvas, strokes = _Canvas(symbols, plainly), edge_strokes(cumulant)
    label = canvas.label((tex, plain))
    radius = max(BLOB, label.radius())
    canvas.marks.append(Mark(ORIGIN, radius, GREY))
    for i, (a, b) in enumerate(cumulant.channel):
        outward = pi - 2 * pi * i / len(cumulant.channel)
        port = polar(ORIGIN, radius, outward)
        directions = _downwards(outward, BLOB_SPREAD)
        for slot, direction in zip((cumulant.labels[a], cumulant.labels[b]), directions, strict=True):
            canvas.slot(slot, polar(port, PORT, direction), polar(port, EXTERNAL, direction), strokes)
        canvas.marks.append(Mark(port, PORT, WHITE, port=True))
    canvas.labels.append(label)
    return canvas.drawing(cumulant.name)
