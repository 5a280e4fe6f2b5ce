"""Files and pictures: safe writes, names that do not clash, drawings that show everything, views."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import ntkfeyn as nf
from ntkfeyn.errors import LimitError, NtkfeynError
from ntkfeyn.model.cumulants import canonical_labels
from ntkfeyn.render.drawing.dot import dot
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.runtime.files import write_below, write_file


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.txt"
    write_file(target, "old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(NtkfeynError, match="No space left"):
        write_file(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_links_are_followed_and_pipes_written_to(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    write_file(link, "text")
    assert link.is_symlink()
    assert real.read_text() == "text"
    assert write_file(Path("/dev/null"), "text").is_char_device()


def test_file_names_do_not_clash(tmp_path: Path) -> None:
    requests = [
        {"names": ["K", "V", "D", "F", "A"]},
        {"names": ["K", "Q", "R", "S", "T"]},
        {"names": "F"},
        {"legs": "z5 z6 NTK78", "channel": "57.68"},
    ]
    paths = {nf.emit(**request, lang="python", directory=tmp_path)[0] for request in requests}
    assert len(paths) == 4


@pytest.mark.parametrize(("name", "order"), [("F", 1), ("T", 1), ("V", 2), ("C0C1", 2)])
def test_pictures_show_every_slot_and_vertex(name: str, order: int) -> None:
    for diagram in nf.diagrams(name, order, full=True):
        drawing = layout(diagram.record, Symbols())
        texts = [label.plain for label in drawing.labels]
        for slot in diagram.record.cumulant.labels:
            assert texts.count(str(slot)) == 1
        discs = [mark for mark in drawing.marks if mark.fill == "D9D9D9"]
        circles = [mark for mark in drawing.marks if mark.fill == "FFFFFF" and not mark.square and not mark.port]
        ports = [mark for mark in drawing.marks if mark.port]
        assert len(discs) == len(diagram.record.tensor_vertices)
        assert len(circles) == len(diagram.record.propagators)
        arcs = [path for path in drawing.paths if path.curved]
        ends = sum(2 * (len(v.tied) + len(v.mixed) + sum(v.zz)) for v in diagram.record.tensor_vertices)
        assert len(arcs) >= ends == 2 * len(ports)
        assert len({mark.centre for mark in drawing.marks}) == len(drawing.marks)
        assert diagram.svg().startswith("<svg")
        assert diagram.tikz().count("circle") == sum(not mark.square for mark in drawing.marks)


def test_pdf_is_a_page_without_a_date_and_the_same_each_time() -> None:
    [first, _] = nf.diagrams("F")
    page = first.pdf()
    assert page.startswith(b"%PDF-")
    assert page.count(b"/Type /Page\n") + page.count(b"/Type /Page ") == 1
    assert b"Image" not in page.replace(b"/ImageC", b"").replace(b"/ImageB", b"").replace(b"/ImageI", b"")
    assert not [word for word in (b"/CreationDate", b"/Producer", b"/Creator", b"/ModDate") if word in page]
    assert page == first.pdf()


def test_png_is_an_image_and_deterministic() -> None:
    [first, _] = nf.diagrams("F")
    assert first.png()[:8] == b"\x89PNG\r\n\x1a\n"
    assert first.png() == first.png()


def test_views_of_the_python_interface(tmp_path: Path) -> None:
    recursion = nf.derive("F", order=1)
    assert [diagram.id for diagram in recursion.diagrams] == ["F:1:1", "F:1:2"]
    assert recursion.diagrams[0].weight == 1
    assert recursion.diagrams[0].graph.number_of_nodes() > 5
    assert recursion.diagrams[0]._repr_svg_().startswith("<svg")
    assert "aligned" in recursion._repr_latex_()
    assert '"schema": "ntkfeyn.recursion/1"' in recursion.to_json()
    assert "F_1324" in str(recursion)
    assert recursion.latex().startswith(r"\begin{align*}")
    [path] = nf.emit("Theta", order=1, lang="python", directory=tmp_path)
    assert path.name == "Theta_1.py"
    assert nf.verify("B", order=1).equal
    assert "B@1" in dot(nf.diagrams("B", 1)[1].record)
    assert repr(recursion) == "<Recursion F@1: 2 product terms>"
    with pytest.raises(NtkfeynError, match="2 cumulants"):
        nf.derive(legs="z1 z2 NTK34")
    with pytest.raises(AttributeError):
        nf.nothing  # noqa: B018
    assert canonical_labels("F", (1, 2, 3, 4)) == (1, 2, 3, 4)


@pytest.mark.parametrize("lang", ["latex", "python", "c"])
def test_nothing_is_written_outside_the_directory(lang: str, tmp_path: Path) -> None:
    """A link below -o that leads out of it; a file in the way of a directory: nothing is written at all."""
    out, victim = tmp_path / "out", tmp_path / "victim"
    out.mkdir()
    victim.write_text("mine")
    stem = {"latex": "F_1/macros.tex", "python": "F_1.py", "c": "F_1.mk"}[lang]
    (out / stem).parent.mkdir(exist_ok=True)
    (out / stem).symlink_to(victim)
    before = sorted(out.rglob("*"))
    with pytest.raises(NtkfeynError, match="leads out of"):
        nf.emit("F", lang=lang, directory=out)
    assert (victim.read_text(), sorted(out.rglob("*"))) == ("mine", before)


def test_names_that_lead_out_and_what_is_in_the_way(tmp_path: Path) -> None:
    for name in ("../victim", "a/../../victim", str(tmp_path / "victim"), "", "."):
        with pytest.raises(NtkfeynError):
            write_below(tmp_path / "out", {"good": "1", name: "2"})
    (tmp_path / "F_1").write_text("in the way")
    with pytest.raises(NtkfeynError, match="no directory"):
        nf.emit("F", lang="latex", directory=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["F_1"]


@pytest.mark.parametrize("lang", ["c", "python", "jax"])
def test_code_that_nobody_can_compile_is_refused(lang: str, tmp_path: Path) -> None:
    """The size is counted before the code is written."""
    with pytest.raises(
        LimitError, match=r"K@4 would hold 4764 product terms with 7523300 placements .*`ntkfeyn evaluate`"
    ):
        nf.emit("K@4", lang=lang, directory=tmp_path)
    assert not list(tmp_path.iterdir())
