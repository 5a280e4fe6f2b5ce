"""Writes outputs/errata.md from what the referee says of the paper's printed recursions: ``python tests/errata.py``."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from ntkfeyn.referee.report import Check
from ntkfeyn.referee.semantics import first_point
from ntkfeyn.referee.source import file_source
from ntkfeyn.referee.verdict import check_source

DATA = Path(__file__).parent / "data" / "paper.tex"
LINEAR = DATA.with_name("paper_linear.tex")
OUTPUT = Path(__file__).parent.parent / "outputs" / "errata.md"
EQUATIONS = {
    "F": "5", "V": "45", "K": "47", "D": "50", "A": "53", "B": "55", "P": "58", "Q": "60", "R": "63", "S": "66",
    "T": "68", "U": "70", "Theta": "78",
}  # fmt: skip
NOTES = {
    "D": ["The derivatives of the second mean are printed by z at beta_1, beta_2, as those of the first; beta_3, beta_4"
          " are meant. As printed the term is zero for distinct samples."],
    "A": ["As in (50): the second mean is printed with beta_1, beta_2 instead of beta_3, beta_4.",
          "D is printed with indices 12 beta_3 beta_4; the z of D stand first: beta_3 beta_4 12."],
    "P": ["The second mean is printed with sigma''_0 sigma_0; sigma''_0 sigma_3 is right, as in the diagram."],
    "Q": ["1/(n C_W) F_{0123} of layer l+1 is printed, where (5) was put in; with the indices of (4) and (5) it is"
          " F_{1032}: its NTK is that of samples 0 and 2. This entry and the next are one misprint.",
          "The other term of the same F."],
    "R": ["sigma'''_0 sigma_1 is printed; sigma'''_0 sigma'_1 is right.", "The same in the term with B.",
          "d(sigma''_0 sigma_1)/dz is printed; d(sigma''_0 sigma'_1)/dz is right."],
    "S": ["1/n_(l-1) is printed; no tensor of order 1/n is there: 1/n_l is right. At equal widths it is the same."],
    "T": ["d(sigma'_1 sigma'_3)/dz is printed; d(sigma'_1 sigma_3)/dz is right.",
          "d(sigma'_2 sigma'_4)/dz is printed; d(sigma'_2 sigma_4)/dz is right."],
}  # fmt: skip
HEAD = """# Errata

Recursions printed in the literature that differ from the derived ones. Made by `python tests/errata.py` from
`ntkfeyn check tests/data/paper.tex` and `paper_linear.tex`. The derived recursions of these tensors are equal to exact
moments of finite networks (`certificates.json`). Two exact rational numbers decide each entry: both sides at the same
random point (kernel, tensors, couplings, widths, polynomial activation), which `check` draws from a fixed seed.

## M. Guillen, P. Misof, J. E. Gerken, arXiv 2508.11522, version 4

Read: (5), (45), (47), (50), (53), (55), (58), (60), (63), (66), (68), (70), (78), and of appendix H (80), (84),
(86), (88). (15) is drawn; (78) is its algebra. The paper sets lambda_W = 1 and has no biases; so does the comparison
where the formula has no lambda_W. The sum of (58) is printed over {1,2,3,4}, where no sample 4 is: {0,1,2,3} was read
(the summand is zero outside of 0 and 3). Omega is read as lambda_W s s + C_W Theta s' s'.

Not read: appendix F, (71), (72), (76) and (77), which are drawn and have no formula; (92), (94), (96) and (98) of
appendix H, whose tensors have any number of indices; appendix I, which has no recursion.

"""
TAIL = """## Not read

- D. A. Roberts, S. Yaida, B. Hanin, The Principles of Deep Learning Theory, arXiv 2106.10165: no text of its recursions
  (V, the metric at order 1/n, D and F, A and B, P and Q, R, S, T and U) could be had. Of its formulas only F is
  judged, as (5) above quotes it.
- I. Banta, T. Cai, N. Craig, Z. Zhang, arXiv 2305.02334: only its abstract could be had.
"""
LINEAR_EQUATIONS = {"F": "80", "D": "84", "A": "86", "B": "88"}


def errata() -> str:
    """The whole file."""
    found = _found(DATA)
    right = [f"({EQUATIONS[name]}) {name}" for name, one in found.items() if one["equal"]]
    lines = [f"Right as printed: {', '.join(right)}.", ""]
    for name, one in found.items():
        if one["equal"]:
            continue
        lines.append(f"### ({EQUATIONS[name]}), {name} at order {one['order']}")
        lines.append("")
        for note, edit in zip(NOTES[name], one["wrong"], strict=True):
            lines.append(f"- wrong {edit['kind']} ({', '.join(edit['diagrams'])}). {note}")
            lines.append(f"  - right: `{edit['correction']}`")
        assert not one["missing"]
        assert not one["extra"]
        assumed = f" (for {', '.join(one['assumed'])})" if one["assumed"] else ""
        lines.append(f"- printed: {one['decided_by']['written']}")
        lines.append(f"- derived: {one['decided_by']['derived']}{assumed}")
        if one["right_under"]:
            lines.append(f"- right under {' and '.join(one['right_under'])}")
        lines.append("")
    return HEAD + "\n".join([*lines, *_linear(), TAIL]).rstrip() + "\n"


def _found(file: Path) -> dict[str, Any]:
    """What check says to each recursion of a file, by its tensor."""
    source = file_source(file)
    said = json.loads(Check(tuple(check_source(source)), source).to_json())
    return {one["cumulant"]: one for one in said["recursions"]}


def _linear() -> list[str]:
    """Appendix H: a linear part is right if nothing in it is wrong and nothing that it lacks holds its tensor."""
    right, lines = [], list[str]()
    for name, one in _found(LINEAR).items():
        assert not one["extra"]
        held = [term for term in one["missing"] if f"{name}^{{(\\ell)}}" in term["term"]]
        assert not held
        if not one["wrong"]:
            right.append(f"({LINEAR_EQUATIONS[name]}) {name}")
        for edit in one["wrong"]:
            lines += [f"- ({LINEAR_EQUATIONS[name]}), wrong {edit['kind']} ({', '.join(edit['diagrams'])}):"
                      f" {edit['written']} is printed, {edit['expected']} is right.",
                      f"  - right: `{edit['correction']}`",
                      f"- printed: {one['decided_by']['written']}",
                      f"- derived, the part with {name} alone: {_part(name)}"]  # fmt: skip
    intro = ["### Appendix H, linear parts", "", f"Right as printed: {', '.join(right)}."]
    layers = "(84), (86) and (88) are printed with layer l on the left, where l+1 is meant."
    return [*intro, layers, "", *lines, ""]


def _part(name: str) -> Fraction:
    """Of our recursion what holds its own tensor, at the point that check takes."""
    [verdict] = [one for one in check_source(file_source(LINEAR)) if one.recursion.name == name]
    recursion, claim = verdict.recursion, verdict.claim
    top = max(order for term in recursion.expanded for mean in term.expectations for _, order in mean)
    point = first_point(len(claim.samples), top)
    held = [term for term in recursion.expanded if any(tensor.name == name for tensor in term.tensors)]
    return sum((point.term(term, claim.by_slot) for term in held), Fraction(0))


if __name__ == "__main__":
    OUTPUT.write_text(errata())
