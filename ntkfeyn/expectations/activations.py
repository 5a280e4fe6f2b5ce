"""Activations: their derivatives to any order, in forms that are stable in floating point.

Enters: a name (``NAMES``), ``leaky_relu(a)``, a polynomial or an expression in z. Leaves: one of three records:
``Smooth`` (values at nodes), ``Polynomial`` (smooth, and quadrature is exact) or ``Kinked`` (theory section 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import factorial

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, NtkfeynError, RequestError, bad_request, closest
from ntkfeyn.model.combinatorics import compositions, multinomial
from ntkfeyn.model.polynomials import Coefficients, polynomial

Array = NDArray[np.float64]
Table = Callable[[Array, int], list[Array]]


@dataclass(frozen=True)
class Smooth:
    """``table(z, top)`` lists s, s', .., s^(top) at nodes z, each of z's shape."""

    name: str
    table: Table = field(compare=False)

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        return activation, (self.name,)  # workers in other processes make it again


@dataclass(frozen=True)
class Polynomial(Smooth):
    """Coefficients c_0, c_1, ..; Gaussian means of its products are exact on finitely many nodes."""

    coefficients: tuple[float, ...] = ()

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1


@dataclass(frozen=True)
class Kinked:
    """s(z) = right * z for z > 0, left * z for z < 0."""

    name: str
    right: float
    left: float


Activation = Smooth | Kinked


def _hermite(z: Array, top: int) -> list[Array]:
    """Probabilists' He_0 .. He_top."""
    found = [np.ones_like(z), z]
    for k in range(1, top):
        found.append(z * found[k] - k * found[k - 1])
    return found[: top + 1]


def _normal(z: Array, top: int) -> list[Array]:
    """The distribution function Phi of a unit normal: Phi^(k) = (-1)^(k-1) He_(k-1) phi."""
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    hermite = _hermite(z, top - 1) if top else []
    return [scipy.special.ndtr(z), *((-1) ** k * he * density for k, he in enumerate(hermite))]


def _tanh(z: Array, top: int) -> list[Array]:
    """tanh; derivatives are u t^odd times polynomials in u = sech^2, which keep the tails accurate."""
    t = np.tanh(z)
    with np.errstate(over="ignore"):
        u = np.cosh(z) ** -2.0
    values = [t]
    row = [0, 1]  # s^(m) = sum of row[k] u^k, times t for even m
    for m in range(1, top + 1):
        value = np.zeros_like(z)
        for c in reversed(row):
            value = value * u + c
        values.append(value * t if m % 2 == 0 else value)
        row = _next_tanh_row(row, m)
    return values


def _next_tanh_row(row: list[int], m: int) -> list[int]:
    """u' = -2 t u, t' = u, t^2 = 1 - u."""
    following = [0] * (len(row) + 1)
    for k, c in enumerate(row):  # odd m: u^k -> -2k t u^k; even m: t u^k -> u^(k+1) - 2k (1 - u) u^k
        following[k] -= 2 * k * c
        if m % 2 == 0:
            following[k + 1] += (2 * k + 1) * c
    return following


def _sigmoid(z: Array, top: int) -> list[Array]:
    return [scipy.special.expit(z), *(v / 2 ** (m + 2) for m, v in enumerate(_tanh(0.5 * z, top)[1:]))]


def _erf(z: Array, top: int) -> list[Array]:
    """erf(z) = 2 Phi(sqrt(2) z) - 1"""
    scaled = _normal(np.sqrt(2) * z, top)
    return [scipy.special.erf(z), *(2 * np.sqrt(2) ** m * v for m, v in enumerate(scaled) if m)]


def _sin(z: Array, top: int) -> list[Array]:
    sine, cosine = np.sin(z), np.cos(z)
    cycle = [sine, cosine, -sine, -cosine]
    return [cycle[m % 4] for m in range(top + 1)]


def _cos(z: Array, top: int) -> list[Array]:
    return _sin(z, top + 1)[1:]


def _softplus(z: Array, top: int) -> list[Array]:
    return [np.logaddexp(0, z), *(_sigmoid(z, top - 1) if top else [])]


def _times_z(base: Table) -> Table:
    """(z g)^(m) = z g^(m) + m g^(m-1)"""

    def table(z: Array, top: int) -> list[Array]:
        g = base(z, top)
        return [z * g[0], *(z * g[m] + m * g[m - 1] for m in range(1, top + 1))]

    return table


def _polynomial(coefficients: tuple[float, ...]) -> Table:
    def table(z: Array, top: int) -> list[Array]:
        rows = []
        for m in range(top + 1):
            value = np.zeros_like(z)
            for k in range(len(coefficients) - 1, m - 1, -1):
                value = value * z + coefficients[k] * (factorial(k) // factorial(k - m))
            rows.append(value)
        return rows

    return table


_SMOOTH: dict[str, Table] = {
    "gelu": _times_z(_normal),
    "silu": _times_z(_sigmoid),
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "erf": _erf,
    "softplus": _softplus,
    "sin": _sin,
    "cos": _cos,
}
NAMES = ("linear", "relu", "leaky_relu(a)", *_SMOOTH)
_LEAKY = re.compile(r"leaky_relu(?:\(\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE]-?\d{1,2})?)\s*\))?", re.ASCII)


def activation(text: str) -> Activation:
    """The activation of a name, a polynomial or an expression in z.

    Raises RequestError (what is allowed is listed) or LimitError.
    """
    name = text.strip() if isinstance(text, str) else ""
    if name in _SMOOTH:
        return Smooth(name, _SMOOTH[name])
    if name == "linear":
        return _as_polynomial(name, (0, 1))
    if name == "relu":
        return Kinked(name, 1.0, 0.0)
    leaky = _LEAKY.fullmatch(name)
    if leaky:
        slope = float(leaky.group(1) or 0.01)
        return Kinked(f"leaky_relu({slope!r})", 1.0, slope)
    if not name or "z" not in name:
        raise bad_request(
            f"the activation {text!r} was asked for",
            f"allowed are {', '.join(NAMES)}, or an expression in z",
            f'--activation {closest(name, NAMES) or "gelu"}, or --activation "0.5*z + z**3/10"',
        )
    return _written(name)


def _written(text: str) -> Activation:
    """A polynomial if it is one, else an expression."""
    try:
        return _as_polynomial(text, polynomial(text))
    except LimitError:
        raise
    except RequestError:
        pass
    from ntkfeyn.expectations.symbolic import SymbolicDerivatives

    return Smooth(text, SymbolicDerivatives(text).table)


def _as_polynomial(name: str, coefficients: Coefficients | tuple[int, ...]) -> Polynomial:
    try:
        values = tuple(float(c) for c in coefficients)
    except OverflowError as error:
        raise LimitError(f"the coefficients of '{name[:40]}..' are too large; at most 1e308 is allowed") from error
    return Polynomial(name, _polynomial(values), values)


def leibniz(orders: tuple[int, ...], k: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    """The k-th derivative of prod s^(m) over ``orders`` as (orders, multiplicity), like terms added."""
    found: dict[tuple[int, ...], int] = {}
    for hits in compositions(k, len(orders)):
        key = tuple(sorted(m + j for m, j in zip(orders, hits, strict=True)))
        found[key] = found.get(key, 0) + multinomial(hits)
    return tuple(sorted(found.items()))


def checked(values: Array, name: str) -> Array:
    """The values, all finite. Raises NtkfeynError otherwise."""
    if not np.isfinite(values).all():
        raise NtkfeynError(
            f"the activation '{name}' or one of its derivatives is not finite where the kernel needs it;"
            " it must be smooth on the whole line; try a smaller C_W, or relu and leaky_relu(a) for a kink"
        )
    return values
