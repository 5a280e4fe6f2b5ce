"""The views that ``derive`` and friends return: they hold the frozen record and add pictures, LaTeX, SymPy and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ntkfeyn.derivation.diagrams import Diagram as DiagramRecord
from ntkfeyn.derivation.recursion import Recursion as RecursionRecord
from ntkfeyn.derivation.susceptibilities import SelfPart, self_part
from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.targets import Target, resolve
from ntkfeyn.render.drawing.equation import equation
from ntkfeyn.render.drawing.figure import pdf, png
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.drawing.primitives import Drawing
from ntkfeyn.render.drawing.svg import svg
from ntkfeyn.render.drawing.tikz import tikz
from ntkfeyn.render.formulas import recursion_align, recursion_latex, recursion_text
from ntkfeyn.render.json import recursion_json, to_text
from ntkfeyn.render.notation import LatexNotation, TextNotation, latex_of
from ntkfeyn.render.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    import networkx
    import sympy

    from ntkfeyn.asymptotics.answer import DepthForms as DepthRecord
    from ntkfeyn.asymptotics.forms import Form
    from ntkfeyn.render.explain.explanation import Explanation

HIGHEST_CITED = 3  # correction whose files are rendered in seconds


@dataclass(frozen=True)
class Diagram:
    """A diagram with its pictures; ``record`` says what is attached to what (theory section 4).

    ``symbols`` are the letters of pictures and explanations.
    """

    record: DiagramRecord
    symbols: Symbols = field(default_factory=Symbols, repr=False)

    @property
    def id(self) -> str:
        """cumulant : order : number, e.g. F:1:2."""
        return self.record.id

    @property
    def weight(self) -> Fraction:
        """The combinatorial weight, before any derivative acts."""
        return self.record.weight

    @property
    def graph(self) -> networkx.MultiGraph[Any]:
        """A networkx MultiGraph of legs, slots, cubic vertices, propagators and tensors."""
        return self.record.graph

    def svg(self) -> str:
        return svg(layout(self.record, self.symbols, plainly=True))

    def png(self) -> bytes:
        return png(layout(self.record, self.symbols, plainly=True))

    def pdf(self) -> bytes:
        """A page of the size of the picture: vector graphics, the same bytes each time."""
        return pdf(layout(self.record, self.symbols, plainly=True))

    def tikz(self) -> str:
        """A tikzpicture environment whose labels are of \\scriptsize."""
        return tikz(layout(self.record, self.symbols))

    def explain(self, columns: int = 100) -> str:
        """How the diagram becomes its term, step by step, in lines of at most ``columns`` characters."""
        from ntkfeyn.render.explain.steps import explanation_text

        return explanation_text(explanation(self.record, self.symbols), columns, picture=True)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Diagram {self.id}, weight {self.weight}>"


def explanation(diagram: DiagramRecord, symbols: Symbols) -> Explanation:
    """The explanation of a diagram, which cites the files that `emit` writes for its cumulant."""
    from ntkfeyn.render.explain.explanation import explain_diagram

    target = Target(diagram.cumulant, diagram.order)
    return explain_diagram(diagram, symbols, partial(emitted_files, target, symbols, diagram.weights))


def emitted_files(target: Target, symbols: Symbols, weights: str = GAUSSIAN) -> dict[str, dict[str, str]]:
    """What `emit` writes for one target in each language that is quoted, rendered in memory.

    Raises LimitError where that takes long, or where the system that code needs is beyond the limits.
    """
    from ntkfeyn.codegen.backends import BACKENDS, Emission

    shape, order = target
    if order - shape.leading_order > HIGHEST_CITED:
        raise LimitError(f"files are rendered here up to {HIGHEST_CITED} orders above the leading one")
    asked = Emission([target], symbols=symbols, weights=weights)
    written = {row.name: row.files(asked) for row in BACKENDS if row.quoted}
    return {name: {path: text for path, text in one.items() if isinstance(text, str)} for name, one in written.items()}


@dataclass(frozen=True)
class Picture:
    """A drawing, as a notebook shows it and as files hold it."""

    drawing: Drawing

    def svg(self) -> str:
        return svg(self.drawing)

    def png(self) -> bytes:
        return png(self.drawing)

    def pdf(self) -> bytes:
        return pdf(self.drawing)

    def _repr_svg_(self) -> str:
        return self.svg()


@dataclass(frozen=True)
class Recursion:
    """One tensor at layer l+1 from tensors at layer l; ``record`` holds the product terms (theory section 5)."""

    record: RecursionRecord
    symbols: Symbols = field(default_factory=Symbols, repr=False)

    @property
    def diagrams(self) -> tuple[Diagram, ...]:
        """The diagrams as drawn (Omega merged), in canonical order."""
        return tuple(Diagram(diagram, self.symbols) for diagram in self.record.diagrams)

    @property
    def terms(self) -> tuple[Any, ...]:
        """The reduced product terms, before Leibniz."""
        return self.record.terms

    @property
    def expanded(self) -> tuple[Any, ...]:
        """The terms after Leibniz, as the JSON lists them."""
        return self.record.expanded

    def sympy(self) -> sympy.Expr:
        """The right-hand side as an expanded SymPy sum."""
        from ntkfeyn.render.sympy import to_sympy

        return to_sympy(self.record, self.symbols)

    def latex(self) -> str:
        """The recursion as an align* environment (amsmath)."""
        return recursion_align(self.record, LatexNotation(self.symbols.latex))

    @property
    def susceptibilities(self) -> SelfPart:
        """The part that is linear in the tensor itself, at one input: ``.pairs`` have a factor each.

        Raises NtkfeynError for a recursion that is homogeneous, or was derived without a rewrite.
        """
        return self_part(self.record)

    def picture(self) -> Picture:
        """The equation of diagrams, which a notebook shows."""
        return Picture(equation(self.record, self.symbols))

    def to_json(self) -> str:
        """JSON text after the schema ntkfeyn.recursion/1, with formulas in LaTeX where the letters are not ours."""
        return to_text(recursion_json(self.record, latex_of(self.symbols)))

    def __str__(self) -> str:
        return recursion_text(self.record, TextNotation(self.symbols.text))

    def __repr__(self) -> str:
        law = "" if self.record.weights == GAUSSIAN else f", {self.record.weights} weights"
        law += ", shared over labels" if self.record.shared else ""
        return f"<Recursion {self.record.name}@{self.record.order}: {len(self.record.terms)} product terms{law}>"

    def _repr_latex_(self) -> str:
        return (
            "$$\\begin{aligned}\n  "
            + recursion_latex(self.record, LatexNotation(self.symbols.latex))
            + "\n\\end{aligned}$$"
        )


@dataclass(frozen=True)
class Depth:
    """How tensors depend on the depth, at one input: ``forms`` by NAME@R, ``symbols`` the letters of formulas.

    ``str()`` is the table of `ntkfeyn depth`.
    """

    record: DepthRecord
    symbols: Symbols = field(default_factory=Symbols, repr=False)

    @property
    def forms(self) -> Mapping[str, Form]:
        """``Exact`` or ``Asymptotic`` records of ntkfeyn.asymptotics.forms."""
        return self.record.forms

    def at(self, name: str, layer: int, **letters: float) -> float:
        """The value of a tensor, as "F" or "F@1", at a layer: of an exact form, or of the terms of a series.

        ``letters`` are the values of letters that were left open: q = x.x'/n_0 (default 1), a, chi, .. Raises
        RequestError for a tensor that was not asked for, or a letter without a value.
        """
        [target] = resolve([name])
        if str(target.id) not in self.forms:
            raise bad_request(f"'{name}' at a layer", f"allowed are {', '.join(self.forms)}", next(iter(self.forms)))
        return self.forms[str(target.id)].at(layer, {"q": 1.0, **letters})

    def latex(self) -> str:
        """An align* environment."""
        from ntkfeyn.asymptotics.writing import depth_latex

        return depth_latex(self.record, self.symbols)

    def to_json(self) -> str:
        """After the schema ntkfeyn.depth/1."""
        from ntkfeyn.asymptotics.writing import depth_json

        return to_text(depth_json(self.record, self.symbols))

    def __str__(self) -> str:
        from ntkfeyn.asymptotics.writing import depth_text

        return depth_text(self.record, self.symbols)

    def _repr_latex_(self) -> str:
        return self.latex()
