"""ntkfeyn verify"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from click.core import ParameterSource

from ntkfeyn.cli.number_types import INT
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
    metavar="TEXT",
    show_default="z + z**2/2; after layer 2 also z**d/d, if diagrams need a d-th derivative",
    help="A polynomial in z; one a layer by ':'.",
)
@click.option(
    "--network",
    "network_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.toml",
    help="Small layers of its own: dense, conv, graph. Its couplings are not used: they stay random.",
)
@click.option("--samples", type=INT, default=2, show_default=True, metavar="N", help="Number of distinct inputs.")
@click.option("--width", metavar="n1:n2:..", help="Relative widths of the layers, e.g. 2:3:5 (default: equal widths).")
@click.option("--cw", metavar="Q", help="C_W as a rational (default: random; likewise the next three).")
@click.option("--cb", metavar="Q", help="C_b.")
@click.option("--lambda-w", metavar="Q", help="lambda_W.")
@click.option("--lambda-b", metavar="Q", help="lambda_b.")
@click.option("--seed", type=INT, default=1, show_default=True, help="Seed of the random rational parameters.")
@click.option("--controls/--no-controls", default=True, show_default=True, help="Leave out and double each diagram.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@written_option("--certificate", help="Write the JSON certificate here.")
def command(
    request: TargetRequest,
    weights: str,
    layers: str | None,
    activation: str | None,
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

    The default activation is of the lowest degree at which no diagram is zero: always z + z**2/2, and after layer 2,
    if layer 3 is the last one compared, also z**d/d where a diagram needs a d-th derivative. Where this d would take
    minutes it is smaller, and the certificate names the diagrams that are asleep.

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
    case = asked.plain(layers) if network_file is None else asked.of_file(network_file, layers)
    found = _certify(targets, case, seed, controls)
    if not all(one.equal for one in found):
        answer_no()
    document = to_text(certificates_json(found))
    if certificate is not None:
        from ntkfeyn.runtime.files import write_file

        write_file(certificate, document)
    click.echo(document if form == "json" else "".join(map(certificate_text, found)), nl=False)
    end_with_answer()


def _certify(targets: list[Target], case: Case, seed: int, controls: bool) -> list[Certificate]:
    from ntkfeyn.cli.progress import progress
    from ntkfeyn.derivation.diagrams import full_diagrams
    from ntkfeyn.derivation.enumeration import enumerate_diagrams
    from ntkfeyn.verification.certify import certify, check_size

    layers, weights = case.layers, case.setting.weights
    settings = [case.setting_of(target) for target in targets]
    for (shape, _), setting in zip(targets, settings, strict=True):  # refuse before any work
        check_size(shape, layers, setting)
    steps = [len(full_diagrams(enumerate_diagrams(*target, weights).diagrams)) if controls else 0 for target in targets]
    found = []
    with progress("verify", sum(steps)) as advance:
        for (shape, order), setting in zip(targets, settings, strict=True):
            name = f"{shape.name}@{order}"
            advance.say(f"{name}: exact moments")
            step = partial(advance, f"{name}: controls")
            found.append(
                certify(shape, order, layers, setting, seed, controls=controls, advance=step, network=case.network)
            )
    return found


class Case(NamedTuple):
    """What is compared: layers, the setting and, of label maps, the network; ``default``: no activation was given."""

    layers: list[int]
    setting: Setting
    network: NamedNetwork | None
    default: bool

    def setting_of(self, target: Target) -> Setting:
        """With the default activations of a target, if none were given."""
        from ntkfeyn.verification.defaults import with_defaults

        return with_defaults(self.setting, *target, self.layers) if self.default else self.setting


class Request(NamedTuple):
    """The network that is asked for, as typed; ``couplings`` by their names in the theory."""

    activation: str | None
    samples: int
    widths: list[int] | None
    seed: int
    couplings: dict[str, Fraction]
    weights: str

    def plain(self, layers: str | None) -> Case:
        """Of a plain network. Raises NtkfeynError."""
        from ntkfeyn.model.polynomials import DEFAULT, polynomials
        from ntkfeyn.verification.certify import check_samples, random_setting
        from ntkfeyn.verification.per_layer import check_surplus

        check_samples(self.samples)
        setting = random_setting(
            self.seed,
            polynomials(DEFAULT if self.activation is None else self.activation),
            self.samples,
            self.widths or (),
            couplings=self.couplings,
            weights=self.weights,
        )
        chosen = _layers(LAYERS if layers is None else layers)
        check_surplus(max(chosen), setting)
        return Case(chosen, setting, None, self.activation is None)

    def of_file(self, path: Path, layers: str | None) -> Case:
        """Of the network in a file. Raises NtkfeynError."""
        from ntkfeyn.cli.network_options import network_of
        from ntkfeyn.errors import bad_request
        from ntkfeyn.model.network import Network
        from ntkfeyn.model.polynomials import DEFAULT
        from ntkfeyn.verification.certify import check_samples
        from ntkfeyn.verification.networks import network_setting
        from ntkfeyn.verification.per_layer import check_surplus

        check_samples(self.samples)
        typed = ("activation", "width", "weights", *COUPLINGS)
        source = click.get_current_context().get_parameter_source
        file = network_of(path, frozenset(name for name in typed if source(name) is not ParameterSource.DEFAULT))
        activation = DEFAULT if self.activation is None else self.activation
        network = Network(layers=file.layers, shape=file.shape, activation=activation, weights=self.weights)
        chosen = _layers(LAYERS if layers is None else layers)
        if layers is None:
            chosen = [layer for layer in chosen if layer <= network.depth] or [network.depth]
        if max(chosen) > network.depth:
            raise bad_request(
                f"layer {max(chosen)} of '{path}' was asked for", f"it has {network.depth} layers", "--layers 2"
            )
        found = network_setting(network, self.samples, self.seed, widths=self.widths, couplings=self.couplings)
        check_surplus(network.depth, found[0])
        return Case(chosen, *found, self.activation is None and "activation" not in file.sets)


def _layers(text: str) -> list[int]:
    return sorted(set(_integers(text, ",", "--layers", "--layers 2,3")))


def _integers(text: str, separator: str, option: str, hint: str) -> list[int]:
    from ntkfeyn.errors import bad_request
    from ntkfeyn.model.numbers import read_number

    try:
        found = [read_number(word, int) for word in text.split(separator)]
        if len(found) > 99 or not all(1 <= number < 10**6 for number in found):
            raise ValueError
    except ValueError as error:
        allowed = f"positive integers, separated by '{separator}', are allowed"
        raise bad_request(f"{option} '{text[:60]}'", allowed, hint) from error
    return found


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
