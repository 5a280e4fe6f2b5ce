"""Letters: which sign means what in a formula that is read, from a notation.

Enters: ``Symbols``. Leaves: ``Vocabulary``. A sign is its base, without fonts, and the index that belongs to it: C_W.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ntkfeyn.derivation.rules import COUPLINGS
from ntkfeyn.errors import bad_request
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.referee.tokens import Token, bare, digits, tokenise
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols

FONTS = frozenset(
    ("\\" + name)
    for name in (
        *("mathrm", "mathsf", "mathbf", "mathit", "mathcal", "mathfrak", "mathbb", "mathnormal", "bm", "boldsymbol"),
        *("operatorname", "rm", "text", "textrm", "textsf", "textbf", "textit", "mbox"),
    )
)
HATS = frozenset("\\" + name for name in ("widehat", "hat", "widetilde", "tilde", "bar", "overline"))


@dataclass(frozen=True)
class Vocabulary:
    """Bases of tensors, (base, index) of couplings, and the rest. ``left``, ``right``: brackets of a mean."""

    tensors: dict[str, str]
    couplings: dict[tuple[str, str], str]
    powers: dict[str, int]  # in which a coupling's letter is written
    activation: str
    preactivation: str
    omega: str
    width: str
    derivative: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    averaging: tuple[str, str]  # with its font, without
    symbols: Symbols


def vocabulary(symbols: Symbols, names: Iterable[str] = ()) -> Vocabulary:
    """The signs of the named tensors, and of others that are named here."""
    letters, notation = symbols.latex, LatexNotation(symbols.latex)
    tensors: dict[str, str] = {}
    for name in dict.fromkeys((*NAMES, *names)):
        other = tensors.setdefault(_base(notation.letter(name)), name)
        if other != name:
            raise bad_request(
                f"the letters of {other} and {name} differ by a font or an accent, which is not read",
                "different letters",
                "--notation FILE",
            )
    couplings = {_indexed(letters.coupling(coupling.name)): coupling.name for coupling in COUPLINGS}
    left, right = (tuple(token.text for token in tokenise(side)) for side in letters.expectation)
    left, right = left or (r"\langle",), _unscripted(right) or (r"\rangle",)
    return Vocabulary(
        tensors,
        couplings,
        powers={coupling.name: _own_power(letters.coupling(coupling.name)) for coupling in COUPLINGS},
        activation=_base(letters.activation),
        preactivation=_base(letters.preactivation),
        omega=_base(letters.omega),
        width=_base(letters.width),
        derivative=_base(letters.derivative),
        left=left,
        right=right,
        averaging=(bare(tokenise(letters.averaging)), _base(letters.averaging)),
        symbols=symbols,
    )


def _unscripted(bracket: tuple[str, ...]) -> tuple[str, ...]:
    """A bracket without what stands at it: any kernel may."""
    return bracket[: next((i for i, text in enumerate(bracket) if text in "_^"), len(bracket))]


def _base(letter: str) -> str:
    return bare([token for token in tokenise(letter) if token.text not in FONTS | HATS])


def _indexed(letter: str) -> tuple[str, str]:
    """A sign and its index: C_W, C_{W} and C_{\\mathrm{W}} are one."""
    base, _, index = letter.partition("^")[0].partition("_")
    return _base(base), _base(index)


def _own_power(letter: str) -> int:
    """2 where a coupling is written as a square, \\sigma_w^2."""
    power = _base(letter.partition("^")[2])
    return int(power) if digits(power) and 0 < int(power) < 10 else 1


def unfont(tokens: list[Token]) -> str:
    """The bare text of tokens, fonts dropped."""
    return bare([token for token in tokens if token.text not in FONTS])
