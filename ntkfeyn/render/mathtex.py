"""TeX maths that a letter may be made of, checked without TeX; and how letters are put beside each other.

Enters: what somebody wrote for a letter. Leaves: how many symbols it has, or what is wrong with it. What is allowed is
listed here: nothing else is passed on to TeX. A letter may be used with an index and an exponent of ours: ``guarded``
puts it in braces where that would not compile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

GREEK = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    varepsilon vartheta varpi varrho varsigma varphi varkappa digamma
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    varGamma varDelta varTheta varLambda varXi varPi varSigma varUpsilon varPhi varPsi varOmega
"""
SIGNS = """
    ell hbar hslash imath jmath wp Re Im aleph beth partial nabla infty prime emptyset varnothing eth mho complement
    star ast dagger ddagger circ bullet cdot times div pm mp oplus ominus otimes odot sharp flat natural
    wedge vee cap cup sqcap sqcup triangle square Box Diamond diamond clubsuit diamondsuit heartsuit spadesuit
    mid parallel perp colon cdots ldots dots top bot
"""
DELIMITERS = """
    langle rangle lvert rvert lVert rVert vert Vert lbrace rbrace lbrack rbrack lfloor rfloor lceil rceil
"""
FONTS = """
    mathrm mathbf mathsf mathtt mathit mathnormal mathcal mathbb mathfrak boldsymbol pmb operatorname
    mathord mathbin mathrel mathopen mathclose mathpunct mathinner
"""
ACCENTS = """
    hat widehat tilde widetilde bar overline underline vec dot ddot dddot check breve acute grave mathring
    overrightarrow overleftarrow underrightarrow
"""
WORDS = "text textrm textbf textit textsf texttt"
SIZES = "big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm"
SYMBOLS = frozenset((GREEK + SIGNS + DELIMITERS).split())
TAKING = frozenset((FONTS + ACCENTS).split())
TEXTS, SIZED = frozenset(WORDS.split()), frozenset(SIZES.split())
SPACES = frozenset([r",", r";", r":", r"!", r">"])
FENCES = frozenset("()[]|./<>")
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()[]|/<>+-*=.,:;!?")
MOST = 80  # characters
ALLOWED = (
    "letters, digits, ()[]|/<>+-*=.,:;!?' and { }, ^ and _, Greek letters, the usual signs (\\ell, \\partial, ..),"
    " fonts (\\mathcal, ..), accents (\\hat, ..), \\operatorname, \\text, brackets (\\langle, ..) and their sizes"
)


class Wrong(ValueError):
    """What is wrong with a letter, in words."""


class Maths(NamedTuple):
    """What a letter consists of at its outermost level: symbols, and whether one has an index or an exponent."""

    symbols: int
    indexed: bool
    raised: bool


@lru_cache(maxsize=4096)
def maths(text: str) -> Maths:
    """Reads TeX maths. Raises Wrong for what is not allowed or does not compile."""
    if len(text) > MOST:
        raise Wrong(f"it has {len(text)} characters, at most {MOST} are allowed")
    reader = _Reader(text)
    found = reader.list(end="")
    if not found.symbols:
        raise Wrong("it shows nothing")
    return found


class Tokens:
    """The commands and signs of a text in TeX, one after the other; spaces after a command belong to it."""

    def __init__(self, text: str) -> None:
        self.tokens = re.findall(r"\\[A-Za-z]+ *|\\.|\\|.", text, flags=re.DOTALL)
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place].rstrip(" ") or " " if self.place < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.place += 1
        return token


class _Reader(Tokens):
    """One pass through a text; ``list`` and what it calls go on from where the last ended."""

    def list(self, end: str) -> Maths:
        """Symbols up to ``end``, which is taken: nothing, a brace or \\right."""
        symbols, marks = 0, ""
        while (token := self.take()) != end:
            if token == "":
                raise Wrong(f"'{end}' is missing")
            if token == " ":
                continue
            if token in ("^", "_", "'"):
                raise Wrong(f"'{token}' has nothing in front of it")
            visible = self.nucleus(token)
            marks += self.scripts() if visible else ""
            symbols += visible
        return Maths(symbols, "_" in marks, "^" in marks)

    def nucleus(self, token: str) -> int:
        """1 for a symbol, 0 for a space."""
        name = token[1:]
        if token == "{":
            return int(self.list("}").symbols > 0)
        if token in PLAIN or token in (r"\{", r"\}", r"\|"):
            return 1
        if token == "}":
            raise Wrong("'}' has no '{'")
        if not token.startswith("\\"):
            raise Wrong(f"the sign '{token}' is not allowed" if token.isprintable() else "it has a control character")
        if name in SPACES:
            return 0
        if name in SYMBOLS:
            return 1
        if name in TAKING:
            self.argument(token)
        elif name in TEXTS:
            self.words(token)
        elif name in SIZED:
            self.delimiter(token)
        elif name == "left":
            self.delimiter(token)
            self.list(r"\right")
            self.delimiter(r"\right")
        else:
            raise Wrong(r"\right has no \left" if name == "right" else f"'{token}' is not allowed")
        return 1

    def scripts(self) -> str:
        """An index and an exponent behind a symbol, in any order, each once; primes begin an exponent."""
        seen = ""
        while True:
            while self.peek() == " ":
                self.take()
            kind = self.peek()
            if kind == "'":
                if "^" in seen:
                    raise Wrong("a prime behind an exponent: write the prime first")
                while self.peek() == "'":
                    self.take()
                seen += "^"
                if self.peek() == "^":
                    self.script(self.take())
            elif kind in ("^", "_"):
                if kind in seen:
                    raise Wrong(f"'{kind}' twice behind one symbol: use braces")
                self.script(self.take())
                seen += kind
            else:
                return seen

    def script(self, kind: str) -> None:
        token = self.take()
        if token == "{":
            self.list("}")
        elif token not in PLAIN and token[1:] not in SYMBOLS:
            raise Wrong(f"'{kind}' needs one symbol, or several in braces, behind it")

    def argument(self, token: str) -> None:
        """What a font or an accent is applied to."""
        taken = self.take()
        if taken == "{":
            self.list("}")
        elif taken not in PLAIN and not (taken.startswith("\\") and taken[1:] in SYMBOLS):
            raise Wrong(f"'{token}' needs one symbol, or several in braces, behind it")

    def words(self, token: str) -> None:
        """Plain words in braces."""
        if self.take() != "{":
            raise Wrong(f"'{token}' needs braces behind it")
        while (sign := self.take()) != "}":
            if sign not in PLAIN and sign != " ":
                raise Wrong(f"'{sign}' is not allowed inside of {token}" if sign else "'}' is missing")

    def delimiter(self, token: str) -> None:
        sign = self.take()
        known = sign in FENCES or sign in (r"\{", r"\}", r"\|") or sign[1:] in DELIMITERS.split()
        if not sign or not known:
            raise Wrong(f"'{token}' needs a bracket behind it")


def guarded(text: str, *, index: bool = True) -> str:
    """A letter that takes an exponent of ours and, with ``index``, an index: in braces where it has one already."""
    found = maths(text)
    if re.search(rf"\\({'|'.join(ACCENTS.split())})\b", text) and re.search("[_^']", text):
        return f"{{{{}}{text}}}"  # braces around an accent alone are taken away by TeX
    bare = found.symbols == 1 and not found.raised and not (index and found.indexed)
    return text if bare else f"{{{text}}}"


def token(text: str) -> str:
    """A letter that can be an index without braces: one token, or in braces."""
    return text if re.fullmatch(r"\\[A-Za-z]+|[^\\]", text) else f"{{{text}}}"


def single(text: str) -> bool:
    """Whether it is one symbol, with or without an index."""
    return len(text) == 1 or maths(text).symbols == 1


def ends_in_command(text: str) -> bool:
    """Whether a letter behind it would be read as a part of its last command."""
    return re.search(r"\\[A-Za-z]+$", text) is not None


def joined(names: Sequence[str]) -> str:
    """Names one behind the other: a space ends a command where a letter follows."""
    whole = ""
    for name in names:
        apart = " " if name[:1].isalpha() and ends_in_command(whole) else ""
        whole += apart + name
    return whole


def normal(text: str) -> str:
    """A form that is the same for letters that look the same: without spaces and braces, which one does not see."""
    return " ".join(re.findall(r"\\[A-Za-z]+|\\.|[^ {}]", text))
