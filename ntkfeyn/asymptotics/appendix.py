"""The depth section of an appendix: closed forms and series of the tensors that are emitted.

Enters: targets, an ensemble of weights, letters. Leaves: a block for each class of activations, as LaTeX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.errors import bad_request
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.latex.appendix import DepthBlock, LatexOptions
from ntkfeyn.render.symbols import Symbols

CLASSES = (  # activations and what they are called
    ("linear", "Linear."),
    ("relu", "ReLU."),
    ("leaky_relu(a)", "LeakyReLU, slope $a$ on the left."),
    ("odd", "Odd activations."),
)


def depth_blocks(targets: Sequence[TensorId], weights: str, symbols: Symbols) -> list[DepthBlock]:
    """One for each class that has one of the targets. Raises NtkfeynError."""
    from ntkfeyn.asymptotics.answer import depth_forms, existing  # numbers are loaded where they are asked for
    from ntkfeyn.asymptotics.request import DepthRequest
    from ntkfeyn.asymptotics.writing import latex_assumptions, latex_rows

    blocks = []
    for activation, heading in CLASSES:
        request = DepthRequest(activation, weights=weights)
        wanted = existing(targets, request)
        if wanted:
            answer = depth_forms(wanted, request)
            blocks.append(DepthBlock(heading, latex_assumptions(answer, symbols), latex_rows(answer, symbols)))
    return blocks


def with_depth(
    options: LatexOptions | None,
    lang: str,
    targets: Sequence[TensorId],
    symbols: Symbols | None,
    weights: str,
    shared: bool,
) -> LatexOptions | None:
    """The options with how everything that is emitted depends on the depth, if they ask for it. Raises NtkfeynError.

    ``shared``: whether weights are shared over labels, of which nothing is known here.
    """
    if lang != "latex" or options is None or not options.depth:
        return options
    if shared:
        raise bad_request(
            "how tensors depend on the depth was asked for with weights shared over labels",
            "it is known of dense networks with one input",
            "--depth without --shared",
        )
    options.check()
    if options.closure:
        targets = [recursion.id for recursion in derive_system(targets, weights).recursions]
    return replace(options, blocks=depth_blocks(targets, weights, symbols or options.symbols))
