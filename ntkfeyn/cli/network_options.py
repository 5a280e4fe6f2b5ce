"""Options that describe networks and their inputs, the same for every command that takes numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from ntkfeyn.cli.completion import activation_names, offering
from ntkfeyn.cli.number_types import INT
from ntkfeyn.cli.options import json_option, written_option
from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.model.activations import NAMES
from ntkfeyn.model.ensembles import ENSEMBLES, GAUSSIAN

if TYPE_CHECKING:
    from ntkfeyn.model.network import Network
    from ntkfeyn.model.network_file import NetworkFile


class NetworkRequest(NamedTuple):
    """What the user asks for, as typed."""

    activation: str | None
    depth: int | None
    width: str | None
    couplings: dict[str, str]
    weights: str
    inputs: Path | None
    gram: Path | None
    file: Path | None = None
    given: frozenset[str] = frozenset()  # names of the options that were typed, or stand in a run file

    def networks(self) -> tuple[Network, ...]:
        """One network a width setting. Raises NtkfeynError."""
        from ntkfeyn.model.network import Network
        from ntkfeyn.model.numbers import parse_numbers, parse_widths

        layers = None if self.file is None else network_of(self.file, self.given)
        sets = layers.sets if layers is not None else frozenset()
        for name, value in (("activation", self.activation), ("width", self.width), ("depth", self.depth)):
            if value is None and name not in sets and (layers is None or name != "depth"):
                where = "" if layers is None else f", as '{self.file}' does not set it"
                raise bad_request(f"no {name} was given", f"--{name} is needed{where}", f"--{name} {_EXAMPLES[name]}")
        numbers: dict[str, Any] = {
            name: parse_numbers("--" + name.replace("_", "-"), text) for name, text in self.couplings.items()
        }
        rest: dict[str, Any] = {
            "activation": "relu" if self.activation is None else self.activation,
            **numbers,
            "weights": self.weights,
        }
        if layers is None:
            rest["depth"] = self.depth
        else:
            rest |= {"layers": layers.layers, "shape": layers.shape}
        made = (Network(width=width, **rest) for width in parse_widths("1" if self.width is None else self.width))
        return tuple(dict.fromkeys(made))

    def samples(self) -> dict[str, Any]:
        """``gram``: x.x'/n_0 of the inputs or their labels; ``inputs``: the vectors, if given. Raises NtkfeynError."""
        from ntkfeyn.solve.inputs import gram_matrix, gram_of, label_vectors, read_array

        if (self.inputs is None) == (self.gram is None):
            raise bad_request(
                "inputs were given twice" if self.inputs else "no inputs were given",
                "one of --inputs FILE and --gram FILE is needed",
                "--inputs x.json with [[1, 0.5], [0.2, 1]]",
            )
        shape = None if self.file is None else self.networks()[0].shape
        if self.inputs is None:
            return {"gram": gram_matrix(read_array(self.gram or Path()), shape), "inputs": None}
        given = label_vectors(read_array(self.inputs), shape)
        return {"gram": gram_of(given), "inputs": given}


def network_of(path: Path, given: frozenset[str]) -> NetworkFile:
    """The layers of a file; options of a network that it sets are refused. Raises NtkfeynError."""
    from ntkfeyn.model import network_file
    from ntkfeyn.runtime.files import read_toml
    from ntkfeyn.solve.inputs import read_array

    def read(name: str) -> Any:
        return read_array(path.parent / name)

    try:
        tables = read_toml(path, network_file.MAX_BYTES, "network", network_file.ALLOWED)
        found = network_file.read_layers(tables, read)
    except NtkfeynError as error:
        raise error if str(path) in str(error) else type(error)(f"'{path}': {error}") from error
    for name in sorted(given & {*found.sets, "depth"}):
        option = "--" + name.replace("_", "-")
        raise bad_request(
            f"{option} was given with --network '{path}'", "the file sets it", f"--network '{path}' without {option}"
        )
    return found


def result_options(function: Callable[..., Any], formats: Sequence[str] = ("table", "json")) -> Callable[..., Any]:
    """--jobs, --scheduler, --format, --json: the same for every command that ends in numbers."""
    for decorate in (
        json_option,
        click.option(
            "--format",
            "form",
            type=click.Choice(list(formats)),
            default="table",
            show_default=True,
            help="What to print.",
        ),
        click.option("--scheduler", metavar="TCP://HOST:PORT", help="A Dask cluster does the work; same numbers."),
        click.option("--jobs", type=INT, default=1, show_default=True, metavar="N", help="Processes; same numbers."),
    ):
        function = decorate(function)
    return function


def sampling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--networks, --seed, --checkpoint, --resume, --backend: passed on as ``sampling``, a Sampling."""

    @wraps(function)
    def gathered(
        *args: Any, networks: int, seed: int, checkpoint: Path | None, resume: bool, backend: str, **rest: Any
    ) -> Any:
        from ntkfeyn.sampling.estimation import Sampling

        return function(*args, sampling=Sampling(networks, seed, checkpoint, resume, backend=backend), **rest)

    decorated: Callable[..., Any] = gathered
    for decorate in (
        click.option(
            "--backend",
            type=click.Choice(["numpy", "jax"]),
            default="numpy",
            show_default=True,
            help="What does the matrix products of the NTK; jax uses its device.",
        ),
        click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same numbers."),
        written_option("--checkpoint", help="Keep what is done in this file."),
        click.option("--seed", type=INT, default=1, show_default=True, help="The numbers depend on it alone."),
        click.option(
            "--networks", type=INT, default=3200, show_default=True, metavar="N", help="Networks of each width."
        ),
    ):
        decorated = decorate(decorated)
    return decorated


def show(document: dict[str, Any], text: str, form: str, json_file: Path | None) -> None:
    """Write the JSON where asked, then print it or the text."""
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_file

    if json_file is not None:
        write_file(json_file, to_text(document))
    click.echo(to_text(document) if form == "json" else text, nl=False)


_NETWORK = ("activation", "depth", "width")
_EXAMPLES = {"activation": "gelu", "depth": "4", "width": "64"}
_FILE = click.Path(dir_okay=False, path_type=Path)
_COUPLINGS = (
    ("--cw", "1", "C_W: weights have variance C_W/n."),
    ("--cb", "0", "C_b: variance of the biases."),
    ("--lambda-w", "1", "lambda_W: weights have gradient weight lambda_W/n."),
    ("--lambda-b", "0", "lambda_b: gradient weight of the biases."),
)
_WEIGHTS = click.option(
    "--weights",
    default=GAUSSIAN,
    show_default=True,
    metavar="NAME[:NAME..]",
    shell_complete=offering(*ENSEMBLES),
    help="gaussian or orthogonal, which leaves layer 1 Gaussian. One a layer by ':'.",
)

_OPENED = [  # what a file may leave open
    click.option(
        "--activation",
        metavar="NAME[:NAME..]",
        shell_complete=activation_names,
        help=f"{', '.join(NAMES)}, or an expression. One a hidden layer by ':'.",
    ),
    click.option("--inputs", type=_FILE, metavar="FILE", help="A list of vectors: .json, .npy or .csv."),
    click.option("--gram", type=_FILE, metavar="FILE", help="x.x'/n_0 instead of inputs."),
    click.option(
        "--width",
        metavar="n,n,..",
        help="Width of the hidden layers, or one a hidden layer as 32:64:32; several settings by comma.",
    ),
    *(
        click.option(name, default=default, show_default=True, metavar="X[:X..]", help=text + " One a layer by ':'.")
        for name, default, text in _COUPLINGS
    ),
    _WEIGHTS,
]
_OPTIONS = [
    *_OPENED,
    click.option("--depth", type=INT, metavar="L", help="Number of layers; layer L is the output."),
    click.option(
        "--network",
        "network_file",
        type=_FILE,
        metavar="FILE.toml",
        help="Layers of its own: dense, conv, graph. Options that it sets are refused.",
    ),
]


def network_options(function: Callable[..., Any], options: Sequence[Any] | None = None) -> Callable[..., Any]:
    """--activation, --inputs, --depth, --width, ..: passed on as ``network``, a NetworkRequest."""

    @wraps(function)
    def gathered(
        *args: Any,
        activation: str | None,
        width: str | None,
        network_file: Path | None,
        inputs: Path | None,
        gram: Path | None,
        cw: str,
        cb: str,
        lambda_w: str,
        lambda_b: str,
        weights: str,
        depth: int | None = None,
        **rest: Any,
    ) -> Any:
        couplings = {"cw": cw, "cb": cb, "lambda_w": lambda_w, "lambda_b": lambda_b}
        source = click.get_current_context().get_parameter_source
        typed = {*_NETWORK, *couplings, "weights"}
        given = frozenset(name for name in typed if source(name) not in (None, ParameterSource.DEFAULT))
        request = NetworkRequest(activation, depth, width, couplings, weights, inputs, gram, network_file, given)
        return function(*args, network=request, **rest)

    decorated: Callable[..., Any] = gathered
    for decorate in reversed(_OPTIONS if options is None else options):
        decorated = decorate(decorated)
    return decorated


def network_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """``network_options`` with FILE.toml as an argument instead of --network and --depth."""
    argument = click.argument("network_file", metavar="FILE.toml", type=_FILE)
    return network_options(function, [argument, *_OPENED])
