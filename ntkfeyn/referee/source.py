"""Source: the text of a document in one piece, with places for messages, comments and verbatim text blanked.

Enters: text, or a file with the files that it takes in. Leaves: ``Source``. An offset means a line and a column of one
of the files.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from ntkfeyn.errors import LimitError, NtkfeynError, RequestError
from ntkfeyn.runtime.files import read_file

MAX_BYTES = 4_000_000  # of all files together
MAX_FILES = 200
MAX_NESTED = 10  # files in files
_HIDDEN = re.compile(
    r"\\begin\{(verbatim\*?|lstlisting|comment)\}.*?\\end\{\1\}|\\verb\*?([^A-Za-z\s*])[^\n]*?\2|(?<!\\)((?:\\\\)*)%[^\n]*",
    re.DOTALL,
)
_INPUT = re.compile(r"\\(?:input|include|subfile)\s*(?:\{([^{}\n]{1,200})\}|([^\s\\{}%]{1,200}))")


class Place(NamedTuple):
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return (f"{self.file}: " if self.file else "") + f"line {self.line}, column {self.column}"


class Piece(NamedTuple):
    """A part of the whole text: where it starts there, and which part of which file it is."""

    start: int
    file: str
    offset: int


@dataclass(frozen=True)
class Source:
    """``text`` has blanks where comments were; ``originals`` are the files as they are on disk."""

    text: str
    pieces: tuple[Piece, ...]
    originals: dict[str, str]

    def place(self, offset: int) -> Place:
        piece, local = self.located(offset)
        before = self.originals[piece.file][:local]
        return Place(piece.file, before.count("\n") + 1, local - before.rfind("\n"))

    def located(self, offset: int) -> tuple[Piece, int]:
        """The piece, and the offset in its file."""
        piece = self.pieces[max(0, bisect_right([p.start for p in self.pieces], offset) - 1)]
        return piece, piece.offset + offset - piece.start

    def refuse(self, offset: int, found: str, expected: str) -> NoReturn:
        """Raises RequestError: what stands where, and what was expected."""
        raise RequestError(f"{self.place(min(offset, len(self.text)))}: {found}", expected)


def blanked(text: str) -> str:
    """The same length and lines, without comments and what is printed as it stands."""

    def blank(match: re.Match[str]) -> str:
        kept = match[3] or ""
        return kept + re.sub(r"[^\n]", " ", match[0][len(kept) :])

    return _HIDDEN.sub(blank, text)


def text_source(text: str, file: str = "") -> Source:
    """A text that takes in no files. Raises LimitError."""
    if len(text) > MAX_BYTES:
        raise LimitError(f"the text has {len(text)} signs; at most {MAX_BYTES} are read")
    return Source(blanked(text), (Piece(0, file, 0),), {file: text})


def file_source(path: Path) -> Source:
    """A file and, where it takes in others by \\input, those. Raises NtkfeynError."""
    return _Loader(path.parent).load(path)


class _Loader:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.parts: list[str] = []
        self.pieces: list[Piece] = []
        self.originals: dict[str, str] = {}
        self.length = self.files = 0

    def load(self, path: Path) -> Source:
        self._read(path, str(path), 0)
        return Source("".join(self.parts), tuple(self.pieces), self.originals)

    def _read(self, path: Path, name: str, depth: int) -> None:
        self.files += 1
        if self.files > MAX_FILES or depth > MAX_NESTED:
            raise LimitError(f"'{name}': at most {MAX_FILES} files are taken in, {MAX_NESTED} inside each other")
        data = read_file(path, MAX_BYTES)
        try:
            original = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            original = data.decode("latin-1")
        self.originals[name] = original
        text, position = blanked(original), 0
        for match in _INPUT.finditer(text):
            inner = self._found((match[1] or match[2]).strip())
            if inner is None:
                continue
            self._add(text[position : match.start()], name, position)
            self._read(inner, str(inner), depth + 1)
            position = match.end()
        self._add(text[position:], name, position)

    def _found(self, name: str) -> Path | None:
        """The file, if it is there and lies below the document's directory: nothing else is read."""
        for candidate in (self.directory / f"{name}.tex", self.directory / name):
            try:
                if candidate.is_file() and candidate.resolve().is_relative_to(self.directory.resolve()):
                    return candidate
            except (OSError, ValueError):
                continue
        return None

    def _add(self, text: str, name: str, offset: int) -> None:
        self.length += len(text)
        if self.length > MAX_BYTES:
            raise LimitError(f"the document has more than {MAX_BYTES} signs, which is the most that is read")
        self.pieces.append(Piece(self.length - len(text), name, offset))
        self.parts.append(text)


def stream_source(read: Callable[[int], str]) -> Source:
    """What stands on a stream. Raises NtkfeynError."""
    try:
        return text_source(read(MAX_BYTES + 1))
    except UnicodeDecodeError as error:
        raise NtkfeynError("the standard input is not UTF-8; try a file") from error
