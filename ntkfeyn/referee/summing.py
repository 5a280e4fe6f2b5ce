"""Sums over several labels become sums over one label each, of the factors that have it: an equal value in less time.

Enters: an expression. Leaves: an equal one. sum_ab K_ac K_bd F_ab = sum_a K_ac (sum_b K_bd F_ab): a sum over n labels
of s samples takes about n s^3 steps where each factor has few labels, not s^n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.referee import expressions as e


class Bound(NamedTuple):
    """A label and what it runs over."""

    label: str
    domain: tuple[str, ...] | None


def one_by_one(node: e.Node) -> e.Node:
    """An expression in which each sum is over one label, where that can be."""
    match node:
        case e.Plus(parts):
            return e.Plus(tuple(map(one_by_one, parts)))
        case e.Times(parts):
            return e.Times(tuple(map(one_by_one, parts)))
        case e.Over(above, below):
            return e.Over(one_by_one(above), one_by_one(below))
        case e.Power(base, exponent):
            return e.Power(one_by_one(base), exponent)
        case e.Mean(inner):
            return e.Mean(one_by_one(inner))
        case e.Fluctuation(inner):
            return e.Fluctuation(one_by_one(inner))
        case e.Derivative(labels, inner):
            return e.Derivative(labels, one_by_one(inner))
        case e.Sum():
            bound, factors = _opened(node)
            return _eliminated(bound, [one_by_one(factor) for factor in factors])
    return node


def _opened(node: e.Sum) -> tuple[list[Bound], list[e.Node]]:
    """The labels of sums that stand right inside each other, and the factors below the last."""
    bound = [Bound(label, node.domain) for label in node.labels]
    factors = _factors(node.inner)
    taken = {one.label for one in bound}
    while factors and isinstance(inner := factors[-1], e.Sum) and not taken & {*inner.labels}:
        if set(inner.labels) & {label for factor in factors[:-1] for label in e.used(factor)}:
            break
        bound += [Bound(label, inner.domain) for label in inner.labels]
        taken |= {*inner.labels}
        factors = [*factors[:-1], *_factors(inner.inner)]
    return bound, factors


def _factors(node: e.Node) -> list[e.Node]:
    return [factor for part in node.parts for factor in _factors(part)] if isinstance(node, e.Times) else [node]


def _eliminated(bound: Sequence[Bound], factors: Sequence[e.Node]) -> e.Node:
    """Label after label, that first whose factors have the fewest labels between them."""
    left = [(factor, frozenset(e.used(factor))) for factor in factors]
    todo = list(bound)
    while todo:
        reach = {one.label: len(frozenset().union(*(used for _, used in left if one.label in used))) for one in todo}
        chosen = min(todo, key=lambda one: reach[one.label])
        todo.remove(chosen)
        inside = [pair for pair in left if chosen.label in pair[1]]
        inner = _product([factor for factor, _ in inside])
        used = frozenset().union(*(labels for _, labels in inside)) - {chosen.label}
        place = next((i for i, (_, labels) in enumerate(left) if chosen.label in labels), len(left))
        left = [pair for pair in left if chosen.label not in pair[1]]
        left.insert(min(place, len(left)), (e.Sum((chosen.label,), chosen.domain, inner), used))
    return _product([factor for factor, _ in left])


def _product(factors: Sequence[e.Node]) -> e.Node:
    if not factors:
        return e.Times(())
    return factors[0] if len(factors) == 1 else e.Times(tuple(factors))
