"""A progress bar on stderr, for people only: silent when stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[str], None]]:
    """Yields a function to call after each of ``total`` steps, with what comes next."""
    if not sys.stderr.isatty() or total < 1:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda text: bar.update(task, advance=1, description=text)
