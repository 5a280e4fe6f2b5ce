"""Series at large depth of a System's targets, as forms: K falls to 0, or to a K* > 0 (THEORY section 11).

Enters: a System, Taylor coefficients or a fixed point. Leaves: ``Asymptotic`` forms: the terms that do not depend on
where the network starts.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ntkfeyn.asymptotics.falling import Setting, expansions
from ntkfeyn.asymptotics.fields import Polynomials, rational_part
from ntkfeyn.asymptotics.fixed_point import FixedPoint
from ntkfeyn.asymptotics.forms import Asymptotic, Form, LogTerm, Units, universal
from ntkfeyn.asymptotics.request import DepthRequest
from ntkfeyn.asymptotics.series import Series, Size, in_depth
from ntkfeyn.asymptotics.sums import Number
from ntkfeyn.asymptotics.taylor import vanishing_kernel
from ntkfeyn.derivation.recursion import System
from ntkfeyn.errors import bad_request
from ntkfeyn.expectations.activations import Smooth
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_KERNEL, TensorId

LEAST, MOST = 3, 6  # Taylor coefficients r5, r7, .. that are tried
START = "C"  # the constant of the kernel
SCALE, GRADIENT, BIAS = "alpha", "g", "b"  # -s'''(0)/s'(0), lambda_W s'(0)^2, lambda_b alpha/g
ROUNDING = 1e-12  # of a Taylor coefficient
SMALL = 1000  # denominators of those that are taken for rational


class Taylor(NamedTuple):
    """s'(0)^2, a (module ``taylor``), and s(0), s'(0), s''(0), .. over s'(0)."""

    slope: Fraction
    scale: Fraction
    s: tuple[Fraction, ...]

    @property
    def numbers(self) -> dict[str, float]:
        """For JSON: s2 = s''(0)/s'(0), s3, .. as far as they are not 0."""
        named = {f"s{k}": float(value) for k, value in enumerate(self.s[: 4 + 2 * LEAST]) if k > 1 and value}
        return {"slope": float(self.slope) ** 0.5, SCALE: float(self.scale), **named}


def taylor(function: Smooth) -> Taylor:
    """Of an activation that falls to K* = 0. Raises RequestError where it does not do so as 1/l."""
    values = [float(value[0]) for value in function.table(np.zeros(1), 4 + 2 * MOST)]
    s = tuple(rational(value / values[1]) for value in values)
    scale = -s[3] - Fraction(3, 4) * s[2] ** 2
    if scale <= 0:
        raise bad_request(
            f"how '{function.name}' depends on the depth at K* = 0",
            "s'''(0)/s'(0) + (3/4) (s''(0)/s'(0))^2 < 0 is needed: else K does not fall as 1/l",
            "--activation tanh",
        )
    return Taylor(rational(values[1] ** 2), scale, s)


def rational(value: float) -> Fraction:
    """The fraction with a small denominator that a float is meant to be, else the float itself."""
    near = Fraction(value).limit_denominator(SMALL)
    return near if abs(near - Fraction(value)) <= ROUNDING * max(1.0, abs(value)) else Fraction(value)


def vanishing_forms(system: System, request: DepthRequest, known: Taylor | None) -> dict[str, Form]:
    """At K* = 0, of odd activations in letters if not ``known``. More of s is taken until leading terms show.

    In letters: x = alpha K and s(z) = s'(0) alpha^(-1/2) S(alpha^(1/2) z), S(y) = y - y^3/6 + r5 y^5/120 + .., so that
    nothing is divided by; a tensor with e edges and 2p slots is g^e alpha^-p times its series.
    """
    for size in range(LEAST, MOST + 1):
        series = _vanishing_series(system, request, known, size)
        if all(one.terms for one in series.values()):
            break
    return {str(target): _vanishing_form(target, one, system, known) for target, one in series.items()}


def _vanishing_series(system: System, request: DepthRequest, known: Taylor | None, size: int) -> dict[TensorId, Series]:
    """From s as far as z^(3 + 2 size)."""
    names = () if known else tuple(f"r{5 + 2 * i}" for i in range(size))
    field = _field(system, (*names, *((BIAS,) if request.lambda_b and not known else ())))
    number, zero = field.number, field.number(0)
    if known:
        s, scale = [number(value) for value in known.s[: 5 + 2 * size]], known.scale
        gradients = number(request.lambda_w * known.slope), number(request.lambda_b)
    else:
        s, scale = [zero, number(1), zero, number(-1), zero], Fraction(1)
        for name in names:
            s += [field.letter(name), zero]
        gradients = number(1), field.letter(BIAS) if request.lambda_b else zero
    couplings = {"C_W": number(1), "C_b": zero, "lambda_W": gradients[0], "lambda_b": gradients[1]}
    setting = vanishing_kernel(field, s, scale, couplings, _letters_of(field))
    return _in_depth(system, setting, field, Series({Size(1, 0): number(1 / scale)}))


def _letters_of(field: Polynomials) -> Callable[[TensorId], Number]:
    """The constant of each tensor."""
    return lambda tensor: field.letter(_constant(tensor))


def _vanishing_form(target: TensorId, series: Series, system: System, known: Taylor | None) -> Asymptotic:
    terms, following = universal(series, _constants(system))
    if known is not None:
        return Asymptotic(target, _numbers(terms), following)
    shape = standard(target.name)
    units: Units = ((GRADIENT, len(shape.edges)), (SCALE, -len(shape.channel)))
    return Asymptotic(target, terms, following, tuple(unit for unit in units if unit[1]))


def approached_forms(system: System, place: FixedPoint) -> dict[str, Form]:
    """For networks whose kernel falls to K* > 0. Raises RequestError where K - K* does not fall as 1/l."""
    if not place.curvature:
        raise bad_request(
            f"networks of '{place.function.name}' near K* = {place.point.kernel}",
            "the second derivative of the map of K must not vanish there",
            "--start fixed",
        )
    field = _field(system, ())
    setting = place.approached(field, _letters_of(field))
    kernel = Series({Size(0, 0): field.number(place.fixed), Size(1, 0): field.number(-1 / place.curvature)})
    forms: dict[str, Form] = {}
    for target, series in _in_depth(system, setting, field, kernel).items():
        terms, following = universal(series, _constants(system))
        forms[str(target)] = Asymptotic(target, _numbers(terms), following)
    return forms


def _in_depth(system: System, setting: Setting, field: Polynomials, kernel: Series) -> dict[TensorId, Series]:
    found = {**expansions(system, setting), MEAN_KERNEL: kernel}
    drift, constant = setting.falling.drift, field.letter(START)
    return {target: in_depth(found[target], drift, constant, field) for target in system.targets}


def _numbers(terms: tuple[LogTerm, ...]) -> tuple[LogTerm, ...]:
    """Coefficients without letters as fractions."""
    return tuple(term._replace(coefficient=rational_part(term.coefficient)) for term in terms)


def _constant(tensor: TensorId) -> str:
    """The letter of the constant of a tensor."""
    return f"h{tensor}"


def _constants(system: System) -> frozenset[str]:
    return frozenset({START, *(_constant(recursion.id) for recursion in system.recursions)})


def _field(system: System, letters: tuple[str, ...]) -> Polynomials:
    return Polynomials((*letters, *sorted(_constants(system))))
