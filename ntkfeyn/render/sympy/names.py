"""Names: the symbols and functions of expressions that print with somebody's letters.

Enters: letters. Leaves: ``Names``, which make couplings, tensors, means and terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy

from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm, Tensor
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT, Symbols
from ntkfeyn.render.sympy.functions import Activation, Averaging, Expectation, LayerTensor
from ntkfeyn.render.sympy.letters import LAYER, Letter, Tau, Width


class Names:
    """The functions and symbols of expressions that print with these letters; ours are those of ``ntkfeyn.symbols``."""

    def __init__(self, symbols: Symbols = DEFAULT) -> None:
        self.ours, self.text, self.latex = symbols.ours, TextNotation(symbols.plain), LatexNotation(symbols.latex)
        kinds: list[Any] = [Activation, Expectation, LayerTensor, Averaging, Width, Tau]
        if not self.ours:  # a class of their own: what prints otherwise is something else
            kinds = [type(kind)(kind.__name__, (kind,), {"symbols": symbols}) for kind in kinds]
        self.activation, self.expectation, self.tensor, self.averaging, self.width, self.tau = kinds
        self.tau.width = self.width

    def coupling(self, name: str) -> sympy.Expr:
        """The symbol of a coupling of ``derivation.rules.COUPLINGS``; the width ratio is n_l / n_(l-1)."""
        if name == WIDTH_RATIO:
            return self.width(LAYER) / self.width(LAYER - 1)
        if name == TAU:
            return self.tau(LAYER)
        return sympy.Symbol(name, positive=True) if self.ours else self._letter(name)

    def _letter(self, name: str) -> sympy.Symbol:
        return Letter(self.text.power(name, 1), self.latex.power(name, 1))

    def tensor_symbol(self, name: str, order: int, samples: Sequence[int], layer: Any = LAYER) -> sympy.Expr:
        """The symbol of a tensor at a layer; ``samples`` in the tensor's index order, ``order`` absolute.

        >>> tensor_symbol("Theta", 1, (2, 1))
        Theta^{1}[1,2]
        """
        correction = order - standard(name).leading_order
        return self.tensor(name, sympy.Integer(correction), *map(sympy.Integer, samples), layer=layer)

    def expectation_symbol(self, factors: Sequence[tuple[int, int]], layer: Any = LAYER) -> sympy.Expr:
        """The expectation of a product of activations at a layer; ``factors`` are (sample, derivative order).

        >>> expectation_symbol([(1, 0), (2, 1)])
        <s_1 s'_2>
        """
        found = sorted(factors)
        return self.expectation(*(self.activation(sympy.Integer(s), sympy.Integer(m), layer) for s, m in found))

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
