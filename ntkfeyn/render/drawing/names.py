"""What pictures call things: tensors and functions, in TeX maths for TikZ and in plain text for the other formats."""

from __future__ import annotations

from ntkfeyn.derivation.diagrams import CubicVertex
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols


def tensor_names(name: str, correction: int, symbols: Symbols) -> tuple[str, str]:
    """A tensor's letter with its correction, in TeX and in plain text."""
    exponent = raised(correction) if correction else ""
    return LatexNotation(symbols.latex).symbol(name, correction), TextNotation(symbols.text).letter(name) + exponent


def power_names(order: int, symbols: Symbols) -> tuple[str, str]:
    """The power of 1/n of a tensor, as its tag: /n, /n^2."""
    width, plain = symbols.latex.width, symbols.text.width
    return (f"/{width}", f"/{plain}") if order == 1 else (f"/{width}^{{{order}}}", f"/{plain}{raised(order)}")


def slot_names(slot: int, symbols: Symbols) -> tuple[str, str]:
    """The sample of a slot."""
    return symbols.latex.sample(slot), symbols.text.sample(slot)


def function_names(vertex: CubicVertex, symbols: Symbols) -> tuple[str, str]:
    """The activations of a cubic vertex, in TeX and in plain text; with samples where no line tells them."""
    if vertex.rule.merges:
        return symbols.latex.omega, symbols.text.omega
    tex, plain = LatexNotation(symbols.latex), TextNotation(symbols.text)
    if vertex.rule.names_slots:
        factors = [(factor.slot, factor.order) for factor in vertex.factors]
        return "".join(tex.activation(*one) for one in factors), "".join(_with_sample(*one, plain) for one in factors)
    orders = [factor.order for factor in vertex.factors]
    return "".join(map(tex.function, orders)), "".join(map(plain.function, orders))


def _with_sample(slot: int, order: int, plain: TextNotation) -> str:
    """An activation with its sample, a number lowered."""
    label = plain.label(slot)
    lowered = label.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    return plain.function(order) + (lowered if label.isdigit() else f"_{label}")


def raised(number: int) -> str:
    """An exponent in plain text."""
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
