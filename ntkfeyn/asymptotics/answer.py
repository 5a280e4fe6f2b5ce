"""What `ntkfeyn depth` answers: the class of an activation decides how its recursions are solved (THEORY section 11).

Enters: targets and a ``DepthRequest``. Leaves: ``DepthForms``, a form a tensor. Homogeneous activations have closed
forms with any couplings; odd ones that fall to K* = 0 series at large depth; other smooth ones polynomials for networks
that start at their K* > 0, or series for those that fall to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ntkfeyn.asymptotics.exact import solved
from ntkfeyn.asymptotics.forms import Exact, Form
from ntkfeyn.asymptotics.large_depth import approached_forms, taylor, vanishing_forms
from ntkfeyn.asymptotics.request import FIXED, GRAM, ODD, DepthRequest, depth_request
from ntkfeyn.asymptotics.sums import Number
from ntkfeyn.criticality.points import Criticality, CriticalPoint, critical_points
from ntkfeyn.derivation.homogeneity import at_one_sample, means_of, without_derivatives
from ntkfeyn.derivation.recursion import System, derive_system
from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.expectations.activations import Smooth, activation
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.targets import default_targets, resolve
from ntkfeyn.model.tensors import TensorId


@dataclass(frozen=True)
class DepthForms:
    """``forms`` by NAME@R; ``point``: C_W, C_b and K* (None: every K) that they hold at.

    ``taylor``: s'(0), alpha (module ``taylor``) and s_k = s^(k)(0)/s'(0) where K* is 0.
    """

    request: DepthRequest
    forms: Mapping[str, Form]
    point: Mapping[str, Number | None]
    taylor: Mapping[str, float] = field(default_factory=dict)


def answered(
    asked: tuple[str | Sequence[str], str | None, str | None, int | None], activation: str, settings: Mapping[str, Any]
) -> DepthForms:
    """From names, legs, a channel and an order as typed; nothing asked: the default targets that exist.

    ``settings`` are arguments of ``depth_request``. Raises NtkfeynError.
    """
    request = depth_request(activation, **settings)
    names, legs, channel, order = asked
    if names or legs is not None or channel is not None:
        found = resolve([names] if isinstance(names, str) else names, legs, channel, order)
        return depth_forms([target.id for target in found], request)
    return depth_forms(existing([target.id for target in default_targets(order)], request), request)


def depth_forms(targets: Sequence[TensorId], request: DepthRequest) -> DepthForms:
    """How each target depends on the depth, for one input. Raises NtkfeynError for what has no answer, with the reason.

    ``targets``: class names and absolute orders.
    """
    request.check()
    system = derive_system(targets, request.weights)
    if request.slopes is not None:
        return _homogeneous(system, request)
    if request.activation.strip() == ODD:
        return DepthForms(
            request, vanishing_forms(system, request, None), {"C_W": None, "C_b": Fraction(0), "K": Fraction(0)}
        )
    found = critical_points(request.activation)
    point = _tuned(found)
    place = {"C_W": point.cw, "C_b": point.cb, "K": point.kernel}
    function = activation(request.activation)
    if not isinstance(function, Smooth):
        raise NtkfeynError(f"'{found.activation}' has a kink and is not homogeneous")
    if point.kernel == 0:
        coefficients = taylor(function)
        return DepthForms(request, vanishing_forms(system, request, coefficients), place, coefficients.numbers)
    return DepthForms(request, _half_stable(system, request, function, point), place)


def _tuned(found: Criticality) -> CriticalPoint:
    if found.main is None:
        raise bad_request(
            f"how '{found.activation}' depends on the depth",
            f"an activation with a critical point is allowed, and {found.reason}",
            "--activation gelu",
        )
    return found.main


def _homogeneous(system: System, request: DepthRequest) -> DepthForms:
    setting = request.homogeneous()
    sums = solved(system, setting)
    forms: dict[str, Form] = {}
    for target in system.targets:
        size = len(standard(target.name).channel)
        units = ((GRAM, size),) if not (request.cb or request.lambda_b) else ()
        chi = setting.field.chi(1) if setting.base else None
        forms[str(target)] = Exact(target, sums[target], units, setting.equal, chi)
    couplings = setting.couplings
    return DepthForms(request, forms, {"C_W": couplings["C_W"], "C_b": couplings["C_b"], "K": None})


def _half_stable(system: System, request: DepthRequest, function: Smooth, point: CriticalPoint) -> Mapping[str, Form]:
    from ntkfeyn.asymptotics.fixed_point import FixedPoint

    place = FixedPoint(function, point, request.lambda_w, request.lambda_b)
    if request.start == FIXED:
        sums = solved(system, place)
        return {str(target): Exact(target, sums[target], rounded=True) for target in system.targets}
    return approached_forms(system, place)


def existing(targets: Sequence[TensorId], request: DepthRequest) -> list[TensorId]:
    """Those that do not need products of delta functions, where the activation has a kink."""
    slopes = request.slopes
    if slopes is None or (slopes[0] == slopes[1] and not request.open_slope):
        return list(targets)
    return [target for target in targets if not _diverges(derive_system([target], request.weights))]


def _diverges(system: System) -> bool:
    terms = (term for recursion in system.recursions for term in at_one_sample(recursion))
    return any(without_derivatives(mean) is None for term in terms for mean in means_of(term))
