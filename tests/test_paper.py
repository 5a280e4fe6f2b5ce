"""outputs/paper: that its data are what its run files ask for, can be made again, and are what its README says."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import ntkfeyn as nf

PAPER = Path(__file__).parent.parent / "outputs" / "paper"
MOST_BYTES = 3 << 20


@pytest.fixture(scope="module")
def paper() -> dict[str, ModuleType]:
    """The modules of outputs/paper by name."""
    sys.path.insert(0, str(PAPER))
    try:
        return {name: importlib.import_module(name) for name in ("make", "panels", "points", "tables")}
    finally:
        sys.path.remove(str(PAPER))


def test_all_is_there_for_what_is_asked(paper: dict[str, ModuleType]) -> None:
    make = paper["make"]
    figures = make.figures()
    runs = {run for figure in figures.values() for run in figure["runs"] if not run.startswith("..")}
    assert runs == {path.stem for path in (PAPER / "runs").glob("*.toml")}
    assert runs == {path.stem for path in (PAPER / "data").glob("*.json")}
    for run in sorted(runs):
        assert make.is_made(run, make.request(run)), run
    for name in figures:
        assert (PAPER / f"{name}.pdf").stat().st_size
        assert (PAPER / f"{name}.png").stat().st_size
    assert (PAPER / "all.png").is_file()
    assert sum(path.stat().st_size for path in PAPER.rglob("*") if path.suffix != ".pyc") < MOST_BYTES


def test_a_figure_is_made_again(paper: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figure 24 with a fiftieth of the networks: the same theory, samples within errors of those that were drawn."""
    make, points = paper["make"], paper["points"]
    monkeypatch.chdir(PAPER)
    run = "deviation-leaky-narrow"
    asked = make.request(run, 1 / 50)
    again, held = make.sample(run, asked, tmp_path), make.data_of(run)
    assert again["networks"][0] < held["networks"][0] / 40
    assert not list(tmp_path.iterdir())
    for text in make.figures()["figure-24"]["panels"]:
        panel = points.panel_of(text)
        one, other = (points.over_widths([document], panel) for document in (again, held))
        assert np.allclose(one.theory, other.theory, rtol=1e-6)
        assert np.all(np.abs(one.sampled - other.sampled) < 4.5 * np.hypot(one.errors, other.errors))


def test_the_readme_says_what_the_data_say(paper: dict[str, ModuleType]) -> None:
    written = (PAPER / "README.md").read_text()
    assert written.count("<!-- table ") == written.count("<!-- end -->") == 8
    assert paper["tables"].readme(paper["make"].figures()) == written


def test_order_one_is_right_where_widths_are_large(paper: dict[str, ModuleType]) -> None:
    """Figures 1, 4: infinite width is off by many errors, orders 1 and 2 are not; 6 to 10: order 2 is closer than 1."""
    figures, pulls = paper["make"].figures(), paper["tables"].pulls
    for name in ("figure-01", "figure-04"):
        infinite, first, second = (rms for rms, _, _ in pulls(figures[name], least=16))
        assert infinite > 4 * max(first, second)
        assert second < 2
    for name in ("figure-06", "figure-07", "figure-08", "figure-09", "figure-10"):
        leading, next_ = (rms for rms, _, _ in pulls(figures[name], least=16, most=16))
        assert next_ < leading


# powers of C_W^l and C_W^(l-1) in each tensor of a network without biases whose activation is homogeneous
POWERS = {"K": (1, 0), "Theta": (0, 1), "A": (0, 2), "B": (0, 2), "D": (1, 1), "F": (1, 1)}


def test_theory_off_criticality_is_that_of_criticality_in_other_units(paper: dict[str, ModuleType]) -> None:
    """Figures 2, 11, 15, .., 21."""
    make, points = paper["make"], paper["points"]
    at = {tag: make.data_of(f"relu-depth-{tag}") for tag in ("below", "critical", "above")}
    for name, (kernels, ntks) in POWERS.items():
        panel = points.panel_of(f"{name} {'01' if kernels + ntks == 1 else '0101'}")
        critical = points.over_layers(at["critical"], panel)
        for tag, share in (("below", 1 / 8), ("above", 2)):
            found = points.over_layers(at[tag], panel)
            scale = share ** (kernels * found.at + ntks * (found.at - 1))
            assert np.allclose(found.theory[0], scale * critical.theory[0], rtol=1e-4), (name, tag)


def test_relu_networks_of_one_seed_are_the_same_in_other_units(paper: dict[str, ModuleType]) -> None:
    inputs = paper["make"].request("relu-depth-critical")["inputs"]
    critical, below = (
        nf.sample(nf.Network(depth=4, width=8, activation="relu", cw=cw), inputs[:2], list(POWERS), networks=64)
        for cw in (2.0, 0.25)
    )
    for name, (kernels, ntks) in POWERS.items():
        for layer in (2, 4):
            scale = 8.0 ** (kernels * layer + ntks * (layer - 1))
            assert np.allclose(scale * below.array(name, layer), critical.array(name, layer), rtol=1e-9), name
