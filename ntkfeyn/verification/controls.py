"""Negative controls: a comparison must fail with any one diagram left out or counted twice, and without A at a pair.

Enters: a recursion, control data and the exact number at the control layer. Leaves: what became of the comparison with
each spoilt version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial

from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.terms import ExpandedTerm
from ntkfeyn.judge.setting import Maps, Row, Setting
from ntkfeyn.model.cumulants import standard
from ntkfeyn.verification.averages import averaged, operator, unaveraged
from ntkfeyn.verification.derived import Labels, MutatedSolver, SystemSolver, diagram_terms

CONTROL_LAYER = 3
Chosen = Callable[[int], Sequence[Labels]]
Terms = Callable[[Labels], tuple[ExpandedTerm, ...]]  # of a diagram, at labels


@dataclass(frozen=True)
class Control:
    """What became of the comparison with one diagram left out and with its weight doubled: "caught", "missed",
    or "not probed" where the diagram is exactly zero on the data."""

    diagram: str
    dropped: str
    doubled: str


@dataclass(frozen=True)
class AverageControl:
    """What became of the comparison without the operator A at one pair of the channel (slots of the standard shape).

    "caught", "missed", or "not probed" where A averages nothing.
    """

    pair: tuple[int, int]
    omitted: str


def run_controls(
    recursion: Recursion, setting: Setting, exact: Fraction, advance: Callable[[], None] = lambda: None
) -> tuple[Control, ...]:
    """The outcome for each full diagram; ``exact``: the number at the control layer, all labels the first."""
    shape, order = standard(recursion.name), recursion.order
    first = (0,) * len(shape.labels)
    base = SystemSolver(setting)
    controls = []
    for diagram in full_diagrams(derive_recursion(shape, order, weights=recursion.weights).diagrams):
        at = cache(partial(base.at_samples, recursion.id, diagram_terms(diagram)))
        probed = any(
            averaged(shape.channel, first, setting.maps(layer), partial(_sum, base, layer, at))
            for layer in range(1, CONTROL_LAYER)
        )
        outcomes = []
        for factor in (-1, 1):
            mutated = MutatedSolver(base, recursion.id, partial(_times, factor, at))
            differs = mutated.coefficient(recursion.name, order, CONTROL_LAYER, first) != exact
            outcomes.append("caught" if differs else "missed" if probed else "not probed")
        controls.append(Control(diagram.id, *outcomes))
        advance()
    return tuple(controls)


def sleeping(recursion: Recursion, setting: Setting, layers: Sequence[int], chosen: Chosen) -> tuple[str, ...]:
    """The full diagrams that are exactly zero wherever a recursion is compared: there nothing is said of them.

    ``chosen``: the labels compared at a layer, by slot of the standard shape.
    """
    shape, base, found = standard(recursion.name), SystemSolver(setting), []
    places = [(layer, labels) for layer in layers if layer > 1 for labels in chosen(layer)]
    for diagram in full_diagrams(derive_recursion(shape, recursion.order, weights=recursion.weights).diagrams):
        at = cache(partial(base.at_samples, recursion.id, diagram_terms(diagram)))
        awake = any(
            averaged(shape.channel, labels, setting.maps(layer - 1), partial(_sum, base, layer - 1, at))
            for layer, labels in places
        )
        if not awake:
            found.append(diagram.id)
    return tuple(found)


def _sum(base: SystemSolver, layer: int, at: Terms, labels: Labels) -> Fraction:
    return base.step(at(labels), layer)


def _times(factor: int, at: Terms, labels: Labels) -> tuple[ExpandedTerm, ...]:
    return tuple(term._replace(coefficient=factor * term.coefficient) for term in at(labels))


def run_average_controls(recursion: Recursion, setting: Setting, exact: Fraction) -> tuple[AverageControl, ...]:
    """The outcome without A at each pair of the channel in turn: with two pairs, A is at the other one only."""
    shape = standard(recursion.name)
    first = (0,) * len(shape.labels)
    base = SystemSolver(setting)
    averages = any(
        operator(maps, a, b) != unaveraged(maps, a, b)
        for maps in setting.sharing
        if maps
        for a in range(len(maps[0][1]))
        for b in range(len(maps[0][1]))
    )
    controls = []
    for number, pair in enumerate(shape.channel):
        mutated = MutatedSolver(base, recursion.id, unaveraged=(number,))
        differs = mutated.coefficient(recursion.name, recursion.order, CONTROL_LAYER, first) != exact
        controls.append(AverageControl(pair, "caught" if differs else "missed" if averages else "not probed"))
    return tuple(controls)


def seen_by_first(setting: Setting) -> tuple[Maps, ...]:
    """The label maps of what the first label of the control layer reads, labels numbered anew in their order.

    Layers above those that have maps are dense ones.
    """
    needed, found = [0], []
    for layer in range(CONTROL_LAYER - 1, 0, -1):
        maps = setting.maps(layer)
        if maps:
            below = sorted({label for _, rows in maps for a in needed for label, _ in rows[a]}) or [0]
            found.append(_restricted(maps, needed, below))
            needed = below
        else:
            found.append(())
    return tuple(reversed(found))


def _restricted(maps: Maps, above: list[int], below: list[int]) -> Maps:
    number = {label: i for i, label in enumerate(below)}

    def row(old: Row) -> Row:
        return tuple((number[label], value) for label, value in old)

    return tuple((weight, tuple(row(rows[a]) for a in above)) for weight, rows in maps)
