"""Wrapping for a terminal: long formulas go on below their beginning, never broken inside a bracket."""

from __future__ import annotations

import re
import shutil
import sys

LEAST = 40
OPENING, CLOSING = "({[⟨", ")}]⟩"


def fitted(text: str) -> str:
    """Wrapped to the terminal's width; unchanged where stdout is no terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return text
    return wrapped(text, max(shutil.get_terminal_size().columns, LEAST))


def wrapped(text: str, width: int) -> str:
    """Lines of at most ``width`` characters where spaces outside of brackets allow it."""
    return "\n".join(part for line in text.split("\n") for part in _wrapped_line(line, width))


def _wrapped_line(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    head = re.match(r"\s*(\S.*?\s{3,})?", line)
    hang = min(head.end() if head else 0, width // 2) + 2
    lines, current = [], ""
    for word in _words(line):
        if current.strip() and len(current) + len(word.rstrip()) > width:
            lines.append(current.rstrip())
            current = " " * hang + word.lstrip()
        else:
            current += word
    return [*lines, current.rstrip()]


def _words(line: str) -> list[str]:
    """Pieces that end after spaces outside of brackets; together they are the line."""
    pieces, depth, start = [], 0, 0
    for i, sign in enumerate(line):
        depth = max(0, depth + (sign in OPENING) - (sign in CLOSING))
        if sign == " " and not depth and i + 1 < len(line) and line[i + 1] != " ":
            pieces.append(line[start : i + 1])
            start = i + 1
    return [*pieces, line[start:]]
