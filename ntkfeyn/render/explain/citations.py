"""Where a diagram stands in emitted files: the lines of LaTeX, Python and C that carry its id.

Enters: the files, as texts, and an id. Leaves: file names, line numbers and lines; nothing is written.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from ntkfeyn.model.cumulants import Cumulant, standard

EmittedFiles = Mapping[str, Mapping[str, str]]  # language -> file name, relative to the directory of `emit -o` -> text


class Citation(NamedTuple):
    """A line that carries an id: ``line`` counts from 1, ``file`` is relative to the directory of `emit -o`."""

    language: str
    command: str
    file: str
    line: int
    text: str
    following: str


def citations(emitted: EmittedFiles, cumulant: Cumulant, order: int, diagram_id: str) -> tuple[Citation, ...]:
    """Every line of what `emit` writes for this cumulant and order alone that carries ``diagram_id``."""
    asked = _asked(cumulant, order)
    exact = re.compile(rf"(?<![\w+,()./:-]){re.escape(diagram_id)}(?![0-9a-z])")
    found = []
    for language, files in emitted.items():
        for name, text in files.items():
            lines = [*text.splitlines(), ""]
            for number, line in enumerate(lines, start=1):
                if exact.search(line):
                    command = f"ntkfeyn emit --lang {language} {asked}"
                    found.append(Citation(language, command, name, number, line, lines[number]))
    return tuple(found)


def _asked(cumulant: Cumulant, order: int) -> str:
    """The request on a command line."""
    if cumulant == standard(cumulant.name):
        return shlex.quote(f"{cumulant.name}@{order}")
    legs = shlex.quote(cumulant.legs_text())
    return f"--legs {legs} --channel {cumulant.channel_text()} --order {order}"
