"""Survey: what a document was found to hold: recursions that are judged, and all that is not, with the reason.

Enters: a source, letters. Leaves: ``Survey``, and what is to be said of it.
"""

from __future__ import annotations

from typing import NamedTuple

from ntkfeyn.model.targets import Target
from ntkfeyn.referee.claims import Claim, Skipped, claim
from ntkfeyn.referee.documents import equations
from ntkfeyn.referee.letters import Vocabulary
from ntkfeyn.referee.source import Source

MOST_TOLD = 20  # skipped equations that are told one by one


class Survey(NamedTuple):
    """Of all displayed equations those that claim a recursion, and the others."""

    claims: tuple[Claim, ...]
    skipped: tuple[Skipped, ...]

    def told(self, source: Source) -> list[str]:
        """Lines: how many were looked at, and each that is skipped though it is about a tensor of ours."""
        looked = len(self.claims) + len(self.skipped)
        lines = [f"{_many(looked, 'equation')} read, {_many(len(self.claims), 'recursion')} found"]
        near = [one for one in self.skipped if one.tensor]
        lines += [f"{source.place(one.offset)}: {one.tensor} skipped: {one.reason}" for one in near[:MOST_TOLD]]
        lines += [f"and {_many(len(near) - MOST_TOLD, 'equation')} more of tensors"] if len(near) > MOST_TOLD else []
        others = [str(source.place(one.offset).line) for one in self.skipped if not one.tensor]
        if others:
            shown = ", ".join(others[:MOST_TOLD]) + (", .." if len(others) > MOST_TOLD else "")
            where = "line" if len(others) == 1 else "lines"
            lines.append(f"{_many(len(others), 'equation')} of something else skipped ({where} {shown})")
        lines += [f"{source.place(at)}: '{name}' is not there: not read" for at, name in source.absent[:MOST_TOLD]]
        if len(source.absent) > MOST_TOLD:
            lines.append(f"and {_many(len(source.absent) - MOST_TOLD, 'file')} more that are not there")
        return lines

    def nearest(self, source: Source) -> str:
        """Why the first equation of a tensor is no recursion, for a message."""
        near = next((one for one in self.skipped if one.tensor), None)
        return f" ({source.place(near.offset)}: {near.tensor}: {near.reason})" if near else ""


def read_claims(source: Source, words: Vocabulary, target: Target | None) -> Survey:
    """What each equation claims. Raises NtkfeynError for formulas that are no LaTeX."""
    found = [claim(equation, words, source, target) for equation in equations(source)]
    return Survey(
        tuple(one for one in found if isinstance(one, Claim)), tuple(one for one in found if isinstance(one, Skipped))
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"
