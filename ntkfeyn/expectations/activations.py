"""Activations: their derivatives to any order, in forms that are stable in floating point.

Enters: an activation's text, as ``model.activations`` reads it. Leaves: one of three records: ``Smooth`` (values at
nodes), ``Polynomial`` (smooth, and quadrature is exact) or ``Kinked`` (theory section 7). Who takes one asks it what it
is like (``smooth``, ``degree``, ``slopes``, ``exists``), not which record it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import factorial, inf
from typing import ClassVar, NamedTuple

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.activations import ActivationText, NamedSmooth, PolynomialText, TwoSlopes, read_activation
from ntkfeyn.model.combinatorics import compositions, multinomial
from ntkfeyn.model.network import Network

Array = NDArray[np.float64]
Table = Callable[[Array, int], list[Array]]


class Features(NamedTuple):
    """What quadrature has to resolve: the finest length in z on which a function changes, and where it is finest."""

    length: float
    places: tuple[float, ...]


def _no_features(spread: float, nodes: int = 0) -> Features:
    """Of named activations and polynomials: they are as wide as 1 or wider."""
    return Features(inf, ())


@dataclass(frozen=True)
class Smooth:
    """``table(z, top)`` lists s, s', .., s^(top) at nodes z, each of z's shape.

    ``features(spread)``: what quadrature has to resolve where preactivations have standard deviations up to ``spread``.
    It raises NtkfeynError where the function is not smooth there, or too fine for the nodes, another argument.
    """

    name: str
    table: Table = field(compare=False)
    features: Callable[..., Features] = field(compare=False, default=_no_features, kw_only=True)
    smooth: ClassVar[bool] = True

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        return activation, (self.name,)  # workers in other processes make it again

    @property
    def degree(self) -> int | None:
        """Of a polynomial; None for anything else."""
        return None

    @property
    def exact(self) -> bool:
        """Whether Gaussian means of its products are exact but for rounding: no quadrature is to converge."""
        return self.degree is not None

    @property
    def slopes(self) -> tuple[float, float] | None:
        """Slopes left and right of 0 where s(c z) = c s(z) for c > 0; else None."""
        return None

    @property
    def vanishes(self) -> bool:
        """Whether it is zero everywhere."""
        return False

    def exists(self, orders: Sequence[int]) -> bool:
        """Whether the product of s^(m), m in ``orders``, all at one sample, has Gaussian means."""
        return True


@dataclass(frozen=True)
class Polynomial(Smooth):
    """Coefficients c_0, c_1, ..; Gaussian means of its products are exact on finitely many nodes."""

    coefficients: tuple[float, ...] = ()

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1

    @property
    def vanishes(self) -> bool:
        return not any(self.coefficients)

    @property
    def slopes(self) -> tuple[float, float] | None:
        slope = self.coefficients[1] if self.degree >= 1 else 0.0
        if slope and not any(c for k, c in enumerate(self.coefficients) if k != 1):
            return slope, slope
        return None


@dataclass(frozen=True)
class Kinked:
    """s(z) = right * z for z > 0, left * z for z < 0."""

    name: str
    right: float
    left: float
    smooth: ClassVar[bool] = False
    exact: ClassVar[bool] = True
    degree: ClassVar[int | None] = None
    vanishes: ClassVar[bool] = False

    @property
    def slopes(self) -> tuple[float, float] | None:
        """Slopes left and right of 0."""
        return self.left, self.right

    def table(self, z: Array, top: int) -> list[Array]:
        """s and s' at nodes z, s' as its limit from the left at 0. Raises NtkfeynError above: no function."""
        if top > 1:
            raise NtkfeynError(f"'{self.name}' has a kink: derivative {top} of it has no value at a point")
        side = np.where(z > 0, self.right, self.left)
        return [side * z, side][: top + 1]

    def exists(self, orders: Sequence[int]) -> bool:
        """The second derivative is a delta function: one may be multiplied with steps, two diverge.

        So does a third derivative.
        """
        return max(orders, default=0) <= 2 and list(orders).count(2) <= 1


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
        u = np.square(1 / np.cosh(z))  # a power of -2.0 takes ten times as long
    values = [t]
    row = [0, 1]  # s^(m) = sum of row[k] u^k, times t for even m; row[0] is 0
    for m in range(1, top + 1):
        value = row[-1] * u
        for c in row[-2:0:-1]:
            value = (value + c) * u
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


TABLES: dict[str, Table] = {
    "gelu": _times_z(_normal),
    "silu": _times_z(_sigmoid),
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "erf": _erf,
    "softplus": _softplus,
    "sin": _sin,
    "cos": _cos,
}


def activation(text: str) -> Activation:
    """The activation of a name, a polynomial or an expression in z.

    Raises RequestError (what is allowed is listed) or LimitError.
    """
    return _made(read_activation(text))


def functions(network: Network) -> tuple[Activation, ...]:
    """The activation of each hidden layer, in order; equal ones are one. Raises RequestError or LimitError."""
    return tuple(map(activation, network.activations))


@cache
def _made(written: ActivationText) -> Activation:
    match written:
        case NamedSmooth(name):
            return Smooth(name, TABLES[name])
        case TwoSlopes(name, right, left):
            return Kinked(name, right, left)
        case PolynomialText(name, coefficients):
            values = tuple(float(c) for c in coefficients)
            return Polynomial(name, _polynomial(values), values)
    from ntkfeyn.expectations.expression import Written
    from ntkfeyn.expectations.features import Finder

    expression = Written(written)
    return Smooth(written.name, expression.table, features=Finder(expression.node, written.name).found)


@cache
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
            f"the activation '{name}' or one of its derivatives is not finite where the kernel needs it",
            "it must be smooth on the whole line; try a smaller C_W, or relu and leaky_relu(a) for a kink",
        )
    return values
