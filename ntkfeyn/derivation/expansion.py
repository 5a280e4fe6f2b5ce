"""Expansion: every derivative carried out by Leibniz, and what follows: equal terms meet (theory section 5).

Enters: reduced product terms. Leaves: expanded terms, one product each; or how many they would be, counted without
writing them. Placements of derivatives are counted with their multiplicity, not listed one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, lcm, prod

from ntkfeyn.derivation.reduction import Effect, Terms, merge_ids, split_omega
from ntkfeyn.derivation.rules import WIDTH_RATIO, reading_order
from ntkfeyn.derivation.terms import ExpandedTerm, Powers, ProductTerm, Tensor
from ntkfeyn.errors import LimitError
from ntkfeyn.model.combinatorics import pair_placements
from ntkfeyn.model.cumulants import canonical_labels, standard

MAX_EXPANDED = 500_000

_Key = tuple[Powers, tuple[tuple[tuple[int, int], ...], ...], tuple[Tensor, ...]]


def expand(terms: Terms, without: Collection[str] = ()) -> tuple[tuple[ExpandedTerm, ...], tuple[Effect, ...]]:
    """Leibniz: every derivative on every factor it reaches, placements counted with their multiplicity.

    Symmetric tensors are merged and equal terms collected unless "symmetrise" or "collect" is in ``without``.
    Raises LimitError when more than MAX_EXPANDED terms would be written.
    """
    written, merged = check_written(terms), 0
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


def check_written(terms: Terms) -> int:
    """``written_terms``. Raises LimitError when they are more than MAX_EXPANDED."""
    written = written_terms(terms)
    if written > MAX_EXPANDED:
        raise LimitError(
            f"the expansion would write {written} terms; at most {MAX_EXPANDED} are allowed",
            "try a lower order, `ntkfeyn derive --format latex` or `ntkfeyn derive --format json --products`, which"
            " show the terms before Leibniz",
        )
    return written


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
    powers = reading_order(term.couplings)
    ratio = term.couplings.power(WIDTH_RATIO)
    return (ratio, len(term.expectations), term.tensors, term.expectations, powers, term.coefficient)


Placement = tuple[Tensor, tuple[int, ...], int]


def _expand_one(term: ProductTerm, options: list[tuple[Placement, ...]]) -> Iterator[tuple[_Key, int]]:
    for choice in product(*options):
        hits: list[int] = []
        for _, differentiated, _ in choice:
            hits += differentiated
        expectations = tuple(tuple((s, m + hits.count(s)) for s, m, _ in group.factors) for group in term.groups)
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
