"""A small reader of the emitted LaTeX: macros back to terms, Leibniz by hand.

Knows the macros of macros.tex and nothing of the emitter. A recursion is {key: coefficient} as in oracles.printed, but
with the tensor names and index orders of the source: (couplings, expectations, tensors).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

TensorKey = Callable[[str, int, tuple[int, ...]], tuple[Any, ...]]


def recursion_lines(source: str, prefix: str) -> list[str]:
    """The terms inside the Recursion environment, each as the argument of \\<prefix>Term."""
    [body] = re.findall(rf"\\begin{{{prefix}Recursion}}(.*?)\\end{{{prefix}Recursion}}", source, flags=re.DOTALL)
    return _terms(body, prefix)


def diagram_lines(source: str, prefix: str) -> list[list[str]]:
    """The terms of each Block environment: one a diagram, or two where the terms after Leibniz follow."""
    blocks = re.findall(rf"\\begin{{{prefix}Block}}(.*?)\\end{{{prefix}Block}}", source, flags=re.DOTALL)
    return [_terms(block, prefix) for block in blocks]


def _terms(body: str, prefix: str) -> list[str]:
    found, marker, start = [], f"\\{prefix}Term{{", 0
    while (start := body.find(marker, start)) >= 0:
        found.append(_braced(body, start + len(marker) - 1))
        start += len(marker)
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
