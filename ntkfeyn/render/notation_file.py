"""A notation that a user writes down: TOML tables of letters, read and checked (interface, second part).

Enters: a file, the name of a notation that is shipped, or the tables themselves. Leaves: ``Symbols``. Tables:
[tensors] name = LaTeX, [letters] the other letters in LaTeX, [text] any of both for the terminal. What is not given
keeps its default. A letter that TeX, a comment in code or a reader would not take is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from ntkfeyn.derivation.rules import COUPLINGS, WIDTH_RATIO
from ntkfeyn.errors import NtkfeynError, RequestError, bad_request, closest
from ntkfeyn.model.cumulants import MAX_SLOTS, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.collisions import check_distinct, collision
from ntkfeyn.render.mathtex import ALLOWED, Wrong, guarded, maths
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import LATEX, PLAIN, TEXT, Letters, Symbols
from ntkfeyn.runtime.files import read_toml

SHIPPED = tuple(sorted(path.stem for path in (Path(__file__).parent / "notations").glob("*.toml")))
TABLES = ("tensors", "letters", "text")
MAX_BYTES = 1 << 16
MOST_SHOWN = 60
COUPLING_KEYS = {c.name: c.name for c in COUPLINGS if c.name != WIDTH_RATIO} | {"rho": WIDTH_RATIO, "tau": "tau"}
SINGLE = (
    "activation", "omega", "width", "layer", "derivative", "delta", "bound", "preactivation", "neuron", "slot_0",
)  # fmt: skip
LETTER_KEYS = (*SINGLE, *COUPLING_KEYS, "expectation", "samples")
LONGEST_TEXT = 16
UNUSABLE = '\\"/`'  # in comments of C and Python, and in docstrings
TEXT_ALLOWED = f"1 to {LONGEST_TEXT} signs without spaces and without {' '.join(UNUSABLE)} are allowed, braces in pairs"
TENSOR_HINT = ", ".join(NAMES) + ", chains and rings such as C0C1 or R3, and legs/channel"


class Medium(NamedTuple):
    """How a letter is checked and kept; ``pair`` does it for two brackets, ``label`` for labels of slots."""

    letter: Callable[[str], str]
    coupling: Callable[[str], str]
    label: Callable[[str], str]
    pair: Callable[[str, str], tuple[str, str]]
    allowed: str


def read_notation(source: str | PathLike[str]) -> Symbols:
    """The letters of a file, or of a notation that is shipped. Raises NtkfeynError."""
    if source in SHIPPED:
        path = Path(__file__).parent / "notations" / f"{source}.toml"
        return notation_of(read_toml(path, MAX_BYTES, "notation", _tables()), f"the notation {source}")
    path = Path(source)
    if not path.suffix and len(path.parts) == 1 and not path.exists():
        meant = closest(str(source), SHIPPED)
        raise bad_request(
            f"there is no notation '{_shown(str(source))}'",
            f"a TOML file is allowed, or one of {', '.join(SHIPPED)}",
            f"--notation {meant or SHIPPED[-1]}",
        )
    return notation_of(read_toml(path, MAX_BYTES, "notation", _tables()), str(path))


def notation_of(document: Mapping[str, Any], where: str) -> Symbols:
    """The letters of these tables; ``where`` they stand begins every message. Raises RequestError."""
    for name, table in document.items():
        if name not in TABLES:
            raise _unknown(f"{where}: unknown table or key '{_shown(name)}'", name, [f"[{table}]" for table in TABLES])
        if not isinstance(table, dict):
            raise bad_request(f"{where}: '{name}' is no table", _tables(), f"[{name}]")
    tensors, letters = document.get("tensors", {}), document.get("letters", {})
    for key in letters:
        if key not in LETTER_KEYS:
            raise _unknown(f"{where}, [letters]: unknown key '{_shown(key)}'", key, LETTER_KEYS)
    given = {**_tensors(tensors, f"{where}, [tensors]"), **letters}
    latex = _with(LATEX, given, f"{where}, [letters]", IN_LATEX)
    table = document.get("text", {})
    named = {key: value for key, value in table.items() if key not in LETTER_KEYS}
    other = {key: value for key, value in table.items() if key in LETTER_KEYS}
    words = {**_tensors(named, f"{where}, [text]"), **other}
    text = _with(TEXT, words, f"{where}, [text]", IN_TEXT)
    ours = {key: value for key, value in words.items() if _with(TEXT, {key: value}, where, IN_TEXT) == TEXT}
    plain = _with(PLAIN, {key: value for key, value in words.items() if key not in ours}, where, IN_TEXT)
    check_distinct(Symbols(text, latex), where)
    return Symbols(text, latex, text if collision(TextNotation(plain)) else plain)


def _tensors(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The table with the canonical name of each tensor, behind an @ that no other key has."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        try:
            name = standard(key).name
        except NtkfeynError as error:
            text = where.endswith("[text]")
            known = (*NAMES, *LETTER_KEYS) if text else NAMES
            meant = closest(key, known)
            allowed = f"tensors are {TENSOR_HINT}" + (f"; letters {', '.join(LETTER_KEYS)}" if text else "")
            reason = "" if type(error) is RequestError else f" ({error.reason})"
            asked = f"{where}: unknown key '{_shown(key)}'{reason}"
            raise RequestError(f"{asked}; {allowed}" + (f". Did you mean {meant}?" if meant else "")) from error
        if f"@{name}" in found:
            raise bad_request(f"{where}: '{_shown(key)}' is {name}, which has a letter already", "one each is allowed")
        found[f"@{name}"] = value
    return found


def _with(base: Letters, given: Mapping[str, Any], where: str, medium: Medium) -> Letters:
    """The letters with those that are given."""
    changes: dict[str, Any] = {}
    tensors, couplings = dict(base.tensors), dict(base.couplings)
    for key, value in given.items():
        shown = key.removeprefix("@")
        place = where.replace("[letters]", "[tensors]") if key.startswith("@") else where

        def checked(keep: Callable[..., Any], *texts: Any, shown: str = shown, place: str = place) -> Any:
            written = ", ".join(f"'{text}'" if isinstance(text, str) else str(text) for text in texts)
            if not all(isinstance(text, str) for text in texts):
                raise bad_request(f"{place}: {shown} = {_shown(written)}", "a text is allowed", f'{shown} = ".."')
            try:
                return keep(*texts)
            except Wrong as error:
                raise bad_request(f"{place}: {shown} = {_shown(written)}: {error}", medium.allowed) from error

        if key.startswith("@"):
            tensors[shown] = checked(medium.letter, value)
        elif key in COUPLING_KEYS:
            couplings[COUPLING_KEYS[key]] = checked(medium.coupling, value)
        elif key == "expectation":
            if not isinstance(value, list) or len(value) != 2:
                asked = f"{place}: expectation = {_shown(repr(value))}"
                raise bad_request(asked, "a list of two is allowed, left and right", 'expectation = ["<", ">"]')
            changes[key] = checked(medium.pair, *value)
        elif key == "samples":
            if not isinstance(value, list) or not 0 < len(value) <= MAX_SLOTS:
                asked = f"{place}: samples = {_shown(repr(value))}"
                raise bad_request(asked, f"a list of 1 to {MAX_SLOTS} labels is allowed", 'samples = ["a", "b"]')
            changes[key] = tuple(checked(medium.label, one) for one in value)
        else:
            changes[key] = checked(medium.label if key == "slot_0" else medium.letter, value)
    kept = [{name: letter for name, letter in table.items() if letter != name} for table in (tensors, couplings)]
    return replace(base, tensors=kept[0], couplings=kept[1], **changes)


def _coupling(text: str) -> str:
    return guarded(text, index=False)


def _index(text: str) -> str:
    maths(text)
    return text


def _brackets(left: str, right: str) -> tuple[str, str]:
    """Two brackets, read with something between them."""
    maths(f"{left} x{right}")
    for side in (left, right):
        bare = side.replace(r"\{", "").replace(r"\}", "")
        if bare.count("{") != bare.count("}") or not side.strip():
            raise Wrong(f"'{side}' has no pairs of braces" if side.strip() else "a side is empty")
    return left, right


def _word(text: str) -> str:
    """A letter on a terminal, in an SVG and in comments of code."""
    if not 0 < len(text) <= LONGEST_TEXT:
        raise Wrong(f"it has {len(text)} signs")
    bad = next((sign for sign in text if sign in UNUSABLE or sign.isspace() or not sign.isprintable()), "")
    if bad:
        raise Wrong(f"it holds {bad!r}")
    if unicodedata.combining(text[0]):
        raise Wrong("it begins with an accent that belongs to the sign before it")
    depth = 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    if depth:
        raise Wrong("its braces are no pairs")
    return text


IN_LATEX = Medium(guarded, _coupling, _index, _brackets, f"allowed are {ALLOWED}")
IN_TEXT = Medium(_word, _word, _word, lambda left, right: (_word(left), _word(right)), TEXT_ALLOWED)


def _tables() -> str:
    return f"the tables {', '.join(f'[{table}]' for table in TABLES)} are allowed"


def _unknown(asked: str, word: str, known: Any) -> RequestError:
    meant = closest(word, [name.strip("[]") for name in known])
    return RequestError(f"{asked}; allowed are {', '.join(known)}" + (f". Did you mean {meant}?" if meant else ""))


def _shown(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + ".."
