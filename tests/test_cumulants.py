"""Names, canonical forms and symmetry groups, against brute force and networkx."""

from __future__ import annotations

from itertools import combinations

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.printed import brute_force_symmetries

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.combinatorics import bounded_matchings, perfect_matchings, set_partitions
from ntkfeyn.model.cumulants import Cumulant, canonical_labels, channels, cumulant, identify, standard
from ntkfeyn.model.tensors import NAMES

SIX_SLOTS = {
    "z1 z2 z3 z4 z5 z6": ["C0C0C0"],
    "z1 z2 z3 z4 NTK56": ["C0C0R1", "C0C1"],
    "z1 z2 NTK34 NTK56": ["C0R1R1", "C0R2", "C1R1", "C2"],
    "NTK12 NTK34 NTK56": ["R1R1R1", "R1R2", "R3"],
}


@pytest.mark.parametrize("legs", SIX_SLOTS)
def test_six_slot_channels_up_to_relabelling(legs: str) -> None:
    assert sorted(shape.name for shape in channels(legs)) == SIX_SLOTS[legs]


@pytest.mark.parametrize("name", NAMES)
def test_named_tensors_follow_the_table(name: str) -> None:
    shape = standard(name)
    assert shape.name == name
    assert shape.leading_order == len(shape.labels) // 2 - 1
    expected = {"V": "1234", "F": "1324", "B": "1324", "P": "0123", "Q": "0123", "T": "1324", "U": "1423"}
    if name in expected:
        assert "".join(map(str, shape.index_labels())) == expected[name]


@pytest.mark.parametrize("name", [*NAMES, "C0C1", "R3", "C2", "R1R2", "C0C0C0"])
def test_symmetry_group_is_the_brute_force_one(name: str) -> None:
    shape = standard(name)
    edges = {frozenset(edge) for edge in shape.edges}
    channel = {frozenset(pair) for pair in shape.channel}
    assert set(shape.symmetries) == brute_force_symmetries(edges, channel, len(shape.labels))


@pytest.mark.parametrize(
    ("name", "size"), [("V", 8), ("D", 4), ("F", 2), ("A", 8), ("B", 4), ("P", 2), ("Q", 1), ("T", 2), ("R3", 6)]
)
def test_orders_of_symmetry_groups(name: str, size: int) -> None:
    assert len(standard(name).symmetries) == size


@pytest.mark.parametrize("name", ["V", "F", "B", "P", "T", "C0C1", "R3"])
def test_canonical_labels_are_the_least_of_the_orbit_up_to_a_fixed_choice(name: str) -> None:
    shape = standard(name)
    labels = tuple(range(10, 10 + len(shape.labels)))
    forms = {canonical_labels(name, tuple(labels[v] for v in g)) for g in shape.symmetries}
    assert len(forms) == 1
    everything = {canonical_labels(name, p) for p in _all_orders(labels)}
    assert len(everything) * len(shape.symmetries) == len(_all_orders(labels))


def _all_orders(labels: tuple[int, ...]) -> list[tuple[int, ...]]:
    from itertools import permutations

    return list(permutations(labels))


LEGS = ["z{} ", "NTK({},{}) ", "dNTK({},{},{}) ", "tree:0-1,1-2,2-3,1-4({},{},{},{},{}) ", "ddNTK2({},{},{},{}) "]


@st.composite
def shapes(draw: st.DrawFn) -> Cumulant:
    words = draw(st.lists(st.sampled_from(LEGS), min_size=1, max_size=4))
    if sum(word.count("{}") for word in words) % 2:
        words.append(LEGS[0])
    size = sum(word.count("{}") for word in words)
    if size > 8:
        words = ["z{} ", "NTK({},{}) ", "dNTK({},{},{}) "]
        size = 6
    labels = draw(st.permutations(range(size)))
    pairs = draw(st.permutations(range(size)))
    channel = ".".join(f"{a}-{b}" for a, b in zip(pairs[::2], pairs[1::2], strict=True))
    return cumulant("".join(words).format(*labels), channel)


def _graph(shape: Cumulant) -> networkx.Graph:
    """Slots as nodes; contractions and channel pairs as intermediate nodes, so that nothing is a multigraph."""
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(shape.labels)), kind="slot")
    for kind, pairs in (("edge", shape.edges), ("pair", shape.channel)):
        for a, b in pairs:
            graph.add_node((kind, a, b), kind=kind)
            graph.add_edges_from([(a, (kind, a, b)), ((kind, a, b), b)])
    return graph


@settings(max_examples=150)
@given(shapes(), shapes())
def test_equal_names_mean_isomorphic(first: Cumulant, second: Cumulant) -> None:
    same = networkx.is_isomorphic(_graph(first), _graph(second), node_match=lambda a, b: a["kind"] == b["kind"])
    assert (first.name == second.name) == same
    assert networkx.is_isomorphic(
        _graph(first), _graph(standard(first.name)), node_match=lambda a, b: a["kind"] == b["kind"]
    )
    assert standard(first.name).name == first.name


@settings(max_examples=100)
@given(shapes())
def test_position_maps_the_cumulant_onto_its_representative(shape: Cumulant) -> None:
    name, position = identify(shape.edges, shape.partner)
    target = standard(name)
    assert sorted(position) == list(range(len(position)))
    assert {frozenset((position[a], position[b])) for a, b in shape.edges} == {frozenset(e) for e in target.edges}
    assert {frozenset((position[a], position[b])) for a, b in shape.channel} == {frozenset(p) for p in target.channel}


def test_relabelled_request_keeps_its_index_convention() -> None:
    shape = cumulant("NTK87 z5 z6", "58.67")
    assert shape.name == "F"
    z_first, ntk_first, z_second, ntk_second = shape.index_labels()
    assert {(z_first, ntk_first), (z_second, ntk_second)} == {(5, 8), (6, 7)}


@settings(max_examples=60)
@given(shapes())
def test_the_index_order_of_a_request_is_that_of_its_class(shape: Cumulant) -> None:
    """The left side of a printed recursion names its samples in the same order as the right side does."""
    target, position = standard(shape.name), shape.identity.position
    assert [position[v] for v in shape.index] == list(target.index)


@pytest.mark.parametrize("name", ["", "X", "v", "C", "R0", "C0C", "F:1", "z1 z2", "z1/12", "z1 z2/13", "C99999"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(NtkfeynError):
        standard(name)


def test_misspelt_name_is_helped() -> None:
    with pytest.raises(NtkfeynError, match="--cumulant Theta"):
        standard("thet")


@pytest.mark.parametrize("channel", ["", "12", "12.33", "12.35", "1.2", "12.34.12", "ab.cd", "12,34", "12..34"])
def test_broken_channels_are_refused(channel: str) -> None:
    with pytest.raises(NtkfeynError, match="channel"):
        cumulant("z1 z2 NTK34", channel)


@pytest.mark.parametrize("legs", ["z1", "z1 NTK23", "dNTK012"])
def test_odd_slots_are_refused(legs: str) -> None:
    with pytest.raises(NtkfeynError, match="even"):
        channels(legs)


def test_counting_helpers_against_known_numbers() -> None:
    assert [sum(1 for _ in set_partitions(range(n))) for n in range(7)] == [1, 1, 2, 5, 15, 52, 203]
    assert [sum(1 for _ in perfect_matchings(range(n))) for n in range(0, 9, 2)] == [1, 1, 3, 15, 105]
    one_kind = [0] * 6
    assert sum(1 for _ in bounded_matchings(tuple(range(6)), one_kind, 6)) == 76  # involutions of six
    assert sum(1 for _ in bounded_matchings(tuple(range(6)), one_kind, 3)) == 15
    assert len(list(combinations(range(4), 2))) == 6
