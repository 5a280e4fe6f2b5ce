"""Series at large depth of a System's targets, as forms: K falls to 0, or to a K* > 0 (THEORY section 10).

Enters: a System, Taylor coefficients or a fixed point. Leaves: ``Asymptotic`` forms: the terms that do not depend on
where the network starts.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ntkfeyn.asymptotics.falling import Setting, expansions
from ntkfeyn.asymptotics.fields import Polynomials
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
    """s'(0)^2, a = -s'''(0)/s'(0), and r5, r7, .. with S(y) = y - y^3/6 + r5 y^5/120 + .. (``taylor``)."""

    slope: Fraction
    scale: Fraction
    ratios: tuple[Fraction, ...]

    @property
    def numbers(self) -> dict[str, float]:
        named = {f"r{5 + 2 * i}": float(ratio) for i, ratio in enumerate(self.ratios[:LEAST])}
        return {SCALE: float(self.scale), "slope": float(self.slope) ** 0.5, **named}


def taylor(function: Smooth) -> Taylor:
    """Of an odd activation that falls to K* = 0. Raises RequestError for another one."""
    s = [float(value[0]) for value in function.table(np.zeros(1), 3 + 2 * MOST)]
    size = abs(s[1])
    if any(abs(value) > ROUNDING * max(size, 1) for value in s[::2]):
        raise bad_request(
            f"how '{function.name}' depends on the depth at K* = 0",
            "an odd activation is allowed there: with s''(0) its powers of depth are no integers",
            "--activation tanh",
        )
    if not s[3] < 0 < size:
        raise bad_request(
            f"how '{function.name}' depends on the depth at K* = 0",
            "s'''(0)/s'(0) < 0 is needed: else K does not fall as 1/l",
            "--activation tanh",
        )
    scale = rational(-s[3] / s[1])
    ratios = tuple(rational(s[k] / s[1] / float(scale) ** ((k - 1) // 2)) for k in range(5, len(s), 2))
    return Taylor(rational(s[1] ** 2), scale, ratios)


def rational(value: float) -> Fraction:
    """The fraction with a small denominator that a float is meant to be, else the float itself."""
    near = Fraction(value).limit_denominator(SMALL)
    return near if abs(near - Fraction(value)) <= ROUNDING * abs(value) else Fraction(value)


def odd_forms(system: System, request: DepthRequest, known: Taylor | None) -> dict[str, Form]:
    """At K* = 0; without Taylor coefficients they are letters. More of them are taken until leading terms show."""
    for size in range(LEAST, MOST + 1):
        series = _odd_series(system, request, known, size)
        if all(one.terms for one in series.values()):
            break
    return {str(target): _odd_form(target, one, system, request, known) for target, one in series.items()}


def _odd_series(system: System, request: DepthRequest, known: Taylor | None, size: int) -> dict[TensorId, Series]:
    """From ``size`` Taylor coefficients r5, r7, .."""
    names = () if known else tuple(f"r{5 + 2 * i}" for i in range(size))
    field = _field(system, (*names, *((BIAS,) if request.lambda_b and not known else ())))
    ratios = [field.number(r) for r in known.ratios[:size]] if known else [field.letter(name) for name in names]
    bias = field.number(0)
    if request.lambda_b and known:
        bias = field.number(request.lambda_b * known.scale / (request.lambda_w * known.slope))
    elif request.lambda_b:
        bias = field.letter(BIAS)
    setting = vanishing_kernel(field, ratios, bias, _letters_of(field))
    return _in_depth(system, setting, field, Series({Size(1, 0): field.number(1)}))


def _letters_of(field: Polynomials) -> Callable[[TensorId], Number]:
    """The constant of each tensor."""
    return lambda tensor: field.letter(_constant(tensor))


def _odd_form(
    target: TensorId, series: Series, system: System, request: DepthRequest, known: Taylor | None
) -> Asymptotic:
    shape = standard(target.name)
    edges, pairs = len(shape.edges), len(shape.channel)
    terms, following = universal(series, _constants(system))
    units: Units = tuple((name, power) for name, power in ((GRADIENT, edges), (SCALE, -pairs)) if power)
    if known is not None:
        factor = (request.lambda_w * known.slope) ** edges / known.scale**pairs
        terms, units = _numbers(terms, factor), ()
    return Asymptotic(target, terms, following, units)


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
        forms[str(target)] = Asymptotic(target, _numbers(terms, Fraction(1)), following)
    return forms


def _in_depth(system: System, setting: Setting, field: Polynomials, kernel: Series) -> dict[TensorId, Series]:
    found = {**expansions(system, setting), MEAN_KERNEL: kernel}
    drift, constant = setting.falling.drift, field.letter(START)
    return {target: in_depth(found[target], drift, constant, field) for target in system.targets}


def _numbers(terms: tuple[LogTerm, ...], factor: Fraction) -> tuple[LogTerm, ...]:
    """Coefficients without letters as fractions, times a factor."""
    return tuple(term._replace(coefficient=_fraction(term.coefficient) * factor) for term in terms)


def _fraction(value: Number) -> Fraction:
    found = value.coeff(1)
    return Fraction(int(found.numerator), int(found.denominator))


def _constant(tensor: TensorId) -> str:
    """The letter of the constant of a tensor."""
    return f"h{tensor}"


def _constants(system: System) -> frozenset[str]:
    return frozenset({START, *(_constant(recursion.id) for recursion in system.recursions)})


def _field(system: System, letters: tuple[str, ...]) -> Polynomials:
    return Polynomials((*letters, *sorted(_constants(system))))
