"""Errors that a user can cause. Every message says what was asked, what is allowed and what to try."""

from __future__ import annotations


class NtkfeynError(Exception):
    """A request that cannot be answered; the command line prints it and ends with exit code 2."""


class RequestError(NtkfeynError):
    """The request itself is malformed: an unknown name, a broken channel, an impossible order."""


class LimitError(NtkfeynError):
    """The request is well formed but larger than the stated limits."""


def bad_request(asked: str, allowed: str, hint: str = "") -> RequestError:
    """One clear message: what was asked, what is allowed, what to try."""
    message = f"{asked}; {allowed}"
    return RequestError(f"{message}. Try: {hint}" if hint else message)
