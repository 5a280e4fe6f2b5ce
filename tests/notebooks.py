"""Runs the cells of notebooks anew and writes what they show, in place: ``python tests/notebooks.py outputs/*.ipynb``.

Enters: cells as they are edited by hand. Leaves: the same cells with their outputs; the same bytes each time. A cell
shows what Jupyter would: what it prints, and its last expression as SVG, HTML, LaTeX, PNG and text.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from ntkfeyn.figures.style import figure_bytes
from ntkfeyn.runtime.files import write_file

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python"},
}
KINDS = {"image/svg+xml": "_repr_svg_", "text/html": "_repr_html_", "text/latex": "_repr_latex_"}


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its cells, which run one after the other in the current directory."""
    names: dict[str, Any] = {}
    cells, count = [], 0
    for place, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        made = {"cell_type": cell["cell_type"], "id": f"cell-{place}", "metadata": {}, "source": lines(source)}
        if cell["cell_type"] == "code":
            count += 1
            made |= {"execution_count": count, "outputs": run(source, names, count)}
        cells.append(made)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def run(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """What a cell shows."""
    tree = ast.parse(source)
    if isinstance(tree.body[-1], ast.Expr):
        last = ast.Assign([ast.Name("shown_", ast.Store())], tree.body[-1].value)
        tree.body[-1] = ast.fix_missing_locations(ast.copy_location(last, tree.body[-1]))
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102
    value, said = names.pop("shown_", None), printed.getvalue()
    found = [{"name": "stdout", "output_type": "stream", "text": lines(said)}] if said else []
    if value is not None:
        found.append({"data": data(value), "execution_count": count, "metadata": {}, "output_type": "execute_result"})
    return found


def data(value: Any) -> dict[str, Any]:
    """A value by media type."""
    made = {kind: getattr(value, name)() for kind, name in KINDS.items() if hasattr(value, name)}
    found: dict[str, Any] = {kind: lines(text) for kind, text in made.items() if text is not None}
    if hasattr(value, "savefig"):
        found["image/png"] = base64.b64encode(figure_bytes(value, "png")).decode()
    return {**found, "text/plain": lines(repr(value))}


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        notebook, target, here = json.loads(path.read_text()), path.resolve(), Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            new = executed(notebook)
            os.chdir(here)
        write_file(target, json.dumps(new, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
