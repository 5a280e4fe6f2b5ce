"""Functions of SymPy expressions: activations, their means, averaging operators, tensors at layer l.

Enters: arguments, in any order that the symmetries allow. Leaves: the function with its arguments in one order, so that
expressions which differ by symmetries alone are equal.
"""

from __future__ import annotations

from typing import Any

import sympy

from ntkfeyn.errors import RequestError
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT


class Activation(sympy.Function):
    """The derivative of order m of the activation at sample a: Activation(a, m), or Activation(a) for m = 0.

    >>> Activation(2, 1)
    s'_2
    """

    nargs = (1, 2)
    symbols = DEFAULT

    @classmethod
    def eval(cls, sample: Any, order: Any = None) -> sympy.Expr | None:
        return cls(sample, sympy.Integer(0)) if order is None else None

    def _sympystr(self, printer: Any) -> str:
        sample, order = map(int, self.args)
        return TextNotation(self.symbols.plain).activation(sample, order)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        sample, order = map(int, self.args)
        body = LatexNotation(self.symbols.latex).activation(sample, order)
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


class Expectation(sympy.Function):
    """The Gaussian expectation <product of its arguments> with kernel K at layer l.

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

    >>> from ntkfeyn.symbols import C_W
    >>> f = Expectation(Activation(1) * Activation(2))
    >>> Averaging(C_W * f + 2 * f, (2, 1)) == C_W * Averaging(f, (1, 2)) + 2 * Averaging(f, (1, 2))
    True
    >>> Averaging(Averaging(f, (1, 2)), (3, 4)) == Averaging(f, (3, 4), (1, 2))
    True
    """

    symbols = DEFAULT

    @classmethod
    def eval(cls, inner: Any, *pairs: Any) -> sympy.Expr | None:
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
