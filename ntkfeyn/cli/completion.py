"""Completion: what the shell offers for names of tensors and activations; nothing slow is imported for it."""

from __future__ import annotations

from collections.abc import Callable

import click

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def offering(*words: str) -> Completer:
    """Those of the words that go on from what is typed."""
    return lambda _context, _param, typed: [word for word in words if word.startswith(typed)]


def tensor_names(_context: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """K, Theta, V, ..; after an @ nothing is offered: an order is a number."""
    from ntkfeyn.model.tensors import NAMES

    return [name for name in (*NAMES, "all") if name.startswith(typed)]


def activation_names(_context: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """linear, relu, leaky_relu(, ..; after a colon those of the next layer."""
    from ntkfeyn.model.activations import NAMES, SEPARATOR

    before, colon, last = typed.rpartition(SEPARATOR)
    words = [name.removesuffix("a)") for name in NAMES]
    return [before + colon + word for word in words if word.startswith(last)]
