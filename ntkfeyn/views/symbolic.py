"""The views that ``derive`` and friends return: they hold the frozen record and add pictures, LaTeX, SymPy and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from ntkfeyn.derivation.diagrams import Diagram as DiagramRecord
from ntkfeyn.derivation.recursion import Recursion as RecursionRecord
from ntkfeyn.derivation.reduction import reduce_terms
from ntkfeyn.derivation.susceptibilities import SelfPart, self_part
from ntkfeyn.derivation.translation import translate
from ntkfeyn.errors import LimitError
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.targets import Target
from ntkfeyn.render.drawing.equation import equation
from ntkfeyn.render.drawing.figure import pdf, png
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.drawing.primitives import Drawing
from ntkfeyn.render.drawing.svg import svg
from ntkfeyn.render.drawing.tikz import tikz
from ntkfeyn.render.formulas import recursion_align, recursion_latex, recursion_text
from ntkfeyn.render.json import diagram_json, recursion_json, to_text
from ntkfeyn.render.notation import LatexNotation, TextNotation, latex_of
from ntkfeyn.render.records import Formats, Record, html_text
from ntkfeyn.render.symbols import Symbols

if TYPE_CHECKING:
    from fractions import Fraction

    import networkx
    import sympy

    from ntkfeyn.render.explain.explanation import Explanation

COLUMNS = 100  # of a text
HIGHEST_CITED = 3  # correction whose files are rendered in seconds


@dataclass(frozen=True, repr=False)
class Diagram(Record):
    """A diagram with its pictures; ``record`` says what is attached to what (theory section 4).

    ``symbols`` are the letters of pictures and explanations.

    >>> import ntkfeyn as nf
    >>> one = nf.derive("V").diagrams[1]
    >>> one.id, one.weight, sorted(one.formats())
    ('V:1:2', Fraction(1, 4), ['.json', '.pdf', '.png', '.svg', '.tex'])
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
    def graph(self) -> networkx.MultiGraph:
        """A networkx MultiGraph of legs, slots, cubic vertices, propagators and tensors."""
        return self.record.graph

    def svg(self) -> str:
        """The picture as an SVG document."""
        return svg(layout(self.record, self.symbols, plainly=True))

    def png(self) -> bytes:
        """The picture as pixels."""
        return png(layout(self.record, self.symbols, plainly=True))

    def pdf(self) -> bytes:
        """A page of the size of the picture: vector graphics, the same bytes each time."""
        return pdf(layout(self.record, self.symbols, plainly=True))

    def tikz(self) -> str:
        """A tikzpicture environment, with small labels."""
        return tikz(layout(self.record, self.symbols))

    def formats(self) -> Formats:
        return {".json": self.to_json, ".svg": self.svg, ".pdf": self.pdf, ".png": self.png, ".tex": self.tikz}

    def sympy(self) -> sympy.Expr:
        """Its terms after Leibniz as a SymPy sum, all at layer l. Raises LimitError where they are too many."""
        from ntkfeyn.render.sympy import terms_to_sympy

        return terms_to_sympy(reduce_terms(translate(self.record, self.id), self.record.cumulant)[0], self.symbols)

    def to_json(self) -> str:
        """What is attached to what, as JSON text."""
        return to_text(diagram_json(self.record))

    def explain(self, columns: int = COLUMNS) -> str:
        """How the diagram becomes its term, step by step, in lines of at most ``columns`` characters."""
        from ntkfeyn.render.explain.steps import explanation_text

        return explanation_text(explanation(self.record, self.symbols), columns, picture=True)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Diagram {self.id}, weight {self.weight}>"


class Diagrams(tuple[Diagram, ...], Record):
    """The diagrams of one tensor, in canonical order: a tuple that a notebook shows as pictures."""

    def to_json(self) -> str:
        """What is attached to what, diagram by diagram, as JSON text."""
        return to_text({"diagrams": [diagram_json(one.record) for one in self]})

    def formats(self) -> Formats:
        return {".json": self.to_json, ".html": self._repr_html_}

    def __repr__(self) -> str:
        last = f" .. {self[-1].id}" if len(self) > 2 else f", {self[1].id}" if len(self) == 2 else ""
        return f"<{len(self)} diagrams: {self[0].id}{last}>" if self else "<0 diagrams>"

    def _repr_html_(self) -> str:
        style = "display: inline-block; text-align: center; margin: 0.5em; vertical-align: bottom"
        return "".join(
            f'<figure style="{style}">{inline(one.svg())}<figcaption>{escape(one.id)}, weight {one.weight}</figcaption>'
            "</figure>"
            for one in self
        )


def inline(picture: str) -> str:
    """An SVG document as it may stand in a page."""
    return picture[picture.index("<svg") :]


@dataclass(frozen=True, repr=False)
class Explained(Record):
    """How a diagram becomes its term, step by step; ``str()`` is the text of `ntkfeyn explain`."""

    record: Explanation

    @property
    def weight(self) -> Fraction:
        """The product of all factors."""
        return self.record.weight

    def to_json(self) -> str:
        """JSON text after the schema ntkfeyn.explanation/1."""
        from ntkfeyn.render.explain.steps import explanation_json

        return to_text(explanation_json(self.record))

    def formats(self) -> Formats:
        return {".json": self.to_json, ".txt": self.__str__}

    def __str__(self) -> str:
        from ntkfeyn.render.explain.steps import explanation_text

        return explanation_text(self.record, COLUMNS, picture=True)

    def __repr__(self) -> str:
        return f"<Explanation of {self.record.diagram.id}, weight {self.weight}>"

    def _repr_html_(self) -> str:
        from ntkfeyn.render.explain.steps import around_picture

        before, behind = ("\n".join(lines) for lines in around_picture(self.record, COLUMNS))
        picture = Diagram(self.record.diagram, self.record.symbols).svg()
        return f"{html_text(before)}<div>{inline(picture)}</div>{html_text(behind)}"


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


@dataclass(frozen=True, repr=False)
class Picture:
    """A drawing, as a notebook shows it and as files hold it."""

    drawing: Drawing

    def svg(self) -> str:
        """An SVG document."""
        return svg(self.drawing)

    def png(self) -> bytes:
        """Pixels."""
        return png(self.drawing)

    def pdf(self) -> bytes:
        """A page of the size of the picture: vector graphics, the same bytes each time."""
        return pdf(self.drawing)

    def __repr__(self) -> str:
        return "<Picture>"

    def _repr_svg_(self) -> str:
        return self.svg()


@dataclass(frozen=True, repr=False)
class Recursion(Record):
    """One tensor at layer l+1 from tensors at layer l; ``record`` holds the product terms (theory section 5).

    ``str()`` is the text of `ntkfeyn derive`, ``symbols`` are the letters of formulas and pictures.

    >>> import ntkfeyn as nf
    >>> V = nf.derive("V")
    >>> len(V.diagrams), len(V.terms), len(V.expanded)
    (2, 3, 11)
    """

    record: RecursionRecord
    symbols: Symbols = field(default_factory=Symbols, repr=False)

    @property
    def diagrams(self) -> Diagrams:
        """The diagrams as drawn (Omega merged), in canonical order."""
        return Diagrams(Diagram(diagram, self.symbols) for diagram in self.record.diagrams)

    @property
    def terms(self) -> tuple[Any, ...]:
        """The reduced product terms, before Leibniz: coefficient, couplings, means, tensors and diagram ids each."""
        return self.record.terms

    @property
    def expanded(self) -> tuple[Any, ...]:
        """The terms after Leibniz, as the JSON lists them."""
        return self.record.expanded

    def equation(self) -> sympy.Eq:
        """The recursion as a SymPy equation: the tensor at layer l+1 = ``sympy()``. Raises LimitError as that does.

        >>> import ntkfeyn as nf
        >>> recursion = nf.derive("Theta", order=0).equation()
        >>> recursion.lhs
        Theta[1,2; l+1]
        >>> recursion.subs(nf.symbols.LAYER, 3)
        Eq(Theta[1,2; 4], C_W*<s'_1 s'_2; 3>*Theta[1,2; 3] + lambda_W*<s_1 s_2; 3> + lambda_b)
        """
        from ntkfeyn.render.sympy import to_equation

        return to_equation(self.record, self.symbols)

    def sympy(self) -> sympy.Expr:
        """The right-hand side as an expanded SymPy sum, in the names of `ntkfeyn.symbols`, all at layer l.

        `.subs(nf.symbols.LAYER, 3)` moves it. Raises LimitError above 100,000 terms.
        """
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

    def formats(self) -> Formats:
        return {
            ".json": self.to_json, ".tex": self.latex, ".txt": self.__str__,
            ".svg": lambda: self.picture().svg(), ".pdf": lambda: self.picture().pdf(),
            ".png": lambda: self.picture().png(),
        }  # fmt: skip

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
