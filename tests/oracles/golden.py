"""Committed artefacts against fresh ones, but for the version of the tool, which a release changes.

It stands in the first line of an emitted file, "Made by ntkfeyn X", and nowhere else: that one word is masked.
"""

from __future__ import annotations

import re


def without_version(text: str) -> str:
    """The text with X for the version in its first line, if that is a line of provenance."""
    return re.sub(r"\A(\S+ Made by ntkfeyn )\S+", r"\g<1>X", text)
