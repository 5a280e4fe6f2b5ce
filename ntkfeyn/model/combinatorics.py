"""Exact counting helpers shared by enumeration and translation; they know nothing of physics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement
from math import factorial
from typing import TypeVar

T = TypeVar("T")


def set_partitions(items: Sequence[T]) -> Iterator[tuple[tuple[T, ...], ...]]:
    """Every set partition of ``items``, each once, blocks ordered by their first element."""
    if not items:
        yield ()
        return
    *rest, last = items
    for partition in set_partitions(rest):
        for i, block in enumerate(partition):
            yield (*partition[:i], (*block, last), *partition[i + 1 :])
        yield (*partition, (last,))


def bounded_matchings(items: tuple[int, ...], kind: Sequence[int], most: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Sets of disjoint pairs of items of one kind such that pairs plus items left over are at most ``most``."""
    if (len(items) + 1) // 2 > most:
        return
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    yield from bounded_matchings(rest, kind, most - 1)
    for i, other in enumerate(rest):
        if kind[first] == kind[other]:
            for matching in bounded_matchings((*rest[:i], *rest[i + 1 :]), kind, most - 1):
                yield ((first, other), *matching)


def perfect_matchings(items: Sequence[T]) -> Iterator[tuple[tuple[T, T], ...]]:
    """Every perfect matching of ``items``; none if their number is odd."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for i, other in enumerate(rest):
        for matching in perfect_matchings([*rest[:i], *rest[i + 1 :]]):
            yield ((first, other), *matching)


@cache
def compositions(total: int, parts: int) -> tuple[tuple[int, ...], ...]:
    """Every tuple of ``parts`` integers >= 0 that add up to ``total``."""
    if parts == 0:
        return ((),) if total == 0 else ()
    return tuple((head, *tail) for head in range(total, -1, -1) for tail in compositions(total - head, parts - 1))


def multinomial(counts: Sequence[int]) -> int:
    """(sum of counts)! / product of counts!"""
    result = factorial(sum(counts))
    for count in counts:
        result //= factorial(count)
    return result


@cache
def pair_placements(labels: tuple[int, ...], pairs: int) -> tuple[tuple[tuple[tuple[int, int], ...], int], ...]:
    """Ways to give each end of ``pairs`` interchangeable pairs a label, as (multiset of unordered pairs, multiplicity).

    The multiplicities add up to len(labels)**(2*pairs): Leibniz placements counted, not listed one by one.
    """
    unordered = list(combinations_with_replacement(sorted(labels), 2))
    found = []
    for chosen in combinations_with_replacement(unordered, pairs):
        counts = [chosen.count(pair) for pair in sorted(set(chosen))]
        swaps = 2 ** sum(a != b for a, b in chosen)
        found.append((chosen, multinomial(counts) * swaps))
    return tuple(found)
