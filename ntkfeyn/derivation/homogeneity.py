"""Homogeneity: recursions at one input for activations with z s'(z) = s(z): linear, ReLU, LeakyReLU (section 5.3).

Enters: a System. Leaves: its recursions with every sample label equal ("on the diagonal") and no derivative left; what
was dropped, and why; and which tensors vanish at every layer.

At one input a group is <d^k f>_K with f a product of s^(m). As s^(m) has degree 1 - m, f is homogeneous of degree
h = sum of (1 - m). With s and s' alone f = z^h g(sign z), and h is the number of s:
  k <= h        d^k f = h!/(h-k)! z^(h-k) g, that is h!/(h-k)! s^(h-k) s'^(..) with as many factors as f
  k > h         d^k f is a multiple of delta^(k-h-1)(z): its mean vanishes if k - h is even
With s'' or higher derivatives f is supported at 0. Smooth the kink over a width e: f is e^h times a function of z/e, so
  h >= 0        f -> 0 as e -> 0 (such as s s'')
  h = -1        f -> a multiple of delta(z) (such as s' s''): the mean of d^k f vanishes if k - h is even
  h < -1        f diverges: no statement
k - h is even in every group of every recursion: a flip z -> -z of one neuron changes nothing in the law of a layer,
with Gaussian weights or orthogonal ones.
So either the derivatives of a group are gone, or its term is. Needed: K > 0. Not needed: C_b = 0 or lambda_b = 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import perm, prod
from typing import NamedTuple

from ntkfeyn.derivation.recursion import Recursion, derive_system
from ntkfeyn.derivation.reduction import Effect, collect, merge_ids, split_omega
from ntkfeyn.derivation.terms import Factor, Group, ProductTerm, Tensor
from ntkfeyn.errors import RequestError, bad_request
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId

SAMPLE = 1  # the label of the one input


class Mean(NamedTuple):
    """<d^k of the product of s^(m)>_K at one input: the orders m, sorted, and k."""

    orders: tuple[int, ...]
    derivatives: int

    @property
    def degree(self) -> int:
        """Of the product: s(c z) = c s(z) gives s^(m)(c z) = c^(1-m) s^(m)(z)."""
        return sum(1 - m for m in self.orders)


class Dropped(NamedTuple):
    """A term on the diagonal, and a mean in it that vanishes."""

    term: ProductTerm
    mean: Mean


class Reason(NamedTuple):
    """A mean that vanishes, how many terms it drops and the diagrams that they are of."""

    mean: Mean
    terms: int
    diagrams: tuple[str, ...]


@dataclass(frozen=True)
class Diagonal(Recursion):
    """A recursion at one input of a homogeneous activation: its terms differentiate nothing and hold s and s' alone.

    ``dropped`` lists the terms that vanish. ``vanishing``: empty, or this tensor and those it needs to vanish too: at
    layer 1 all are zero and each term of their recursions carries one of them, so they are zero at every layer.
    ``diagrams`` are those of the remaining terms, with a label for each slot as they are drawn.
    """

    dropped: tuple[Dropped, ...] = ()
    vanishing: tuple[TensorId, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why terms were dropped, each vanishing mean once."""
        found: dict[Mean, Reason] = {}
        for term, mean in self.dropped:
            known = found.get(mean, Reason(mean, 0, ()))
            found[mean] = Reason(mean, known.terms + 1, merge_ids(known.diagrams, term.diagrams))
        return tuple(found[mean] for mean in sorted(found))


def diagonal_recursions(
    targets: Iterable[TensorId], without: Collection[str] = (), weights: str = GAUSSIAN
) -> tuple[Diagonal, ...]:
    """The targets (class name, absolute order) at one input of a homogeneous activation, with any biases.

    ``weights``: the ensemble of the weights of every layer but the first, whose tensors all vanish but the means.

    Raises RequestError for a tensor that diverges as the kink sharpens, or for rewrites to leave out.
    """
    if without:
        raise bad_request(
            f"rewrites to leave out ({', '.join(without)}) were given with a homogeneous activation",
            "all are applied there",
            "one of the two alone",
        )
    system = derive_system(targets, weights)
    reduced = {recursion.id: on_diagonal(recursion) for recursion in system.recursions}
    zero = vanishing_set(list(reduced.values()))
    return tuple(
        replace(reduced[target], vanishing=_carried(target, reduced, zero) if target in zero else ())
        for target in system.targets
    )


def check_one_input(shared: bool) -> None:
    """Raises RequestError where weights are shared over labels: labels that are averaged are several, never one."""
    if shared:
        raise bad_request(
            "weights shared over labels were asked for with a homogeneous activation at one input",
            "one of the two is allowed: labels are averaged in pairs of different ones",
            "ntkfeyn derive K@1 --shared",
        )


def on_diagonal(recursion: Recursion) -> Diagonal:
    """All samples of a recursion made one, vanishing terms dropped, the other ones freed of derivatives.

    Raises RequestError where homogeneity settles nothing: products of delta functions.
    """
    terms = at_one_sample(recursion)
    kept, dropped = [], []
    for term in terms:
        rewritten = rewrite(term)
        if isinstance(rewritten, Dropped):
            dropped.append(rewritten)
        elif rewritten is not None:
            kept.append(rewritten)
        else:
            raise no_such_mean(recursion.id)
    collected = collect(tuple(kept), recursion.cumulant)
    cited = {diagram for term in collected for diagram in term.diagrams}
    return Diagonal(
        recursion.cumulant.relabelled([SAMPLE] * len(recursion.cumulant.labels)),
        recursion.order,
        tuple(diagram for diagram in recursion.diagrams if diagram.id in cited),
        collected,
        (*recursion.product_effects, Effect("homogeneous", "product terms", len(terms), len(collected))),
        recursion.without,
        recursion.weights,
        dropped=tuple(dropped),
    )


def no_such_mean(tensor: TensorId) -> RequestError:
    """The error for a tensor whose recursion needs products of delta functions."""
    return bad_request(
        f"{tensor} is needed for a homogeneous activation",
        "its recursion needs products of delta functions, which diverge as the kink sharpens; allowed are"
        " cumulants of z and NTK at every order, P and Q",
        "--cumulant Theta@1",
    )


def rewrite(term: ProductTerm) -> ProductTerm | Dropped | None:
    """A term at one input with its derivatives carried out, or why it vanishes; None if homogeneity settles neither."""
    means = means_of(term)
    values = [without_derivatives(mean) for mean in means]
    settled = [value for value in values if value is not None]
    if len(settled) < len(means):  # even if another mean vanishes: 0 times what diverges is nothing
        return None
    for mean, (number, _) in zip(means, settled, strict=True):
        if not number:
            return Dropped(term, mean)
    groups = sorted(Group(tuple(Factor(SAMPLE, m) for m in orders), (), (SAMPLE,)) for _, orders in settled)
    tensors = sorted(Tensor(t.name, t.order, (SAMPLE,) * len(t.labels)) for t in term.tensors)
    coefficient = term.coefficient * prod(number for number, _ in settled)
    return term._replace(coefficient=coefficient, tensors=tuple(tensors), groups=tuple(groups))


def means_of(term: ProductTerm) -> list[Mean]:
    """The groups of a term at one input."""
    return [
        Mean(tuple(factor.order for factor in group.factors), term.derivatives(g))
        for g, group in enumerate(term.groups)
    ]


def without_derivatives(mean: Mean) -> tuple[int, tuple[int, ...]] | None:
    """A number and orders with mean = number * <product of s^(order)>, number 0 if it vanishes; None if unsettled."""
    orders, k = mean
    h = mean.degree
    at_the_kink = max(orders) > 1
    if at_the_kink and h >= 0:
        return 0, orders
    if h < k:
        return (0, orders) if h >= -1 and (k - h) % 2 == 0 else None
    return perm(h, k), (0,) * (h - k) + (1,) * (len(orders) - h + k)


def vanishing_set(recursions: Sequence[Recursion]) -> frozenset[TensorId]:
    """The largest set of tensors that vanish at layer 1 and have one of the set in each term of their recursions.

    All but the means K and Theta vanish at layer 1 (theory section 1). So the set vanishes at every layer.
    """
    found = frozenset(recursion.id for recursion in recursions) - {MEAN_KERNEL, MEAN_NTK}
    while True:
        fed = {r.id for r in recursions if all(found & carried_by(term) for term in r.terms)}
        if found <= fed:
            return found
        found &= fed


def carried_by(term: ProductTerm) -> frozenset[TensorId]:
    """The layer-l tensors in a term."""
    return frozenset(tensor.id for tensor in term.tensors)


def _carried(target: TensorId, reduced: dict[TensorId, Diagonal], zero: frozenset[TensorId]) -> tuple[TensorId, ...]:
    """The target and what its terms, and theirs, carry of the vanishing tensors."""
    found, waiting = {target}, [target]
    while waiting:
        carried = {tensor for term in reduced[waiting.pop()].terms for tensor in carried_by(term) & zero}
        waiting += sorted(carried - found)
        found |= carried
    return tuple(sorted(found, key=TensorId.by_order))


def at_one_sample(recursion: Recursion) -> list[ProductTerm]:
    """The terms of a recursion with every Omega split and every label the same sample."""
    return [_one_sample(part) for term in recursion.terms for part in split_omega(term)]


def _one_sample(term: ProductTerm) -> ProductTerm:
    groups = tuple(
        Group(tuple(sorted(factor._replace(slot=SAMPLE) for factor in g.factors)), (), (SAMPLE,)) for g in term.groups
    )
    tensors = (Tensor(t.name, t.order, tuple(SAMPLE if v >= 0 else v for v in t.labels)) for t in term.tensors)
    return term._replace(tensors=tuple(sorted(tensors)), groups=groups)
