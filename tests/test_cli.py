"""The command line: what works, and wrong requests (exit code 2, one clear message, nothing written)."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from ntkfeyn.cli import COMMANDS, HELP, cli, main

ROOT = Path(__file__).parent.parent
RECURSION = r"""\[ F_{1324} = C_W^2 \Theta_{34} \langle \sigma_1\sigma_2\sigma'_3\sigma'_4 \rangle
    + \rho C_W^2 F_{a3b4} \langle\partial_a(\sigma_1\sigma'_3)\rangle \langle\partial_b(\sigma_2\sigma'_4)\rangle \]"""
NETWORK = """
[input]
shape = [2, 2]
[[layer]]
kind = "conv"
kernel = 2
width = 8
activation = "z + z**2/2"
[[layer]]
kind = "dense"
pool = "mean"
width = 8
activation = "z + z**2/2"
[[layer]]
kind = "dense"
"""


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_the_first_line_of_the_mission(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("derive", "--order", "1", "--cumulant", "F", capsys=capsys)
    assert (code, err) == (0, "")
    assert "F:1:1   C_W^2 Θ_34 ⟨σ_1 σ_2 σ'_3 σ'_4⟩" in out
    assert "F:1:2   + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 3 b2 4} ⟨∂_b1(σ_1 σ'_3)⟩ ⟨∂_b2(σ_2 σ'_4)⟩" in out


def test_the_second_line_of_the_mission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("emit", "--lang", "latex", capsys=capsys)
    assert code == 0
    assert Path(out.strip()) == Path("outputs/order1.tex")
    assert (tmp_path / "outputs" / "order1.tex").read_text().startswith("% Made by ntkfeyn")


@pytest.mark.parametrize("form", ["text", "latex", "sympy", "json"])
def test_formats_of_derive(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("derive", "Theta@1", "--format", form, capsys=capsys)
    assert code == 0
    assert len(out) > 100


def test_name_with_order_wins_over_order(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(
        "derive", "--cumulant", "K@2", "--cumulant", "Theta", "--order", "1", "--format", "json", capsys=capsys
    )
    data = json.loads(out)
    assert data["schema"] == "ntkfeyn.recursions/1"
    assert [(r["cumulant"]["name"], r["order"]) for r in data["recursions"]] == [("K", 2), ("Theta", 1)]


def test_all_without_an_order_is_leading_order(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("diagrams", "--cumulant", "all", "--count", capsys=capsys)
    counts = dict(line.split() for line in out.splitlines())
    assert counts["K@0"] == "1"
    assert counts["T@1"] == "13"
    assert len(counts) == 13


def test_count_prints_the_number_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diagrams", "--cumulant", "Q", "--count", capsys=capsys)[1] == "5\n"
    assert run("diagrams", "--cumulant", "A", "--count", "--full", capsys=capsys)[1] == "13\n"


def test_legs_without_channel_gives_every_class(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("diagrams", "--legs", "z1 z2 NTK34 NTK56", "--count", capsys=capsys)
    assert [line.split("@")[0] for line in out.splitlines()] == ["C0R1R1", "C0R2", "C1R1", "C2"]


@pytest.mark.parametrize("form", ["tikz", "svg", "png", "pdf", "dot"])
def test_pictures_are_written_one_file_a_diagram(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("diagrams", "D", "--full", "--format", form, "-o", str(tmp_path), capsys=capsys)
    assert code == 0
    assert len(out.splitlines()) == len(list(tmp_path.iterdir())) == 5


def test_diagram_listing_counts_rejections(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("diagrams", "D", capsys=capsys)
    assert "3 diagrams kept (16 candidates of this order, 5 connected)" in out
    _, out, _ = run("diagrams", "D", "--format", "json", capsys=capsys)
    assert json.loads(out)["counts"] == {"candidates": 16, "connected": 5, "kept": 3}


def test_json_file_is_written_beside_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("derive", "F", "--json", str(tmp_path / "f.json"), capsys=capsys)
    assert code == 0
    assert "F_1324" in out
    assert json.loads((tmp_path / "f.json").read_text())["cumulant"]["name"] == "F"


WRONG = [
    (["derive"], "no cumulant was asked for"),
    (["derive", "--cumulant", "X"], "unknown cumulant 'X'"),
    (["derive", "--cumulant", "f"], "--cumulant F"),
    (["derive", "--cumulant", ""], "empty cumulant name"),
    (["derive", "--cumulant", "F@x"], "order 'x'"),
    (["derive", "--cumulant", "F@1234567"], "at most 12"),
    (["derive", "--cumulant", "R13"], "at most 12"),
    (["derive", "--cumulant", "C" + "9" * 5000], "unknown cumulant"),
    (["derive", "--legs", "z1 z(" + "9" * 5000 + ")"], "cannot read the leg"),
    (["derive", "--legs", "z1 z2", "--channel", "1-" + "9" * 5000], "cannot pair"),
    (["derive", "--legs", "NTK12 z10"], "z(10)"),
    (["derive", "F", "--legs", "z5 z6 NTK78", "--channel", "57.68"], "asked for twice"),
    (["diagrams", "F", "--count", "-o", "d"], "-o"),
    (["derive", "--cumulant", "F", "--order", "0"], "leading order is 1"),
    (["derive", "--cumulant", "F@0"], "leading order is 1"),
    (["derive", "--cumulant", "F", "--order", "-1"], "order -1"),
    (["derive", "--cumulant", "K", "--order", "-1"], "order -1"),
    (["derive", "--cumulant", "all", "--order", "-3"], "order -3"),
    (["derive", "--cumulant", "K", "--order", "13"], "order 13 was asked for K; at most 12 is allowed. Try: order 0"),
    (["derive", "--cumulant", "K", "--order", "99999999999999999999"], "at most 12"),
    (["derive", "--cumulant", "S@4", "--format", "json"], "at most 500000"),
    (["derive", "--cumulant", "V@4", "--format", "sympy"], "SymPy takes at most"),
    (["derive", "--cumulant", "K", "--order", "1.5"], "'1.5' is not a valid integer. Try: ntkfeyn derive --help"),
    (["derive", "--cumulant", "K@8", "--format", "json"], "at most 500000"),
    (["derive", "--legs", "z1 z2 z3"], "must be even"),
    (["derive", "--legs", "z1 z1"], "more than once"),
    (["derive", "--legs", "z1 z2 NTK34", "--channel", "12.33"], "no perfect matching"),
    (["derive", "--legs", "z1 z2 NTK34", "--channel", "12.35"], "cannot pair '35'"),
    (["derive", "--legs", "z1 z2 NTK34", "--channel", "12"], "no perfect matching"),
    (["derive", "--channel", "12.34"], "without legs"),
    (["derive", "--legs", "tree:0-1,1-2,2-0(1,2,3,4)"], "do not form a tree"),
    (["derive", "--legs", "tree:0-1,2-3(1,2,3) z4"], "do not form a tree"),
    (["derive", "--legs", "tree:0-1;1-2(1,2,3) z4"], "cannot read the leg"),
    (["derive", "--legs", "banana"], "cannot read the leg 'banana'"),
    (["derive", "--legs", " ".join(f"z({i})" for i in range(20))], "at most 12"),
    (["derive", "--legs", ""], "no external legs"),
    (["derive", "--cumulant", "F", "--without", "magic"], "unknown rewrite 'magic'"),
    (["derive", "--cumulant", "F", "--format", "xml"], "xml"),
    (["derive", "--cumulant", "F", "--json", "/proc/nowhere/f.json"], "cannot write"),
    (["diagrams", "--cumulant", "D", "--format", "svg"], "-o DIRECTORY"),
    (["diagrams", "--cumulant", "all", "--format", "json"], "takes one"),
    (["emit"], "--lang latex|html|python|jax|c. Try: ntkfeyn emit --help"),
    (["check"], "Missing argument 'FILE'. Try: ntkfeyn check --help"),
    (["derive", "F", "--notation", "x" * 300], "there is no notation 'x"),
    (["derive", "F", "--notation", ""], "there is no notation ''; a TOML file is allowed"),
    (["emit", "--lang", "latex", "F", "--template", "x" * 300], "the template directory 'x"),
    (["emit", "--lang", "latex", "F", "--columns", "0"], "0 columns were asked for"),
    (["emit", "--lang", "latex", "F", "--terms-per-line", "0"], "0 terms a line were asked for"),
    (["emit", "--lang", "fortran"], "language 'fortran'"),
    (["emit", "--lang", "latex", "--cumulant", "nope"], "unknown cumulant"),
    (["list", "--order", "-2"], "order -2"),
    (["list", "--order", "0_2"], "not a valid integer"),
    (["emit", "--lang", "latex", "F", "--no-cse"], "--lang latex was asked for with --no-cse"),
    (["depth", "--activation", "relu", "--legs", ""], "no external legs"),
    (["depth", "--activation", "relu", "--channel", ""], "without legs"),
    (["critical", "--activation", "relu", "--no-scaling", "--off", "nan"], "--off nan was asked for"),
    (["theory", "99"], "section '99' of the theory was asked for; allowed are 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
    (["theory", "four"], "Try: ntkfeyn theory 4"),
    (["theory", ""], "section ''"),
    (["nonsense"], "nonsense"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda a: " ".join(a)[:60] if isinstance(a, list) else "")
def test_wrong_requests(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments, capsys=capsys)
    assert code == 2
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert err.count("Error") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_a_working_example(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(*([command] if command else []), "--help", capsys=capsys)
    assert code == 0
    above = out.split("\nOptions:\n")[0]
    lines = [line for line in above.splitlines() if " ntkfeyn " in line and not line.startswith("Usage")]
    assert lines
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text("[[1, 0.5], [0.2, 1]]")
    (tmp_path / "paper.tex").write_text(RECURSION)
    (tmp_path / "y.json").write_text("[1, -0.5]")
    (tmp_path / "t.json").write_text("[[0.4, 0.4]]")
    (tmp_path / "net.toml").write_text(NETWORK)
    np.save(tmp_path / "x.npy", [[[1, 0.5], [0.2, 1]], [[0.3, 1], [1, 0]]])
    for line in lines:
        assert run(*shlex.split(line.split("ntkfeyn ", 1)[1]), capsys=capsys)[0] == 0


def test_version_and_closed_output() -> None:
    version = subprocess.run([sys.executable, "-m", "ntkfeyn", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == "ntkfeyn 0.1.0\n"
    piped = subprocess.run(
        f"{sys.executable} -m ntkfeyn derive --cumulant Theta@3 | head -n 1", shell=True, capture_output=True, text=True
    )
    assert piped.stderr == ""
    assert piped.stdout.startswith("Θ^{3}_12 at layer")


def test_a_narrow_encoding_is_no_traceback() -> None:
    plain = subprocess.run(
        [sys.executable, "-m", "ntkfeyn", "derive", "F"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 0
    assert "C_W^2" in plain.stdout


def test_the_reference_below_a_command_s_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a command that exists, naming options that exist; what is indented stands as it is."""
    commands = [import_module(f"ntkfeyn.cli.{module}").command for module in COMMANDS.values()]
    known = {name for command in (cli, *commands) for param in command.params for name in param.opts}
    known |= {"--save-run", *HELP}
    files = sorted((ROOT / "ntkfeyn" / "cli" / "details").iterdir())
    assert files
    for file in files:
        text = file.read_text()
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= known, file.name
        code, out, _ = run(*([] if file.stem == "ntkfeyn" else [file.stem]), "--help", capsys=capsys)
        assert code == 0
        assert text.split()[0] in out
        assert [line for line in text.splitlines() if line.startswith(" ") and f"  {line}" not in out] == []
