"""Run files: what --save-run writes gives the same bytes; who wins; what a wrong file gets (one message, exit 2)."""

from __future__ import annotations

import os
import tomllib
import tracemalloc
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ntkfeyn as nf
from ntkfeyn.cli import COMMANDS, cli, main
from ntkfeyn.cli.options import writable
from ntkfeyn.cli.run_file import key_of, toml
from ntkfeyn.errors import NtkfeynError

NETWORK = ("--activation", "gelu", "--inputs", "x.json", "--depth", "2", "--width", "8,16")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text("[[1, 0.5], [0.2, 1]]")
    Path("y.json").write_text("[1, -0.5]")
    Path("net.toml").write_text('input.shape = [2]\n[[layer]]\nkind = "dense"\n[[layer]]\nkind = "dense"\n')
    Path("f.json").write_text(nf.derive("F", order=1).to_json())
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


REPEATED = [
    (("list", "--order", "0"), {"order": 0}, 0),
    (("list",), {}, 0),
    (("diagrams", "D", "--full"), {"names": ["D"], "full": True}, 0),
    (
        ("derive", "--cumulant", "K@1", "--cumulant", "F", "--format", "json", "--without", "omega", "--no-pictures"),
        {"cumulant": ["K@1", "F"], "format": "json", "pictures": False, "without": ["omega"]},
        0,
    ),
    (("derive", "--legs", "z1 z2 NTK34", "--channel", "13.24"), {"legs": "z1 z2 NTK34", "channel": "13.24"}, 0),
    (("derive", "F", "--shared"), {"names": ["F"], "shared": True}, 0),
    (("explain", "F:1:2"), {"diagram-id": "F:1:2"}, 0),
    (("theory", "4"), {"section": "4"}, 0),
    (("check", "f.json", "F", "--format", "json"), {"file": "f.json", "target": "F", "format": "json"}, 0),
    (
        ("emit", "--lang", "python", "V", "-o", "out", "--no-cse"),
        {"names": ["V"], "lang": "python", "output": "out", "cse": False},
        0,
    ),
    (("verify", "K@1", "--layers", "2", "--cw", "3/2"), {"names": ["K@1"], "layers": "2", "cw": "3/2"}, 0),
    (("network", "net.toml", "K", "--samples", "3"), {"names": ["K"], "network-file": "net.toml", "samples": 3}, 0),
    (
        ("evaluate", *NETWORK, "--tolerance", "1e-6", "V", "--cw", "1"),  # the default of --cw is left out
        {"names": ["V"], "activation": "gelu", "inputs": "x.json", "depth": 2, "width": "8,16", "tolerance": 1e-6},
        0,
    ),
    (
        ("sample", *NETWORK, "K", "--networks", "64", "--target-error", "0.5", "--json", "s.json"),
        {
            "names": ["K"], "activation": "gelu", "inputs": "x.json", "depth": 2, "width": "8,16", "networks": 64,
            "target-error": 0.5, "json": "s.json",
        },
        0,
    ),
    (
        ("compare", *NETWORK, "K", "--order", "0", "--networks", "64", "--max-pull", "0.001"),  # the answer is no: kept
        {
            "names": ["K"], "order": 0, "activation": "gelu", "inputs": "x.json", "depth": 2, "width": "8,16",
            "networks": 64, "max-pull": 0.001,
        },
        1,
    ),
    (
        ("train", *NETWORK, "--targets", "y.json", "--test", "x.json", "--steps", "2,9", "--rate", "0.25"),
        {
            "activation": "gelu", "inputs": "x.json", "depth": 2, "width": "8,16", "targets": "y.json",
            "test": "x.json", "steps": "2,9", "rate": 0.25,
        },
        0,
    ),
    (
        ("critical", "--activation", "z*tanh(z)", "--no-scaling"),
        {"activation": "z*tanh(z)", "no-scaling": True},
        0,
    ),
    (
        ("depth", "V", "--activation", "relu", "--cw", "any", "--widths", "any"),
        {"names": ["V"], "activation": "relu", "cw": "any", "widths": "any"},
        0,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "table", "answer"), REPEATED, ids=lambda a: a[0] if isinstance(a, tuple) else "")
def test_a_saved_run_gives_the_same_bytes(
    arguments: tuple[str, ...],
    table: dict[str, object],
    answer: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = run(capsys, *arguments, "--save-run", "runs/r.toml")
    assert first[0] == answer
    saved = Path("runs/r.toml").read_bytes()
    assert tomllib.loads(saved.decode()) == {arguments[0]: table}
    assert run(capsys, "--run", "runs/r.toml", arguments[0]) == first
    assert run(capsys, "--run", "runs/r.toml", arguments[0], "--save-run", "again.toml") == first
    assert Path("again.toml").read_bytes() == saved
    assert [path.name for path in Path("runs").iterdir()] == ["r.toml"]


def test_every_command_is_repeated() -> None:
    assert {arguments[0] for arguments, _, _ in REPEATED} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_key_of_its_own(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    keys = [key_of(param) for param in command.params]
    assert len(set(keys)) == len(keys)
    assert keys.count("save-run") == 1
    for param in command.params:
        assert isinstance(param, click.Argument) or f"--{key_of(param)}" in param.opts


def test_the_command_line_wins_over_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.toml").write_text('[derive]\nnames = ["F"]\nformat = "json"\nhomogeneous = false\n')
    assert run(capsys, "--run", "r.toml", "derive", "--format", "text") == run(capsys, "derive", "F")
    for asked in (["V"], ["--cumulant", "V"], ["--legs", "z1 z2 NTK34", "--channel", "12.34"]):  # the file's F is not
        assert run(capsys, "--run", "r.toml", "derive", *asked) == run(capsys, "derive", *asked, "--format", "json")
    Path("r.toml").write_text('[derive]\nlegs = "z1 z2 NTK34"\nchannel = "13.24"\npictures = true\n')
    assert run(capsys, "--run", "r.toml", "derive", "V", "--no-pictures") == run(capsys, "derive", "V")
    given = run(capsys, "derive", "--legs", "z1 z2 NTK34", "--channel", "12.34")
    assert run(capsys, "--run", "r.toml", "derive", "--channel", "12.34", "--no-pictures") == given


def test_inputs_and_a_gram_matrix_replace_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    Path("g.json").write_text("[[1, 0.5], [0.5, 2]]")
    Path("r.toml").write_text(
        '[evaluate]\nactivation = "relu"\ninputs = "x.json"\ndepth = 2\nwidth = 8\ncw = 2.0\nnames = ["K"]\n'
    )
    network = ("evaluate", "--activation", "relu", "--depth", "2", "--width", "8", "--cw", "2", "K")
    code, out, _ = run(capsys, "--run", "r.toml", "evaluate", "--gram", "g.json", "--save-run", "g.toml")
    assert (code, out) == run(capsys, *network, "--gram", "g.json")[:2]
    assert "inputs" not in tomllib.loads(Path("g.toml").read_text())["evaluate"]
    assert run(capsys, "--run", "r.toml", "evaluate")[1] == run(capsys, *network, "--inputs", "x.json")[1]


def test_the_file_of_the_current_directory(capsys: pytest.CaptureFixture[str]) -> None:
    plain = run(capsys, "derive", "V")
    Path("ntkfeyn.toml").write_text('[derive]\nnames = ["V"]\n')
    assert run(capsys, "derive") == (0, plain[1], "using ntkfeyn.toml\n")
    assert run(capsys, "--no-run", "derive", "V") == plain
    assert run(capsys, "--no-run", "derive")[0] == 2
    assert run(capsys, "diagrams", "V", "--count") == (0, "2\n", "")  # says nothing of this command: not announced
    Path("other.toml").write_text('[derive]\nnames = ["F"]\n')
    assert run(capsys, "--run", "other.toml", "derive") == run(capsys, "--no-run", "derive", "F")
    for text in ("[derive", "[derive]\nnames = 3\n"):  # help is there when it is needed
        Path("ntkfeyn.toml").write_text(text)
        assert run(capsys, "derive", "F")[0] == 2
        code, out, _ = run(capsys, "derive", "--help")
        assert (code, out.split()[0]) == (0, "Usage:")
        assert run(capsys, "--version")[0] == 0


WRONG = [
    ('[evaluat]\ndepth = 3\n', ["evaluate"], ["r.toml", "'evaluat'", "Did you mean [evaluate]?"]),
    ('width = 3\n', ["evaluate"], ["r.toml", "'width'", "[evaluate]"]),
    ('evaluate = 3\n', ["evaluate"], ["r.toml", "'evaluate' is no table"]),
    ('[evaluate]\ndepht = 3\n', ["evaluate"], ["r.toml, [evaluate]", "'depht'", "Did you mean depth?"]),
    ('[evaluate]\nlambda_w = 3\n', ["evaluate"], ["'lambda_w'", "Did you mean lambda-w?"]),
    ('[evaluate]\nhelp = true\n', ["evaluate"], ["[evaluate]", "'help'"]),
    ('[evaluate]\nsave-run = "s.toml"\n', ["evaluate"], ["unknown key 'save-run'"]),
    ('[evaluate]\nrun = "s.toml"\n', ["evaluate"], ["unknown key 'run'"]),
    ('[evaluate]\ndepth = "three"\n', ["evaluate"], ["r.toml, [evaluate]", 'depth = "three"', "a whole number"]),
    ('[evaluate]\ndepth = 3.0\n', ["evaluate"], ["depth = 3.0", "a whole number", "Try: depth = 3"]),
    ('[evaluate]\ndepth = true\n', ["evaluate"], ["depth = true", "a whole number"]),
    ('[evaluate]\ndepth = [3]\n', ["evaluate"], ["depth = [3]", "a whole number"]),
    ('[evaluate]\ndepth = 1979-05-27\n', ["evaluate"], ["depth = 1979-05-27", "a whole number"]),
    ('[evaluate]\ndepth = {a = 1}\n', ["evaluate"], ["depth = {'a': 1}", "a whole number"]),
    ('[evaluate]\ntolerance = "1e-3"\n', ["evaluate"], ['tolerance = "1e-3"', "a number"]),
    ('[evaluate]\nformat = "tabel"\n', ["evaluate"], ['format = "tabel"', "one of table, csv, json"]),
    ('[evaluate]\nformat = 3\n', ["evaluate"], ["format = 3", "one of table, csv, json"]),
    ('[evaluate]\nassembled = 1\n', ["evaluate"], ["assembled = 1", "true or false"]),
    ('[evaluate]\nassembled = "yes"\n', ["evaluate"], ['assembled = "yes"', "true or false"]),
    ('[evaluate]\nactivation = ["gelu"]\n', ["evaluate"], ['activation = ["gelu"]', "a text"]),
    ('[evaluate]\nactivation = true\n', ["evaluate"], ["activation = true", "a text"]),
    ('[evaluate]\njson = 3\n', ["evaluate"], ["json = 3", "a text"]),
    ('[evaluate]\njson = "."\n', ["evaluate"], ["r.toml, [evaluate]", 'json = "."', "directory"]),
    ('[evaluate]\njson = "a\\u0000b"\n', ["evaluate"], ['json = "a\\u0000b"', "a text"]),
    ('[evaluate]\ncumulant = "F"\n', ["evaluate"], ['cumulant = "F"', "a list", 'cumulant = ["F"]']),
    ('[evaluate]\nnames = ["F", true]\n', ["evaluate"], ['names = ["F", true]', "a list"]),
    ('[evaluate]\nnames = [["F"]]\n', ["evaluate"], ['names = [["F"]]', "a list"]),
    ('[derive]\nno-pictures = true\n', ["derive", "F"], ["'no-pictures'", "Did you mean pictures?"]),
    ('[explain]\ndiagram-id = ["F:1:2"]\n', ["explain"], ["diagram-id", "a text"]),
    ('[derive]\nnames = ["F"]\n', ["evaluate"], ["r.toml has no table [evaluate]", "[derive]"]),
    ('', ["evaluate"], ["r.toml has no table [evaluate]"]),
    ('[evaluate\n', ["evaluate"], ["'r.toml' is not TOML", "line 1"]),
    ('[evaluate]\na = 1\na = 2\n', ["evaluate"], ["'r.toml' is not TOML"]),
    (f'[evaluate]\ndepth = {"9" * 5000}\n', ["evaluate"], ["'r.toml' is not TOML"]),
    (f'x = {"[" * 5000}{"]" * 5000}\n', ["evaluate"], ["r.toml"]),
    ("#" * (1 << 20) + "\n", ["evaluate"], ["more than 1048576 bytes"]),
    ('[evaluate]\nactivation = "\udcff"\n', ["evaluate"], ["not UTF-8"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "arguments", "messages"), WRONG, ids=lambda a: a[:40] if isinstance(a, str) else "")
def test_wrong_run_files(
    text: str, arguments: list[str], messages: list[str], directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("r.toml").write_bytes(text.encode(errors="surrogateescape"))
    before = sorted(directory.iterdir())
    code, out, err = run(capsys, "--run", "r.toml", *arguments, "--save-run", "s.toml")
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    for message in messages:
        assert message in err
    assert sorted(directory.iterdir()) == before


@pytest.mark.parametrize("name", ["none.toml", ".", "/dev/zero", "/dev/null"])
def test_what_is_no_run_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--run", name, "derive", "F")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert name in err
    assert run(capsys, "--run", "r.toml", "--no-run", "derive", "F")[0] == 2


def test_nothing_is_saved_of_a_bad_request(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(directory.iterdir())
    assert run(capsys, "derive", "X", "--save-run", "s.toml")[0] == 2
    assert run(capsys, "emit", "--lang", "python", "V", "-o", "\udcff", "--save-run", "s.toml")[0] == 2  # no TOML text
    for place in (".", "x.json/s.toml"):
        assert run(capsys, "derive", "F", "--save-run", place)[:2] == (2, "")
    assert sorted(directory.iterdir()) == before


def test_a_file_is_replaced_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.toml").write_text("[list]\norder = 1\n")
    assert run(capsys, "derive", "F", "--save-run", "r.toml")[0] == 0
    assert tomllib.loads(Path("r.toml").read_text()) == {"derive": {"names": ["F"]}}


SINGLE = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(st.one_of(SINGLE, st.lists(SINGLE)))
def test_toml_is_read_back(value: object) -> None:
    assert tomllib.loads(f"key = {toml(value)}\n") == {"key": value}
    again = tomllib.loads(f"key = {toml(value)}\n")["key"]
    assert type(again) is type(value)


def test_toml_of_signs_that_need_an_escape() -> None:
    every = "".join(map(chr, range(0x180))) + '\\"\u2028\U0001f600'
    assert tomllib.loads(f"key = {toml(every)}\n") == {"key": every}
    assert toml(Path("a/b")) == '"a/b"'
    for wrong in ("\ud800", {"a": 1}, None):
        with pytest.raises(NtkfeynError):
            toml(wrong)


# what names a file to read; the rest must be made by written_option
READ = {"network", "network-file", "inputs", "gram", "targets", "test", "template", "run"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_path_is_written_or_read(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    for param in command.params:
        if isinstance(param.type, click.Path | click.File) and param.callback is not writable:
            assert key_of(param) in READ or (name, key_of(param)) == ("emit", "certificate")


WRITTEN = [
    (name, key_of(param), param.type.file_okay)
    for name in COMMANDS
    for param in cli.get_command(click.Context(cli), name).params  # type: ignore[union-attr]
    if param.callback is writable and key_of(param) != "save-run"
]


@pytest.mark.parametrize(("name", "key", "file"), WRITTEN)
def test_a_file_that_nobody_asked_for_writes_below_the_current_directory(
    name: str, key: str, file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "up").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "here")
    for place in ("../out", "up/out", str(tmp_path / "here" / "out"), "a/../../out"):
        Path("ntkfeyn.toml").write_text(f"[{name}]\n{key} = {toml(place)}\n")
        code, out, err = run(capsys, name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "may write below the current directory alone" in err
        assert f"--run ntkfeyn.toml {name}" in err
    for asked, place in (([], "deep/out"), (["--run", "ntkfeyn.toml"], "../out"), (["--no-run"], "../out")):
        Path("ntkfeyn.toml").write_text(f"[{name}]\n{key} = {toml(place)}\n")
        assert "below the current directory" not in run(capsys, *asked, name)[2]


def test_a_file_that_nobody_asked_for_chooses_no_scheduler(capsys: pytest.CaptureFixture[str]) -> None:
    """Dask's messages can run code: who answers must have been chosen by the user."""
    for name in ("evaluate", "sample", "compare"):
        Path("ntkfeyn.toml").write_text(f'[{name}]\nscheduler = "tcp://127.0.0.1:1"\n')
        assert "may not choose who does the work" in run(capsys, name, *NETWORK)[2]
        assert "cannot be reached" in run(capsys, "--run", "ntkfeyn.toml", name, *NETWORK, "K")[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--run", "FILE", "derive", "F"), ("emit", "--lang", "latex", "F", "--certificate", "FILE"),
        ("evaluate", *NETWORK[:2], *NETWORK[4:], "--inputs", "FILE.json"),
        ("evaluate", *NETWORK[:2], *NETWORK[4:], "--gram", "FILE.csv"),
        ("evaluate", *NETWORK[:2], *NETWORK[4:], "--gram", "FILE.npy"),
        ("sample", *NETWORK, "K", "--networks", "64", "--checkpoint", "FILE", "--resume"),
    ],
    ids=["run", "certificate", "json", "csv", "npy", "checkpoint"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["device", "pipe", "large"])
def test_every_file_that_is_read_is_a_file_of_limited_size(
    arguments: tuple[str, ...], kind: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [word] = [word for word in arguments if word.startswith("FILE")]
    path = Path(word.replace("FILE", "given"))
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as stream:
            stream.truncate(1 << 28)
    tracemalloc.start()
    code, out, err = run(capsys, *(str(path) if one == word else one for one in arguments))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert ("bytes" if kind == "large" else "no regular file") in err
    assert peak < 3 << 26
