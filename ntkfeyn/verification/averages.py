"""The operator A of weights shared over labels: what one pair of slots reads in the layer below (THEORY section 10).

Enters: label maps of a step and the labels of a tensor. Leaves: A as a table, and the sum of A over the pairs of a
channel. This is what is judged: the recursion of a shared layer is the dense one under one A for each of its pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from ntkfeyn.judge.setting import Maps

Pair = tuple[int, int]
Table = tuple[tuple[Pair, Fraction], ...]


def operator(maps: Maps, a: int, b: int) -> Table:
    """(A f)(a, b) as ((a', b'), coefficient of f(a', b')), sorted; the pair itself where there are no maps."""
    if not maps:
        return (((a, b), Fraction(1)),)
    table: dict[Pair, Fraction] = {}
    for weight, rows in maps:
        for (lower_a, of_a), (lower_b, of_b) in product(rows[a], rows[b]):
            table[lower_a, lower_b] = table.get((lower_a, lower_b), Fraction(0)) + weight * of_a * of_b
    return tuple(sorted((pair, value) for pair, value in table.items() if value))


def unaveraged(maps: Maps, a: int, b: int) -> Table:
    """What stands for A in a negative control: each label reads itself, or the first label that it reads at all."""
    found = []
    for label in (a, b):
        read = sorted({lower for _, rows in maps for lower, _ in rows[label]})
        if maps and not read:
            return ()
        found.append(label if label in read or not maps else read[0])
    return (((found[0], found[1]), Fraction(1)),)


def averaged(
    channel: Sequence[Pair],
    labels: Sequence[int],
    maps: Maps,
    dense: Callable[[tuple[int, ...]], Fraction],
    skipped: Collection[int] = (),
) -> Fraction:
    """A function of all labels under one A for each pair of a channel, but for the ``skipped`` pairs."""
    tables = [
        (unaveraged if number in skipped else operator)(maps, labels[v], labels[w])
        for number, (v, w) in enumerate(channel)
    ]
    total = Fraction(0)
    for choice in product(*tables):
        lower = list(labels)
        for (v, w), ((label_v, label_w), _) in zip(channel, choice, strict=True):
            lower[v], lower[w] = label_v, label_w
        total += prod((value for _, value in choice), start=Fraction(1)) * dense(tuple(lower))
    return total
