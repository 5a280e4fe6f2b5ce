"""What is supported where: every cell of the README's table is what the program says when it is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text()
COLUMNS = ("orthogonal", "shared weights", "ReLU", "other activations", "higher orders", "unequal widths")
NETWORK = """
[input]
shape = [1, 2]
[[layer]]
kind = "conv"
kernel = 2
[[layer]]
kind = "dense"
pool = "mean"
"""
DENSE = "--inputs x.json --depth 2"
FORMULA = ("V --weights orthogonal", "V --shared", "V", "V", "V --order 2", "V")  # for any activation and widths
ASKED = {  # a command for each column; None: it has no such option
    "derive": tuple(f"derive {one}" for one in FORMULA),
    "emit --lang latex": tuple(f"emit --lang latex -o out {one}" for one in FORMULA),
    "emit --lang python, jax": (
        *(f"emit --lang python -o out {one}" for one in FORMULA[:2]), "run relu", "run z*tanh(z)",
        *(f"emit --lang python -o out {one}" for one in FORMULA[4:]),
    ),
    "emit --lang c": (
        *(f"emit --lang c -o out {one}" for one in FORMULA[:2]), "run relu", "run z*tanh(z)",
        *(f"emit --lang c -o out {one}" for one in FORMULA[4:]),
    ),
    "verify": (
        "verify V --layers 2 --weights orthogonal", "verify V --layers 2 --samples 1 --network net.toml",
        "verify V --activation relu", "verify V --activation z**2-z", "verify V --layers 2 --order 2",
        "verify V --layers 2,3 --samples 1 --width 2:3",
    ),
    "check": (
        "check v.tex --weights orthogonal", "check v.tex --shared", "check v.tex", "check v.tex",
        "check v2.tex V@2", "check v.tex",
    ),
    "evaluate": (
        f"evaluate V {DENSE} --activation tanh --width 4 --weights orthogonal",
        "evaluate K --activation tanh --width 4 --inputs c.json --network net.toml",
        f"evaluate V {DENSE} --activation relu --width 4", f"evaluate V {DENSE} --activation z*tanh(z) --width 4",
        f"evaluate V --order 2 {DENSE} --activation tanh --width 4",
        "evaluate V --inputs x.json --depth 3 --activation tanh --width 4:5",
    ),
    "sample": (
        f"sample V {DENSE} --networks 64 --activation tanh --width 4 --weights orthogonal",
        "sample K --networks 64 --activation tanh --width 4 --inputs c.json --network net.toml",
        f"sample V {DENSE} --networks 64 --activation relu --width 4",
        f"sample V {DENSE} --networks 64 --activation z*tanh(z) --width 4",
        f"sample V --order 2 {DENSE} --networks 64 --activation tanh --width 4",
        "sample V --networks 64 --inputs x.json --depth 3 --activation tanh --width 4:5",
    ),
    "compare": (
        f"compare V {DENSE} --networks 64 --activation tanh --width 4 --weights orthogonal",
        "compare K --networks 64 --activation tanh --width 4 --inputs c.json --network net.toml",
        f"compare V {DENSE} --networks 64 --activation relu --width 4",
        f"compare V {DENSE} --networks 64 --activation z*tanh(z) --width 4",
        f"compare K --order 2 {DENSE} --networks 64 --activation tanh --width 4",
        "compare K --networks 64 --inputs x.json --depth 3 --activation tanh --width 4:5",
    ),
    "train": (
        f"train {DENSE} --targets y.json --activation tanh --width 4 --weights orthogonal",
        "train --inputs c.json --targets y.json --network net.toml --activation tanh --width 4",
        f"train {DENSE} --targets y.json --activation relu --width 4",
        f"train {DENSE} --targets y.json --activation z*tanh(z) --width 4", None,
        "train --inputs one.json --targets y1.json --depth 3 --times 1 --activation linear --width 4:5",
    ),
    "critical": (
        "critical --activation linear --weights orthogonal --depth 16", None, "critical --no-scaling --activation relu",
        "critical --no-scaling --activation z*tanh(z)", None, None,
    ),
    "depth": (
        "depth V --activation relu --weights orthogonal", None, "depth V --activation relu",
        "depth V --activation sin(z)", "depth V@2 --activation relu", "depth V --activation relu --widths any",
    ),
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {"x.json": "[[1.0, 0.5], [0.3, 1.0]]", "c.json": "[[[1.0, 0.5]], [[0.3, 1.0]]]", "net.toml": NETWORK}
    texts |= {"y.json": "[1.0, 0.5]", "one.json": "[[1.0]]", "y1.json": "[0.5]"}
    texts |= {"v.tex": nf.derive("V").latex(), "v2.tex": nf.derive("V", order=2).latex()}
    for name, text in texts.items():
        Path(name).write_text(text)


def supported(command: str | None) -> bool:
    """Whether the program answers, with yes or no."""
    if command is None:
        return False
    if command.startswith("run "):  # emitted programs are given an activation by name
        names = nf.emit("V", lang="python", directory="out")
        return f'"{command.removeprefix("run ")}"' in names[0].read_text()
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    return int(ended.value.code or 0) in (0, 1)


def table() -> dict[str, list[str]]:
    [found] = re.findall(r"\n\| command \| " + " \\| ".join(COLUMNS) + r" \|\n\|[-| ]+\|\n((?:\|.*\n)+)", README)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines()]
    return {row[0].replace("`", ""): row[1:] for row in rows}


@pytest.mark.parametrize("name", list(ASKED))
def test_a_row_is_what_the_program_does(name: str, files: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = {column: cell.startswith("yes") for column, cell in zip(COLUMNS, table()[name], strict=True)}
    assert said == {column: supported(command) for column, command in zip(COLUMNS, ASKED[name], strict=True)}


def test_the_table_has_every_command_that_derives_or_computes() -> None:
    from ntkfeyn.cli import COMMANDS

    others = {"list", "diagrams", "explain", "theory", "network"}
    assert list(table()) == list(ASKED)
    assert {name.split()[0] for name in table()} == set(COMMANDS) - others
