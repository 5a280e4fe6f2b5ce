"""Scaling: a sum that is right but for a factor of the whole tensor, as definitions differ by n or C_W.

Enters: canonical sums of both sides. Leaves: the factor, and the tensors that carry it at both layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.referee.canonical import WIDTHS, Monomial, Terms, combined, times


class Scaling(NamedTuple):
    """``factor`` of the tensor on the left; ``tensors`` on the right have it too, by its own layer's width."""

    factor: str
    tensors: tuple[str, ...] = ()


def total(sums: Sequence[Terms]) -> Terms:
    found: Terms = {}
    for one in sums:
        found = combined(found, one, 1)
    return found


def scaled(written: Terms, right: Terms, recursion: Recursion) -> Scaling | None:
    """What the written sum is, if it is ours in another normalisation; None if it is not, or equal."""
    if not right or written == right:
        return None
    own, order = recursion.name, recursion.order
    listed = sorted({(name, power) for key in right for name, power, _ in key.tensors if power})

    def count_none(key: Monomial) -> int:
        return 0

    def count_own(key: Monomial) -> int:
        return sum(order for name, power, _ in key.tensors if (name, power) == (own, order))

    def count_all(key: Monomial) -> int:
        return sum(power for _, power, _ in key.tensors)

    trials: list[tuple[Callable[[Monomial], int], tuple[str, ...]]] = [(count_none, ())]
    if (own, order) in listed:
        trials.append((count_own, (f"{own}@{order}",)))
    if order and len(listed) > 1:
        trials.append((count_all, tuple(f"{name}@{power}" for name, power in listed)))
    for count, tensors in trials:
        factor = _factor(written, right, count, max(1, order))
        if factor:
            return Scaling(factor, tensors)
    return None


def _factor(written: Terms, right: Terms, count: Callable[[Monomial], int], order: int) -> str:
    """The factor of the left-hand side: a tensor of order r has its r-th part of it, at its own layer."""
    first = next((key for key in sorted(right) if count(key) == 0), None)
    if first is None:
        return ""
    for other, value in written.items():
        if (other.tensors, other.means) != (first.tensors, first.means):
            continue
        powers = dict(other.powers)
        for name, power in first.powers:
            powers[name] = powers.get(name, 0) - power
        if any(count(key) for key in right) and (powers.get(WIDTHS[1]) or any(p % order for p in powers.values())):
            continue
        number = value / right[first]
        if order > 1 and abs(number) != 1 and any(count(key) for key in right):
            continue
        if written == {_moved(key, powers, count(key), order): number ** _left(count(key), order) * amount
                       for key, amount in right.items()}:  # fmt: skip
            shown = sorted((name, power) for name, power in powers.items() if power)
            listed = [f"{name}^{power}" if power != 1 else name for name, power in shown]
            return " ".join(([str(number)] if number != 1 or not listed else []) + listed)
    return ""


def _left(carried: int, order: int) -> int:
    """The power of a plain number that is left where tensors of these orders carry it on the right."""
    return 1 - carried // order if carried % order == 0 else 1


def _moved(key: Monomial, powers: dict[str, int], carried: int, order: int) -> Monomial:
    """One of our monomials in the author's tensors."""
    found = dict(powers)
    for name, power in powers.items():
        below = WIDTHS[1] if name == WIDTHS[0] else name
        found[below] = found.get(below, 0) - power // order * carried
    return times(key, Monomial(tuple(sorted((name, power) for name, power in found.items() if power))))
