"""Python: a module whose functions step one tensor by one layer.

Enters: recursions. Leaves: the text of a module without imports: the caller brings the expectations and the tensors
of layer l, as floats or exact fractions. Code is made from product terms: Leibniz runs in the emitted loops.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ntkfeyn.cumulants import standard
from ntkfeyn.emitters.notation import TextNotation, cumulant_text, term_text
from ntkfeyn.emitters.rendering import provenance, renderer
from ntkfeyn.recursion import Recursion
from ntkfeyn.reduction import split_omega
from ntkfeyn.terms import ProductTerm

WIDTH = 100


def python_module(recursions: Sequence[Recursion]) -> str:
    """The source of a module with one function ``step_NAME_R`` a recursion."""
    return renderer()(
        "python/module.py.jinja",
        provenance=provenance(recursions),
        functions=[_function(recursion) for recursion in recursions],
    )


def function_name(recursion: Recursion) -> str:
    """step_F_1 for F at order 1."""
    return f"step_{re.sub(r'[^A-Za-z0-9]+', '_', recursion.name)}_{recursion.order}"


def _function(recursion: Recursion) -> dict[str, Any]:
    shape, notation = recursion.cumulant, TextNotation()
    formula = [term_text(term, notation, leading=i == 0) for i, term in enumerate(recursion.terms)]
    return {
        "name": function_name(recursion),
        "key": f"{recursion.name}@{recursion.order}",
        "tensor": cumulant_text(shape, recursion.order, notation),
        "legs": shape.legs_text(),
        "channel": shape.channel_text(),
        "formula": formula,
        "samples": [f"a{label}" for label in shape.index_labels()],
        "terms": [_term(part) for term in recursion.terms for part in split_omega(term)],
    }


def _term(term: ProductTerm) -> dict[str, Any]:
    """Loops over the placements of each differentiated group, and the summand in factors."""
    loops, means = [], []
    names: dict[int, list[str]] = {}
    bound = 0
    for g, group in enumerate(term.groups):
        factors = "(" + ", ".join(f"(a{s}, {m})" for s, m in group.factors) + ")"
        count = term.derivatives(g)
        if not count:
            means.append(f"expectation({factors})")
            continue
        names[g] = [f"b{bound + k + 1}" for k in range(count)]
        bound += count
        targets = ", ".join(names[g]) + ("," if count == 1 else "")
        loops.append(f"for ({targets}), g{g + 1} in placements({factors}, {count}):")
        means.append(f"expectation(g{g + 1})")
    summand = [
        f"{symbol}**{power}" if power > 1 else symbol for symbol, power in term.couplings._asdict().items() if power
    ]
    summand += [_tensor(name, order, labels, names) for name, order, labels in term.tensors]
    lines = [*loops, *_sum_lines(term, [*summand, *means])]
    depth = [min(k, len(loops)) for k in range(len(lines))]
    indented = ["    " * d + line for d, line in zip(depth, lines, strict=True)]
    return {"diagrams": ", ".join(term.diagrams), "lines": indented}


def _tensor(name: str, order: int, labels: tuple[int, ...], names: dict[int, list[str]]) -> str:
    written = [f"a{label}" if label >= 0 else names[-label - 1].pop(0) for label in labels]
    return f'previous["{name}@{order}"][{", ".join(written[v] for v in standard(name).index)}]'


def _sum_lines(term: ProductTerm, factors: list[str]) -> list[str]:
    """total += factors, broken between factors where the line would be long."""
    numerator, denominator = term.coefficient.numerator, term.coefficient.denominator
    sign = "-=" if numerator < 0 else "+="
    if abs(numerator) != 1 or not factors:
        factors = [str(abs(numerator)), *factors]
    tail = f" / {denominator}" if denominator != 1 else ""
    whole = f"total {sign} {' * '.join(factors)}{tail}"
    if len(whole) <= WIDTH - 20:
        return [whole]
    return [f"total {sign} (", f"    {factors[0]}", *(f"    * {factor}" for factor in factors[1:]), f"){tail}"]
