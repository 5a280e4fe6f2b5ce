"""Joint cumulants of the entries of a random orthogonal matrix, exactly, as series in 1/N (theory section 9).

Enters: the loops that two matchings of 2p slots make together, as half-lengths that add up to p. Leaves: integers, the
coefficients of powers of 1/N of the orthogonal Weingarten function (moments) and of its connected part (cumulants).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import factorial

from ntkfeyn.model.combinatorics import set_partitions

Loops = tuple[int, ...]


@cache
def moment(loops: Loops, power: int) -> int:
    """The coefficient of N^-power of the Weingarten function of these loops (sorted half-lengths).

    From the orthogonality of the columns: sum the outer index of the two slots of one pair. With the pair in a loop of
    half-length a, N Wg(loops) + (a - 1) Wg(loops) + (the loop cut into j and a - j, every j) + (the loop joined to
    another one of half-length b, in 2 b ways) is Wg without the loop if a = 1, else 0. Each use of it gains a power.
    """
    if not loops:
        return int(power == 0)
    if power < sum(loops):
        return 0
    a, others = loops[0], loops[1:]
    total = moment(others, power - 1) if a == 1 else (1 - a) * moment(loops, power - 1)
    for j in range(1, a):
        total -= moment(tuple(sorted((j, a - j, *others))), power - 1)
    for i, b in enumerate(others):
        total -= 2 * b * moment(tuple(sorted((a + b, *others[:i], *others[i + 1 :]))), power - 1)
    return total


@cache
def joint_cumulant(loops: Loops, power: int) -> int:
    """The coefficient of N^-power of kappa: the connected part of the Weingarten function, by Moebius over loops.

    The matchings of a factor of a moment must close among its slots, so its slots are whole loops: moments are sums
    over set partitions of the loops of products of cumulants, and cumulants the signed sums back.
    """
    total = 0
    for partition in set_partitions(range(len(loops))):
        blocks = [tuple(sorted(loops[i] for i in block)) for block in partition]
        total += (-1) ** (len(blocks) - 1) * factorial(len(blocks) - 1) * _product(blocks, power)
    return total


def leading_power(loops: Loops) -> int:
    """The least power of 1/N in kappa: 2 p + (number of loops) - 2."""
    return 2 * sum(loops) + len(loops) - 2


def _product(blocks: Sequence[Loops], power: int) -> int:
    """The coefficient of N^-power of a product of Weingarten functions."""
    if not blocks:
        return int(power == 0)
    first, rest = blocks[0], blocks[1:]
    least, most = sum(first), power - sum(map(sum, rest))
    return sum(moment(first, own) * _product(rest, power - own) for own in range(least, most + 1))


def loops_of(first: Sequence[tuple[int, int]], second: Sequence[tuple[int, int]]) -> Loops:
    """The half-lengths of the loops of the union of two matchings of the same slots, sorted."""
    ahead = dict(first) | {b: a for a, b in first}
    back = dict(second) | {b: a for a, b in second}
    found, seen = [], set[int]()
    for start in sorted(ahead):
        length, slot = 0, start
        while slot not in seen:
            seen |= {slot, ahead[slot]}
            length, slot = length + 1, back[ahead[slot]]
        found += [length] if length else []
    return tuple(sorted(found))
