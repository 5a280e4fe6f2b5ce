"""Fuzzing of every parser: python tests/fuzz.py [SECONDS [KIND..]]. Prints what ended in anything but a clear message.

Texts and files are grown from good ones by cutting, repeating, exchanging and inserting. A finding is an exception that
is not the project's own, a call of more than a minute, a process of more than 2 GiB, or a file outside the directory
where a run file or a template of somebody else was at work. Kinds: text, file, command, template, certificate, run,
check (a formula of somebody else; there 10 seconds and 1 GiB are the most).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click
import numpy as np
from fuzz_check import hostile, seeds

from ntkfeyn import cli, emit
from ntkfeyn.cli.run_file import run_file_values
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.model.network import Network
from ntkfeyn.model.numbers import parse_numbers, parse_widths
from ntkfeyn.model.polynomials import polynomial
from ntkfeyn.model.targets import legs_target, named_target
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render import sandbox
from ntkfeyn.render.latex.appendix import LatexOptions
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.notation_file import LETTER_KEYS, notation_of
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.templates import template_directory
from ntkfeyn.sampling.tallies import GROUPS, Tally, read_checkpoint, write_checkpoint
from ntkfeyn.solve.evaluation import wanted_components
from ntkfeyn.solve.inputs import gram_matrix, gram_of, read_array, vectors
from ntkfeyn.solve.moments import parse_moment
from ntkfeyn.verification.certificates import certificate_json
from ntkfeyn.verification.certify import certify, random_setting
from ntkfeyn.verification.citations import read_certificates

# how often each kind is tried in a round
SHARES = {"text": 1.0, "file": 0.2, "command": 0.02, "template": 0.01, "certificate": 0.01, "run": 0.02,
          "check": 0.01}  # fmt: skip
SECONDS, SLOW, MOST_MEMORY = 600.0, 60, 2 << 20  # of a run, of one call, kibibytes
SLOW_CHECK, MEMORY_CHECK = 10.0, 1 << 20  # processor seconds of one formula, kibibytes
PIECES = (
    "z", "NTK", "dNTK", "ddNTK1", "ddNTK2", "tree:", "0-1", ",", "1-2", "(", ")", "-", ".", "/", "@", ":", "+", "*",
    "**", "C", "R", "0", "1", "12", "99999999999", "-1", "1e400", "nan", "inf", "z**", "tanh(", "exp(", "relu",
    "leaky_relu(", "lambda", "__import__", "[", "]", "{", "}", "'", '"', "\\", "\x00", "\n", " ", "𝟙", "é", "٣", "_",
    "=", "true", "null", "sqrt(", "log(", "pi", "E", "I", "oo", "z.diff", "all", "pairs", "Var(", "NTK_ij12", "z_i1",
    "z_j2", ";", "#",
)  # fmt: skip
SEEDS = {
    "legs": ("z1 z2 NTK34", "dNTK012 z3", "tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "NTK(10,11) z1 z2", "ddNTK2(1,2,3,4)"),
    "channel": ("13.24", "01.23.45", "10-11.12-13"),
    "name": ("F", "Theta@1", "all", "C0C1", "R3", "z1 z2/12", "V@2"),
    "activation": ("gelu", "leaky_relu(0.3)", "z*tanh(z)", "0.5*z + z**3/10", "exp(-z**2)", "z/(1+exp(-z))"),
    "activations": ("gelu:tanh", "leaky_relu(0.3):z*tanh(z)", "relu"),
    "moment": ("z_i1 z_i2 z_j3 z_j4", "Var(NTK_ij12)", "NTK_ii12 z_j1 z_j2"),
    "widths": ("32", "32:64:32", "16,32,64"),
    "weights": ("orthogonal", "gaussian:orthogonal:gaussian", "orthogonal:gaussian:gaussian"),
    "numbers": ("1.5", "1:2:2", "0.1"),
    "components": ("all", "pairs", "1-1-2-2,1-2-1-2"),
    "letter": (r"\widehat{H}_{\mathrm{NTK}}", r"\mathbb{E}\left[", r"\phi'", "α", "z1+z2+z3+dNTK456/14.25.36"),
}  # fmt: skip
FILES = {
    ".json": (b"[[1, 0.5], [0.2, 1]]", b'{"x": [[1]]}', b"[[1e308, 2], [3]]"),
    ".csv": (b"1,0.5\n0.2,1\n", b"x,y\n1,2\n"),
    ".npy": (b"",),  # made below
    ".npz": (b"",),
    ".toml": (b'[evaluate]\nactivation = "gelu"\nwidth = "8"\n', b'[derive]\nnames = ["F"]\n',
              b'[notation.tensors]\nK = "G"\n', b'[tensors]\nK = "G"\n[text]\nsamples = ["a", "b"]\n'),
}  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    """A few random edits."""
    for _ in range(rng.randint(1, 6)):
        i, j = sorted(rng.randint(0, len(text)) for _ in range(2))
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:i] + text[j:]
        elif kind == 1:
            text = text[:i] + text[i:j] * rng.randint(2, 4) + text[j:]
        elif kind == 2:
            text = text[:i] + rng.choice(PIECES) + text[j:]
        else:
            text = text[:i] + rng.choice(PIECES) + text[i:]
        text = text[:4000]
    return text


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    found = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        i = rng.randint(0, len(found))
        kind = rng.randrange(3)
        if kind == 0 and found:
            del found[i : i + rng.randint(1, 20)]
        elif kind == 1:
            found[i:i] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 8)))
        elif i < len(found):
            found[i] = rng.randrange(256)
    return bytes(found)


def _activation(text: str) -> None:
    function = activation(text)
    with np.errstate(all="ignore"):
        function.table(np.linspace(-3, 3, 7), 4 if function.smooth else 1)


def _file(path: Path) -> None:
    array = read_array(path)
    for use in (lambda: gram_of(vectors(array)), lambda: gram_matrix(array)):
        try:
            use()
        except NtkfeynError:
            continue


TEXT_TARGETS: dict[str, Callable[[str, str], object]] = {
    "legs": lambda a, _: legs_target(a, None),
    "channel": lambda a, b: cumulant(b, a),
    "name": lambda a, _: named_target(a),
    "activation": lambda a, _: _activation(a),
    "activations": lambda a, _: Network(3, 4, a),
    "polynomial": lambda a, _: polynomial(a),
    "moment": lambda a, _: parse_moment(a, 1),
    "widths": lambda a, _: parse_widths(a),
    "weights": lambda a, _: Network(3, 4, "tanh", weights=a),
    "numbers": lambda a, _: parse_numbers("--cw", a),
    "components": lambda a, _: wanted_components([TensorId("F", 1)], a, 2),
    "letter": lambda a, _: _letter(a),
}


COMMANDS = (
    ["derive", "F@1"], ["derive", "--legs", "z1 z2 NTK34", "--channel", "13.24", "--order", "2"],
    ["diagrams", "V@2", "--weights", "orthogonal"],
    ["diagrams", "A@1", "--count"], ["list", "--order", "1"], ["explain", "F:1:2"], ["theory", "5"],
    ["evaluate", "V", "--activation", "tanh", "--gram", "k.json", "--depth", "3", "--width", "4", "--cw", "1.5"],
    ["evaluate", "--moment", "z_i1 z_i2", "--activation", "relu", "--gram", "k.json", "--depth", "2", "--width", "4"],
    ["sample", "B", "--activation", "gelu", "--gram", "k.json", "--depth", "2", "--width", "4", "--networks", "64"],
    ["compare", "K", "--activation", "sin", "--gram", "k.json", "--depth", "2", "--width", "4", "--networks", "64"],
    ["train", "--activation", "tanh", "--gram", "k.json", "--targets", "k.json", "--depth", "2", "--width", "4"],
    ["critical", "--activation", "relu", "--depth", "12", "--no-scaling"],
    ["depth", "A", "--activation", "leaky_relu(a)", "--cw", "any"],
    ["depth", "V", "--activation", "tanh", "--lambda-b", "0.5"],
)  # fmt: skip


TEMPLATE_PIECES = (
    "<< name >>", "<% for d in diagrams %>", "<% endfor %>", "<% for i in range(100000) %>", "<% if name %>",
    "<% include 'latex/cumulant.tex.jinja' %>", "<% include '../../x' %>", "<% set x = diagrams %>", "<% endif %>",
    "<< x[0].update(id=1) >>", "<< hash.format(1) >>",
    "<% macro m(a) %><< m(a) >><% endmacro %><< m(1) >>", "<< 1 / 0 >>", "<< 10 ** 10 ** 9 >>", "<< name * 10 ** 9 >>",
    "<< '\\ud800' >>", "<< name.__class__.__mro__ >>", "<< self.__init__.__globals__ >>", "<< lipsum.__globals__ >>",
    "<< cycler.__init__ >>", "<< namespace(a=1).a >>", "<% raw %>", "<< hash | center(10 ** 9) >>",
    "<< '%999999999d' % 1 >>", "<< diagrams | map(attribute='id') | join >>", "<# ", "#>", "<<", ">>", "<%", "%>", "\n",
    "<% extends 'latex/document.tex.jinja' %>", "<% import 'latex/macros.tex.jinja' as m %>", "<< (1, 2) | tojson >>",
    "<< '{0.__class__}'.format(name) >>", "<< diagrams | batch(0) | list >>", "<% call f() %>", "<< [1] * 10 ** 9 >>",
)  # fmt: skip
OUTSIDE = ("../out", "/tmp/ntkfeyn-fuzz-out", "up/out", "deep/../../out", "deep/out", "out", "~/out", ".", "", "..")


def _certificate(path: Path) -> None:
    read_certificates(path, [derive_recursion(standard("F"), 1), derive_recursion(standard("K"), 0)])


def _command(arguments: list[str]) -> None:
    """One request in this process; anything but the project's own exit codes is a finding."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            cli.main(arguments)
        except SystemExit as stopped:
            if stopped.code not in (0, 1, 2, None) or "Traceback" in told.getvalue():
                raise AssertionError(f"exit code {stopped.code}: {told.getvalue()[-200:]}") from None


def _made_certificate(name: str) -> str:
    shape, setting = standard(name), random_setting(1, polynomial("z + z**2/2"), 1)
    return json.dumps(certificate_json(certify(shape, shape.leading_order, [2], setting, 1)))


CERTIFICATES = [_made_certificate(name) for name in ("F", "K")]
OUR_TEMPLATES = [path.read_text() for path in sorted((template_directory() / "latex").glob("*.jinja"))]


class Slow(Exception):
    """One call took too long."""


def _alarm(number: int, frame: FrameType | None) -> None:
    raise Slow(f"more than {SLOW} seconds")


class Fuzzer:
    """Counts calls and keeps the first finding of each kind."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.calls: Counter[str] = Counter()
        self.findings: dict[str, str] = {}
        self.rounds = 0
        self.directory = Path(tempfile.mkdtemp())
        self.formulas = seeds()
        self.own = {
            f"{name}{ending}" for name, endings in (("check", self.formulas), ("file", FILES)) for ending in endings
        }
        self.own |= {"k.json", "c.json", "templates", "appendix", "here"}

    def text(self) -> None:
        kind = self.rng.choice([*TEXT_TARGETS])
        seeds = SEEDS.get(kind, SEEDS["activation"])
        given = mutated(self.rng.choice(seeds), self.rng)
        other = self.rng.choice(SEEDS["legs"])
        self.attempt(kind, repr(given), lambda: TEXT_TARGETS[kind](given, other))

    def file(self) -> None:
        ending = self.rng.choice([*FILES])
        content = self.rng.choice(FILES[ending])
        path = self.directory / f"file{ending}"
        if ending == ".npy":
            np.save(path, np.array([[1.0, 0.5], [0.2, 1.0]]))
            content = path.read_bytes()
        if ending == ".npz":
            tally = Tally.empty(4, GROUPS).added(np.ones((3, 4)))
            write_checkpoint(path, "request", {"8": tally})
            content = path.read_bytes()
        path.write_bytes(mutated_bytes(content, self.rng))
        held = repr(path.read_bytes()[:200])
        if ending == ".npz":
            self.attempt(ending, held, lambda: read_checkpoint(path, "request", {"8": 4}, GROUPS, 5))
        elif ending == ".toml":
            self.attempt(ending, held, lambda: _run_file(path))
        else:
            self.attempt(ending, held, lambda: _file(path))

    def command(self) -> None:
        arguments = list(self.rng.choice(COMMANDS))
        for _ in range(self.rng.randint(1, 2)):
            free = [i for i, word in enumerate(arguments) if i and word != "64"]  # a long run is no finding
            i = self.rng.choice(free)
            arguments[i] = mutated(arguments[i], self.rng).replace("\x00", "")  # no command line can hold it
        self.attempt(arguments[0], repr(arguments), lambda: _command(arguments))

    def template(self) -> None:
        """A template of a user, rendered apart as `emit --template` does."""
        (self.directory / "templates" / "latex").mkdir(parents=True, exist_ok=True)
        text = self.rng.choice(OUR_TEMPLATES) if self.rng.random() < 0.3 else ""
        for _ in range(self.rng.randint(1, 6)):
            i = self.rng.randint(0, len(text))
            text = text[:i] + self.rng.choice(TEMPLATE_PIECES) + text[i:]
        text = mutated(text, self.rng) if self.rng.random() < 0.5 else text
        path = self.directory / "templates" / "latex" / "cumulant.tex.jinja"
        path.write_text(text, errors="surrogatepass")
        out = self.directory / "appendix" / "out"
        options = LatexOptions(templates=self.directory / "templates")
        self.attempt("template", repr(text), lambda: emit("F", lang="latex", directory=out, latex=options))
        self.look("template", repr(text))

    def certificate(self) -> None:
        data = json.loads(self.rng.choice(CERTIFICATES))
        for _ in range(self.rng.randint(0, 3)):
            place: Any = data
            while isinstance(place, dict | list) and len(place):
                key = self.rng.choice([*place]) if isinstance(place, dict) else self.rng.randrange(len(place))
                if self.rng.random() < 0.4 or not isinstance(place[key], dict | list):
                    place[key] = self.rng.choice(
                        [0, 1, 2, 10**30, -1, "1", "1/3", "", None, True, [], {}, 1e300, "equal"]
                    )
                    break
                place = place[key]
        content = json.dumps(data)
        path = self.directory / "c.json"
        path.write_text(mutated(content, self.rng) if self.rng.random() < 0.3 else content, errors="surrogatepass")
        self.attempt("certificate", content, lambda: _certificate(path))

    def run(self) -> None:
        """ntkfeyn.toml of a directory into which a user only changed."""
        lines = {
            "derive": 'names = ["F"]\njson = {0}\npicture = {0}\n', "emit": 'names = ["V"]\nlang = "c"\noutput = {0}\n',
            "diagrams": 'names = ["F"]\nformat = "svg"\noutput = {0}\n', "verify": 'names = ["K"]\ncertificate = {0}\n',
            "evaluate": 'names = ["K"]\nactivation = "relu"\ngram = "../k.json"\ndepth = 2\nwidth = 4\njson = {0}\n',
            "sample": 'names = ["K"]\nactivation = "relu"\ngram = "../k.json"\ndepth = 2\nwidth = 4\nnetworks = 64\n'
            "checkpoint = {0}\n",
        }  # fmt: skip
        name = self.rng.choice([*lines])
        place = self.rng.choice(OUTSIDE)
        text = f"[{name}]\n{lines[name]}".replace("{0}", json.dumps(place + self.rng.choice(["", ".svg", ".json"])))
        if self.rng.random() < 0.5:
            text = mutated(text, self.rng)
        here = self.directory / "here"
        here.mkdir(exist_ok=True)
        if not (here / "up").is_symlink():
            (here / "up").symlink_to("..")
        (here / "ntkfeyn.toml").write_text(text, errors="surrogatepass")
        os.chdir(here)
        self.attempt("run", repr(text), lambda: _command([name]))
        os.chdir(self.directory)
        self.look("run", repr(text))

    def check(self) -> None:
        """A formula of somebody else: nothing is executed or written, and it takes neither long nor much."""
        ending = self.rng.choice([".tex", ".tex", ".tex", ".json", ".py"])
        text = hostile(self.rng.choice(self.formulas[ending]), ending, self.rng)
        path = self.directory / f"check{ending}"
        path.write_text(text, errors="surrogatepass")
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        shared = ["--shared"] if self.rng.random() < 0.3 else []
        self.attempt("check", repr(text), lambda: _command(["check", str(path), *shared]))
        if time.process_time() - start > SLOW_CHECK:
            self.findings.setdefault(f"check: {time.process_time() - start:.0f} seconds", repr(text[:3000]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if peak > max(before, MEMORY_CHECK):
            self.findings.setdefault(f"check: {peak >> 10} MiB", repr(text[:3000]))
        self.look("check", repr(text))

    def look(self, kind: str, given: str) -> None:
        """Whether anything was written where nothing may be."""
        made = {path.name for path in self.directory.iterdir()} - self.own
        made |= {str(path) for path in (self.directory / "appendix").glob("*") if path.name != "out"}
        made |= {str(path) for path in Path("/tmp").glob("ntkfeyn-fuzz-out*")}
        if made:
            self.findings.setdefault(f"{kind}: written outside: {sorted(made)}", given[:300])

    def attempt(self, kind: str, given: str, call: Callable[[], object]) -> None:
        self.calls[kind] += 1
        signal.alarm(SLOW)
        try:
            call()
        except NtkfeynError:
            return
        except (Exception, RecursionError) as error:
            self.findings.setdefault(f"{kind}: {type(error).__name__}: {str(error)[:80]}", given[:300])
        finally:
            signal.alarm(0)


def _run_file(path: Path) -> None:
    for name in ("evaluate", "derive"):
        command = cli.cli.get_command(click.Context(cli.cli), name)
        assert command is not None
        with contextlib.suppress(NtkfeynError):
            run_file_values(path, False, command, name, cli.COMMANDS)
    Symbols.read(path)


def _letter(text: str) -> None:
    """As every letter that there is, and as the name of a tensor; what is taken must be put in a formula."""
    for table in ("letters", "text"):
        for key in LETTER_KEYS:
            value = {"expectation": [text, "]"], "samples": [text]}.get(key, text)
            with contextlib.suppress(NtkfeynError):
                notation_of({table: {key: value}}, "x")
    with contextlib.suppress(NtkfeynError):
        notation_of({"text": {text: "W"}}, "x")
    found = notation_of({"tensors": {"K": text}}, "x")
    LatexNotation(found.latex).tensor("K", 1, (1, 2))


def fuzz(seconds: float, seed: int, kinds: Sequence[str] = (), rounds: int | None = None) -> Fuzzer:
    """Run for so long, or for so many rounds; the same seed tries the same texts in the same order.

    ``kinds`` alone, if any.
    """
    signal.signal(signal.SIGALRM, _alarm)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the peak so far, which others may have made
    sandbox.SECONDS = 3.0
    fuzzer = Fuzzer(seed)
    os.chdir(fuzzer.directory)
    Path("k.json").write_text("[[1.0, 0.3], [0.3, 0.8]]")
    end = time.monotonic() + seconds
    while time.monotonic() < end and (rounds is None or fuzzer.rounds < rounds):
        fuzzer.rounds += 1
        for kind, share in SHARES.items():
            if fuzzer.rng.random() < share if not kinds else kind in kinds:
                getattr(fuzzer, kind)()
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > max(MOST_MEMORY, before):
        fuzzer.findings["memory"] = "more than 2 GiB"
    return fuzzer


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    fuzzer = fuzz(seconds, int(time.time()), sys.argv[2:])
    print(json.dumps(dict(sorted(fuzzer.calls.items()))))
    for finding, given in fuzzer.findings.items():
        print(f"{finding}\n    {given}")
    print(f"{len(fuzzer.findings)} findings, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    sys.exit(bool(fuzzer.findings))


if __name__ == "__main__":
    main()
