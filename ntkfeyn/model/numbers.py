"""Numbers as they are typed, alone or in lists: plain ASCII, without the underscores and digits of other scripts that
Python's ``int`` and ``float`` take. Blanks may stand around them, as in "32, 64"."""

from __future__ import annotations

import re
from typing import Any

from ntkfeyn.errors import bad_request

_WRITTEN = {int: re.compile(r"[-+]?[0-9]{1,40}"), float: re.compile(r"[-+.0-9A-Za-z]{1,60}")}


def read_number(text: str, kind: type[float] | type[int]) -> Any:
    """An int or a float, inf and nan among them. Raises ValueError."""
    text = text.strip(" ")
    if not _WRITTEN[kind].fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no plain number")
    return kind(text)


def parse_widths(text: str) -> list[int | tuple[int, ...]]:
    """Settings separated by commas, each one width or one a hidden layer: 32,64 or 32:64:32,16:16:16."""
    try:
        settings = [tuple(read_number(word, int) for word in setting.split(":")) for setting in text.split(",")]
    except ValueError as error:
        raise bad_request(
            f"--width '{text[:60]}' was asked for",
            "positive integers are allowed, one or one a hidden layer, several settings by comma",
            "--width 32,64, or --width 32:64:32 with --depth 4",
        ) from error
    return [widths[0] if len(widths) == 1 else widths for widths in settings]


def parse_numbers(option: str, text: str) -> float | tuple[float, ...]:
    """One number or one a layer: 2 or 1:2:2."""
    try:
        numbers = tuple(read_number(word, float) for word in text.split(":"))
    except ValueError as error:
        allowed = "a number, or one a layer as 1:2:2, is allowed"
        raise bad_request(f"{option} '{text[:60]}' was asked for", allowed, f"{option} 1.5") from error
    return numbers[0] if len(numbers) == 1 else numbers


def read_numbers(option: str, text: str, kind: type[float] | type[int]) -> list[Any]:
    """Numbers separated by commas. Raises RequestError."""
    try:
        return [read_number(word, kind) for word in text.split(",")]
    except ValueError as error:
        raise bad_request(
            f"{option} '{text[:60]}' was asked for", "numbers separated by commas are allowed", f"{option} 1,10"
        ) from error
