"""Depth scaling: every named tensor at, below and above criticality, and how it grows with depth (paper, section 5.2).

Enters: a critical point. Leaves: values at layers 1 .. L for one input and equal widths, growth laws, JSON. The network
starts at K^(1) = K*; below and above only C_W changes, so that the three runs differ in nothing else. Ratios without
dimension take out the scale of the preactivations and of the learning rate: V/K^2, D/(K Theta), A/Theta^2, ..
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.criticality.growth import LEAST_LAYERS, Form, Growth, exponential, power_law, stays_polynomial
from ntkfeyn.criticality.points import Criticality, CriticalPoint, points_json
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.expectations.activations import activation
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble
from ntkfeyn.model.network import MAX_DEPTH, Network
from ntkfeyn.model.tensors import NAMES, TensorId
from ntkfeyn.solve.components import subsets_up_to
from ntkfeyn.solve.existence import first_missing
from ntkfeyn.solve.plan import Plan, make_plan
from ntkfeyn.solve.solver import solve_reachable

Array = NDArray[np.float64]
RATIOS = {  # powers of K and Theta with the dimension of the tensor
    "V@1": (2, 0), "D@1": (1, 1), "F@1": (1, 1), "A@1": (0, 2), "B@1": (0, 2), "P@1": (0, 2), "Q@1": (0, 2),
    "R@1": (-1, 3), "S@1": (-1, 3), "T@1": (-1, 3), "U@1": (-1, 3), "K@1": (1, 0), "Theta@1": (0, 1),
}  # fmt: skip


class Tuning(StrEnum):
    """Where a run is, as JSON names it: only C_W differs."""

    CRITICAL = "critical"
    BELOW = "below"
    ABOVE = "above"


class Scaling(NamedTuple):
    """How to run: ``depth`` layers, C_W times 1 -+ ``off`` below and above, gradient weights, ensemble of weights."""

    depth: int = 256
    off: float = 0.1
    lambda_w: float = 1.0
    lambda_b: float = 0.0
    weights: str = GAUSSIAN

    def check(self) -> None:
        """Raises RequestError for a depth too small to show a law, an ``off`` that leaves no C_W, no ensemble."""
        check_ensemble(self.weights)
        if not LEAST_LAYERS <= self.depth <= MAX_DEPTH:
            raise bad_request(
                f"--depth {self.depth} was asked for", f"{LEAST_LAYERS} to {MAX_DEPTH} layers are allowed", "--depth 64"
            )
        if not 0 < self.off < 1:
            raise bad_request(f"--off {self.off} was asked for", "a number between 0 and 1 is allowed", "--off 0.1")
        for option, value in (("--lambda-w", self.lambda_w), ("--lambda-b", self.lambda_b)):
            if not (isfinite(value) and value >= 0):
                raise bad_request(f"{option} {value} was asked for", "a number from 0 up is allowed", f"{option} 1")


class Run(NamedTuple):
    """One C_W: values and errors by NAME@R, shape (layers,) each; ``stopped`` says why there are fewer layers."""

    cw: float
    values: dict[str, Array]
    errors: dict[str, Array]
    stopped: str = ""

    @property
    def layers(self) -> int:
        return len(next(iter(self.values.values()))) if self.values else 0


class Law(NamedTuple):
    """The growth of a tensor and of its ratio without dimension (None for K and Theta).

    ``polynomial``: whether it stays so at criticality; None off it, or if there are too few layers to say.
    """

    tensor: Growth
    ratio: Growth | None
    polynomial: bool | None


def depth_scaling(
    name: str, point: CriticalPoint, scaling: Scaling, advance: Callable[[str], None] = lambda _: None
) -> dict[Tuning, Run]:
    """The runs at, below and above a critical point. Raises RequestError for a bad request.

    A run that overflows, or whose kernel grows beyond what can be integrated, ends at the last layer it reached.
    """
    scaling.check()
    targets = scaled_tensors(name, scaling.weights)
    plan = make_plan(derive_system(targets, scaling.weights), {target: subsets_up_to(1, 1) for target in targets}, 1)
    factors = {Tuning.CRITICAL: 1.0, Tuning.BELOW: 1 - scaling.off, Tuning.ABOVE: 1 + scaling.off}
    runs: dict[Tuning, Run] = {}
    for which, factor in factors.items():
        couplings = (factor * point.cw, point.cb, scaling.lambda_w, scaling.lambda_b)
        network = Network(scaling.depth, 1, name, *couplings, weights=scaling.weights)
        runs[which] = _run(plan, targets, network, point.gram, advance)
    if not runs[Tuning.CRITICAL].layers:
        raise NtkfeynError(f"not a single layer could be solved at criticality: {runs[Tuning.CRITICAL].stopped}")
    return runs


def scaled_tensors(name: str, weights: str = GAUSSIAN) -> list[TensorId]:
    """Every named tensor at its leading order, K@1 and Theta@1; those that exist, if the activation has a kink."""
    targets = [TensorId(name, standard(name).leading_order) for name in NAMES]
    targets += [TensorId("K", 1), TensorId("Theta", 1)]
    function = activation(name)
    return [target for target in targets if first_missing(derive_system([target], weights), [function]) is None]


def _run(plan: Plan, targets: list[TensorId], network: Network, gram: float, advance: Callable[[str], None]) -> Run:
    """As many layers as can be solved."""
    cw = network.layers[0].C_W
    with np.errstate(all="ignore"):  # what is not finite ends the run
        layers, stopped = solve_reachable(plan, network, Kernel.of(np.array([[gram]])), advance=advance)
    if len(layers) < 2:
        return Run(cw, {}, {}, stopped)
    values = {str(target): np.array([layer.values[target][0] for layer in layers]) for target in targets}
    errors = {str(target): np.array([layer.errors[target][0] for layer in layers]) for target in targets}
    return Run(cw, values, errors, stopped)


def laws(run: Run, critical: bool) -> dict[str, Law]:
    """Growth laws of all tensors of a run: powers of depth at criticality, rates of exponentials off it."""
    fit = power_law if critical else exponential
    growths = {tensor: fit(values) for tensor, values in run.values.items()}
    found = {}
    for tensor, growth in growths.items():
        ratio = _ratio_growth(run, growths, tensor, critical) if tensor in RATIOS else None
        bounded: bool | None = growth.form in (Form.ZERO, Form.POLYNOMIAL)
        if not bounded:
            bounded = stays_polynomial(run.values[tensor]) if run.layers >= LEAST_LAYERS else None
        found[tensor] = Law(growth, ratio, bounded if critical else None)
    return found


def _ratio_growth(run: Run, growths: dict[str, Growth], tensor: str, critical: bool) -> Growth | None:
    """The law of tensor / (K^a Theta^b); that of exact polynomials follows from their degrees."""
    values = ratio_values(run, tensor)
    if values is None:
        return None
    parts = (growths[tensor], growths["K@0"], growths["Theta@0"])
    if critical and all(part.form == Form.POLYNOMIAL for part in parts):
        degree, of_K, of_Theta = (part.value or 0.0 for part in parts)
        local = power_law(values).local
        powers = RATIOS[tensor]
        return Growth(Form.POLYNOMIAL, degree - powers[0] * of_K - powers[1] * of_Theta, 0.0, local)
    return power_law(values) if critical else exponential(values)


def ratio_values(run: Run, tensor: str) -> Array | None:
    """tensor / (K^a Theta^b) at each layer; None if that is not finite."""
    powers = RATIOS[tensor]
    with np.errstate(all="ignore"):
        values = run.values[tensor] / (run.values["K@0"] ** powers[0] * run.values["Theta@0"] ** powers[1])
    return values if np.isfinite(values).all() else None


def ratio_name(tensor: str) -> str:
    """V/K^2, D/(K Theta), R K/Theta^3, K@1/K."""
    powers = RATIOS[tensor]
    above = (tensor if tensor in ("K@1", "Theta@1") else tensor.removesuffix("@1")) + " K" * -min(powers[0], 0)
    below = [f"{base}^{p}" if p > 1 else base for base, p in zip(("K", "Theta"), powers, strict=True) if p > 0]
    return f"{above}/{below[0]}" if len(below) == 1 else f"{above}/({' '.join(below)})"


def critical_json(found: Criticality, scaling: Scaling, runs: dict[Tuning, Run] | None) -> dict[str, Any]:
    """After the schema ntkfeyn.critical/1, with the runs."""
    document = points_json(found)
    asked = scaling._asdict()
    if scaling.weights == GAUSSIAN:
        del asked["weights"]
    document["meta"] |= asked
    if runs is not None and found.main is not None:
        document["scaling"] = {
            which: _run_json(run, found.main, which == Tuning.CRITICAL) for which, run in runs.items()
        }
    return document


def _run_json(run: Run, point: CriticalPoint, critical: bool) -> dict[str, Any]:
    tensors = {}
    for tensor, law in laws(run, critical).items():
        entry: dict[str, Any] = {"growth": _growth_json(law.tensor, critical)}
        if law.ratio is not None:
            entry["ratio"] = {"name": ratio_name(tensor), **_growth_json(law.ratio, critical)}
        if critical:
            entry["polynomial"] = law.polynomial
        entry |= {"values": run.values[tensor].tolist(), "errors": run.errors[tensor].tolist()}
        tensors[tensor] = entry
    head = {"C_W": run.cw, "C_b": point.cb, "gram": point.gram, "layers": run.layers, "stopped": run.stopped}
    return {**head, "tensors": tensors}


def _growth_json(growth: Growth, critical: bool) -> dict[str, Any]:
    """What is known of it: the exponent at criticality, the rate a layer off it."""
    row: dict[str, Any] = {"form": growth.form}
    if growth.form not in (Form.ZERO, Form.NONE):
        row |= {"exponent" if critical else "rate": growth.value, "uncertainty": growth.uncertainty}
    row |= {key: value for key in ("local", "leading") if (value := getattr(growth, key)) is not None}
    return row | ({"note": growth.note} if growth.note else {})
