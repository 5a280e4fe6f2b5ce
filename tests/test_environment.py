"""Where the commands run: streams closed, no home, other encodings, interrupted, two at once; what a shell completes.

Each is the real program in a process of its own, with small networks.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ntkfeyn as nf
from ntkfeyn.cli import COMMANDS
from ntkfeyn.runtime.files import write_file

PROGRAM = f"{sys.executable} -m ntkfeyn"
NETWORK = "--activation gelu --inputs x.json --depth 2 --width 8"
SMALL = {
    "list": "list",
    "diagrams": "diagrams K --format png",
    "derive": "derive Theta@3",
    "explain": "explain F:1:2",
    "theory": "theory",
    "emit": "emit --lang latex F",
    "verify": "verify K@1",
    "check": "check f.json",
    "network": "network net.toml Theta",
    "evaluate": f"evaluate {NETWORK} V --json v.json",
    "sample": f"sample {NETWORK} V --networks 64",
    "compare": f"compare {NETWORK} Theta --networks 64 -o figures",
    "train": f"train {NETWORK} --targets x.json --times 1,inf -o figures",
    "critical": "critical --activation gelu --depth 16",
    "depth": "depth --activation relu",
}
QUICK = [SMALL[name] for name in ("list", "diagrams", "derive", "explain", "theory", "emit", "evaluate")]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "x.json").write_text("[[1, 0.5], [0.2, 1]]")
    (tmp_path / "net.toml").write_text('input.shape = [2]\n[[layer]]\nkind = "dense"\n[[layer]]\nkind = "dense"\n')
    (tmp_path / "f.json").write_text(nf.derive("F", order=1).to_json())
    return tmp_path


def shell(line: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    bare = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "MPLCONFIGDIR")}
    return subprocess.run(
        line, shell=True, cwd=directory, env=bare | environment, capture_output=True, executable="/bin/bash"
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, bytes]]:
    """What the quick commands print where nothing is special."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "x.json").write_text("[[1, 0.5], [0.2, 1]]")
    ended = {command: shell(f"{PROGRAM} {command}", folder) for command in QUICK}
    assert all(one.returncode == 0 and b"\x1b[" not in one.stdout for one in ended.values())
    return {command: (one.stdout, one.stderr) for command, one in ended.items()}


def quiet(stderr: bytes) -> bool:
    """Nothing but the names of files on stderr."""
    return all(b"figures/" in line or b" files to input in " in line for line in stderr.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_closes_early(name: str, directory: Path) -> None:
    for reader in ("head -n 1", "true"):
        ended = shell(f"set -o pipefail; {PROGRAM} {SMALL[name]} | {reader}", directory, PYTHONWARNINGS="error")
        assert ended.returncode == 0
        assert quiet(ended.stderr), ended.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(closed: str, directory: Path) -> None:
    for command in QUICK:
        ended = shell(f"{PROGRAM} {command} {closed}", directory)
        assert ended.returncode == 0, command
        assert quiet(ended.stderr), ended.stderr
        assert bool(ended.stdout) == (">&-" not in closed.split())
    assert json.loads((directory / "v.json").read_text())["schema"] == "ntkfeyn.tensors/1"
    bad = shell(f"{PROGRAM} derive X {closed}", directory)
    assert (bad.returncode, bad.stdout) == (2, b"")


def test_a_closed_standard_input_is_an_empty_one(directory: Path) -> None:
    ended = shell(f"{PROGRAM} check - --from tex <&-", directory)
    assert ended.returncode == 2
    assert b"Error: no recursion was found" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_full_disk_is_told(directory: Path) -> None:
    ended = shell(f"{PROGRAM} derive F >/dev/full", directory)
    assert ended.returncode == 2
    assert ended.stderr.decode().startswith("Error: cannot write the output: ")
    assert ended.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "2"},
        {"COLUMNS": "40", "TERM": "dumb", "NO_COLOR": "1"},
        {"HOME": "x.json/none", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_environments_that_change_nothing(
    environment: dict[str, str], directory: Path, plain: dict[str, tuple[bytes, bytes]]
) -> None:
    for command in QUICK:
        ended = shell(f"{PROGRAM} {command}", directory, **environment)
        assert ended.returncode == 0
        if not (command.startswith("explain") and "COLUMNS" in environment):  # prose is wrapped to the width
            assert (ended.stdout, ended.stderr) == plain[command]


def test_help_on_a_narrow_terminal(directory: Path) -> None:
    for name in ("", *COMMANDS):
        ended = shell(f"{PROGRAM} {name} --help", directory, COLUMNS="40", TERM="dumb", NO_COLOR="1")
        assert ended.returncode == 0
        lines = ended.stdout.decode().splitlines()
        wide = [line for line in lines if len(line) > 50 and " ntkfeyn " not in line and "[" not in line]
        assert all(line.startswith(" " * 6) for line in wide)  # examples stay whole, and what a reference sets apart
        assert "\x1b" not in ended.stdout.decode()


ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


def test_signs_are_spelt_where_they_do_not_fit(directory: Path) -> None:
    derived = shell(f"{PROGRAM} derive F", directory, **ASCII).stdout.decode("ascii")
    assert "rho C_W^2 sum_{b1 in {1,3}} sum_{b2 in {2,4}} F_{b1 3 b2 4} <d_b1(sigma_1 sigma'_3)>" in derived
    assert "F:1:1   C_W^2 Theta_34 <sigma_1 sigma_2 sigma'_3 sigma'_4>" in derived
    for command in QUICK:
        ended = shell(f"{PROGRAM} {command}", directory, **ASCII)
        assert ended.returncode == 0
        assert ended.stdout.startswith(b"\x89PNG") or b"\\u" not in ended.stdout
        assert command.startswith("diagrams") or ended.stdout.isascii()
    line = f"{PROGRAM} explain F:1:2 --format json"
    plain, spelt = (shell(line, directory, **more).stdout for more in ({"PYTHONUTF8": "1"}, ASCII))
    assert spelt.isascii()
    assert not plain.isascii()
    assert json.loads(spelt) == json.loads(plain)
    latin = shell(f"{PROGRAM} derive F", directory, PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert latin.stdout.decode("latin-1") == derived
    error = shell(f"{PROGRAM} derive 'Θ'", directory, **ASCII)
    assert (error.returncode, error.stderr.count(b"\n"), error.stderr.isascii()) == (2, 1, True)
    named = shell(f"{PROGRAM} emit --lang python V -o $'\\xc3\\xa9\\xff'", directory, **ASCII)
    assert named.stdout == b"\xc3\xa9\xff/V_1.py\n"


def test_another_user_without_a_home_in_a_directory_that_is_not_his(directory: Path) -> None:
    other = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    for folder in (directory, *directory.parents[:2]):
        folder.chmod(0o755)
    for home in ("unset HOME", "export HOME=/nonexistent"):
        if shell(f"{home}; {other} {PROGRAM} --version", directory).returncode:
            pytest.skip("needs setpriv, root, and a Python that others may run")
        for command in QUICK:
            ended = shell(f"{home}; {other} {PROGRAM} {command}", directory)
            if "--json" in command or command.startswith("emit"):
                assert ended.returncode == 2
                assert b"cannot write" in ended.stderr
                assert ended.stderr.count(b"\n") == 1
            else:
                assert (ended.returncode, ended.stderr) == (0, b""), command
    assert sorted(path.name for path in directory.iterdir()) == ["f.json", "net.toml", "x.json"]


STARTED = """
import sys

def tell(event, arguments):
    if event == "import" and arguments[0] == "ntkfeyn.cli":
        open({path!r}, "w").close()

sys.addaudithook(tell)
"""


@pytest.mark.parametrize(
    "command",
    [
        "emit --lang latex -o out",
        f"evaluate {NETWORK} --json out/v.json",
        f"sample {NETWORK} --networks 640 --jobs 2 --json out/v.json",
    ],
    ids=lambda command: command.split()[0],
)
def test_an_interrupt_is_one_line_and_leaves_no_part_of_a_file(command: str, directory: Path) -> None:
    """SIGINT for the whole process group, as a terminal sends it. -2 is the shell's 130 as well.

    The clock starts when the program itself is being loaded: before that Python is starting.
    """
    started, out = directory / "started", directory / "out"
    hooks = directory / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(STARTED.format(path=str(started)))
    path = os.pathsep.join([str(hooks), *filter(None, [os.environ.get("PYTHONPATH")])])

    def begun() -> subprocess.Popen[bytes]:
        """The command, when its own modules are being loaded."""
        started.unlink(missing_ok=True)
        process = subprocess.Popen(
            f"exec {PROGRAM} {command}",
            shell=True,
            cwd=directory,
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # a script in the background ignores interrupts, and so would what it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while not started.exists():
            time.sleep(0.001)
        return process

    begun().communicate()  # what is slow only once
    process, start = begun(), time.monotonic()
    whole, _ = process.communicate()
    seconds = time.monotonic() - start
    files = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    codes: list[int] = []
    for _ in range(4):
        for tenth in range(1, 10, 3 if "--jobs" in command else 1):
            shutil.rmtree(out)
            process = begun()
            time.sleep(seconds * tenth / 10)
            os.killpg(process.pid, signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
            codes.append(process.returncode)
            if process.returncode != 0 and stdout != whole:
                assert process.returncode in (130, -signal.SIGINT)
                assert stderr.decode().split("\n") in (["", "Interrupted.", ""], ["Interrupted.", ""])
            out.mkdir(exist_ok=True)
            for made in out.rglob("*"):
                assert made.is_dir() or files[made.relative_to(out)] == made.read_bytes()
        if any(codes):
            return
        seconds /= 2  # the machine has become faster than when it was measured
    raise AssertionError("nothing was interrupted")


def test_an_interrupt_while_a_file_is_written(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the file beside has been made or not yet been renamed, it is removed."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (directory / "out.txt").write_text("old")
    for name in ("replace", "urandom"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                write_file(directory / "out.txt", "new")
    assert (directory / "out.txt").read_text() == "old"
    assert sorted(path.name for path in directory.iterdir()) == ["f.json", "net.toml", "out.txt", "x.json"]


def test_two_at_once_in_one_directory(directory: Path) -> None:
    commands = ["emit --lang latex F V -o out", "emit --lang latex F V -o out", "emit --lang latex Theta@1 -o out"]
    for command in commands:
        assert shell(f"{PROGRAM} {command}", directory).returncode == 0
    out = directory / "out"
    expected = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for _ in range(2):
        shutil.rmtree(out)
        running = [
            subprocess.Popen([*PROGRAM.split(), *c.split()], cwd=directory, stdout=-3, stderr=-3) for c in commands
        ]
        while any(process.poll() is None for process in running):  # whatever is there is whole
            for path in [path for path in out.rglob("*") if not path.name.startswith(".") and path.is_file()]:
                assert path.read_bytes() == expected[path.relative_to(out)]
        assert [process.returncode for process in running] == [0, 0, 0]
        assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == expected


def test_many_writers_of_one_file(directory: Path) -> None:
    path = directory / "out.txt"
    contents = [sign * 100_000 for sign in "abcd"]

    def write(content: str) -> int:
        return sum(write_file(path, content).read_text() in contents for _ in range(100))

    with ThreadPoolExecutor(len(contents)) as threads:
        assert list(threads.map(write, contents)) == [100] * len(contents)
    assert sorted(found.name for found in directory.iterdir()) == ["f.json", "net.toml", "out.txt", "x.json"]


def completed(words: str, shell_name: str = "bash") -> list[str]:
    """What is offered for the last word, in lines such as plain,Theta."""
    count = len(words.split(" ")) - 1
    environment = os.environ | {
        "_NTKFEYN_COMPLETE": f"{shell_name}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": words.split(" ")[-1] if shell_name == "fish" else str(count),
    }
    ended = subprocess.run(PROGRAM.split(), env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split()


def test_completion() -> None:
    assert completed("ntkfeyn ev") == ["plain,evaluate"]
    assert [line.split(",")[1] for line in completed("ntkfeyn ")] == [*COMMANDS]
    assert completed("ntkfeyn derive T") == ["plain,Theta", "plain,T"]
    assert completed("ntkfeyn derive --cumulant Th") == ["plain,Theta"]
    assert completed("ntkfeyn derive --save") == ["plain,--save-run"]
    assert completed("ntkfeyn derive --without co") == ["plain,collect"]
    assert completed("ntkfeyn derive --notation p") == ["plain,paper", "plain,pdlt", "file,p"]
    assert completed("ntkfeyn evaluate --activation ge") == ["plain,gelu"]
    assert completed("ntkfeyn evaluate --activation gelu:le") == ["plain,gelu:leaky_relu("]
    assert completed("ntkfeyn critical --activation si") == ["plain,silu", "plain,sigmoid", "plain,sin"]
    assert completed("ntkfeyn emit --lang p") == ["plain,python"]
    assert completed("ntkfeyn derive --format j") == ["plain,json"]
    assert completed("ntkfeyn --run r") == ["file,r"]
    assert completed("ntkfeyn nonsense F") == []
    assert completed("ntkfeyn derive Th", "zsh") == ["plain", "Theta", "_"]
    assert completed("ntkfeyn derive Th", "fish") == ["plain,Theta"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(name: str, directory: Path) -> None:
    source = shell(PROGRAM, directory, _NTKFEYN_COMPLETE=f"{name}_source")
    assert (source.returncode, source.stderr) == (0, b"")
    assert b"_NTKFEYN_COMPLETE=" in source.stdout
    if shutil.which(name):
        (directory / "script").write_bytes(source.stdout)
        assert shell(f"{name} -n script", directory).returncode == 0


def test_bash_completes(directory: Path) -> None:
    (directory / "ntkfeyn").write_text(f'#!/bin/bash\nexec {PROGRAM} "$@"\n')
    (directory / "ntkfeyn").chmod(0o755)
    lines = (
        'PATH="$PWD:$PATH"; eval "$(_NTKFEYN_COMPLETE=bash_source ntkfeyn)"; COMP_WORDS=(ntkfeyn derive Th);'
        'COMP_CWORD=2; _ntkfeyn_completion ntkfeyn; echo "${COMPREPLY[@]}"'
    )
    assert shell(lines, directory).stdout == b"Theta\n"


def test_a_key_press_loads_nothing_slow(directory: Path) -> None:
    ended = shell(
        f"{sys.executable} -X importtime -m ntkfeyn", directory,
        _NTKFEYN_COMPLETE="bash_complete", COMP_WORDS="ntkfeyn evaluate --activation g", COMP_CWORD="3",
    )  # fmt: skip
    assert ended.stdout == b"plain,gelu\n"
    assert not {b"numpy", b"sympy", b"rich", b"matplotlib", b"scipy"} & set(ended.stderr.split())
