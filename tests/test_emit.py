"""Emitted artefacts: the LaTeX compiles, the Python steps to the exact numbers, both reproduce byte for byte."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest
from oracles.networks import PolynomialNetwork

import ntkfeyn as nf
from ntkfeyn.cumulants import canonical_labels, standard
from ntkfeyn.emitters import rendering
from ntkfeyn.emitters.dot import dot
from ntkfeyn.emitters.layout import layout
from ntkfeyn.errors import NtkfeynError

OUTPUTS = Path(__file__).parent.parent / "outputs"


def test_committed_outputs_are_reproduced(tmp_path: Path) -> None:
    [path] = nf.emit(lang="python", directory=tmp_path)
    assert path.read_bytes() == (OUTPUTS / path.name).read_bytes(), "run `ntkfeyn emit` again and read the difference"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class AtLayer(dict):
    """previous["F@1"][samples] of an exactly solved network; samples in index order."""

    def __init__(self, network: PolynomialNetwork, layer: int) -> None:
        self.network, self.layer = network, layer

    def __getitem__(self, key: str):  # type: ignore[no-untyped-def]
        name, order = key.split("@")
        outer = self

        class Tensor:
            def __getitem__(self, samples: tuple[int, ...]) -> Fraction:
                return outer.network.value(name, int(order), outer.layer, samples)

        return Tensor()


def exact_network() -> PolynomialNetwork:
    inputs = [[Fraction(v) for v in x] for x in ([1, 2], [3, -1])]
    couplings = {"C_W": Fraction(3, 2), "C_b": Fraction(1, 3), "lambda_W": Fraction(5, 4), "lambda_b": Fraction(1, 7)}
    return PolynomialNetwork([Fraction(1, 5), 1, Fraction(1, 2)], inputs, **couplings, widths=[4, 6, 5])


@pytest.mark.parametrize("names", [None, ["Theta@2"]], ids=["order1", "Theta@2"])
def test_emitted_python_steps_to_the_exact_numbers(names: list[str] | None, tmp_path: Path) -> None:
    [path] = nf.emit(names, lang="python", directory=tmp_path)
    module, network, layer = load(path), exact_network(), 2

    def expectation(factors: tuple[tuple[int, int], ...]) -> Fraction:
        return network.expectation(layer, tuple(sorted(factors)))

    for key, step in module.STEPS.items():
        name, order = key.split("@")
        samples = (0, 1, 0, 0, 1, 1)[: len(standard(name).labels)]
        couplings = (*network.couplings[:2], *network.couplings[2:])
        C_W, lambda_W, C_b, lambda_b = couplings
        value = step(samples, expectation, AtLayer(network, layer), C_W, lambda_W, C_b, lambda_b, network.ratio(layer))
        assert value == network.value(name, int(order), layer + 1, samples), key
    if names is None:
        assert len(module.STEPS) == 15
        assert sum(network.value("T", 1, 3, s) != 0 for s in ((0, 1, 0, 0), (0, 0, 1, 1))) == 2


def test_emitted_python_needs_nothing_and_is_tidy() -> None:
    text = (OUTPUTS / "order1.py").read_text()
    assert not re.search(r"^\s*(import|from)\s", text, flags=re.MULTILINE)
    code = [line for line in text.splitlines() if not line.lstrip().startswith(("+", "-", "#", '"""'))]
    assert max(map(len, code)) <= 120
    compile(text, "order1.py", "exec")


@pytest.mark.parametrize("lang", ["latex", "python"])
def test_same_bytes_under_different_hash_seeds(lang: str, tmp_path: Path) -> None:
    contents = set()
    for seed in ("0", "77"):
        directory = tmp_path / seed
        run = subprocess.run(
            [sys.executable, "-m", "ntkfeyn", "emit", "--lang", lang, "--order", "1", "-o", str(directory)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        files = sorted(path for path in directory.rglob("*") if path.is_file())
        assert Path(run.stdout.strip()) in files
        contents.add(b"".join(path.read_bytes() for path in files))
    assert len(contents) == 1


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.txt"
    rendering.write_file(target, "old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(NtkfeynError, match="No space left"):
        rendering.write_file(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_links_are_followed_and_pipes_written_to(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    rendering.write_file(link, "text")
    assert link.is_symlink()
    assert real.read_text() == "text"
    assert rendering.write_file(Path("/dev/null"), "text").is_char_device()


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
        drawing = layout(diagram.record)
        texts = [label.plain for label in drawing.labels]
        for slot in diagram.record.cumulant.labels:
            assert texts.count(str(slot)) == 1
        discs = [mark for mark in drawing.marks if mark.fill == "D9D9D9"]
        circles = [mark for mark in drawing.marks if mark.fill == "FFFFFF" and not mark.square]
        assert len(discs) == len(diagram.record.tensor_vertices)
        assert len(circles) == len(diagram.record.propagators)
        arcs = [path for path in drawing.paths if path.curved]
        ends = sum(2 * (len(v.tied) + len(v.mixed) + sum(v.zz)) for v in diagram.record.tensor_vertices)
        assert len(arcs) >= ends
        assert len({mark.centre for mark in drawing.marks}) == len(drawing.marks)
        assert diagram.svg().startswith("<svg")
        assert diagram.tikz().count("circle") == sum(not mark.square for mark in drawing.marks)


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
