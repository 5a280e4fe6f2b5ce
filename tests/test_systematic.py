"""Symbols of tensors without a letter: made of legs and channel, no two alike, the same in every format."""

from __future__ import annotations

import re

import pytest
import sympy

import ntkfeyn as nf
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.model.cumulants import channels, cumulant, standard
from ntkfeyn.model.tensors import NAMES, TensorId
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import LATEX, TEXT, Symbols
from ntkfeyn.render.sympy import tensor_symbol
from ntkfeyn.render.systematic import is_systematic, systematic_symbol

LEGS = (
    "z1 z2 z3 z4 z5 z6", "z1 z2 z3 z4 NTK56", "z1 z2 NTK34 NTK56", "NTK12 NTK34 NTK56", "dNTK123 z4 NTK56",
    "dNTK123 z4 z5 z6", "dNTK123 dNTK456", "ddNTK1(1,2,3,4) z5 z6", "ddNTK2(1,2,3,4) z5 z6", "ddNTK1(1,2,3,4) NTK56",
    "ddNTK2(1,2,3,4) NTK56", "tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "tree:0-1,0-2,0-3,0-4(0,1,2,3,4) z5",
    "tree:0-1,0-2,0-3,3-4(0,1,2,3,4) z5", "tree:0-1,0-2,0-3,3-4,4-5(0,1,2,3,4,5)", "dNTK123 z4 z5 z6 NTK78",
    "ddNTK1(1,2,3,4) ddNTK2(5,6,7,8)", "dNTK123 dNTK456 z7 z8", "z1 z2 z3 z4 NTK56 NTK78", "NTK12 NTK34 NTK56 NTK78",
)  # fmt: skip


def test_no_two_tensors_have_one_symbol() -> None:
    """Every channel class of these legs, and none is one of a named tensor."""
    names = [shape.name for legs in LEGS for shape in channels(legs)]
    symbols = [systematic_symbol(name) for name in names]
    assert len(set(symbols)) == len(set(names)) == len(names) > 120
    assert not set(symbols) & {*NAMES, "Θ"}
    assert all(map(is_systematic, symbols))


@pytest.mark.parametrize(
    ("legs", "channel", "symbol"),
    [
        ("z1 z2 z3 z4 z5 z6", "12.34.56", "C000"),
        ("z1 z2 z3 z4 NTK56", "12.35.46", "C01"),
        ("z1 z2 NTK34 NTK56", "13.24.56", "C1R1"),
        ("NTK12 NTK34 NTK56", "12.35.46", "R12"),
        ("dNTK012 z3 z4 z5", "03.12.45", "C0P"),  # a z-z pair beside P
        ("NTK45 dNTK012 z3", "01.23.45", "R1Q"),
        ("dNTK123 z4 z5 z6", "14.25.36", "X1"),  # every slot of the dNTK with a z: the involution that moves nothing
        ("ddNTK2(1,2,3,4) z5 z6", "13.25.46", "Z4"),
        ("ddNTK1(0,1,2,3) ddNTK2(4,5,6,7)", "01.23.45.67", "RS"),
    ],
)
def test_what_a_symbol_is_made_of(legs: str, channel: str, symbol: str) -> None:
    assert systematic_symbol(cumulant(legs, channel).name) == symbol


def test_long_chains_are_told_apart() -> None:
    assert systematic_symbol("C0C10R2") == "C.0.10R2"
    assert systematic_symbol("C12") != systematic_symbol("C1C2")


def test_relabelled_legs_have_the_same_symbol() -> None:
    assert systematic_symbol("C1C0") == systematic_symbol("C0C1")
    shapes = [cumulant("dNTK789 z1 z2 z3", "71.82.93"), cumulant("z5 z4 dNTK123 z6", "16.25.34")]
    assert {systematic_symbol(shape.name) for shape in shapes} == {"X1"}


def test_order_two_needs_short_ones() -> None:
    """Everything that order 2 of the named tensors needs: at most five signs, so that they fit a disc."""
    named = [TensorId(name, standard(name).leading_order + 1) for name in NAMES]
    names = {recursion.name for recursion in derive_system(named).recursions} - set(NAMES)
    symbols = [systematic_symbol(name) for name in names]
    assert len(set(symbols)) == len(names) == 28
    assert max(map(len, symbols)) <= 5


def test_the_same_in_every_format() -> None:
    recursion = nf.derive("S", order=2)
    used = {tensor.name for term in recursion.terms for tensor in term.tensors} - set(NAMES)
    assert {systematic_symbol(name) for name in used} >= {"C0R2", "R3", "C0S", "Z2", "X12"}
    text, latex = str(recursion), recursion.latex()
    drawn = {label for one in recursion.record.diagrams for label in layout(one, Symbols()).labels}
    for name in used:
        symbol, shape = systematic_symbol(name), standard(name)
        assert TextNotation(TEXT).letter(name) == symbol
        assert LatexNotation(LATEX).letter(name) == rf"\mathsf{{{symbol}}}"
        assert f"{symbol}_" in text
        assert rf"\mathsf{{{symbol}}}_{{" in latex
        assert (symbol, rf"\mathsf{{{symbol}}}") in {(label.plain, label.tex) for label in drawn}
        printed = tensor_symbol(name, shape.leading_order, shape.index_labels())
        assert str(printed).startswith(f"{symbol}[")
        assert sympy.latex(printed).startswith(rf"\mathsf{{{symbol}}}^")
        defined = (
            rf"^{symbol}_[0-9]+: .*legs {re.escape(shape.legs_text())}, channel {re.escape(shape.channel_text())}$"
        )
        assert re.search(defined, text, flags=re.MULTILINE)
