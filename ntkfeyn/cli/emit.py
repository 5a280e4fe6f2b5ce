"""ntkfeyn emit"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.completion import offering
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.number_types import INT
from ntkfeyn.cli.options import TargetRequest, shared_option, target_options, weights_option, written_option
from ntkfeyn.cli.progress import waiting
from ntkfeyn.codegen.backends import BACKENDS, LANGUAGES
from ntkfeyn.errors import bad_request

if TYPE_CHECKING:
    from ntkfeyn.model.network import Network
    from ntkfeyn.model.targets import Target
    from ntkfeyn.render.symbols import Symbols


@click.command("emit", short_help="Write recursions to files: LaTeX, HTML, Python, JAX or C.")
@target_options
@weights_option()
@shared_option("Weights shared over labels, as in convolutions, pooling and graphs; not in C.")
@click.option(
    "--network",
    "network_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.toml",
    help="Python, JAX: a module for this network alone, with its layers, widths and couplings.",
)
@notation_option
@click.option(
    "--lang",
    required=True,
    metavar="|".join(LANGUAGES),
    shell_complete=offering(*LANGUAGES),
    help="What to write: " + "; ".join(f"{row.name}, {row.writes}" for row in BACKENDS) + ".",
)
@written_option(
    "-o",
    "--output",
    "directory",
    directory=True,
    default=Path("outputs"),
    show_default=True,
    help="Directory for the files.",
)
@click.option("--cse/--no-cse", default=True, show_default=True, help="Code: share tables and partial sums.")
@click.option("--prefix", metavar="LETTERS", help="LaTeX: begins macros and labels (default: nkf).")
@click.option("--columns", type=INT, metavar="1|2", help="LaTeX: layout of the document (default: 1).")
@click.option("--terms-per-line", type=INT, metavar="K", help="LaTeX: terms on a line (default: 1).")
@click.option(
    "--style",
    metavar="full|compact",
    shell_complete=offering("full", "compact"),
    help="LaTeX: every term derived (default), or diagrams and recursions alone.",
)
@click.option("--closure", is_flag=True, help="LaTeX, HTML: all that the targets need too, in order of dependence.")
@click.option("--training", is_flag=True, help="LaTeX: a section on training at order 1/n, with P to U.")
@click.option("--depth", is_flag=True, help="LaTeX: how the tensors depend on the depth, for classes of activations.")
@click.option("--name", metavar="STEM", help="LaTeX, HTML: name of the document, and of the directory beside it.")
@click.option("--title", metavar="TEXT", help="LaTeX, HTML: title of the document.")
@click.option("--author", "authors", multiple=True, metavar="TEXT", help="LaTeX: author of the document. Repeatable.")
@click.option("--pdf", is_flag=True, help="LaTeX: compile the document too, with pdflatex or tectonic.")
@click.option("--expanded", is_flag=True, help="LaTeX: each diagram's terms also after Leibniz.")
@click.option(
    "--template",
    "templates",
    type=click.Path(file_okay=False, path_type=Path),
    help="LaTeX: a directory of templates that override ours.",
)
@click.option(
    "--certificate", type=click.Path(dir_okay=False, path_type=Path), help="LaTeX: cite this file of `verify`."
)
def command(
    request: TargetRequest,
    lang: str,
    directory: Path,
    certificate: Path | None,
    cse: bool,
    weights: str,
    shared: bool,
    network_file: Path | None,
    symbols: Symbols,
    **document: Any,
) -> None:
    """Write recursions to files: a LaTeX appendix with the diagrams, a page of HTML to read and click through, or code
    that solves them on its own.

    Without a target: every named tensor at its leading order, and K^{1}, Theta^{1}. Prints the path of the document or
    module (and of the PDF); LaTeX fragments for \\input lie in a directory beside it.

    \b
    Example: ntkfeyn emit --lang latex
             ntkfeyn emit --lang latex Theta@2 --closure --style compact --columns 2 --name theta2 -o appendix
             ntkfeyn emit --lang html Theta@2 --closure -o atlas
             ntkfeyn emit --lang python --cumulant Theta@1 -o code
             ntkfeyn emit --lang c --cumulant Theta@1 -o code
             ntkfeyn emit --lang latex V@1 --weights orthogonal -o appendix
             ntkfeyn emit --lang latex F Theta@1 --shared --name convolution -o appendix
             ntkfeyn emit --lang python Theta@1 --shared -o code
    """
    from ntkfeyn.api import emit_targets
    from ntkfeyn.model.targets import default_targets
    from ntkfeyn.render.latex.appendix import LatexOptions, misplaced

    asked = request.names or request.legs is not None or request.channel is not None
    given = {name: value for name, value in document.items() if not (value is None or value is False or value == ())}
    if lang in LANGUAGES and (found := misplaced(lang, [*given, *(["certificate"] if certificate else [])])):
        option = {"authors": "author", "templates": "template"}.get(found[0], found[0]).replace("_", "-")
        raise bad_request(f"--{option} was given with --lang {lang}", found[1], "--lang latex")
    targets = request.targets() if asked else default_targets(request.order)
    options = LatexOptions(**given)
    if lang == "latex":
        options.check()  # before a certificate is made again
    network = None if network_file is None else _network(network_file)
    law: dict[str, Any] = {"weights": weights, "shared": shared, "network": network}
    with waiting("deriving", targets if asked else []):
        if certificate is not None and lang == "latex":
            options = replace(options, certificates=_citations(certificate, targets, weights, shared))
        paths = emit_targets(targets, lang, directory, options, cse=cse, symbols=symbols, **law)
    _tell(paths)


def _tell(paths: Sequence[Path]) -> None:
    """The file to open and its PDF; beside them, on stderr, what else was written."""
    compiled = [path for path in paths if path.suffix == ".pdf"]
    for path in (paths[0], *compiled):
        click.echo(str(path))
    if len(paths) > 1 and paths[1].parent == paths[0].parent:
        click.echo("and " + ", ".join(str(path) for path in paths[1:]), err=True)
    elif len(paths) > 1:
        click.echo(f"and {len(paths) - 1 - len(compiled)} files to input in {paths[1].parent}", err=True)


def _network(path: Path) -> Network:
    """The network of a file, which has to say all of it. Raises NtkfeynError."""
    from ntkfeyn.cli.network_options import network_of
    from ntkfeyn.model.network import Network

    found = network_of(path, frozenset())
    for name in ("activation", "width"):
        if name not in found.sets and len(found.layers) > 1:
            raise bad_request(
                f"'{path}' has no {name}", f"the {name} of its layers is needed", f"{name} = .. in each [[layer]]"
            )
    return Network(layers=found.layers, shape=found.shape)


def _citations(certificate: Path, targets: list[Target], weights: str, shared: bool) -> dict[str, str]:
    """Footnotes by recursion hash. Every certificate is made again, which takes as long as `verify` took."""
    if shared:
        asked = "--certificate was given with --shared"
        raise bad_request(asked, "certificates are of networks whose layers are dense", "one of both")
    from ntkfeyn.derivation.recursion import derive_recursion
    from ntkfeyn.verification.citations import read_certificates

    return read_certificates(certificate, [derive_recursion(*target, weights=weights) for target in targets])
