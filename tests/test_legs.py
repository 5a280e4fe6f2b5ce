"""Parsing of legs and targets: what is allowed, and one clear message for everything else."""

from __future__ import annotations

import shlex

import pytest

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.legs import NAMED_TREES, parse_legs


@pytest.mark.parametrize(
    ("text", "kinds", "labels"),
    [
        ("z1 z2 NTK34", ["z", "z", "NTK"], [(1,), (2,), (3, 4)]),
        ("NTK(10,11)", ["NTK"], [(10, 11)]),
        ("NTK(10, 11)  z3", ["NTK", "z"], [(10, 11), (3,)]),
        ("ddNTK10123", ["ddNTK1"], [(0, 1, 2, 3)]),
        ("ddNTK21234", ["ddNTK2"], [(1, 2, 3, 4)]),
        ("z1+tree:0-1,1-2,2-3,3-4(2,3,4,5,6)", ["z", "tree"], [(1,), (2, 3, 4, 5, 6)]),
    ],
)
def test_legs_are_read(text: str, kinds: list[str], labels: list[tuple[int, ...]]) -> None:
    legs = parse_legs(text)
    assert [leg.kind for leg in legs] == kinds
    assert [leg.labels for leg in legs] == labels


@pytest.mark.parametrize(
    ("tree", "kind", "labels"),
    [
        ("tree:0-1(5,6)", "NTK", (5, 6)),
        ("tree:0-1,1-2(1,2,3)", "dNTK", (2, 1, 3)),
        ("tree:3-0,3-1,3-2(1,2,3,4)", "ddNTK1", (4, 1, 2, 3)),
    ],
)
def test_a_tree_with_a_name_gets_it_and_keeps_its_contractions(tree: str, kind: str, labels: tuple[int, ...]) -> None:
    [leg] = parse_legs(tree)
    assert leg.kind == kind
    assert leg.labels[0] == labels[0]
    assert sorted(leg.labels) == sorted(labels)


def test_path_of_four_is_ddntk2() -> None:
    [leg] = parse_legs("tree:0-1,1-2,2-3(7,8,9,6)")
    contracted = {frozenset((leg.labels[a], leg.labels[b])) for a, b in leg.edges}
    assert leg.edges == NAMED_TREES["ddNTK2"]
    assert contracted == {frozenset(pair) for pair in ((7, 8), (8, 9), (9, 6))}


def test_text_of_a_leg_reads_back() -> None:
    text = "z1 NTK(10,11) dNTK234 ddNTK1(5,6,7,8) tree:0-1,1-2,2-3,3-4(20,21,22,23,24)"
    legs = parse_legs(text)
    assert parse_legs(" ".join(map(str, legs))) == legs


@pytest.mark.parametrize(
    "text",
    [
        "", "z", "z12", "NTK1", "NTK123", "q1", "z1 z1", "NTK11", "z-1", "NTK(1,2", "tree:(1)", "tree:0-0(1,2)",
        "tree:0-1,1-2,2-0(1,2,3)", "tree:0-1,2-3(1,2,3,4)", "tree:0-1,0-1(1,2,3)", "tree:0-5(1,2)", "tree:0-1",
        "tree:0-1,1-2(1,2)", "tree:0-1,1-2,2-3,3-4,4-5,5-6,6-7,7-8(1,2,3,4,5,6,7,8,9)", "z99999999999", "zz1", "z1;z2",
        "z１ z2", "z² z3", "z١ z2",
    ],
)  # fmt: skip
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(NtkfeynError) as caught:
        parse_legs(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["z", "z12", "NTK", "NTK1", "NTK123", "NTK(1,2", "NKT1", "NKT12", "ntk11", "ddNTK112", "ddNTK", "dNTK", "zz1",
     "dntk", "tree:0-1,1-2(1,2)", "tree:0-1(1)", "z99999999999", "z" + "1" * 99, "NTK(1,1,1)", "ddntk1(1,2,3,9999999)"],
)  # fmt: skip
def test_a_hint_can_be_typed(text: str) -> None:
    with pytest.raises(NtkfeynError) as caught:
        parse_legs(text)
    hint = str(caught.value).partition(" Try: ")[2]
    assert hint
    typed = shlex.split(hint)
    assert parse_legs(typed[1] if typed[0] == "--legs" else hint)
