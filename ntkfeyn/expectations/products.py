"""Products at one sample: values of ``Differentiated`` at nodes (theory section 7).

Enters: a smooth activation, nodes. Leaves: d^k of products of its derivatives, by Leibniz, or products of fluctuations.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth, leibniz
from ntkfeyn.expectations.fluctuations import fluctuations
from ntkfeyn.expectations.keys import Differentiated

Array = NDArray[np.float64]


def values_of(activation: Smooth, z: Array, wanted: Iterable[Differentiated]) -> dict[Differentiated, Array]:
    """Each of the wanted products at nodes z, of z's shape. The activation is computed once."""
    listed = list(wanted)
    table = activation.table(z, max(max(one.orders) + one.k for one in listed))
    moving = [one for one in listed if one.fluctuation]
    top = max((max(one.orders) for one in moving), default=-1)
    apart = fluctuations(activation, z, table[: top + 1]) if moving else []
    return {one: _combined(apart if one.fluctuation else table, leibniz(one.orders, one.k)) for one in listed}


def _combined(derivatives: list[Array], terms: tuple[tuple[tuple[int, ...], int], ...]) -> Array:
    """sum of multiplicity * prod of s^(m)"""
    values = []
    for orders, count in terms:
        value = derivatives[orders[0]]
        for m in orders[1:]:
            value = value * derivatives[m]
        values.append(value * count if count != 1 else value)
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
