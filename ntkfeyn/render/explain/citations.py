"""Where a diagram stands in emitted files: the lines of LaTeX, Python and C that carry its id.

Enters: the files, as texts, and a diagram. Leaves: file names, line numbers and lines; nothing is written.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import weights_asked

EmittedFiles = Mapping[str, Mapping[str, str]]  # language -> file name, relative to the directory of `emit -o` -> text


class Citation(NamedTuple):
    """A line that carries an id: ``line`` counts from 1, ``file`` is relative to the directory of `emit -o`."""

    language: str
    command: str
    file: str
    line: int
    text: str
    following: str


def citations(emitted: EmittedFiles, diagram: Diagram) -> tuple[Citation, ...]:
    """Every line of what `emit` writes for the cumulant and order of a diagram alone that carries its id."""
    asked = _asked(diagram.cumulant, diagram.order) + weights_asked(diagram.weights)
    exact = re.compile(rf"(?<![\w+,()./:-]){re.escape(diagram.id)}(?![0-9a-z])")
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
