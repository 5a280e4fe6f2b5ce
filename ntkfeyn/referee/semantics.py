"""Semantics: both sides of a recursion as numbers at random points; equality there is equality.

Enters: a claim, its terms, our recursion. Leaves: pairs of numbers; the conditions under which both sides agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.referee.claims import Claim
from ntkfeyn.referee.evaluation import MAX_STEPS, Evaluator
from ntkfeyn.referee.exponentials import ExponentialPoint
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.points import HIGHEST, Point

POINTS = 3
SEED = 20250811
MAX_POWERS = 20_000  # of z, at a point whose activation is a polynomial
MOST_FOR_CONDITIONS = 60_000  # steps
EQUAL, SINGLE = "equal widths", "a single input"
CONDITIONS: dict[str, dict[str, Fraction]] = {
    "C_b = 0": {"C_b": Fraction(0)},
    "lambda_b = 0": {"lambda_b": Fraction(0)},
    "lambda_W = 1": {"lambda_W": Fraction(1)},
    "C_W = 1": {"C_W": Fraction(1)},
    EQUAL: {},
    SINGLE: {},
}
Pair = tuple[Fraction, Fraction]  # written, derived


def at_points(said: Claim, terms: Sequence[Term], recursion: Recursion, highest: int) -> list[Pair]:
    """Both sides at several points; ``highest`` derivative. Raises NtkfeynError.

    At the first the activation is a polynomial, unless means would take long; at the others a sum of exponentials.
    """
    size, found = len(said.samples), list[Pair]()
    first = first_point(size, highest)
    if not isinstance(first, ExponentialPoint):
        with suppress(LimitError):
            found.append(values(said, terms, recursion, first))
    others = (ExponentialPoint(SEED + k, size) for k in range(len(found), POINTS))
    return found + [values(said, terms, recursion, point) for point in others]


def first_point(size: int, highest: int, fixed: Mapping[str, Fraction] | None = None) -> Point:
    """A point whose activation is a polynomial, where means of it take little time; or else exponentials."""
    cheap = (highest + HIGHEST + 1) ** size <= MAX_POWERS
    return Point(SEED, size, highest, fixed) if cheap else ExponentialPoint(SEED, size, fixed)


def values(
    said: Claim,
    terms: Sequence[Term],
    recursion: Recursion,
    point: Point,
    one: bool = False,
    most: int = MAX_STEPS,
) -> Pair:
    """Both sides at a point; ``one``: all samples are the first."""
    samples = {label: 0 if one else sample for label, sample in said.samples.items()}
    slots = {slot: 0 if one else sample for slot, sample in said.by_slot.items()}
    evaluator = Evaluator(point, samples, most)
    written = sum((evaluator.value(term.node) * term.sign for term in terms), Fraction(0))
    written /= evaluator.value(said.scale)
    return written, sum((point.term(term, slots) for term in recursion.expanded), Fraction(0))


def conditions(said: Claim, terms: Sequence[Term], recursion: Recursion) -> tuple[str, ...]:
    """Conditions under which both sides agree, none of them needless; none if they never do."""

    def holds(chosen: Sequence[str]) -> bool:
        fixed = {name: value for condition in chosen for name, value in CONDITIONS[condition].items()}
        one = SINGLE in chosen
        points = (ExponentialPoint(SEED + k, 1 if one else len(said.samples), fixed, EQUAL in chosen) for k in range(2))
        try:
            pairs = (values(said, terms, recursion, point, one, MOST_FOR_CONDITIONS) for point in points)
            return all(written == derived for written, derived in pairs)
        except (RequestError, LimitError):  # a division by what is zero there, or endless work
            return False

    several = [name for name in CONDITIONS if name != SINGLE]
    needed = next((list(chosen) for chosen in (several, [*several, SINGLE]) if holds(chosen)), [])
    for name in tuple(needed):
        fewer = [other for other in needed if other != name]
        if holds(fewer):
            needed = fewer
    return tuple(needed)
