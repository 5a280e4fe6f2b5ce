"""Lists of numbers as they are typed."""

from __future__ import annotations

from typing import Any

from ntkfeyn.errors import bad_request


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
        allowed = "a number, or one a layer as 1:2:2, is allowed"
        raise bad_request(f"{option} '{text[:60]}' was asked for", allowed, f"{option} 1.5") from error
    return numbers[0] if len(numbers) == 1 else numbers


def read_numbers(option: str, text: str, kind: type[float] | type[int]) -> list[Any]:
    """Numbers separated by commas. Raises RequestError."""
    try:
        return [kind(word) for word in text.split(",")]
    except ValueError as error:
        raise bad_request(
            f"{option} '{text[:60]}' was asked for", "numbers separated by commas are allowed", f"{option} 1,10"
        ) from error
