"""The house rules that a machine can check: import arrows, lint, types, file sizes, start-up imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ntkfeyn"
# a file imports only from files listed above it; __init__ holds the version and the lazily loaded public names
ORDER = (
    "__init__", "errors", "combinatorics", "canonical", "legs", "cumulants", "diagram", "enumeration", "terms",
    "translation", "reduction", "recursion", "homogeneity", "serialisation", "targets", "identifiers", "symbols",
    "emitters", "emitters.notation", "emitters.wrapping", "emitters.rendering", "emitters.drawing", "emitters.layout",
    "emitters.tikz", "emitters.svg", "emitters.equation", "emitters.dot", "emitters.reading", "emitters.rules",
    "emitters.sketch", "emitters.arcs", "emitters.latex", "emitters.code", "emitters.python", "emitters.c",
    "emitters.languages", "emitters.attachment", "emitters.citations", "emitters.explanation",
    "emitters.constituents", "emitters.steps", "numerics", "numerics.kernel_graphs", "numerics.coincidences",
    "numerics.exact", "numerics.expressions", "numerics.polynomials", "numerics.certify", "numerics.certificates",
    "numerics.symbolic", "numerics.activations", "numerics.networks", "numerics.inputs", "numerics.components",
    "numerics.plan", "numerics.workers", "numerics.quadrature", "numerics.gaussian", "numerics.orthants",
    "numerics.kinked", "numerics.solver", "numerics.results", "numerics.moments", "numerics.evaluation",
    "numerics.sampling", "numerics.directional", "numerics.tallies", "numerics.estimation", "numerics.trust",
    "numerics.comparison", "numerics.figures", "numerics.comparison_figure", "numerics.criticality",
    "numerics.growth", "numerics.depth_scaling", "numerics.critical_figure", "api", "cli.encoding", "cli.run_file",
    "cli.completion", "cli.options", "cli.network_options", "cli.progress", "cli.list_tensors", "cli.diagrams",
    "cli.derive", "cli.explain", "cli.emit", "cli.verify", "cli.evaluate", "cli.sample", "cli.compare",
    "cli.critical", "cli", "__main__",
)  # fmt: skip
PURE = ORDER[: ORDER.index("symbols")]
ARRAYS = ORDER[ORDER.index("numerics.symbolic") : ORDER.index("api")]
HEAVY = {"sympy", "numpy", "scipy", "matplotlib", "networkx", "jinja2", "rich"}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    typing_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    nodes = tree.body if top_only else [node for node in ast.walk(tree) if node not in typing_only]
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "ntkfeyn":
                found |= {f"ntkfeyn.{alias.name}" for alias in node.names if (PACKAGE / f"{alias.name}.py").exists()}
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_file_has_its_place() -> None:
    assert {module_name(path) for path in FILES} == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_import_arrows_point_one_way(path: Path) -> None:
    here = module_name(path)
    if here == "__init__":
        return
    for name in imports(path):
        if name.startswith("ntkfeyn."):
            assert ORDER.index(name.removeprefix("ntkfeyn.")) < ORDER.index(here), f"{here} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_heavy_libraries_are_imported_where_used(path: Path) -> None:
    here = module_name(path)
    top = {name.split(".")[0] for name in imports(path, top_only=True)} & HEAVY
    allowed = {"sympy"} if here in ("symbols", "numerics.symbolic") else set()
    if here in ARRAYS:  # loaded only when numbers are asked for: see test_deriving_loads_no_heavy_library
        allowed |= {"numpy", "scipy"}
    assert top <= allowed
    if here in PURE and here != "diagram":
        assert not {name.split(".")[0] for name in imports(path)} & HEAVY


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_stay_readable(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says what enters and what leaves"
    assert len(path.read_text().splitlines()) <= 350
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 55, node.name


def test_judges_import_nothing_of_what_they_judge() -> None:
    derivation = {f"ntkfeyn.{name}" for name in ORDER[ORDER.index("diagram") : ORDER.index("numerics")]}
    for judge in ("exact", "sampling", "directional"):
        assert not imports(PACKAGE / "numerics" / f"{judge}.py") & derivation


def test_deriving_loads_no_heavy_library() -> None:
    program = (
        "import sys; from ntkfeyn.cli import cli; "
        "cli.main(['derive', '--order', '1', '--cumulant', 'F'], standalone_mode=False); "
        f"sys.exit(', '.join(sorted({HEAVY!r} & set(sys.modules))) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stderr.strip()) == (0, "")


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=["ruff", "format", "mypy"]
)
def test_linters_are_clean(command: list[str]) -> None:
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_call_runs_foreign_text() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "sympify", "parse_expr"}, path
        assert not imports(path) & {"pickle", "marshal", "shelve"}
