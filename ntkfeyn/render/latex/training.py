"""Training in the appendix: equations of motion, what is kept, and the mean prediction at order 1/n with A .. U.

Enters: the sums of ``derivation.training``. Leaves: rows of terms for templates/latex/training.tex.jinja. Points are
slots: 1 is the prediction (1 and 2 the kernel) that is asked for, further ones are training points, summed over with
their neurons; 4 is also a training point that a residual was propagated from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from ntkfeyn.derivation.training import (
    POINTS,
    Motion,
    Source,
    Sum,
    kernel_sums,
    motions,
    prediction_sums,
)
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.legs import normal_leg
from ntkfeyn.render.latex.decomposition import all_channels
from ntkfeyn.render.latex.macros import AppendixNotation, tree_name
from ntkfeyn.render.symbols import Symbols

PROPAGATED = 4  # the slot of a training point whose initial output is meant
TIMES = ("t", "t'", "t''")  # of residuals, the last one first
LETTERS = ("A", "P", "R", "S")  # one of each joint cumulant that is averaged
PER_ROW = 3  # terms
ONCE = r"\int_0^t\!\mathrm{d}t'\,\Bigl["
TWICE = r"\int_0^t\!\mathrm{{d}}t'\int_0^{{t'}}\!\mathrm{{d}}t''\,{M}\,\Bigl["
LABELLED = ("z", "H", "dH", "order0", "order1")  # equations that one can refer to


def training_tensors() -> list[str]:
    """The names of every tensor that the section writes."""
    sums = (*prediction_sums(), *kernel_sums())
    return sorted({"K", "Theta", *(one.tensor.name for one in sums)})


def training_section(prefix: str, symbols: Symbols) -> dict[str, Any]:
    """What the template needs: rows as ``nkfRow`` takes them, and the cumulants with all their channels."""
    notation = AppendixNotation(prefix, symbols.latex, layer="N")
    flow = [one for one in prediction_sums() if not one.history.simultaneous]
    kernel = [one for one in kernel_sums() if not one.history.simultaneous]
    integrals = {Source.INITIAL: "", Source.SECOND: TWICE.format(M=_moment((2, 3, 4), notation))}
    rows = {
        source.name.lower(): _rows(_sources(flow, source), notation, integrals.get(source, ONCE)) for source in Source
    }
    moved = [_source(one, 1) for one in kernel if one.source == Source.FIRST]
    bent = [_source(one, 1) for one in kernel if _bare(one)]
    inner = rf"\int_0^{{t'}}\!\mathrm{{d}}t''\,{_moment((3, 4), notation)}\,\bigl("
    rows["kernel"] = [*_rows(moved, notation, ONCE, ""), *_rows(bent, notation, inner, r"\bigr)\Bigr]", "+")]
    return {
        "rows": rows,
        "motions": [_motions(one, notation) for one in (((), "I"), ((("I", "J"),), "IJ"), (_STAR, "IJK"))],
        "means": [{**_mean(name, notation), "label": f"{prefix}:eq:training-mean-{name}"} for name in LETTERS],
        "labels": {key: f"{prefix}:eq:training-{key}" for key in (*LABELLED, *rows)},
    }


def _moment(labels: Sequence[int], notation: AppendixNotation) -> str:
    return f"M_{{{notation.indices(labels)}}}"


_STAR = (("I", "J"), ("I", "K"))


def _sources(sums: Iterable[Sum], source: Source) -> list[tuple[Fraction, Sum]]:
    """As terms of the source, which stands with a minus sign in the equation; of the second order the means alone."""
    return [_source(one, -1) for one in sums if one.source == source and (source != Source.SECOND or _bare(one))]


def _source(one: Sum, sign: int) -> tuple[Fraction, Sum]:
    """With mean residuals in place of targets, each of which is minus one."""
    return sign * one.coefficient * (-1) ** len(one.targets), one


def _bare(one: Sum) -> bool:
    """Of a mean of ddNTKs the one with targets alone: the moment of residuals says the rest."""
    return one.source == Source.SECOND and not one.kernels


def _rows(
    terms: Sequence[tuple[Fraction, Sum]],
    notation: AppendixNotation,
    opening: str,
    closing: str = r"\Bigr]",
    sign: str = "",
) -> list[list[dict[str, str]]]:
    """Rows of a few terms each, with their signs; all of them in a bracket if there is an ``opening`` one."""
    written = []
    for i, (coefficient, one) in enumerate(terms):
        factor = "" if abs(coefficient) == 1 else notation.fraction(abs(coefficient)) + notation.space
        minus = "-" if coefficient < 0 else "+" if i else ""
        written.append({"sign": minus, "text": factor + _term(one, notation)})
    if opening:
        written[0] = {"sign": sign, "text": opening + written[0]["sign"] + written[0]["text"]}
        written[-1]["text"] += closing
    return [written[start : start + PER_ROW] for start in range(0, len(written), PER_ROW)]


def _term(one: Sum, notation: AppendixNotation) -> str:
    """Tensor, deltas of neurons, and what stands for each residual."""
    labels: list[int] = []
    for point in one.indices:
        number = POINTS.index(point) + 1
        labels.append(PROPAGATED if number in labels else number)
    correction = one.tensor.order - standard(one.tensor.name).leading_order
    tensor = notation.tensor(one.tensor.name, correction, labels)
    deltas = "".join(
        notation.delta(POINTS.index(group[0]) + 1, POINTS.index(other) + 1)
        for group in one.neurons
        for other in group[1:]
    )
    if _bare(one):
        return tensor + notation.inner + deltas
    time = {point: TIMES[i] for i, level in enumerate(one.history.levels) for point in level}
    if "J" not in one.history.residuals:  # the kernel: its residuals are of earlier times
        time = {point: TIMES[i + 1] for i, level in enumerate(one.history.levels) for point in level}
    factors = []
    for point in sorted(set(one.indices)):
        number = POINTS.index(point) + 1
        if one.indices.count(point) == 2:
            when = time[point] if one.history.nested else f"{TIMES[0]}-{TIMES[1]}"
            factors.append(rf"{notation.macro}Prop{{{when}}}{{{number}}}{{{PROPAGATED}}}")
        elif point in one.targets:
            factors.append(rf"{notation.macro}Res{{{time[point]}}}{{{number}}}")
    return tensor + notation.inner + deltas + notation.inner + notation.inner.join(factors)


def _motions(tree: tuple[tuple[tuple[str, str], ...], str], notation: AppendixNotation) -> str:
    """The right-hand side of an equation of motion: the trees that one residual makes of a tree."""
    edges, points = tree
    return "".join(_grown(one, notation) for one in motions(edges, points, 1))


def _grown(one: Motion, notation: AppendixNotation) -> str:
    points = sorted({point for edge in one.edges for point in edge})
    numbers = {point: POINTS.index(point) + 1 for point in points}
    edges = tuple((points.index(a), points.index(b)) for a, b in one.edges)
    leg = normal_leg(edges, tuple(numbers[point] for point in points))
    written = f"{notation.macro}Leg{{}}{{{tree_name(leg)}}}{{{','.join(map(str, leg.labels))}}}"
    return f"{'-' if one.coefficient < 0 else '+'}{written}{notation.inner}{notation.macro}Eps{{{numbers[points[-1]]}}}"


def _mean(name: str, notation: AppendixNotation) -> dict[str, str]:
    """A joint cumulant of the output layer at order 1/n, channel by channel."""
    shape = standard(name)
    terms = [
        notation.tensor(channel.name, 0, channel.index_labels()) + notation.inner + notation.deltas(channel)
        for channel in all_channels(shape)
    ]
    return {"head": notation.cumulant(shape.legs, "Out"), "channels": r"+\allowbreak ".join(terms)}
