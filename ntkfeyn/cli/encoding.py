"""Signs that a terminal cannot show: spelt in ASCII as in LaTeX, so that output stays readable under LC_ALL=C."""

from __future__ import annotations

SPELT = {
    "Θ": "Theta", "Ω": "Omega", "Σ": "sum", "δ": "delta", "λ": "lambda", "π": "pi", "ρ": "rho", "σ": "sigma",
    "∂": "d", "ℓ": "l", "∈": " in ", "⟨": "<", "⟩": ">", "·": ".", "→": "->", "≥": ">=", "≤": "<=", "×": "x",
}  # fmt: skip
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()", strict=True))


def spell(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler of ``codecs``: the spelling of the signs, \\uXXXX for others.

    In JSON always \\uXXXX, which it reads as the sign. A byte of a file name that is no text is written as it is.
    """
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
            spelt += sign.encode("ascii", "backslashreplace").decode()
        raised = sign in RAISED
    return spelt, error.end
