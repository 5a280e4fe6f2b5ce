"""The definition of a tensor: its joint cumulant as the sum over all channels (theory section 2).

Enters: a cumulant and an order. Leaves: E^c[..] and its right-hand side up to that order, both as LaTeX. Every perfect
matching of the slots is a channel; what tensor stands there, and with which samples, is worked out, not looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ntkfeyn.model.combinatorics import perfect_matchings
from ntkfeyn.model.cumulants import Cumulant, cumulant
from ntkfeyn.render.latex.macros import AppendixNotation

MOST_CHANNELS = 15  # written out: those of six slots; of more slots one channel a tensor


def decomposition(shape: Cumulant, order: int, notation: AppendixNotation) -> tuple[str, str]:
    """Left and right side; ``notation`` writes tensors of layer l+1."""
    found = all_channels(shape)
    shown = found if len(found) <= MOST_CHANNELS else representatives(found)
    power = shape.leading_order
    head = notation.cumulant(shape.legs)
    terms = []
    for channel in shown:
        alike = sum(other.name == channel.name for other in found)
        others = rf"+\text{{{alike - 1} permutations}}" if len(shown) < len(found) and alike > 1 else ""
        terms.append(
            _coefficient(channel, order - power, notation) + notation.inner + notation.deltas(channel) + others
        )
    rest = rf"+\allowbreak O\bigl({notation.width_power(-order - 1)}\bigr)"
    total = r"\;+\allowbreak\;".join(terms)
    if power == 0:
        return head, f"{total}\\;{rest}"
    return head, rf"\frac{{1}}{{{notation.width_power(power)}}}\,\bigl(\,{total}\,\bigr)\;{rest}"


@cache
def all_channels(shape: Cumulant) -> tuple[Cumulant, ...]:
    """Every perfect matching of the slots, in order of the first pair."""
    joint = "" if max(shape.labels) < 10 else "-"
    found = []
    for matching in sorted(tuple(sorted(pairs)) for pairs in perfect_matchings(range(len(shape.labels)))):
        text = ".".join(f"{shape.labels[a]}{joint}{shape.labels[b]}" for a, b in matching)
        found.append(cumulant(shape.legs_text(), text))
    return tuple(found)


def representatives(channels: Sequence[Cumulant]) -> list[Cumulant]:
    """The first channel of each tensor."""
    first: dict[str, Cumulant] = {}
    for channel in channels:
        first.setdefault(channel.name, channel)
    return list(first.values())


def _coefficient(channel: Cumulant, corrections: int, notation: AppendixNotation) -> str:
    """The tensor and its corrections, up to the order that is asked for."""
    series = [notation.tensor(channel.name, 0, channel.index_labels())]
    for k in range(1, corrections + 1):
        correction = notation.tensor(channel.name, k, channel.index_labels())
        series.append(rf"\tfrac{{1}}{{{notation.width_power(k)}}}{correction}")
    joined = "+".join(series)
    return rf"\bigl({joined}\bigr)" if corrections else joined
