"""Signs that a terminal cannot show: spelt in ASCII as in LaTeX, so that output stays readable under LC_ALL=C."""

from __future__ import annotations

import codecs
import re
import sys

SPELT = {
    "Θ": "Theta", "Ω": "Omega", "Σ": "sum", "δ": "delta", "λ": "lambda", "π": "pi", "ρ": "rho", "σ": "sigma",
    "∂": "d", "ℓ": "l", "∈": " in ", "⟨": "<", "⟩": ">", "·": ".", "→": "->", "≥": ">=", "≤": "<=", "×": "x",
    "κ": "kappa", "τ": "tau", "χ": "chi", "α": "alpha",
}  # fmt: skip
PLAIN, SPELLING = "ntkfeyn_plain", "ntkfeyn_spelling"
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()", strict=True))


def spell_what_does_not_fit() -> None:
    """From now on stdout and stderr spell what their encoding lacks."""
    codecs.register_error(SPELLING, spell)
    codecs.register(_ascii)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=PLAIN if plain else stream.encoding, errors=SPELLING)


def _ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name: click takes a stream that says "ascii" for a mistake and writes UTF-8 to it."""
    if name != PLAIN:
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(
        known.encode, known.decode, known.streamreader, known.streamwriter, known.incrementalencoder, name=PLAIN
    )


def _spelt(sign: str) -> str:
    """A Greek letter by its name, as one that a notation gives; others as an escape."""
    from unicodedata import name

    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", name(sign, ""))
    if greek is None:
        return sign.encode("ascii", "backslashreplace").decode()
    return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()


def spell(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler of ``codecs``: the spelling of the signs, escapes (backslash, u, four digits) for others.

    In JSON always escapes, which it reads as the sign. A byte of a file name that is no text is written as it is.
    """
    from json import dumps

    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    if all("\udc80" <= sign <= "\udcff" for sign in signs):
        return signs.encode("ascii", "surrogateescape"), error.end
    spelt, raised, json = "", False, error.object.startswith("{")
    for sign in signs:
        if sign in RAISED and not json:
            spelt += RAISED[sign] if raised else "^" + RAISED[sign]
        elif sign in SPELT and not json:
            spelt += SPELT[sign]
        else:
            spelt += dumps(sign)[1:-1] if json else _spelt(sign)
        raised = sign in RAISED
    return spelt, error.end
