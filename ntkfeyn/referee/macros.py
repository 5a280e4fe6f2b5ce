"""Macros: definitions that a document makes, and their expansion in a formula.

Enters: a source; tokens of a formula. Leaves: tokens without macros. \\newcommand and its kin, \\DeclareMathOperator,
and \\def with plain parameters are known; nothing is executed. What a macro made stands where the macro stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, closing, digits, tokenise

MAX_TOKENS = 400_000  # of one formula, macros expanded
MAX_MOVES = 2_000_000  # of tokens into arguments
MAX_DEPTH = 60  # macros in macros
MAX_ENDLESS = 5  # definitions whose body does not end: each is looked for to the end of the text
_DEFINITION = re.compile(
    r"\\(?:(?P<new>(?:re|provide)?newcommand|DeclareRobustCommand|providecommand|renewcommand)|(?P<def>[egx]?def)"
    r"|(?P<operator>DeclareMathOperator)|(?P<pair>DeclarePairedDelimiter))\*?(?![A-Za-z@])"
)
_NAME = re.compile(r"\s*(?:\{\s*\\([A-Za-z@]+)\s*\}|\\([A-Za-z@]+))\s*")
_COUNT = re.compile(r"\[\s*([0-9])\s*\]\s*(?:\[([^][{}]*)\]\s*)?")
_PARAMETERS = re.compile(r"(?:#[1-9]\s*)*(?=\{)")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_ONE = re.compile(r"\\[A-Za-z@]+|\S")


class Macro(NamedTuple):
    """A body with so many ``parameters``; ``default`` is what an optional first one is where it is not given."""

    parameters: int
    body: tuple[Token, ...]
    default: tuple[Token, ...] | None = None


Macros = Mapping[str, Macro]


def definitions(source: Source) -> dict[str, Macro]:
    """Every macro of a document by its name with the backslash; of two definitions the later one.

    A definition inside of another is made when that one is used: it is none here.
    """
    text, found, position, endless = source.text, dict[str, Macro](), 0, 0
    while (match := _DEFINITION.search(text, position)) is not None:
        position = match.end()
        name = _NAME.match(text, position)
        if name is None:
            continue
        head = _head(text, match, name.end())
        if head is None:
            continue
        start, count, default = head
        stop = _body_end(text, start)
        if stop < 0:
            endless += 1
            if endless > MAX_ENDLESS:
                source.refuse(match.start(), "this definition does not end, as many before it", "} was expected")
            continue
        body, position = text[start:stop], stop
        if match["pair"]:  # \DeclarePairedDelimiter{\ev}{\langle}{\rangle}
            stop = _body_end(text, stop)
            body = rf"{{{_inner(body)} #2 {_inner(text[position:stop])}}}" if stop >= 0 else body
            position = max(position, stop)
        found["\\" + (name[1] or name[2])] = Macro(count, tuple(tokenise(_inner(body))), default)
    return found


def _head(text: str, match: re.Match[str], start: int) -> tuple[int, int, tuple[Token, ...] | None] | None:
    """Where the body begins, the number of parameters, the default of an optional one."""
    if match["pair"]:
        return start, 2, ()
    if match["def"]:
        parameters = _PARAMETERS.match(text, start)
        return (parameters.end(), parameters[0].count("#"), None) if parameters else None
    head = _COUNT.match(text, start) if match["new"] else None
    if head is None:
        return start, 0, None
    return head.end(), int(head[1]), tuple(tokenise(head[2])) if head[2] is not None else None


def _body_end(text: str, start: int) -> int:
    """Behind the body that begins at ``start``: braces, or one token; -1 if it never closes."""
    if text[start : start + 1] != "{":
        one = _ONE.match(text, start)
        return one.end() if one else -1
    depth = 0
    for match in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return -1


def _inner(body: str) -> str:
    return body[1:-1] if body.startswith("{") else body


def expand(tokens: list[Token], macros: Macros, source: Source) -> list[Token]:
    """Tokens without macros. Raises RequestError for macros that do not end, or that lack arguments."""
    if not any(token.text in macros for token in tokens):
        return tokens
    stack = [(token, 0) for token in reversed(tokens)]
    done: list[Token] = []
    steps = moves = 0
    while stack:
        token, depth = stack.pop()
        macro = macros.get(token.text)
        if macro is None:
            done.append(token)
            continue
        before = len(stack)
        arguments = _arguments(token, macro, stack, source)
        moves += before - len(stack) + len(macro.body)
        filled = _filled(token, macro, arguments)
        steps += 1 + len(filled) if filled else 1
        if depth >= MAX_DEPTH or steps > MAX_TOKENS or moves > MAX_MOVES or len(stack) > 4 * MAX_TOKENS:
            source.refuse(
                token.offset,
                f"the macro {token.text} does not end",
                f"macros that call themselves are not read, nor formulas of more than {MAX_TOKENS} signs",
            )
        stack += [(part, depth + 1) for part in reversed(filled)]
    return done


def _arguments(token: Token, macro: Macro, stack: list[tuple[Token, int]], source: Source) -> list[list[Token]]:
    """What stands behind a macro, taken off the stack."""
    found: list[list[Token]] = []
    for number in range(macro.parameters):
        if number == 0 and macro.default is not None:
            if not (stack and stack[-1][0].text == "["):
                found.append(list(macro.default))
                continue
            found.append(_taken(stack, "[", "]", source))
            continue
        if not stack:
            source.refuse(token.offset, f"{token.text} has {number} arguments", f"{macro.parameters} are needed")
        found.append(_taken(stack, "{", "}", source) if stack[-1][0].text == "{" else [stack.pop()[0]])
    return found


def _taken(stack: list[tuple[Token, int]], left: str, right: str, source: Source) -> list[Token]:
    depth, opening = 0, stack[-1][0]
    found: list[Token] = []
    while stack:
        token, _ = stack.pop()
        depth += {left: 1, right: -1}.get(token.text, 0)
        if depth == 0:
            return found[1:]
        found.append(token)
    source.refuse(opening.offset, f"this {left} is not closed", f"{right} was expected")


def _filled(token: Token, macro: Macro, arguments: list[list[Token]]) -> list[Token]:
    """The body with its arguments; what the body brings stands where the macro stands."""
    found: list[Token] = []
    for part in macro.body:
        if part.text.startswith("#") and digits(part.text[1:]) and int(part.text[1:]) <= len(arguments):
            found += arguments[int(part.text[1:]) - 1]
        else:
            found.append(Token(part.text, token.offset, token.end, False))
    return found


def braced(tokens: list[Token], start: int, source: Source) -> tuple[list[Token], int]:
    """The tokens of the argument at ``start`` and the index behind it."""
    if start >= len(tokens):
        source.refuse(tokens[-1].end if tokens else 0, "the formula ends", "an argument was expected")
    if tokens[start].text != "{":
        return [tokens[start]], start + 1
    stop = closing(tokens, start)
    if stop < 0:
        source.refuse(tokens[start].offset, "this brace is not closed", "} was expected")
    return tokens[start + 1 : stop], stop + 1
