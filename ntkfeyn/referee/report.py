"""Reports: verdicts as JSON (schema ntkfeyn.check/1) and as text.

Enters: verdicts and their source. Leaves: plain dicts in stable order; lines for a terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ntkfeyn.referee.averaging import FAULTS, Fault
from ntkfeyn.referee.correction import corrected, correction, written
from ntkfeyn.referee.matching import Edit
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.verdict import Verdict
from ntkfeyn.render.json import to_text
from ntkfeyn.render.records import Formats, Record, html_text
from ntkfeyn.render.symbols import DEFAULT
from ntkfeyn.runtime.version import TOOL


@dataclass(frozen=True, repr=False)
class Check(Record):
    """What ``check`` returns: a verdict on every recursion that was found."""

    verdicts: tuple[Verdict, ...]
    source: Source

    @property
    def equal(self) -> bool:
        """Whether every recursion is right."""
        return all(verdict.equal for verdict in self.verdicts)

    def to_json(self) -> str:
        """Schema ntkfeyn.check/1."""
        return to_text(check_json(self.verdicts, self.source))

    def formats(self) -> Formats:
        return {".json": self.to_json, ".txt": self.__str__}

    def __str__(self) -> str:
        return check_text(self.verdicts, self.source)

    def __repr__(self) -> str:
        found = ", ".join(
            f"{one.recursion.name}@{one.recursion.order} {'right' if one.equal else 'WRONG'}" for one in self.verdicts
        )
        return f"<Check: {found}>"

    def _repr_html_(self) -> str:
        return html_text(str(self))


def check_json(verdicts: Sequence[Verdict], source: Source) -> dict[str, Any]:
    """Every recursion with its edits; numbers of both sides at a random point decide."""
    return {
        "schema": "ntkfeyn.check/1",
        "tool": TOOL,
        "recursions": [_recursion(verdict, source) for verdict in verdicts],
    }


def _recursion(verdict: Verdict, source: Source) -> dict[str, Any]:
    place = source.place(verdict.claim.equation.offset)
    missing, extra, wrong = [], [], []
    for edit in verdict.edits:
        if edit.written is None:
            assert edit.unit is not None
            missing.append({"diagrams": list(edit.unit.diagrams), "term": corrected(verdict, edit.unit, source)})
        elif edit.unit is None:
            extra.append(_where(verdict, edit, source))
        else:
            right = correction(verdict, edit, source)
            numbers = bool(edit.expected)
            wrong.append(
                {
                    **_where(verdict, edit, source),
                    "kind": edit.kind,
                    "written": edit.found if numbers else written(verdict.terms[edit.written], source),
                    "expected": edit.expected if numbers else right,
                    "correction": right,
                    "diagrams": list(edit.unit.diagrams),
                }
            )
    return {
        "cumulant": verdict.recursion.name,
        "order": verdict.recursion.order,
        **({"file": place.file} if place.file else {}),
        "line": place.line,
        "equal": verdict.equal,
        "missing": missing,
        "extra": extra,
        "wrong": wrong,
        "assumed": list(verdict.assumed),
        **({"averaging": [_fault(verdict, fault, source) for fault in verdict.faults]} if verdict.claim.shared else {}),
        "right_under": list(verdict.under),
        "factor": verdict.scaling.factor if verdict.scaling else "",
        "rescaled": list(verdict.scaling.tensors) if verdict.scaling else [],
        "decided_by": {"written": str(verdict.values[0]), "derived": str(verdict.values[1])},
    }


def _fault(verdict: Verdict, fault: Fault, source: Source) -> dict[str, Any]:
    return {**_place(verdict, fault.term, source), "pair": list(fault.pair), "fault": fault.kind}


def _where(verdict: Verdict, edit: Edit, source: Source) -> dict[str, Any]:
    assert edit.written is not None
    return _place(verdict, edit.written, source)


def _place(verdict: Verdict, number: int, source: Source) -> dict[str, Any]:
    term = verdict.terms[number]
    offset = term.tokens[0].offset if term.tokens else verdict.claim.equation.offset
    return {"line": source.place(offset).line, "term": written(term, source)}


def check_text(verdicts: Sequence[Verdict], source: Source, columns: int = 0) -> str:
    """One line a recursion, and below it what is to be changed; with ``columns`` the missing diagrams are drawn."""
    return "".join(_text(verdict, source, columns) for verdict in verdicts)


def _drawn(verdict: Verdict, ids: Sequence[str], columns: int) -> list[str]:
    """Diagrams as a terminal shows them."""
    from ntkfeyn.render.drawing.layout import layout
    from ntkfeyn.render.drawing.sketch import side_by_side

    shown = [diagram for diagram in verdict.recursion.diagrams if diagram.id in ids]
    symbols = verdict.words.symbols if verdict.words else DEFAULT
    text = side_by_side([layout(diagram, symbols, plainly=True) for diagram in shown], columns)
    return ["    " + line for line in text.splitlines() if line.strip()]


def _text(verdict: Verdict, source: Source, columns: int) -> str:
    data = _recursion(verdict, source)
    place = (f"{data['file']}, " if "file" in data else "") + f"line {data['line']}"
    in_file = bool(source.text)  # an expression in Python has no lines
    lines = [f"{verdict.recursion.id}: {'right' if verdict.equal else 'WRONG'}" + (f"   ({place})" if in_file else "")]
    if data["assumed"]:
        lines.append(f"  compared for {' and '.join(data['assumed'])}, which does not occur")
    for one in data.get("averaging", ()):
        at = f"line {one['line']}, " if in_file else ""
        lines += [f"  {at}the pair {'-'.join(one['pair'])} {FAULTS[one['fault']]}", f"    in       {one['term']}"]
    if verdict.claim.shared and verdict.edits:
        lines.append("  terms without the averaging operators in front of them:")
    for one in data["wrong"]:
        numbers = f": {one['written']} is written, {one['expected']} is right" if one["kind"] != "labels" else ""
        if one["kind"] == "derivatives":
            numbers = numbers.replace(" is written", " derivatives in all are written").replace("is right", "are")
        shown = numbers if len(numbers) < 90 else ""
        at = f"line {one['line']}, " if in_file else ""
        lines.append(f"  {at}wrong {one['kind']}{shown}   {', '.join(one['diagrams'])}")
        lines += [f"    written  {one['term']}", f"    right    {one['correction']}"]
    for one in data["missing"]:
        lines += [f"  missing   {', '.join(one['diagrams'])}", f"    add      {one['term']}"]
        lines += _drawn(verdict, one["diagrams"], columns - 4) if columns and one["diagrams"] else []
    for one in data["extra"]:
        lines += [f"  line {one['line']}, extra" if in_file else "  extra", f"    remove   {one['term']}"]
    if data["right_under"]:
        lines.append(f"  right under {' and '.join(data['right_under'])}")
    left, right = verdict.values
    if left != right and not verdict.edits and verdict.scaling is None:
        lines.append("  what is wrong is not named: the formula is too long to be written out")
    if data["factor"]:
        others = ", ".join(data["rescaled"])
        also = f", and so are {others} on the right (each at its layer)" if others else ""
        begin = "or " if verdict.edits else ""
        lines.append(f"  {begin}the tensor on the left is {data['factor']} times ours{also}: another normalisation?")
    if left != right:
        lines.append(f"  at a random point: written {left}, derived {right}")
    return "\n".join(lines) + "\n"
