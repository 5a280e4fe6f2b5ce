"""Letters: couplings, the layer, and what belongs to a layer and has no samples: its width, and tau.

Enters: a layer, letters. Leaves: SymPy symbols; layers as they are written: l, l+1, 3.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy

from ntkfeyn.derivation.rules import TAU as TAU_NAME
from ntkfeyn.errors import bad_request
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT

C_W, LAMBDA_W, C_B, LAMBDA_B = sympy.symbols("C_W lambda_W C_b lambda_b", positive=True)
LAYER = sympy.Symbol("l", integer=True, positive=True)


def as_layer(layer: Any) -> sympy.Expr:
    """A layer as SymPy has it: 3, LAYER + 1; no text, which SymPy would run. Raises RequestError for others."""
    try:
        found = sympy.sympify(layer, strict=True)
    except sympy.SympifyError as error:
        raise bad_request(f"layer {layer!r}", "numbers and expressions are allowed", "LAYER, LAYER - 1 or 3") from error
    if found.is_integer is False or found.is_positive is False:
        raise bad_request(f"layer {found}", "layers are whole numbers from 1 on", "LAYER, LAYER - 1 or 3")
    return found


def layer_text(layer: sympy.Expr, notation: TextNotation) -> str:
    """As it stands in a formula, without spaces around signs; LAYER has the letter of the notation."""
    return _layer_text(layer, notation.layer, isinstance(notation, LatexNotation))


@lru_cache(maxsize=1024)  # a formula has one or two layers, thousands of times
def _layer_text(layer: sympy.Expr, letter: str, latex: bool) -> str:
    lettered = layer.xreplace({LAYER: Letter(letter, letter)})
    text = str(sympy.latex(lettered) if latex else sympy.sstr(lettered))
    return text.replace(" + ", "+").replace(" - ", "-")


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


class AtLayer(sympy.Function):
    """What stands at a layer. Its arguments are labels, so it is no number even where they are."""

    is_number = False
    symbols = DEFAULT

    def __new__(cls, *arguments: Any, **options: Any) -> sympy.Expr:
        """Of numbers and expressions: text, which SymPy would run, raises SympifyError."""
        return super().__new__(cls, *(sympy.sympify(one, strict=True) for one in arguments), **options)

    @property
    def layer(self) -> sympy.Expr:
        raise NotImplementedError

    def _eval_derivative(self, by: sympy.Basic) -> sympy.Expr | None:
        """By nothing but its layer, and that one is left to stand."""
        return None if by in self.layer.free_symbols else sympy.Integer(0)


class OfLayer(AtLayer):
    """A positive number that each layer has: a symbol with the layer as its index, as SymPy's Indexed is one."""

    nargs = 1
    is_positive = is_Atom = True
    _diff_wrt = True

    @classmethod
    def class_key(cls) -> tuple[int, int, str]:
        """It stands in products where the symbol would."""
        return (Letter if cls.symbols != DEFAULT else sympy.Symbol).class_key()  # type: ignore[no-any-return]

    @property
    def layer(self) -> sympy.Expr:
        return self.args[0]

    def written(self, notation: TextNotation) -> str:
        """As it stands in formulas of a notation."""
        raise NotImplementedError

    def _eval_derivative(self, by: sympy.Basic) -> sympy.Expr | None:
        return sympy.Integer(1) if by == self else super()._eval_derivative(by)

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        return {self, *self.layer.free_symbols}

    def _sympystr(self, printer: Any) -> str:
        return self.written(TextNotation(self.symbols.plain))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = self.written(LatexNotation(self.symbols.latex))
        return f"{body}^{{{exp}}}" if exp else body


class Width(OfLayer):
    """The number n of neurons of a layer.

    >>> Width(LAYER), Width(LAYER - 1), Width(3)
    (n_l, n_{l-1}, n_3)
    """

    def written(self, notation: TextNotation) -> str:
        layer = layer_text(self.layer, notation)
        plain = not isinstance(notation, LatexNotation) and (self.layer == LAYER or len(layer) == 1)
        return f"{notation.letters.width}_{layer if plain else f'{{{layer}}}'}"


class Tau(OfLayer):
    """The coupling of orthogonal weights of layer l+1, of the widths of layers l and l+1 (theory section 9).

    >>> Tau(LAYER), Tau(3)
    (tau, tau_3)
    >>> Tau(3).rewrite(Width)
    n_3/Max(n_3, n_4)
    """

    width: type[Width] = Width

    def written(self, notation: TextNotation) -> str:
        letter = notation.power(TAU_NAME, 1)
        layer = layer_text(self.layer, notation)
        return letter if self.layer == LAYER else f"{letter}_{layer if len(layer) == 1 else f'{{{layer}}}'}"

    def _eval_rewrite_as_Width(self, layer: sympy.Expr, **hints: Any) -> sympy.Expr:
        here, above = self.width(layer), self.width(layer + 1)
        return here / sympy.Max(here, above)


WIDTH, WIDTH_BELOW, TAU = Width(LAYER), Width(LAYER - 1), Tau(LAYER)
