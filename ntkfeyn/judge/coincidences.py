"""Counting for the exact moments: coincidences of hidden neurons, pairings of tree ends, Isserlis by powers.

Enters: hidden neurons, ends, exponents. Leaves: every pattern once, with the number of ways it occurs. Imports nothing
of the derivation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, factorial
from typing import TypeVar

from ntkfeyn.judge.kernel_graphs import HiddenNeuron, together

T = TypeVar("T")
Pair = tuple[int, int]
Powers = tuple[tuple[Pair, int], ...]  # a monomial: ((a, b), power) for each G_ab
Polynomial = dict[Powers, Fraction]


def combine(a: Powers, b: Powers) -> Powers:
    powers = dict(a)
    for pair, count in b:
        powers[pair] = powers.get(pair, 0) + count
    return tuple(sorted(powers.items()))


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for p, x in a.items():
        for q, y in b.items():
            key = combine(p, q)
            result[key] = result.get(key, Fraction(0)) + x * y
    return result


def coincidences(
    free: Sequence[tuple[HiddenNeuron, int]], tied: Sequence[HiddenNeuron], merges: int
) -> Iterator[tuple[tuple[tuple[HiddenNeuron, int], ...], int]]:
    """Every pattern of coinciding hidden neurons with at most ``merges`` coincidences, and how often it occurs.

    ``free`` neurons of one kind are exchangeable: patterns that differ by their exchange are counted together.
    """
    kinds = [kind for kind, _ in free]

    def fill(
        counts: tuple[int, ...], waiting: tuple[HiddenNeuron, ...], left: int
    ) -> Iterator[tuple[list[HiddenNeuron], int]]:
        if waiting:
            first, others, pool = waiting[0], waiting[1:], counts
        else:
            kind = next((i for i, count in enumerate(counts) if count), None)
            if kind is None:
                yield [], 1
                return
            first, others = kinds[kind], ()
            pool = (*counts[:kind], counts[kind] - 1, *counts[kind + 1 :])
        for taken, partners, rest in companions(pool, others, left):
            ways = 1
            joined = [first, *partners]
            for i, number in enumerate(taken):
                ways *= comb(pool[i], number)
                joined += [kinds[i]] * number
            block = together(*joined)
            remaining = tuple(a - b for a, b in zip(pool, taken, strict=True))
            for blocks, more in fill(remaining, rest, left - len(joined) + 1):
                yield [block, *blocks], ways * more

    total: dict[tuple[tuple[HiddenNeuron, int], ...], int] = {}
    for blocks, ways in fill(tuple(count for _, count in free), tuple(tied), merges):
        pattern = tuple(sorted((block, blocks.count(block)) for block in set(blocks)))
        total[pattern] = total.get(pattern, 0) + ways
    yield from total.items()


def companions(
    pool: tuple[int, ...], others: tuple[T, ...], most: int
) -> Iterator[tuple[tuple[int, ...], tuple[T, ...], tuple[T, ...]]]:
    """At most ``most`` companions: numbers of each free kind, chosen tied ones, tied ones left."""
    for chosen in product((False, True), repeat=len(others)):
        partners = tuple(other for other, inside in zip(others, chosen, strict=True) if inside)
        if len(partners) <= most:
            rest = tuple(other for other, inside in zip(others, chosen, strict=True) if not inside)
            for taken in _bounded(pool, most - len(partners)):
                yield taken, partners, rest


def _bounded(pool: tuple[int, ...], most: int) -> Iterator[tuple[int, ...]]:
    if not pool:
        yield ()
        return
    for number in range(min(pool[0], most) + 1):
        for rest in _bounded(pool[1:], most - number):
            yield (number, *rest)


def matchings(ends: tuple[int, ...]) -> Iterator[tuple[tuple[Pair, ...], tuple[int, ...]]]:
    """All ways to pair some of the ends: (pairs, ends left single)."""
    if not ends:
        yield (), ()
        return
    first, rest = ends[0], ends[1:]
    for pairs, single in matchings(rest):
        yield pairs, (first, *single)
    for i, other in enumerate(rest):
        for pairs, single in matchings((*rest[:i], *rest[i + 1 :])):
            yield ((first, other), *pairs), single


def derivative_hits(
    orders: tuple[int, ...], count: int, most: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Which factor each of ``count`` derivatives hits, and the orders after; none above ``most``, where it is zero."""
    if count == 0:
        yield (), orders
        return
    for hit, order in enumerate(orders):
        if order < most:
            for rest, after in derivative_hits((*orders[:hit], order + 1, *orders[hit + 1 :]), count - 1, most):
                yield (hit, *rest), after


@cache
def isserlis(exponents: Powers) -> tuple[tuple[Powers, int], ...]:
    """E[prod z_a^p_a] of a centred Gaussian: powers of G_ab with the number of pairings that give them."""
    if sum(power for _, power in exponents) % 2:
        return ()
    if not exponents:
        return (((), 1),)
    ((first, _), power), rest = exponents[0], exponents[1:]
    found: dict[Powers, int] = {}
    for own in range(power // 2, -1, -1):
        outside = power - 2 * own
        loops = factorial(2 * own) // (2**own * factorial(own)) * comb(power, 2 * own)
        for taken in _bounded(tuple(p for _, p in rest), outside):
            if sum(taken) != outside:
                continue
            ways = loops * factorial(outside)
            for (_, p), t in zip(rest, taken, strict=True):
                ways *= comb(p, t)
            left = tuple(((s, p - t)) for (s, p), t in zip(rest, taken, strict=True) if p > t)
            powers = {(first, first): own} | {(first, s[0]): t for (s, _), t in zip(rest, taken, strict=True)}
            mine = tuple(sorted((pair, count) for pair, count in powers.items() if count))
            for other, more in isserlis(left):
                key = combine(mine, other)
                found[key] = found.get(key, 0) + ways * more
    return tuple(found.items())


def set_partitions(items: list[T]) -> Iterator[list[list[T]]]:
    if not items:
        yield []
        return
    for partition in set_partitions(items[1:]):
        yield [[items[0]], *partition]
        for i in range(len(partition)):
            yield [*partition[:i], [items[0], *partition[i]], *partition[i + 1 :]]
