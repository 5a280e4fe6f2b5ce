"""Symbols of tensors without a letter of their own: short, made of legs and channel alone, no two alike.

Enters: the name of a class of cumulants. Leaves: a word such as C01, R3, C0P or X4, for text, LaTeX, pictures.

A channel joins the legs to connected pieces, and the symbol lists them, chains first, then rings, then the others
(theory section 2):

    C01   a chain through no NTK (a z-z pair) and one through one NTK; R12 a ring of one and one of two NTKs
    P     a piece that is a named tensor on its own: C0P is a z-z pair beside the piece of P
    X4    any other piece, by its trees beside z and NTK (X dNTK, Y ddNTK1, Z ddNTK2, N.. others) and a number: the
          place of its pairs among all involutions of the slots of NTKs and trees, where a slot of a z is a fixed point
"""

from __future__ import annotations

import re
from functools import cache

from ntkfeyn.model.canonical import Component, Edges, components
from ntkfeyn.model.cumulants import Cumulant, identify, standard
from ntkfeyn.model.legs import Leg
from ntkfeyn.model.tensors import NAMES

TREES = {"dNTK": "X", "ddNTK1": "Y", "ddNTK2": "Z"}
OTHER_TREE = "N"
NUMBER = r"[0-9.]+"


@cache
def systematic_symbol(name: str) -> str:
    """The symbol of the class ``name``. Raises RequestError for what is no tensor."""
    shape = standard(name)
    chains: list[int] = []
    rings: list[int] = []
    others = []
    for piece in components(shape.edges, shape.partner):
        size, edges, _ = piece.certificate
        if max(map(edges_at(edges).count, range(size))) > 1:
            others.append(_piece(piece))
        else:
            (rings if 2 * len(edges) == size else chains).append(len(edges))
    return _lengths("C", chains) + _lengths("R", rings) + "".join(others)


def is_systematic(word: str) -> bool:
    """Whether a word is, or could be, the symbol of a tensor without a letter."""
    named = "|".join(map(re.escape, NAMES))
    trees = f"[{''.join(TREES.values())}]|{OTHER_TREE}[a-z]+"
    pattern = rf"(C{NUMBER})?(R{NUMBER})?({named}|({trees})+[0-9]+)*"
    return word not in ("", *NAMES) and re.fullmatch(pattern, word) is not None


def edges_at(edges: Edges) -> list[int]:
    """Both ends of every edge."""
    return [v for edge in edges for v in edge]


def _lengths(letter: str, lengths: list[int]) -> str:
    before = "" if all(length < 10 for length in lengths) else "."  # C.12 is one long chain, C12 are two
    return letter + "".join(f"{before}{length}" for length in lengths) if lengths else ""


def _piece(piece: Component) -> str:
    """A connected piece with a tree of three nodes or more."""
    size, edges, channel = piece.certificate
    partner = dict(channel) | {b: a for a, b in channel}
    name = identify(edges, tuple(partner[v] for v in range(size))).name
    return name if name in NAMES else _numbered(standard(name))


def _numbered(shape: Cumulant) -> str:
    """The letters of its trees and a number."""
    letters = "".join(_tree(leg) for leg in shape.legs if len(leg.labels) > 2)
    kernels = sum(len(leg.labels) == 2 for leg in shape.legs)
    inner = _inner_slots(shape)
    place = {v: k for k, v in enumerate(inner)}
    images = [place.get(shape.partner[v], place[v]) for v in inner]
    fewer = sum(_involutions(len(inner) - 2 * k) for k in range(1, kernels + 1))
    return f"{letters}{fewer + _rank(images) + 1}"


def _inner_slots(shape: Cumulant) -> list[int]:
    """The slots of NTKs and trees, those of a leg in an order that its tree alone decides."""
    found, start = [], 0
    for leg in shape.legs:
        nodes = range(len(leg.labels))
        if len(nodes) > 1:
            [tree] = components(leg.edges, tuple(nodes))
            found += [start + v for v in tree.orders[0]]
        start += len(nodes)
    return found


@cache
def _involutions(size: int) -> int:
    """How many there are of ``size`` points."""
    return 1 if size < 2 else _involutions(size - 1) + (size - 1) * _involutions(size - 2)


def _rank(images: list[int]) -> int:
    """The place of an involution: the first point fixed comes first, then paired with the second, the third, .."""
    points, rank = list(range(len(images))), 0
    while points:
        first, *rest = points
        if images[first] == first:
            points = rest
            continue
        k = rest.index(images[first])
        rank += _involutions(len(rest)) + k * _involutions(len(rest) - 1)
        points = rest[:k] + rest[k + 1 :]
    return rank


def _tree(leg: Leg) -> str:
    """X, Y, Z, or N with lower-case letters that spell the tree."""
    return TREES.get(leg.kind) or OTHER_TREE + _spelt(_brackets(leg.edges))


def _brackets(edges: Edges) -> str:
    """A tree as nested brackets, written as ones and zeros: the least over all roots, branches sorted."""

    def below(node: int, parent: int) -> str:
        ends = [a + b - node for a, b in edges if node in (a, b)]
        return "1" + "".join(sorted(below(end, node) for end in ends if end != parent)) + "0"

    return min(below(root, root) for root in range(len(edges) + 1))


def _spelt(bits: str) -> str:
    """A number in binary as letters a-z; no two numbers have the same."""
    number, word = int(bits, 2), ""
    while number:
        number, digit = divmod(number, 26)
        word = chr(ord("a") + digit) + word
    return word
