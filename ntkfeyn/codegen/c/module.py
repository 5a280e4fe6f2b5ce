"""C: a header, a source, a small program and a Makefile that solve a System; C99, libm, no global state.

Enters: a ``Program``. Leaves: file names and texts. Steps are printed here; templates hold what does not depend on the
System (activations, quadrature, checks).
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any, NamedTuple

from ntkfeyn.codegen.ir import Mean, Product, Program, SpreadRow, Step, program_texts, step_texts
from ntkfeyn.derivation.rules import in_order
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.templates import renderer

WIDTH = 96
INDENT = "    "
MAX_DISTINCT = 4  # different samples in one expectation: a grid has one axis for each


class Content(NamedTuple):
    """One expectation over the samples 0 .. size - 1: its orders (a key), each slot's sample, its last part."""

    key: int
    at: tuple[int, ...]
    inner: int


def c_files(program: Program, stem: str) -> dict[str, str]:
    """Source, header, program and Makefile; names in the code begin with the stem."""
    prefix = re.sub(r"\W", "_", stem)
    prefix = prefix if prefix[0].isalpha() else f"n{prefix}"
    keys = {orders: i for i, orders in enumerate(program.expectations)}
    sizes, inners = _contents(program)
    labels = max((len(row.labels) for s in program.spreads for row in s.rows), default=1)
    steps = [_step(step, shared=program.shared) for step in program.steps]
    values: dict[str, Any] = {
        "prefix": prefix,
        "stem": stem,
        **program_texts(program, WIDTH - 3),
        "steps": steps,
        "keys": [_braces(orders) for orders in program.expectations],
        "key_sizes": [len(orders) for orders in program.expectations],
        "slots": max(map(len, program.expectations)),
        "labels": max(labels, 1),
        "top": program.top,
        "tables": [(name, [_row(row, keys) for row in rows]) for name, rows in _tables(program)],
        "sizes": [[f"{{{c.key}, {c.inner}, {_braces(c.at)}}}" for c in contents] for contents in sizes],
        "size_tops": [max((o for c in cs for o in program.expectations[c.key]), default=0) for cs in sizes],
        "inners": [f"{{{len(orders)}, {_braces(orders)}}}" for orders in inners],
        "inner_ranges": [sorted({c.inner for c in contents}) for contents in sizes],
        "ranks": sorted({len(step.slots) for step in program.steps}),
        "most_symmetries": max(len(step["symmetries"]) for step in steps),
    }
    render = renderer()
    names = {f"{stem}.c": "module.c", f"{stem}.h": "module.h", f"{stem}_main.c": "main.c", f"{stem}.mk": "makefile"}
    return {name: render(f"c/{template}.jinja", **values) for name, template in names.items()}


def _braces(values: Any) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


def _tables(program: Program) -> list[tuple[str, tuple[SpreadRow, ...]]]:
    """Every placement table, also those of expectations that nothing differentiates."""
    found = {mean.spread.name: mean.spread.rows for step in program.steps for p in step.products for mean in p.means}
    return [(name, found[name]) for name in sorted(found)]


def _row(row: SpreadRow, keys: dict[tuple[int, ...], int]) -> str:
    order = sorted(range(len(row.orders)), key=lambda k: row.orders[k])
    key = keys[tuple(row.orders[k] for k in order)]
    return f"{{{row.multiplicity}.0, {key}, {_braces(order)}, {_braces(row.labels or (0,))}}}"


def _contents(program: Program) -> tuple[list[list[Content]], list[tuple[int, ...]]]:
    """For 1 .. MAX_DISTINCT samples the expectations that meet all of them, and the products at the last sample."""
    inners: dict[tuple[int, ...], int] = {}
    sizes = []
    for size in range(1, MAX_DISTINCT + 1):
        contents = []
        for key, orders in enumerate(program.expectations):
            for at in product(range(size), repeat=len(orders)) if len(orders) >= size else ():
                equal = [i for i in range(1, len(orders)) if orders[i] == orders[i - 1]]
                if len(set(at)) == size and all(at[i - 1] <= at[i] for i in equal):
                    last = tuple(o for o, a in zip(orders, at, strict=True) if a == size - 1)
                    contents.append(Content(key, at, inners.setdefault(last, len(inners))))
        sizes.append(contents)
    return sizes, list(inners)


def _step(step: Step, *, shared: bool) -> dict[str, Any]:
    shape = standard(step.recursion.name)
    place = {position: k for k, position in enumerate(shape.index)}
    symmetries = [_braces(place[g[position]] for position in shape.index) for g in shape.symmetries]
    return {
        **step_texts(step, WIDTH - 4),
        "function": step.function,
        "id": _identifier(step.recursion.id),
        "symmetries": symmetries,
        "terms": [_term(step, term, shared=shared) for term in step.products],
    }


def _term(step: Step, term: Product, *, shared: bool) -> dict[str, Any]:
    """A function for each product term: compilers take far longer over one function with hundreds of loops."""
    body = _product_lines(term, shared=shared)
    words = set(re.findall(r"\w+", "\n".join(body)))
    return {
        "title": ", ".join(term.diagrams) or "constant of the biases",
        "slots": [(slot, k) for k, slot in enumerate(step.slots) if slot in words],
        "tensors": [name for name in map(_identifier, step.tensors) if name in words],
        "counts": "n" in words,
        "body": body,
    }


def _identifier(tensor: TensorId) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", tensor[0]).strip("_") + f"_{tensor[1]}"


def _product_lines(term: Product, *, shared: bool) -> list[str]:
    """Statements that return one product term."""
    body = [f"double scale = {_scale(term)};"]
    loops = [mean for mean in term.means if mean.bound]
    direct = [mean for mean in term.means if not mean.bound]
    for k, mean in enumerate([*direct, *loops]):
        body.append(f"const int s{k + 1}[] = {{{', '.join(mean.slots)}}};")
    body += [f"scale *= mean(c, &{mean.spread.name}[0], s{k + 1});" for k, mean in enumerate(direct)]
    factors = [f"{_identifier(f.tensor)}[at{len(f.labels)}(n, {', '.join(f.labels)})]" for f in term.tensors]
    if not loops:
        body += [f"scale *= {factor};" for factor in factors]
        return [*body, "return scale;"]
    return [*body, *_loops(loops, len(direct), factors, shared=shared)]


def _loops(loops: list[Mean], first: int, factors: list[str], *, shared: bool) -> list[str]:
    """Nested sums over placement tables, partial sums kept on the way out where ``shared``."""
    opened, closed = [], []
    for depth, mean in enumerate(loops):
        k = first + depth + 1
        pad = INDENT * depth
        if shared:
            opened.append(f"{pad}double sum{k} = 0.0;")
        opened.append(f"{pad}for (size_t p{k} = 0; p{k} < ROWS({mean.spread.name}); ++p{k}) {{")
        opened.append(f"{pad}{INDENT}const placement *r{k} = &{mean.spread.name}[p{k}];")
        for i, label in enumerate(mean.bound):
            opened.append(f"{pad}{INDENT}const int {label} = s{k}[r{k}->label[{i}]];")
        opened.append(f"{pad}{INDENT}const double mean{k} = r{k}->count * mean(c, r{k}, s{k});")
    pad = INDENT * len(loops)
    last = first + len(loops)
    start = [f"mean{last}"] if shared else ["scale", *(f"mean{first + d + 1}" for d in range(len(loops)))]
    inner = [f"{pad}double term = {' * '.join(start)};", *(f"{pad}term *= {factor};" for factor in factors)]
    inner.append(f"{pad}sum{last} += term;" if shared else f"{pad}total += term;")
    for depth in range(len(loops) - 1, -1, -1):
        k = first + depth + 1
        closed.append(INDENT * depth + "}")
        if shared and depth:
            closed.append(f"{INDENT * depth}sum{k - 1} += mean{k - 1} * sum{k};")
        elif shared:
            closed.append(f"return scale * sum{k};")
    if not shared:
        return ["double total = 0.0;", *opened, *inner, *closed, "return total;"]
    return [*opened, *inner, *closed]


def _scale(term: Product) -> str:
    numerator, denominator = term.coefficient.numerator, term.coefficient.denominator
    powers = [f"c->{symbol}" for symbol, power in in_order(term.couplings) for _ in range(power)]
    factors = powers if powers and numerator == 1 else [f"{numerator}.0", *powers]
    return " * ".join(factors) + (f" / {denominator}.0" if denominator != 1 else "")
