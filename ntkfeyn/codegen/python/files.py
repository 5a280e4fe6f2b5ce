"""Python and JAX: a module that solves a System on its own, with NumPy (or JAX) alone.

Enters: a ``Program``, and the network that it is for, if there is one. Leaves: the module: one vectorised function a
tensor, placement tables, quadrature, a ``solve`` driver and a command line. Templates hold what does not depend on the
System.
"""

from __future__ import annotations

from ntkfeyn.codegen.ir import Program
from ntkfeyn.codegen.lowering import lower
from ntkfeyn.codegen.python.baked import baked
from ntkfeyn.codegen.python.formatter import PythonFormatter, listed, row
from ntkfeyn.model.network import Network
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.templates import renderer

DEFAULTS = {  # of the arguments of ``solve`` that describe a network
    "depth": "3", "widths": "64", "activation": '"gelu"',
    "C_W": "1.0", "C_b": "0.0", "lambda_W": "1.0", "lambda_b": "0.0",
}  # fmt: skip


def python_files(program: Program, stem: str, symbols: Symbols, network: Network | None = None) -> dict[str, str]:
    """A module for NumPy."""
    return {f"{stem}.py": _module(program, symbols, network, jax=False)}


def jax_files(program: Program, stem: str, symbols: Symbols, network: Network | None = None) -> dict[str, str]:
    """A module for JAX: the same steps, other imports."""
    return {f"{stem}_jax.py": _module(program, symbols, network, jax=True)}


def _module(program: Program, symbols: Symbols, network: Network | None, *, jax: bool) -> str:
    code, formatter = lower(program), PythonFormatter(symbols)
    return renderer()(
        "python/module.py.jinja",
        jax=jax,
        **formatter.head(code),
        targets=[str(target) for target in program.targets],
        spreads=[(spread.name, [row(one) for one in spread.rows]) for spread in program.spreads],
        expectations=[listed(orders) for orders in program.expectations],
        steps=[formatter.step(one) for one in code.steps],
        defaults=[(name, text if network is None else f'NETWORK["{name}"]') for name, text in DEFAULTS.items()],
        network=None if network is None else baked(network),
    )
