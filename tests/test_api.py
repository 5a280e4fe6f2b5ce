"""The Python interface: every public function has a worked example that runs; records show and save themselves."""

from __future__ import annotations

import doctest
import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import ntkfeyn as nf

INPUTS = [[1.0, 0.5], [0.3, 1.0]]
NETWORKS = [nf.Network(3, width, "relu", cw=2.0) for width in (8, 16)]
PUBLIC = [name for name in nf.__all__ if not inspect.ismodule(getattr(nf, name))]
MODULES = {"ntkfeyn", "ntkfeyn.records", *(getattr(nf, name).__module__ for name in PUBLIC)}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name: str) -> None:
    """A function's calls it."""
    found = getattr(nf, name)
    lines = [line for line in (inspect.getdoc(found) or "").splitlines() if line.startswith(">>>")]
    examples = [line for line in lines if "import" not in line]
    assert examples
    assert inspect.isclass(found) or any(f"nf.{name}(" in line for line in examples)


@pytest.fixture(scope="module")
def records() -> dict[str, Any]:
    """One of each kind."""
    return {
        "recursion": nf.derive("F"),
        "diagrams": nf.diagrams("T"),
        "diagram": nf.diagrams("F")[0],
        "explanation": nf.explain("F:1:2"),
        "check": nf.check(nf.derive("F").latex()),
        "certificate": nf.verify("F", layers=(2,), controls=False),
        "depth": nf.depth("V", activation="relu"),
        "tensors": nf.evaluate(NETWORKS, INPUTS, ["K", "V"]),
        "sampled": nf.sample(NETWORKS, INPUTS, ["K", "V"], networks=64),
        "comparison": nf.compare(NETWORKS, INPUTS, ["Theta", "V"], networks=640),
        "trained": nf.train(nf.Network(2, 8, "linear"), [[1.0]], [0.8], times=[1.0], networks=64),
        "critical": nf.critical("relu", depth=16),
    }


def test_records_show_and_save_themselves(records: dict[str, Any], tmp_path: Path) -> None:
    """Short reprs, JSON that is JSON, every format that they list, HTML that is well formed."""
    drawn: set[str] = set()  # one picture of each kind is enough
    starts = {".pdf": b"%PDF", ".png": b"\x89PNG", ".svg": b"<"}
    for name, record in records.items():
        assert len(repr(record)) < 120, name
        assert repr(record).startswith("<"), name
        said = record.to_json()
        for ending in set(record.formats()) - drawn:
            drawn |= {ending} & {".pdf", ".png"}
            written = record.save(tmp_path / f"{name}{ending}").read_bytes()
            assert written.startswith(starts.get(ending, b"")), (name, ending)
            assert len(written) > 20, (name, ending)
        assert json.loads((tmp_path / f"{name}.json").read_text()) == (
            json.loads(said) if isinstance(said, str) else json.loads(json.dumps(said))
        )
        with pytest.raises(nf.NtkfeynError, match=r"allowed are \.json"):
            record.save(tmp_path / "x.docx")
        if hasattr(record, "_repr_html_"):
            ElementTree.fromstring(f"<div>{record._repr_html_()}</div>")
    assert "⠈" in str(records["explanation"])
    assert "⠈" not in records["explanation"]._repr_html_()  # the picture is there, without its sketch
    assert "largest |pull| over all layers" in records["comparison"]._repr_html_()
    assert "<th>trained</th><th>error</th>" in records["trained"]._repr_html_()


def test_figures_are_of_matplotlib(records: dict[str, Any]) -> None:
    from matplotlib.figure import Figure

    for name in ("tensors", "sampled", "comparison", "trained", "critical"):
        assert isinstance(records[name].figure(), Figure), name
    [theta, v] = records["comparison"].figure("components").axes
    assert [len(axis.get_xticks()) for axis in (theta, v)] == [3, 6]  # of 4 and 16: no symmetric copies
    with pytest.raises(nf.NtkfeynError, match="width, depth, components"):
        records["comparison"].figure("time")


def test_options_in_records_and_singly_are_the_same(records: dict[str, Any]) -> None:
    by_record = nf.sample(NETWORKS, INPUTS, ["K", "V"], sampling=nf.Sampling(64), solving=nf.Solving(jobs=1))
    assert by_record.to_json() == records["sampled"].to_json()
    assert nf.evaluate(NETWORKS, INPUTS, "K", tolerance=1e-4).meta["tolerance"] == 1e-4
    assert nf.evaluate(NETWORKS, INPUTS, "K", solving=nf.Solving(1e-4)).meta["tolerance"] == 1e-4
    with pytest.raises(TypeError, match="no option tolerence; allowed are tolerance"):
        nf.evaluate(NETWORKS, INPUTS, "K", tolerence=1e-4)


def test_symbols_can_be_substituted() -> None:
    import sympy

    kernel = nf.derive("K", order=0).sympy().subs(nf.symbols.C_W, 2).subs(nf.symbols.C_B, 0)
    assert kernel == 2 * nf.symbols.expectation_symbol([(1, 0), (2, 0)])
    assert isinstance(nf.symbols.C_W, sympy.Symbol)
