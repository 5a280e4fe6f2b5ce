"""The equation of diagrams: every diagram once with its weight and id, nothing on top of anything else."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.render.drawing.equation import equation
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.drawing.primitives import WHITE, distance
from ntkfeyn.render.symbols import Symbols

TARGETS = [("K", 0), ("Theta", 0), ("Theta", 1), ("K", 1), ("F", 1), ("A", 1), ("T", 1), ("C2", 2), ("V", 2)]


@pytest.mark.parametrize(("name", "order"), TARGETS)
def test_every_diagram_with_its_weight_and_id(name: str, order: int) -> None:
    recursion = nf.derive(name, order=order).record
    drawing = equation(recursion, Symbols())
    words = [label.plain for label in drawing.labels]
    for diagram in recursion.diagrams:
        assert words.count(diagram.id) == 1
        at = words.index(diagram.id)
        own = [label.plain for label in layout(diagram, Symbols(), plainly=True).labels]
        assert words[at - len(own) : at] == own
        before = words[at - len(own) - 1]
        assert before.removeprefix("+ ") == ("" if diagram.weight == 1 else str(diagram.weight)) or before in "=+ "
    marks = sum(len(layout(diagram, Symbols()).marks) for diagram in recursion.diagrams)
    assert len(drawing.marks) == marks + 3 * len(recursion.cumulant.channel) + 1  # dots, ports, a disc
    constants = [term for term in recursion.terms if not term.diagrams]
    assert sum(word in ("C_b", "λ_b") for word in words) == len(constants)


@pytest.mark.parametrize(("name", "order"), TARGETS)
def test_nothing_overlaps(name: str, order: int) -> None:
    """Rows and columns: boxes of labels and marks of different diagrams are apart, rows are of limited length."""
    drawing = equation(nf.derive(name, order=order).record, Symbols())
    for a, b in combinations(drawing.labels, 2):
        (w, h), (u, v) = a.extent(), b.extent()
        apart = abs(a.centre[0] - b.centre[0]) > (w + u) * 0.95 or abs(a.centre[1] - b.centre[1]) > (h + v) * 0.95
        assert apart, (a, b)
    for one, other in combinations([mark for mark in drawing.marks if not mark.port], 2):
        assert distance(one.centre, other.centre) > one.radius + other.radius
    x0, _, x1, _ = drawing.box()
    assert x1 - x0 < 30


@pytest.mark.parametrize(("name", "order"), TARGETS)
def test_in_a_row_neurons_and_ids_lie_on_lines(name: str, order: int) -> None:
    """The signs are at the height of the neurons of a row, whatever hangs below them."""
    recursion = nf.derive(name, order=order).record
    drawing = equation(recursion, Symbols())
    ids = {diagram.id for diagram in recursion.diagrams}
    heights = [label.centre[1] for label in drawing.labels if label.plain in ids]
    signs = {label.centre[1] for label in drawing.labels if label.plain[0] in "=+"}
    assert len(set(heights)) == len(signs) or len(recursion.diagrams) == 1
    two = [diagram.id for diagram in recursion.diagrams if len(diagram.propagators) <= 2]
    neurons = {m.centre[1] for m in drawing.marks if m.fill == WHITE and not m.square and not m.port}
    assert len(two) < len(ids) or neurons <= signs


def test_the_legend_of_an_equation_says_each_thing_once() -> None:
    drawing = equation(nf.derive("V", order=2).record, Symbols())
    words = [label.plain for label in drawing.labels]
    for word in ("/n, /n²: power of 1/n that the tensor counts", "C000: z1 z2 z3 z4 z5 z6, channel 12.34.56"):
        assert words.count(word) == 1
    below = [label for label in drawing.labels if label.line]
    assert len(below) == 2
    assert max(label.centre[1] for label in below) < min(m.centre[1] for m in drawing.marks)


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending in ("svg", "png", "pdf"):
        with pytest.raises(SystemExit) as stopped:
            main(["derive", "Theta@1", "--picture", str(tmp_path / f"a.{ending}")])
        assert not stopped.value.code
    assert (tmp_path / "a.svg").read_text() == nf.derive("Theta", order=1).picture().svg()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.pdf").read_bytes() == nf.derive("Theta", order=1).picture().pdf()
    committed = Path(__file__).parent.parent / "outputs" / "theta1.svg"
    assert committed.read_text() == nf.derive("Theta", order=1).picture().svg()


@pytest.mark.parametrize("arguments", [["F", "--picture", "a.jpg"], ["F", "V", "--picture", "a.svg"]])
def test_bad_requests(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["derive", *arguments])
    assert stopped.value.code == 2
    assert list(tmp_path.iterdir()) == []
