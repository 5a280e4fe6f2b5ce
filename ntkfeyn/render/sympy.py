"""SymPy form of a Recursion: the only maker of SymPy symbols.

Enters: a Recursion. Leaves: a SymPy expression for its right-hand side: tensors at layer l as ``LayerTensor``,
expectations as ``Expectation`` with ``Activation`` factors inside, C_W, lambda_W, C_b, lambda_b and the widths
n_l, n_{l-1}. Expanded terms only: after Leibniz everything is a plain product. The functions bring their arguments to
one order when they are made, so that expressions which differ by symmetries alone are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import sympy

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm, Tensor
from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT, Symbols

MAX_SYMPY = 100_000
C_W, LAMBDA_W, C_B, LAMBDA_B = sympy.symbols("C_W lambda_W C_b lambda_b", positive=True)
WIDTH, WIDTH_BELOW = sympy.Symbol("n_l", positive=True), sympy.Symbol("n_{l-1}", positive=True)


class Activation(sympy.Function):
    """The derivative of order m of the activation at sample a: Activation(a, m), or Activation(a) for m = 0.

    >>> Activation(2, 1)
    s'_2
    """

    nargs = (1, 2)
    symbols = DEFAULT

    @classmethod
    def eval(cls, sample: Any, order: Any = None) -> sympy.Expr | None:
        """What SymPy makes of it when it is written; None: it stays as it is."""
        return cls(sample, sympy.Integer(0)) if order is None else None

    def _sympystr(self, printer: Any) -> str:
        sample, order = map(int, self.args)
        return TextNotation(self.symbols.plain).activation(sample, order)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        sample, order = map(int, self.args)
        body = LatexNotation(self.symbols.latex).activation(sample, order)
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


class Expectation(sympy.Function):
    """The Gaussian expectation of the product of its arguments, with kernel K at layer l.

    It is linear, and the order of its factors does not matter: numbers, couplings and tensors come out, powers are
    factors that stand several times.

    >>> Expectation(Activation(3, 1) * Activation(1)) == Expectation(Activation(1), Activation(3, 1))
    True
    >>> Expectation(2 * Activation(1) ** 2 + 1)
    2*<s_1 s_1> + 1
    """

    is_positive = None
    symbols = DEFAULT

    @classmethod
    def eval(cls, *arguments: Any) -> sympy.Expr | None:
        """What SymPy makes of it when it is written; None: it stays as it is."""
        if all(isinstance(one, Activation) for one in arguments):
            found = sorted(arguments, key=_by_sample)
            if not found:
                return sympy.Integer(1)
            return cls(*found) if tuple(found) != arguments else None
        return sympy.Add(*(cls._product(term) for term in sympy.Add.make_args(sympy.expand(sympy.Mul(*arguments)))))

    @classmethod
    def _product(cls, term: sympy.Expr) -> sympy.Expr:
        outside, inside = [], []
        for factor in sympy.Mul.make_args(term):
            base, power = factor.as_base_exp()
            if isinstance(base, Activation) and power.is_Integer and power > 0:
                inside += [base] * int(power)
            elif factor.has(Activation) and not isinstance(factor, Expectation):
                raise TypeError(f"{factor} stands in an expectation; sums and products of activations may")
            else:
                outside.append(factor)
        return sympy.Mul(*outside) * cls(*inside)

    def _sympystr(self, printer: Any) -> str:
        return TextNotation(self.symbols.plain).mean(" ".join(map(printer.doprint, self.args)))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = LatexNotation(self.symbols.latex).mean(r"\,".join(map(printer.doprint, self.args)))
        return f"{{{body}}}^{{{exp}}}" if exp else body


def _by_sample(factor: Activation) -> tuple[Any, ...]:
    sample, order = factor.args
    numbers = sample.is_Integer and order.is_Integer
    return (0, int(sample), int(order)) if numbers else (1, sympy.default_sort_key(factor))


class Averaging(sympy.Function):
    """The averaging operator of weights shared over labels, once for each pair: Averaging(f, (1, 3), (2, 4)).

    Averaging(f, (a, b)) at labels a, b is the sum over t, a', b' of w_t M^t_aa' M^t_bb' f(a', b'): a and b name the
    variables that are averaged. It is linear, operators of different pairs commute, and which label of a pair comes
    first does not matter: numbers, couplings and widths come out, sums fall apart (theory section 10).

    >>> f = Expectation(Activation(1) * Activation(2))
    >>> Averaging(C_W * f + 2 * f, (2, 1)) == C_W * Averaging(f, (1, 2)) + 2 * Averaging(f, (1, 2))
    True
    >>> Averaging(Averaging(f, (1, 2)), (3, 4)) == Averaging(f, (3, 4), (1, 2))
    True
    """

    symbols = DEFAULT

    @classmethod
    def eval(cls, inner: Any, *pairs: Any) -> sympy.Expr | None:
        """What SymPy makes of it when it is written; None: it stays as it is."""
        own = [sympy.Tuple(*sorted(pair, key=sympy.default_sort_key)) for pair in pairs]
        labels = {label for pair in own for label in pair}
        if any(len(pair) != 2 for pair in own) or len(labels) != 2 * len(own):
            raise TypeError(f"{pairs} are averaged; pairs of labels are, each label in one of them")
        if not own or inner == 0:
            return inner
        parts = []
        for term in sympy.Add.make_args(sympy.expand(inner)):
            factor, rest = term.as_independent(Activation, LayerTensor, Averaging)
            joined = isinstance(rest, Averaging) and not labels & {label for pair in rest.args[1:] for label in pair}
            core, more = (rest.args[0], rest.args[1:]) if joined else (rest, ())
            parts.append((factor, (core, *sorted((*more, *own), key=sympy.default_sort_key))))
        if len(parts) == 1 and parts[0] == (1, (inner, *pairs)):
            return None
        return sympy.Add(*(factor * cls(*arguments) for factor, arguments in parts))

    def _sympystr(self, printer: Any) -> str:
        notation = TextNotation(self.symbols.plain)
        return f"{self._operators(notation)}[{printer.doprint(self.args[0])}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        notation = LatexNotation(self.symbols.latex)
        body = rf"{self._operators(notation)}\left[{printer.doprint(self.args[0])}\right]"
        return rf"\left({body}\right)^{{{exp}}}" if exp else body

    def _operators(self, notation: TextNotation) -> str:
        return notation.space.join(notation.averaging((int(a), int(b))) for a, b in self.args[1:])


class LayerTensor(sympy.Function):
    """A tensor at layer l: LayerTensor(name, correction, a, b, ..); samples in the tensor's index order.

    ``correction`` 0 is its leading order. Its symmetries are carried out.

    >>> LayerTensor("V", 0, 2, 1, 4, 3) == LayerTensor("V", 0, 3, 4, 1, 2)
    True
    """

    symbols = DEFAULT

    @classmethod
    def eval(cls, name: Any, correction: Any, *samples: Any) -> sympy.Expr | None:
        """What SymPy makes of it when it is written; None: it stays as it is."""
        if not all(sample.is_Integer for sample in samples):
            return None
        least = least_samples(str(name), tuple(map(int, samples)))
        return None if least == samples else cls(name, correction, *map(sympy.Integer, least))

    def _sympystr(self, printer: Any) -> str:
        name, correction, *samples = self.args
        notation = TextNotation(self.symbols.plain)
        return f"{notation.symbol(str(name), int(correction))}[{','.join(notation.label(int(s)) for s in samples)}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, correction, *samples = self.args
        notation = LatexNotation(self.symbols.latex)
        mark = rf"\{{{correction}\}}" if correction else ""
        indices = notation.indices([int(s) for s in samples])
        body = rf"{notation.letter(str(name))}^{{{mark}({notation.layer})}}_{{{indices}}}"
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


def least_samples(name: str, samples: tuple[int, ...]) -> tuple[int, ...]:
    """Samples in index order, brought to the least order that the symmetries of a tensor allow."""
    index = standard(name).index
    if len(samples) != len(index):
        raise RequestError(f"{name} with {len(samples)} samples", f"{len(index)} are needed")
    slots = dict(zip(index, samples, strict=True))
    least = canonical_labels(name, tuple(slots[v] for v in range(len(index))))
    return tuple(least[v] for v in index)


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
        """The symbol of a tensor at layer l; ``samples`` in the tensor's index order, ``order`` absolute.

        >>> tensor_symbol("Theta", 1, (2, 1))
        Theta^{1}[1,2]
        """
        correction = order - standard(name).leading_order
        return self.tensor(sympy.Symbol(name), sympy.Integer(correction), *map(sympy.Integer, samples))

    def expectation_symbol(self, factors: Sequence[tuple[int, int]]) -> sympy.Expr:
        """The expectation of a product of activations; ``factors`` are (sample, derivative order).

        >>> expectation_symbol([(1, 0), (2, 1)])
        <s_1 s'_2>
        """
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
            yield term / base * power * type(base)(base.args[0], base.args[1] + 1)


def omega(a: int, b: int) -> sympy.Expr:
    """lambda_W s_a s_b + C_W Theta_ab s'_a s'_b, to stand in an expectation.

    >>> omega(1, 2)
    C_W*Theta[1,2]*s'_1*s'_2 + lambda_W*s_1*s_2
    """
    weight = C_W * tensor_symbol("Theta", 0, (a, b))
    return LAMBDA_W * Activation(a) * Activation(b) + weight * Activation(a, 1) * Activation(b, 1)


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
    names = names_of(symbols)
    terms = [(term.diagrams, names.term(term)) for term in recursion.expanded]
    if not recursion.shared:
        return sympy.Add(*(term for _, term in terms))
    inside = sympy.Add(*(term for diagrams, term in terms if diagrams))
    return sympy.Add(*(term for diagrams, term in terms if not diagrams), names.averaging(inside, *recursion.averaged))
