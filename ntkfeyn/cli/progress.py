"""What is being done, on stderr: a progress bar for people; elsewhere a line now and then, none where work is short."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ntkfeyn.model.targets import Target

LARGE_ORDER, LARGE_SLOTS = 3, 8
EVERY = 30.0  # seconds between lines where no bar is shown
PLANNING = "deriving and planning"
AGAIN = "once more, with finer rules"


def watched() -> bool:
    """stderr is a terminal, and one where lines can be drawn anew."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class Steps:
    """Called after each of ``total`` steps with what it was; ``draw`` shows (text, steps done, their number).

    ``beyond`` says what goes on after them.
    """

    def __init__(self, label: str, total: int, draw: Callable[[str, int, int | None], None], beyond: str) -> None:
        self.total, self.draw, self.beyond = total, draw, beyond
        self.done = 0
        self.say(f"{label}: {PLANNING}")

    def __call__(self, text: str) -> None:
        self.done += 1
        self.say(text)

    def say(self, text: str) -> None:
        """Show what is being done, without a step."""
        over = self.done >= self.total > 0
        self.draw(f"{text}, {self.beyond}" if over else text, self.done, None if over else self.total)


class _Doing:
    """What the lines off a terminal say; one command runs at a time."""

    text = "working"


def _note(text: str, done: int, total: int | None) -> None:
    _Doing.text = f"{text}, step {done} of {total}" if total and done else text


@contextmanager
def progress(label: str, total: int, beyond: str = "finishing") -> Iterator[Steps]:
    """Yields what to call after each of ``total`` steps."""
    if not watched():
        yield Steps(label, total, _note, beyond)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total or None)

        def draw(text: str, done: int, total: int | None) -> None:
            bar.update(
                task, completed=done, total=total or None, description=text
            )  # without a total it moves to and fro

        yield Steps(label, total, draw, beyond)


@contextmanager
def waiting(label: str, targets: Sequence[Target]) -> Iterator[None]:
    """A spinner on stderr while one piece of work runs whose length is not known; only where it can take seconds."""
    _note(label, 0, None)
    large = any(order >= LARGE_ORDER or len(shape.labels) >= LARGE_SLOTS for shape, order in targets)
    if not large or not watched():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(label):
        yield


@contextmanager
def said_off_terminals() -> Iterator[None]:
    """Where nobody sees a bar, a line every half minute says what is being done: silence looks like a hang."""
    if watched() or sys.stderr is None:
        yield
        return
    over, start = threading.Event(), time.monotonic()
    _note("working", 0, None)

    def tell() -> None:
        while not over.wait(EVERY):
            with suppress(OSError, ValueError):
                click.echo(f"ntkfeyn: {_Doing.text}, {time.monotonic() - start:.0f} s", err=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join(1.0)
