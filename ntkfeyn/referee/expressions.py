"""Expressions: what a right-hand side is made of, as people write it; no common form is asked for.

Frozen records. Labels are names (``"1"``, ``"\\\\alpha_1"``), bound ones by a ``Sum``. What fluctuates from network to
network (activations, z, Omega) stands inside a ``Mean``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Number(NamedTuple):
    value: Fraction


class Coupling(NamedTuple):
    """A name of ``derivation.rules.COUPLINGS``."""

    name: str


class Width(NamedTuple):
    """n_l, or n_(l-1)."""

    below: bool


class Tensor(NamedTuple):
    """Of layer l; ``order`` absolute, labels in index order."""

    name: str
    order: int
    labels: tuple[str, ...]


class Inverse(NamedTuple):
    """An element of the inverse of the kernel matrix over all samples of the left-hand side."""

    labels: tuple[str, str]


class Activation(NamedTuple):
    label: str
    order: int


class Preactivation(NamedTuple):
    label: str


class Omega(NamedTuple):
    """lambda_W s s + C_W Theta s' s'"""

    labels: tuple[str, str]


class Plus(NamedTuple):
    parts: tuple[Node, ...]


class Times(NamedTuple):
    parts: tuple[Node, ...]


class Over(NamedTuple):
    above: Node
    below: Node


class Power(NamedTuple):
    base: Node
    exponent: int


class Mean(NamedTuple):
    inner: Node


class Fluctuation(NamedTuple):
    """What is inside minus its mean."""

    inner: Node


class Derivative(NamedTuple):
    """By z at each of these labels."""

    labels: tuple[str, ...]
    inner: Node


class Averaging(NamedTuple):
    """The operator of weights shared over labels, on these two labels of what is inside."""

    labels: tuple[str, str]
    inner: Node


class Sum(NamedTuple):
    """Over bound labels; without a domain over all samples of the left-hand side."""

    labels: tuple[str, ...]
    domain: tuple[str, ...] | None
    inner: Node


Node = (
    Number | Coupling | Width | Tensor | Inverse | Activation | Preactivation | Omega
    | Plus | Times | Over | Power | Mean | Fluctuation | Derivative | Averaging | Sum
)  # fmt: skip


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    if isinstance(node, Plus | Times):
        return node.parts
    if isinstance(node, Over):
        return (node.above, node.below)
    if isinstance(node, Power):
        return (node.base,)
    return (node.inner,) if isinstance(node, Mean | Fluctuation | Derivative | Averaging | Sum) else ()


def averaged(pairs: Sequence[tuple[str, str]], node: Node) -> Node:
    """The node with operators in front, the first outermost."""
    for pair in reversed(pairs):
        node = Averaging(pair, node)
    return node


def random(node: Node) -> bool:
    """Whether its value differs from network to network, so that it has to stand inside a mean."""
    if isinstance(node, Activation | Preactivation | Omega | Fluctuation):
        return True
    return not isinstance(node, Mean) and any(map(random, children(node)))


def used(node: Node) -> list[str]:
    """Labels that stand in a node and are not bound there, each as often as it stands."""
    if isinstance(node, Tensor | Inverse | Omega):
        return list(node.labels)
    if isinstance(node, Activation | Preactivation):
        return [node.label]
    below = [label for child in children(node) for label in used(child)]
    if isinstance(node, Derivative | Averaging):
        below += node.labels
    return [label for label in below if label not in node.labels] if isinstance(node, Sum) else below
