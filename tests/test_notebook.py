"""The notebooks run as scripts and show what they did when they were written."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

OUTPUTS = Path(__file__).parent.parent / "outputs"


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


def words(text: str) -> list[str]:
    """Words, and numbers apart, markup left out."""
    return re.findall(r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|[^\s0-9]+", re.sub(r"<[^>]*>", " ", text))


def alike(old: str, new: str) -> bool:
    """Equal, or numbers that agree to three digits or are both rounding."""
    try:
        x, y = float(old), float(new)
    except ValueError:
        return old == new
    return abs(x - y) <= 2e-3 * abs(x) or max(abs(x), abs(y)) < 1e-6


@pytest.mark.parametrize(("name", "pictures", "formulas"), [("order1", 8, 1), ("tutorial", 1, 3)])
def test_a_notebook(
    name: str,
    pictures: int,
    formulas: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((OUTPUTS / f"{name}.ipynb").read_text())
    names: dict[str, Any] = {}
    found = [0, 0]
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        value = run("".join(cell["source"]), names)
        said, printed = "".join(shown(cell, "text")), capsys.readouterr().out
        if name == "order1":
            assert printed == said
        pieces = [(said, printed)]
        pieces += [(text, value._repr_html_()) for text in shown(cell, "text/html")]
        pieces += [(text, repr(value)) for text in shown(cell, "text/plain") if text != "<Figure>" and name != "order1"]
        for old, new in pieces:
            assert len(words(old)) == len(words(new)), cell["source"]
            different = [pair for pair in zip(words(old), words(new), strict=True) if not alike(*pair)]
            assert not different, cell["source"]
        for picture in shown(cell, "image/svg+xml"):
            assert value._repr_svg_().strip() == picture.strip()
            found[0] += 1
        for formula in shown(cell, "text/latex"):
            assert value._repr_latex_().strip() == formula.strip()
            found[1] += 1
    assert found == [pictures, formulas]


def test_the_tutorial_ends_with_an_appendix_and_a_figure() -> None:
    text = (OUTPUTS / "tutorial.ipynb").read_text()
    assert '"image/png"' in text
    assert "'paper/appendix.tex'" in text
