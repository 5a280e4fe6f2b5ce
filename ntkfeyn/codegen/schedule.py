"""The schedule of expectations for languages that keep it as a table: which ones meet at which set of samples.

Enters: the orders of every expectation. Leaves: for each number of different samples the expectations that meet all of
them. One sum over the last sample's axis serves all that have the same part there. Python works this out as it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple


class Content(NamedTuple):
    """One expectation over the samples 0 .. size - 1: its orders, each factor's sample, its part at the last sample."""

    orders: tuple[int, ...]
    at: tuple[int, ...]
    inner: int


class Schedule(NamedTuple):
    """``sizes[k]``: what meets k + 1 different samples; ``inners``: orders whose product stands at the last sample."""

    sizes: tuple[tuple[Content, ...], ...]
    inners: tuple[tuple[int, ...], ...]


def schedule(expectations: Sequence[tuple[int, ...]], most: int) -> Schedule:
    """Every expectation on 1 .. ``most`` different samples, factors of equal order at samples that do not fall."""
    inners: dict[tuple[int, ...], int] = {}
    sizes = []
    for size in range(1, most + 1):
        contents = []
        for orders in expectations:
            equal = [i for i in range(1, len(orders)) if orders[i] == orders[i - 1]]
            for at in product(range(size), repeat=len(orders)) if len(orders) >= size else ():
                if len(set(at)) == size and all(at[i - 1] <= at[i] for i in equal):
                    last = tuple(o for o, a in zip(orders, at, strict=True) if a == size - 1)
                    contents.append(Content(orders, at, inners.setdefault(last, len(inners))))
        sizes.append(tuple(contents))
    return Schedule(tuple(sizes), tuple(inners))
