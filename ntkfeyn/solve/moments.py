"""Full moments for given neurons, assembled from cumulants (theory section 2).

Enters: text such as "z_i1 z_i2 z_j3 z_j4", "NTK_ij12" or "Var(NTK_ij12)"; different letters are different neurons.
Leaves: the tensors that it needs, and its expansion in 1/n once they are known: a moment is the sum over set partitions
of its observables of products of joint cumulants, and a cumulant the sum over the channels that pair equal neurons.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from ntkfeyn.errors import RequestError, bad_request, too_large
from ntkfeyn.model.combinatorics import perfect_matchings
from ntkfeyn.model.cumulants import MAX_ORDER, MAX_SLOTS, Cumulant, canonical_labels
from ntkfeyn.model.legs import NAMED_TREES, normal_leg
from ntkfeyn.model.tensors import TensorId

Component = tuple[TensorId, tuple[int, ...]]  # a tensor and its samples (from 0) by slot of its representative
Number = tuple[float, float]  # value, error
_OBSERVABLE = re.compile(
    rf"({'|'.join(NAMED_TREES)})_([a-z]+)(?:\(([0-9]{{1,6}}(?:,[0-9]{{1,6}})*)\)|([0-9]+))", re.ASCII
)
_ALLOWED = "observables are z_i1, NTK_ij12, dNTK_ijk123, ddNTK1_.., ddNTK2_..: a neuron letter and a sample a slot"
_HINT = '--moment "z_i1 z_i2 z_j3 z_j4", or --moment "Var(NTK_ij12)"'


class Observable(NamedTuple):
    """A leg with the neuron and the sample (from 0) of each slot."""

    kind: str
    neurons: str
    samples: tuple[int, ...]


@dataclass(frozen=True)
class Moment:
    """``products``: (sign, observables averaged together) factors; their products are added."""

    text: str
    products: tuple[tuple[int, tuple[tuple[Observable, ...], ...]], ...]
    order: int

    @property
    def samples(self) -> int:
        """The largest sample number, from 1."""
        return 1 + max(a for _, factors in self.products for factor in factors for o in factor for a in o.samples)

    def components(self) -> set[Component]:
        """Every tensor component that the expansion up to ``order`` needs."""
        found: set[Component] = set()
        for _, factors in self.products:
            for factor in factors:
                for block in _blocks(factor, self.order):
                    found |= {component for _, component in _cumulant(block, self.order)}
        return found

    def expansion(self, values: Mapping[Component, Number]) -> list[Number]:
        """Coefficients of n^0, n^-1, .., n^-order with errors; n is the width of the layer below."""
        known: dict[tuple[Observable, ...], list[Number]] = {}
        total = _zero(self.order)
        for sign, factors in self.products:
            product = [(float(sign), 0.0), *_zero(self.order)[1:]]
            for factor in factors:
                product = _times(product, _moment(tuple(sorted(factor)), values, self.order, known))
            total = _plus(total, product)
        return total


def parse_moment(text: str, order: int) -> Moment:
    """A moment from text, up to order n^-``order``. Raises RequestError or LimitError."""
    if not 0 <= order <= MAX_ORDER:
        raise bad_request(f"order {order} was asked for", f"0 to {MAX_ORDER} is allowed", "--order 1")
    variance = re.fullmatch(r"\s*Var\((.*)\)\s*", text)
    inside = variance.group(1) if variance else text
    words = inside.split()
    observables = tuple(_observable(word) for word in words)
    if not observables:
        raise bad_request(f"the moment '{text[:60]}' is empty", _ALLOWED, _HINT)
    slots = sum(len(o.samples) for o in observables) * (2 if variance else 1)
    if slots > MAX_SLOTS:
        raise too_large(f"'{text[:60]}' has {slots} slots", f"at most {MAX_SLOTS} are allowed", _HINT)
    if variance:
        products = ((1, ((*observables, *observables),)), (-1, (observables, observables)))
        return Moment(f"Var({' '.join(words)})", products, order)
    return Moment(f"E[{' '.join(words)}]", ((1, (observables,)),), order)


def _observable(word: str) -> Observable:
    match = _OBSERVABLE.fullmatch(word)
    if not match:
        raise _unreadable(word)
    kind, neurons, listed, digits = match.groups()
    samples = tuple(int(n) - 1 for n in (listed.split(",") if listed else digits))
    slots = len(NAMED_TREES[kind]) + 1
    if len(neurons) != slots or len(samples) != slots or min(samples) < 0:
        raise _unreadable(word)
    return Observable(kind, neurons, samples)


def _unreadable(word: str) -> RequestError:
    return bad_request(f"cannot read '{word[:60]}' in the moment", _ALLOWED + ", samples from 1", _HINT)


def _blocks(observables: Sequence[Observable], order: int) -> set[tuple[Observable, ...]]:
    """Every set of observables whose cumulant may be as large as n^-order: at most 2 order + 2 slots."""
    found: set[tuple[Observable, ...]] = set()
    for size in range(1, len(observables) + 1):
        for block in combinations(sorted(observables), size):
            slots = sum(len(o.samples) for o in block)
            if slots % 2 == 0 and slots <= 2 * order + 2:
                found.add(block)
    return found


def _moment(
    observables: tuple[Observable, ...],
    values: Mapping[Component, Number],
    order: int,
    known: dict[tuple[Observable, ...], list[Number]],
) -> list[Number]:
    """E[all] = sum over the blocks with the first observable of their cumulant times E[the rest]."""
    if not observables:
        return [(1.0, 0.0), *_zero(order)[1:]]
    if observables not in known:
        first, rest = observables[0], observables[1:]
        total = _zero(order)
        for size in range(len(rest) + 1):
            for chosen, count in Counter(combinations(rest, size)).items():
                block = (first, *chosen)
                slots = sum(len(o.samples) for o in block)
                if slots % 2 == 0 and slots <= 2 * order + 2:
                    left = tuple(sorted((Counter(rest) - Counter(chosen)).elements()))
                    term = _times(_summed(block, values, order), _moment(left, values, order, known))
                    total = _plus(total, [(count * value, count * error) for value, error in term])
        known[observables] = total
    return known[observables]


def _summed(block: tuple[Observable, ...], values: Mapping[Component, Number], order: int) -> list[Number]:
    """A joint cumulant as an expansion."""
    total = _zero(order)
    for power, component in _cumulant(block, order):
        value, error = values[component]
        total[power] = (total[power][0] + value, total[power][1] + error)
    return total


@lru_cache(maxsize=1 << 16)
def _cumulant(block: tuple[Observable, ...], order: int) -> tuple[tuple[int, Component], ...]:
    """(power of 1/n, tensor component) of a joint cumulant, up to ``order``."""
    neurons = "".join(o.neurons for o in block)
    samples = [a for o in block for a in o.samples]
    legs, start = [], 0
    for o in block:
        legs.append(normal_leg(NAMED_TREES[o.kind], tuple(range(start, start + len(o.samples)))))
        start += len(o.samples)
    found = []
    for channel in perfect_matchings(range(len(neurons))):
        if any(neurons[a] != neurons[b] for a, b in channel):
            continue
        shape = Cumulant(tuple(legs), tuple(sorted(channel)), ())
        component = canonical_labels(shape.name, shape.by_standard(samples))
        found += [(power, (TensorId(shape.name, power), component)) for power in range(shape.leading_order, order + 1)]
    return tuple(found)


def _zero(order: int) -> list[Number]:
    return [(0.0, 0.0)] * (order + 1)


def _plus(a: list[Number], b: list[Number]) -> list[Number]:
    return [(x + y, dx + dy) for (x, dx), (y, dy) in zip(a, b, strict=True)]


def _times(a: list[Number], b: list[Number]) -> list[Number]:
    """The product of two expansions, cut at their order; errors to first order."""
    result = [(0.0, 0.0)] * len(a)
    for i, (x, dx) in enumerate(a):
        for j, (y, dy) in enumerate(b[: len(a) - i]):
            value, error = result[i + j]
            result[i + j] = (value + x * y, error + abs(x) * dy + abs(y) * dx)
    return result
