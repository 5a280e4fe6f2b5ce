"""``DepthForms`` as a table, a LaTeX align environment and a JSON document (schema ntkfeyn.depth/1).

Enters: forms and the letters of a notation. Leaves: text. ``formulas`` writes each right-hand side.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ntkfeyn.asymptotics.answer import DepthForms
from ntkfeyn.asymptotics.forms import Asymptotic, Exact, Form, letters_of
from ntkfeyn.asymptotics.formulas import SMALL, LatexPen, Pen, as_sympy, formula
from ntkfeyn.asymptotics.request import ANY, EQUAL, ODD
from ntkfeyn.asymptotics.sums import Number
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.runtime.version import TOOL


def symbol(tensor: TensorId, notation: TextNotation) -> str:
    """The tensor without labels: V, K^{1}."""
    return notation.symbol(tensor.name, tensor.order - standard(tensor.name).leading_order)


def depth_text(answer: DepthForms, symbols: Symbols) -> str:
    """What is assumed, and a line a tensor."""
    pen = Pen(TextNotation(symbols.text))
    check_letters(answer, pen)
    rows = [(symbol(form.tensor, pen.notation), formula(form, pen)) for form in answer.forms.values()]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {text}" for name, text in rows]
    return "\n".join([*assumptions(answer, pen), "", *lines]) + "\n"


def depth_latex(answer: DepthForms, symbols: Symbols) -> str:
    """The same in an align* environment."""
    rows = [f"  {left} &= {right}" for left, right in latex_rows(answer, symbols)]
    return "\n".join([r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"]) + "\n"


def latex_rows(answer: DepthForms, symbols: Symbols) -> list[tuple[str, str]]:
    """Both sides of each equation."""
    pen = LatexPen(LatexNotation(symbols.latex))
    check_letters(answer, pen)
    return [(symbol(form.tensor, pen.notation), formula(form, pen)) for form in answer.forms.values()]


def check_letters(answer: DepthForms, pen: Pen) -> None:
    """Raises RequestError where a letter of a form is one of the notation's that stands beside it."""
    letters, notation = pen.notation.letters, pen.notation
    mine = {pen.letter(name): name for form in answer.forms.values() for name in letters_of(form)}
    theirs = {"layer": notation.layer, "width": letters.width, "activation": letters.activation}
    theirs |= {name: letters.coupling(name) for name in ("C_W", "C_b", "lambda_W", "lambda_b", "tau")}
    theirs |= {form.tensor.name: notation.letter(form.tensor.name) for form in answer.forms.values()}
    for name, letter in theirs.items():
        if letter in mine:
            raise bad_request(
                f"the notation writes {name} as {letter}",
                f"{mine[letter]} of depth formulas is {letter}",
                "another letter",
            )


def assumptions(answer: DepthForms, pen: Pen) -> list[str]:
    """What the forms hold for."""
    request, point, letters = answer.request, answer.point, pen.notation.letters
    name = {key: letters.coupling(key) for key in ("C_W", "C_b", "lambda_W", "lambda_b", "tau")}
    s, layer, kernel = letters.activation, pen.notation.layer, letters.tensor("K")
    couplings = [f"{name[key]} = {_value(point[key], pen)}" for key in ("C_W", "C_b") if point[key] is not None]
    if request.activation.strip() == ODD:
        couplings.insert(0, f"{name['C_W']} = 1/{s}'(0)^2")
        gradients = []
    else:
        gradients = [f"{name['lambda_W']} = {request.lambda_w}", f"{name['lambda_b']} = {request.lambda_b}"]
    widths = "equal widths" if request.widths == EQUAL else "any widths"
    law = [] if request.weights == GAUSSIAN else [f"{request.weights} weights"]
    head = f"{request.activation}, one input: {', '.join([*couplings, *gradients, widths, *law])}"
    lines = [head]
    if any(isinstance(form, Asymptotic) for form in answer.forms.values()):
        lines.append(
            f"{kernel} falls to {_value(point['K'], pen)}; terms at large {layer} that hold wherever it starts"
        )
    elif point["K"] is not None:
        lines.append(f"{kernel} starts at its fixed point {_value(point['K'], pen)}; at every layer {layer}")
    else:
        lines.append(f"q = x·x/{letters.width}_0; exact at every layer {layer}")
    if request.cw == ANY:
        left, right = letters.expectation
        lines.append(f"χ = {name['C_W']} {left}{s}' {s}'{right}, which is 1 at criticality")
    if request.activation.strip() == ODD:
        lines.append(f"α = -{s}'''(0)/{s}'(0) > 0, g = {name['lambda_W']} {s}'(0)^2, r5 = {s}^(5)(0)/({s}'(0) α^2), ..")
        if request.lambda_b:
            lines.append(f"b = {name['lambda_b']} α/g")
    return lines


def latex_assumptions(answer: DepthForms, symbols: Symbols) -> str:
    """What the forms of an appendix hold for, as a sentence in LaTeX."""
    pen, point = LatexPen(LatexNotation(symbols.latex)), answer.point
    letters = pen.notation.letters
    C_W, C_b, K = letters.coupling("C_W"), letters.coupling("C_b"), letters.tensor("K")
    gradient, s, n = letters.coupling("lambda_W"), letters.activation, letters.width
    if answer.request.activation.strip() == ODD:
        scale, g, ratio = pen.letter("alpha"), pen.letter("g"), pen.letter("r5")
        return (
            f"${C_W}=1/{s}'(0)^2$, ${C_b}=0$, and ${K}$ falls to 0. ${scale}=-{s}'''(0)/{s}'(0)>0$, "
            f"${g}={gradient}\\,{s}'(0)^2$ and ${ratio}={s}^{{(5)}}(0)/({s}'(0)\\,{scale}^2)$."
        )
    values = f"${C_W}={_value(point['C_W'], pen)}$, ${C_b}={_value(point['C_b'], pen)}$"
    gradients = f"${gradient}=1$, ${letters.coupling('lambda_b')}=0$"
    return f"{values}, {gradients}, $q=x\\cdot x/{n}_0$."


def _value(value: Number | None, pen: Pen) -> str:
    if isinstance(value, float):
        return pen.number(value)
    if isinstance(value, Fraction):
        return str(value)
    from sympy import factor

    product = factor(as_sympy(value))
    return pen.expression(product, {str(found): pen.letter(str(found)) for found in product.free_symbols})


def depth_json(answer: DepthForms, symbols: Symbols) -> dict[str, Any]:
    """After the schema ntkfeyn.depth/1."""
    request = answer.request
    pens = Pen(TextNotation(symbols.text)), LatexPen(LatexNotation(symbols.latex))
    for pen in pens:
        check_letters(answer, pen)
    meta: dict[str, Any] = {
        "tool": TOOL,
        "command": "depth",
        "cw": _plain(request.cw) if isinstance(request.cw, Fraction) else request.cw,
        "lambda_w": _plain(request.lambda_w),
        "lambda_b": _plain(request.lambda_b),
        "widths": request.widths,
        "start": request.start,
        **({} if request.weights == GAUSSIAN else {"weights": request.weights}),
        **({"taylor": dict(answer.taylor)} if answer.taylor else {}),
    }
    return {
        "schema": "ntkfeyn.depth/1",
        "activation": request.activation,
        "meta": meta,
        "critical": {name: None if value is None else _plain(value) for name, value in answer.point.items()},
        "tensors": {name: _form_json(form, *pens) for name, form in answer.forms.items()},
    }


def _form_json(form: Form, pen: Pen, latex: LatexPen) -> dict[str, Any]:
    body = _exact_json(form) if isinstance(form, Exact) else _asymptotic_json(form)
    unit = " ".join(name if power == 1 else f"{name}^{power}" for name, power in form.units)
    return {**body, "unit": unit or "1", "text": formula(form, pen), "latex": formula(form, latex)}


def _exact_json(form: Exact) -> dict[str, Any]:
    polynomial = form.polynomial
    if polynomial is not None and form.equal:
        return {"form": "exact", "polynomial": [float(c) if form.rounded else _plain(c) for c in polynomial]}
    terms = [
        {
            "widths": [list(letter) for letter in word],
            "powers": [list(power) for power in monomial],
            "coefficient": _plain(value),
        }
        for word, row in sorted(form.sum.terms.items())
        for monomial, value in sorted(row.items())
    ]
    chi = {"chi": _plain(form.chi)} if form.chi is not None else {}
    return {"form": "sum", **chi, "width_below": 0 if form.equal else form.tensor.order, "terms": terms}


def _asymptotic_json(form: Asymptotic) -> dict[str, Any]:
    rows = [
        {"exponent": _exponent(term.power), "logarithms": term.logs, "coefficient": _plain(term.coefficient)}
        for term in form.terms
    ]
    power, logs = form.leading
    following = form.following
    return {
        "form": "asymptotic",
        "exponent": _exponent(power),
        "logarithms": logs,
        "amplitude": rows[0]["coefficient"] if rows else None,
        "terms": rows,
        "next": {"exponent": _exponent(following[0]), "logarithms": following[1]} if following else None,
    }


def _exponent(value: Fraction) -> str:
    return str(value) if value.denominator < SMALL else repr(float(value))


def _plain(value: Number) -> str | float:
    """Exact numbers and expressions as text, others as floats."""
    if isinstance(value, float):
        return value
    if isinstance(value, Fraction):
        return str(value) if value.denominator < SMALL else float(value)
    return str(value.as_expr()).replace("**", "^")
