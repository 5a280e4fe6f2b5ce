"""The notebook runs as a script and shows what it did when it was written."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = json.loads((Path(__file__).parent.parent / "outputs" / "order1.ipynb").read_text())


def run(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; its last expression, as a notebook would show it."""
    tree = ast.parse(source)
    if isinstance(tree.body[-1], ast.Expr):
        last = ast.Assign([ast.Name("shown_", ast.Store())], tree.body[-1].value)
        tree.body[-1] = ast.fix_missing_locations(ast.copy_location(last, tree.body[-1]))
    names.pop("shown_", None)
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102
    return names.get("shown_")


def shown(cell: dict[str, Any], kind: str) -> Iterator[str]:
    for output in cell["outputs"]:
        assert output["output_type"] != "error"
        found = output.get("text") if kind == "text" else output.get("data", {}).get(kind)
        if found:
            yield "".join(found)


def test_the_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    pictures = formulas = 0
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] != "code":
            continue
        value = run("".join(cell["source"]), names)
        assert capsys.readouterr().out == "".join(shown(cell, "text"))
        for picture in shown(cell, "image/svg+xml"):
            assert value._repr_svg_().strip() == picture.strip()
            pictures += 1
        for formula in shown(cell, "text/latex"):
            assert value._repr_latex_().strip() == formula.strip()
            formulas += 1
    assert pictures == 8
    assert formulas == 1
