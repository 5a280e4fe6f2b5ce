"""External legs: trees of derivatives of the preactivation (theory section 1).

Enters: text such as "z1 z2 NTK34", "NTK(10,11)", "tree:0-1,1-2(1,2,3)". Leaves: frozen ``Leg`` records; a tree that
is isomorphic to a named type becomes that type, with its node order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ntkfeyn.errors import bad_request, closest, too_large
from ntkfeyn.model.canonical import Edges, components

NAMED_TREES: dict[str, Edges] = {
    "z": (),
    "NTK": ((0, 1),),
    "dNTK": ((0, 1), (0, 2)),
    "ddNTK1": ((0, 1), (0, 2), (0, 3)),
    "ddNTK2": ((0, 1), (0, 2), (1, 3)),
}
MAX_NODES = 8
MAX_LABEL = 1_000_000
LEGS_HINT = '--legs "z1 z2 NTK34" --channel 13.24'
_ALLOWED = f"a leg is {', '.join(NAMED_TREES)} or tree:0-1,1-2 followed by its slots, one a node"
_LEG = re.compile(
    rf"({'|'.join(NAMED_TREES)}|tree:[0-9,-]+)(?:\(([0-9]{{1,7}}(?:,[0-9]{{1,7}})*)\)|([0-9]{{1,99}}))", re.ASCII
)


@dataclass(frozen=True)
class Leg:
    """A tree of derivatives: ``edges`` contract parameters between nodes 0..n-1, ``labels`` name the slots."""

    edges: Edges
    labels: tuple[int, ...]

    @property
    def kind(self) -> str:
        """The named type (z, NTK, ...) or "tree"."""
        return next((name for name, edges in NAMED_TREES.items() if edges == self.edges), "tree")

    def __str__(self) -> str:
        kind = self.kind if self.kind != "tree" else "tree:" + ",".join(f"{a}-{b}" for a, b in self.edges)
        if kind[-1].isdigit() or kind.startswith("tree") or max(self.labels) > 9:
            return f"{kind}({','.join(map(str, self.labels))})"
        return kind + "".join(map(str, self.labels))


@cache
def _named_order(edges: Edges) -> tuple[Edges, tuple[int, ...]]:
    """The named type isomorphic to a tree and, for each of its nodes, the node of the tree; else the tree itself."""
    nodes = tuple(range(len(edges) + 1))
    [component] = components(edges, nodes)
    for named in NAMED_TREES.values():
        if len(named) == len(edges):
            [other] = components(named, nodes)
            if other.certificate == component.certificate:
                return named, tuple(component.orders[0][other.orders[0].index(k)] for k in nodes)
    return edges, nodes


def normal_leg(edges: Edges, labels: tuple[int, ...]) -> Leg:
    """The leg; a tree isomorphic to a named type is reordered to it, every label staying at its node."""
    if edges in NAMED_TREES.values():
        return Leg(edges, labels)
    named, order = _named_order(edges)
    return Leg(named, tuple(labels[k] for k in order))


def parse_legs(text: str) -> tuple[Leg, ...]:
    """Legs from text; slot labels must be distinct non-negative integers.

    Raises RequestError (malformed leg, garbage tree, duplicate slot) or LimitError (too many nodes).
    """
    words = re.sub(r"\s*,\s*", ",", text.replace("+", " ")).split()
    if not words:
        raise bad_request("no external legs were given", _ALLOWED, LEGS_HINT)
    legs = tuple(_parse_leg(word) for word in words)
    labels = [label for leg in legs for label in leg.labels]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        names = ", ".join(map(str, repeated))
        raise bad_request(f"slot {names} occurs more than once in '{text}'", "slots must be distinct", LEGS_HINT)
    return legs


def _parse_leg(word: str) -> Leg:
    match = _LEG.fullmatch(word)
    if not match:
        typed = re.match(r"[A-Za-z]+", word)
        meant = closest(typed[0], NAMED_TREES) if typed else ""
        hint = _repaired(meant, word[typed.end() :]) if typed and meant else LEGS_HINT
        raise bad_request(f"cannot read the leg '{word}'", _ALLOWED, hint)
    kind, listed, digits = match.groups()
    if kind.startswith("tree:") and digits is not None:
        raise bad_request(f"cannot read the leg '{word}'", "a tree names its slots in brackets", "tree:0-1,1-2(1,2,3)")
    labels = tuple(int(text) for text in (listed.split(",") if listed else digits))
    if max(labels) > MAX_LABEL:
        raise too_large(f"slot {max(labels)} in '{word}'", f"slots are numbered up to {MAX_LABEL}", "z(10) z(11)")
    edges = NAMED_TREES[kind] if kind in NAMED_TREES else _parse_tree(kind[5:], word)
    if len(labels) != len(edges) + 1:
        hint = f"{kind}({digits})" if digits and kind == "z" and len(digits) < 7 else _example(kind, edges)
        raise bad_request(f"'{word}' names {len(labels)} slots", f"{kind} has {len(edges) + 1}, one a node", hint)
    return normal_leg(edges, labels)


def _repaired(kind: str, slots: str) -> str:
    """The leg that was probably meant, with the slots that were typed if it is one then."""
    match = _LEG.fullmatch(kind + slots)
    size = len(NAMED_TREES[kind]) + 1
    if match and match[1] == kind:
        labels = (match[2] or ",".join(match[3])).split(",")
        if len(labels) == size == len(set(map(int, labels))) and max(map(int, labels)) <= MAX_LABEL:
            return kind + slots
    return _example(kind, NAMED_TREES[kind])


def _example(kind: str, edges: Edges) -> str:
    """A leg of this type that can be read."""
    labels = [str(k + 1) for k in range(len(edges) + 1)]
    return f"{kind}({','.join(labels)})" if kind[-1].isdigit() else kind + "".join(labels)


def _parse_tree(text: str, word: str) -> Edges:
    hint = "tree:0-1,1-2,2-3(1,2,3,4)"
    allowed = "a tree is a comma list of edges a-b that join the nodes 0..n-1 without a cycle"
    if not re.fullmatch(r"[0-9]{1,3}-[0-9]{1,3}(,[0-9]{1,3}-[0-9]{1,3})*", text):
        raise bad_request(f"cannot read the tree in '{word}'", allowed, hint)
    pairs = [tuple(sorted(map(int, edge.split("-")))) for edge in text.split(",")]
    edges = tuple(sorted((a, b) for a, b in pairs))
    size = len(edges) + 1
    if size > MAX_NODES:
        raise too_large(f"the tree in '{word}' has {size} nodes", f"at most {MAX_NODES} are allowed", "fewer edges")
    if sorted({v for edge in edges for v in edge}) != list(range(size)) or not _joined(edges, size):
        raise bad_request(f"the edges in '{word}' do not form a tree", allowed, hint)
    return edges


def _joined(edges: Edges, size: int) -> bool:
    """Whether size - 1 edges connect all nodes (then they have no cycle)."""
    reached = {0}
    for _ in range(size):
        reached |= {v for edge in edges if reached & set(edge) for v in edge}
    return len(reached) == size
