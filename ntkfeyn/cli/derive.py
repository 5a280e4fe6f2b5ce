"""ntkfeyn derive"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.completion import offering
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.options import (
    TargetRequest,
    json_option,
    shared_option,
    target_options,
    weights_option,
    written_option,
)
from ntkfeyn.cli.progress import waiting
from ntkfeyn.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntkfeyn.derivation.recursion import Recursion
    from ntkfeyn.model.targets import Target
    from ntkfeyn.render.drawing.primitives import Drawing
    from ntkfeyn.render.symbols import Symbols

    Writer = Callable[[list[Recursion], Symbols], str]

PICTURES = (".svg", ".png", ".pdf")  # files of --picture
MOST_PICTURES = 24
LEAST_COLUMNS = 40
PIECES = 2000  # of JSON, printed together


@click.command("derive", short_help="Derive the recursion of a cumulant at an order in 1/n.")
@target_options
@weights_option()
@shared_option()
@notation_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "latex", "sympy", "json"]),
    default="text",
    show_default=True,
    help="What to print. sympy: Python in the names of ntkfeyn.symbols, or with --notation in those letters.",
)
@json_option
@click.option("--pictures/--no-pictures", default=None, help="Sketch the diagrams (default: on a terminal).")
@written_option("--picture", help="Also draw the equation: a .svg, .png or .pdf file.")
@click.option(
    "--without",
    multiple=True,
    metavar="REWRITE",
    shell_complete=offering("marginals", "symmetrise", "collect", "omega"),
    help="Switch off marginals, symmetrise, collect or omega.",
)
@click.option("--products", is_flag=True, help="JSON: the terms before Leibniz, however many they are after it.")
@click.option(
    "--susceptibilities", is_flag=True, help="At one input: what the tensor feeds on itself with, a factor a pair."
)
@click.option("--verbose", is_flag=True, help="Text: also what each rewrite did.")
@click.option("--homogeneous", is_flag=True, help="At one input, for linear, ReLU and LeakyReLU: drop what vanishes.")
def command(
    request: TargetRequest,
    form: str,
    json_file: Path | None,
    pictures: bool | None,
    picture: Path | None,
    without: tuple[str, ...],
    products: bool,
    homogeneous: bool,
    susceptibilities: bool,
    verbose: bool,
    weights: str,
    shared: bool,
    symbols: Symbols,
) -> None:
    """Derive the layer-to-layer recursion of a cumulant at an order in 1/n.

    \b
    Example: ntkfeyn derive --order 1 --cumulant F
             ntkfeyn derive --legs "dNTK012 z3" --channel 03.12 --format json
             ntkfeyn derive K@1 Theta@1 --homogeneous
             ntkfeyn derive Theta@2 --format json --products
             ntkfeyn derive F --format latex --notation pdlt
             ntkfeyn derive V --weights orthogonal
             ntkfeyn derive F --shared
             ntkfeyn derive Q --susceptibilities
    """
    targets = request.targets()
    _check_shown(picture, len(targets), products and form != "json" and json_file is None, form)
    if susceptibilities:
        _check_susceptibilities(homogeneous or shared or bool(without) or picture is not None)
    readable = sys.stdout is not None and sys.stdout.isatty() and "utf" in sys.stdout.encoding.lower()
    sketched = readable if pictures is None else pictures
    text_writer = (_with_sketches if sketched else _plain)(verbose)
    write = {"text": text_writer, "latex": _latex, "sympy": _sympy, "json": _nothing}[form]
    if susceptibilities:
        write = {"text": _self_text, "latex": _self_latex, "sympy": _self_sympy, "json": _nothing}[form]
    with waiting("deriving", targets):
        recursions = _derived(targets, without, homogeneous, weights, shared)
        if form == "json" or json_file is not None:
            _json(recursions, products, symbols, susceptibilities)  # beyond the limits nothing is written
        text = write(recursions, symbols)
    if picture is not None:
        _draw(recursions[0], picture, symbols)
    if json_file is not None:
        from ntkfeyn.runtime.files import write_file

        write_file(json_file, _json(recursions, products, symbols, susceptibilities))
    for block in _json(recursions, products, symbols, susceptibilities) if form == "json" else [text]:
        click.echo(block, nl=False)


def _check_susceptibilities(otherwise: bool) -> None:
    """Raises RequestError for options that change the recursion."""
    if otherwise:
        raise bad_request(
            "--susceptibilities with --homogeneous, --shared, --without or --picture",
            "it is read off the recursion as it stands",
            "ntkfeyn derive F --susceptibilities",
        )


def _check_shown(picture: Path | None, count: int, unlisted: bool, form: str) -> None:
    """Raises RequestError for a picture of several recursions, or products that no JSON lists."""
    if picture is not None and (picture.suffix not in PICTURES or count > 1):
        raise bad_request(
            f"--picture '{picture}' for {count} recursions",
            "one recursion and a .svg, .png or .pdf file are allowed",
            "ntkfeyn derive Theta@1 --picture theta.svg",
        )
    if unlisted:
        raise bad_request(
            f"--products with --format {form}", "JSON is allowed", "--format json --products, or --format latex"
        )


def _derived(
    targets: list[Target], without: tuple[str, ...], homogeneous: bool, weights: str, shared: bool
) -> list[Recursion]:
    from ntkfeyn.derivation.homogeneity import check_one_input, diagonal_recursions
    from ntkfeyn.derivation.recursion import derive_recursion

    if homogeneous:
        check_one_input(shared)
        return [*diagonal_recursions([target.id for target in targets], without, weights)]
    return [derive_recursion(shape, order, without, weights, shared) for shape, order in targets]


def _draw(recursion: Recursion, path: Path, symbols: Symbols) -> None:
    """The equation of diagrams."""
    from ntkfeyn.render.drawing.equation import equation
    from ntkfeyn.render.drawing.figure import pdf, png
    from ntkfeyn.render.drawing.svg import svg
    from ntkfeyn.runtime.files import write_file

    drawing = equation(recursion, symbols)
    makers: dict[str, Callable[[Drawing], str | bytes]] = {".svg": svg, ".png": png, ".pdf": pdf}
    written = write_file(path, makers[path.suffix](drawing))
    count = len(recursion.diagrams)
    click.echo(f"written: {written}, an equation of {count} diagram{'' if count == 1 else 's'}", err=True)


def _plain(verbose: bool) -> Writer:
    return lambda recursions, symbols: _text(recursions, symbols, verbose=verbose)


def _with_sketches(verbose: bool) -> Writer:
    return lambda recursions, symbols: "\n".join(
        _sketches(recursion, symbols) + _text([recursion], symbols, verbose=verbose) for recursion in recursions
    )


def _sketches(recursion: Recursion, symbols: Symbols) -> str:
    """The diagrams side by side, where the terminal is wide enough and they are not too many."""
    from ntkfeyn.model.ensembles import weights_asked
    from ntkfeyn.render.drawing.layout import layout
    from ntkfeyn.render.drawing.sketch import side_by_side

    width = shutil.get_terminal_size().columns
    shown = recursion.diagrams[:MOST_PICTURES]
    text = side_by_side([layout(diagram, symbols, plainly=True) for diagram in shown], width)
    more = len(recursion.diagrams) - len(shown)
    asked = f"ntkfeyn diagrams {recursion.name}@{recursion.order}{weights_asked(recursion.weights)}"
    note = f"... and {more} more: `{asked}` lists them all\n\n" if more else ""
    return f"{text}\n{note}" if text else ""


def _text(recursions: list[Recursion], symbols: Symbols, *, verbose: bool) -> str:
    from ntkfeyn.render.formulas import recursion_text
    from ntkfeyn.render.notation import TextNotation
    from ntkfeyn.render.wrapping import wrapped

    notation = TextNotation(symbols.text)
    text = "\n".join(recursion_text(recursion, notation, verbose=verbose) for recursion in recursions)
    narrow = sys.stdout is not None and sys.stdout.isatty()
    return wrapped(text, max(shutil.get_terminal_size().columns, LEAST_COLUMNS)) if narrow else text


def _latex(recursions: list[Recursion], symbols: Symbols) -> str:
    from ntkfeyn.render.formulas import recursion_align
    from ntkfeyn.render.notation import LatexNotation

    notation = LatexNotation(symbols.latex)
    return "\n".join(recursion_align(recursion, notation) for recursion in recursions)


def _sympy(recursions: list[Recursion], symbols: Symbols) -> str:
    """An expression each; several with their names, which code takes as comments."""
    from ntkfeyn.render.sympy import shown, to_sympy

    named = symbols.ours and len(recursions) > 1
    return "".join(
        (f"# {recursion.id}\n" if named else "") + f"{shown(to_sympy(recursion, symbols), symbols)}\n"
        for recursion in recursions
    )


def _self_text(recursions: list[Recursion], symbols: Symbols) -> str:
    from ntkfeyn.render.susceptibilities import self_text

    return self_text(recursions, symbols)


def _self_latex(recursions: list[Recursion], symbols: Symbols) -> str:
    from ntkfeyn.render.susceptibilities import self_latex

    return self_latex(recursions, symbols)


def _self_sympy(recursions: list[Recursion], symbols: Symbols) -> str:
    from sympy import sstr

    from ntkfeyn.render.susceptibilities import self_sympy

    return "".join(f"{sstr(self_sympy(recursion, symbols))}\n" for recursion in recursions)


def _nothing(recursions: list[Recursion], symbols: Symbols) -> str:
    return ""


def _json(
    recursions: list[Recursion], products: bool, symbols: Symbols, susceptibilities: bool = False
) -> Iterator[str]:
    """The document in blocks of some size."""
    from ntkfeyn.render.json import recursion_pieces
    from ntkfeyn.render.notation import latex_of

    return _blocks(recursion_pieces(recursions, products, latex_of(symbols), susceptibilities))


def _blocks(pieces: Iterator[str]) -> Iterator[str]:
    while block := "".join(islice(pieces, PIECES)):
        yield block
