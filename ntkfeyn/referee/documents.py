"""Documents: where in a document the formulas are, and which of them could be recursions.

Enters: a source. Leaves: equations: the tokens of both sides, macros expanded, spacing dropped. Text is skipped. The
macros of appendices that ``ntkfeyn emit`` writes are known by their meaning (emitted).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ntkfeyn.referee.emitted import emitted_macros, emitted_recursions
from ntkfeyn.referee.letters import HATS
from ntkfeyn.referee.macros import MAX_TOKENS, Macros, definitions, expand
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, closing, digits, tokenise

ENVIRONMENTS = (
    *("equation", "align", "gather", "multline", "eqnarray", "flalign", "alignat", "displaymath", "math", "dmath"),
    *("split", "aligned", "gathered"),
)
_OPENING = re.compile(rf"\\\\|\\begin\{{({'|'.join(ENVIRONMENTS)})(\*?)\}}|\\\[|\$\$")
SPACING = frozenset(
    "\\" + name
    for name in (
        *(",", ";", ":", "!", ">", "quad", "qquad", "nonumber", "notag", "displaystyle", "textstyle", "scriptstyle"),
        *("limits", "nolimits", "allowbreak", "relax", "strut", "mathstrut", "left", "right", "middle"),
        *("big", "Big", "bigg", "Bigg", "bigl", "bigr", "bigm", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"),
        *("mleft", "mright", "thinspace", "hfill", "noindent", "mathopen", "mathclose", "mathord", " ", "\n", "/", "-"),
    )
) | {"~"}
EQUALITIES = ("=", "\\equiv", "\\coloneqq")
WITH_ARGUMENT = frozenset(
    "\\" + name
    for name in ("label", "tag", "hspace", "vspace", "phantom", "hphantom", "vphantom", "mspace", "ref", "cite")
)


class Equation(NamedTuple):
    """Tokens of a left- and a right-hand side; ``offset`` is where it begins, ``end`` behind its last sign."""

    left: tuple[Token, ...]
    right: tuple[Token, ...]
    offset: int
    end: int


def equations(source: Source) -> Iterator[Equation]:
    """The equations of a document in order; a text without a displayed formula is a formula as a whole.

    Raises RequestError for braces without partner, environments that do not end, endless macros.
    """
    macros = definitions(source) | emitted_macros(source)
    found = False
    for left, right in emitted_recursions(source):
        found = True
        sides = [cleaned(expand(side, macros, source), source) for side in (left, right)]
        yield Equation(tuple(sides[0]), tuple(sides[1]), left[0].offset if left else 0, right[-1].end if right else 0)
    for start, stop in displayed(source.text):
        found = True
        yield from _split(source, macros, start, stop)
    if not found and "=" in source.text:
        yield from _split(source, macros, 0, len(source.text))


def displayed(text: str) -> Iterator[tuple[int, int]]:
    """From where to where the inside of each displayed formula goes; one that does not end is none."""
    position, endless = 0, set[str]()
    while (match := _OPENING.search(text, position)) is not None:
        position = match.end()
        ends = {r"\[": r"\]", "$$": "$$"}.get(match[0], rf"\end{{{match[1]}{match[2]}}}")
        if match[0] == r"\\" or ends in endless:
            continue
        stop = text.find(ends, position)
        if stop < 0:
            endless.add(ends)
            continue
        yield position, stop
        position = stop + len(ends)


def _split(source: Source, macros: Macros, start: int, stop: int) -> Iterator[Equation]:
    """The equations of one formula: a row with a sign of equality begins a new one, or another right-hand side."""
    text = source.text
    if text.count("\\", start, stop) + stop - start > 4 * MAX_TOKENS:
        source.refuse(start, f"this formula has {stop - start} signs", f"at most {4 * MAX_TOKENS} are read")
    if "=" not in text[start:stop]:
        return
    tokens = cleaned(expand(tokenise(text, start, stop), macros, source), source)
    left: list[Token] = []
    right: list[Token] | None = None
    for row in _rows(tokens, source):
        first, *others = _parted(row)
        if not others:  # goes on
            (left if right is None else right).extend(first)
            continue
        if right is not None:
            yield _equation(left, right)
            left = first or left
        else:
            left += first
        for side in others[:-1]:
            yield _equation(left, side)
        right = others[-1]
    if right is not None:
        yield _equation(left, right)


def _equation(left: list[Token], right: list[Token]) -> Equation:
    first = left[0].offset if left else right[0].offset if right else 0
    return Equation(tuple(left), tuple(right), first, right[-1].end if right else first)


def _rows(tokens: list[Token], source: Source) -> Iterator[list[Token]]:
    """Between \\\\ outside braces."""
    depth = 0
    row: list[Token] = []
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth < 0:
            source.refuse(token.offset, "this brace closes nothing", "{ was expected before it")
        if token.text == "\\\\" and depth == 0:
            yield row
            row = []
        elif token.text != "&":
            row.append(token)
    if depth:
        source.refuse(_unclosed(tokens).offset, "this brace is not closed", "} was expected")
    yield row


def _unclosed(tokens: list[Token]) -> Token:
    """The first brace that is not closed."""
    opened: list[Token] = []
    for token in tokens:
        if token.text == "{":
            opened.append(token)
        elif token.text == "}":
            opened.pop()
    return opened[0]


def _parted(row: list[Token]) -> list[list[Token]]:
    """What stands between the signs of equality outside braces."""
    depth, sides = 0, [[]]  # type: int, list[list[Token]]
    for i, token in enumerate(row):
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth == 0 and token.text in EQUALITIES and (i == 0 or row[i - 1].text != ":"):
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


def cleaned(tokens: list[Token], source: Source) -> list[Token]:
    """Tokens without what only moves or numbers them; inner environments are opened."""
    found: list[Token] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.text in (r"\left", r"\right") and i + 1 < len(tokens) and tokens[i + 1].text == ".":
            i += 2
        elif token.text in SPACING:
            i += 1
        elif token.text == r"\penalty":
            i += 1
            while i < len(tokens) and digits(tokens[i].text):
                i += 1
        elif token.text in WITH_ARGUMENT or token.text in (r"\begin", r"\end"):
            i = _behind(tokens, i + 1, source, token)
        elif token.text == r"\\" and i + 1 < len(tokens) and tokens[i + 1].text == "[":
            found.append(token)  # \\[2pt]
            stop = next((j for j in range(i + 1, min(i + 12, len(tokens))) if tokens[j].text == "]"), i)
            length = "".join(t.text for t in tokens[i + 2 : stop])
            i = stop + 1 if re.fullmatch(r"-?[0-9.]+\\?[a-z]+", length) else i + 1
        else:
            found.append(token)
            i += 1
    return unhatted(found, source)


def unhatted(tokens: list[Token], source: Source) -> list[Token]:
    """Tokens without accents: what is below one goes on as if it stood there without."""
    found: list[Token] = []
    dropped: list[bool] = []  # of each brace that is open
    for i, token in enumerate(tokens):
        if token.text in HATS:
            if i + 1 == len(tokens):
                source.refuse(token.offset, "nothing stands below this accent", "a sign was expected")
        elif token.text == "{":
            dropped.append(i > 0 and tokens[i - 1].text in HATS)
            found += [] if dropped[-1] else [token]
        elif token.text != "}" or not (dropped and dropped.pop()):
            found.append(token)
    return found


def _behind(tokens: list[Token], i: int, source: Source, command: Token) -> int:
    """The index behind an argument in braces, if there is one."""
    if i >= len(tokens) or tokens[i].text != "{":
        return i
    stop = closing(tokens, i)
    if stop < 0:
        source.refuse(tokens[i].offset, f"the argument of {command.text} is not closed", "} was expected")
    return stop + 1
