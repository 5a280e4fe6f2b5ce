"""A notation that a user writes down: TOML tables of letters, read and checked (interface, second part).

Enters: a file, the name of a notation that is shipped, or the tables themselves. Leaves: ``Symbols``. Tables:
[tensors] name = LaTeX, [letters] the other letters in LaTeX, [text] any of both for the terminal. What is not given
keeps its default. A letter that TeX, a comment in code or a reader would not take is refused.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from ntkfeyn.derivation.rules import COUPLINGS, WIDTH_RATIO
from ntkfeyn.errors import NtkfeynError, RequestError, bad_request, closest
from ntkfeyn.model.cumulants import MAX_SLOTS, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.collisions import check_distinct, collision
from ntkfeyn.render.mathtex import ALLOWED, Wrong, guarded, maths, token
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
    "averaging",
)  # fmt: skip
LETTER_KEYS = (*SINGLE, *COUPLING_KEYS, "expectation", "samples")
LONGEST_TEXT = 16
UNUSABLE = '\\"/`'  # in comments of C and Python, and in docstrings
INDICES = ("layer", "bound", "neuron")
TEXT_ALLOWED = f"1 to {LONGEST_TEXT} signs without spaces and without {' '.join(UNUSABLE)} are allowed, braces in pairs"
TENSOR_HINT = ", ".join(NAMES) + ", chains and rings such as C0C1 or R3, and legs/channel"


class Medium(NamedTuple):
    """How a letter is checked and kept; ``pair`` does it for two brackets, ``label`` for labels of slots.

    ``below``: of a letter that stands below others without braces of ours.
    """

    letter: Callable[[str], str]
    below: Callable[[str], str]
    coupling: Callable[[str], str]
    label: Callable[[str], str]
    pair: Callable[[str, str], tuple[str, str]]
    allowed: str


def read_notation(source: str | PathLike[str]) -> Symbols:
    """The letters of a file, or of a notation that is shipped. Raises NtkfeynError."""
    return replace(_read(source), source=str(source))


def _read(source: str | PathLike[str]) -> Symbols:
    if source in SHIPPED:
        path = Path(__file__).parent / "notations" / f"{source}.toml"
        return notation_of(read_toml(path, MAX_BYTES, "notation", _tables()), f"the notation {source}")
    path = Path(source)
    if not path.suffix and len(path.parts) <= 1 and not os.path.exists(source):
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
    letters, text = (_entries(document, table, where) for table in ("letters", "text"))
    latex = _with(LATEX, _entries(document, "tensors", where) | letters, IN_LATEX)
    words = _with(TEXT, text, IN_TEXT)
    changed = {key: given for key, given in text.items() if _with(TEXT, {key: given}, IN_TEXT) != TEXT}
    plain = _with(PLAIN, changed, IN_TEXT)
    check_distinct(Symbols(words, latex), where)
    return Symbols(words, latex, words if collision(TextNotation(plain)) else plain)


class Entry(NamedTuple):
    """What stands behind a key, and where that is."""

    value: Any
    place: str


def _entries(document: Mapping[str, Any], table: str, where: str) -> dict[str, Entry]:
    """The entries of a table: letters by their key, tensors by their canonical name behind an @."""
    found: dict[str, Entry] = {}
    for key, value in document.get(table, {}).items():
        place = f"{where}, [{table}]"
        if key in LETTER_KEYS and table != "tensors":
            name = key
        elif table == "letters":
            raise _unknown(f"{place}: unknown key '{_shown(key)}'", key, LETTER_KEYS)
        else:
            name = "@" + _tensor(key, place, LETTER_KEYS if table == "text" else ())
        if name in found:
            asked = f"{place}: '{_shown(key)}' is {name[1:]}, which has a letter already"
            raise bad_request(asked, "one is allowed", "the name once")
        found[name] = Entry(value, f"{place}: {_shown(key)}")
    return found


def _tensor(key: str, place: str, others: Sequence[str]) -> str:
    """The canonical name of a tensor; ``others`` are the keys that would have been allowed as well."""
    try:
        return standard(key).name
    except NtkfeynError as error:
        meant = closest(key, (*NAMES, *others))
        allowed = f"tensors are {TENSOR_HINT}" + (f"; letters {', '.join(others)}" if others else "")
        reason = "" if type(error) is RequestError else f" ({error.reason})"
        asked = f"{place}: unknown key '{_shown(key)}'{reason}"
        raise RequestError(f"{asked}; {allowed}" + (f". Did you mean {meant}?" if meant else "")) from error


def _with(base: Letters, given: Mapping[str, Entry], medium: Medium) -> Letters:
    """The letters with those that are given."""
    changes: dict[str, Any] = {}
    tensors, couplings = dict(base.tensors), dict(base.couplings)
    for key, entry in given.items():
        if key.startswith("@"):
            tensors[key[1:]] = _checked(entry, medium, medium.letter)
        elif key in COUPLING_KEYS:
            couplings[COUPLING_KEYS[key]] = _checked(entry, medium, medium.coupling)
        elif key == "expectation":
            sides = _listed(entry, 2, 2, "a list of two is allowed, left and right", 'expectation = ["<", ">"]')
            changes[key] = _checked(Entry(sides, entry.place), medium, medium.pair)
        elif key == "samples":
            labels = _listed(
                entry, 1, MAX_SLOTS, f"a list of 1 to {MAX_SLOTS} labels is allowed", 'samples = ["a", "b"]'
            )
            changes[key] = tuple(_checked(Entry(one, entry.place), medium, medium.label) for one in labels)
        else:
            keep = medium.label if key == "slot_0" else medium.below if key in INDICES else medium.letter
            changes[key] = _checked(entry, medium, keep)
    kept = [{name: letter for name, letter in table.items() if letter != name} for table in (tensors, couplings)]
    return replace(base, tensors=kept[0], couplings=kept[1], **changes)


def _listed(entry: Entry, least: int, most: int, allowed: str, hint: str) -> list[Any]:
    if not isinstance(entry.value, list) or not least <= len(entry.value) <= most:
        raise bad_request(f"{entry.place} = {_shown(repr(entry.value))}", allowed, hint)
    return entry.value


def _checked(entry: Entry, medium: Medium, keep: Callable[..., Any]) -> Any:
    """What is kept of a text, or of two. Raises RequestError for what is no text, or one that the medium refuses."""
    texts = entry.value if isinstance(entry.value, list) else [entry.value]
    written = ", ".join(f"'{text}'" if isinstance(text, str) else str(text) for text in texts)
    if not all(isinstance(text, str) for text in texts) or (isinstance(entry.value, list) and keep is not medium.pair):
        raise bad_request(f"{entry.place} = {_shown(written)}", "a text is allowed", '".."')
    try:
        return keep(*texts)
    except Wrong as error:
        raise bad_request(f"{entry.place} = {_shown(written)}: {error}", medium.allowed) from error


def _coupling(text: str) -> str:
    return guarded(text, index=False)


def _index(text: str) -> str:
    maths(text)
    return text


def _brackets(left: str, right: str) -> tuple[str, str]:
    """Two brackets, read with something between them."""
    maths(rf"{left}\,x\,{right}")
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


def _below(text: str) -> str:
    return token(guarded(text))


IN_LATEX = Medium(guarded, _below, _coupling, _index, _brackets, f"allowed are {ALLOWED}")
IN_TEXT = Medium(_word, _word, _word, _word, lambda left, right: (_word(left), _word(right)), TEXT_ALLOWED)


def _tables() -> str:
    return f"the tables {', '.join(f'[{table}]' for table in TABLES)} are allowed"


def _unknown(asked: str, word: str, known: Any) -> RequestError:
    meant = closest(word, [name.strip("[]") for name in known])
    return RequestError(f"{asked}; allowed are {', '.join(known)}" + (f". Did you mean {meant}?" if meant else ""))


def _shown(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + ".."
