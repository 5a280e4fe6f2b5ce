"""The notebooks run as scripts and show what they did when tests/notebooks.py wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notebooks import executed

OUTPUTS = Path(__file__).parent.parent / "outputs"
EXACT = ("image/svg+xml", "text/latex")


def shown(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a cell shows, by kind."""
    for output in cell.get("outputs", ()):
        assert output["output_type"] in ("stream", "execute_result")
        for kind, text in output.get("data", {"stdout": output.get("text")}).items():
            yield kind, "".join(text)


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
def test_a_notebook(name: str, pictures: int, formulas: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (OUTPUTS / f"{name}.ipynb").read_text()
    notebook = json.loads(text)
    made = executed(notebook)
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    found = []
    for old, new in zip(notebook["cells"], made["cells"], strict=True):
        assert [kind for kind, _ in shown(old)] == [kind for kind, _ in shown(new)]
        for (kind, before), (_, after) in zip(shown(old), shown(new), strict=True):
            found.append(kind)
            if kind in EXACT:
                assert before == after
            elif kind != "image/png":
                pairs = list(zip(words(before), words(after), strict=True))
                assert [pair for pair in pairs if not alike(*pair)] == [], "".join(old["source"])
        old["outputs"] = new["outputs"] = []
    assert notebook == made
    assert [found.count(kind) for kind in EXACT] == [pictures, formulas]


def test_the_tutorial_ends_with_an_appendix_and_a_figure() -> None:
    text = (OUTPUTS / "tutorial.ipynb").read_text()
    assert '"image/png"' in text
    assert "'paper/appendix.tex'" in text
