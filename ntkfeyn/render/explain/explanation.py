"""How a diagram becomes its term, step by step, and why its factor is what it is (theory sections 3 to 5).

Enters: a Diagram, drawn or a member of an Omega vertex. Leaves: an ``Explanation``, its parts worked out when they are
asked for; steps.py writes it as text and JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.expansion import expand, written_terms
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.reduction import Effect, reduce_terms
from ntkfeyn.derivation.terms import ExpandedTerm, ProductTerm
from ntkfeyn.derivation.translation import translate
from ntkfeyn.errors import LimitError
from ntkfeyn.render.explain.attachment import (
    Attached,
    Split,
    WeightFactor,
    attached_tensors,
    block_factors,
    propagator_value,
    weight_factors,
)
from ntkfeyn.render.explain.citations import Citation, EmittedFiles, citations
from ntkfeyn.render.formulas import EXPANDED_SHOWN
from ntkfeyn.render.notation import InlineNotation, TextNotation
from ntkfeyn.render.symbols import Symbols


@dataclass(frozen=True)
class Explanation:
    """``drawn`` is the diagram that stands in the artefacts: ``diagram`` itself, or the one it is a member of.

    ``emitted`` makes what `emit` writes for its cumulant; it is asked once, and only if citations are. ``inline``:
    formulas within the words are LaTeX between dollar signs, else they are text.
    """

    diagram: Diagram
    drawn: Diagram
    recursion: Recursion
    symbols: Symbols
    emitted: Callable[[], EmittedFiles]
    inline: bool = False

    @property
    def notation(self) -> TextNotation:
        return InlineNotation(self.symbols.latex) if self.inline else TextNotation(self.symbols.text)

    @cached_property
    def tensors(self) -> tuple[Attached, ...]:
        return attached_tensors(self.diagram)

    @cached_property
    def weight_factors(self) -> tuple[WeightFactor, ...]:
        return weight_factors(self.tensors, self.notation)

    @cached_property
    def block_factors(self) -> tuple[WeightFactor, ...]:
        """What the weight blocks bring."""
        return block_factors(self.diagram, self.notation)

    @property
    def weight(self) -> Fraction:
        """The product of all factors."""
        return prod((factor.value for factor in (*self.weight_factors, *self.block_factors)), start=Fraction(1))

    @property
    def counting(self) -> tuple[int, int, int]:
        """P cubic vertices, B propagators, X the sum of the tensors' orders."""
        diagram = self.diagram
        return len(diagram.cubic_vertices), len(diagram.propagators), sum(t.tensor.order for t in self.tensors)

    @cached_property
    def values(self) -> tuple[tuple[Split, ...], ...]:
        """The value of each propagator."""
        return tuple(propagator_value(self.diagram, self.tensors, j) for j in range(len(self.diagram.propagators)))

    @cached_property
    def reduced(self) -> tuple[tuple[ProductTerm, ...], tuple[Effect, ...]]:
        """The product terms of this diagram alone, and what each rewrite did to them."""
        return reduce_terms(translate(self.diagram, self.diagram.id), self.diagram.cumulant)

    @cached_property
    def expanded(self) -> tuple[ExpandedTerm, ...] | None:
        """The terms after Leibniz, None where they are too many to be read."""
        terms = self.reduced[0]
        return expand(terms)[0] if written_terms(terms) <= EXPANDED_SHOWN else None

    @property
    def collected(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """The product terms of the recursion that hold this one: number from 1, and the diagrams they are of."""
        own = [(i, term) for i, term in enumerate(self.recursion.terms, start=1) if self.drawn.id in term.diagrams]
        return tuple((number, term.diagrams) for number, term in own)

    @cached_property
    def citations(self) -> tuple[Citation, ...]:
        """Where emitted files carry the id; none if the system that they need is beyond the limits."""
        try:
            return citations(self.emitted(), self.drawn)
        except LimitError:
            return ()


def explain_diagram(diagram: Diagram, symbols: Symbols, emitted: Callable[[], EmittedFiles] = dict) -> Explanation:
    """The explanation of a diagram as enumerated. Raises LimitError beyond the limits of its recursion."""
    recursion = derive_recursion(diagram.cumulant, diagram.order, weights=diagram.weights)
    drawn = next(d for d in recursion.diagrams if diagram.id in (d.id, *(m.id for m in d.members)))
    return Explanation(drawn if diagram.id == drawn.id else diagram, drawn, recursion, symbols, emitted)
