"""Names: the symbols and functions of expressions that print with somebody's letters.

Enters: letters. Leaves: ``Names``, which make couplings, tensors, means and terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy

from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm, Tensor
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT, Symbols
from ntkfeyn.render.sympy.functions import Activation, Averaging, Expectation, LayerTensor

C_W, LAMBDA_W, C_B, LAMBDA_B = sympy.symbols("C_W lambda_W C_b lambda_b", positive=True)
WIDTH, WIDTH_BELOW = sympy.Symbol("n_l", positive=True), sympy.Symbol("n_{l-1}", positive=True)


class Letter(sympy.Symbol):
    """A coupling or a width by its letter in text, which prints as its letter in LaTeX."""

    formula: str

    def __new__(cls, name: str, formula: str) -> Letter:
        made: Letter = sympy.Symbol.__xnew__(cls, name, positive=True)  # not cached: others may have this name
        made.formula = formula
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, Any]]:
        return (self.name, self.formula), {}

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.formula)

    def _latex(self, printer: Any) -> str:
        return self.formula


class Names:
    """The functions and symbols of expressions that print with these letters; ours are those of ``ntkfeyn.symbols``."""

    def __init__(self, symbols: Symbols = DEFAULT) -> None:
        self.ours, self.text, self.latex = symbols.ours, TextNotation(symbols.plain), LatexNotation(symbols.latex)
        kinds: list[Any] = [Activation, Expectation, LayerTensor, Averaging]
        if not self.ours:  # a class of their own: what prints otherwise is something else
            kinds = [type(kind)(kind.__name__, (kind,), {"symbols": symbols}) for kind in kinds]
        self.activation, self.expectation, self.tensor, self.averaging = kinds

    def coupling(self, name: str) -> sympy.Expr:
        """The symbol of a coupling of ``derivation.rules.COUPLINGS``; the width ratio is n_l / n_(l-1)."""
        if name == WIDTH_RATIO and self.ours:
            return WIDTH / WIDTH_BELOW
        if name == WIDTH_RATIO:
            n, layer = self.text.letters.width, self.text.layer
            tex, level = self.latex.letters.width, self.latex.layer
            below = Letter(f"{n}_{{{layer}-1}}", f"{tex}_{{{level}-1}}")
            return Letter(f"{n}_{layer}", f"{tex}_{{{level}}}") / below
        return sympy.Symbol(name, positive=True) if self.ours else self._letter(name)

    def _letter(self, name: str) -> sympy.Symbol:
        return Letter(self.text.power(name, 1), self.latex.power(name, 1))

    def tensor_symbol(self, name: str, order: int, samples: Sequence[int]) -> sympy.Expr:
        """The symbol of a tensor at layer l; ``samples`` in the tensor's index order, ``order`` absolute."""
        correction = order - standard(name).leading_order
        return self.tensor(sympy.Symbol(name), sympy.Integer(correction), *map(sympy.Integer, samples))

    def expectation_symbol(self, factors: Sequence[tuple[int, int]]) -> sympy.Expr:
        """<product of activations>; ``factors`` are (sample, derivative order)."""
        found = sorted(factors)
        return self.expectation(*(self.activation(sympy.Integer(s), sympy.Integer(m)) for s, m in found))

    def term(self, term: ExpandedTerm) -> sympy.Expr:
        return sympy.Mul(
            sympy.Rational(term.coefficient.numerator, term.coefficient.denominator),
            *(self.coupling(name) ** power for name, power in term.couplings),
            *(self._tensor(tensor) for tensor in term.tensors),
            *(self.expectation_symbol(factors) for factors in term.expectations),
        )

    def _tensor(self, tensor: Tensor) -> sympy.Expr:
        return self.tensor_symbol(tensor.name, tensor.order, [tensor.labels[v] for v in standard(tensor.name).index])


@lru_cache(maxsize=32)
def names_of(symbols: Symbols) -> Names:
    """The same classes whenever the letters are the same, so that expressions can be compared."""
    return Names(symbols)


OURS = names_of(DEFAULT)
coupling_symbol, tensor_symbol, expectation_symbol = OURS.coupling, OURS.tensor_symbol, OURS.expectation_symbol
