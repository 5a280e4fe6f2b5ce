"""A small reader of the emitted LaTeX: macros back to terms, Leibniz by hand.

Knows the macros of macros.tex and nothing of the emitter, nor of letters: it reads every notation. A recursion is
{key: coefficient} as in oracles.printed, but with the tensor names and index orders of the source: (couplings,
expectations, tensors).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import factorial
from typing import Any, NamedTuple

PairsOf = Callable[[str], list[tuple[int, int]]]
TensorKey = Callable[[str, int, tuple[int, ...]], tuple[Any, ...]]


class Line(NamedTuple):
    """A term of a recursion as printed: ids of its diagrams, their letters in the margin, signed formula."""

    ids: tuple[str, ...]
    letters: tuple[str, ...]
    text: str


def recursion_lines(source: str, prefix: str) -> list[Line]:
    """The terms of the Recursion environment, which a fragment has once."""
    [body] = re.findall(rf"\\begin{{{prefix}Recursion}}(.*?)\\end{{{prefix}Recursion}}", source, flags=re.DOTALL)
    return _rows(body, prefix)


def expanded_lines(source: str, prefix: str) -> list[list[Line]]:
    """The terms of each Terms environment: a diagram's after Leibniz."""
    blocks = re.findall(rf"\\begin{{{prefix}Terms}}(.*?)\\end{{{prefix}Terms}}", source, flags=re.DOTALL)
    return [_rows(block, prefix) for block in blocks]


def _rows(body: str, prefix: str) -> list[Line]:
    found = []
    for marks, sign, terms in arguments_of(body, f"\\{prefix}Row", 3):
        letters = tuple(re.findall(rf"\\{prefix}Diagram{{(\w+)}}", marks))
        signs = [sign, *(one for (one,) in arguments_of(terms, f"\\{prefix}Sg", 1))]
        for own, (ids, text) in zip(signs, arguments_of(terms, f"\\{prefix}Term", 2), strict=True):
            found.append(Line(tuple(filter(None, ids.split(", "))), letters, f"{own} {text}"))
    return found


def arguments_of(source: str, macro: str, count: int) -> list[list[str]]:
    """The arguments of every use of a macro; a comment that ends a line is skipped."""
    found, start = [], 0
    while (start := source.find(macro + "{", start)) >= 0:
        position, arguments = start + len(macro), []
        for _ in range(count):
            arguments.append(_braced(source, position))
            position += len(arguments[-1]) + 2
            position += 2 if source.startswith("%\n", position) else 0
        found.append(arguments)
        start += len(macro)
    return found


def _braced(text: str, opening: int) -> str:
    """The text between the brace at ``opening`` and its partner."""
    depth = 0
    for i in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[opening + 1 : i]
    raise ValueError("unbalanced braces")


def _macros(text: str, prefix: str) -> list[tuple[str, list[str]]]:
    """The macros of a text with their arguments, in order; anything else but signs and spaces is an error."""
    found, position = [], 0
    while position < len(text):
        if text[position] in " +-\n":
            position += 1
            continue
        match = re.compile(rf"\\{prefix}([A-Za-z]+?)(?=[{{ ])").match(text, position)
        if not match:
            raise ValueError(f"cannot read {text[position : position + 30]!r}")
        position, arguments = match.end(), []
        while position < len(text) and text[position] == "{":
            arguments.append(_braced(text, position))
            position += len(arguments[-1]) + 2
        found.append((match.group(1), arguments))
    return found


def _indices(text: str, prefix: str) -> list[tuple[str, int]]:
    return [(kind, int(arguments[0])) for kind, arguments in _macros(text, prefix)]


def read_term(text: str, prefix: str, tensor_key: TensorKey) -> Counter[Any]:
    """One product term, expanded."""
    coefficient = Fraction(-1 if text.lstrip().startswith("-") else 1)
    powers = dict.fromkeys(("CW", "LW", "Cb", "Lb", "R"), 0)
    domains: dict[int, list[int]] = {}
    tensors, means = [], []
    for kind, arguments in _macros(text, prefix):
        if kind == "Cf":
            coefficient *= Fraction(int(arguments[0]), int(arguments[1]))
        elif kind in powers:
            powers[kind] += int(arguments[0])
        elif kind == "Sum":
            for bound in arguments[0].split(","):
                domains[int(bound)] = [int(sample) for sample in arguments[1].split(",")]
        elif kind == "T":
            tensors.append((arguments[0], int(arguments[1]), _indices(arguments[2], prefix)))
        elif kind == "M":
            means.append(_read_mean(arguments[0], prefix))
        elif kind != "O":
            raise ValueError(f"unknown macro {kind}")
    total: Counter[Any] = Counter()
    for chosen in product(*(mean for mean in means)):
        _spread(total, coefficient, dict(powers), domains, tensors, list(chosen), tensor_key)
    return total


def _read_mean(text: str, prefix: str) -> list[tuple[list[int], list[tuple[int, int]], list[tuple[int, int]]]]:
    """A mean as the choices inside its Omegas: (derivative labels, factors, pairs that took C_W Theta s' s')."""
    labels, inner = [], text
    for kind, arguments in _macros(text, prefix):
        if kind == "D":
            labels.append(int(arguments[0]))
        elif kind == "P":
            inner = arguments[0]
    options: list[tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]] = [([], [], [])]
    for kind, arguments in _macros(inner, prefix):
        if kind == "S":
            factor = (int(arguments[1]), int(arguments[0]))
            options = [([*f, factor], w, n) for f, w, n in options]
        elif kind == "Om":
            (_, a), (_, b) = _indices(arguments[0], prefix)
            direct = [([*f, (a, 0), (b, 0)], w, [*n, (a, b)]) for f, w, n in options]
            options = direct + [([*f, (a, 1), (b, 1)], [*w, (a, b)], n) for f, w, n in options]
    return [(labels, f, [(a, b, True) for a, b in w] + [(a, b, False) for a, b in n]) for f, w, n in options]  # type: ignore[misc]


def _spread(  # type: ignore[no-untyped-def]
    total, coefficient, powers, domains, tensors, means, tensor_key
) -> None:
    """Add every labelling and every Leibniz placement of one choice of Omegas."""
    extra = []
    for _, _, choices in means:
        for a, b, weight in choices:
            powers["CW" if weight else "LW"] += 1
            if weight:
                extra.append(tensor_key("Theta", 0, (a, b)))
    bound = sorted(domains)
    for samples in product(*(domains[b] for b in bound)):
        label = dict(zip(bound, samples, strict=True))
        expectations = []
        for labels, factors, _ in means:
            orders = dict(factors)
            for name in labels:
                orders[label[name]] += 1
            expectations.append(tuple(sorted(orders.items())))
        keys = [
            tensor_key(name, correction, tuple(label[i] if kind == "B" else i for kind, i in indices))
            for name, correction, indices in tensors
        ]
        couplings = tuple(powers[name] for name in ("CW", "LW", "Cb", "Lb", "R"))
        total[couplings, tuple(sorted(expectations)), tuple(sorted([*keys, *extra]))] += coefficient


# --- the product of a diagram, before its joint cumulants are written out ---


def read_product(text: str, prefix: str, tensor_key: TensorKey, pairs_of: PairsOf) -> Counter[Any]:
    """A diagram's product, expanded: joint cumulants over set partitions, derivatives as the conventions say.

    ``pairs_of(name)`` are the places in a tensor's indices that its channel pairs.
    """
    head, tensors, neurons = [], [], []
    for kind, arguments in _macros(text, prefix):
        if kind in ("M", "J"):
            neurons.append(_neuron(kind, arguments, prefix))
        elif kind == "T":
            tensors.append((arguments[0], _indices(arguments[2], prefix)))
            head.append((kind, arguments))
        else:
            head.append((kind, arguments))
    begin = "".join(f"\\{prefix}{kind}" + "".join(f"{{{a}}}" for a in arguments) + " " for kind, arguments in head)
    partner = {}
    for name, indices in tensors:
        for a, b in pairs_of(name):
            partner[indices[a]], partner[indices[b]] = indices[b], indices[a]
    total: Counter[Any] = Counter()
    for choice in product(*(_splits(labels, functions, partner, prefix) for labels, functions in neurons)):
        sign = 1
        written = begin
        for count, means in choice:
            sign *= count
            for labels, inner in means:
                samples = sorted({i for _, i in slots_of(inner, prefix)})
                for label in labels:
                    written += f"\\{prefix}Sum{{{label}}}{{{','.join(map(str, samples))}}} "
                acting = "".join(f"\\{prefix}D{{{label}}}" for label in labels)
                written += f"\\{prefix}M{{{acting}\\{prefix}P{{{inner}}}}} " if labels else f"\\{prefix}M{{{inner}}} "
        for key, value in read_term(written, prefix, tensor_key).items():
            total[key] += sign * value
    return total


def _neuron(kind: str, arguments: list[str], prefix: str) -> tuple[list[int], list[str]]:
    """The derivative labels and the functions of a neuron."""
    if kind == "J":
        labels = [int(inner[0]) for _, inner in _macros(arguments[0], prefix)]
        return labels, arguments[1].split(r"\,;\allowbreak\,")
    inside = _macros(arguments[0], prefix)
    labels = [int(inner[0]) for name, inner in inside if name == "D"]
    return labels, [next(inner[0] for name, inner in inside if name == "P") if labels else arguments[0]]


def _splits(  # type: ignore[no-untyped-def]
    labels: list[int], functions: list[str], partner: dict[tuple[str, int], tuple[str, int]], prefix: str
):
    """Signed counts and means as (labels that act, functions): one for each partition and placement."""
    for partition in _partitions(list(range(len(functions)))):
        sign = (-1) ** (len(partition) - 1) * factorial(len(partition) - 1)
        inner = [f"\\{prefix}I ".join(functions[i] for i in group) for group in partition]
        places = []
        for label in labels:
            kind, other = partner["B", label]
            if kind == "X":  # paired with a slot: where the slot is
                places.append(
                    [(label, next(g for g, text in enumerate(inner) if ("X", other) in slots_of(text, prefix)))]
                )
            elif label < other:  # a pair of z: together, in every place
                places.append([(label, g) for g in range(len(inner))])
        for choice in product(*places):
            acting: list[list[int]] = [[] for _ in inner]
            for label, g in choice:
                kind, other = partner["B", label]
                acting[g] += [label, other] if kind == "B" else [label]
            yield sign, list(zip(acting, inner, strict=True))


def slots_of(text: str, prefix: str) -> list[tuple[str, int]]:
    """The slots of a product of functions."""
    found = []
    for kind, arguments in _macros(text, prefix):
        found += [("X", int(arguments[1]))] if kind == "S" else _indices(arguments[0], prefix) if kind == "Om" else []
    return found


def _partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, *rest = items
    for partition in _partitions(rest):
        yield [[first], *partition]
        for k in range(len(partition)):
            yield [*partition[:k], [first, *partition[k]], *partition[k + 1 :]]


def from_json(data: dict[str, Any], tensor_key: TensorKey, index: Callable[[str], tuple[int, ...]]) -> Counter[Any]:
    """The engine's JSON in the same form; ``index`` gives the index order of a tensor's slots."""
    total: Counter[Any] = Counter()
    for term in data["terms"]:
        tensors = []
        for item in term["tensors"]:
            slots = [sample for _, samples in item["legs"] for sample in samples]
            leading = len(slots) // 2 - 1
            tensors.append(
                tensor_key(item["name"], item["order"] - leading, tuple(slots[v] for v in index(item["name"])))
            )
        couplings = tuple(term[name] for name in ("C_W", "lambda_W", "C_b", "lambda_b", "width_ratio"))
        means = tuple(sorted(tuple(sorted(map(tuple, mean))) for mean in term["expectations"]))
        total[couplings, means, tuple(sorted(tensors))] += Fraction(term["coefficient"])
    return total
