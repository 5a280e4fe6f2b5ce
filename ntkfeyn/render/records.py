"""Records as files and as HTML: what everything that the Python interface returns has in common.

Enters: a record that says which formats it has. Leaves: files written whole; tables and texts that a notebook shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from ntkfeyn.errors import bad_request
from ntkfeyn.render.json import to_text
from ntkfeyn.runtime.files import write_file

Formats = Mapping[str, Callable[[], str | bytes]]  # by the ending of a file


class Record(ABC):
    """A record with ``save``."""

    @abstractmethod
    def formats(self) -> Formats:
        """What makes the contents of a file, by its ending."""

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a file; its ending says what: .json always, and others that ``formats`` lists. Raises NtkfeynError."""
        target, known = Path(path), self.formats()
        if target.suffix not in known:
            raise bad_request(f"to save as '{target}'", f"allowed are {', '.join(known)}", next(iter(known)))
        return write_file(target, known[target.suffix]())


def json_of(document: Any) -> Callable[[], str]:
    """The text of a document of plain data, made when it is asked for."""
    return lambda: document if isinstance(document, str) else to_text(document)


def html_text(text: str) -> str:
    """A text as it stands on a terminal."""
    return f'<pre style="line-height: 1.3">{escape(text)}</pre>'


def html_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column are names; nothing in a cell is markup."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(
        f"<tr><th>{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
