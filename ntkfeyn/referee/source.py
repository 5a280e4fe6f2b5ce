"""Source: the text of a document in one piece, with places for messages, comments and verbatim text blanked.

Enters: text, or a file with the files that it takes in. Leaves: ``Source``. An offset means a line and a column of one
of the files.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, NoReturn

from ntkfeyn.errors import LimitError, NtkfeynError, RequestError
from ntkfeyn.runtime.files import read_file

MAX_BYTES = 4_000_000  # of all files together
MAX_FILES = 200
MAX_NESTED = 10  # files in files
MAX_VERB = 1000  # signs between the bars of \verb
VERBATIM = ("verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "comment")
_HIDDEN = re.compile(
    rf"\\begin\{{({'|'.join(map(re.escape, VERBATIM))})\}}|\\verb\*?([^A-Za-z\s*])|(\\iffalse)(?![A-Za-z@])|\\.|(%)",
    re.DOTALL,
)
_INPUT = re.compile(
    r"\\(?:input|include|subfile)(?![A-Za-z@])\s*(?:\{([^{}\n]{1,200})\}|([^\s\\{}%]{1,200}))"
)  # each repetition is bounded, or ends where the next sign of its kind begins: linear
_NOT_LINES = re.compile(r"[^\n]+")


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
    absent: tuple[tuple[int, str], ...] = ()  # files that are taken in and not there: where, and their names

    def place(self, offset: int) -> Place:
        piece, local = self.located(offset)
        starts = self._lines(piece.file)
        line = bisect_right(starts, local)
        return Place(piece.file, line, local - starts[line - 1] + 1)

    def located(self, offset: int) -> tuple[Piece, int]:
        """The piece, and the offset in its file."""
        piece = self.pieces[max(0, bisect_right(self._starts, offset) - 1)]
        return piece, piece.offset + offset - piece.start

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.start for piece in self.pieces]

    @cached_property
    def _known_lines(self) -> dict[str, array[int]]:
        return {}

    def _lines(self, file: str) -> array[int]:
        """Where the lines of a file begin: counted once."""
        if file not in self._known_lines:
            ends = (match.end() for match in re.finditer("\n", self.originals[file]))
            self._known_lines[file] = array("I", [0, *ends])
        return self._known_lines[file]

    def refuse(self, offset: int, found: str, expected: str) -> NoReturn:
        """Raises RequestError: what stands where, and what was expected."""
        raise RequestError(f"{self.place(min(offset, len(self.text)))}: {found}", expected)


def blanked(text: str) -> str:
    """The same length and lines, without comments and what is printed as it stands: in one pass."""
    parts: list[str] = []
    position = kept = 0
    endless = set[str]()
    while (match := _HIDDEN.search(text, position)) is not None:
        position = match.end()
        stop = _hidden_end(text, match, endless)
        if stop >= 0:
            parts += [text[kept : match.start()], _NOT_LINES.sub(_blank, text[match.start() : stop])]
            position = kept = stop
    return "".join([*parts, text[kept:]])


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _hidden_end(text: str, match: re.Match[str], endless: set[str]) -> int:
    """Where what is hidden ends; -1 if nothing is. ``endless``: ends that do not come any more."""
    if match[4]:  # a comment, to the end of its line
        stop = text.find("\n", match.end())
        return stop if stop >= 0 else len(text)
    if match[2]:
        stop = text.find(match[2], match.end(), match.end() + MAX_VERB)
        return -1 if stop < 0 or "\n" in text[match.end() : stop] else stop + 1
    if not (match[1] or match[3]):
        return -1
    end = rf"\end{{{match[1]}}}" if match[1] else r"\fi"
    stop = -1 if end in endless else text.find(end, match.end())
    if stop < 0:
        endless.add(end)
    return stop + len(end) if stop >= 0 else -1


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
        self.absent: list[tuple[int, str]] = []
        self.length = self.files = 0
        self.open: list[str] = []  # files in which we are
        self.known: dict[str, Path | None] = {}

    def load(self, path: Path) -> Source:
        self._read(path, str(path))
        return self._source()

    def _source(self) -> Source:
        return Source("".join(self.parts), tuple(self.pieces), self.originals, tuple(self.absent))

    def _read(self, path: Path, name: str) -> None:
        self.files += 1
        data = read_file(path, MAX_BYTES)
        try:
            original = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            original = data.decode("latin-1")
        self.originals[name] = original
        self.open.append(name)
        text, position = blanked(original), 0
        for match in _INPUT.finditer(text):
            wanted = (match[1] or match[2]).strip()
            inner = self._found(wanted)
            if inner is None:
                self.absent.append((self.length + match.start() - position, wanted))
                continue
            self._add(text[position : match.start()], name, position)
            self._allowed(str(inner), name, match.start())
            self._read(inner, str(inner))
            position = match.end()
        self._add(text[position:], name, position)
        self.open.pop()

    def _allowed(self, inner: str, name: str, position: int) -> None:
        """Refuses circles, and too many files."""
        reason = f"the file '{inner}' takes itself in" if inner in self.open else ""
        if self.files >= MAX_FILES or len(self.open) > MAX_NESTED:
            reason = reason or "one file too many is taken in"
        if reason:
            self.pieces.append(Piece(self.length, name, position))
            expected = f"at most {MAX_FILES} files are read, {MAX_NESTED} inside each other and none inside itself"
            self._source().refuse(self.length, reason, expected)

    def _found(self, name: str) -> Path | None:
        if name not in self.known:
            self.known[name] = self._searched(name)
        return self.known[name]

    def _searched(self, name: str) -> Path | None:
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
