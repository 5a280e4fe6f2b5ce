"""The steps of an explanation, as text for a terminal and as JSON (schema ntkfeyn.explanation/1).

Enters: an ``Explanation``. Leaves: steps from the picture to the lines of emitted files (theory sections 3 to 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from ntkfeyn.derivation.expansion import written_terms
from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.derivation.terms import Powers, ProductTerm
from ntkfeyn.model.ensembles import GAUSSIAN, weights_asked
from ntkfeyn.model.tensors import MEAN_KERNEL
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.drawing.sketch import side_by_side
from ntkfeyn.render.explain.attachment import (
    derivatives_on,
    function_text,
    functions_on,
    value_text,
)
from ntkfeyn.render.explain.constituents import Row, constituents, layers
from ntkfeyn.render.explain.counting import power_counting
from ntkfeyn.render.explain.explanation import Explanation
from ntkfeyn.render.formulas import cumulant_text, expanded_text, operator_text, powers_text, term_text
from ntkfeyn.render.json import diagram_json, term_json, weights_json, written_cumulant
from ntkfeyn.render.notation import TextNotation, counted, latex_of
from ntkfeyn.render.wrapping import wrap
from ntkfeyn.runtime.version import TOOL

PRODUCTS_SHOWN, TERMS_SHOWN = 12, 24
LEAST_WIDTH, MOST_WIDTH = 60, 110
PICTURE_WIDTH = 1000  # of the sketch in the JSON: it always fits


def explanation_steps(explanation: Explanation) -> list[tuple[str, list[Row]]]:
    """Titles and rows (depth, text); the picture is apart."""
    return [*derivation_steps(explanation), ("Where it stands", _places(explanation))]


def derivation_steps(explanation: Explanation) -> list[tuple[str, list[Row]]]:
    """From the picture to the term, without the files that quote it."""
    return [
        (
            "What the diagram consists of",
            constituents(explanation.diagram, explanation.tensors, explanation.notation) + _members(explanation),
        ),
        ("Power counting", power_counting(explanation)),
        ("The weight", _weight(explanation)),
        ("The propagators", _propagators(explanation)),
        ("The term", _term(explanation)),
    ]


# --- text ---


def explanation_text(explanation: Explanation, columns: int, *, picture: bool) -> str:
    """The steps as text no wider than ``columns`` (at least LEAST_WIDTH); the picture only where it fits."""
    width = max(LEAST_WIDTH, min(columns, MOST_WIDTH))
    diagram = explanation.diagram
    drawn = sketched(explanation, max(columns, LEAST_WIDTH) - 2) if picture else []
    command = f"ntkfeyn diagrams {diagram.cumulant.name}@{diagram.order}{weights_asked(diagram.weights)}"
    other = [(0, f"`{command} --format svg -o pictures` draws it; on a terminal it is sketched here.")]
    before, behind = around_picture(explanation, width)
    lines = [*before, *([f"  {line}".rstrip() for line in drawn] or _rows(other, width)), "", *behind]
    return "\n".join(lines) + "\n"


def around_picture(explanation: Explanation, width: int) -> tuple[list[str], list[str]]:
    """The lines before the picture and those behind it, no wider than ``width`` characters."""
    diagram, notation = explanation.diagram, explanation.notation
    head = cumulant_text(diagram.cumulant, diagram.order, notation)
    part = f", part of {explanation.drawn.id}" if diagram.id != explanation.drawn.id else ""
    title = f"{diagram.id}: a diagram of {head} at layer {notation.layer}+1, order {diagram.order} in 1/n{part}"
    steps: list[str] = []
    for number, (name, rows) in enumerate(explanation_steps(explanation), start=2):
        steps += ["", f"{number}. {name}", *_rows(rows, width)]
    return [*wrap(title, width), "", "1. The picture"], steps[1:]


def sketched(explanation: Explanation, width: int) -> list[str]:
    """The picture as lines of text, none where it is wider than ``width``."""
    return (
        side_by_side([layout(explanation.diagram, explanation.symbols, plainly=True)], width).rstrip().splitlines()[1:]
    )


def _rows(rows: Sequence[Row], width: int) -> list[str]:
    return [line for depth, text in rows for line in wrap(text, width, "  " * (depth + 1))]


# --- JSON ---


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Schema ntkfeyn.explanation/1: the steps as text, and what they say as data."""
    diagram, (cubic, propagators, cost) = explanation.diagram, explanation.counting
    terms, expanded, latex = explanation.reduced[0], explanation.expanded, latex_of(explanation.symbols)
    return {
        "schema": "ntkfeyn.explanation/1",
        "tool": TOOL,
        "id": diagram.id,
        "drawn_as": explanation.drawn.id,
        "cumulant": written_cumulant(diagram.cumulant, diagram.order, latex),
        "order": diagram.order,
        **weights_json(diagram.weights),
        "diagram": diagram_json(diagram),
        "picture": sketched(explanation, PICTURE_WIDTH),
        "steps": [
            {"title": title, "lines": ["  " * depth + text for depth, text in rows]}
            for title, rows in explanation_steps(explanation)
        ],
        "counting": {
            **{"cubic_vertices": cubic, "propagators": propagators, "cost": cost, "width_ratio": cost},
            **({"blocks": diagram.block_cost} if diagram.weights != GAUSSIAN else {}),
        },
        "weight": {
            "factors": [
                {"value": str(f.value), "reason": f.reason}
                for f in (*explanation.weight_factors, *explanation.block_factors)
            ],
            "product": str(explanation.weight),
        },
        "propagators": [_propagator_json(explanation, j) for j in range(propagators)],
        "product_terms": [_product_json(explanation, term) for term in terms],
        "expanded_terms": None if expanded is None else [term_json(term, latex) for term in expanded],
        "collected_in": [{"term": number, "diagrams": list(diagrams)} for number, diagrams in explanation.collected],
        "citations": [one._asdict() for one in explanation.citations],
    }


def _product_json(explanation: Explanation, term: ProductTerm) -> dict[str, str]:
    latex = latex_of(explanation.symbols)
    formula = {"latex": term_text(term, latex)} if latex else {}
    return {"text": term_text(term, explanation.notation), "coefficient": str(term.coefficient), **formula}


def _propagator_json(explanation: Explanation, number: int) -> dict[str, Any]:
    diagram, value = explanation.diagram, explanation.values[number]
    labels = derivatives_on(explanation.tensors, number)
    return {
        "functions": [function_text(diagram, block, explanation.notation) for block in functions_on(diagram, number)],
        "derivatives": [f"b{-label}" for label in labels],
        "products": len(value),
        "value": value_text(diagram, value, len(value), explanation.notation),
    }


# --- the steps ---


def _members(explanation: Explanation) -> list[Row]:
    if explanation.drawn is not explanation.diagram:
        return []
    found, notation = ", ".join(member.id for member in explanation.diagram.members), explanation.notation
    omega = notation.formula(notation.letters.omega)
    return [(0, f"Drawn apart, the choices of {omega} are {found}; each id can be explained as well.")] if found else []


def _weight(explanation: Explanation) -> list[Row]:
    factors, blocks, notation = explanation.weight_factors, explanation.block_factors, explanation.notation
    formula = notation.formula
    own: list[Row] = [(1, f"{formula(notation.fraction(factor.value))}: {factor.reason}") for factor in blocks]
    if not factors:
        z = formula(notation.letters.preactivation)
        no_pair = f"no {z}-{z} pair, and the slots tell all other legs apart"
        reason = no_pair if explanation.tensors else "nothing to exchange"
        if blocks:
            return [(0, "What the weight blocks bring:"), *own, (0, f"{_product(explanation)}: {reason} beside")]
        return [(0, f"weight = {formula('1')}: {reason}")]
    rows: list[Row] = [(0, "What can be exchanged without a change is counted once:")]
    rows += [(1, f"{formula(notation.fraction(factor.value))}: {factor.reason}") for factor in factors]
    if any(len(pair.derivatives) < 2 for one in explanation.tensors for pair in one.pairs):
        rows.append((1, f"{formula('1')}: every pair that holds a slot, as slots tell its legs apart"))
    rows += [(0, "What the weight blocks bring:"), *own] if blocks else []
    return [*rows, (0, _product(explanation))]


def _product(explanation: Explanation) -> str:
    """weight = 1/2 · 1/2 = 1/4"""
    notation, factors = explanation.notation, (*explanation.weight_factors, *explanation.block_factors)
    product = notation.times.join(notation.fraction(factor.value) for factor in factors)
    whole = f" = {notation.fraction(explanation.weight)}" if len(factors) > 1 else ""
    return f"weight = {notation.formula(product + whole)}"


def _propagators(explanation: Explanation) -> list[Row]:
    diagram = explanation.diagram
    notation = explanation.notation
    left, right = notation.letters.expectation
    mean, kernel = notation.formula(f"{left} {right}", rf"{left} \ldots{right}"), notation.letter(MEAN_KERNEL.name)
    where = f"with kernel {notation.formula(kernel)} of layer {layers(notation)[0]}"
    rows: list[Row] = [(0, f"{mean} is the Gaussian mean {where}.")]
    if any(len(functions_on(diagram, j)) > 1 for j in range(len(explanation.values))):
        partition = notation.formula("π", r"\pi")
        factor = notation.formula("(-1)^(|π|-1) (|π|-1)!", r"(-1)^{|\pi|-1}\,(|\pi|-1)!")
        text = (
            f"Functions on one neuron: their joint cumulant, the sum over set partitions {partition} of the functions"
            f" of {factor} times a mean for each group. It is what coinciding neurons leave."
        )
        rows.append((0, text))
        if any(pair.derivatives for one in explanation.tensors for pair in one.pairs):
            acting, z = _bound_derivative(notation), notation.formula(notation.letters.preactivation)
            how = f"on the group of that slot, a {z}-{z} pair on each group in turn"
            rows.append((0, f"A {acting} paired with a slot acts {how}."))
    for j, value in enumerate(explanation.values):
        functions = functions_on(diagram, j)
        what = "one function" if len(functions) == 1 else f"joint cumulant of {len(functions)} functions"
        rows.append((0, f"propagator {j + 1}, {what}: {value_text(diagram, value, PRODUCTS_SHOWN, notation)}"))
    return rows


def _assembled(explanation: Explanation) -> str:
    """Weight, ratios of widths, couplings, tensors and values, as they stand in the diagram."""
    diagram, (_, _, cost), notation = explanation.diagram, explanation.counting, explanation.notation
    weight = "-" if explanation.weight == -1 else notation.fraction(explanation.weight)
    parts = [weight] if explanation.weight != 1 else []
    parts += [notation.power(WIDTH_RATIO, cost)] if cost else []
    parts += [notation.power(TAU, diagram.block_cost)] if diagram.block_cost else []
    couplings = reduce(Powers.times, [vertex.rule.couplings for vertex in diagram.cubic_vertices])
    parts += [powers_text(couplings, notation)] if couplings else []
    parts = [*map(notation.formula, parts), *(notation.formula(one.text(notation)) for one in explanation.tensors)]
    for value in explanation.values:
        text = value_text(diagram, value, PRODUCTS_SHOWN, notation)
        parts.append(f"[{text}]" if len(value) > 1 else text)
    return " ".join(parts)


def _term(explanation: Explanation) -> list[Row]:
    terms, effects = explanation.reduced
    notation = explanation.notation
    bound = any(pair.derivatives for one in explanation.tensors for pair in one.pairs)
    summed = f", every {notation.formula(notation.letters.bound)} summed over the samples" if bound else ""
    rows = [(0, f"weight · width factor · couplings · tensors · propagators{summed}:"), (1, _assembled(explanation))]
    changed = [effect for effect in effects if effect.before != effect.after]
    for effect in changed:
        reason = _reason(effect.rewrite, notation)
        rows.append((0, f"{effect.rewrite}: {reason}; from {effect.before} to {effect.after} {effect.unit}"))
    rows.append((0, f"Before Leibniz, {counted(len(terms), 'product term')}:"))
    rows += [(1, notation.formula(term_text(term, notation, leading=i == 0))) for i, term in enumerate(terms)]
    expanded = explanation.expanded
    if expanded is None:
        rows.append((0, f"After Leibniz: up to {written_terms(terms)} terms, too many to be read."))
    else:
        merged = any(group.omegas for term in terms for group in term.groups)
        notes = f", {notation.formula(notation.letters.omega)} written out" if merged else ""
        notes += f", equal placements added ({_exchanged(notation)})" if explanation.weight_factors else ""
        rows.append((0, f"After Leibniz, {counted(len(expanded), 'term')}{notes}:"))
        shown = expanded[:TERMS_SHOWN]
        rows += [(1, notation.formula(expanded_text(term, notation, leading=i == 0))) for i, term in enumerate(shown)]
        if len(expanded) > len(shown):
            asked = f"ntkfeyn explain {explanation.diagram.id} --format json"
            rows.append((1, f"+ .. and {len(expanded) - len(shown)} more: `{asked}` has them all"))
    if explanation.recursion.shared:
        operators = notation.formula(operator_text(explanation.recursion, notation))
        rows.append((0, f"Weights are shared over labels: {operators} acts on all of it."))
    return rows + _in_recursion(explanation)


def _reason(rewrite: str, notation: TextNotation) -> str:
    """Why a rewrite is exact."""
    if rewrite == "collect":
        return "equal terms are added"
    return (
        f"a derivative {_bound_derivative(notation)} is zero unless its sample occurs in the function that it acts on"
    )


def _bound_derivative(notation: TextNotation) -> str:
    """d_b, within words."""
    return notation.formula(notation.indexed(notation.letters.derivative, notation.letters.bound))


def _exchanged(notation: TextNotation) -> str:
    """d_1 d_2 = d_2 d_1"""
    first, second = map(notation.derivative, (1, 2))
    return notation.formula(f"{first}{second} = {second}{first}")


def _in_recursion(explanation: Explanation) -> list[Row]:
    """Which product terms of the whole recursion hold the term, and which other diagrams they are of."""
    recursion, own = explanation.recursion, explanation.drawn.id
    numbers = [number for number, _ in explanation.collected]
    others = sorted({d for _, ids in explanation.collected for d in ids if d != own}, key=lambda d: (len(d), d))
    many = f"terms {', '.join(map(str, numbers))}" if len(numbers) > 1 else f"term {numbers[0] if numbers else 'none'}"
    rows: list[Row] = []
    if explanation.diagram is not explanation.drawn:
        rows.append((0, f"With the other members it is drawn, and cited, as {own}."))
    where = f"In the recursion of {recursion.name}@{recursion.order}: {many} of {len(recursion.terms)}"
    shared = f", collected with equal terms of {', '.join(others)}" if others else ", of this diagram alone"
    rows.append((0, f"{where}{shared if numbers else ': its terms cancel against others'}."))
    bias = sum(not term.diagrams for term in recursion.terms)
    if bias:
        rows.append((0, "The constant of the biases in this recursion is drawn by no diagram."))
    return rows


def _places(explanation: Explanation) -> list[Row]:
    rows: list[Row] = []
    heads: list[str] = []
    if not explanation.citations:
        rows.append((0, "The system that emitted files need is beyond the limits: none is quoted."))
    for one in explanation.citations:
        if one.command not in heads:
            heads.append(one.command)
            rows.append((0, f"`{one.command}` writes"))
        code = one.language != "latex" and one.following.strip()
        rows.append((1, f"{one.file}:{one.line}"))
        rows += [(2, line.strip()) for line in (one.text, *([one.following] if code else []))]
    return rows
