"""Trained networks: batches of finite networks under gradient flow or descent (THEORY section 12).

An independent judge: no tensor, recursion or expectation is used here.

Enters: layers, inputs, targets, random numbers. Leaves: outputs and neural tangent kernels. Arrays have a first axis of
networks; ``kernel`` axes are (networks, point, output, point, output), the parameters weighted with lambda.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.network import Layer
from ntkfeyn.sampling.law import drawn_weights, normals

Array = NDArray[np.float64]
NULL = 1e-10  # share of the largest eigenvalue of a network's kernel below which a mode does not move


class Problem(NamedTuple):
    """What networks have in common; ``inputs`` (points, n_0), training points first; ``targets`` (those, outputs)."""

    layers: tuple[Layer, ...]
    inputs: Array
    targets: Array

    @property
    def trained(self) -> int:
        return len(self.targets)

    @property
    def below(self) -> tuple[int, ...]:
        """The width below each layer."""
        return (self.inputs.shape[1], *(layer.width for layer in self.layers if layer.width is not None))

    @property
    def functions(self) -> list[Callable[[Array], list[Array]]]:
        """s and s' of each hidden layer."""
        names = [layer.activation for layer in self.layers if layer.activation is not None]
        return [lambda z, name=name: activation(name).table(z, 1) for name in names]  # type: ignore[misc]

    @property
    def floats(self) -> int:
        """Parameters of one network."""
        above = [*(layer.width or 0 for layer in self.layers[:-1]), self.targets.shape[1]]
        return sum(n * (m + 1) for n, m in zip(above, self.below, strict=True))


Parameters = list[Array]  # weights (networks, above, below) and biases (networks, 1, above) of each layer in turn


def drawn(problem: Problem, streams: list[np.random.Generator]) -> Parameters:
    """Networks at initialisation, each from its own random numbers."""
    outputs, found = problem.targets.shape[1], []
    for i, (layer, n) in enumerate(zip(problem.layers, problem.below, strict=True)):
        rows = layer.width or outputs
        weights = drawn_weights(streams, layer, rows, n) if i else normals(streams, rows, n) * np.sqrt(layer.C_W / n)
        found += [weights, normals(streams, 1, rows) * np.sqrt(layer.C_b)]
    return found


def mirrored(parameters: Parameters) -> Parameters:
    """Each network, and then each with the last layer's sign changed: outputs are opposite, the kernel the same."""
    signs = [1.0] * (len(parameters) - 2) + [-1.0, -1.0]
    return [np.concatenate([one, sign * one]) for one, sign in zip(parameters, signs, strict=True)]


class Slope(NamedTuple):
    """-dL/d theta as what it is a product of: per layer minus the residuals carried back to it, and what enters it.

    Shapes (networks, inputs, neurons); the velocity of the weights is lambda_W/n back^T entering, of few terms only, so
    that a network moved along it is evaluated without its weights ever being written.
    """

    back: list[Array]
    entering: list[Array]


class Pass(NamedTuple):
    """A forward pass: what enters each layer and the slopes of what it came from, both (networks, points, neurons)."""

    entering: list[Array]
    slopes: list[Array]
    output: Array


def forward(
    problem: Problem, parameters: Parameters, points: int | None = None, along: Slope | None = None, h: float = 0.0
) -> Pass:
    """Of the first ``points`` points, or of all; of the network moved by ``h`` times the velocity ``along``."""
    s = problem.inputs[:points]
    entering: list[Array] = []
    slopes: list[Array] = []
    for i, layer in enumerate(problem.layers):
        entering.append(s)
        z = s @ parameters[2 * i].transpose(0, 2, 1) + parameters[2 * i + 1]
        if along is not None:
            moved, came = along.back[i], along.entering[i]
            z += h * layer.lambda_W / problem.below[i] * ((s @ came.swapaxes(-1, -2)) @ moved)
            z += h * layer.lambda_b * moved.sum(axis=1, keepdims=True)
        if layer.activation is None:
            return Pass(entering, slopes, z)
        s, slope = problem.functions[i](z)
        slopes.append(slope)
    raise AssertionError("the last layer has no activation")


def slope(problem: Problem, parameters: Parameters, along: Slope | None = None, h: float = 0.0) -> Slope:
    """That of L = 1/2 sum eps^2, of the network moved by ``h`` times the velocity ``along``, if given."""
    seen = forward(problem, parameters, problem.trained, along, h)
    back = problem.targets - seen.output  # -eps
    found = [back]
    for i in reversed(range(1, len(problem.layers))):
        down = back @ parameters[2 * i]
        if along is not None:
            rate = h * problem.layers[i].lambda_W / problem.below[i]
            down += rate * ((back @ along.back[i].swapaxes(-1, -2)) @ along.entering[i])
        back = down * seen.slopes[i - 1]
        found.append(back)
    return Slope(found[::-1], seen.entering)


def moved(problem: Problem, parameters: Parameters, slopes: Sequence[tuple[float, Slope]]) -> Parameters:
    """d theta = -lambda dL/d theta, summed over slopes with the times that each is followed for."""
    found: Parameters = []
    for i, layer in enumerate(problem.layers):
        back = np.concatenate([h * one.back[i] for h, one in slopes], axis=1)
        shape = (len(back), problem.trained, problem.below[i])
        entering = np.concatenate([np.broadcast_to(one.entering[i], shape) for _, one in slopes], axis=1)
        step = (layer.lambda_W / problem.below[i] * back).transpose(0, 2, 1) @ entering
        step += parameters[2 * i]
        found += [step, parameters[2 * i + 1] + layer.lambda_b * back.sum(axis=1, keepdims=True)]
    return found


def kernel(problem: Problem, parameters: Parameters) -> Array:
    """The neural tangent kernel between all points and outputs."""
    seen = forward(problem, parameters)
    networks, points, outputs = seen.output.shape
    back = np.broadcast_to(np.eye(outputs), (networks, points, outputs, outputs))  # (.., point, output, neuron)
    total = np.zeros((networks, points, outputs, points, outputs))
    for i in reversed(range(len(problem.layers))):
        layer, n = problem.layers[i], problem.below[i]
        entering = seen.entering[i]
        fresh = layer.lambda_b + layer.lambda_W / n * (entering @ np.swapaxes(entering, -1, -2))
        rows = back.reshape(networks, points * outputs, -1)
        both = (rows @ rows.transpose(0, 2, 1)).reshape(total.shape)
        total += both * np.broadcast_to(fresh, (networks, points, points))[:, :, None, :, None]
        if i:
            back = (back @ parameters[2 * i][:, None]) * seen.slopes[i - 1][:, :, None]
    return total


def averaged(full: Array) -> Array:
    """The kernel of one output neuron, averaged over them: (networks, points, points)."""
    return np.asarray(np.einsum("manbn->mab", full) / full.shape[2])


def frozen(problem: Problem, full: Array, since: Callable[[Array], Array]) -> Array:
    """The linearised network with output zero at the start: (times, networks, points, outputs).

    ``since`` gives the integral of exp(-w s), or the sum over steps, to each time: w (..) -> (times, ..).
    """
    trained, outputs = problem.targets.shape
    networks, points = full.shape[:2]
    rows = full[:, :, :, :trained].reshape(networks, points * outputs, trained * outputs)
    values, vectors = np.linalg.eigh(rows[:, : trained * outputs])
    values = np.where(values <= NULL * values[:, -1:], 0.0, values)
    targets = np.einsum("mkw,k->mw", vectors, problem.targets.ravel())
    held = np.where(values > 0, targets, 0.0) * since(values)
    found = np.einsum("mkw,tmw->mtk", rows @ vectors, held)
    return np.asarray(found.reshape(networks, held.shape[0], points, outputs))


def settled(problem: Problem, parameters: Parameters) -> tuple[Array, Array]:
    """Outputs at infinite time for networks that are all but trained, by their kernel, and that kernel."""
    trained, outputs = problem.targets.shape
    full, output = kernel(problem, parameters), forward(problem, parameters).output
    networks, points = full.shape[:2]
    left = (problem.targets - output[:, :trained]).reshape(networks, -1)
    rows = full[:, :, :, :trained].reshape(networks, points * outputs, trained * outputs)
    values, vectors = np.linalg.eigh(rows[:, : trained * outputs])
    inverse = np.where(values > NULL * values[:, -1:], 1 / np.where(values > 0, values, 1.0), 0.0)
    step = np.einsum("mkw,mw,mjw,mj->mk", rows @ vectors, inverse, vectors, left, optimize=True)
    return output + step.reshape(output.shape), full


def flowed(problem: Problem, parameters: Parameters, time: float, steps: int) -> Parameters:
    """Gradient flow for a time, by ``steps`` steps of the classical Runge-Kutta method of order 4."""
    h = time / max(steps, 1)
    for _ in range(steps):
        first = slope(problem, parameters)
        second = slope(problem, parameters, first, h / 2)
        third = slope(problem, parameters, second, h / 2)
        fourth = slope(problem, parameters, third, h)
        parameters = moved(problem, parameters, [(h / 6, first), (h / 3, second), (h / 3, third), (h / 6, fourth)])
    return parameters


def descended(problem: Problem, parameters: Parameters, rate: float, steps: int) -> Parameters:
    """Gradient descent, exactly."""
    for _ in range(steps):
        parameters = moved(problem, parameters, [(rate, slope(problem, parameters))])
    return parameters
