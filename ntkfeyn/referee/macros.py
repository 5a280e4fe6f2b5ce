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
MAX_DEPTH = 60  # macros in macros
_NAME = r"\s*(?:\{\s*\\([A-Za-z@]+)\s*\}|\\([A-Za-z@]+))\s*"
_NEW = re.compile(rf"\\(?:re|provide)?newcommand\*?{_NAME}|\\providecommand\*?{_NAME}|\\renewcommand\*?{_NAME}")
_COUNT = re.compile(r"\[\s*([0-9])\s*\]\s*(?:\[([^][{}]*)\]\s*)?")
_DEF = re.compile(r"\\(?:long\s*)?(?:e|g)?def\s*\\([A-Za-z@]+)\s*((?:#[1-9]\s*)*)(?=\{)")
_OPERATOR = re.compile(rf"\\DeclareMathOperator\*?{_NAME}(?=\{{)")


class Macro(NamedTuple):
    """A body with so many ``parameters``; ``default`` is what an optional first one is where it is not given."""

    parameters: int
    body: tuple[Token, ...]
    default: tuple[Token, ...] | None = None


Macros = Mapping[str, Macro]


def definitions(source: Source) -> dict[str, Macro]:
    """Every macro of a document by its name with the backslash; of two definitions the later one."""
    text = source.text
    found: list[tuple[int, str, Macro]] = []
    for match in _NEW.finditer(text):
        head = _COUNT.match(text, match.end())
        count = int(head[1]) if head else 0
        default = tuple(tokenise(head[2])) if head and head[2] is not None else None
        _keep(found, text, next(filter(None, match.groups())), head.end() if head else match.end(), count, default)
    for match in _DEF.finditer(text):
        _keep(found, text, match[1], match.end(), match[2].count("#"), None)
    for match in _OPERATOR.finditer(text):
        _keep(found, text, match[1] or match[2], match.end(), 0, None)
    return {"\\" + name: macro for _, name, macro in sorted(found, key=lambda one: one[0])}


def _keep(
    found: list[tuple[int, str, Macro]],
    text: str,
    name: str,
    start: int,
    count: int,
    default: tuple[Token, ...] | None,
) -> None:
    """Adds the macro whose body begins at ``start``; a body that never closes is none."""
    if text[start : start + 1] == "{":
        depth, stop = 0, start
        for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            stop = match.end()
            if depth == 0:
                found.append((start, name, Macro(count, tuple(tokenise(text, start + 1, stop - 1)), default)))
                return
    elif (one := re.compile(r"\\[A-Za-z@]+|\S").match(text, start)) is not None:
        found.append((start, name, Macro(count, tuple(tokenise(one[0])), default)))


def expand(tokens: list[Token], macros: Macros, source: Source) -> list[Token]:
    """Tokens without macros. Raises RequestError for macros that do not end, or that lack arguments."""
    stack = [(token, 0) for token in reversed(tokens)]
    done: list[Token] = []
    steps = 0
    while stack:
        token, depth = stack.pop()
        macro = macros.get(token.text)
        if macro is None:
            done.append(token)
            continue
        steps += 1 + len(macro.body)
        if depth >= MAX_DEPTH or steps > MAX_TOKENS or len(stack) > MAX_TOKENS:
            source.refuse(
                token.offset, f"the macro {token.text} does not end", "macros that call themselves are not read"
            )
        arguments = _arguments(token, macro, stack, source)
        for part in reversed(_filled(token, macro, arguments)):
            stack.append((part, depth + 1))
    return done


def _arguments(token: Token, macro: Macro, stack: list[tuple[Token, int]], source: Source) -> list[list[Token]]:
    """What stands behind a macro, taken off the stack."""
    found: list[list[Token]] = []
    for number in range(macro.parameters):
        if number == 0 and macro.default is not None:
            if not (stack and stack[-1][0].text == "["):
                found.append(list(macro.default))
                continue
            found.append(_taken(stack, "[", "]"))
            continue
        if not stack:
            source.refuse(token.offset, f"{token.text} has {number} arguments", f"{macro.parameters} are needed")
        found.append(_taken(stack, "{", "}") if stack[-1][0].text == "{" else [stack.pop()[0]])
    return found


def _taken(stack: list[tuple[Token, int]], left: str, right: str) -> list[Token]:
    depth = 0
    found: list[Token] = []
    while stack:
        token, _ = stack.pop()
        depth += {left: 1, right: -1}.get(token.text, 0)
        if depth == 0:
            break
        found.append(token)
    return found[1:]


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
