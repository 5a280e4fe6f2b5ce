"""The committed figures' data: that they are what the commands give, and that they show what the README says."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import jsonschema
import long_checks
import numpy as np
import pytest
from oracles.golden import without_version

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.codegen.backends import LANGUAGES
from ntkfeyn.runtime.version import TOOL

ROOT = Path(__file__).parent.parent
ORDER2 = json.loads((ROOT / "outputs" / "order2" / "comparison.json").read_text())
CRITICAL = json.loads((ROOT / "outputs" / "critical" / "critical.json").read_text())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_release_changes_the_first_line_of_a_file_alone(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So committed outputs stay as they are: they are compared without that word (oracles.golden)."""
    now = nf.emit(lang=lang, directory=tmp_path / "now")
    monkeypatch.setattr("ntkfeyn.render.templates.__version__", "98.7.6")
    later = nf.emit(lang=lang, directory=tmp_path / "later")
    for one, other in zip(now, later, strict=True):
        old, new = (path.read_text().split("\n") for path in (one, other))
        assert new[1:] == old[1:], other
        entries = one.suffix == ".bib"  # which has no comments
        assert entries or re.fullmatch(r"\S+ Made by ntkfeyn 98\.7\.6( \*/)?", new[0]), other
        assert without_version(other.read_text()) == without_version(one.read_text())


def components(width: str) -> dict[str, dict]:
    return ORDER2["data"][f"width-{width}"]["layer-3"]["Theta@0"]["components"]


def test_order_two_is_better_than_order_one() -> None:
    """At widths 4 to 8 order 1 is off by many errors, order 2 by few; order 0 is off everywhere."""
    schema = json.loads((Path(nf.__file__).parent / "schemas" / "comparison-1.schema.json").read_text())
    jsonschema.validate(ORDER2, schema)
    assert min(ORDER2["meta"]["networks"]) >= 100_000
    assert ORDER2["chi_square"]["Theta@0"]["p"] > 0.01
    for width in ("4", "6", "8"):
        for key, found in components(width).items():
            off = np.abs(np.array(found["theory"]) - found["sampled"]) / found["error"]
            assert off[0] > 5
            assert off[2] < 4
            assert off[2] < off[1]
            assert key == "1-2" or off[1] > 5


def test_theory_of_the_figure_is_what_evaluate_gives() -> None:
    meta = ORDER2["meta"]
    network = nf.Network(meta["depth"], 4, meta["activation"], cw=meta["cw"][0], cb=meta["cb"][0])
    theory = nf.evaluate(network, gram=np.array(meta["gram"]), names=["Theta", "Theta@1", "Theta@2"])
    for key, found in components("4").items():
        terms = [theory.value(f"Theta@{r}", list(map(int, key.split("-"))))[0] / 4**r for r in range(3)]
        assert np.allclose(np.cumsum(terms), found["theory"], rtol=1e-6)


def test_samples_of_the_figure_can_be_drawn_again() -> None:
    """Fewer networks of another seed: the same mean within errors."""
    meta = ORDER2["meta"]
    network = nf.Network(meta["depth"], 8, meta["activation"], cw=meta["cw"][0], cb=meta["cb"][0])
    again = nf.sample(network, gram=np.array(meta["gram"]), names=["Theta"], networks=20_000, seed=77)
    for key, found in components("8").items():
        value, error = again.value("Theta", list(map(int, key.split("-"))))
        assert abs(value - found["sampled"]) < 4.5 * np.hypot(error, found["error"])


def test_the_long_checks_found_nothing() -> None:
    """Their last result, of these certificates and this version."""
    record = json.loads(long_checks.RECORD.read_text())
    assert set(record) == set(long_checks.CHECKS), "run tests/run --all again"
    held = long_checks.CERTIFICATES.read_bytes()
    assert record["certificates"]["sha256"] == hashlib.sha256(held).hexdigest(), "run tests/run --all again"
    assert record["certificates"]["certificates"] == len(json.loads(held)["certificates"]) == 123
    for table in record.values():
        assert table["tool"] == TOOL, "run tests/run --all again"
        assert not any(table.get(key) for key in long_checks.WRONG)
        assert any(key in table for key in long_checks.WRONG)
    assert record["fuzzing"]["rounds"] == long_checks.ROUNDS


def test_the_critical_figure_is_reproduced(tmp_path: Path) -> None:
    command = [
        "critical",
        "--activation",
        "gelu",
        "--depth",
        "64",
        "-o",
        str(tmp_path / "critical"),
        "--format",
        "json",
    ]
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert not stopped.value.code
    again = json.loads((tmp_path / "critical" / "critical.json").read_text())
    assert again["points"][0]["C_W"] == pytest.approx(CRITICAL["points"][0]["C_W"], rel=1e-10)
    for which, run in CRITICAL["scaling"].items():
        assert run["layers"] == again["scaling"][which]["layers"]
        for name, tensor in run["tensors"].items():
            other = again["scaling"][which]["tensors"][name]
            assert tensor["growth"]["form"] == other["growth"]["form"], name
            scale = np.max(np.abs(tensor["values"]))
            assert np.allclose(tensor["values"], other["values"], rtol=1e-6, atol=1e-9 * scale), name
    made = {path.name for path in (tmp_path / "critical").iterdir()}
    assert made == {path.name for path in (ROOT / "outputs" / "critical").iterdir()}


def test_the_depth_tables_are_what_depth_prints(tmp_path: Path) -> None:
    """outputs/depth: remade; numbers of GeLU as far as quadrature goes."""
    from benchmarks.depth import SHOWN, tables

    tables(tmp_path)
    committed = ROOT / "outputs" / "depth"
    assert sorted(path.name for path in committed.iterdir()) == sorted(path.name for path in tmp_path.iterdir())
    for name in SHOWN:
        old, new = (json.loads((folder / f"{name}.json").read_text()) for folder in (committed, tmp_path))
        jsonschema.validate(old, json.loads((Path(nf.__file__).parent / "schemas" / "depth-1.schema.json").read_text()))
        for document in (old, new):
            del document["meta"]["tool"]
        if name != "gelu":
            assert old == new
        for tensor, entry in old["tensors"].items():
            if name == "gelu":
                assert entry["polynomial"] == pytest.approx(new["tensors"][tensor]["polynomial"], rel=1e-6, abs=1e-9)


def test_the_convolutional_outputs_are_what_their_readme_says() -> None:
    folder = ROOT / "outputs" / "convolution"
    text = (folder / "README.md").read_text()
    found = json.loads((folder / "certificates.json").read_text())
    assert found["verdict"] == "equal"
    certificates = found["certificates"]
    controlled = [one["controls"] for one in certificates if one["controls"]]
    diagrams = [diagram for one in controlled for diagram in one["diagrams"]]
    averages = [pair for one in controlled for pair in one["averages"]]
    assert {diagram[how] for diagram in diagrams for how in ("dropped", "doubled")} == {"caught"}
    assert {pair["omitted"] for pair in averages} == {"caught"}
    assert {one["verdict"] for one in certificates} == {"equal"}
    assert (
        f"{len(certificates)} recursions, {sum(len(one['comparisons']) for one in certificates)} coefficients" in text
    )
    assert f"{len(diagrams)}\ndiagrams left out and counted twice, and {len(averages)} pairs" in text
    means = json.loads((folder / "means.json").read_text())
    for name in ("K", "Theta"):
        assert f"{means['chi_square'][name + '@0']['value']:.1f} of 12 ({name})" in text.replace(
            "13.1 of\n12", "13.1 of 12"
        )
    network = nf.Network(
        layers=[nf.Conv(), nf.Conv(), nf.Dense(pool="mean")],
        shape=(3, 8),
        width=16,
        activation="gelu",
        cw=1.98305826,
        cb=0.17292239,
    )
    x = json.loads((folder / "x.json").read_text())
    theory = nf.evaluate(network, x, ["Theta"])
    assert theory.value("Theta", (1, 1))[0] == pytest.approx(
        means["data"]["width-16"]["layer-3"]["Theta@0"]["components"]["1-1"]["theory"][0], rel=1e-7
    )


@pytest.mark.parametrize("pool", ["flatten", pytest.param("mean", marks=pytest.mark.long)])
def test_the_digits_are_what_evaluate_gives(pool: str) -> None:
    """Order 0; order 1 takes twenty seconds, or half an hour: tests/benchmarks/convolution.py."""
    from sklearn.datasets import load_digits

    known = json.loads((ROOT / "outputs" / "convolution" / f"digits-{pool}-2.json").read_text())
    layers = [nf.Conv(), nf.Conv(), nf.Dense(pool=pool)]
    network = nf.Network(layers=layers, shape=(1, 8, 8), width=64, activation="gelu", cw=1.98305826, cb=0.17292239)
    found = nf.evaluate(network, load_digits().images[:2, None] / 8.0, "Theta", tolerance=1e-4)
    for key, one in known["data"]["width-64"]["layer-3"]["Theta@0"].items():
        assert found.value("Theta", [int(a) for a in key.split("-")])[0] == pytest.approx(one["value"], rel=1e-4)
