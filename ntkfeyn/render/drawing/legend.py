"""The legend of a picture: what its tags mean, each said once.

Enters: drawings with their legends. Leaves: lines of text, and a drawing with them below.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.drawing.primitives import Drawing, Label

POWER = "power of 1/{width} that the tensor counts"  # what a tag beside a disc means
BLOCK_POWER = "at a large dot, the power of 1/{width} that the weight block counts"
SIZE, BELOW = 0.32, 0.42
Entry = tuple[str, str]


def tensor_entry(symbol: str, name: str) -> Entry:
    """A tensor without a letter of its own: its legs and channel."""
    shape = standard(name)
    return symbol, f"{shape.legs_text()}, channel {shape.channel_text()}"


def legend_lines(drawings: Iterable[Drawing]) -> list[str]:
    """One line a meaning, in the order in which they occur first: /n, /n²: ..; C0C0C0: .."""
    tags: dict[str, list[str]] = {}
    for drawing in drawings:
        for tag, meaning in drawing.legend:
            if tag not in tags.setdefault(meaning, []):
                tags[meaning].append(tag)
    return [f"{', '.join(sorted(found, key=_by_length))}: {meaning}" for meaning, found in tags.items()]


def legended(drawing: Drawing, explained: Iterable[Drawing] = ()) -> Drawing:
    """With the legend of all that is ``explained``, its own if nothing is, as lines below."""
    x0, y0, _, _ = drawing.box()
    labels = []
    for k, line in enumerate(legend_lines(explained or [drawing])):
        label = Label((0.0, 0.0), text(line), line, SIZE, plainly=True, line=True)
        left = x0 + 0.1 + label.extent()[0]
        labels.append(label.at((round(left, 4), round(y0 - BELOW * (k + 0.8), 4))))
    return replace(drawing, labels=(*drawing.labels, *labels), legend=())


def text(words: str) -> str:
    """Words inside of TeX maths."""
    return rf"\text{{{words}}}"


def _by_length(tag: str) -> tuple[int, str]:
    return len(tag), tag
