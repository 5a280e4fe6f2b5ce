"""Every rewrite is exact: switched on or off, the expanded recursion is the same sum."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ntkfeyn.derivation.expansion import expand
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.reduction import MERGE, REWRITES, split_omega
from ntkfeyn.derivation.terms import Powers
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.combinatorics import pair_placements
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.render.json import recursion_json

TENSORS = [("A", 1), ("D", 1), ("Theta", 1), ("Q", 1), ("V", 2), ("D", 2), ("C0C1", 2)]


def collected(recursion: Recursion) -> dict:
    """Expanded terms with symmetric tensors merged here, in the test."""
    total: dict = {}
    for term in recursion.expanded:
        tensors = tuple(sorted((t.name, t.order, canonical_labels(t.name, t.labels)) for t in term.tensors))
        key = (term.couplings, term.expectations, tensors)
        total[key] = total.get(key, Fraction(0)) + term.coefficient
    return {key: value for key, value in total.items() if value}


@pytest.mark.parametrize("tensor", TENSORS, ids=lambda t: f"{t[0]}@{t[1]}")
@pytest.mark.parametrize(
    "without", [("marginals",), ("symmetrise",), ("collect",), (MERGE,), (*REWRITES, MERGE)], ids=str
)
def test_switching_a_rewrite_off_changes_nothing_in_the_sum(tensor: tuple[str, int], without: tuple[str, ...]) -> None:
    shape = standard(tensor[0])
    reduced, raw = derive_recursion(shape, tensor[1]), derive_recursion(shape, tensor[1], without)
    assert collected(reduced) == collected(raw)
    assert len(reduced.expanded) <= len(raw.expanded)


def test_effects_name_each_rewrite_and_shrink() -> None:
    recursion = derive_recursion(standard("D"), 2)
    names = [effect.rewrite for effect in recursion.effects]
    assert set(names) == set(REWRITES)
    assert all(effect.after <= effect.before for effect in recursion.effects)
    by_name = {effect.rewrite: effect for effect in recursion.product_effects}
    assert by_name["marginals"].after < by_name["marginals"].before
    symmetrised = next(e for e in recursion.effects if e.rewrite == "symmetrise")
    assert symmetrised.before > symmetrised.after or recursion.written >= symmetrised.after
    assert "marginals" not in [e.rewrite for e in derive_recursion(standard("D"), 2, ("marginals",)).effects]


def test_omega_form_of_theory_section_5() -> None:
    terms = derive_recursion(standard("A"), 1).terms
    assert len(terms) == 6
    assert terms[0].couplings == Powers.of()
    assert terms[0].groups[0].omegas == ((1, 2), (3, 4))


def test_splitting_omega_is_the_inverse() -> None:
    merged, apart = derive_recursion(standard("A"), 1), derive_recursion(standard("A"), 1, ("omega",))
    assert len(merged.terms) < len(apart.terms)
    halves = {t._replace(diagrams=()) for term in merged.terms for t in split_omega(term)}
    assert halves == {t._replace(diagrams=()) for t in apart.terms}


def test_sums_run_over_the_samples_present_only() -> None:
    for term in derive_recursion(standard("C0C1"), 2).terms:
        assert all(group.domain == group.samples for group in term.groups)


@pytest.mark.parametrize(("labels", "pairs"), [((1, 2), 1), ((1, 2), 3), ((1, 2, 3, 4), 2), ((7,), 4)])
def test_placements_are_counted_with_their_multiplicity(labels: tuple[int, ...], pairs: int) -> None:
    placements = pair_placements(labels, pairs)
    assert sum(count for _, count in placements) == len(labels) ** (2 * pairs)
    assert len({chosen for chosen, _ in placements}) == len(placements)


def test_written_bounds_the_expansion() -> None:
    for name, order in TENSORS:
        recursion = derive_recursion(standard(name), order)
        assert len(recursion.expanded) <= recursion.written


def test_unknown_rewrite_and_too_large_an_expansion_are_refused() -> None:
    with pytest.raises(NtkfeynError, match="unknown rewrite 'magic'"):
        derive_recursion(standard("F"), 1, ("magic",))
    with pytest.raises(NtkfeynError, match="at most 500000"):
        expand(derive_recursion(standard("K"), 8).terms)


def test_the_json_cites_only_listed_diagrams() -> None:
    for name, order in TENSORS:
        data = recursion_json(derive_recursion(standard(name), order))
        listed = {diagram["id"] for diagram in data["diagrams"]}
        cited = {diagram for term in data["terms"] for diagram in term["diagrams"]}
        assert cited == listed
