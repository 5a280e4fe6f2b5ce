"""Layout: the geometry of a diagram's picture, computed once and fed to TikZ, SVG and PNG.

Enters: a Diagram. Leaves: a ``Drawing`` of paths, marks and labels in units of about a centimetre. External slots are
filled dots with their sample; z lines are solid, an NTK's slots dotted in one colour a parameter contraction (two or
three parallel lines at the centre of a dNTK or ddNTK); cubic vertices are small dots (squares where a new parameter
is contracted), propagators white circles, layer-l tensors grey discs with their name (theory section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

from ntkfeyn.cumulants import standard
from ntkfeyn.diagram import NEW_EDGE, OMEGA, CubicVertex, Diagram, TensorVertex
from ntkfeyn.emitters.notation import LatexNotation, TextNotation, latex_name

Point = tuple[float, float]
PALETTE = ("0072B2", "D55E00", "009E73", "CC79A7", "7A5C00", "56B4E9", "6A3D9A", "000000")
BLACK = "000000"


@dataclass(frozen=True)
class Path:
    """A line through ``points``, or the Bezier curve of four control points if ``curved``."""

    points: tuple[Point, ...]
    style: str = "solid"
    colour: str = BLACK
    curved: bool = False


@dataclass(frozen=True)
class Mark:
    """A circle, or a square of half width ``radius``."""

    centre: Point
    radius: float
    fill: str
    square: bool = False


@dataclass(frozen=True)
class Label:
    centre: Point
    tex: str
    plain: str
    size: float = 0.3


@dataclass(frozen=True)
class Drawing:
    """Everything to draw, back to front: paths, then marks, then labels."""

    title: str
    paths: tuple[Path, ...]
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]

    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 with a margin."""
        points = [p for path in self.paths for p in path.points]
        points += [(m.centre[0] + s * m.radius, m.centre[1] + s * m.radius) for m in self.marks for s in (-1, 1)]
        points += [(t.centre[0] + s * 0.3, t.centre[1] + s * 0.2) for t in self.labels for s in (-1, 1)]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        return min(xs) - 0.1, min(ys) - 0.1, max(xs) + 0.1, max(ys) + 0.1


def _polar(centre: Point, radius: float, angle: float) -> Point:
    return (round(centre[0] + radius * cos(angle), 4), round(centre[1] + radius * sin(angle), 4))


def _shift(point: Point, offset: Point) -> Point:
    return (round(point[0] + offset[0], 4), round(point[1] + offset[1], 4))


def layout(diagram: Diagram) -> Drawing:
    """Place everything on rings: propagators inside, cubic vertices around them, external slots outside."""
    return _Picture(diagram).drawing()


class _Picture:
    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.paths: list[Path] = []
        self.marks: list[Mark] = []
        self.labels: list[Label] = []
        count, neurons = len(diagram.cubic_vertices), len(diagram.propagators)
        ring = [i for held in diagram.propagators for i in held]
        self.angle = {i: pi - 2 * pi * k / count for k, i in enumerate(ring)}
        spread = max(1.0, count / 3.2) if count > 2 else 1.0
        outer = (1.55 if neurons == 1 else 2.75) * spread
        self.cubic = {i: _polar((0, 0), outer, angle) for i, angle in self.angle.items()}
        self.inner = 0.0 if neurons == 1 else 1.45 * spread
        self.propagator = {j: _polar((0, 0), self.inner, self._mean_angle(j)) for j in range(neurons)}
        self.busy: dict[int, list[float]] = {
            j: [self._towards(p, self.cubic[i]) for i in diagram.propagators[j]] for j, p in self.propagator.items()
        }
        self.colours = self._edge_colours()

    def _mean_angle(self, j: int) -> float:
        held = self.diagram.propagators[j]
        return sum(self.angle[i] for i in held) / len(held)

    @staticmethod
    def _towards(a: Point, b: Point) -> float:
        return atan2(b[1] - a[1], b[0] - a[0])

    def _edge_colours(self) -> dict[frozenset[int], str]:
        edges = [frozenset((leg.labels[a], leg.labels[b])) for leg in self.diagram.cumulant.legs for a, b in leg.edges]
        return {edge: PALETTE[k % len(PALETTE)] for k, edge in enumerate(edges)}

    def drawing(self) -> Drawing:
        self._tensors()
        for i, vertex in enumerate(self.diagram.cubic_vertices):
            self._external(i, vertex)
            self._internal(i, vertex)
        for centre in self.propagator.values():
            self.marks.append(Mark(centre, 0.19, "FFFFFF"))
        return Drawing(self.diagram.id, tuple(self.paths), tuple(self.marks), tuple(self.labels))

    # --- external slots and cubic vertices ---

    def _external(self, i: int, vertex: CubicVertex) -> None:
        centre, angle = self.cubic[i], self.angle[i]
        turned = sorted((angle - 0.65, angle + 0.65), key=lambda t: -round(sin(t), 6))  # the first slot on top
        for slot, direction in zip(vertex.slots, turned, strict=True):
            dot = _polar(centre, 0.95, direction)
            colours = [c for edge, c in self.colours.items() if slot in edge]
            self._lines(centre, dot, [("dotted", c) for c in colours] or [("solid", BLACK)], 0.09)
            self.marks.append(Mark(dot, 0.065, BLACK))
            self.labels.append(Label(_polar(dot, 0.27, direction), str(slot), str(slot)))
        new = vertex.coupling == NEW_EDGE
        self.marks.append(Mark(centre, 0.09 if new else 0.05, "FFFFFF" if new else BLACK, square=new))

    def _internal(self, i: int, vertex: CubicVertex) -> None:
        """The line from a cubic vertex to its neuron: wavy for s s and Omega, dashed where an activation is derived."""
        j = next(j for j, held in enumerate(self.diagram.propagators) if i in held)
        start, end = self.cubic[i], self.propagator[j]
        orders = [order for _, order in vertex.factors]
        if orders == [0, 0]:
            self.paths.append(Path(_wave(start, end)))
        else:
            self._lines(start, end, [("dashed" if order else "solid", BLACK) for order in orders], 0.1)
        away = self._towards(start, end) - pi / 2
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        tex, plain = _function_names(vertex)
        self.labels.append(Label(_polar(middle, 0.32, away), tex, plain, 0.26))

    def _lines(self, a: Point, b: Point, styles: list[tuple[str, str]], gap: float) -> None:
        """Parallel straight lines."""
        normal = self._towards(a, b) + pi / 2
        for k, (style, colour) in enumerate(styles):
            offset = _polar((0, 0), gap * (k - (len(styles) - 1) / 2), normal)
            self.paths.append(Path((_shift(a, offset), _shift(b, offset)), style, colour))

    # --- tensor vertices ---

    def _tensors(self) -> None:
        shared: list[tuple[TensorVertex, list[int]]] = []
        for vertex in self.diagram.tensor_vertices:
            at = sorted(self._attached(vertex))
            if len(at) > 1:
                shared.append((vertex, at))
            else:
                self._place(vertex, self._free_place(at[0]))
        for k, (vertex, at) in enumerate(shared):
            x = sum(self.propagator[j][0] for j in at) / len(at)
            y = sum(self.propagator[j][1] for j in at) / len(at) + 1.9 * ((len(shared) - 1) / 2 - k)
            self._place(vertex, (round(x, 4), round(y, 4)))

    def _attached(self, vertex: TensorVertex) -> set[int]:
        slots = {self.diagram.propagator_of(slot) for slot in vertex.ends}
        return slots | {j for j, count in enumerate(vertex.zz) if count}

    def _free_place(self, j: int) -> Point:
        """Beside a propagator, in the direction farthest from what is already there."""
        busy = list(self.busy[j])
        if len(self.propagator) > 1:
            busy.append(self._towards(self.propagator[j], (0, 0)))

        def room(angle: float) -> float:
            return min(abs(atan2(sin(angle - other), cos(angle - other))) for other in busy)

        angles = [pi * k / 12 for k in range(24)]
        best = max(angles, key=lambda angle: (round(room(angle), 6), -angle))
        self.busy[j].append(best)
        return _polar(self.propagator[j], 1.25, best)

    def _place(self, vertex: TensorVertex, centre: Point) -> None:
        ends: dict[int, list[list[tuple[str, str]]]] = {}
        degree = self._end_styles(vertex)
        for a, b in vertex.tied:
            ends.setdefault(self.diagram.propagator_of(vertex.ends[a]), []).extend([degree[a], degree[b]])
        for v in vertex.mixed:
            j = self.diagram.propagator_of(vertex.ends[v])
            ends.setdefault(j, []).extend([degree[v], [("solid", BLACK)]])
        for j, count in enumerate(vertex.zz):
            if count:
                ends.setdefault(j, []).extend([[("solid", BLACK)]] * (2 * count))
        for j, arcs in sorted(ends.items()):
            self._arcs(centre, self.propagator[j], arcs)
        correction = vertex.order - standard(vertex.name).leading_order
        tex = latex_name(vertex.name) + (rf"^{{\{{{correction}\}}}}" if correction else "")
        plain = vertex.name.replace("Theta", "Θ") + (f"{{{correction}}}" if correction else "")
        self.marks.append(Mark(centre, 0.24 if len(plain) == 1 else 0.24 + 0.05 * len(plain), "D9D9D9"))
        self.labels.append(Label(centre, tex, plain, 0.26))

    def _end_styles(self, vertex: TensorVertex) -> list[list[tuple[str, str]]]:
        """For each end of the internal trees one dotted line a contraction, in its colour."""
        styles = []
        for tree in vertex.trees:
            for k, slot in enumerate(tree.nodes):
                others = [tree.nodes[a + b - k] for a, b in tree.edges if k in (a, b)]
                styles.append([("dotted", self.colours[frozenset((slot, other))]) for other in others])
        return styles

    def _arcs(self, a: Point, b: Point, arcs: list[list[tuple[str, str]]]) -> None:
        """Arcs fanned out between two points, one an end; parallel strokes where an end carries several lines."""
        direction, length = self._towards(a, b), hypot(b[0] - a[0], b[1] - a[1])
        for k, strokes in enumerate(arcs):
            fan = 0.95 * (k - (len(arcs) - 1) / 2) / max(1.0, (len(arcs) - 1) / 2)
            for m, (style, colour) in enumerate(strokes):
                bend = fan + 0.13 * (m - (len(strokes) - 1) / 2)
                first = _polar(a, 0.55 * length, direction + bend)
                second = _polar(b, 0.55 * length, direction + pi - bend)
                self.paths.append(Path((a, first, second, b), style, colour, curved=True))


def _wave(a: Point, b: Point) -> tuple[Point, ...]:
    length, angle = hypot(b[0] - a[0], b[1] - a[1]), atan2(b[1] - a[1], b[0] - a[0])
    periods = max(2, round(length / 0.28))
    steps = 8 * periods
    along = [length * k / steps for k in range(steps + 1)]
    height = [0.07 * sin(2 * pi * k / 8) for k in range(steps + 1)]
    return tuple(
        (round(a[0] + x * cos(angle) - y * sin(angle), 3), round(a[1] + x * sin(angle) + y * cos(angle), 3))
        for x, y in zip(along, height, strict=True)
    )


def _function_names(vertex: CubicVertex) -> tuple[str, str]:
    """What the cubic vertex puts on its neuron, without samples (the slots carry them)."""
    if vertex.coupling == OMEGA:
        return r"\Omega", "Ω"
    tex, plain = LatexNotation(), TextNotation()
    names = [(tex.activation(s, m), plain.activation(s, m)) for s, m in vertex.factors]
    return "".join(t.split("_")[0] for t, _ in names), "".join(p.split("_")[0] for _, p in names)
