"""Scripts: what stands above and below a sign, and labels of samples and layers in it.

Enters: tokens of an index. Leaves: labels as names, derivative orders, corrections, powers.
"""

from __future__ import annotations

from typing import NamedTuple

from ntkfeyn.referee.letters import FONTS, unfont
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, bare, closing, digits

LAYERS = (r"\ell", "l", "L")


class Scripts(NamedTuple):
    """Tokens below and above, and how many primes."""

    below: tuple[Token, ...] = ()
    above: tuple[Token, ...] = ()
    primes: int = 0


class Above(NamedTuple):
    """What a superscript says: {k}, (l) or (l+1), (m) or primes, what is left."""

    correction: int
    layer: int | None
    derivative: int
    rest: tuple[Token, ...]


def split_above(scripts: Scripts, layer: str, source: Source) -> Above:
    """The parts of a superscript in any order; ``layer`` is the letter of layers."""
    correction, level, derivative = 0, None, scripts.primes
    rest: list[Token] = []
    tokens, i = list(scripts.above), 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == r"\prime":
            derivative += 1
        elif token.text == r"\{" and (stop := _until(tokens, i, r"\}")) > i:
            inside = bare(tokens[i + 1 : stop])
            if not digits(inside) or len(inside) > 3:
                source.refuse(token.offset, f"{{{inside}}} above a sign", "the order of a correction, such as {1}")
            correction, i = int(inside), stop
        elif token.text == "(" and (stop := closing(tokens, i, "(", ")")) > i:
            inside = unfont(tokens[i + 1 : stop])
            if digits(inside) and len(inside) <= 3:
                derivative += int(inside)
            elif (found := layer_of(inside, layer)) is not None:
                level = found
            elif len(labels(tokens[i + 1 : stop], source)) > 1:  # (12)(34): raised
                rest += tokens[i + 1 : stop]
            else:
                source.refuse(token.offset, f"({inside}) above a sign", f"a layer such as ({layer}) or ({layer}+1)")
            i = stop
        elif token.text not in "{}":
            rest.append(token)
        i += 1
    if rest and level is None and (found := layer_of(unfont(rest), layer)) is not None:
        level, rest = found, []
    return Above(correction, level, derivative, tuple(rest))


def _until(tokens: list[Token], start: int, text: str) -> int:
    return next((i for i in range(start, len(tokens)) if tokens[i].text == text), -1)


def layer_of(text: str, layer: str) -> int | None:
    """0 for l, 1 for l+1, -1 for l-1, -2 for l-2; None for something else."""
    for letter in (layer, *LAYERS):
        if text.startswith(letter):
            return {"": 0, "+1": 1, "-1": -1, "-2": -2}.get(text[len(letter) :])
    return None


def layer_text(letter: str, level: int) -> str:
    return f"{letter}{level:+d}" if level else letter


def labels(tokens: tuple[Token, ...] | list[Token], source: Source, count: int = 0) -> tuple[str, ...]:
    """The labels of an index: what stands before a semicolon, or before a comma where that is too much, is a neuron.

    With commas a label is what stands between two of them, without each sign is one; brackets do not matter. Commas
    between pairs, 12,34, are no more than brackets, where there are ``count`` labels.
    """
    parts = _parts(list(tokens))
    if count and len(parts) == 2 and len(_single(parts[1], source)) == count:
        return tuple(_single(parts[1], source))
    if len(parts) > 1:
        single = tuple(label for part in parts for label in _single(part, source))
        joined = tuple(label for part in parts for label in _joined(part, source))
        return single if len(joined) != count == len(single) else joined
    return tuple(_single(parts[0], source)) if parts else ()


def _parts(tokens: list[Token]) -> list[list[Token]]:
    """Between commas outside braces, behind a semicolon."""
    depth, parts = 0, [[]]  # type: int, list[list[Token]]
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth == 0 and token.text == ";":
            parts = [[]]
        elif depth == 0 and token.text == ",":
            parts.append([])
        elif token.text not in ("(", ")"):
            parts[-1].append(token)
    return [part for part in parts if part]


def _single(part: list[Token], source: Source) -> list[str]:
    """Each sign with its index is a label."""
    found: list[str] = []
    i = 0
    while i < len(part):
        text = part[i].text
        if text in "{}" or text in FONTS:
            i += 1
        elif text == "_" and found:
            stop = closing(part, i + 1) if i + 1 < len(part) and part[i + 1].text == "{" else i + 1
            if stop < 0 or stop >= len(part):
                source.refuse(part[i].offset, "an index ends here", "a label such as 1 or \\alpha_1")
            found[-1] += "_" + unfont(part[i + 1 : stop + 1])
            i = stop + 1
        elif text in (r"\ntk@label", r"\ntk@bound"):
            stop = closing(part, i + 1)
            found.append(("b_" if text == r"\ntk@bound" else "") + bare(part[i + 1 : stop]))
            i = stop + 1
        elif text.isalnum() or (text[0] == "\\" and text[1:].isalpha()):
            found.append(text)
            i += 1
        else:
            source.refuse(part[i].offset, f"'{text}' in an index", "labels of samples, such as 1324 or \\alpha_1\\beta")
    return found


def _joined(part: list[Token], source: Source) -> list[str]:
    """Digits in a row between commas are one number."""
    found = _single(part, source)
    return ["".join(found)] if all(digits(text) for text in found) else found
