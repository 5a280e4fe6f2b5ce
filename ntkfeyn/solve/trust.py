"""Trust: whether depth/width is small enough for the expansion, and whether a kink has a slope.

Enters: networks and kernels. Leaves: one warning for each network whose K, Theta or V has an order-2 term that is a
large share of the leading one, on the diagonal (one input), where a term costs next to nothing; and one where gradients
pass a kink at preactivations that are zero in every network.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ntkfeyn.expectations.activations import functions
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.network import width_below
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.evaluation import evaluate_tuples
from ntkfeyn.solve.labels import operator_of
from ntkfeyn.solve.request import Request

# leading order, the order that is looked at, and its largest share of the leading one: for K and Theta that is a second
# correction, for V the first, which no expansion survives if it is as large as what it corrects
SECOND = {"K": (0, 2, 0.2), "Theta": (0, 2, 0.2), "V": (1, 2, 1.0)}


def trust_warnings(request: Request, targets: Iterable[TensorId], assembled: bool) -> list[str]:
    """Those of slopes and, where orders are ``assembled``, of the expansion. Raises NtkfeynError."""
    return [*(expansion_warnings(request) if assembled else ()), *slope_warnings(request, targets)]


def expansion_warnings(request: Request) -> list[str]:
    """One line for each network at which the expansion in depth/width cannot be trusted. Raises NtkfeynError.

    None where weights are shared over positions: an average of positions reads order-2 terms off the diagonal, which
    do not cost next to nothing.
    """
    if request.networks[0].shared:
        return []
    slots = {name: len(standard(name).labels) for name in SECOND}
    diagonal = {name: np.repeat(np.arange(len(request.gram))[:, None], slots[name], axis=1) for name in SECOND}
    wanted: dict[TensorId, np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = {}
    for name, (*orders, _) in SECOND.items():
        wanted |= {TensorId(name, order): diagonal[name] for order in orders}
    lines = []
    settings = evaluate_tuples(request._replace(tolerance=1e-3, advance=lambda _: None), wanted)
    for network, setting in zip(request.networks, settings, strict=True):
        below = width_below(network.hidden, network.depth)
        shares = {}
        for name, (first, last, _) in SECOND.items():
            leading, second = (np.abs(setting.layers[-1][f"{name}@{r}"].values) for r in (first, last))
            shares[name] = float(np.max(second / np.maximum(leading, 1e-300))) / below ** (last - first)
        worst = max(shares, key=lambda name: shares[name] / SECOND[name][2])
        if shares[worst] > SECOND[worst][2]:
            lines.append(
                f"width {setting.width}, depth {network.depth}: the order-2 term of {worst} is {shares[worst]:.0%} of"
                " its leading order; depth/width is too large for the expansion to be trusted"
            )
    return lines


def slope_warnings(request: Request, targets: Iterable[TensorId]) -> list[str]:
    """One line if tensors with gradients depend on the slope of an activation at its kink. Raises NtkfeynError.

    A label that reads zeros alone has the preactivation 0 in every network where C_b = 0, and the gradients of biases
    pass it where lambda_b > 0. Theory takes the limit of a small input there, a network the slope that it is given.
    """
    network = request.networks[0]
    if not any(leg.edges for target in targets for leg in standard(target.name).legs):
        return []
    inputs = len(request.gram) // network.positions[0]
    zero, moved = np.diag(request.gram) == 0, np.zeros(len(request.gram), dtype=bool)
    for number, (layer, function) in enumerate(zip(network.layers, functions(network), strict=False), 1):
        if layer.sharing is not None:
            maps = [one._replace(entries=np.ones_like(one.entries)) for one in operator_of(layer.sharing, inputs).maps]
            zero, moved = (np.sum([one.times(some * 1.0) for one in maps], axis=0) > 0 for some in (~zero, moved))
            zero = ~zero
        zero, moved = zero & (layer.C_b == 0), moved | (layer.lambda_b > 0)
        if not function.smooth and (zero & moved).any():
            return [
                f"layer {number} has preactivations that are zero in every network, where {function.name} has a kink:"
                " theory takes the limit of small inputs, sampled networks the slope left of it; --cb 0.1 or"
                " --lambda-b 0 make them agree"
            ]
        zero &= function.table(np.zeros(1), 0)[0][0] == 0
    return []
