"""Wrapping for a terminal: formulas go on below their beginning; labels and expectations stay whole where they fit.

Enters: text and a width. Leaves: lines.
"""

from __future__ import annotations

import re


def wrapped(text: str, width: int) -> str:
    """Every line that is longer than ``width``, continued below what follows its id."""
    return "\n".join(part for line in text.split("\n") for part in _below_id(line, width))


def _below_id(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    head = re.match(r"\s*(\S.*?\s{3,})?", line)
    begin = head.end() if head and head.end() <= width // 2 else 0
    first, *rest = wrap(line[begin:], width, " " * begin)
    return [line[:begin] + first[begin:], *rest]


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most ``width``, continued two deeper; labels and expectations stay whole where they fit."""
    lines, line = [], indent
    words = re.findall(r"(?:[-+] )?(?:\{(?:[^{}]|\{[^{}]*\})*\}|⟨[^⟩]*⟩|\S)+", text)
    while words:
        word = words.pop(0)
        gap = "" if line.strip() == "" else " "
        if len(line) + len(gap) + len(word) <= width:
            line += gap + word
        elif gap:
            lines.append(line)
            line = indent + "  "
            words.insert(0, word)
        else:  # longer than a line: broken at a blank, else anywhere
            room = width - len(line)
            cut = word.rfind(" ", 1, room + 1)
            cut = cut if cut > 0 else room
            lines.append(line + word[:cut])
            line = indent + "  "
            words[:0] = [word[cut:].lstrip()]
    return [*lines, line]
