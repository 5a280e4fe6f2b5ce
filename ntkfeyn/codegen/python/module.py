"""Python and JAX: a module that solves a System on its own, NumPy (or JAX) only.

Enters: a ``Program``. Leaves: the text of a module: one vectorised function a tensor, placement tables, quadrature, a
``solve`` driver and a command line. The template holds what does not depend on the System.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ntkfeyn.codegen.ir import Mean, Product, Program, Step, program_texts, step_texts
from ntkfeyn.derivation.rules import in_order
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.templates import renderer

WIDTH = 98
INDENT = "    "


def python_module(program: Program, language: str) -> str:
    """The source of a module; ``language`` is "python" (NumPy) or "jax"."""
    return renderer()(
        "python/module.py.jinja",
        jax=language == "jax",
        **program_texts(program, WIDTH - 2),
        targets=[_key(target) for target in program.targets],
        spreads=[(s.name, [_row(*row) for row in s.rows]) for s in program.spreads],
        expectations=[_tuple(orders) for orders in program.expectations],
        steps=[_step(step, shared=program.shared) for step in program.steps],
    )


def _row(labels: tuple[int, ...], orders: tuple[int, ...], count: int) -> str:
    return f"({_tuple(labels)}, {_tuple(orders)}, {count})"


def _tuple(values: Iterable[object]) -> str:
    listed = [str(value) for value in values]
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"


def _step(step: Step, *, shared: bool) -> dict[str, Any]:
    body = [f'{_variable(tensor)} = previous["{_key(tensor)}"]' for tensor in step.tensors]
    for term in step.products:
        body += _product_lines(term, shared=shared)
    return {**step_texts(step, WIDTH - 4), "name": step.function, "couplings": step.couplings, "body": body}


def _key(tensor: TensorId) -> str:
    return f"{tensor[0]}@{tensor[1]}"


def _variable(tensor: TensorId) -> str:
    letters = "".join(c if c.isalnum() else "_" for c in tensor[0])
    return f"{letters}_{tensor[1]}"


def _product_lines(term: Product, *, shared: bool) -> list[str]:
    """Statements that add one product term to ``total``."""
    lines = [f"# {', '.join(term.diagrams)}"] if term.diagrams else ["# constant of the biases"]
    lines += _product_of("scale", [_scale(term), *(_direct(mean) for mean in term.means if not mean.bound)])
    loops = [mean for mean in term.means if mean.bound]
    factors = [f"{_variable(f.tensor)}[{', '.join(f.labels)}]" for f in term.tensors]
    if not loops:
        return [*lines, *_product_of("scale", ["scale", *factors], keep=True), "total = total + scale"]
    for k, mean in enumerate(loops):
        if shared:
            lines.append(INDENT * k + f"sum{k + 1} = 0")
        labels = ", ".join(mean.bound) + ("," if len(mean.bound) == 1 else "")
        head = f"for ({labels}), mean{k + 1} in hits({mean.spread.name}, expectation, {', '.join(mean.slots)}):"
        lines += [INDENT * k + line for line in _call_lines(head, mean.spread.name, mean.slots)]
    return [*lines, *_sums(len(loops), factors, shared=shared)]


def _call_lines(head: str, table: str, slots: tuple[str, ...]) -> list[str]:
    """The loop head, its arguments one a line where it is long."""
    if len(head) <= WIDTH - 24:
        return [head]
    before = head[: head.index("hits(") + 5]
    return [before, *(f"{INDENT}{one}," for one in (table, "expectation", *slots)), "):"]


def _sums(loops: int, factors: list[str], *, shared: bool) -> list[str]:
    """The innermost product and the partial sums on the way out."""
    if not shared:
        means = [f"mean{k + 1}" for k in range(loops)]
        inner = [*_product_of("term", ["scale", *means, *factors]), "total = total + term"]
        return [INDENT * loops + line for line in inner]
    inner = [*_product_of("term", [f"mean{loops}", *factors]), f"sum{loops} = sum{loops} + term"]
    lines = [INDENT * loops + line for line in inner]
    for k in range(loops - 1, 0, -1):
        lines.append(INDENT * k + f"sum{k} = sum{k} + mean{k} * sum{k + 1}")
    return [*lines, "total = total + scale * sum1"]


def _product_of(name: str, factors: list[str], *, keep: bool = False) -> list[str]:
    """name = factor * factor * .., in several statements where that is long."""
    if keep and len(factors) == 1:
        return []
    lines, line = [], f"{name} = {factors[0]}"
    for factor in factors[1:]:
        if len(line) + 3 + len(factor) > WIDTH - 24:
            lines.append(line)
            line = f"{name} = {name}"
        line += f" * {factor}"
    return [*lines, line]


def _scale(term: Product) -> str:
    """coefficient * couplings"""
    numerator, denominator = term.coefficient.numerator, term.coefficient.denominator
    divisor = "" if denominator == 1 else f" / {denominator}"
    powers = [symbol if power == 1 else f"{symbol}**{power}" for symbol, power in in_order(term.couplings)]
    if not powers:
        return f"{numerator}{divisor}"
    return f"{'' if numerator == 1 else f'{numerator} * '}{' * '.join(powers)}{divisor}"


def _direct(mean: Mean) -> str:
    return f"expectation({_tuple(mean.spread.base)}, {_tuple(mean.slots)})"
