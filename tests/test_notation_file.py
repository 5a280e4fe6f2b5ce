"""Notation files: what is read, what is refused (one message, exit 2, nothing written), who may give one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render import mathtex
from ntkfeyn.render.collisions import check_distinct
from ntkfeyn.render.latex.appendix import LatexOptions
from ntkfeyn.render.mathtex import MOST, Wrong, guarded, joined, maths, normal
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.notation_file import LETTER_KEYS, LONGEST_TEXT, MAX_BYTES, SHIPPED, notation_of
from ntkfeyn.render.symbols import DEFAULT, LATEX, TEXT, template_letters

THEORIST = r"""
tensors = { K = "G", Theta = "H" }
[letters]
activation = '\phi'
samples = ['\alpha', '\beta', '\gamma', '\delta']
[text]
K = "G"
Theta = "H"
activation = "φ"
samples = ["α", "β", "γ", "δ"]
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(THEORIST)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


# --- what is read ---


def test_ours_is_shipped_with_every_key() -> None:
    import tomllib

    path = Path(mathtex.__file__).parent / "notations" / "ntkfeyn.toml"
    tables = tomllib.loads(path.read_text())
    assert set(tables["letters"]) == set(LETTER_KEYS) - {"samples"}
    assert set(tables["tensors"]) == set(NAMES)
    assert nf.Notation.read("ntkfeyn") == DEFAULT
    assert DEFAULT.ours
    check_distinct(DEFAULT, "ours")


def test_the_book_and_the_paper() -> None:
    assert SHIPPED == ("ntkfeyn", "paper", "pdlt")
    book = nf.derive("Theta", order=1, notation="pdlt")
    assert r"H^{\{1\}(\ell+1)}_{\alpha_1\alpha_2}" in book.latex()
    assert r"G^{\{1\}}_{\beta_{1}\beta_{2}}\,\langle \partial_{\beta_{1}}\partial_{\beta_{2}}" in book.latex()
    assert "H^{1}_{α1 α2} =" in str(book)
    paper = nf.derive("F", notation="paper").latex()
    assert r"\sigma'_{4}\rangle_{K^{(\ell)}}" in paper
    assert r"F_{\alpha_{1}3\alpha_{2}4}" in paper


def test_a_theorist_with_ten_lines() -> None:
    assert len(THEORIST.strip().splitlines()) <= 10
    recursion = nf.derive("F", notation="mine.toml")
    assert (
        r"C_W^{2}\,H_{\gamma\delta}\,\langle \phi_{\alpha}\,\phi_{\beta}\,\phi'_{\gamma}\,\phi'_{\delta}"
        in recursion.latex()
    )
    assert "C_W^2 H_γδ ⟨φ_α φ_β φ'_γ φ'_δ⟩" in str(recursion)
    assert "slots 1 = α, 2 = β, 3 = γ, 4 = δ" in str(recursion)
    assert ">γ</text>" in recursion.picture().svg()
    assert nf.Notation.read(Path("mine.toml")) == recursion.symbols


def test_from_python(directory: Path) -> None:
    """A file, a name or the letters themselves; what LatexOptions hold is used where nothing else is given."""
    mine = nf.Notation.read("mine.toml")
    assert ">φφ" in nf.diagrams("F", notation=mine)[0].svg()
    assert "φ is differentiated" in nf.diagrams("F", notation="mine.toml")[0].explain()
    made = nf.emit("F", lang="python", directory=directory / "a", notation=Path("mine.toml"))[0].read_text()
    assert '"""F_αγβδ at layer l+1; rho = width_ratio.' in made
    made = nf.emit("F", lang="python", directory=directory / "b")[0].read_text()
    assert '"""F_1324 at layer l+1; rho = width_ratio.' in made
    nf.emit("F", lang="latex", directory=directory / "c", latex=LatexOptions(symbols=mine))
    assert r"\phi" in (directory / "c" / "F_1" / "macros.tex").read_text()
    with pytest.raises(NtkfeynError, match="there is no notation 'pdtl'"):
        nf.derive("F", notation="pdtl")


def test_what_is_not_given_keeps_its_default() -> None:
    found = notation_of({"letters": {"activation": r"\phi"}}, "x")
    assert found.text == TEXT
    assert found.latex.tensors == LATEX.tensors
    assert found.latex.activation == r"\phi"
    assert notation_of({}, "x") == DEFAULT


def test_ascii_gives_way_where_it_would_have_one_letter_twice() -> None:
    """SymPy calls the activation s and the layer l: unless that is somebody's letter for something else."""
    assert notation_of({"text": {"K": "G"}}, "x").plain.activation == "s"
    for text in ({"K": "s"}, {"samples": ["j", "k", "l"]}):
        found = notation_of({"text": text}, "x")
        assert found.plain == found.text


def test_letters_with_an_index_take_another() -> None:
    """G_0 with labels, K' with a correction, a width of two letters: what TeX would refuse is put in braces."""
    given_letters = {
        "tensors": {"K": "G_0", "Theta": "H'"},
        "letters": {"activation": r"f'", "width": "NN", "C_W": "c^2"},
    }
    found = notation_of(given_letters, "x").latex
    notation = LatexNotation(found)
    assert notation.tensor("K", 1, (1, 2)) == r"{G_0}^{\{1\}}_{12}"
    assert notation.symbol("Theta", 1) == r"{H'}^{\{1\}}"
    assert notation.activation(1, 1) == "{f'}'_{1}"
    assert notation.width == r"{NN}_\ell"
    assert notation.power("C_W", 2) == "{c^2}^{2}"


def test_labels_do_not_run_together() -> None:
    found = notation_of({"letters": {"samples": [r"\alpha", "x", "xy"]}}, "x").latex
    assert LatexNotation(found).indices((1, 2)) == r"\alpha x"
    assert LatexNotation(found).indices((1, 4)) == r"\alpha4"
    assert LatexNotation(found).indices((1, 3, 2)) == r"\alpha,xy,x"
    assert joined(["a", r"\beta", r"\gamma", "b"]) == r"a\beta\gamma b"
    assert template_letters(notation_of({"letters": {"C_W": r"\kappa"}}, "x").latex)["C_W"] == r"{\kappa}"


def test_names_of_tensors() -> None:
    tensors = {"C1C0": r"\Xi", "z1 z2 z3 dNTK456/14.25.36": r"\Psi"}
    notation = LatexNotation(notation_of({"tensors": tensors}, "x").latex)
    assert notation.letter("C0C1") == r"\Xi"
    assert notation.letter("z1+z2+z3+dNTK456/14.25.36") == r"\Psi"
    assert TextNotation(notation_of({"text": {"C0C1": "W"}}, "x").text).letter("C0C1") == "W"


# --- what is refused ---

REFUSED = [
    (
        "[tensor]\nK = 'G'",
        "unknown table or key 'tensor'; allowed are [tensors], [letters], [text]. Did you mean tensors?",
    ),
    ("tensors = 3", "'tensors' is no table"),
    ("[letters]\nactivaton = 'f'", "[letters]: unknown key 'activaton'; allowed are activation"),
    ("[letters]\nK = 'f'", "[letters]: unknown key 'K'"),
    ("[tensors]\nX = 'G'", "[tensors]: unknown key 'X'; tensors are K, Theta"),
    ("[tensors]\nTeta = 'G'", "Did you mean Theta?"),
    ("[tensors]\nC99C99 = 'G'", "at most 48 are allowed"),
    ("[text]\nactivaton = 'f'", "Did you mean activation?"),
    ("[tensors]\nC0C1 = 'W'\nC1C0 = 'Z'", "'C1C0' is C0C1, which has a letter already"),
    ("[letters]\nactivation = 3", "activation = 3; a text is allowed"),
    ("[tensors]\nK = true", "K = True; a text is allowed"),
    ("[letters]\nexpectation = ['<']", "a list of two is allowed"),
    ("[letters]\nexpectation = ['<', 3]", "a text is allowed"),
    ("[letters]\nexpectation = ['<', '_2]']", "'_' has nothing in front of it"),
    ("[letters]\nexpectation = ['\\hat', '>']", "'\\hat' needs one symbol"),
    ("[letters]\nactivation = ['a', 'b']", "a text is allowed"),
    ("[letters]\nexpectation = ['{', '}']", "has no pairs of braces"),
    ("[letters]\nexpectation = ['\\left<', '>']", "'\\right' is missing"),
    ("[letters]\nsamples = 'ab'", "a list of 1 to 12 labels is allowed"),
    ("[letters]\nsamples = []", "a list of 1 to 12 labels is allowed"),
    ("[letters]\nsamples = ['a', 1]", "a text is allowed"),
    ("[tensors]\nK = '{G'", "[tensors]: K = '{G': '}' is missing"),
    ("[tensors]\nK = 'G}'", "'}' has no '{'"),
    ("[tensors]\nK = '\\input{x}'", "'\\input' is not allowed"),
    ("[tensors]\nK = ''", "it shows nothing"),
    ("[tensors]\nK = '" + "a" * 81 + "'", "it has 81 characters, at most 80"),
    ("[tensors]\nK = 'V'", "K and V are both written V in LaTeX; no two things may have one letter"),
    ("[tensors]\nK = '{V}'", "K and V are both written V in LaTeX"),
    ("[tensors]\nTheta = 'K^{\\{1\\}}'", "K and Theta are both written"),
    ("[letters]\nactivation = '\\Omega'", "activation and omega are both written \\Omega"),
    ('[letters]\nomega = "\\\\sigma\'"', "activation and omega are both written"),
    ("[letters]\nC_b = 'C_W^2'", "C_W and C_b are both written"),
    ("[letters]\nlayer = 'i'", "layer and neuron are both written i"),
    ("[letters]\nsamples = ['a', 'a']", "the label of slot 1 and the label of slot 2 are both written a"),
    ("[letters]\nsamples = ['2']", "the label of slot 1 and the label of slot 2 are both written 2"),
    ("[letters]\nsamples = ['b_1']", "the label of slot 1 and bound are both written"),
    ("[text]\nK = 'V'", "K and V are both written V in text"),
    ("[text]\nsamples = ['b1']", "the label of slot 1 and bound are both written b1 in text"),
    ("[tensors]\nK = '\\mathsf{C2}'", "K and a tensor without a letter are both written "),
    ("[text]\nK = 'C2'", "K and a tensor without a letter are both written "),
    ("[text]\nK = '*/'", "it holds '/'"),
    ('[text]\nK = \'"""\'', "it holds '\"'"),
    ("[text]\nK = 'a\\'", "it holds '\\\\'"),
    ('[text]\nK = "a\\nb"', "it holds '\\n'"),
    ("[text]\nK = 'a b'", "it holds ' '"),
    ("[text]\nK = '{'", "its braces are no pairs"),
    ('[text]\nK = "\\u202e"', "it holds '\\u202e'"),
    ('[text]\nK = "\\u0302"', "it begins with an accent"),
    ("[text]\nK = '" + "a" * 17 + "'", "it has 17 signs"),
    ("[tensors", "is not TOML"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_bad_files(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text(text)
    code, out, err = run(capsys, "derive", "F", "--notation", "bad.toml", "--json", "out.json", "--picture", "out.svg")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(("Error: bad.toml", "Error: the notation 'bad.toml'"))
    assert message in err
    assert not Path("out.json").exists()
    assert not Path("out.svg").exists()


def test_files_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("large.toml").write_text("#" * (MAX_BYTES + 1))
    Path("latin.toml").write_bytes(b"# \xe9")
    for name, message in (
        ("none.toml", "cannot read 'none.toml'"),
        (
            "plt",
            "there is no notation 'plt'; a TOML file is allowed, or one of ntkfeyn, paper, pdlt. Try: --notation pdlt",
        ),
        (".", "cannot read '.'"),
        ("/dev/zero", "no regular file"),
        ("large.toml", f"more than {MAX_BYTES} bytes"),
        ("latin.toml", "is not UTF-8"),
    ):
        for command in (
            ["derive", "F"],
            ["emit", "--lang", "c", "F", "-o", "out"],
            ["explain", "F:1:2"],
            ["diagrams", "F"],
        ):
            code, out, err = run(capsys, *command, "--notation", name)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert message in err
    assert not Path("out").exists()


def test_every_command_that_writes_formulas_takes_one(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib import import_module

    from ntkfeyn.cli import COMMANDS

    takes = {
        name
        for name, module in COMMANDS.items()
        if any(param.name == "notation" for param in import_module(f"ntkfeyn.cli.{module}").command.params)
    }
    assert takes == {"derive", "diagrams", "explain", "emit", "check", "compare", "train", "critical", "depth"}


# --- run files ---


def test_a_run_file_holds_one(capsys: pytest.CaptureFixture[str]) -> None:
    tables = THEORIST.replace("tensors =", "[notation]\ntensors =")
    for table in ("letters", "text"):
        tables = tables.replace(f"[{table}]", f"[notation.{table}]")
    Path("run.toml").write_text("[derive]\nnames = ['F']\nformat = 'latex'\n" + tables)
    direct = run(capsys, "derive", "F", "--format", "latex", "--notation", "mine.toml")[1]
    assert run(capsys, "--run", "run.toml", "derive")[1] == direct
    assert r"\phi" in direct
    assert (
        r"G^{(\ell+1)}_"
        in run(capsys, "--run", "run.toml", "derive", "K")[1] + run(capsys, "--run", "run.toml", "derive", "V@2")[1]
    )
    assert run(capsys, "--run", "run.toml", "diagrams", "F", "--format", "json")[0] == 0  # no table of its own
    assert (
        run(capsys, "--run", "run.toml", "derive", "--notation", "ntkfeyn")[1]
        == run(capsys, "derive", "F", "--format", "latex")[1]
    )


def test_save_run_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, direct, _ = run(capsys, "derive", "F", "--notation", "mine.toml", "--save-run", "a.toml")
    assert code == 0
    assert 'notation = "mine.toml"' in Path("a.toml").read_text()
    assert run(capsys, "--run", "a.toml", "derive")[1] == direct
    Path("b.toml").write_text("[notation.tensors]\nK = 'G'\n[notation.letters]\nsamples = ['\\alpha', 'x']\n")
    _, direct, _ = run(capsys, "--run", "b.toml", "derive", "K", "--format", "latex", "--save-run", "c.toml")
    assert r"G^{(\ell+1)}_{\alpha x}" in direct
    assert run(capsys, "--run", "c.toml", "derive")[1] == direct


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notation = 3", "'notation' is no table"),
        ("[notation.letters]\nactivaton = 'f'", "run.toml, [notation], [letters]: unknown key 'activaton'"),
        ("[notation]\nK = 'G'", "run.toml, [notation]: unknown table or key 'K'"),
        ("[derive]\nnotation = 3", "run.toml, [derive]: notation = 3; a text is allowed"),
        ("[derive]\nnotation = 'none.toml'", "cannot read 'none.toml'"),
        ("[notatoin]", "unknown table or key 'notatoin'"),
    ],
)
def test_a_run_file_with_a_bad_one(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.toml").write_text(text)
    code, out, err = run(capsys, "--run", "run.toml", "derive", "F")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


# --- TeX ---

WRONG = [
    "G{", "}", "%", "$", "a&b", "#1", "~", '"', "\\", "a\\", "a\\\\b", "a\nb", "é", r"\def\a{}", r"\catcode",
    r"\write18{ls}", r"\input{x}", r"\csname", r"\expandafter", r"\newcommand", r"\relax", r"\par", r"\hskip1pt",
    r"\special{x}", r"\href{a}{b}", "a^b^c", "a''^2'", "a_b_c", "^2", "_1", "'", r"\hat", r"\mathrm",
    r"x_\mathrm{a}", r"\text{a_b}", r"\text{a", r"\text a", r"\left(x", r"x\right)", r"\left x\right)", r"\big",
    r"\bigl a", "a^^5c", "a_", "", "{}", r"\,", " ",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_maths_that_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        maths(text)


def test_letters_that_look_the_same() -> None:
    assert normal(r"\hat{\phi}") == normal(r"\hat\phi") == normal(r"{\hat \phi}")
    assert normal("G_0") == normal("{G_{0}}") != normal("G0")
    assert guarded(r"\mathcal{G}") == r"\mathcal{G}"
    assert guarded(r"\widehat{H}_{\mathrm{NTK}}") == r"{{}\widehat{H}_{\mathrm{NTK}}}"


@given(st.text(alphabet="\\{}^_'ab1 \t%$#&\n([.,lefrightaphmsb", max_size=24))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        found = maths(text)
    except Wrong:
        return
    assert found.symbols > 0
    assert maths(guarded(text) + "^{2}_{1}").symbols >= 1


LETTERS = st.text(alphabet="KVGαφ\\{}^_'b1 /\"\n\u0302", max_size=5)


@given(
    st.dictionaries(
        st.sampled_from(["tensors", "letters", "text", "x"]),
        st.dictionaries(
            st.sampled_from(["K", "V", "C0C1", "activation", "samples", "expectation", "layer", "C_W", "zz"]),
            st.one_of(LETTERS, st.integers(), st.lists(LETTERS, max_size=3)),
            max_size=4,
        ),
    )
)
def test_whatever_a_file_holds(document: dict[str, dict[str, object]]) -> None:
    try:
        found = notation_of(document, "x")
    except NtkfeynError as error:
        said = str(error)
    else:
        check_distinct(found, "x")
        said = "x"
    assert said.startswith("x")


def test_everything_that_is_allowed_compiles(tmp_path: Path) -> None:
    """Every sign and command as a letter with an index and a correction, with a letter behind it; and brackets."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed; tests/run installs it where apt-get is allowed")
    letters = [rf"\{name}" for name in sorted(mathtex.SYMBOLS)]
    letters += [rf"\{name}{{x}}" for name in sorted(mathtex.TAKING | mathtex.TEXTS)]
    letters += [*sorted(mathtex.PLAIN), "G_0", "G'", "G_0'^2", r"a\,b", r"\left(x\right)_2", r"\boldsymbol\phi"]
    letters += [rf"\{accent}\phi_{{0}}" for accent in mathtex.ACCENTS.split()] + [r"{\hat\phi_0}", r"\hat{x'}"]
    rows = [
        f"${{{guarded(text)}}}_{{1}}$ ${guarded(text)}^{{\\{{1\\}}}}_{{12}}a$ ${guarded(text)}'_2$" for text in letters
    ]
    sides = [(rf"\{size}l(", rf"\{size}r]") for size in ("big", "Big", "bigg", "Bigg")]
    sides += [(rf"\l{name}", rf"\r{name}") for name in ("angle", "vert", "Vert", "brace", "brack", "floor", "ceil")]
    sides += [(r"\left\langle", r"\right\rangle_{K}"), (r"\mathbb{E}\left[", r"\right]"), ("<", ">"), (r"\{", r"\}")]
    for left, right in sides:
        found = notation_of({"letters": {"expectation": [left, right]}}, "x").latex
        rows.append(f"${LatexNotation(found).mean('x^2')}$")
    head, body = "\\documentclass{article}\\usepackage{amsmath,amssymb}", "\n\n".join(rows)
    (tmp_path / "all.tex").write_text(f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "all"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:]
    assert len(rows) > 200


def test_the_limits_are_said() -> None:
    assert maths("a" * MOST).symbols == MOST
    with pytest.raises(Wrong, match=f"at most {MOST}"):
        maths("a" * (MOST + 1))
    assert LONGEST_TEXT == 16


def test_letters_that_stand_below_others_are_one_token() -> None:
    """n_\\hat\\ell does not compile; n_{\\hat\\ell} does."""
    table = {"layer": r"\hat\ell", "bound": r"\hat b", "neuron": r"\bar i", "width": "N"}
    latex = notation_of({"letters": table}, "here").latex
    assert (latex.layer, latex.bound, latex.neuron) == (r"{\hat\ell}", r"{\hat b}", r"{\bar i}")
    assert notation_of({"letters": {"layer": r"\ell"}}, "here").latex.layer == r"\ell"
