"""C: a header, a source, a small program and a Makefile that solve a System; C99, libm, no global state.

Enters: a ``Program``. Leaves: file names and texts. Templates hold what does not depend on the System.
"""

from __future__ import annotations

import re
from typing import Any

from ntkfeyn.codegen.c.formatter import CFormatter, braces, content, key, row
from ntkfeyn.codegen.ir import Program
from ntkfeyn.codegen.lowering import lower
from ntkfeyn.codegen.schedule import schedule
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.templates import renderer

MAX_DISTINCT = 4  # different samples in one expectation: a grid has one axis for each


def c_files(program: Program, stem: str, symbols: Symbols) -> dict[str, str]:
    """Source, header, program and Makefile; names in the code begin with the stem."""
    prefix = re.sub(r"\W", "_", stem)
    prefix = prefix if prefix[0].isalpha() else f"n{prefix}"
    code, formatter = lower(program), CFormatter(symbols)
    values = {
        "prefix": prefix,
        "stem": stem,
        **formatter.head(code),
        "targets": [str(target) for target in program.targets],
        **_tables(program),
        "steps": [
            {**formatter.step(one), "symmetries": [braces(image) for image in one.step.symmetries]}
            for one in code.steps
        ],
        "ranks": sorted({len(step.slots) for step in program.steps}),
    }
    render = renderer()
    names = {f"{stem}.c": "module.c", f"{stem}.h": "module.h", f"{stem}_main.c": "main.c", f"{stem}.mk": "makefile"}
    return {name: render(f"c/{template}.jinja", **values) for name, template in names.items()}


def _tables(program: Program) -> dict[str, Any]:
    """Expectations, placement tables and the schedule."""
    found = schedule(program.expectations, MAX_DISTINCT)
    return {
        "expectations": [(key(orders), len(orders), braces(orders)) for orders in program.expectations],
        "slots": max(map(len, program.expectations)),
        "labels": max((len(one.labels) for spread in program.spreads for one in spread.rows), default=1),
        "top": program.top,
        "spreads": [(spread.name, [row(one) for one in spread.rows]) for spread in program.spreads],
        "sizes": [[content(one) for one in contents] for contents in found.sizes],
        "size_tops": [max((max(one.orders) for one in contents), default=0) for contents in found.sizes],
        "inners": [f"{{{len(orders)}, {braces(orders)}}}" for orders in found.inners],
        "inner_ranges": [sorted({one.inner for one in contents}) for contents in found.sizes],
    }
