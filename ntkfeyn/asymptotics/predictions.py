"""Derived growth of the tensors that `critical` fits: exponents and amplitudes, which make the fit a check.

Enters: a critical point, how it is run. Leaves: for each tensor and its ratio without dimension the leading term at
large depth, and a curve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from ntkfeyn.asymptotics.answer import depth_forms
from ntkfeyn.asymptotics.forms import Exact, Form, number
from ntkfeyn.asymptotics.request import GRAM, depth_request
from ntkfeyn.criticality.depth import RATIOS, Law, Scaling, scaled_tensors
from ntkfeyn.criticality.growth import Growth
from ntkfeyn.criticality.points import CriticalPoint
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK

AGREES = 2  # uncertainties of a fitted exponent


class Leading(NamedTuple):
    """amplitude * l^exponent * (log l)^logs; ``amplitude`` 0 for what vanishes, None where it depends on the start."""

    exponent: float
    logs: int
    amplitude: float | None

    def over(self, divisors: Sequence[tuple[Leading, int]]) -> Leading:
        """Divided by powers of others."""
        exponent, logs, amplitude = self
        for divisor, power in divisors:
            exponent, logs = exponent - power * divisor.exponent, logs - power * divisor.logs
            amplitude = amplitude / divisor.amplitude**power if amplitude is not None and divisor.amplitude else None
        return Leading(exponent, logs, amplitude)

    def agrees(self, fit: Growth) -> bool | None:
        """Whether a fitted exponent is this one; None where nothing was fitted, or logarithms hide it."""
        if fit.value is None or fit.uncertainty is None or self.logs or not self.amplitude:
            return None
        return abs(fit.value - self.exponent) <= AGREES * fit.uncertainty + 1e-9

    def __str__(self) -> str:
        """-0.0625 l^-1 log l"""
        if self.amplitude == 0:
            return "0"
        size = "c" if self.amplitude is None else f"{self.amplitude:.4g}"
        power = "" if not self.exponent else f" l^{self.exponent:.4g}"
        logs = "" if not self.logs else " log l" if self.logs == 1 else f" (log l)^{self.logs}"
        return size + power + logs


@dataclass(frozen=True)
class Predicted:
    """What is derived of one tensor: the leading term of it and of its ratio (None for K and Theta), and its form."""

    tensor: Leading
    ratio: Leading | None
    form: Form
    gram: float

    def at(self, layer: int) -> float:
        """The closed form, or the terms of the series, at a layer."""
        return self.form.at(layer, {GRAM: self.gram})

    def json(self) -> dict[str, Any]:
        """For critical/1."""
        return {"form": "exact" if isinstance(self.form, Exact) else "asymptotic", **_leading_json(self.tensor)}

    def ratio_json(self) -> dict[str, Any]:
        """The same of its ratio."""
        return _leading_json(self.ratio) if self.ratio else {}


def _leading_json(leading: Leading) -> dict[str, Any]:
    return {"exponent": leading.exponent, "logarithms": leading.logs, "amplitude": leading.amplitude}


def predictions(name: str, point: CriticalPoint, scaling: Scaling) -> Mapping[str, Predicted]:
    """By NAME@R; empty for an activation that no form is derived for, such as z - z^5."""
    gradients = float(scaling.lambda_w), float(scaling.lambda_b)
    request = depth_request(name, lambda_w=gradients[0], lambda_b=gradients[1], weights=scaling.weights)
    try:
        found = depth_forms(scaled_tensors(name, scaling.weights), request)
    except NtkfeynError:
        return {}
    letters = {GRAM: point.gram}
    leading = {tensor: leading_of(form, letters) for tensor, form in found.forms.items()}
    means = leading[str(MEAN_KERNEL)], leading[str(MEAN_NTK)]
    made = {}
    for tensor, form in found.forms.items():
        divisors = list(zip(means, RATIOS[tensor], strict=True)) if tensor in RATIOS else None
        ratio = leading[tensor].over(divisors) if divisors and leading[tensor].amplitude != 0 else None
        made[tensor] = Predicted(leading[tensor], ratio, form, point.gram)
    return made


def leading_of(form: Form, letters: Mapping[str, float]) -> Leading:
    """The largest term at large depth of a polynomial or of a series."""
    scale = 1.0
    for name, power in form.units:
        scale *= letters[name] ** power
    if isinstance(form, Exact):
        row = form.polynomial or [Fraction(0)]
        degree = len(row) - 1
        return Leading(float(degree), 0, float(number(row[degree], letters)) * scale)
    place, logs = form.leading
    amplitude = float(number(form.terms[0].coefficient, letters)) * scale if form.terms else None
    return Leading(float(place), logs, amplitude)


def add_predictions(document: dict[str, Any], predicted: Mapping[str, Predicted]) -> None:
    """Into a document of critical/1, beside what was fitted at criticality."""
    if not document["scaling"]:
        return
    for tensor, entry in document["scaling"]["critical"]["tensors"].items():
        if tensor in predicted:
            entry["growth"]["derived"] = predicted[tensor].json()
            if "ratio" in entry and predicted[tensor].ratio is not None:
                entry["ratio"]["derived"] = predicted[tensor].ratio_json()


def compared(laws: Mapping[str, Law], predicted: Mapping[str, Predicted]) -> list[str]:
    """Whether the fitted exponents are the derived ones, as lines for a table."""
    found = {tensor: predicted[tensor].tensor.agrees(law.tensor) for tensor, law in laws.items() if tensor in predicted}
    checked = [tensor for tensor, answer in found.items() if answer is not None]
    off = [tensor for tensor in checked if not found[tensor]]
    if not checked:
        return []
    said = f"Fitted exponents off the derived ones: {', '.join(off)}" if off else "Each is the derived one"
    return [f"Exponents fitted and derived, within {AGREES} uncertainties, for {', '.join(checked)}. {said}."]
