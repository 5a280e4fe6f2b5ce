"""Reduction: named, exact rewrites of product terms, and the expansion by Leibniz (theory section 5).

Enters: product terms as translated. Leaves: fewer, equal in sum. ``REWRITES`` is the table of names; each rewrite can
be switched off, and ``reduce_terms`` reports what each one did (``Effect``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, lcm, prod
from typing import NamedTuple

from ntkfeyn.derivation.terms import Couplings, ExpandedTerm, Group, ProductTerm, Tensor
from ntkfeyn.derivation.translation import sorted_term
from ntkfeyn.errors import LimitError, bad_request, closest
from ntkfeyn.model.combinatorics import pair_placements
from ntkfeyn.model.cumulants import Cumulant, canonical_labels, standard

Terms = tuple[ProductTerm, ...]
MAX_EXPANDED = 500_000


class Effect(NamedTuple):
    """What a rewrite did: ``unit`` is what is counted before and after."""

    rewrite: str
    unit: str
    before: int
    after: int


def marginals(terms: Terms, cumulant: Cumulant) -> Terms:
    """Sum each derivative over the samples present in its group only: the others differentiate to zero."""
    return tuple(
        term._replace(groups=tuple(group._replace(domain=group.samples) for group in term.groups)) for term in terms
    )


def symmetrise(terms: Terms, cumulant: Cumulant) -> Terms:
    """Bring the labels of every tensor to the least ones that its symmetry group gives."""
    return tuple(term._replace(tensors=tuple(sorted(map(_symmetric, term.tensors)))) for term in terms)


def _symmetric(tensor: Tensor) -> Tensor:
    """Samples come before z-legs, z-legs in the order of their groups: V_{b1 b2 b3 b4} reads in group order."""
    after = 1 + max(tensor.labels)
    least = canonical_labels(tensor.name, tuple(v if v >= 0 else after - v for v in tensor.labels))
    return Tensor(tensor.name, tensor.order, tuple(v if v <= after else after - v for v in least))


def collect(terms: Terms, cumulant: Cumulant) -> Terms:
    """Add the coefficients of equal terms; drop those that cancel."""
    sums: dict[ProductTerm, ProductTerm] = {}
    for term in terms:
        key = term._replace(coefficient=Fraction(0), diagrams=())
        known = sums.get(key, key)
        cited = merge_ids(known.diagrams, term.diagrams)
        sums[key] = term._replace(coefficient=known.coefficient + term.coefficient, diagrams=cited)
    return tuple(term for term in sums.values() if term.coefficient)


def omega(terms: Terms, cumulant: Cumulant) -> Terms:
    """Merge lambda_W s_v s_w and C_W Theta_vw s'_v s'_w into Omega_vw where an NTK leg is its own pair."""
    labels = cumulant.labels
    pairs = {tuple(sorted((labels[a], labels[b]))) for a, b in cumulant.channel}
    for leg in cumulant.legs:
        own = tuple(sorted(leg.labels))
        if leg.kind == "NTK" and own in pairs:
            terms = _merge_pair(terms, (own[0], own[1]))
    return terms


def _merge_pair(terms: Terms, pair: tuple[int, int]) -> Terms:
    new_edges = {merged: i for i, term in enumerate(terms) if (merged := _as_omega(term, pair, new_edge=True))}
    result: list[ProductTerm | None] = list(terms)
    for i, term in enumerate(terms):
        merged = _as_omega(term, pair, new_edge=False)
        if merged in new_edges:
            result[i] = None
            result[new_edges[merged]] = merged
    return tuple(term for term in result if term is not None)


def _as_omega(term: ProductTerm, pair: tuple[int, int], *, new_edge: bool) -> ProductTerm | None:
    """The term with Omega on ``pair`` if it has the new-edge (or the weight and mean Theta) form there, else None."""
    v, w = pair
    order = 0 if new_edge else 1
    used = Couplings(lambda_W=-1) if new_edge else Couplings(C_W=-1)
    inside = () if new_edge else (Tensor("Theta", 0, pair),)
    factors = ((v, order), (w, order))
    for g, group in enumerate(term.groups):
        if set(factors) <= set(group.factors) and set(inside) <= set(term.tensors):
            kept = tuple(f for f in group.factors if f not in factors)
            merged = Group(kept, tuple(sorted([*group.omegas, pair])), group.domain)
            return term._replace(
                couplings=term.couplings.times(used),
                tensors=tuple(t for t in term.tensors if t not in inside),
                groups=(*term.groups[:g], merged, *term.groups[g + 1 :]),
            )
    return None


def split_omega(term: ProductTerm) -> Terms:
    """The inverse of ``omega``: every Omega written out."""
    for g, group in enumerate(term.groups):
        if group.omegas:
            (v, w), rest = group.omegas[0], group.omegas[1:]
            halves = []
            for order, gained in ((0, Couplings(lambda_W=1)), (1, Couplings(C_W=1))):
                factors = tuple(sorted([*group.factors, (v, order), (w, order)]))
                half = term._replace(
                    couplings=term.couplings.times(gained),
                    tensors=term.tensors if order == 0 else (*term.tensors, Tensor("Theta", 0, (v, w))),
                    groups=(*term.groups[:g], Group(factors, rest, group.domain), *term.groups[g + 1 :]),
                )
                halves.append(sorted_term(half))
            return tuple(part for half in halves for part in split_omega(half))
    return (term,)


REWRITES: dict[str, Callable[[Terms, Cumulant], Terms]] = {
    "marginals": marginals,
    "symmetrise": symmetrise,
    "collect": collect,
    "omega": omega,
}


def check_rewrites(without: Collection[str]) -> None:
    """Raises RequestError for a rewrite that does not exist."""
    for name in without:
        if name not in REWRITES:
            raise bad_request(
                f"unknown rewrite '{name}'",
                f"allowed are {', '.join(REWRITES)}",
                f"--without {closest(name, REWRITES) or 'omega'}",
            )


def reduce_terms(terms: Terms, cumulant: Cumulant, without: Collection[str] = ()) -> tuple[Terms, tuple[Effect, ...]]:
    """Apply every rewrite of ``REWRITES`` in order, except those in ``without``. Raises RequestError."""
    check_rewrites(without)
    effects = []
    for name, rewrite in REWRITES.items():
        if name in without:
            continue
        rewritten = rewrite(terms, cumulant)
        if name == "marginals":
            effects.append(Effect(name, "derivative placements", placements(terms), placements(rewritten)))
        elif name != "symmetrise":  # its effect shows after Leibniz: see expand
            effects.append(Effect(name, "product terms", len(terms), len(rewritten)))
        terms = rewritten
    return terms, tuple(effects)


def placements(terms: Terms) -> int:
    """How many ways the derivative labels run over their domains, counted one by one."""
    return sum(prod(len(group.domain) ** term.derivatives(g) for g, group in enumerate(term.groups)) for term in terms)


def merge_ids(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Diagram ids in the order of their numbers, each once."""
    if first == second or not first:
        return second
    return tuple(sorted({*first, *second}, key=lambda text: (int(text.rsplit(":", 1)[1]), text)))


# --- expansion by Leibniz --------------------------------------------------------------------------------------

_Key = tuple[Couplings, tuple[tuple[tuple[int, int], ...], ...], tuple[Tensor, ...]]


def expand(terms: Terms, without: Collection[str] = ()) -> tuple[tuple[ExpandedTerm, ...], tuple[Effect, ...]]:
    """Leibniz: every derivative on every factor it reaches, placements counted with their multiplicity.

    Symmetric tensors are merged and equal terms collected unless "symmetrise" or "collect" is in ``without``.
    Raises LimitError when more than MAX_EXPANDED terms would be written.
    """
    written, merged = written_terms(terms), 0
    if written > MAX_EXPANDED:
        raise LimitError(
            f"the expansion would write {written} terms; at most {MAX_EXPANDED} are allowed;"
            " try a lower order, or `ntkfeyn derive --format latex`, which shows the terms before Leibniz"
        )
    parts = [part for term in terms for part in split_omega(term)]
    scale = lcm(*(part.coefficient.denominator for part in parts))
    sums: dict[tuple[_Key, int], int] = {}
    cited: dict[tuple[_Key, int], tuple[str, ...]] = {}
    for i, part in enumerate(parts):
        apart = i if "collect" in without else 0
        numerator = int(part.coefficient * scale)
        options = [tensor_placements(t, reached(part), "symmetrise" not in without) for t in part.tensors]
        merged += prod(map(len, options))
        for key, count in _expand_one(part, options):
            full = (key, apart)
            sums[full] = sums.get(full, 0) + numerator * count
            known = cited.get(full, ())
            cited[full] = known if known == part.diagrams else merge_ids(known, part.diagrams)
    expanded = [ExpandedTerm(Fraction(total, scale), *full[0], cited[full]) for full, total in sums.items() if total]
    steps = {"symmetrise": (written, merged), "collect": (merged, len(expanded))}
    effects = tuple(Effect(name, "expanded terms", *step) for name, step in steps.items() if name not in without)
    return tuple(sorted(expanded, key=_reading_order)), effects


def written_terms(terms: Terms) -> int:
    """How many terms Leibniz writes before any are merged; counted, not written."""
    total = 0
    for term in terms:
        domains = reached(term)
        doubled = 2 ** sum(len(group.omegas) for group in term.groups)
        total += doubled * prod(
            comb(len(domains[g]) * (len(domains[g]) + 1) // 2 + pairs - 1, pairs) if pairs else len(domains[g])
            for tensor in term.tensors
            for _, g, pairs in leg_units(tensor)
        )
    return total


def reached(term: ProductTerm) -> tuple[tuple[int, ...], ...]:
    """For each group the samples that a derivative of its domain does not send to zero."""
    return tuple(tuple(s for s in group.domain if s in group.samples) for group in term.groups)


def _reading_order(term: ExpandedTerm) -> tuple[object, ...]:
    powers = term.couplings
    return (powers.width_ratio, len(term.expectations), term.tensors, term.expectations, powers, term.coefficient)


Placement = tuple[Tensor, tuple[int, ...], int]


def _expand_one(term: ProductTerm, options: list[tuple[Placement, ...]]) -> Iterator[tuple[_Key, int]]:
    for choice in product(*options):
        hits: list[int] = []
        for _, differentiated, _ in choice:
            hits += differentiated
        expectations = tuple(
            tuple((s, m + hits.count(s)) for s, m in group.factors) if hits else group.factors for group in term.groups
        )
        tensors = tuple(sorted(tensor for tensor, _, _ in choice))
        yield (term.couplings, expectations, tensors), prod(count for _, _, count in choice)


@lru_cache(maxsize=65536)
def tensor_placements(tensor: Tensor, domains: tuple[tuple[int, ...], ...], symmetric: bool) -> tuple[Placement, ...]:
    """The different labellings of a tensor's z-legs as (tensor, samples hit, multiplicity)."""
    units = list(leg_units(tensor))
    choices = [leg_placements(domains[group], pairs) for _, group, pairs in units]
    found: dict[tuple[Tensor, tuple[int, ...]], int] = {}
    for choice in product(*choices):
        labels = list(tensor.labels)
        hits: list[int] = []
        for (slots, _, _), (samples, _) in zip(units, choice, strict=True):
            for slot, sample in zip(slots, samples, strict=True):
                labels[slot] = sample
            hits += samples
        final = canonical_labels(tensor.name, tuple(labels)) if symmetric else tuple(labels)
        key = (Tensor(tensor.name, tensor.order, final), tuple(sorted(hits)))
        found[key] = found.get(key, 0) + prod(count for _, count in choice)
    return tuple((placed, hits, count) for (placed, hits), count in found.items())


def leg_placements(domain: tuple[int, ...], pairs: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Where a unit of ``leg_units`` may land: (samples in the order of its slots, multiplicity)."""
    if not pairs:
        return tuple(((s,), 1) for s in domain)
    return tuple((tuple(s for pair in placed for s in pair), count) for placed, count in pair_placements(domain, pairs))


def leg_units(tensor: Tensor) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """What is placed together: (slots, group, number of z-z pairs; 0 for the single z-leg of a mixed pair)."""
    together: dict[int, list[int]] = {}
    for a, b in standard(tensor.name).channel:
        first, second = tensor.labels[a], tensor.labels[b]
        if first < 0 and second < 0:
            together.setdefault(-first - 1, []).extend((a, b))
        elif first < 0 or second < 0:
            slot = a if first < 0 else b
            yield (slot,), -tensor.labels[slot] - 1, 0
    for group, slots in together.items():
        yield tuple(slots), group, len(slots) // 2
