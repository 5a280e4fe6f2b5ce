"""What is asked of `ntkfeyn depth`, checked: an activation, couplings, weights, widths, where the network starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ntkfeyn.asymptotics.fields import Letters, Rational
from ntkfeyn.asymptotics.homogeneous import Homogeneous
from ntkfeyn.asymptotics.sums import Number
from ntkfeyn.errors import bad_request
from ntkfeyn.model.activations import PolynomialText, TwoSlopes, read_activation
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble

CRITICAL, ANY = "critical", "any"  # values of C_W beside numbers
EQUAL = "equal"
FIXED, NEAR = "fixed", "near"
ODD = "odd"  # any odd activation, its Taylor coefficients letters
LETTER, GRAM, CHI = "a", "q", "chi"
_OPEN_LEAKY = re.compile(r"leaky_relu\(\s*a\s*\)")
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?(?:/\d{1,40})?", re.ASCII)
Slopes = tuple[Fraction, Fraction]  # right and left of 0


@dataclass(frozen=True)
class DepthRequest:
    """``cw`` is a number, "critical" or "any" (a letter chi = C_W <s' s'>); ``cb`` None is the critical one.

    ``widths`` "equal" or "any" (sums over them are left); ``start`` "fixed" (K^(1) = K* > 0) or "near" (K falls to it).
    """

    activation: str
    cw: Fraction | str = CRITICAL
    cb: Fraction | None = None
    lambda_w: Fraction = Fraction(1)
    lambda_b: Fraction = Fraction(0)
    weights: str = GAUSSIAN
    widths: str = EQUAL
    start: str = FIXED

    def check(self) -> None:
        """Raises RequestError for a value that is not allowed."""
        check_ensemble(self.weights)
        if self.widths not in (EQUAL, ANY):
            raise bad_request(f"--widths {self.widths[:40]}", f"allowed are {EQUAL}, {ANY}", f"--widths {ANY}")
        if self.start not in (FIXED, NEAR):
            raise bad_request(f"--start {self.start[:40]}", f"allowed are {FIXED}, {NEAR}", f"--start {NEAR}")
        for option, value in (("--lambda-w", self.lambda_w), ("--lambda-b", self.lambda_b), ("--cb", self.cb or 0)):
            if value < 0:
                raise bad_request(f"{option} {value}", "a number from 0 up is allowed", f"{option} 1")
        if not isinstance(self.cw, str) and self.cw <= 0:
            raise bad_request(f"--cw {self.cw}", "a number above 0 is allowed", "--cw 2")
        if self.slopes is None and not (self.lambda_w or self.lambda_b):
            raise bad_request(
                "lambda_W = lambda_b = 0", "one of them must not be 0: else no NTK is left", "--lambda-w 1"
            )
        if self.slopes is None and self.tuned:
            raise bad_request(
                f"couplings of one's own, or unequal widths, for '{self.activation[:40]}'",
                "they are allowed for linear, relu and leaky_relu(a); other activations are solved at their critical"
                " point and equal widths",
                "ntkfeyn evaluate, for numbers layer by layer",
            )

    @property
    def tuned(self) -> bool:
        """Whether anything is asked that only homogeneous activations have."""
        return self.cw != CRITICAL or self.cb is not None or self.widths != EQUAL

    @property
    def open_slope(self) -> bool:
        """Whether the slope of a LeakyReLU is a letter."""
        return _OPEN_LEAKY.fullmatch(self.activation.strip()) is not None

    @property
    def slopes(self) -> Slopes | None:
        """Of a homogeneous activation (0 for a letter), else None. Raises RequestError for no activation."""
        if self.open_slope:
            return Fraction(1), Fraction(0)
        if self.activation.strip() == ODD:
            return None
        match read_activation(self.activation):
            case TwoSlopes(_, right, left):
                return Fraction(repr(right)), Fraction(repr(left))
            case PolynomialText(_, (constant, slope)) if not constant and slope:
                return slope, slope
        return None

    def homogeneous(self) -> Homogeneous:
        """The setting of a homogeneous activation; q = x.x'/n_0 is a letter where there are biases, else 1."""
        right, left = self.slopes or (Fraction(0), Fraction(0))
        biased = bool(self.cb or self.lambda_b)
        names = (LETTER,) * self.open_slope + (CHI,) * (self.cw == ANY) + (GRAM,) * biased
        letters = Letters(names) if names else None
        number = letters.number if letters else Rational().number
        slopes = number(right), letters.letter(LETTER) if letters and self.open_slope else number(left)
        slope = (slopes[0] ** 2 + slopes[1] ** 2) * number(Fraction(1, 2))  # <s' s'>
        if not slope:
            raise bad_request(f"'{self.activation}' is zero", "an activation with a slope is allowed", "relu")
        chi: Number = number(1)
        if letters and self.cw == ANY:
            chi = letters.letter(CHI)
        elif not isinstance(self.cw, str):
            chi = number(self.cw) * slope
        field = Letters(names, chi) if letters else Rational(chi)
        couplings = {
            "C_W": chi / slope,
            "C_b": number(self.cb or 0),
            "lambda_W": number(self.lambda_w),
            "lambda_b": number(self.lambda_b),
        }
        gram = letters.letter(GRAM) if letters and biased else number(1)
        return Homogeneous(field, *slopes, couplings, gram, base=bool(chi != 1), equal=self.widths == EQUAL)


def exact_number(option: str, text: str | float | Fraction) -> Fraction:
    """A number as a fraction, decimals as they are written. Raises RequestError."""
    written = str(text).strip()
    if not _NUMBER.fullmatch(written) or written.endswith("/0"):
        raise bad_request(f"{option} '{written[:40]}'", "a number such as 1.5 or 3/2 is allowed", f"{option} 1.5")
    above, _, below = written.partition("/")
    divisor = Fraction(below or 1)
    if not divisor:
        raise bad_request(f"{option} '{written[:40]}'", "a number such as 1.5 or 3/2 is allowed", f"{option} 1.5")
    return Fraction(above) / divisor


def depth_request(
    activation: str,
    cw: float | str | Fraction = CRITICAL,
    cb: float | str | Fraction | None = None,
    lambda_w: float | str | Fraction = 1,
    lambda_b: float | str | Fraction = 0,
    weights: str = GAUSSIAN,
    widths: str = EQUAL,
    start: str = FIXED,
) -> DepthRequest:
    """A request as typed: numbers as floats, fractions or texts such as 3/2. Raises RequestError."""
    return DepthRequest(
        activation,
        cw if cw in (CRITICAL, ANY) else exact_number("--cw", cw),
        None if cb is None else exact_number("--cb", cb),
        exact_number("--lambda-w", lambda_w),
        exact_number("--lambda-b", lambda_b),
        weights,
        widths,
        start,
    )
