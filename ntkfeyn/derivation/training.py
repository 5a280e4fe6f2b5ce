"""Training at order 1/n: which tensors, at which points and in which histories, make the mean prediction and kernel
(THEORY section 12).

Enters: nothing but the equations of motion, which are one statement about trees: a step of training takes an observable
O to O - H eps, so each step grafts leaves with residuals on the nodes of its tree. Leaves: ``Sum`` records, plain data:
a tensor with its indices, what the residuals there became, which neurons are equal, and when each residual was taken.

Points are I, whose prediction (or I and J, whose kernel) is asked for, and J, K, L, where residuals eps stand; a
residual that is averaged is either the initial output z or minus the target, both propagated by G(t) = exp(-Theta t).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations, product
from math import factorial

from ntkfeyn.model.combinatorics import perfect_matchings
from ntkfeyn.model.cumulants import cumulant
from ntkfeyn.model.legs import Leg, normal_leg
from ntkfeyn.model.tensors import TensorId

POINTS = "IJKL"
MOST_RESIDUALS = 3  # a tree with more slots is of higher order in 1/n
Edges = tuple[tuple[str, str], ...]


class Source(StrEnum):
    """What moves a mean at order 1/n, as results name it."""

    INITIAL = "initial"  # the mean kernel at the start, Theta^{1}
    FLUCTUATION = "fluctuation"  # the kernel at the start differs from network to network
    FIRST = "first_order_motion"  # of the kernel, by the dNTK
    SECOND = "second_order_motion"  # of the kernel, by the ddNTK


@dataclass(frozen=True)
class History:
    """When residuals were taken: ``levels[0]`` last, each level earlier than the one before it.

    Several residuals of one level are of one step, which only gradient descent with a finite rate has.
    ``nested``: residuals themselves; else each level is propagated to the one before it by G, a linear response.
    """

    levels: tuple[str, ...]
    nested: bool = True

    @property
    def residuals(self) -> str:
        """All of them: eta to this power multiplies a sum over steps."""
        return "".join(self.levels)

    @property
    def simultaneous(self) -> bool:
        """Whether residuals share a step: such sums vanish as the rate goes to zero."""
        return len(self.residuals) > len(self.levels)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The decays whose convolution is the integral: a word is the product of the decays of its residuals.

        The integral over s' < s < t of exp(-a (t - s)) f(s) g(s') is the convolution of exp(-a t), f and f g.
        """
        if not self.nested:
            return self.levels
        return tuple("".join(self.levels[: i + 1]) for i in range(len(self.levels)))


@dataclass(frozen=True)
class Sum:
    """coefficient * the tensor at ``indices`` * K at each of ``kernels`` * each of ``targets``, summed over J, K, L.

    ``indices`` are points in the tensor's index order. A point that stands twice stands for a residual's z and the slot
    that it was contracted with. ``neurons`` are the points whose neuron indices are equal, one class after the other.
    """

    source: Source
    coefficient: Fraction
    history: History
    tensor: TensorId
    indices: str
    kernels: tuple[str, ...]
    targets: str
    neurons: tuple[str, ...]


@dataclass(frozen=True)
class Motion:
    """coefficient * the tree with edges between points, at the start, * residuals in a history."""

    coefficient: Fraction
    edges: Edges
    history: History


def motions(edges: Edges, points: str, most: int) -> tuple[Motion, ...]:
    """An observable at time t by trees at the start: all with 1 to ``most`` residuals, equal ones collected.

    O(t) = O(0) + sum over steps s < t of sum_m (-1)^m/m! (m leaves grafted on O)(s) eps(s)^m, and the tree that this
    gives is expanded again, by steps before s.
    """
    found: dict[tuple[Edges, History], Fraction] = {}
    for motion in _grafted(edges, points, most, ()):
        key = (motion.edges, motion.history)
        found[key] = found.get(key, Fraction(0)) + motion.coefficient
    return tuple(Motion(coefficient, edges, history) for (edges, history), coefficient in found.items())


def _grafted(edges: Edges, points: str, most: int, levels: tuple[str, ...]) -> Iterator[Motion]:
    """Leaves of one step on the nodes there were before it, then what earlier steps add."""
    for size in range(1, most + 1):
        leaves = POINTS[len(points) : len(points) + size]
        for nodes in product(points, repeat=size):
            grown = tuple(sorted((*edges, *((node, leaf) for node, leaf in zip(nodes, leaves, strict=True)))))
            earlier = (*levels, leaves)
            share = Fraction((-1) ** size, factorial(size))
            yield Motion(share, grown, History(earlier))
            for motion in _grafted(grown, points + leaves, most - size, earlier):
                yield Motion(share * motion.coefficient, motion.edges, motion.history)


def prediction_sums() -> tuple[Sum, ...]:
    """The mean prediction at order 1/n at point I: convolve with exp(-Theta t) at I, and add up.

    The tree of one residual is the NTK itself: its mean at order 0 is what propagates, Theta^{1} and its fluctuations
    Delta are sources; eps is -G y in one and the response int G(t-s) Delta (-G(s) y) ds in the other.
    """
    sums: list[Sum] = []
    for motion in motions((), "I", MOST_RESIDUALS):
        if len(motion.edges) == 1:
            kernel = normal_leg(((0, 1),), (0, 1))
            sums += _averages(Source.INITIAL, motion.coefficient, motion.history, [kernel], ["IJ"], mean_order=1)
            response = History(("J", "K"), nested=False)
            legs = [kernel, normal_leg(((0, 1),), (2, 3))]
            sums += _averages(Source.FLUCTUATION, motion.coefficient**2, response, legs, ["IJ", "JK"])
        else:
            sums += _of_motion(motion)
    return _collected(sums)


def kernel_sums() -> tuple[Sum, ...]:
    """What the mean kernel at the points I and J moves by, n E[H(t) - H(0)]."""
    sums: list[Sum] = []
    for motion in motions((("I", "J"),), "IJ", MOST_RESIDUALS - 1):
        sums += _of_motion(motion)
    return _collected(sums)


def _of_motion(motion: Motion) -> list[Sum]:
    points = sorted({point for edge in motion.edges for point in edge})
    edges = tuple((points.index(a), points.index(b)) for a, b in motion.edges)
    leg = normal_leg(edges, tuple(range(len(points))))
    source = Source.FIRST if len(edges) == 2 else Source.SECOND
    listed = "".join(points[label] for label in leg.labels)
    plain = Leg(leg.edges, tuple(range(len(points))))
    return _averages(source, motion.coefficient, motion.history, [plain], [listed])


def _averages(
    source: Source,
    coefficient: Fraction,
    history: History,
    legs: Sequence[Leg],
    points: Sequence[str],
    mean_order: int | None = None,
) -> list[Sum]:
    """Every way to average trees with residuals at order 1/n; ``points`` lists those of the slots, a text a leg.

    Trees with an even number of slots are averaged alone, and pairs of residuals give K; with an odd number they need
    the z of one residual. What is left of the residuals are targets. Then every channel of the joint cumulant counts.
    ``mean_order``: the correction to a mean.
    """
    slots = "".join(points)
    free = history.levels[-1] if not history.nested else history.residuals
    sums: list[Sum] = []
    for joined in ("",) if len(slots) % 2 == 0 else tuple(free):
        left = [point for point in free if point not in joined]
        for kernels in _pairings(left):
            targets = "".join(point for point in left if not any(point in pair for pair in kernels))
            text = "+".join(map(str, _placed(legs))) + "".join(f"+z({len(slots)})" for _ in joined)
            factor = coefficient * (-1) ** len(targets)
            sums += _channels(Sum(source, factor, history, TensorId("", 1), "", kernels, targets, ()), text,
                              slots + joined, mean_order)  # fmt: skip
    return sums


def _placed(legs: Sequence[Leg]) -> Iterator[Leg]:
    """The same legs with slots counted through them."""
    start = 0
    for leg in legs:
        yield Leg(leg.edges, tuple(range(start, start + len(leg.labels))))
        start += len(leg.labels)


def _channels(common: Sum, legs: str, points: str, mean_order: int | None) -> Iterator[Sum]:
    """A sum for each channel of these legs; ``points`` of the slots, in their order."""
    for matching in perfect_matchings(range(len(points))):
        shape = cumulant(legs, ".".join(f"{a}-{b}" for a, b in matching))
        order = shape.leading_order if mean_order is None else mean_order
        indices = "".join(points[label] for label in shape.index_labels())
        joined = [points[a] + points[b] for a, b in matching]
        yield Sum(common.source, common.coefficient, common.history, TensorId(shape.name, order), indices,
                  common.kernels, common.targets, _classes(points, [*joined, *common.kernels]))  # fmt: skip


def _pairings(points: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Sets of disjoint pairs."""
    for size in range(0, len(points) + 1, 2):
        for chosen in combinations(points, size):
            for matching in perfect_matchings(chosen):
                yield tuple(a + b for a, b in matching)


def _classes(points: str, joined: Sequence[str]) -> tuple[str, ...]:
    """Points with equal neurons."""
    classes = {point: point for point in sorted(set(points))}
    for pair in joined:
        merged = "".join(sorted({*classes[pair[0]], *classes[pair[1]]}))
        for point in merged:
            classes[point] = merged
    return tuple(sorted(set(classes.values())))


def _collected(sums: Sequence[Sum]) -> tuple[Sum, ...]:
    """Equal ones added up, those that cancel left out."""
    found: dict[tuple[object, ...], list[Sum]] = {}
    for one in sums:
        key = (one.source, one.history, one.tensor, one.indices, one.kernels, one.targets, one.neurons)
        found.setdefault(key, []).append(one)
    added = []
    for same in found.values():
        total = sum((one.coefficient for one in same), Fraction(0))
        if total:
            first = same[0]
            added.append(Sum(first.source, total, first.history, first.tensor, first.indices, first.kernels,
                             first.targets, first.neurons))  # fmt: skip
    return tuple(added)
