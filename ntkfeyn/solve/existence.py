"""Existence: which tensors activations have whose second derivative is a delta function (theory section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ntkfeyn.derivation.recursion import System
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.errors import RequestError
from ntkfeyn.expectations.activations import Activation
from ntkfeyn.model.tensors import TensorId


class Missing(NamedTuple):
    """A tensor whose recursion needs what an activation does not have."""

    tensor: TensorId
    activation: str


def first_missing(system: System, functions: Iterable[Activation]) -> Missing | None:
    """The first recursion that multiplies delta functions at one sample; None if every tensor exists.

    The step up from layer l uses the activation of layer l. Every recursion of the system counts with the activation
    of every hidden layer, also where it would be multiplied with a tensor that is zero, as most are at layer 1: a
    network with one kink has the tensors that a network of kinks has.
    """
    kinked = [function for function in dict.fromkeys(functions) if not function.smooth]
    for recursion in system.recursions if kinked else ():
        for term in recursion.terms:
            for part in split_omega(term):
                for group in part.groups:
                    orders = [factor.order for factor in group.factors]
                    for function in kinked:
                        if not function.exists(orders):
                            return Missing(recursion.id, function.name)
    return None


def check_existence(system: System, functions: Iterable[Activation]) -> None:
    """Refuse what ``first_missing`` finds. Raises RequestError."""
    missing = first_missing(system, functions)
    if missing is not None:
        raise RequestError(
            f"{missing.tensor} does not exist for '{missing.activation}': its recursion"
            " needs products of delta functions, which diverge as the kink sharpens",
            "allowed are cumulants of z and NTK at every order, P and Q. Try: --activation gelu",
        )
