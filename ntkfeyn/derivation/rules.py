"""The table of rules: what each element of a diagram is, gives and is called (theory sections 3 to 5, 9 and 10).

Physics stands here and nowhere else. A pair of slots descends a layer in one of the ways of ``PAIR_RULES``; enumeration
offers them, translation takes their couplings, pictures their marks, prose their words, the LaTeX table of rules their
rows, the certificates the names of their couplings. A new way is a row here, and its counterpart in the judge. Which
weights correlate beyond pairs is a row of ``ENSEMBLES`` (section 9).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ntkfeyn.derivation.terms import Powers
from ntkfeyn.derivation.weingarten import joint_cumulant
from ntkfeyn.model.ensembles import GAUSSIAN, ORTHOGONAL

WIDTH_RATIO = "width_ratio"
TAU = "tau"


class Coupling(NamedTuple):
    """A number of the network that terms carry powers of."""

    name: str
    meaning: str


COUPLINGS = (
    Coupling("C_W", "variance of a weight, times the width below"),
    Coupling("lambda_W", "gradient weight of a weight, times the width below"),
    Coupling("C_b", "variance of a bias"),
    Coupling("lambda_b", "gradient weight of a bias"),
    Coupling(WIDTH_RATIO, "n_l / n_(l-1)"),
    Coupling(TAU, "n_l / N with N = max(n_l, n_(l+1)), the size of the orthogonal matrix that weights are a corner of"),
)
# of networks with Gaussian weights: what hashes, recursion/1 and emitted solvers list, however the table grows
GAUSSIAN_COUPLINGS = ("C_W", "lambda_W", "C_b", "lambda_b", WIDTH_RATIO)
DRAWN_COUPLINGS = tuple(
    sorted(c.name for c in COUPLINGS if c.name not in (WIDTH_RATIO, TAU))
)  # a layer has its own of each
ACTIVATION, MERGED = "activation", "omega"  # what stands at a slot: a derivative of s, or half of an Omega


class PairRule(NamedTuple):
    """One way in which the two slots of a pair of the channel descend a layer: a cubic vertex.

    ``consumes_edge``: an edge of a leg joins the slots, and its parameter is one of this layer. ``merges``: no way of
    its own, but several drawn as one (theory section 4, Omega). ``function`` stands at both slots. In pictures the
    vertex is a dot or a ``square``, and ``names_slots`` where no line leads to it alone; ``plain`` are those that lists
    leave unmarked. ``element`` heads its row in a
    table of rules, ``source`` says why; ``words`` and ``sentence`` tell it of a pair, ``inside`` of a pair in Omega;
    ``{above}``, the layer l+1, and ``{edge}`` there are filled in.
    """

    name: str
    couplings: Powers
    element: str
    source: str
    words: str
    sentence: str
    inside: str = ""
    consumes_edge: bool = False
    merges: tuple[str, ...] = ()
    function: str = ACTIVATION
    square: bool = False
    plain: bool = False
    names_slots: bool = False


WEIGHT = PairRule(
    "weight",
    Powers.of(C_W=1),
    element="cubic vertex, two weights contracted",
    source="average over the weights of layer l+1",
    words="two weights contracted",
    sentence="two weights W contracted",
    inside="its edge is old, two weights W are contracted, the mean NTK is inside",
    plain=True,
)
NEW_EDGE = PairRule(
    "new edge",
    Powers.of(lambda_W=1),
    element="cubic vertex, one new parameter edge",
    source="both slots differentiated by the same weight of layer l+1",
    words="one new parameter",
    sentence="a new edge, both slots differentiate by one weight of layer {above}",
    inside="its edge {edge} is new, both ends differentiate by one weight of layer {above}",
    consumes_edge=True,
    square=True,
)
OMEGA = PairRule(
    "omega",
    Powers.of(),
    element="cubic vertex, both choices merged",
    source="both choices for an NTK whose two slots share a neuron",
    words="both choices",
    sentence="both choices for an NTK that is its own pair",
    merges=(NEW_EDGE.name, WEIGHT.name),
    function=MERGED,
)
PAIR_RULES = (NEW_EDGE, WEIGHT)  # in the order in which they are tried
BLOCK = PairRule(
    "weight block",
    Powers.of(C_W=1),
    element="weight block, each of its p internal lines",
    source="joint cumulant of 2p weights of layer l+1: their slots paired anew for the hidden neurons",
    words="line of a weight block",
    sentence="an internal line of its weight block",
    plain=True,
    names_slots=True,
)
RULE = {rule.name: rule for rule in (WEIGHT, NEW_EDGE, OMEGA, BLOCK, *PAIR_RULES)}


class Choice(NamedTuple):
    """One of the choices that Omega_vw merges: couplings * s^(order)_v s^(order)_w.

    Where the edge of the pair is old, its mean NTK is inside.
    """

    rule: PairRule
    order: int
    mean_inside: bool


CHOICES = tuple(
    Choice(RULE[name], 0 if RULE[name].consumes_edge else 1, not RULE[name].consumes_edge) for name in OMEGA.merges
)


class ElementRule(NamedTuple):
    """What another element of a diagram gives: its row in a table of rules."""

    name: str
    couplings: Powers
    element: str
    source: str


TENSOR = ElementRule(
    "tensor",
    Powers.of(width_ratio=1),
    "tensor vertex, per power of 1/n",
    "layer-l cumulants count powers of the width below them; the tag beside a disc says how many;"
    " lines that leave a disc at one small circle are a pair of its channel",
)
ELEMENT_RULES = (
    TENSOR,
    ElementRule("zz", Powers.of(), "z-z pair on a propagator", "cumulant expansion: 1/2 a pair, 1/k! for k alike"),
    ElementRule("mixed", Powers.of(), "pair of a z-leg and a slot", "the z-leg shares the neuron of the slot"),
    ElementRule("tied", Powers.of(), "pair of two slots", "both slots share a neuron: their cubic vertices are tied"),
    ElementRule(
        "propagator", Powers.of(), "propagator (white blob)", "sum over coinciding hidden neurons: joint cumulant"
    ),
)


class Ensemble(NamedTuple):
    """A law of the weights of a layer: what stands before its diagram ids and in which blocks its weights correlate.

    ``joint_cumulant``: of 2p weights with the loops of two matchings, the coefficient of a power of 1/N (theory section
    9); None where weights are Gaussian, so that pairs of slots are contracted one by one.
    """

    name: str
    prefix: str
    joint_cumulant: Callable[[tuple[int, ...], int], int] | None = None


ENSEMBLES = {
    ensemble.name: ensemble
    for ensemble in (Ensemble(GAUSSIAN, ""), Ensemble(ORTHOGONAL, "orthogonal:", joint_cumulant))
}
# what every cubic vertex gives beside its own where weights are shared over labels (section 10)
AVERAGING = ElementRule(
    "averaging",
    Powers.of(),
    "every cubic vertex, weights shared over labels",
    "one weight serves all labels: both slots, and all that hangs on them in layer l, are read at labels that are"
    " averaged together",
)
# what a weight block gives beside its lines: the term N^(-p-e) of its cumulant costs e powers of 1/n
BLOCK_TERM = ElementRule(
    "weight block",
    Powers.of(tau=1),
    "weight block, one term of its cumulant",
    "the weights at the slots of several pairs have a joint cumulant: the channel pairs their outer neurons, any"
    " matching of the slots their hidden ones; the tag beside the large dot is the power of 1/n beside one for a line",
)
# constants of the two means at order 0, which no diagram draws: a bias contracted, a derivative by a bias
BIASES = {"K": Powers.of(C_b=1), "Theta": Powers.of(lambda_b=1)}


def reading_order(powers: Powers) -> tuple[int, ...]:
    """Powers in the order of ``COUPLINGS``, to sort terms by."""
    return tuple(powers.power(coupling.name) for coupling in COUPLINGS)


def in_order(powers: Powers) -> list[tuple[str, int]]:
    """The pairs in the order of ``COUPLINGS``."""
    names = [coupling.name for coupling in COUPLINGS]
    return sorted(powers, key=lambda pair: names.index(pair[0]))
