"""The languages that `emit` writes: one row each, the only list of them.

Enters: an ``Emission``, what is asked for. Leaves: file names and texts, the one to open first. What a language needs
is imported when it is used, so that the command line can read the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.model.ensembles import GAUSSIAN

if TYPE_CHECKING:
    from ntkfeyn.codegen.ir import Program
    from ntkfeyn.derivation.recursion import Recursion
    from ntkfeyn.model.network import Network
    from ntkfeyn.model.targets import Target
    from ntkfeyn.render.latex.appendix import LatexOptions
    from ntkfeyn.render.symbols import Symbols

Files = Mapping[str, str | bytes]
MAX_PLACEMENTS = 2_000_000  # of derivatives, in the product terms of one program; Theta at order 3 has 260,311


@dataclass(frozen=True)
class Emission:
    """Targets and options; ``stem`` names the files, ``program`` is the code of everything that the targets need.

    ``cse``: code shares tables and partial sums. ``symbols`` are the letters of everything that is written, whatever
    ``latex`` says; ``weights`` is the ensemble of the weights of every layer that is stepped to, ``shared`` over labels
    or not. ``network``: that of a module that is for one network alone.
    """

    targets: Sequence[Target]
    cse: bool = True
    latex: LatexOptions | None = None
    symbols: Symbols | None = None
    weights: str = GAUSSIAN
    shared: bool = False
    network: Network | None = None

    @cached_property
    def stem(self) -> str:
        from ntkfeyn.model.targets import default_targets
        from ntkfeyn.render.templates import file_stem

        if self.latex is not None and self.latex.name is not None:
            return self.latex.name
        closed = "_closure" if self.latex is not None and self.latex.closure else ""
        law = "network_" if self.network is not None else "shared_" if self.shared else ""
        prefix = ("" if self.weights == GAUSSIAN else f"{self.weights}_") + law
        return prefix + file_stem(self.targets, default_targets()) + closed

    @cached_property
    def letters(self) -> Symbols:
        from ntkfeyn.render.symbols import Symbols

        return self.symbols or Symbols()

    @cached_property
    def program(self) -> Program:
        from ntkfeyn.codegen.ir import program
        from ntkfeyn.derivation.expansion import written_terms
        from ntkfeyn.derivation.recursion import derive_system

        system = derive_system([target.id for target in self.targets], self.weights, self.shared)
        placements = sum(written_terms(recursion.terms) for recursion in system.recursions)
        if placements > MAX_PLACEMENTS:
            names = ", ".join(str(target.id) for target in self.targets)
            products = sum(len(recursion.terms) for recursion in system.recursions)
            raise LimitError(
                f"the code of {names} would hold {products} product terms with"
                f" {placements} placements of derivatives, more than a compiler takes; at most {MAX_PLACEMENTS}"
                " placements are allowed; try a lower order, or `ntkfeyn evaluate`, which needs no compiler"
            )
        return program(system, shared=self.cse)


@dataclass(frozen=True)
class Backend:
    """A language: what is written in it, and the function that writes; ``quoted``: `explain` quotes its lines.

    ``shared``: also recursions of weights shared over labels; ``networks``: also a module for one network alone;
    ``code``: it can share tables and partial sums.
    """

    name: str
    writes: str
    files: Callable[[Emission], Files]
    quoted: bool = False
    shared: bool = False
    networks: bool = False
    code: bool = False


def _recursions(asked: Emission, closure: bool) -> list[Recursion]:
    """Of the targets, with the labels that were asked for; with ``closure`` of all that they need too."""
    from ntkfeyn.derivation.recursion import derive_recursion, derive_system

    found = [derive_recursion(shape, order, (), asked.weights, asked.shared) for shape, order in asked.targets]
    if not closure:
        return found
    own = {recursion.id: recursion for recursion in found}
    return [own.get(one.id, one) for one in derive_system(own, asked.weights, asked.shared).recursions]


def _latex(asked: Emission) -> Files:
    from ntkfeyn.render.latex.appendix import LatexOptions, latex_files
    from ntkfeyn.render.latex.pdf import compile_pdf

    options = replace(asked.latex or LatexOptions(), symbols=asked.letters)
    options.check()  # before anything is derived
    texts = latex_files(_recursions(asked, options.closure), asked.stem, options)
    if options.pdf:
        return {**texts, f"{asked.stem}.pdf": compile_pdf(texts, asked.stem)}
    return texts


def _html(asked: Emission) -> Files:
    from ntkfeyn.render.html.atlas import check_title, html_page
    from ntkfeyn.render.latex.appendix import LatexOptions

    options = asked.latex or LatexOptions()
    options.check_name()
    check_title(options.title)
    return {f"{asked.stem}.html": html_page(_recursions(asked, options.closure), options.title, asked.letters)}


def _python(asked: Emission) -> Files:
    from ntkfeyn.codegen.python.files import python_files

    return python_files(asked.program, asked.stem, asked.letters, asked.network)


def _jax(asked: Emission) -> Files:
    from ntkfeyn.codegen.python.files import jax_files

    return jax_files(asked.program, asked.stem, asked.letters, asked.network)


def _c(asked: Emission) -> Files:
    from ntkfeyn.codegen.c.files import c_files

    return c_files(asked.program, asked.stem, asked.letters)


BACKENDS = (
    Backend("latex", "an appendix with the diagrams", _latex, quoted=True, shared=True),
    Backend("html", "a page to read and click through", _html, shared=True),
    Backend("python", "a module for NumPy", _python, quoted=True, shared=True, networks=True, code=True),
    Backend("jax", "a module for JAX", _jax, shared=True, networks=True, code=True),
    Backend("c", "C99 source, header, program, Makefile", _c, quoted=True, code=True),
)
LANGUAGES = tuple(row.name for row in BACKENDS)


def backend(language: str) -> Backend:
    """The row of a language. Raises RequestError for one that is not there."""
    for row in BACKENDS:
        if row.name == language:
            return row
    raise bad_request(f"language '{language}' was asked for", f"allowed are {', '.join(LANGUAGES)}", "--lang latex")


def check_language(row: Backend, asked: Emission) -> None:
    """Raises RequestError where a language has no weights shared over labels, no network of its own, or is no code."""
    numbers = "; `ntkfeyn evaluate --network FILE` makes numbers of such networks"
    for given, what, able, else_ in (
        (asked.network is not None, "a network", [one.name for one in BACKENDS if one.networks], numbers),
        (asked.shared, "weights shared over labels", [one.name for one in BACKENDS if one.shared], numbers),
        (not asked.cse, "--no-cse", [one.name for one in BACKENDS if one.code], ""),
    ):
        if given and row.name not in able:
            raise bad_request(
                f"--lang {row.name} was asked for with {what}",
                f"{', '.join(able)} are allowed{else_}",
                "--lang python",
            )
