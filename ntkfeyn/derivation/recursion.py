"""Recursion and System: the one intermediate form that every consumer reads (theory section 5).

A Recursion gives one tensor at layer l+1 from tensors and expectations at layer l. A System is the closure of its
targets: every recursion they need, in order of dependence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.expansion import expand, written_terms
from ntkfeyn.derivation.reduction import MERGE, Effect, reduce_terms
from ntkfeyn.derivation.rules import GAUSSIAN_COUPLINGS
from ntkfeyn.derivation.terms import ExpandedTerm, Group, Powers, ProductTerm
from ntkfeyn.derivation.translation import bias_terms, translate, translate_members
from ntkfeyn.model.cumulants import Cumulant, check_order, standard
from ntkfeyn.model.ensembles import GAUSSIAN, check_shared
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId


@dataclass(frozen=True)
class Recursion:
    """``cumulant`` at ``order`` (absolute power of 1/n) at layer l+1 as a sum of product terms at layer l.

    ``weights``: the ensemble of the weights of layer l+1. ``shared``: they are shared over labels, and the sum of
    ``terms`` but the constants is averaged over the labels of every pair of ``averaged`` (theory section 10).
    """

    cumulant: Cumulant
    order: int
    diagrams: tuple[Diagram, ...]
    terms: tuple[ProductTerm, ...]
    product_effects: tuple[Effect, ...]
    without: tuple[str, ...] = ()
    weights: str = GAUSSIAN
    shared: bool = False

    @property
    def averaged(self) -> tuple[tuple[int, int], ...]:
        """The labels of each pair that an averaging operator acts on: of the channel, where weights are shared.

        Terms without a diagram, the constants of the biases, stand outside.
        """
        labels = self.cumulant.labels
        return tuple((labels[a], labels[b]) for a, b in self.cumulant.channel) if self.shared else ()

    @property
    def name(self) -> str:
        return self.cumulant.name

    @property
    def id(self) -> TensorId:
        return TensorId(self.name, self.order)

    @cached_property
    def _expansion(self) -> tuple[tuple[ExpandedTerm, ...], tuple[Effect, ...]]:
        return expand(self.terms, self.without)

    @property
    def expanded(self) -> tuple[ExpandedTerm, ...]:
        """The terms after Leibniz, symmetric tensors merged and equal terms collected."""
        return self._expansion[0]

    def expanded_once(self) -> tuple[ExpandedTerm, ...]:
        """``expanded``, but not kept: for one reader after another of very many terms."""
        return self.expanded if "_expansion" in vars(self) else expand(self.terms, self.without)[0]

    @property
    def written(self) -> int:
        """How many terms Leibniz writes before equal ones are merged: a bound on ``expanded``, without expanding."""
        return written_terms(self.terms)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What each rewrite did, on product terms and then on expanded terms."""
        return self.product_effects + self._expansion[1]

    @cached_property
    def dependencies(self) -> tuple[TensorId, ...]:
        """The layer-l tensors on the right-hand side; K at order 0 is the kernel of every expectation."""
        found = {tensor.id for term in self.terms for tensor in term.tensors}
        groups = [group for term in self.terms for group in term.groups]
        found |= {MEAN_KERNEL} if groups else set()
        found |= {MEAN_NTK} if any(group.omegas for group in groups) else set()
        return tuple(sorted(found, key=TensorId.by_order))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the cumulant, the order and the product terms, written as JSON lists; then of other weights."""
        shape = self.cumulant
        terms = [
            [str(t.coefficient), _listed(t.couplings), t.tensors, [_group(g) for g in t.groups], t.diagrams]
            for t in self.terms
        ]
        legs = [[leg.edges, leg.labels] for leg in shape.legs]
        law = [*([] if self.weights == GAUSSIAN else [self.weights]), *(["shared"] if self.shared else [])]
        text = json.dumps([legs, shape.channel, self.order, terms, *law], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _listed(powers: Powers) -> list[object]:
    """The powers of the couplings of Gaussian weights in their order, then others by name."""
    known = [powers.power(name) for name in GAUSSIAN_COUPLINGS]
    return [*known, *(pair for pair in powers if pair[0] not in GAUSSIAN_COUPLINGS)]


def _group(group: Group) -> list[object]:
    return [[[f.slot, f.order] for f in group.factors], group.omegas, group.domain]


@dataclass(frozen=True)
class System:
    """``recursions`` in order of dependence: each needs only itself and earlier ones at layer l; of one ensemble."""

    targets: tuple[TensorId, ...]
    recursions: tuple[Recursion, ...]
    weights: str = GAUSSIAN

    def __getitem__(self, tensor: TensorId) -> Recursion:
        return next(recursion for recursion in self.recursions if recursion.id == tensor)


def derive_recursion(
    cumulant: Cumulant,
    order: int | None = None,
    without: Collection[str] = (),
    weights: str = GAUSSIAN,
    shared: bool = False,
) -> Recursion:
    """The recursion of a cumulant at an absolute order (default: its leading order), for an ensemble of weights.

    ``shared``: the weights are shared over labels (theory section 10), Gaussian ones. Raises RequestError for an order
    below the leading one, an unknown rewrite or ensemble, one whose weights cannot be shared, LimitError beyond the
    limits.
    """
    order = cumulant.leading_order if order is None else order
    check_order(cumulant, order)
    skipped = tuple(sorted(set(without)))
    if check_shared(shared, weights):
        return replace(derive_recursion(cumulant, order, skipped), shared=True)
    if cumulant == standard(cumulant.name):
        return _standard_recursion(cumulant.name, order, skipped, weights)
    return _derive(cumulant, order, skipped, weights)


@cache
def _standard_recursion(name: str, order: int, without: tuple[str, ...], weights: str) -> Recursion:
    return _derive(standard(name), order, without, weights)


def _derive(cumulant: Cumulant, order: int, without: tuple[str, ...], weights: str = GAUSSIAN) -> Recursion:
    found = enumerate_diagrams(cumulant, order, weights)
    terms = [*bias_terms(cumulant, order)]
    for diagram in found.diagrams:
        terms += translated(diagram, without)
    reduced, effects = reduce_terms(tuple(terms), cumulant, without)
    return Recursion(cumulant, order, found.diagrams, reduced, effects, without, weights)


def translated(diagram: Diagram, without: Collection[str] = ()) -> tuple[ProductTerm, ...]:
    """The terms of a diagram as drawn, with its Omegas, or with their choices apart where "omega" is in ``without``."""
    return translate_members(diagram) if MERGE in without else translate(diagram, diagram.id)


def derive_system(targets: Iterable[TensorId], weights: str = GAUSSIAN, shared: bool = False) -> System:
    """The closure of tensors (class name, absolute order): everything they need, in order of dependence.

    ``weights``: the ensemble of the weights of every layer that is stepped to, ``shared`` over labels or not.
    """
    wanted = tuple(TensorId(*target) for target in targets)
    done: dict[TensorId, Recursion] = {}
    path: set[TensorId] = set()

    def visit(tensor: TensorId) -> None:
        if tensor in done or tensor in path:
            return
        path.add(tensor)
        name, order = tensor
        recursion = derive_recursion(standard(name), order, weights=weights, shared=shared)
        for needed in recursion.dependencies:
            visit(needed)
        path.discard(tensor)
        done[tensor] = recursion

    for tensor in wanted:
        visit(tensor)
    return System(wanted, tuple(done.values()), weights)
