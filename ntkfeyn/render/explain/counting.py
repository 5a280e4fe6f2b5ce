"""Power counting of one diagram, in words: which power of 1/n it has, and which ratios of widths (theory section 4).

Enters: an ``Explanation``. Leaves: rows (depth, text), the third step of an explanation.
"""

from __future__ import annotations

from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.explain.constituents import Row
from ntkfeyn.render.explain.explanation import Explanation
from ntkfeyn.render.notation import TextNotation, counted


def power_counting(explanation: Explanation) -> list[Row]:
    """The order of a diagram, and what of its widths is left beside."""
    cubic, propagators, cost = explanation.counting
    order = cubic - propagators + cost
    notation = explanation.notation
    n, below, formula = notation.width, notation.width_below, notation.formula
    each, brought, none = formula(f"1/{n}"), formula(f"1/{below}"), "" if explanation.tensors else " (none)"
    vertices, held = ("vertex" if cubic == 1 else "vertices"), ("propagator" if propagators == 1 else "propagators")
    rows: list[Row] = [
        (0, f"{formula(f'P = {cubic}')} cubic {vertices}, {each} each"),
        (0, f"{formula(f'B = {propagators}')} {held}, a sum over {formula(n)} neurons each"),
        (0, f"{formula(f'X = {cost}')}, the power of {brought} that the tensors bring{none}"),
    ]
    for one in explanation.tensors:
        shape = standard(one.tensor.name)
        excess = one.tensor.order - shape.leading_order
        beyond = f" + {excess} beyond the leading order" if excess else ""
        price = f"{one.tensor.order} = {counted(len(shape.channel), 'pair')} - 1{beyond}"
        rows.append((1, f"{formula(one.text(notation))} costs {price}"))
    own = explanation.diagram.block_cost
    also, more = (" + E", f" + {own}") if own else ("", "")
    if own:
        blocks = f"the power of {each} that the weight blocks bring beside {each} for each line"
        rows.append((0, f"{formula(f'E = {own}')}, {blocks}"))
    sum_of = f"P - B + X{also} = {cubic} - {propagators} + {cost}{more} = {order + own}"
    rows.append((0, f"order = {formula(sum_of)}"))
    if own:
        rows.append((0, _blocks_give(own, notation)))
    return [*rows, (0, _widths(cubic, propagators, cost, own, notation))]


def _blocks_give(own: int, notation: TextNotation) -> str:
    """How the powers of N become powers of the width and of tau."""
    n, tau, raised, formula = notation.width, notation.power(TAU, 1), notation.raised, notation.formula
    whole = formula(f"{raised('N', '(-p-e)')} = {notation.space.join([raised(n, '(-p-e)'), raised(tau, '(p+e)')])}")
    lines = formula(f"{raised(f'(N/{n})', 'p')} = {raised(tau, '(-p)')}")
    return f"{whole} with {lines}: the blocks give {formula(notation.power(TAU, own))}"


def _widths(cubic: int, propagators: int, cost: int, own: int, notation: TextNotation) -> str:
    """The powers of both widths, and what is left of them beside the power of the order."""
    n, below, raised, formula = notation.width, notation.width_below, notation.raised, notation.formula
    powers = [raised(n, f"({propagators}-{cubic})"), *([raised(n, f"(-{own})")] if own else [])]
    left = [raised(n, f"(-{cubic - propagators + cost + own})")]
    if cost:
        ratio = f"({n}/{below})"
        powers, left = [*powers, raised(below, f"(-{cost})")], [*left, ratio if cost == 1 else raised(ratio, str(cost))]
    widths = formula(f"{notation.space.join(powers)} = {notation.space.join(left)}")
    factor = formula(notation.power(WIDTH_RATIO, cost) if cost else "1")
    return f"widths: {widths}{'' if cost else ' alone'}, so the width factor is {factor}"
