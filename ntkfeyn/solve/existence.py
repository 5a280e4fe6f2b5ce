"""Existence: which tensors a kinked activation has (theory section 7)."""

from __future__ import annotations

from ntkfeyn.derivation.recursion import System
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.errors import RequestError
from ntkfeyn.expectations.activations import Kinked


def check_existence(system: System, activation: Kinked) -> None:
    """Refuse tensors whose recursion multiplies delta functions at one sample. Raises RequestError."""
    for recursion in system.recursions:
        for term in recursion.terms:
            for part in split_omega(term):
                for group in part.groups:
                    orders = [factor.order for factor in group.factors]
                    if max(orders, default=0) > 2 or orders.count(2) > 1:
                        raise RequestError(
                            f"{recursion.name}@{recursion.order} does not exist for '{activation.name}': its recursion"
                            " needs products of delta functions, which diverge as the kink sharpens; allowed are"
                            " cumulants of z and NTK at every order, P and Q. Try: --activation gelu"
                        )
