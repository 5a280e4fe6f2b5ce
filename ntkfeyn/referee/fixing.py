"""Fixing: a document with every edit carried out, judged again before anybody gets it.

Enters: verdicts and their source. Leaves: the text of the file that is to be changed, and what was changed where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.targets import Target
from ntkfeyn.referee.correction import Change, changed, changes, in_files
from ntkfeyn.referee.source import Source, blanked, text_source
from ntkfeyn.referee.verdict import Verdict, check_source
from ntkfeyn.render.symbols import DEFAULT, Symbols


class Fixed(NamedTuple):
    """``text`` of ``file``; ``lines`` say what was changed; ``refused``: why it must not be written, or nothing."""

    file: str
    text: str
    lines: tuple[str, ...]
    refused: str


def fix(
    verdicts: Sequence[Verdict], source: Source, file: str, symbols: Symbols = DEFAULT, target: Target | None = None
) -> Fixed:
    """The corrected text of ``file``, or of the one file that it takes in and that all edits belong to.

    Raises RequestError for edits in several files, or of what a macro made.
    """
    found = changes(verdicts, source)
    files = in_files(found, source)
    if len(files) > 1:
        listed = " and ".join(f"{len(files[name])} in '{name}'" for name in sorted(files))
        raise bad_request(f"the fixes belong to several files: {listed}", "one file is written", "check each by itself")
    name = next(iter(files), file)
    text = changed(source.originals[name], files.get(name, ()))
    lines = tuple(_line(change, source) for change in found)
    assumed = frozenset(condition for verdict in verdicts for condition in verdict.assumed)
    if any(verdict.faults for verdict in verdicts):
        return Fixed(name, text, lines, "averaging operators are not corrected")
    weights, shared = (verdicts[0].claim.weights, verdicts[0].claim.shared) if verdicts else (GAUSSIAN, False)
    return Fixed(name, text, lines, _refused(found, source, symbols, target, assumed, weights, shared))


def _line(change: Change, source: Source) -> str:
    place = source.place(change.start)
    return (
        f"{place.file}, " if place.file else ""
    ) + f"line {place.line}: {' '.join(change.text.split()) or 'removed'}"


def _refused(
    found: Sequence[Change],
    source: Source,
    symbols: Symbols,
    target: Target | None,
    assumed: frozenset[str],
    weights: str,
    shared: bool,
) -> str:
    """What the referee says against the document as it will be; what the author has set to 1 may stay so."""
    whole = text_source(blanked(changed(source.text, found)))
    try:
        again = check_source(whole, symbols, target, weights=weights, shared=shared)
    except NtkfeynError as error:
        return f"the corrected text is not understood ({error})"
    left = [verdict for verdict in again if not verdict.equal and not (verdict.under and assumed >= {*verdict.under})]
    wrong = [str(verdict.recursion.id) for verdict in left]
    scaled = [str(verdict.recursion.id) for verdict in left if verdict.scaling and not verdict.edits]
    if scaled:
        return f"{', '.join(scaled)} is in another normalisation; there is no edit"
    return f"{', '.join(wrong)} would not be right" if wrong else ""
