"""Errors that a user can cause. Every message says what was asked, what is allowed and what to try."""

from __future__ import annotations

from collections.abc import Iterable


class NtkfeynError(Exception):
    """A request that cannot be answered; the command line prints it and ends with exit code 2.

    ``reason`` is what is wrong; the message goes on with the advice, what is allowed or what to try.

    >>> import ntkfeyn as nf
    >>> nf.derive("F", order=13)
    Traceback (most recent call last):
    ntkfeyn.errors.LimitError: order 13 was asked for F; at most 12 is allowed. Try: order 1
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}; {advice}" if advice else reason)
        self.reason = reason


class RequestError(NtkfeynError):
    """The request itself is malformed: an unknown name, a broken channel, an impossible order."""


class LimitError(NtkfeynError):
    """The request is well formed but larger than the stated limits."""


def closest(name: str, allowed: Iterable[str]) -> str:
    """What was probably meant, or nothing; case does not count."""
    from difflib import get_close_matches

    lowered = {known.lower(): known for known in allowed}
    match = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return lowered[match[0]] if match else ""


def bad_request(asked: str, allowed: str, hint: str = "") -> RequestError:
    """One clear message: what was asked, what is allowed, what to try."""
    return RequestError(asked, f"{allowed}. Try: {hint}" if hint else allowed)


def too_large(asked: str, allowed: str, hint: str) -> LimitError:
    """The same, of a limit, which is part of what is wrong."""
    error = LimitError(f"{asked}; {allowed}. Try: {hint}")
    error.reason = f"{asked}; {allowed}"
    return error
