"""Sums: the right-hand side of a Recursion, and pieces of one's own.

Enters: a Recursion. Leaves: a SymPy expression: tensors at layer l as ``LayerTensor``, expectations as ``Expectation``
with ``Activation`` factors inside, C_W, lambda_W, C_b, lambda_b and the widths n_l, n_{l-1}. Expanded terms only: after
Leibniz everything is a plain product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from ntkfeyn.derivation.expansion import expand, written_terms
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.terms import ExpandedTerm, ProductTerm
from ntkfeyn.errors import LimitError
from ntkfeyn.render.symbols import DEFAULT, Symbols
from ntkfeyn.render.sympy.functions import Activation
from ntkfeyn.render.sympy.letters import C_W, LAMBDA_W, LAYER
from ntkfeyn.render.sympy.names import names_of, tensor_symbol

MAX_SYMPY = 100_000


def derivative(product: sympy.Expr, *samples: int) -> sympy.Expr:
    """A product of activations, differentiated by z at each of these samples in turn (Leibniz).

    >>> derivative(Activation(1) * Activation(3, 1), 3)
    s_1*s''_3
    """
    for sample in samples:
        terms = sympy.Add.make_args(sympy.expand(product))
        product = sympy.Add(*(part for term in terms for part in _derived(term, sample)))
    return product


def _derived(term: sympy.Expr, sample: int) -> Iterator[sympy.Expr]:
    for factor in sympy.Mul.make_args(term):
        base, power = factor.as_base_exp()
        if isinstance(base, Activation) and base.args[0] == sample:
            sample, order, layer = base.args
            yield term / base * power * type(base)(sample, order + 1, layer)


def omega(a: int, b: int, layer: Any = LAYER) -> sympy.Expr:
    """lambda_W s_a s_b + C_W Theta_ab s'_a s'_b at a layer, to stand in an expectation.

    >>> omega(1, 2)
    C_W*Theta[1,2]*s'_1*s'_2 + lambda_W*s_1*s_2
    """
    weight = C_W * tensor_symbol("Theta", 0, (a, b), layer)
    plain, primed = ([Activation(label, m, layer) for label in (a, b)] for m in (0, 1))
    return LAMBDA_W * sympy.Mul(*plain) + weight * sympy.Mul(*primed)


def to_sympy(recursion: Recursion, symbols: Symbols = DEFAULT) -> sympy.Expr:
    """The right-hand side as an expanded SymPy sum (theory section 5), which prints with these letters.

    Where weights are shared each term but the constants stands in an ``Averaging``. Raises LimitError above MAX_SYMPY
    terms.
    """
    if recursion.written > MAX_SYMPY:
        raise LimitError(
            f"{recursion.name}@{recursion.order} expands to up to {recursion.written} terms; SymPy takes at most"
            f" {MAX_SYMPY}; try --format json, or --format latex, which shows the terms before Leibniz"
        )
    return _sum(recursion.expanded, symbols, recursion.averaged if recursion.shared else ())


def terms_to_sympy(
    terms: tuple[ProductTerm, ...], symbols: Symbols = DEFAULT, averaged: Sequence[tuple[int, int]] = ()
) -> sympy.Expr:
    """Product terms, as those of one diagram, as ``to_sympy`` has them; ``averaged``: pairs where weights are shared.

    Raises LimitError above MAX_SYMPY terms.
    """
    if (many := written_terms(terms)) > MAX_SYMPY:
        raise LimitError(f"they expand to up to {many} terms; SymPy takes at most {MAX_SYMPY}")
    return _sum(expand(terms)[0], symbols, averaged)


def _sum(terms: Sequence[ExpandedTerm], symbols: Symbols, averaged: Sequence[tuple[int, int]]) -> sympy.Expr:
    names = names_of(symbols)
    made = [(term.diagrams, names.term(term)) for term in terms]
    if not averaged:
        return sympy.Add(*(term for _, term in made))
    inside = sympy.Add(*(term for diagrams, term in made if diagrams))
    return sympy.Add(*(term for diagrams, term in made if not diagrams), names.averaging(inside, *averaged))


def to_equation(recursion: Recursion, symbols: Symbols = DEFAULT) -> sympy.Eq:
    """The tensor at layer l+1 = the right-hand side at layer l, with the labels of the request. Raises LimitError."""
    labels = recursion.cumulant.index_labels()
    tensor = names_of(symbols).tensor_symbol(recursion.name, recursion.order, labels, LAYER + 1)
    return sympy.Eq(tensor, to_sympy(recursion, symbols), evaluate=False)
