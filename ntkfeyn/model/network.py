"""Networks: widths, couplings and activation of theory section 1, checked once.

Enters: what the user asks for. Leaves: a frozen ``Network`` whose properties list everything a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING

from ntkfeyn.errors import LimitError, RequestError, bad_request

if TYPE_CHECKING:
    from ntkfeyn.expectations.activations import Activation

MAX_DEPTH = 1000
MAX_WIDTH = 10**9


@dataclass(frozen=True)
class Network:
    """A fully connected network with layers 1..depth; layer ``depth`` is the output.

    ``width``: one width for all hidden layers or ``depth - 1`` of them. ``cw, cb, lambda_w, lambda_b``: C_W, C_b and
    the gradient weights lambda_W, lambda_b of theory section 1, one number or one a layer. ``activation``: a name or
    an expression in z. Raises RequestError or LimitError for values that make no network.
    """

    depth: int
    width: int | Sequence[int] = 1
    activation: str = "relu"
    cw: float | Sequence[float] = 1.0
    cb: float | Sequence[float] = 0.0
    lambda_w: float | Sequence[float] = 1.0
    lambda_b: float | Sequence[float] = 0.0

    def __post_init__(self) -> None:
        if type(self.depth) is not int or self.depth < 1:
            raise bad_request(f"depth {self.depth!r} was asked for", "an integer from 1 up is allowed", "--depth 4")
        if self.depth > MAX_DEPTH:
            raise LimitError(f"depth {self.depth} was asked for; at most {MAX_DEPTH} is allowed")
        given = (self.width,) if isinstance(self.width, int) else tuple(self.width)
        object.__setattr__(self, "width", given[0] if len(given) == 1 else given)
        if len(given) not in (1, self.depth - 1) or not all(type(n) is int and 1 <= n <= MAX_WIDTH for n in given):
            raise bad_request(
                f"width {':'.join(map(str, given))} was asked for at depth {self.depth}",
                f"one positive integer or {self.depth - 1} of them (one a hidden layer) are allowed",
                "--width 64, or --width 32:64:32 with --depth 4",
            )
        if len(set(given)) == 1:  # 8:8 is 8: one text, one stream of random numbers
            object.__setattr__(self, "width", given[0])
        for name, positive in (("cw", True), ("cb", False), ("lambda_w", False), ("lambda_b", False)):
            object.__setattr__(self, name, self._couplings(name, positive))
        self.function  # noqa: B018 (an unknown activation is refused here)

    def _couplings(self, name: str, positive: bool) -> tuple[float, ...]:
        value = getattr(self, name)
        given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        option = "--" + name.replace("_", "-")
        for one in given:
            if not isinstance(one, Real) or isinstance(one, bool) or not isfinite(one):
                raise bad_request(f"{option} {one!r} was asked for", "a finite number is allowed", f"{option} 1.5")
            if one < 0 or (positive and one == 0):
                allowed = "a positive number is allowed" if positive else "a number from 0 up is allowed"
                raise bad_request(f"{option} {one} was asked for", allowed, f"{option} 1.5")
        if len(given) not in (1, self.depth):
            raise bad_request(
                f"{option} has {len(given)} values at depth {self.depth}",
                f"one number or {self.depth} of them (one a layer) are allowed",
                f"{option} 2",
            )
        return tuple(map(float, given)) * (self.depth if len(given) == 1 else 1)

    @cached_property
    def function(self) -> Activation:
        """The activation as numbers need it."""
        from ntkfeyn.expectations.activations import activation

        return activation(self.activation)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths n_1 .. n_(depth-1)."""
        return (self.width,) * (self.depth - 1) if isinstance(self.width, int) else tuple(self.width)

    @property
    def width_text(self) -> str:
        """64 for equal widths, else 32:64:32."""
        if len(set(self.hidden)) > 1:
            return ":".join(map(str, self.hidden))
        return str(self.hidden[0] if self.hidden else self.width)

    def couplings(self, layer: int) -> tuple[float, float, float, float]:
        """C_W, lambda_W, C_b, lambda_b of a layer."""
        rows = (self.cw, self.lambda_w, self.cb, self.lambda_b)
        return tuple(row[layer - 1] for row in rows)  # type: ignore[index,return-value]

    def ratio(self, layer: int) -> float:
        """n_l / n_(l-1) for the step up from layer l; 1 at l = 1, where it multiplies nothing."""
        return self.hidden[layer - 1] / self.hidden[layer - 2] if layer > 1 else 1.0


def width_below(hidden: Sequence[int], layer: int) -> int:
    """n of a layer's expansion in 1/n: the width of the layer below; 1 at layer 1, which has no corrections."""
    return hidden[layer - 2] if layer > 1 else 1


def parse_widths(text: str) -> list[int | tuple[int, ...]]:
    """Settings separated by commas, each one width or one a hidden layer: 32,64 or 32:64:32,16:16:16."""
    found: list[int | tuple[int, ...]] = []
    for setting in text.split(","):
        words = [word.strip() for word in setting.split(":")]
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            raise bad_request(
                f"--width '{text[:60]}' was asked for",
                "positive integers are allowed, one or one a hidden layer, several settings by comma",
                "--width 32,64, or --width 32:64:32 with --depth 4",
            )
        widths = tuple(map(int, words))
        found.append(widths[0] if len(widths) == 1 else widths)
    return found


def parse_numbers(option: str, text: str) -> float | tuple[float, ...]:
    """One number or one a layer: 2 or 1:2:2."""
    try:
        numbers = tuple(float(word) for word in text.split(":"))
    except ValueError as error:
        raise _not_numbers(option, text) from error
    return numbers[0] if len(numbers) == 1 else numbers


def _not_numbers(option: str, text: str) -> RequestError:
    return bad_request(
        f"{option} '{text[:60]}' was asked for", "a number, or one a layer as 1:2:2, is allowed", f"{option} 1.5"
    )
