"""Convergence: which runs of the recursions are made, and what their differences say of the errors.

Enters: a run by its ``Trial``, the tolerance. Leaves: the layers of the best run with their errors. Each run is made
again with fewer nodes, none of them shared, and with noise on all that is rounded (twice for few samples): the
difference says how far the full rules have converged, because their error falls exponentially with the number of nodes,
and what the layers make of rounding. Where it is above the tolerance both are made again with finer rules; where that
does not help it is rounding, and joint cumulants are taken from fluctuations of the activation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Activation
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.expectations.quadrature import REACHED
from ntkfeyn.solve.differences import differences, relative, total
from ntkfeyn.solve.step import Values

COARSENING, FINE = (1.15, 1.25), (1.08, 1.13)  # compared runs have so many times fewer nodes; FINE where digits end
FEW = 2  # samples up to which two runs are compared: among few components one difference may be small by chance
SMALLEST, FIRST = 1e-16, 3e-14  # tolerances of one integral along one axis: the least, and the least at first
LARGEST = 1e-6  # tolerance that runs are made for: few nodes agree by chance
LOOSE = 1e-4  # the same where grids for LARGEST would have too many nodes: five or six samples in one expectation
MAX_REPEATS = 2
TIGHTER, LEAST, MOST = 0.3, 1e-4, 0.03  # how much tighter a repeated run is
MARGIN = 0.0002  # share of the tolerance that one integral may use along one axis


class LayerValues(NamedTuple):
    """Tensors of one layer by component number, the estimated errors of these values, and K with distances."""

    values: Values
    errors: Values
    kernel: Kernel


class Trial(NamedTuple):
    """One run: tolerance of an integral along an axis, how many times fewer nodes, whether cumulants are centred."""

    resolution: float
    coarsening: float = 1.0
    centred: bool = False


class Compared(NamedTuple):
    """Layers with their errors; ``worst``: the largest one relative to the largest component of its tensor."""

    layers: list[LayerValues]
    worst: float


Run = Callable[[Trial], list[LayerValues]]  # layers with errors of rounding alone, where it is tracked


def converged(functions: Sequence[Activation], tolerance: float, samples: int, run: Run) -> list[LayerValues]:
    """The layers of the best run that it takes, with both parts of their errors."""
    smooth, exact = all(one.smooth for one in functions), all(one.exact for one in functions)
    if exact and not smooth:
        return run(Trial(_resolution(tolerance, MARGIN)))
    repeats = 0 if exact else MAX_REPEATS
    try:
        found = _refined(tolerance, samples, run, repeats, False)
    except NtkfeynError:
        if tolerance <= LARGEST:
            raise
        found = _refined(tolerance, samples, run, repeats, False, LOOSE)
    if smooth and found.worst > tolerance:
        with suppress(NtkfeynError):  # too many terms or nodes: what is known has its error
            found = min(found, _refined(tolerance, samples, run, repeats, True), key=lambda one: one.worst)
    return found.layers


def planned_runs(function: Activation, samples: int) -> int:
    """How many runs are made at least, for an activation."""
    if function.exact and not function.smooth:
        return 1
    return 3 if samples <= FEW else 2


def _resolution(tolerance: float, margin: float, largest: float = LARGEST) -> float:
    return max(min(tolerance, largest) * margin, SMALLEST)


def _refined(
    tolerance: float, samples: int, run: Run, repeats: int, centred: bool, largest: float = LARGEST
) -> Compared:
    """Finer and finer rules, as long as they help; the first ones are made for ``largest`` at most."""
    margin = max(MARGIN, FIRST / tolerance)
    found = _compared(samples, run, Trial(_resolution(tolerance, margin, largest), centred=centred))
    for _ in range(repeats):
        if found.worst <= tolerance or _resolution(tolerance, margin, largest) <= SMALLEST:
            break
        margin *= min(max(TIGHTER * tolerance / found.worst, LEAST), MOST)
        try:
            finer = _compared(samples, run, Trial(_resolution(tolerance, margin, largest), centred=centred))
        except NtkfeynError:
            break  # too many nodes: what is known has its error
        before, found = found.worst, min(finer, found, key=lambda one: one.worst)
        if finer.worst > before / 2:
            break  # rounding: more nodes bring no more digits
    return found


def _compared(samples: int, run: Run, trial: Trial) -> Compared:
    coarsenings = COARSENING if trial.resolution >= REACHED else FINE
    fine = run(trial)
    coarse = [run(trial._replace(coarsening=one)) for one in coarsenings[: 2 if samples <= FEW else 1]]
    off = differences([layer.values for layer in fine], [[layer.values for layer in one] for one in coarse])
    worst = max(relative(layer.values, one) for layer, one in zip(fine, off, strict=True))
    layers = [layer._replace(errors=total(one, layer.errors)) for layer, one in zip(fine, off, strict=True)]
    return Compared(layers, worst)
