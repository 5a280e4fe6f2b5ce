"""The command `evaluate`: files in and out, schemas, layouts, and what a wrong request gets."""

from __future__ import annotations

import json
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import ntkfeyn
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.solve.inputs import read_array, vectors

SCHEMAS = Path(ntkfeyn.__file__).parent / "schemas"
VECTORS = [[1.0, 0.5, -0.25], [0.25, 1.0, 0.5]]


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text(json.dumps(VECTORS))
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", *arguments])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


NETWORK = ("--activation", "gelu", "--inputs", "x.json", "--depth", "3", "--width", "16,32")


def test_default_tensors_after_the_schema(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *NETWORK, "--format", "json", "--json", "copy.json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "tensors-1.schema.json").read_text()))
    assert (inputs / "copy.json").read_text() == out
    assert list(document["data"]) == ["width-16", "width-32"]
    row = document["data"]["width-32"]["layer-3"]
    assert list(row) == ["K@0", "Theta@0", "V@1", "D@1", "F@1", "A@1", "B@1", "K@1", "Theta@1"]
    assert len(row["F@1"]) == 16
    assert row["K@0"]["1-2"] == row["K@0"]["2-1"]
    assert document["meta"]["cw"] == [1.0, 1.0, 1.0]
    found = ntkfeyn.evaluate(ntkfeyn.Network(3, 32, "gelu"), VECTORS, ["F"])
    assert row["F@1"]["1-2-1-2"]["value"] == pytest.approx(found.value("F", (1, 2, 1, 2))[0], rel=1e-9)


@pytest.mark.parametrize("kind", ["npy", "csv", "gram.json", "gram.npy"])
def test_every_kind_of_file(inputs: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    array = np.array(VECTORS)
    gram = array @ array.T / 3
    if kind == "npy":
        np.save("y.npy", array)
    elif kind == "csv":
        Path("y.csv").write_text("\n".join(", ".join(map(str, row)) for row in VECTORS) + "\n\n")
    elif kind == "gram.npy":
        np.save("y.gram.npy", gram)
    else:
        Path("y.gram.json").write_text(json.dumps(gram.tolist()))
    option = "--gram" if kind.startswith("gram") else "--inputs"
    rest = ("--activation", "relu", "--depth", "3", "--width", "8", "K", "V", "--format", "json")
    code, out, _ = call(capsys, option, f"y.{kind}", *rest)
    _, reference, _ = call(capsys, "--inputs", "x.json", *rest)
    assert code == 0
    ours, theirs = (json.loads(text)["data"]["width-8"]["layer-3"]["V@1"] for text in (out, reference))
    for key, entry in ours.items():
        assert entry["value"] == pytest.approx(theirs[key]["value"], rel=1e-9)


def test_assembled_means_all_orders_up_to_the_one_asked_for(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As text with commas: the sum of K, K@1/n, K@2/n^2 from the same table of single orders."""
    small = [*NETWORK, "--components", "1-1", "--format", "csv"]
    code, whole, _ = call(capsys, *small, "K", "--order", "2", "--assembled")
    assert code == 0
    _, single, _ = call(capsys, *small, "K@0", "K@1", "K@2")
    head, *lines = single.splitlines()
    assert head == "width,layer,tensor,component,value,error"
    last = [line.split(",") for line in lines if line.split(",")[1] == lines[-1].split(",")[1]]
    n = int(last[0][0])
    expected = sum(float(row[4]) / n ** int(row[2][-1]) for row in last if row[0] == last[0][0])
    found = [line.split(",") for line in whole.splitlines() if line.startswith(f"{n},{last[0][1]},")]
    assert [row[2] for row in found] == ["K@0..2"]
    assert float(found[0][4]) == pytest.approx(expected, rel=1e-12)


def test_table_and_assembled(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *NETWORK, "K", "K@1", "--assembled", "--cw", "1.5:1.2:1.2", "--cb", "0.1")
    assert code == 0
    assert "width 16, gelu, layers 1 .. 3" in out
    assert "K@0..1" in out
    assert len([line for line in out.splitlines() if line.startswith("  1-2")]) == 2


def test_layout_of_the_authors_package(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *NETWORK, "F", "Theta@1", "--layout", "ntk-unlimited", "-o", "out")
    assert code == 0
    assert out.split() == ["out/F@1.json", "out/Theta@1.json"]
    data = json.loads(Path("out/F@1.json").read_text())["data"]
    found = ntkfeyn.evaluate(ntkfeyn.Network(3, 16, "gelu"), VECTORS, ["F"])
    assert data["width-16"]["layer-2"]["0-1-0-0"] == pytest.approx(found.value("F", (1, 2, 1, 1), layer=2)[0], rel=1e-9)


def test_moments(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = ("--activation", "relu", "--cw", "2", "--inputs", "x.json", "--depth", "3", "--width", "10")
    code, out, _ = call(capsys, *rest, "--moment", "z_i1 z_i1 z_j1 z_j1", "--order", "2", "--format", "json")
    assert code == 0
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "moments-1.schema.json").read_text()))
    row = document["data"]["width-10"]["layer-3"]
    kernel = row["coefficients"][0]["value"]
    assert row["value"] == pytest.approx(kernel * 1.5**2, rel=1e-12)
    code, out, _ = call(capsys, *rest, "--moment", "Var(NTK_ij12)")
    assert code == 0
    assert "width-10 layer-3: Var(NTK_ij12) = 0 + 0." in out
    assert "n^-1" in out


def test_moments_that_vanish(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("z_i1", "z_i1 z_j1", "NTK_ij(1,2)", "z_i1 z_j1 z_k2"):
        code, out, err = call(capsys, *NETWORK, "--moment", text)
        assert (code, err) == (0, "")
        assert all(line.split(" = ")[1].startswith("0") for line in out.splitlines())


def test_long_moments_take_no_time(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *NETWORK, "--moment", " ".join(["z_i1"] * 12), "--format", "json")
    assert code == 0
    row = json.loads(out)["data"]["width-16"]["layer-3"]["coefficients"]
    kernel = ntkfeyn.evaluate(ntkfeyn.Network(3, 16, "gelu"), VECTORS, ["K"]).value("K", (1, 1))[0]
    assert row[0]["value"] == pytest.approx(10395 * kernel**6, rel=1e-6)


def test_legs_and_all_targets(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--activation", "tanh", "--inputs", "x.json", "--depth", "2", "--width", "4", "--format", "json")
    code, out, _ = call(capsys, *few, "--legs", "NTK12 NTK34 z5 z6", "--channel", "15.23.46")
    assert code == 0
    assert list(json.loads(out)["data"]["width-4"]["layer-2"]) == ["C2@2"]
    code, out, _ = call(capsys, *few, "--cumulant", "all", "--components", "1-1-1-1")
    assert code == 0
    assert len(json.loads(out)["data"]["width-4"]["layer-2"]) == 13


def bad_files() -> dict[str, Any]:
    return {
        "nan.json": "[[1, NaN]]",
        "ragged.json": "[[1, 2], [3]]",
        "empty.json": "[]",
        "vector.json": "[1, 2, 3]",
        "text.json": '[["a", "b"]]',
        "broken.json": "[[1, 2",
        "huge.json": "[[1e200, 1]]",
        "null.json": "null",
        "deep.json": "[" * 5000 + "]" * 5000,
        "bool.json": "[[true, false]]",
        "mixed.json": "[[true, false], [1, 2]]",
        "bad.csv": "1,2\n3,x\n",
        "x.txt": "1 2",
        "complex.npy": np.array([[1j, 2.0]]),
        "object.npy": np.array([[None, 1]], dtype=object),
        "many.npy": np.zeros((1_000_000, 2)),
        "three.npy": np.zeros((2, 2, 2)),
        "zip.npy": "PK\x03\x04garbage",
        "header.npy": "\x93NUMPY\x01\x00\x10\x00((((((((((((((((",
        "squares.json": "[[1e160, 1]]",
    }


@pytest.mark.parametrize("name", bad_files())
def test_bad_inputs(inputs: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    content = bad_files()[name]
    if isinstance(content, str):
        Path(name).write_text(content)
    else:
        np.save(name, content)
    before = sorted(inputs.iterdir())
    rest = ("--activation", "gelu", "--depth", "3", "--width", "8", "--json", "out.json")
    code, out, err = call(capsys, "--inputs", name, *rest)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert sorted(inputs.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--cw", "0"), ("--cw", "-1"), ("--cw", "nan"), ("--cw", "x"), ("--cw", "1:2"), ("--cb", "-0.1"),
        ("--cb", "inf"), ("--lambda-w", "-1"), ("--depth", "0"), ("--depth", "-3"), ("--depth", "1001"),
        ("--depth", "x"),
        ("--width", "0"), ("--width", "8:8:8"), ("--width", "a"), ("--width", ""), ("--width", "8,,8"),
        ("--width", "-4"), ("--activation", "foo"), ("--activation", "exp(z**2)"), ("--activation", "1/z"),
        ("--inputs", "none.json"),
        ("--gram", "x.json"), ("--components", "5-5-5-5"), ("--components", "1-"), ("--components", "some"),
        ("--tolerance", "0"), ("--tolerance", "nan"), ("--jobs", "0"), ("--layout", "ntk-unlimited"), ("-o", "out"),
        ("--moment", "q"), ("--moment", "z_i9 z_i9"), ("--order", "0", "V"), ("V@99",), ("W",), ("--assembled", "K@1"),
        ("--activation", "relu", "R"), ("--activation", "foo\nz"), ("--inputs", "miss\ning.json"), ("--cw", "1\n2"),
        ("--channel", "12"), ("--inputs", "/dev/zero"), ("--activation", "relu", "--cw", "1e200"),
        ("--activation", "tanh", "--cw", "1e200"), ("--activation", "sin", "--cw", "1e8"), ("--lambda-w", "1e308"),
        ("--activation", "z**12", "--cw", "1e20"), ("--activation", "sqrt(z)"), ("--cb", "1e300"),
        ("--moment", "z_i1", "--assembled"), ("--moment", "z_i9"), ("--depth", "٣"), ("--depth", "0_3"),
        ("--width", "8 8"), ("--width", "8_0"), ("--width", "٣"), ("--cw", "1_0"), ("--cw", "٢"),
        ("--tolerance", "1e-0_8"), ("--components", " 1-1"), ("--components", "١-1"),
        ("--components", "1-1-1", "K"), ("--components", "1-1,1-1-1", "K", "V"), ("--components", "1-1-1-1", "Theta"),
        ("--activation", "tanh(z)**13"),
    ],
)  # fmt: skip
def test_bad_requests(inputs: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    before = sorted(inputs.iterdir())
    code, out, err = call(capsys, *NETWORK, "--json", "out.json", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert sorted(inputs.iterdir()) == before


@pytest.mark.parametrize("missing", ["--width", "--depth", "--activation", "--inputs"])
def test_missing_options(inputs: Path, capsys: pytest.CaptureFixture[str], missing: str) -> None:
    place = NETWORK.index(missing)
    code, out, err = call(capsys, *NETWORK[:place], *NETWORK[place + 2 :])
    assert (code, out) == (2, "")
    assert missing in err


def test_a_zero_without_digits_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nearly parallel inputs of a ReLU network: every value 0, the error is not."""
    near = tmp_path / "near.json"
    near.write_text("[[1, 0.5], [1, 0.5001]]")
    network = ["--activation", "relu", "--cw", "2", "--inputs", str(near), "--depth", "4", "--width", "8"]
    with pytest.raises(SystemExit):
        main(["evaluate", *network, "Theta@1"])
    assert "no digit is known" in capsys.readouterr().err


def peak_of(call: Callable[[], object]) -> int:
    """Bytes that a refused request takes at most."""
    tracemalloc.start()
    try:
        with pytest.raises(NtkfeynError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BOMBS = {
    "row.csv": b"1," * 12_000_000, "rows.csv": b"1\n" * 12_000_000, "lines.csv": b"\n" * 24_000_000,
    "lists.json": b"[" + b"[]," * 8_000_000 + b"[]]", "objects.json": b"[" + b"{}," * 8_000_000 + b"{}]",
    "entries.json": b"[[" + b"1," * 12_000_000 + b"1]]", "tall.csv": b"1,2\n" * 600,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_too_large_is_refused_before_it_is_parsed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BOMBS[name])
    start = time.monotonic()
    assert peak_of(lambda: read_array(tmp_path / name)) < 1 << 27
    assert time.monotonic() - start < 45


def test_a_csv_file_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text, rows in (("1, 2\r\n\r\n 3,4e-1", [[1, 2], [3, 0.4]]), ("5", [[5]]), ("\ufeff1\n2\n", [[1], [2]])):
        path.write_text(text, newline="")
        assert read_array(path).tolist() == rows
    path.write_text("\n\n")
    with pytest.raises(NtkfeynError, match="inputs of shape"), warnings.catch_warnings(action="error"):
        vectors(read_array(path))
    for wrong in ("1,2\n3", "1,,2", "a", "1;2", "1,2,", "#1"):
        path.write_text(wrong)
        with pytest.raises(NtkfeynError, match="does not hold numbers in rows"):
            read_array(path)


def test_a_grid_that_is_too_large_is_refused_before_it_is_laid() -> None:
    """Six inputs, six slots: more than three hundred million nodes."""
    inputs = 1.5 * np.random.default_rng(0).normal(size=(6, 9))
    start = time.monotonic()
    assert peak_of(lambda: ntkfeyn.evaluate(ntkfeyn.Network(2, 8, "gelu", cw=1.5), inputs, ["C0C0C0"])) < 1 << 30
    assert time.monotonic() - start < 45
