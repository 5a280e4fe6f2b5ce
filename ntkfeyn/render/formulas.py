"""Formulas: how a product term, a tensor, a recursion is written: one traversal, the notation says in which vocabulary.

Enters: product terms and a notation. Leaves: strings such as "1/2 rho C_W K^{1}_{b1 b2} <d_b1 d_b2 (s1 s2)>" with the
sums over the derivative labels b in front. Symbols follow theory sections 3 to 5; rho = n_l / n_(l-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ntkfeyn.derivation.diagrams import CubicVertex
from ntkfeyn.derivation.homogeneity import Diagonal
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import CHOICES, TAU, WIDTH_RATIO, Choice, in_order
from ntkfeyn.derivation.terms import ExpandedTerm, Factor, Group, Powers, ProductTerm, Tensor
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import MEAN_NTK, NAMES
from ntkfeyn.render.notation import LatexNotation, TextNotation, counted

EXPANDED_SHOWN = 50_000  # larger expansions are not written out just to be counted
IDS_SHOWN = 8


def term_text(term: ProductTerm, notation: TextNotation, *, leading: bool = True) -> str:
    """A product term; with ``leading`` False its sign always stands in front, as inside a sum."""
    bound, tensors = bound_labels(term.tensors)
    magnitude = abs(term.coefficient)
    parts = [powers_text(term.couplings, notation)] if term.couplings else []
    for g, group in enumerate(term.groups):
        if bound.get(g):
            parts.append(notation.sum(bound[g], group.domain))
    parts += [tensor_text(tensor, notation) for tensor in tensors]
    parts += [mean_text(group, bound.get(g, []), notation) for g, group in enumerate(term.groups)]
    if magnitude != 1 or not parts:
        parts.insert(0, notation.fraction(magnitude))
    sign = "-" if term.coefficient < 0 else ("" if leading else "+")
    joined = notation.space.join(parts)
    return f"{sign} {joined}" if sign else joined


def vertex_text(vertex: CubicVertex, notation: TextNotation) -> str:
    """What a cubic vertex gives: its couplings and functions, or the Omega of its slots."""
    if vertex.rule.merges:
        return notation.omega(*vertex.slots)
    return notation.space.join([powers_text(vertex.rule.couplings, notation), functions_text(vertex, notation)])


def functions_text(vertex: CubicVertex, notation: TextNotation) -> str:
    """What it puts at its slots."""
    return notation.space.join(notation.activation(f.slot, f.order) for f in vertex.factors)


def choice_text(choice: Choice, slots: tuple[int, int], notation: TextNotation) -> str:
    """One of the choices that Omega of these slots merges."""
    mean = [notation.tensor(MEAN_NTK.name, 0, slots)] if choice.mean_inside else []
    functions = [notation.activation(slot, choice.order) for slot in slots]
    return notation.space.join([powers_text(choice.rule.couplings, notation), *mean, *functions])


def omega_definition(notation: TextNotation) -> str:
    """Omega_ab as the sum of the choices that it merges, in text."""
    letters = replace(notation.letters, samples=("a", "b"))
    plain = TextNotation(letters)
    return f"{plain.omega(1, 2)} = {' + '.join(choice_text(choice, (1, 2), plain) for choice in CHOICES)}"


def unnamed_definitions(recursion: Recursion, notation: TextNotation) -> list[str]:
    """What the symbols of tensors without a letter mean: legs and channel, and the name where there is a short one."""
    found = {tensor.name for term in recursion.terms for tensor in term.tensors} | {recursion.name}
    plain = TextNotation(replace(notation.letters, samples=(), slot_0="0"))
    lines = []
    for name in sorted(found - set(NAMES)):
        shape, called = standard(name), "" if "/" in name else f"{name}, "
        symbol = plain.tensor(name, 0, shape.index_labels())
        lines.append(f"{symbol}: {called}legs {shape.legs_text()}, channel {shape.channel_text()}")
    return lines


def slots_text(shape: Cumulant, notation: TextNotation) -> str:
    """Which labels the slots of a request have, where they are not numbers."""
    labels = [label for label in sorted(set(shape.labels)) if notation.label(label) != str(label)]
    named = [notation.formula(f"{label} = {notation.label(label)}") for label in labels]
    return f", slots {', '.join(named)}" if named else ""


def dashed(slots: Sequence[int], notation: TextNotation) -> str:
    """1-3: slots that belong together."""
    return "-".join(notation.formula(notation.label(slot)) for slot in slots)


def powers_text(powers: Powers, notation: TextNotation) -> str:
    return notation.space.join(notation.power(name, exponent) for name, exponent in written_powers(powers))


def written_powers(powers: Powers) -> list[tuple[str, int]]:
    """Couplings and their powers in the order in which they are written: ratios of widths first."""
    return sorted(in_order(powers), key=lambda pair: pair[0] not in (WIDTH_RATIO, TAU))


def tensor_text(tensor: Tensor, notation: TextNotation) -> str:
    """A tensor with its labels in index order."""
    shape = standard(tensor.name)
    return notation.tensor(tensor.name, tensor.order - shape.leading_order, [tensor.labels[v] for v in shape.index])


def cumulant_text(cumulant: Cumulant, order: int, notation: TextNotation) -> str:
    """The left-hand side: the tensor with the labels of the request."""
    return notation.tensor(cumulant.name, order - cumulant.leading_order, cumulant.index_labels())


def expanded_text(term: ExpandedTerm, notation: TextNotation, *, leading: bool = True) -> str:
    """A term after Leibniz, written as a product term without derivatives."""
    groups = tuple(Group(tuple(Factor(*factor) for factor in factors), (), ()) for factors in term.expectations)
    plain = ProductTerm(term.coefficient, term.couplings, term.tensors, groups, term.diagrams)
    return term_text(plain, notation, leading=leading)


def bound_labels(tensors: Sequence[Tensor]) -> tuple[dict[int, list[int]], list[Tensor]]:
    """Name the derivative labels b1, b2, .. in reading order: {group: its labels}, tensors with labels -1, -2, .."""
    bound: dict[int, list[int]] = {}
    named = []
    count = 0
    for tensor in tensors:
        labels = list(tensor.labels)
        for v in standard(tensor.name).index:
            if labels[v] < 0:
                count += 1
                bound.setdefault(-labels[v] - 1, []).append(-count)
                labels[v] = -count
        named.append(Tensor(tensor.name, tensor.order, tuple(labels)))
    return bound, named


def mean_text(group: Group, bound: Sequence[int], notation: TextNotation) -> str:
    """An expectation, differentiated by the labels ``bound``."""
    inner = group_text(group, notation)
    return notation.mean(notation.derivatives(bound, inner) if bound else inner)


def group_text(group: Group, notation: TextNotation) -> str:
    """The product of functions inside an expectation."""
    factors = [(pair[0], notation.omega(*pair)) for pair in group.omegas]
    factors += [(factor.slot, notation.activation(factor.slot, factor.order)) for factor in group.factors]
    return notation.inner.join(text for _, text in sorted(factors, key=lambda factor: factor[0]))


def recursion_text(recursion: Recursion, notation: TextNotation, *, verbose: bool = False) -> str:
    """The recursion as a terminal shows it: one product term a line, with the diagrams it is of.

    ``verbose``: also what each rewrite did.
    """
    layer, ratio = notation.layer, f"{notation.width}/{notation.width_below}"
    shape, small = recursion.cumulant, recursion.written <= EXPANDED_SHOWN
    size = counted(len(recursion.expanded), "expanded term") if small else f"up to {recursion.written} expanded terms"
    effects = recursion.effects if small else recursion.product_effects
    head = cumulant_text(shape, recursion.order, notation)
    slots = standard(shape.name) if isinstance(recursion, Diagonal) else shape  # equal labels would not tell them apart
    lines = [
        f"{head} at layer {layer}+1, order {recursion.order} in 1/n"
        f"   legs {slots.legs_text()}   channel {slots.channel_text()}{slots_text(slots, notation)}",
        f"{counted(len(recursion.diagrams), 'diagram')}, {counted(len(recursion.terms), 'product term')},"
        f" {size}; on the right all tensors at layer {layer}, {notation.power(WIDTH_RATIO, 1)} = {ratio}"
        + ensemble_text(recursion.weights, notation)
        + (", weights shared over labels" if recursion.shared else ""),
        "",
        *_sum_lines(recursion, head, notation),
    ]
    lines += ["", averaging_definition(notation)] if recursion.shared else []
    if any(group.omegas for term in recursion.terms for group in term.groups):
        lines += ["", omega_definition(notation)]
    unnamed = unnamed_definitions(recursion, notation)
    lines += ["", *unnamed] if unnamed else []
    if verbose:
        lines += ["", "rewrites: " + "; ".join(f"{e.rewrite} {e.before} -> {e.after} {e.unit}" for e in effects)]
    if isinstance(recursion, Diagonal):
        lines += ["", *_homogeneity_lines(recursion, head, notation)]
    return "\n".join(lines) + "\n"


def _sum_lines(recursion: Recursion, head: str, notation: TextNotation) -> list[str]:
    """One product term a line behind its diagrams; those that an operator acts on between its brackets."""
    constants, inside = averaged_terms(recursion)
    width = max((len(", ".join(term.diagrams)) for term in recursion.terms), default=0)
    rows = [(term, term_text(term, notation, leading=i == 0)) for i, term in enumerate(inside)]
    before = "".join(f"{term_text(term, notation)} + " for term in constants)
    opened = f" {before}{operator_text(recursion, notation)}{notation.space}{notation.brackets[0]}"
    head += f" ={opened}" if recursion.shared else " ="
    lines = [f"  {', '.join(term.diagrams):<{width}}   {text}" for term, text in rows]
    return [head, *lines, *([notation.brackets[1]] if recursion.shared else [])]


def averaged_terms(recursion: Recursion) -> tuple[tuple[ProductTerm, ...], tuple[ProductTerm, ...]]:
    """The constants that stand outside of the averaging operators, and the terms that these act on.

    Where weights are not shared nothing stands outside.
    """
    if not recursion.shared:
        return (), recursion.terms
    constants = tuple(term for term in recursion.terms if not term.diagrams)
    return constants, tuple(term for term in recursion.terms if term.diagrams)


def operator_text(recursion: Recursion, notation: TextNotation) -> str:
    """The averaging operators, one for each pair of the channel."""
    return notation.space.join(map(notation.averaging, recursion.averaged))


def averaging_definition(notation: TextNotation) -> str:
    """What the operator is, in text (theory section 10)."""
    plain = TextNotation(replace(notation.letters, samples=("a", "b")))
    return (
        f"{plain.averaging((1, 2))} f(a,b) = Σ_t w_t Σ_{{a',b'}} M^t_{{a a'}} M^t_{{b b'}} f(a',b'), for W^t with"
        f" variance {notation.power('C_W', 1)} w_t/{notation.width} and the map M^t of labels"
    )


def ensemble_text(weights: str, notation: TextNotation) -> str:
    """Which weights, and what tau is; nothing for Gaussian ones."""
    if weights == GAUSSIAN:
        return ""
    above = f"{notation.letters.width}_({notation.layer}+1)"
    return f", {notation.power(TAU, 1)} = {notation.width}/max({notation.width}, {above}); {weights} weights"


def _homogeneity_lines(recursion: Diagonal, head: str, notation: TextNotation) -> list[str]:
    """What was dropped and why, and whether the tensor vanishes at every layer."""
    z, derivative, omega = notation.letters.preactivation, notation.letters.derivative, notation.letters.omega
    lines = [
        f"one input, {z} {notation.function(1)}({z}) = {notation.function(0)}({z}), any biases: "
        f"{counted(len(recursion.dropped), 'term')} dropped (counted before collecting, {omega} written out)"
    ]
    for (orders, derivatives), terms, ids in recursion.reasons:
        inner = notation.inner.join(notation.activation(1, m) for m in orders)
        acted = {0: inner, 1: f"{derivative}({inner})"}.get(derivatives, f"{derivative}^{derivatives}({inner})")
        more = f", .. ({len(ids)} diagrams)" if len(ids) > IDS_SHOWN else ""
        lines.append(f"  {notation.mean(acted)} = 0   {counted(terms, 'term')} of {', '.join(ids[:IDS_SHOWN])}{more}")
    shapes = [(standard(name), order) for name, order in recursion.vanishing]
    zero = [cumulant_text(shape.relabelled([1] * len(shape.labels)), order, notation) for shape, order in shapes]
    if not zero:
        lines.append(f"{head} need not vanish")
    elif len(zero) == 1:
        lines.append(f"{head} = 0 at every layer: so it is at layer 1, and each remaining term carries it")
    else:
        lines.append(
            f"{head} = 0 at every layer, and {', '.join(text for text in zero if text != head)} with it:"
            " so they are at layer 1, and each remaining term of their recursions carries one of them"
        )
    return lines


def recursion_align(recursion: Recursion, notation: LatexNotation) -> str:
    """The recursion as an align* environment (amsmath)."""
    return "\\begin{align*}\n  " + recursion_latex(recursion, notation) + "\n\\end{align*}\n"


def recursion_latex(recursion: Recursion, notation: LatexNotation) -> str:
    """The recursion as an align* body (amsmath), one product term a line; all on its right is of layer l."""
    above = LatexNotation(notation.letters, f"{notation.layer}+1")
    head = cumulant_text(recursion.cumulant, recursion.order, above)
    constants, inside = averaged_terms(recursion)
    rows = [term_text(term, notation, leading=i == 0) for i, term in enumerate(inside)] or ["0"]
    if recursion.shared:
        before = "".join(f"{term_text(term, notation)} + " for term in constants)
        left, right = notation.brackets
        rows[0] = f"{before}{operator_text(recursion, notation)}{notation.space}{left}{rows[0]}"
        rows[-1] += right
    joined = " \\\\\n  &\\quad ".join(rows)
    return f"{head} &= {joined}"
