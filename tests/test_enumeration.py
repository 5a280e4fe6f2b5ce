"""Diagrams: counts of theory section 4, each once, weights, rejections."""

from __future__ import annotations

from fractions import Fraction

import networkx
import pytest
from networkx.algorithms.isomorphism import MultiGraphMatcher

from ntkfeyn.derivation.diagrams import Diagram, full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.model.tensors import NAMES

MERGED = {
    "V": 2,
    "K@1": 2,
    "D": 3,
    "F": 2,
    "A": 5,
    "B": 2,
    "P": 3,
    "Q": 5,
    "R": 7,
    "S": 5,
    "T": 13,
    "U": 2,
    "Theta@1": 5,
}
FULL = MERGED | {"D": 5, "A": 13, "Theta@1": 7}


def at_order_one(key: str) -> tuple[Diagram, ...]:
    return enumerate_diagrams(standard(key.split("@")[0]), 1).diagrams


@pytest.mark.parametrize("key", MERGED)
def test_counts_at_order_one(key: str) -> None:
    diagrams = at_order_one(key)
    assert len(diagrams) == MERGED[key]
    assert len(full_diagrams(diagrams)) == FULL[key]


def test_means_at_order_zero() -> None:
    assert len(enumerate_diagrams(standard("K"), 0).diagrams) == 1
    [omega] = enumerate_diagrams(standard("Theta"), 0).diagrams
    assert [member.id for member in omega.members] == ["Theta:0:1a", "Theta:0:1b"]


def exact_graph(diagram: Diagram) -> networkx.MultiGraph:
    """The networkx view with slots pinned by their sample: isomorphic means the same diagram."""
    return diagram.graph


def _same(a: Diagram, b: Diagram) -> bool:
    def nodes(x: dict, y: dict) -> bool:
        return x == y

    def edges(x: dict, y: dict) -> bool:
        def kinds(bundle: dict) -> list:
            pairs: dict = {}
            for data in bundle.values():
                pairs.setdefault(data.get("pair"), []).append((data["kind"], data.get("derivative", 0)))
            return sorted(sorted(ends) for ends in pairs.values())

        return kinds(x) == kinds(y)

    return MultiGraphMatcher(exact_graph(a), exact_graph(b), node_match=nodes, edge_match=edges).is_isomorphic()


@pytest.mark.parametrize(("name", "order"), [("V", 2), ("D", 2), ("Theta", 2), ("T", 1), ("R", 1), ("C0C1", 2)])
def test_every_diagram_occurs_once(name: str, order: int) -> None:
    diagrams = full_diagrams(enumerate_diagrams(standard(name), order).diagrams)
    for i, first in enumerate(diagrams):
        assert networkx.is_connected(first.graph)
        for second in diagrams[:i]:
            assert not _same(first, second), (first.id, second.id)


@pytest.mark.parametrize("name", NAMES)
def test_power_counting(name: str) -> None:
    shape = standard(name)
    for order in (shape.leading_order, shape.leading_order + 1):
        for diagram in full_diagrams(enumerate_diagrams(shape, order).diagrams):
            assert len(diagram.cubic_vertices) - len(diagram.propagators) + diagram.cost == order
            assert sorted(i for held in diagram.propagators for i in held) == list(range(len(shape.channel)))
            for vertex in diagram.tensor_vertices:
                assert vertex.order >= standard(vertex.name).leading_order
                assert vertex.order > 0 or vertex.is_mean_ntk


def weight_of(name: str, order: int, tensors: list[tuple[str, tuple[int, ...]]]) -> Fraction:
    [found] = [
        diagram
        for diagram in enumerate_diagrams(standard(name), order).diagrams
        if sorted((v.name, v.zz) for v in diagram.tensor_vertices) == sorted(tensors)
        and all(v.order == standard(v.name).leading_order or v.name == "K" for v in diagram.tensor_vertices)
    ]
    return found.weight


@pytest.mark.parametrize(
    ("name", "order", "tensors", "weight"),
    [
        ("K", 1, [("K", (1,))], Fraction(1, 2)),
        ("K", 1, [("V", (2,))], Fraction(1, 8)),
        ("V", 1, [("V", (1, 1))], Fraction(1, 4)),
        ("K", 2, [("K", (1,)), ("K", (1,))], Fraction(1, 8)),
        ("V", 3, [("K", (1, 0)), ("K", (0, 1)), ("V", (1, 1))], Fraction(1, 16)),
        ("K", 2, [("V", (2,)), ("V", (2,))], Fraction(1, 128)),
        ("V", 2, [("V", (1, 1)), ("V", (1, 1))], Fraction(1, 32)),
        ("K", 2, [("C0C0C0", (3,))], Fraction(1, 48)),
        ("F", 1, [("F", (0, 0))], Fraction(1)),
        ("D", 1, [("D", (1, 0))], Fraction(1, 2)),
    ],
)
def test_weights_of_theory_section_4(name: str, order: int, tensors: list, weight: Fraction) -> None:
    assert weight_of(name, order, tensors) == weight


def test_rejections_are_counted() -> None:
    found = enumerate_diagrams(standard("D"), 1)
    assert found.candidates > found.connected > len(found.diagrams)
    assert found.connected == len(full_diagrams(found.diagrams))


def test_ids_do_not_depend_on_the_labels_of_the_request() -> None:
    shape = cumulant("NTK78 z5 z6", "57.68")
    found, plain = enumerate_diagrams(shape, 1).diagrams, enumerate_diagrams(standard("F"), 1).diagrams
    assert [d.id for d in found] == [d.id for d in plain] == ["F:1:1", "F:1:2"]
    assert sorted(slot for vertex in found[0].cubic_vertices for slot in vertex.slots) == [5, 6, 7, 8]
    assert [d.weight for d in found] == [d.weight for d in plain]


@pytest.mark.parametrize(("name", "order"), [("F", 0), ("V", -1), ("K", -1), ("K", 13), ("K", 10**9), ("C0C0C0", 1)])
def test_impossible_orders_are_refused(name: str, order: int) -> None:
    with pytest.raises(NtkfeynError, match="order"):
        enumerate_diagrams(standard(name), order)


def test_too_large_a_request_is_refused_with_its_limit() -> None:
    with pytest.raises(NtkfeynError, match="more than 500000"):
        enumerate_diagrams(standard("C0C0C0C0C0C0"), 6)
