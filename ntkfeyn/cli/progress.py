"""A progress bar on stderr, for people only: silent when stderr is no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntkfeyn.model.targets import Target

LARGE_ORDER, LARGE_SLOTS = 3, 8


def watched() -> bool:
    """stderr is a terminal, and one where lines can be drawn anew."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[str], None]]:
    """Yields a function to call after each of ``total`` steps, with what comes next."""
    if not watched() or total < 1:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda text: bar.update(task, advance=1, description=text)


@contextmanager
def waiting(label: str, targets: Sequence[Target]) -> Iterator[None]:
    """A spinner on stderr while one piece of work runs whose length is not known; only where it can take seconds."""
    large = any(order >= LARGE_ORDER or len(shape.labels) >= LARGE_SLOTS for shape, order in targets)
    if not large or not watched():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(label):
        yield
