"""What a terminal shows: legs and channels drawn as arcs, wrapped formulas, suggestions for misspelt names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main, progress
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.model.cumulants import channels, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.arcs import arcs
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.drawing.sketch import side_by_side
from ntkfeyn.render.formulas import recursion_text
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import TEXT, Symbols
from ntkfeyn.render.wrapping import wrapped

SHAPES = [*(standard(name) for name in (*NAMES, "C0C1", "R3", "C2", "R1R2")), *channels("dNTK012 NTK34 z5")]


def spans(rows: list[str], left: str, right: str, through: str) -> list[tuple[int, int]]:
    """The arcs in rows of text, read back column by column."""
    found, start = [], -1
    for row in rows:
        for column, sign in enumerate(row):
            if sign in left:
                assert start < 0
                start = column
            elif sign in right:
                found.append((start, column))
                start = -1
            elif start >= 0:
                assert sign in through, row
        assert start < 0
    return sorted(found)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_arcs_read_back(shape: object) -> None:
    rows = arcs(shape)  # type: ignore[arg-type]
    [at] = [i for i, row in enumerate(rows) if any(sign.isdigit() for sign in row)]
    columns = [i for i, sign in enumerate(rows[at]) if sign.isdigit()]
    assert [int(rows[at][column]) for column in columns] == list(shape.labels)  # type: ignore[attr-defined]
    legs, pairs = (
        sorted((columns[a], columns[b]) for a, b in links)
        for links in (shape.edges, shape.channel)  # type: ignore[attr-defined]
    )
    assert spans(rows[:at], "╭├", "╮┤", "┈┼") == legs
    assert spans(rows[at + 1 :], "╰├", "╯┤", "─┼") == pairs
    for column in columns:  # a post from each arc's end to its slot
        below = [row[column] for row in rows[at + 1 :]]
        last = max(i for i, sign in enumerate(below) if sign in "╰╯")
        assert all(sign in "│├┤┼" for sign in below[:last])
    plain = arcs(shape, ascii_only=True)  # type: ignore[arg-type]
    assert all(sign.isascii() for row in plain for sign in row)
    assert [len(row) for row in plain] == [len(row) for row in rows]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_wrapping_changes_line_ends_alone(width: int) -> None:
    for name, order in (("Theta", 1), ("A", 1), ("T", 1)):
        text = recursion_text(derive_recursion(standard(name), order), TextNotation(TEXT))
        shown = wrapped(text, width)
        assert shown.split() == text.split()
        for line in shown.splitlines():
            if len(line) > width:  # one bracket that cannot be broken
                assert max(len(word) for word in line.split()) > 1
                assert sum(line.count(sign) for sign in "({[⟨") > 0
            assert line.count("⟨") == line.count("⟩"), line
            assert line.count("{") == line.count("}"), line
    assert wrapped("a b  c", 80) == "a b  c"


MISSPELT = [
    (["derive", "thetta"], "Try: --cumulant Theta"),
    (["derive", "F", "--without", "colect"], "Try: --without collect"),
    (["derive", "--legs", "z1 z2 NKT34"], "Try: NTK34"),
    (["evaluat"], "Try: ntkfeyn evaluate"),
    (["derive", "F", "--ordr", "1"], "--order"),
    (["critical", "--activation", "sgmoid"], "Try: --activation sigmoid"),
]


@pytest.mark.parametrize(("arguments", "meant"), MISSPELT, ids=lambda a: str(a[-1]) if isinstance(a, list) else "")
def test_did_you_mean(arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (2, "")
    assert meant in err
    assert err.count("\n") == 1


def test_list_shows_every_tensor_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list"])
    out = capsys.readouterr().out
    for name in NAMES:
        indices = "".join(map(str, standard(name).index_labels()))
        assert f"{name}_{indices}" in out
    for row in arcs(standard("F")):
        assert row.strip() in out


def test_nothing_typed_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    out, err = capsys.readouterr()
    assert (stopped.value.code or 0, err) == (0, "")
    assert "ntkfeyn derive --order 1 --cumulant F" in out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["evaluate", "--run", "a.toml"], "ntkfeyn --run FILE COMMAND"),
     (["--save-run", "a.toml", "list"], "ntkfeyn COMMAND --save-run FILE")],
)  # fmt: skip
def test_misplaced_options(arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert meant in capsys.readouterr().err


def test_tags_are_explained_in_every_picture() -> None:
    recursion = nf.derive("V", order=2)
    meanings = {"C000": "C000: z1 z2 z3 z4 z5 z6, channel 12.34.56", "/n": "power of 1/n that the tensor counts"}
    for tag, meaning in meanings.items():
        tagged = [diagram for diagram in recursion.diagrams if f">{tag}" in diagram.svg()]
        assert tagged
        assert [diagram for diagram in recursion.diagrams if meaning in diagram.svg()] == tagged
        assert recursion.picture().svg().count(meaning) == 1
        sketch = side_by_side([layout(diagram.record, Symbols()) for diagram in recursion.diagrams], 100)
        assert sketch.count(meaning) == 1


def test_lines_off_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """None for short work; then what is being done, on stderr alone."""
    (tmp_path / "x.json").write_text("[[1, 0.5], [0.2, 1]]")
    network = ["--activation", "gelu", "--inputs", str(tmp_path / "x.json"), "--depth", "3", "--width", "8"]
    outputs = []
    for every in (30.0, 0.1):
        monkeypatch.setattr(progress, "EVERY", every)
        with pytest.raises(SystemExit):
            main(["sample", *network, "V", "--networks", "12800"])
        outputs.append(capsys.readouterr())
    assert outputs[0].out == outputs[1].out
    assert outputs[0].err == ""
    assert re.fullmatch(r"(ntkfeyn: .*, \d+ s\n)+", outputs[1].err)
    assert re.search(r"ntkfeyn: width 8, step \d+ of 400, \d+ s", outputs[1].err)


def test_a_bar_says_what_is_being_done() -> None:
    drawn: list[tuple[str, int, int | None]] = []
    steps = progress.Steps("evaluate", 2, lambda *shown: drawn.append(shown), progress.AGAIN)
    for layer in ("layer 2", "layer 3", "layer 2"):
        steps(layer)
    assert drawn == [
        ("evaluate: deriving and planning", 0, 2), ("layer 2", 1, 2), ("layer 3, once more, with finer rules", 2, None),
        ("layer 2, once more, with finer rules", 3, None),
    ]  # fmt: skip
