"""Certificates: a derived recursion compared, coefficient by coefficient, with exact finite-width cumulants.

Enters: a cumulant, an order, layers and parameters. Leaves: a ``Certificate``: both exact numbers for every comparison,
and negative controls, which show that the same comparison fails with any one diagram left out or counted twice.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.rules import DRAWN_COUPLINGS
from ntkfeyn.errors import LimitError, bad_request, too_large
from ntkfeyn.judge.exact import WorkLimit
from ntkfeyn.judge.networks import exact_network
from ntkfeyn.judge.setting import Maps, Series, Setting
from ntkfeyn.model.cumulants import Cumulant, canonical_labels, standard
from ntkfeyn.model.polynomials import Coefficients
from ntkfeyn.verification.averages import operator
from ntkfeyn.verification.controls import (
    CONTROL_LAYER,
    AverageControl,
    Control,
    run_average_controls,
    run_controls,
    seen_by_first,
    sleeping,
)
from ntkfeyn.verification.derived import SystemSolver
from ntkfeyn.verification.per_layer import check_enough

MAX_PAIRS = 40
MAX_LAYER = 12
MAX_SAMPLES = 4
MAX_LABELS = 24  # of a layer whose weights are shared over labels
SMALLER = "try fewer positions, a smaller kernel or one input"
MAX_READS = 5000  # labels that a channel reads in the layer below
CORRECTIONS = 2  # powers of 1/n in the first-layer kernels, so that K^{1}, Theta^{1}, .. are at work at every layer
COUPLINGS = ("C_W", "C_b", "lambda_W", "lambda_b")
Samples = tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """The coefficient of n^-order at a layer, for samples (labels of that layer) by slot (0-based)."""

    layer: int
    samples: Samples
    order: int
    exact: Fraction
    derived: Fraction

    @property
    def equal(self) -> bool:
        return self.exact == self.derived


@dataclass(frozen=True)
class NamedNetwork:
    """Whose label maps a certificate is of: the shape of an input, its layers, and inputs and positions as labels are
    counted: label = input * positions + position."""

    layout: Mapping[str, Any]
    inputs: int
    positions: tuple[int, ...]  # of layers 1, 2, ..

    def label(self, layer: int, number: int) -> str:
        """A label of a layer as input:position, from 1; the input alone where no positions are left."""
        positions = self.positions[layer - 1]
        return str(number + 1) if positions == 1 else f"{number // positions + 1}:{number % positions + 1}"


@dataclass(frozen=True)
class Certificate:
    """What ``verify`` returns: the verdict on one recursion, with everything needed to repeat it."""

    recursion: Recursion
    seed: int
    setting: Setting
    comparisons: tuple[Comparison, ...]
    control_setting: Setting | None = None
    control_comparisons: tuple[Comparison, ...] = ()
    controls: tuple[Control, ...] = field(default=())
    average_controls: tuple[AverageControl, ...] = ()
    network: NamedNetwork | None = None
    asleep: tuple[str, ...] = ()  # diagrams that are zero in all comparisons but those of the controls

    @property
    def woken(self) -> tuple[str, ...]:
        """Those of ``asleep`` that a control saw."""
        seen = {c.diagram for c in self.controls if "not probed" not in (c.dropped, c.doubled)}
        return tuple(one for one in self.asleep if one in seen)

    @property
    def equal(self) -> bool:
        """Every comparison exact, and no control missed."""
        same = all(c.equal for c in (*self.comparisons, *self.control_comparisons))
        outcomes = [outcome for c in self.controls for outcome in (c.dropped, c.doubled)]
        return same and "missed" not in (*outcomes, *(c.omitted for c in self.average_controls))

    @property
    def probed(self) -> int:
        """How many of the compared coefficients at the recursion's own order are not zero."""
        return sum(bool(c.exact) for c in self.comparisons if c.order == self.recursion.order)

    @property
    def first_difference(self) -> Comparison | None:
        """The lowest layer, then the lowest order, at which the numbers differ."""
        different = [c for c in (*self.comparisons, *self.control_comparisons) if not c.equal]
        return min(different, key=lambda c: (c.layer, c.order), default=None)


def random_setting(
    seed: int,
    activation: Coefficients | Sequence[Coefficients],
    samples: int,
    widths: Sequence[int] = (),
    corrections: int = CORRECTIONS,
    couplings: Mapping[str, Fraction] | None = None,
    weights: str = "gaussian",
    sharing: tuple[Maps, ...] = (),
) -> Setting:
    """Small random rational parameters; ``couplings`` fixes some of C_W, C_b, lambda_W, ..

    ``samples``: the labels of layer 1, where ``sharing`` says how the layers above share their weights over labels.
    ``activation``: the coefficients of one polynomial, or of one a layer to be applied after it.
    ``corrections`` adds so many powers of 1/n to the first-layer kernels.
    """
    source = random.Random(seed)

    def small() -> Fraction:
        return Fraction(source.randint(1, 4), source.randint(2, 5))

    drawn = {name: small() for name in DRAWN_COUPLINGS} | dict(couplings or {})
    gram = _random_gram(source, small, samples)

    def series(constant: Fraction, slope: Fraction, gram_value: Fraction) -> Series:
        return (constant + slope * gram_value, *(small() for _ in range(corrections)))

    kernels = []
    for constant, slope in (("C_b", "C_W"), ("lambda_b", "lambda_W")):
        rows = [[series(drawn[constant], drawn[slope], value) for value in row] for row in gram]
        kernels.append(tuple(tuple(rows[min(a, b)][max(a, b)] for b in range(samples)) for a in range(samples)))
    polynomials = _one_a_layer(activation)
    return Setting(polynomials, kernels[0], kernels[1], **drawn, widths=tuple(widths), weights=weights, sharing=sharing)


def _one_a_layer(activation: Coefficients | Sequence[Coefficients]) -> tuple[Coefficients, ...]:
    """Polynomials, whether one was given or several."""
    several = tuple(tuple(one) for one in activation if not isinstance(one, Fraction))
    return several or (tuple(one for one in activation if isinstance(one, Fraction)),)


def _random_gram(source: random.Random, small: Callable[[], Fraction], samples: int) -> list[list[Fraction]]:
    """x.x'/n_0 of random inputs of different lengths: equal ones would hide an exchange of samples."""
    while True:
        inputs = [[small() * source.choice((1, -1)) for _ in range(2)] for _ in range(samples)]
        if len({sum(x * x for x in one) for one in inputs}) == samples:
            return [[sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) / 2 for b in inputs] for a in inputs]


def control_setting(seed: int, order: int, weights: str = "gaussian", sharing: tuple[Maps, ...] = ()) -> Setting:
    """One sample, first-layer kernels that depend on n, an activation of degree 2 * order + 1 (at least 3).

    With ``sharing``, the labels of layer 1 that its maps read instead of one sample.
    """
    source = random.Random(seed)
    degree = max(3, 2 * order + 1)
    activation = tuple(Fraction(source.randint(1, 3), source.randint(2, 5) * (k + 1)) for k in range(degree + 1))
    first = next((maps for maps in sharing if maps), ())
    read = [label for _, rows in first for row in rows for label, _ in row]
    labels = max(read, default=0) + 1
    return random_setting(seed, activation, labels, corrections=max(1, order), weights=weights, sharing=sharing)


def assignments(shape: Cumulant, samples: int) -> tuple[Samples, ...]:
    """A few ways to give the slots samples: as many distinct ones as there are, mixed, and different as components."""
    size = len(shape.labels)
    patterns = [
        tuple(v % samples for v in range(size)),
        tuple((v // 2 + v) % samples for v in range(size)),
        tuple((0 if v < size // 2 else v) % samples for v in range(size)),
    ]
    found: dict[Samples, Samples] = {}
    for pattern in patterns:
        found.setdefault(canonical_labels(shape.name, shape.by_standard(pattern)), pattern)
    return tuple(found.values())


def slots_of(shape: Cumulant, samples: Samples) -> list[tuple[int, int, tuple[int, ...]]]:
    """The cumulant as the exact side takes it: (sample, slot it is paired with, tree neighbours)."""
    neighbours: list[list[int]] = [[] for _ in samples]
    for a, b in shape.edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    return [(samples[v], shape.partner[v], tuple(neighbours[v])) for v in range(len(samples))]


def compare(
    shape: Cumulant, order: int, layers: Sequence[int], setting: Setting, chosen: Sequence[Samples] | None = None
) -> tuple[Comparison, ...]:
    """Every coefficient of 1/n up to ``order``, at every layer and for every choice of samples.

    ``chosen``: default ``assignments`` of the labels that each layer has.
    """
    exact, derived = exact_network(setting, order), SystemSolver(setting)
    found = []
    for layer in layers:
        for samples in assignments(shape, setting.labels(layer)) if chosen is None else chosen:
            try:
                series = exact.cumulant(layer, slots_of(shape, samples))
            except WorkLimit as limit:
                fewer = "fewer positions, one input" if setting.sharing else "one sample"
                raise LimitError(f"{limit}; try fewer layers, {fewer}, a lower degree or order") from limit
            for power in range(order + 1):
                value = Fraction(0)
                if power >= shape.leading_order:
                    value = derived.coefficient(shape.name, power, layer, shape.by_standard(samples))
                found.append(Comparison(layer, samples, power, series[power], value))
    return tuple(found)


def check_samples(samples: int) -> None:
    """Raises RequestError for a number of samples that is not allowed."""
    if not 1 <= samples <= MAX_SAMPLES:
        raise bad_request(f"{samples} samples were asked for", f"1 to {MAX_SAMPLES} are allowed", "--samples 2")


def check_size(shape: Cumulant, layers: Sequence[int], setting: Setting) -> None:
    """Raises RequestError or LimitError for layers that the widths or the exact side cannot serve."""
    if not layers or min(layers) < 1:
        raise bad_request(f"layers {list(layers)} were asked for", "layers are counted from 1", "--layers 2,3")
    if max(layers) > MAX_LAYER:
        raise too_large(f"layer {max(layers)} was asked for", f"at most {MAX_LAYER} is allowed", "--layers 2,3")
    check_enough(max(layers), setting)
    if setting.sharing:
        _check_maps(shape, layers, setting)
    degrees = [len(setting.activation(layer)) - 1 for layer in range(2, max(layers))]
    pairs = len(shape.channel) * prod(degrees)
    if pairs > MAX_PAIRS:
        one = f"an activation of degree {degrees[0]}"
        kind = one if len(setting.activations) == 1 else f"activations of degrees {':'.join(map(str, degrees))}"
        raise LimitError(
            f"{shape.name} at layer {max(layers)} with {kind} opens to {pairs} pairs"
            f" at layer 2; at most {MAX_PAIRS} are allowed; try fewer layers or a lower degree"
        )


def check_labels(layer: int, labels: int) -> None:
    """Raises LimitError for more labels than the exact side serves."""
    if labels > MAX_LABELS:
        raise LimitError(
            f"layer {layer} has {labels} labels (inputs times positions); at most {MAX_LABELS} are allowed; {SMALLER}"
        )


def _check_maps(shape: Cumulant, layers: Sequence[int], setting: Setting) -> None:
    """Raises RequestError or LimitError for layers, or labels, that the label maps do not serve."""
    if len(setting.sharing) < max(layers) - 1:
        raise bad_request(
            f"layer {max(layers)} was asked for", f"the network has {len(setting.sharing) + 1} layers", "--layers 2"
        )
    for layer in range(1, max(layers) + 1):
        check_labels(layer, setting.labels(layer))
    pairs = len(shape.channel)
    for layer in range(1, max(layers)):
        labels = range(setting.labels(layer + 1))
        reads = max(len(operator(setting.maps(layer), a, b)) for a in labels for b in labels) ** pairs
        if reads > MAX_READS:
            raise LimitError(
                f"{shape.name} at layer {layer + 1} reads {reads} combinations of labels of layer {layer};"
                f" at most {MAX_READS} are allowed; {SMALLER}"
            )


def certify(
    shape: Cumulant,
    order: int,
    layers: Sequence[int],
    setting: Setting,
    seed: int,
    *,
    controls: bool = True,
    advance: Callable[[], None] = lambda: None,
    network: NamedNetwork | None = None,
) -> Certificate:
    """The certificate of one recursion; ``network`` names the setting's label maps.

    The controls are run on data of their own; with label maps, on what the first label of layer 3 reads.

    Raises RequestError or LimitError for a request out of reach.
    """
    check_size(shape, layers, setting)
    sharing = seen_by_first(setting) if setting.sharing and controls else ()
    data = control_setting(seed, order, setting.weights, sharing)
    if sharing:
        _check_maps(shape, [CONTROL_LAYER], data)
    recursion = derive_recursion(shape, order, weights=setting.weights)
    comparisons = compare(shape, order, layers, setting)
    if not controls:
        return Certificate(recursion, seed, setting, comparisons, network=network)
    same = standard(recursion.name)
    on_controls = compare(same, order, [CONTROL_LAYER], data, [(0,) * len(same.labels)])
    exact = on_controls[-1].exact
    outcomes = run_controls(recursion, data, exact, advance)
    averages = run_average_controls(recursion, data, exact) if sharing else ()

    def chosen(layer: int) -> list[Samples]:
        return [shape.by_standard(samples) for samples in assignments(shape, setting.labels(layer))]

    asleep = sleeping(recursion, setting, layers, chosen)
    return Certificate(recursion, seed, setting, comparisons, data, on_controls, outcomes, averages, network, asleep)
