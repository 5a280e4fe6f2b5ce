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
from ntkfeyn.render.symbols import DEFAULT, PLAIN
from ntkfeyn.render.sympy.letters import LAYER, AtLayer, as_layer, layer_text


class Activation(AtLayer):
    """The derivative of order m of the activation at sample a of layer l: Activation(a, m), Activation(a) for m = 0.

    ``layer`` is that of the preactivation z that it is a function of, so a mean has the layer of what stands in it.

    >>> Activation(2, 1)
    s'_2
    >>> Activation(2, 1, layer=3)
    s'[2; 3]
    """

    nargs = 3

    def __new__(cls, sample: Any, order: Any = 0, layer: Any = LAYER, **options: Any) -> Activation:
        made: Activation = super().__new__(cls, sample, order, as_layer(layer), **options)
        return made

    @property
    def layer(self) -> sympy.Expr:
        return self.args[2]

    def written(self, notation: TextNotation) -> str:
        """Without its layer."""
        sample, order, _ = self.args
        return notation.activation(int(sample), int(order))

    def _sympystr(self, printer: Any) -> str:
        notation = TextNotation(self.symbols.plain)
        if self.layer == LAYER:
            return self.written(notation)
        sample, order, layer = self.args
        return f"{notation.function(int(order))}[{notation.label(int(sample))}; {layer_text(layer, notation)}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        notation = LatexNotation(self.symbols.latex)
        body = self.written(notation)
        if self.layer != LAYER:  # brackets above an activation count derivatives
            sample, order, layer = self.args
            z = f"{notation.letters.preactivation}^{{({layer_text(layer, notation)})}}"
            body = f"{notation.function(int(order))}({z}_{{{notation.label(int(sample))}}})"
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


class Expectation(AtLayer):
    """The Gaussian expectation of the product of its arguments, with the kernel K of their layer.

    It is linear, and the order of its factors does not matter: numbers, couplings and tensors come out, powers are
    factors that stand several times. Activations of different layers have no mean together.

    >>> Expectation(Activation(3, 1) * Activation(1)) == Expectation(Activation(1), Activation(3, 1))
    True
    >>> Expectation(2 * Activation(1) ** 2 + 1)
    2*<s_1 s_1> + 1
    >>> Expectation(Activation(1) * Activation(2)).subs(LAYER, 3)
    <s_1 s_2; 3>
    """

    is_positive = None

    @classmethod
    def eval(cls, *arguments: Any) -> sympy.Expr | None:
        if all(isinstance(one, Activation) for one in arguments):
            if not arguments:
                return sympy.Integer(1)
            found = sorted(arguments, key=_by_sample)
            if len({one.layer for one in found}) > 1:
                raise TypeError(f"{arguments} stand in an expectation; activations of one layer may")
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

    @property
    def layer(self) -> sympy.Expr:
        return self.args[0].layer

    def _sympystr(self, printer: Any) -> str:
        notation = TextNotation(self.symbols.plain)
        mark = "" if self.layer == LAYER else f"; {layer_text(self.layer, notation)}"
        return notation.mean(" ".join(one.written(notation) for one in self.args) + mark)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        notation = LatexNotation(self.symbols.latex)
        body = r"\,".join(one.written(notation) for one in self.args)
        body = notation.mean(body) if self.layer == LAYER else self._at_its_layer(body, notation)
        return f"{{{body}}}^{{{exp}}}" if exp else body

    def _at_its_layer(self, inner: str, notation: LatexNotation) -> str:
        """With K at its layer below the bracket, unless the bracket shows the layer already."""
        left, right = notation.letters.expectation
        layer, here = layer_text(self.layer, notation), f"({notation.layer})"
        if here in right:
            return f"{left} {inner}{right.replace(here, f'({layer})')}"
        body = notation.mean(inner)
        kernel = f"_{{{notation.letter('K')}^{{({layer})}}}}"
        return (f"{{{body}}}" if "_" in right else body) + kernel


def _by_sample(factor: Activation) -> tuple[Any, ...]:
    sample, order, _ = factor.args
    numbers = sample.is_Integer and order.is_Integer
    return (0, int(sample), int(order)) if numbers else (1, sympy.default_sort_key(factor))


class Averaging(sympy.Function):
    """The averaging operator of weights shared over labels, once for each pair: Averaging(f, (1, 3), (2, 4)).

    Averaging(f, (a, b)) at labels a, b is the sum over t, a', b' of w_t M^t_aa' M^t_bb' f(a', b'): a and b name the
    variables that are averaged. The maps M^t are those that lead from the layer of f to the next one, so the layer of f
    says which they are. It is linear, operators of different pairs commute, and which label of a pair comes
    first does not matter: numbers, couplings and widths come out, sums fall apart (theory section 10).

    >>> from ntkfeyn.symbols import C_W
    >>> f = Expectation(Activation(1) * Activation(2))
    >>> Averaging(C_W * f + 2 * f, (2, 1)) == C_W * Averaging(f, (1, 2)) + 2 * Averaging(f, (1, 2))
    True
    >>> Averaging(Averaging(f, (1, 2)), (3, 4)) == Averaging(f, (3, 4), (1, 2))
    True
    """

    is_number = False
    is_commutative = True
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

    def _eval_derivative(self, by: sympy.Basic) -> sympy.Expr:
        return type(self)(self.args[0].diff(by), *self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        notation = TextNotation(self.symbols.plain)
        return f"{self._operators(notation)}[{printer.doprint(self.args[0])}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        notation = LatexNotation(self.symbols.latex)
        body = rf"{self._operators(notation)}\left[{printer.doprint(self.args[0])}\right]"
        return rf"\left({body}\right)^{{{exp}}}" if exp else body

    def _operators(self, notation: TextNotation) -> str:
        return notation.space.join(notation.averaging((int(a), int(b))) for a, b in self.args[1:])


class TensorName(sympy.Basic):
    """A tensor's name with its layer, before it has samples.

    >>> TensorName("F", LAYER), TensorName("F", 3)
    (F, F^(3))
    """

    is_commutative = True

    def __new__(cls, name: Any, layer: Any) -> TensorName:
        made: TensorName = super().__new__(cls, sympy.Symbol(name) if isinstance(name, str) else name, as_layer(layer))
        return made

    @property
    def name(self) -> str:
        return str(self.args[0])

    @property
    def layer(self) -> sympy.Expr:
        return self.args[1]

    def _sympystr(self, printer: Any) -> str:
        return self.name if self.layer == LAYER else f"{self.name}^({layer_text(self.layer, TextNotation(PLAIN))})"


class LayerTensor(AtLayer):
    """A tensor at layer l: LayerTensor(name, correction, a, b, ..); samples in the tensor's index order.

    ``correction`` 0 is its leading order, ``layer`` another layer. Its symmetries are carried out.

    >>> LayerTensor("V", 0, 2, 1, 4, 3) == LayerTensor("V", 0, 3, 4, 1, 2)
    True
    >>> LayerTensor("V", 0, 2, 1, 4, 3, layer=LAYER + 1)
    V[1,2,3,4; l+1]
    """

    def __new__(cls, name: Any, correction: Any, *samples: Any, layer: Any = None, **options: Any) -> LayerTensor:
        if layer is not None or not isinstance(name, TensorName):
            name = TensorName(getattr(name, "name", name), LAYER if layer is None else layer)
        made: LayerTensor = super().__new__(cls, name, correction, *samples, **options)
        return made

    @classmethod
    def eval(cls, named: TensorName, correction: Any, *samples: Any) -> sympy.Expr | None:
        if not all(sample.is_Integer for sample in samples):
            return None
        least = least_samples(named.name, tuple(map(int, samples)))
        return None if least == samples else cls(named, correction, *map(sympy.Integer, least))

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def layer(self) -> sympy.Expr:
        return self.args[0].layer

    def _sympystr(self, printer: Any) -> str:
        _, correction, *samples = self.args
        notation = TextNotation(self.symbols.plain)
        mark = "" if self.layer == LAYER else f"; {layer_text(self.layer, notation)}"
        labels = ",".join(notation.label(int(s)) for s in samples)
        return f"{notation.symbol(self.name, int(correction))}[{labels}{mark}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        _, correction, *samples = self.args
        notation = LatexNotation(self.symbols.latex, layer_text(self.layer, LatexNotation(self.symbols.latex)))
        body = notation.tensor(self.name, int(correction), [int(s) for s in samples])
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


def least_samples(name: str, samples: tuple[int, ...]) -> tuple[int, ...]:
    """Samples in index order, brought to the least order that the symmetries of a tensor allow."""
    index = standard(name).index
    if len(samples) != len(index):
        raise RequestError(f"{name} with {len(samples)} samples", f"{len(index)} are needed")
    slots = dict(zip(index, samples, strict=True))
    least = canonical_labels(name, tuple(slots[v] for v in range(len(index))))
    return tuple(least[v] for v in index)
