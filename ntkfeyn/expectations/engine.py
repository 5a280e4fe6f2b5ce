"""Engines: what computes a plan's expectations for the activation of a layer, whatever kind it is.

Enters: an activation, the expectations of a plan, how fine the quadrature has to be. Leaves: an ``Engine``. Who takes
one asks it for values and bounds and never which activation it is of.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Activation, Smooth
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.expectations.keys import Expectations, KernelError
from ntkfeyn.expectations.kinked import KinkedExpectations
from ntkfeyn.expectations.nearby import Distances
from ntkfeyn.expectations.smooth import SmoothExpectations
from ntkfeyn.runtime.workers import Mapped

Array = NDArray[np.float64]


class Engine(Protocol):
    """The expectations of a plan for one activation.

    ``resolution`` is the relative error that its quadrature aims at, 0 if values are exact but for rounding.
    ``amplifies``: whether derivatives with respect to the kernel diverge (at parallel samples), so that rounding has to
    be tracked through every layer of a network that holds such a layer.
    """

    @property
    def resolution(self) -> float: ...

    @property
    def amplifies(self) -> bool: ...

    @property
    def at_zero(self) -> list[float]:
        """s(0), s'(0), .. as far as the expectations name them; empty if there are no fluctuations."""
        ...

    def distances(self, kernel: Kernel) -> Distances | None:
        """How far the activations of the kernel's near pairs are apart; None where K alone says it."""
        ...

    def values(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped = map) -> Array:
        """All needed expectations by number, shape (size,); the others are nan, number 0 is 0. Raises NtkfeynError."""
        ...

    def spread(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped = map) -> tuple[Array, Array]:
        """``values``, and masses: of what size the sums are that they were left over from, shape (size,) each."""
        ...

    def bounds(self, kernel: Kernel, masses: Array, needed: NDArray[np.bool_], off: KernelError) -> Array:
        """What ``values`` may be off by, from rounding and from a kernel that is ``off``, shape (size,); 0 if unneeded.

        Their own quadrature error is not in it: two runs that differ in their nodes show it.
        """
        ...


def engine_of(function: Activation, expectations: Expectations, tolerance: float, coarsening: float = 1.0) -> Engine:
    """That of an activation."""
    if isinstance(function, Smooth):
        return SmoothExpectations(function, expectations, tolerance, coarsening)
    return KinkedExpectations(function, expectations)
