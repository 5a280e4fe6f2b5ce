"""Tensors at large depth where the kernel falls to a fixed point: every recursion as a series (THEORY section 11).

Enters: a System; how far the kernel is from its fixed point, x, with x at l+1 = x - x^2 + ..; means as series in x.
Leaves: every tensor as a ``Series`` in x. With chi_par = dK'/dK = f'(x) = 1 - 2 x + .. and chi_perp = 1 - p x + .. a
tensor that feeds on itself with chi_par^a chi_perp^b has the homogeneous solution x^(2a + pb), before which stands a
constant that depends on the start. Constants are letters, so that what is left where they cancel is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ntkfeyn.asymptotics.one_input import Term, one_input
from ntkfeyn.asymptotics.series import NEVER, Falling, Series, Size, power_series
from ntkfeyn.asymptotics.sums import Number
from ntkfeyn.derivation.homogeneity import Mean
from ntkfeyn.derivation.recursion import Recursion, System
from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.derivation.susceptibilities import Susceptibility, self_part
from ntkfeyn.model.tensors import MEAN_KERNEL, TensorId


@dataclass(frozen=True)
class Setting:
    """The map of the kernel, chi_perp with its p, the means and the couplings, in the units of x.

    ``constants``: the letter of a tensor's constant.
    """

    falling: Falling
    perpendicular: Series
    p: Fraction
    means: Callable[[Mean], Series]
    couplings: Mapping[str, Number]
    constants: Callable[[TensorId], Number]

    @property
    def parallel(self) -> Series:
        """f'(x)."""
        f = self.falling.coefficients
        return power_series([c * j for j, c in enumerate(f)][1:], len(f) - 1)


def expansions(system: System, setting: Setting) -> dict[TensorId, Series]:
    """Every tensor of a system but K at order 0, at equal widths (tau = 1), for large depth."""
    found: dict[TensorId, Series] = {}
    for recursion in system.recursions:
        if recursion.id != MEAN_KERNEL:
            found[recursion.id] = _expansion(recursion, setting, found)
    return found


def _expansion(recursion: Recursion, setting: Setting, known: dict[TensorId, Series]) -> Series:
    part = self_part(recursion)
    powers = part.count(Susceptibility.PARALLEL), part.count(Susceptibility.PERPENDICULAR)
    one = setting.falling.field.number(1)
    own = setting.parallel.power(powers[0], one) * setting.perpendicular.power(powers[1], one)
    source = Series({}, NEVER)
    for term in one_input(recursion):
        if recursion.id not in term.tensors:
            source = source + _value(term, setting, known)
    m = 2 * powers[0] + setting.p * powers[1]
    return setting.falling.solution(m, own, source, setting.constants(recursion.id))


def _value(term: Term, setting: Setting, known: dict[TensorId, Series]) -> Series:
    number = setting.falling.field.number(term.coefficient)
    for name, power in term.couplings:
        if name not in (WIDTH_RATIO, TAU):
            number = number * setting.couplings[name] ** power
    product = Series({Size(0, 0): number} if number else {})
    for mean in term.means:
        product = product * setting.means(mean)
    for tensor in term.tensors:
        product = product * known[tensor]
    return product
