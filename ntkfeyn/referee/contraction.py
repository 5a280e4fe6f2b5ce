"""Contraction: the order in which a sum over several labels is done, one label at a time where few factors have it.

Enters: a sum. Leaves: sums inside each other that mean the same. Eight labels of four samples are 65536 products at
once, and some hundred one by one.
"""

from __future__ import annotations

from ntkfeyn.referee.expressions import Node, Sum, Times, used

Domain = tuple[str, ...] | None


def contracted(node: Sum) -> Node:
    """The same sum; a label that fewest others stand together with goes first."""
    domains: dict[str, Domain] = {}
    parts = _opened(node, domains)
    while domains:
        label = min(domains, key=lambda label: (len(_together(label, parts, domains)), label))
        domain = domains.pop(label)
        having = [part for part in parts if label in used(part)]
        rest = [part for part in parts if label not in used(part)]
        inner = Sum((label,), domain, having[0] if len(having) == 1 else Times(tuple(having)))
        parts = [*rest, Times((inner,))]  # a product, whose value is kept
    return parts[0] if len(parts) == 1 else Times(tuple(parts))


def _together(label: str, parts: list[Node], domains: dict[str, Domain]) -> set[str]:
    """The summed labels of the factors that have a label."""
    return {other for part in parts if label in (names := used(part)) for other in names if other in domains}


def _opened(node: Node, domains: dict[str, Domain]) -> list[Node]:
    """The factors below sums and products; a sum whose labels stand elsewhere too stays closed."""
    if isinstance(node, Sum) and not any(label in domains for label in node.labels):
        names = set(node.labels) | set(node.domain or ())
        if len(set(node.labels)) == len(node.labels) and not names & domains.keys():
            domains.update(dict.fromkeys(node.labels, node.domain))
            return _opened(node.inner, domains)
    if isinstance(node, Times):
        free = [set(used(part)) for part in node.parts]
        found: list[Node] = []
        for i, part in enumerate(node.parts):
            others = {label for k, names in enumerate(free) if k != i for label in names}
            closed = isinstance(part, Sum) and others & set(part.labels)
            found += [part] if closed else _opened(part, domains)
        return found
    return [node]
