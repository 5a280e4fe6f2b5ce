"""The next orders of theory for targets that a comparison found to differ.

Enters: the request, the targets with their orders so far, the theory so far. Leaves: order after order, theory with one
more power of 1/n, as long as that takes but a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.evaluation import evaluate_tuples
from ntkfeyn.solve.request import Request
from ntkfeyn.solve.results import Setting

Orders = dict[TensorId, tuple[int, ...]]
TRIED = 2  # orders beyond those asked for
LABELS = 4  # of a layer, up to which order 2 takes a second or so
FEW = 2  # the same with dNTK and ddNTK, whose systems are larger, and for order 3
SHALLOW = 4  # layers up to which order 3 takes some twenty seconds


def further_theory(
    request: Request,
    orders: Orders,
    wanted: Mapping[TensorId, NDArray[np.int64]],
    theory: Sequence[Setting],
    further: Callable[[int], Callable[[str], None]],
) -> Iterator[tuple[int, Orders, Sequence[Setting]]]:
    """Each further order with the orders of the targets up to it, and theory of all of them.

    ``wanted``: index tuples of each target. ``further`` is called with the order, and gives what progress is told. Ends
    where theory would take longer than a moment, or does not exist. By rule, not by a clock: it is always the same.
    """
    first = min(powers[-1] for powers in orders.values()) + 1
    for order in range(first, first + TRIED):
        new = {TensorId(t.name, order): wanted[t] for t, powers in orders.items() if powers[-1] < order}
        if not all(_takes_a_moment(request, tensor) for tensor in new):
            return
        try:
            found = evaluate_tuples(request._replace(advance=further(order)), new)
        except NtkfeynError:  # too large, or without this order, as R to U of a kink: the advice does without
            return
        theory = [_with(known, more) for known, more in zip(theory, found, strict=True)]
        orders = {t: powers if powers[-1] >= order else (*powers, order) for t, powers in orders.items()}
        yield order, orders, theory


def _takes_a_moment(request: Request, tensor: TensorId) -> bool:
    """Order 1 of the means, order 2, and order 3 without trees in a few layers; of few labels at every layer."""
    one = request.networks[0]
    labels = len(request.gram) // one.positions[0] * max(one.positions)
    trees = any(len(leg.edges) > 1 for leg in standard(tensor.name).legs)
    if tensor.order > 2:
        return tensor.order == 3 and not trees and labels <= FEW and one.depth <= SHALLOW
    return labels <= (FEW if trees else LABELS)


def _with(known: Setting, more: Setting) -> Setting:
    return replace(known, layers=tuple({**a, **b} for a, b in zip(known.layers, more.layers, strict=True)))
