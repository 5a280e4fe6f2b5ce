"""ntkfeyn diagrams"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.options import TargetRequest, target_options, weights_option, written_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntkfeyn.derivation.diagrams import Diagram
    from ntkfeyn.model.targets import Target
    from ntkfeyn.render.notation import TextNotation
    from ntkfeyn.render.symbols import Symbols

FORMATS = ("text", "json", "tikz", "svg", "png", "pdf", "dot")


@click.command("diagrams", short_help="Draw or list the diagrams of a cumulant.")
@target_options
@weights_option()
@notation_option
@click.option("--full", is_flag=True, help="Every choice of an Omega vertex apart (F:1:2a, F:1:2b).")
@click.option("--count", is_flag=True, help="Print the number alone.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print or draw."
)
@written_option("-o", "--output", "directory", directory=True, help="Directory for pictures, one file a diagram.")
def command(
    request: TargetRequest,
    full: bool,
    count: bool,
    form: str,
    directory: Path | None,
    weights: str,
    symbols: Symbols,
) -> None:
    """Draw or list every diagram of a cumulant at an order in 1/n.

    \b
    Example: ntkfeyn diagrams --cumulant F --order 1
             ntkfeyn diagrams --cumulant A --format svg -o pictures
             ntkfeyn diagrams V --weights orthogonal
    """
    from ntkfeyn.derivation.diagrams import full_diagrams
    from ntkfeyn.derivation.enumeration import enumerate_diagrams

    if directory is not None and (count or form in ("text", "json")):
        from ntkfeyn.errors import bad_request

        raise bad_request(f"-o {directory} was given for a listing", "-o takes pictures", "--format svg -o DIRECTORY")
    found = {}
    for target in request.targets():
        listed = enumerate_diagrams(*target, weights).diagrams
        found[target] = full_diagrams(listed) if full else listed
    if count:
        for target, listed in found.items():
            click.echo(f"{target.id} {len(listed)}" if len(found) > 1 else str(len(listed)))
    elif form == "json":
        _print_json(found, weights, symbols)
    elif form == "text":
        click.echo("\n".join(_listing(target, listed, weights, symbols) for target, listed in found.items()), nl=False)
    else:
        _draw([diagram for listed in found.values() for diagram in listed], form, directory, symbols)


def _print_json(found: dict[Target, tuple[Diagram, ...]], weights: str, symbols: Symbols) -> None:
    from ntkfeyn.derivation.enumeration import enumerate_diagrams
    from ntkfeyn.errors import bad_request
    from ntkfeyn.render.json import diagrams_json, to_text
    from ntkfeyn.render.notation import latex_of

    if len(found) > 1:
        raise bad_request(
            f"{len(found)} cumulants were asked for", "diagrams --format json takes one", "one --cumulant"
        )
    [((shape, order), listed)] = found.items()
    document = diagrams_json(shape, order, enumerate_diagrams(shape, order, weights), listed, latex_of(symbols))
    click.echo(to_text(document), nl=False)


def _listing(target: Target, listed: tuple[Diagram, ...], weights: str, symbols: Symbols) -> str:
    from ntkfeyn.derivation.enumeration import enumerate_diagrams
    from ntkfeyn.render.notation import TextNotation, counted

    notation = TextNotation(symbols.text)
    counts = enumerate_diagrams(*target, weights)
    lines = [
        f"{target.id}: {counted(len(listed), 'diagram')} kept"
        f" ({counted(counts.candidates, 'candidate')} of this order, {counts.connected} connected)"
    ]
    return "\n".join([*lines, *(f"  {_describe(diagram, notation)}" for diagram in listed)]) + "\n"


def _describe(diagram: Diagram, notation: TextNotation) -> str:
    """id, weight, then each propagator with what sits on it, tensors, weight blocks."""
    from ntkfeyn.derivation.diagrams import pair_ends
    from ntkfeyn.derivation.rules import ENSEMBLES
    from ntkfeyn.render.formulas import functions_text, vertex_text
    from ntkfeyn.render.weight_blocks import block_text

    neurons = []
    for held in diagram.propagators:
        inside = []
        for i in held:
            vertex = diagram.cubic_vertices[i]
            inside.append((functions_text if vertex.rule.plain else vertex_text)(vertex, notation))
        neurons.append(f"({'; '.join(inside)})")
    tensors = []
    for tensor in diagram.tensor_vertices:
        on = []
        for ends, neuron in pair_ends(diagram, tensor):
            z = notation.letters.preactivation
            names = "-".join(z if end is None else notation.label(end) for end in ends)
            on.append(f"{names} on ({neuron + 1})")
        tensors.append(f"{tensor.name}@{tensor.order}[{', '.join(on)}]")
    wide = 12 + len(ENSEMBLES[diagram.weights].prefix)
    parts = [f"{diagram.id:<{wide}} weight {diagram.weight!s:<6} neurons {' '.join(neurons)}"]
    parts += [f"tensors {' '.join(tensors)}"] if tensors else []
    blocks = [block_text(block, diagram, notation) for block in diagram.weight_blocks]
    return "   ".join([*parts, *([f"blocks {' '.join(blocks)}"] if blocks else [])])


def _draw(diagrams: list[Diagram], form: str, directory: Path | None, symbols: Symbols) -> None:
    """Pictures: one file a diagram with -o, else on stdout where several can follow each other."""
    from ntkfeyn.errors import bad_request
    from ntkfeyn.render.drawing.dot import dot
    from ntkfeyn.render.drawing.figure import pdf, png
    from ntkfeyn.render.drawing.layout import layout
    from ntkfeyn.render.drawing.svg import svg
    from ntkfeyn.render.drawing.tikz import tikz
    from ntkfeyn.runtime.files import write_below

    if directory is None and form in ("svg", "png", "pdf") and len(diagrams) > 1:
        raise bad_request(f"{len(diagrams)} {form} pictures on stdout", "one picture fits there", "-o DIRECTORY")
    makers: dict[str, Callable[[Diagram], str | bytes]] = {
        "tikz": lambda diagram: tikz(layout(diagram, symbols)),
        "svg": lambda diagram: svg(layout(diagram, symbols, plainly=True)),
        "png": lambda diagram: png(layout(diagram, symbols, plainly=True)),
        "pdf": lambda diagram: pdf(layout(diagram, symbols, plainly=True)),
        "dot": dot,
    }
    pictures = [(diagram.id, makers[form](diagram)) for diagram in diagrams]
    if directory is None:
        for _, picture in pictures:
            click.echo(picture, nl=False)
        return
    ending = "tex" if form == "tikz" else form
    stems = ["".join(c if c.isalnum() else "_" for c in name) for name, _ in pictures]
    files = {f"{stem}.{ending}": picture for stem, (_, picture) in zip(stems, pictures, strict=True)}
    for path in write_below(directory, files):
        click.echo(str(path))
