"""Recursions against theory section 5 (difference zero) and, for a deliberately broken engine, difference not zero."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from oracles.printed import Sum, difference, from_json, recursions

from ntkfeyn.derivation import enumeration, expansion, reduction
from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.recursion import Recursion, derive_recursion, derive_system
from ntkfeyn.derivation.reduction import reduce_terms
from ntkfeyn.derivation.translation import bias_terms, translate
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.json import recursion_json

PRINTED = recursions()


def as_sum(recursion: Recursion) -> Sum:
    return from_json(recursion_json(recursion))


@pytest.mark.parametrize("tensor", PRINTED, ids=lambda t: f"{t[0]}@{t[1]}")
def test_order_one_equals_the_printed_recursion(tensor: tuple[str, int]) -> None:
    recursion = derive_recursion(standard(tensor[0]), tensor[1])
    assert not difference(as_sum(recursion), PRINTED[tensor])


def rebuilt(name: str, order: int, dropped: str = "", reweighted: str = "") -> Recursion:
    """The recursion from its full diagrams, one dropped or with its weight doubled."""
    shape = standard(name)
    terms = [*bias_terms(shape, order)]
    for diagram in full_diagrams(enumerate_diagrams(shape, order).diagrams):
        if diagram.id == dropped:
            continue
        if diagram.id == reweighted:
            diagram = replace(diagram, weight=2 * diagram.weight)
        terms += translate(diagram, diagram.id.rstrip("abcdefgh"))
    reduced, effects = reduce_terms(tuple(terms), shape)
    return Recursion(shape, order, (), reduced, effects)


ALL_DIAGRAMS = [
    (*tensor, diagram.id)
    for tensor in PRINTED
    for diagram in full_diagrams(enumerate_diagrams(standard(tensor[0]), tensor[1]).diagrams)
]


@pytest.mark.parametrize(("name", "order", "diagram"), ALL_DIAGRAMS)
def test_a_dropped_or_reweighted_diagram_is_caught(name: str, order: int, diagram: str) -> None:
    printed = PRINTED[name, order]
    assert not difference(as_sum(rebuilt(name, order)), printed)
    assert difference(as_sum(rebuilt(name, order, dropped=diagram)), printed)
    assert difference(as_sum(rebuilt(name, order, reweighted=diagram)), printed)


def test_a_lost_tensor_symmetry_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the symmetries of the tensors equal terms no longer meet: the expansion grows."""
    expected = {"C0C0C0": 392, "C0C0R1": 923, "R1R1R1": 5129}
    assert {name: len(derive_recursion(standard(name), 2).expanded) for name in expected} == expected
    for module in (reduction, expansion):
        monkeypatch.setattr(module, "canonical_labels", lambda name, labels: labels)
    expansion.tensor_placements.cache_clear()
    for name, count in expected.items():
        assert len(rebuilt(name, 2).expanded) > count
    expansion.tensor_placements.cache_clear()


@pytest.mark.parametrize("name", ["V", "K", "D", "A", "Theta"])
def test_lost_symmetry_factors_are_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration, "_weight", lambda tensors: Fraction(1))
    enumeration._enumerate_standard.cache_clear()
    assert difference(as_sum(rebuilt(name, 1)), PRINTED[name, 1])
    enumeration._enumerate_standard.cache_clear()


def test_a_lost_sign_of_the_joint_cumulant_is_caught() -> None:
    recursion = derive_recursion(standard("V"), 1)
    unsigned = tuple(term._replace(coefficient=abs(term.coefficient)) for term in recursion.terms)
    assert difference(as_sum(replace(recursion, terms=unsigned)), PRINTED["V", 1])


@pytest.mark.parametrize(
    ("legs", "channel", "name"),
    [("NTK87 z5 z6", "58.67", "F"), ("z9 z2 z4 z1", "14.29", "V"), ("NTK31 z2 z4", "13.24", "D")],
)
def test_a_relabelled_request_is_the_same_tensor(legs: str, channel: str, name: str) -> None:
    shape = cumulant(legs, channel)
    back = shape.relabelled([standard(name).labels[p] for p in shape.identity.position])
    assert shape.name == name
    asked, plain = derive_recursion(shape, 1), derive_recursion(standard(name), 1)
    assert [d.id for d in asked.diagrams] == [d.id for d in plain.diagrams]
    renamed = {label: back.labels[v] for v, label in enumerate(shape.labels)}
    text = recursion_json(asked)
    for term in text["terms"]:
        term["expectations"] = [[[renamed[s], m] for s, m in mean] for mean in term["expectations"]]
        for tensor in term["tensors"]:
            tensor["legs"] = [[kind, [renamed[s] for s in samples]] for kind, samples in tensor["legs"]]
    assert not difference(from_json(text), PRINTED[name, 1])


def test_every_requested_tensor_is_derived() -> None:
    wanted = [(name, 2) for name in ("K", "Theta", "V", "D", "F", "A", "B")] + [("K", 3), ("Theta", 3)]
    wanted += [
        (name, 2) for name in ("C0C0C0", "C0C0R1", "C0C1", "C0R1R1", "C0R2", "C1R1", "C2", "R1R1R1", "R1R2", "R3")
    ]
    wanted += [(name, 1) for name in ("P", "Q", "R", "S", "T", "U")]
    five = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45").name
    for name, order in [*wanted, (five, 2)]:
        recursion = derive_recursion(standard(name), order)
        assert recursion.diagrams, name
        assert (name, order) in recursion.dependencies  # every tensor feeds on itself at the layer below


@pytest.mark.parametrize("targets", [[("Theta", 2)], [("T", 1), ("A", 1)], [("R3", 2)]])
def test_a_system_is_closed_and_in_order_of_dependence(targets: list[tuple[str, int]]) -> None:
    system = derive_system(targets)
    known: set[tuple[str, int]] = set()
    for recursion in system.recursions:
        known.add(recursion.id)
        assert set(recursion.dependencies) <= known
    assert set(targets) <= known


def test_order_one_system_of_all_named_tensors() -> None:
    system = derive_system([(name, standard(name).leading_order) for name in NAMES] + [("K", 1), ("Theta", 1)])
    assert {recursion.id for recursion in system.recursions} == {
        *((name, 1) for name in (*NAMES,)),
        ("K", 0),
        ("Theta", 0),
    }


def test_coefficients_are_exact() -> None:
    for recursion in derive_system([("Theta", 2)]).recursions:
        assert all(isinstance(term.coefficient, Fraction) and term.coefficient for term in recursion.expanded)
