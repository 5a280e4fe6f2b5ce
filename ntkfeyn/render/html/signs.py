"""What TeX's commands look like in Unicode: Greek letters, signs, brackets, alphabets, accents, spaces.

Enters: the name of a command that a letter may be made of (mathtex.py), or that formulas of ours hold. Leaves: the
character, or nothing. Alphabets are looked up by the names that Unicode gives them.
"""

from __future__ import annotations

import unicodedata
from functools import cache

VARIANTS = {  # Greek that TeX calls otherwise, or draws in two ways
    "epsilon": "ϵ", "varepsilon": "ε", "theta": "θ", "vartheta": "ϑ", "varpi": "ϖ", "varrho": "ϱ", "varsigma": "ς",
    "phi": "ϕ", "varphi": "φ", "kappa": "κ", "varkappa": "ϰ", "digamma": "ϝ",
}  # fmt: skip
IDENTIFIERS = {
    "ell": "ℓ", "hbar": "ℏ", "hslash": "ℏ", "imath": "ı", "jmath": "ȷ", "wp": "℘", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ",
    "beth": "ℶ", "partial": "∂", "nabla": "∇", "infty": "∞", "emptyset": "∅", "varnothing": "∅", "eth": "ð", "mho": "℧",
    "complement": "∁", "top": "⊤", "bot": "⊥", "prime": "′",
}  # fmt: skip
OPERATORS = {
    "star": "⋆", "ast": "∗", "dagger": "†", "ddagger": "‡", "circ": "∘", "bullet": "∙", "cdot": "⋅", "times": "×",
    "div": "÷", "pm": "±", "mp": "∓", "oplus": "⊕", "ominus": "⊖", "otimes": "⊗", "odot": "⊙", "sharp": "♯",
    "flat": "♭", "natural": "♮", "wedge": "∧", "vee": "∨", "cap": "∩", "cup": "∪", "sqcap": "⊓", "sqcup": "⊔",
    "triangle": "△", "square": "□", "Box": "□", "Diamond": "◊", "diamond": "⋄", "clubsuit": "♣", "diamondsuit": "♢",
    "heartsuit": "♡", "spadesuit": "♠", "mid": "∣", "parallel": "∥", "perp": "⟂", "colon": ":", "cdots": "⋯",
    "ldots": "…", "dots": "…", "in": "∈", "sum": "∑", "prod": "∏",
}  # fmt: skip
LIMITS = frozenset(("sum", "prod"))  # what an index stands below of
BRACKETS = {
    "langle": "⟨", "rangle": "⟩", "lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖", "vert": "|", "Vert": "‖",
    "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "{": "{", "}": "}", "|": "‖",
}  # fmt: skip
FENCES = frozenset("()[]|/")
SPACES = {",": ".17em", ":": ".22em", ">": ".22em", ";": ".28em", "quad": "1em"}
NOTHING = frozenset(("!", "allowbreak", "textstyle"))
ABOVE = {
    "hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "¯", "overline": "‾", "vec": "→", "dot": "˙",
    "ddot": "¨", "dddot": "⃛", "check": "ˇ", "breve": "˘", "acute": "´", "grave": "`", "mathring": "˚",
    "overrightarrow": "→", "overleftarrow": "←",
}  # fmt: skip
BELOW = {"underline": "_", "underrightarrow": "→"}
STRETCHED = frozenset(("widehat", "widetilde", "overline", "overrightarrow", "overleftarrow", *BELOW))
UPRIGHT = ""  # an alphabet without a name of its own
ALPHABETS = {  # what Unicode calls them; words are set in the upright ones
    "mathrm": UPRIGHT, "operatorname": UPRIGHT, "mathbf": "BOLD", "mathsf": "SANS-SERIF", "mathtt": "MONOSPACE",
    "mathit": "ITALIC", "mathnormal": "ITALIC", "mathcal": "SCRIPT", "mathbb": "DOUBLE-STRUCK",
    "mathfrak": "FRAKTUR", "boldsymbol": "BOLD ITALIC", "pmb": "BOLD ITALIC",
}  # fmt: skip
CLASSES = frozenset(("mathord", "mathbin", "mathrel", "mathopen", "mathclose", "mathpunct", "mathinner"))
WORDS = {"text": "", "textrm": "", "textbf": "b", "textit": "i", "textsf": "s", "textsc": "", "texttt": "t"}
SIZES = {"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}
DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


@cache
def greek(name: str) -> str:
    """alpha, Gamma, varPhi as a character; empty for what is no Greek letter."""
    if name in VARIANTS:
        return VARIANTS[name]
    bare = name.removeprefix("var") if name[3:4].isupper() else name
    size = "CAPITAL" if bare[:1].isupper() else "SMALL"
    return _named(f"GREEK {size} LETTER {bare.upper().replace('LAMBDA', 'LAMDA')}") if bare.isalpha() else ""


@cache
def styled(character: str, alphabet: str) -> str:
    """A letter or digit of an alphabet; the character itself where the alphabet has none."""
    name = unicodedata.name(character, "")
    if alphabet == UPRIGHT or not name:
        return character
    if character.isdigit() and character.isascii():
        own = alphabet.removesuffix(" ITALIC")  # digits are upright
        return _named(f"MATHEMATICAL {own} DIGIT {DIGITS[int(character)]}") or character
    letter = name.removeprefix("LATIN ").removeprefix("GREEK ").replace(" LETTER ", " ")
    older = {"FRAKTUR": "BLACK-LETTER"}.get(alphabet, alphabet)  # those that stood in Unicode before
    tried = (f"MATHEMATICAL {alphabet} {letter}", f"{older} {letter}")
    if (alphabet, character) == ("ITALIC", "h"):
        return "ℎ"
    return next((found for one in tried if (found := _named(one))), character)


def _named(name: str) -> str:
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return ""
