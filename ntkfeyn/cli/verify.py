"""ntkfeyn verify"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from click.core import ParameterSource

from ntkfeyn.cli.options import (
    TargetRequest,
    answer_no,
    end_with_answer,
    target_options,
    weights_option,
    written_option,
)

if TYPE_CHECKING:
    from ntkfeyn.judge.setting import Setting
    from ntkfeyn.model.targets import Target
    from ntkfeyn.verification.certify import Certificate, NamedNetwork

LAYERS = "2,3"
COUPLINGS = {"cw": "C_W", "cb": "C_b", "lambda_w": "lambda_W", "lambda_b": "lambda_b"}


@click.command("verify", short_help="Compare a recursion with exact finite-width cumulants.")
@target_options
@weights_option("Law of the weights of all layers but the first.")
@click.option(
    "--layers",
    metavar="L,L,..",
    show_default="2,3; of these those that FILE.toml has",
    help="Layers to compare at.",
)
@click.option(
    "--activation",
    default="z + z**2/2",
    show_default=True,
    metavar="TEXT",
    help="A polynomial in z; one a layer by ':'.",
)
@click.option(
    "--network",
    "network_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.toml",
    help="Small layers of its own: dense, conv, graph. Its couplings are not used: they stay random.",
)
@click.option("--samples", type=int, default=2, show_default=True, metavar="N", help="Number of distinct inputs.")
@click.option("--width", metavar="n1:n2:..", help="Relative widths of the layers, e.g. 2:3:5 (default: equal widths).")
@click.option("--cw", metavar="Q", help="C_W as a rational (default: random; likewise the next three).")
@click.option("--cb", metavar="Q", help="C_b.")
@click.option("--lambda-w", metavar="Q", help="lambda_W.")
@click.option("--lambda-b", metavar="Q", help="lambda_b.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the random rational parameters.")
@click.option("--controls/--no-controls", default=True, show_default=True, help="Leave out and double each diagram.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@written_option("--certificate", help="Write the JSON certificate here.")
def command(
    request: TargetRequest,
    weights: str,
    layers: str | None,
    activation: str,
    network_file: Path | None,
    samples: int,
    width: str | None,
    seed: int,
    controls: bool,
    form: str,
    certificate: Path | None,
    **couplings: str | None,
) -> None:
    """Compare a recursion with exact finite-width cumulants of polynomial networks, coefficient by coefficient.

    Exit code 0: every coefficient of 1/n is equal, exactly. 1: some differ. The controls repeat the comparison with
    each diagram left out and counted twice: then it must fail.

    \b
    Example: ntkfeyn verify F
             ntkfeyn verify --cumulant Theta@1 --layers 2,3,4 --samples 1 --certificate theta.json
             ntkfeyn verify V F@2 --weights orthogonal --width 2:3:2
             ntkfeyn verify F --network net.toml --samples 1
    """
    from ntkfeyn.render.json import to_text
    from ntkfeyn.verification.certificates import certificate_text, certificates_json

    targets = request.targets()
    given = {COUPLINGS[name]: _rational(name, text) for name, text in couplings.items() if text is not None}
    widths = _integers(width, ":", "--width", "--width 2:3:5") if width is not None else None
    asked = Request(activation, samples, widths, seed, given, weights)
    network: NamedNetwork | None = None
    if network_file is None:
        chosen, setting = _layers(layers or LAYERS), asked.setting()
    else:
        chosen, setting, network = asked.of_file(network_file, layers)
    found = _certify(targets, chosen, setting, seed, controls, network)
    if not all(one.equal for one in found):
        answer_no()
    document = to_text(certificates_json(found))
    if certificate is not None:
        from ntkfeyn.runtime.files import write_file

        write_file(certificate, document)
    click.echo(document if form == "json" else "".join(map(certificate_text, found)), nl=False)
    end_with_answer()


def _certify(
    targets: list[Target],
    layers: list[int],
    setting: Setting,
    seed: int,
    controls: bool,
    network: NamedNetwork | None,
) -> list[Certificate]:
    from ntkfeyn.cli.progress import progress
    from ntkfeyn.derivation.diagrams import full_diagrams
    from ntkfeyn.derivation.enumeration import enumerate_diagrams
    from ntkfeyn.verification.certify import certify, check_size

    for shape, _ in targets:  # refuse before any work
        check_size(shape, layers, setting)
    steps = [
        len(full_diagrams(enumerate_diagrams(*target, setting.weights).diagrams)) if controls else 0
        for target in targets
    ]
    found = []
    with progress("verify", sum(steps)) as advance:
        for target in targets:
            shape, order = target
            advance.say(f"{target.id}: exact moments")
            step = partial(advance, f"{target.id}: controls")
            found.append(certify(shape, order, layers, setting, seed, controls=controls, advance=step, network=network))
    return found


class Request(NamedTuple):
    """The network that is asked for, as typed; ``couplings`` by their names in the theory."""

    activation: str
    samples: int
    widths: list[int] | None
    seed: int
    couplings: dict[str, Fraction]
    weights: str

    def setting(self) -> Setting:
        """Of a plain network. Raises NtkfeynError."""
        from ntkfeyn.model.polynomials import polynomials
        from ntkfeyn.verification.certify import check_samples, random_setting

        check_samples(self.samples)
        return random_setting(
            self.seed,
            polynomials(self.activation),
            self.samples,
            self.widths or (),
            couplings=self.couplings,
            weights=self.weights,
        )

    def of_file(self, path: Path, layers: str | None) -> tuple[list[int], Setting, NamedNetwork | None]:
        """Layers to compare at, and of the network in a file that these are of. Raises NtkfeynError."""
        from ntkfeyn.cli.network_options import network_of
        from ntkfeyn.errors import bad_request
        from ntkfeyn.model.network import Network
        from ntkfeyn.verification.certify import check_samples
        from ntkfeyn.verification.networks import network_setting

        check_samples(self.samples)
        typed = ("activation", "width", "weights", *COUPLINGS)
        source = click.get_current_context().get_parameter_source
        file = network_of(path, frozenset(name for name in typed if source(name) is not ParameterSource.DEFAULT))
        network = Network(layers=file.layers, shape=file.shape, activation=self.activation, weights=self.weights)
        chosen = _layers(layers or LAYERS)
        if layers is None:
            chosen = [layer for layer in chosen if layer <= network.depth] or [network.depth]
        if max(chosen) > network.depth:
            raise bad_request(
                f"layer {max(chosen)} of '{path}' was asked for", f"it has {network.depth} layers", "--layers 2"
            )
        found = network_setting(network, self.samples, self.seed, widths=self.widths, couplings=self.couplings)
        return chosen, *found


def _layers(text: str) -> list[int]:
    return sorted(set(_integers(text, ",", "--layers", "--layers 2,3")))


def _integers(text: str, separator: str, option: str, hint: str) -> list[int]:
    from ntkfeyn.errors import bad_request

    words = text.split(separator)
    if len(words) > 99 or not all(re.fullmatch(r" *[1-9][0-9]{0,5} *", word, re.ASCII) for word in words):
        raise bad_request(
            f"{option} '{text[:60]}'", f"positive integers, separated by '{separator}', are allowed", hint
        )
    return [int(word) for word in words]


def _rational(name: str, text: str) -> Fraction:
    from ntkfeyn.errors import bad_request

    option = "--" + name.replace("_", "-")
    try:
        if not re.fullmatch(r"-?[0-9]{1,12}(/[0-9]{1,12}|\.[0-9]{1,12})?", text, re.ASCII):
            raise ValueError
        value = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise bad_request(f"{option} '{text}'", "a rational such as 3/2 or 0.25 is allowed", f"{option} 3/2") from error
    if value < 0:
        raise bad_request(f"{option} {text}", "a rational from 0 up is allowed", f"{option} 3/2")
    return value
