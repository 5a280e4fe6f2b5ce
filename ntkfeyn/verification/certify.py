"""Certificates: a derived recursion compared, coefficient by coefficient, with exact finite-width cumulants.

Enters: a cumulant, an order, layers and parameters. Leaves: a ``Certificate``: both exact numbers for every comparison,
and negative controls, which show that the same comparison fails with any one diagram left out or counted twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.rules import DRAWN_COUPLINGS
from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.judge.exact import WorkLimit
from ntkfeyn.judge.networks import exact_network
from ntkfeyn.judge.setting import Series, Setting
from ntkfeyn.model.cumulants import Cumulant, canonical_labels, standard
from ntkfeyn.model.polynomials import Coefficients
from ntkfeyn.verification.derived import MutatedSolver, SystemSolver, diagram_terms

MAX_PAIRS = 40
MAX_LAYER = 12
MAX_SAMPLES = 4
CONTROL_LAYER = 3
CORRECTIONS = 2  # powers of 1/n in the first-layer kernels, so that K^{1}, Theta^{1}, .. are at work at every layer
COUPLINGS = ("C_W", "C_b", "lambda_W", "lambda_b")
Samples = tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """The coefficient of n^-order at a layer, for samples by slot (0-based)."""

    layer: int
    samples: Samples
    order: int
    exact: Fraction
    derived: Fraction

    @property
    def equal(self) -> bool:
        return self.exact == self.derived


@dataclass(frozen=True)
class Control:
    """What became of the comparison with one diagram left out and with its weight doubled: "caught", "missed",
    or "not probed" where the diagram is exactly zero on the data."""

    diagram: str
    dropped: str
    doubled: str


@dataclass(frozen=True)
class Certificate:
    """The verdict on one recursion, with everything needed to repeat it."""

    recursion: Recursion
    seed: int
    setting: Setting
    comparisons: tuple[Comparison, ...]
    control_setting: Setting | None = None
    control_comparisons: tuple[Comparison, ...] = ()
    controls: tuple[Control, ...] = field(default=())

    @property
    def equal(self) -> bool:
        """Every comparison exact, and no control missed."""
        same = all(c.equal for c in (*self.comparisons, *self.control_comparisons))
        return same and not any("missed" in (c.dropped, c.doubled) for c in self.controls)

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
) -> Setting:
    """Small random rational parameters; ``couplings`` fixes some of C_W, C_b, lambda_W, ..

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
    return Setting(_one_a_layer(activation), kernels[0], kernels[1], **drawn, widths=tuple(widths), weights=weights)


def _one_a_layer(activation: Coefficients | Sequence[Coefficients]) -> tuple[Coefficients, ...]:
    """Polynomials, whether one was given or several."""
    several = tuple(tuple(one) for one in activation if not isinstance(one, Fraction))
    return several or (tuple(one for one in activation if isinstance(one, Fraction)),)


def _random_gram(source: random.Random, small: Callable[[], Fraction], samples: int) -> list[list[Fraction]]:
    """x.x'/n_0 of random inputs of different lengths: equal ones would hide an exchange of samples."""
    while True:
        inputs = [[small() * source.choice((1, -1)) for _ in range(2)] for _ in range(samples)]
        gram = [[sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) / 2 for b in inputs] for a in inputs]
        if len({gram[a][a] for a in range(samples)}) == samples:
            return gram


def control_setting(seed: int, order: int, weights: str = "gaussian") -> Setting:
    """One sample, first-layer kernels that depend on n, an activation of degree 2 * order + 1 (at least 3)."""
    source = random.Random(seed)
    degree = max(3, 2 * order + 1)
    activation = tuple(Fraction(source.randint(1, 3), source.randint(2, 5) * (k + 1)) for k in range(degree + 1))
    return random_setting(seed, activation, 1, corrections=max(1, order), weights=weights)


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
    shape: Cumulant, order: int, layers: Sequence[int], setting: Setting, chosen: Sequence[Samples]
) -> tuple[Comparison, ...]:
    """Every coefficient of 1/n up to ``order``, at every layer and for every choice of samples."""
    exact, derived = exact_network(setting, order), SystemSolver(setting)
    found = []
    for layer in layers:
        for samples in chosen:
            try:
                series = exact.cumulant(layer, slots_of(shape, samples))
            except WorkLimit as limit:
                raise LimitError(f"{limit}; try fewer layers, one sample, a lower degree or order") from limit
            for power in range(order + 1):
                value = Fraction(0)
                if power >= shape.leading_order:
                    value = derived.coefficient(shape.name, power, layer, shape.by_standard(samples))
                found.append(Comparison(layer, samples, power, series[power], value))
    return tuple(found)


def run_controls(
    recursion: Recursion, setting: Setting, advance: Callable[[], None] = lambda: None
) -> tuple[tuple[Comparison, ...], tuple[Control, ...]]:
    """The comparison on control data, and its outcome for each full diagram left out or counted twice."""
    shape, order = standard(recursion.name), recursion.order
    samples = (0,) * len(shape.labels)
    comparisons = compare(shape, order, [CONTROL_LAYER], setting, [samples])
    exact = comparisons[-1].exact
    base = SystemSolver(setting)
    controls = []
    for diagram in full_diagrams(derive_recursion(shape, order, weights=recursion.weights).diagrams):
        terms = base.at_samples(recursion.id, diagram_terms(diagram), samples)
        probed = any(base.step(terms, layer) for layer in range(1, CONTROL_LAYER))
        outcomes = []
        for factor in (-1, 1):
            mutated = MutatedSolver(base, recursion.id, samples, terms, factor)
            differs = mutated.coefficient(recursion.name, order, CONTROL_LAYER, samples) != exact
            outcomes.append("caught" if differs else "missed" if probed else "not probed")
        controls.append(Control(diagram.id, *outcomes))
        advance()
    return comparisons, tuple(controls)


def check_samples(samples: int) -> None:
    """Raises RequestError for a number of samples that is not allowed."""
    if not 1 <= samples <= MAX_SAMPLES:
        raise bad_request(f"{samples} samples were asked for", f"1 to {MAX_SAMPLES} are allowed", "--samples 2")


def check_size(shape: Cumulant, layers: Sequence[int], setting: Setting) -> None:
    """Raises RequestError or LimitError for layers that the widths or the exact side cannot serve."""
    if not layers or min(layers) < 1:
        raise bad_request(f"layers {list(layers)} were asked for", "layers are counted from 1", "--layers 2,3")
    if max(layers) > MAX_LAYER:
        raise LimitError(f"layer {max(layers)} was asked for; at most {MAX_LAYER} is allowed")
    if setting.widths and len(setting.widths) < max(layers) - 1:
        widths = ":".join(map(str, setting.widths))
        raise bad_request(
            f"widths {widths} were given for layer {max(layers)}",
            f"one a layer below the last is needed, {max(layers) - 1} here",
            "--width 2:3:5 --layers 2,3,4",
        )
    if 1 < len(setting.activations) < max(layers) - 1:
        raise bad_request(
            f"{len(setting.activations)} activations were given for layer {max(layers)}",
            f"one, or one a layer below the last, is needed, {max(layers) - 1} here",
            '--activation "z + z**2/2:z - z**3/6" --layers 2,3',
        )
    degrees = [len(setting.activation(layer)) - 1 for layer in range(2, max(layers))]
    pairs = len(shape.channel) * prod(degrees)
    if pairs > MAX_PAIRS:
        one = f"an activation of degree {degrees[0]}"
        kind = one if len(setting.activations) == 1 else f"activations of degrees {':'.join(map(str, degrees))}"
        raise LimitError(
            f"{shape.name} at layer {max(layers)} with {kind} opens to {pairs} pairs"
            f" at layer 2; at most {MAX_PAIRS} are allowed; try fewer layers or a lower degree"
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
) -> Certificate:
    """The certificate of one recursion. Raises RequestError or LimitError for a request out of reach."""
    samples = len(setting.kernel)
    check_size(shape, layers, setting)
    recursion = derive_recursion(shape, order, weights=setting.weights)
    comparisons = compare(shape, order, layers, setting, assignments(shape, samples))
    if not controls:
        return Certificate(recursion, seed, setting, comparisons)
    data = control_setting(seed, order, setting.weights)
    on_controls, outcomes = run_controls(recursion, data, advance)
    return Certificate(recursion, seed, setting, comparisons, data, on_controls, outcomes)
