"""Orthogonal Weingarten functions as series in 1/N, and the matchings that they multiply (THEORY section 9).

For O an N x N orthogonal matrix drawn at random,

    E[prod over slots v of O_{i_v k_v}] = sum over matchings m, m' of the slots
                                          Wg(m, m') prod_m delta_{i_v i_w} prod_m' delta_{k_v k_w}

and Wg depends on the loops of m and m' together alone. Enters: pairs of slots (the matching m). Leaves: coefficients of
Wg, and for a few slots at a time every m'. Nothing here comes from the derivation, which has only connected parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations, product
from typing import TypeVar

Slot = TypeVar("Slot")


@cache
def weingarten(loops: tuple[int, ...], power: int) -> int:
    """The coefficient of N^-(p + power) in Wg; ``loops`` are half the loops' lengths, p their sum.

    From sum over k of O_ik O_jk = delta_ij: with one pair of m' put apart, N Wg(m, m') plus Wg(m, m'') for every m''
    that connects this pair and another one of m' otherwise is Wg of the slots without the pair if m has it too, else 0.
    """
    if not loops:
        return int(power == 0)
    if power < 0:
        return 0
    longest, *others = sorted(loops, reverse=True)
    total = weingarten(tuple(others), power) if longest == 1 else 0
    total -= (longest - 1) * weingarten((longest, *others), power - 1)  # within the loop: one way keeps it,
    for part in range(1, longest):  # the other way cuts it
        total -= weingarten(_sorted((part, longest - part, *others)), power - 1)
    for i, other in enumerate(others):  # with another loop: both ways join the two
        joined = (longest + other, *others[:i], *others[i + 1 :])
        total -= 2 * other * weingarten(_sorted(joined), power - 1)
    return total


def _sorted(loops: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(loops, reverse=True))


def single_loops(pairs: Sequence[tuple[Slot, Slot]]) -> Iterator[tuple[tuple[Slot, Slot], ...]]:
    """Every matching of the slots that makes one loop with ``pairs``: 2^(p-1) (p-1)! of them."""
    (start, leave), *others = pairs
    for order in permutations(others):
        for turned in product((False, True), repeat=len(order)):
            found, at = [], leave
            for (a, b), turn in zip(order, turned, strict=True):
                found.append((at, b if turn else a))
                at = a if turn else b
            yield (*found, (at, start))
