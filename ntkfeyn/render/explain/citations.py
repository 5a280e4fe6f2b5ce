"""Where a diagram stands in emitted files: the lines of LaTeX, Python and C that carry its id.

Enters: a Diagram as drawn. Leaves: file names, line numbers and lines, rendered in memory; nothing is written.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from ntkfeyn.codegen.backends import code_files
from ntkfeyn.codegen.ir import program
from ntkfeyn.derivation.recursion import derive_recursion, derive_system
from ntkfeyn.errors import LimitError
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.targets import default_targets
from ntkfeyn.render.latex.appendix import LatexOptions, latex_files
from ntkfeyn.render.templates import file_stem

LANGUAGES = ("latex", "python", "c")
HIGHEST = 3  # correction whose files are rendered in seconds


class Citation(NamedTuple):
    """A line that carries an id: ``line`` counts from 1, ``file`` is relative to the directory of `emit -o`."""

    language: str
    command: str
    file: str
    line: int
    text: str
    following: str


def citations(cumulant: Cumulant, order: int, diagram_id: str) -> tuple[Citation, ...]:
    """Every line of what `emit` writes for this cumulant and order alone that carries ``diagram_id``.

    Raises LimitError if the system that code needs is beyond the limits.
    """
    if order - cumulant.leading_order > HIGHEST:
        raise LimitError(f"files are rendered here up to {HIGHEST} orders above the leading one")
    target = (cumulant, order)
    stem = file_stem([target], default_targets())
    asked = _asked(cumulant, order)
    files = {"latex": latex_files([derive_recursion(*target)], stem, LatexOptions())}
    code = program(derive_system([(cumulant.name, order)]))
    files |= {language: code_files(code, stem, language) for language in ("python", "c")}
    exact = re.compile(rf"(?<![\w+,()./:-]){re.escape(diagram_id)}(?![0-9a-z])")
    found = []
    for language in LANGUAGES:
        for name, text in files[language].items():
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
