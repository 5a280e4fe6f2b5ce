"""Order 0 of convolutional networks against neural-tangents: its numbers as they came out, and live where it installs.

It does not install beside a recent JAX: the numbers were made with neural-tangents 0.6.5 and JAX 0.4.30 in double
precision. Its layers take inputs with channels last; parameterization "ntk", with W_std^2 and b_std^2 as gradient
weights as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ntkfeyn as nf

X = np.random.default_rng(3).normal(size=(2, 8, 3))
W_STD, B_STD = 1.2, 0.3
COUPLINGS = {"cw": W_STD**2, "cb": B_STD**2, "lambda_w": W_STD**2, "lambda_b": B_STD**2}
NETWORKS: dict[str, list[Any]] = {
    "pooled": [nf.Conv(), nf.Conv(), nf.Dense(pool="mean")],
    "strided": [nf.Conv(stride=2, padding="zero"), nf.Conv(kernel=2, padding="valid"), nf.Dense(pool="flatten")],
}
KNOWN = {
    "pooled": {
        "K": [[0.2560345004294262, 0.0832126540838166], [0.0832126540838166, 0.3380707674734901]],
        "Theta": [[0.6058304936050913, 0.005419154210154514], [0.005419154210154528, 0.8407215287493104]],
    },
    "strided": {
        "K": [[0.7011450538634607, 0.2561459806124131], [0.2561459806124131, 0.7266163211525375]],
        "Theta": [[2.336882782964845, 0.5316231972997187], [0.5316231972997187, 2.460937723898197]],
    },
}


@pytest.mark.parametrize("name", NETWORKS)
def test_means(name: str) -> None:
    network = nf.Network(layers=NETWORKS[name], shape=(3, 8), width=8, activation="erf", **COUPLINGS)
    found = nf.evaluate(network, X.transpose(0, 2, 1), ["K", "Theta"])
    for mean, exact in KNOWN[name].items():
        assert found.array(mean) == pytest.approx(np.array(exact), rel=1e-6)


def test_the_numbers_are_those_of_the_package() -> None:
    """Where it can be imported at all."""
    try:
        import jax
        from neural_tangents import stax
    except Exception as error:
        pytest.skip(f"neural-tangents: {error}")
    jax.config.update("jax_enable_x64", True)
    given = {"W_std": W_STD, "b_std": B_STD, "parameterization": "ntk"}
    layers = {
        "pooled": (
            stax.Conv(16, (3,), padding="CIRCULAR", **given), stax.Erf(),
            stax.Conv(16, (3,), padding="CIRCULAR", **given), stax.Erf(), stax.GlobalAvgPool(), stax.Dense(1, **given),
        ),
        "strided": (
            stax.Conv(16, (3,), strides=(2,), padding="SAME", **given), stax.Erf(),
            stax.Conv(16, (2,), padding="VALID", **given), stax.Erf(), stax.Flatten(), stax.Dense(1, **given),
        ),
    }  # fmt: skip
    for name, several in layers.items():
        kernel = stax.serial(*several)[2]
        for mean, which in (("K", "nngp"), ("Theta", "ntk")):
            assert np.asarray(kernel(X, None, which)) == pytest.approx(np.array(KNOWN[name][mean]), rel=1e-9)
