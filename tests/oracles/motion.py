"""Training at order 1/n by other means: equations of motion averaged by hand and integrated; networks solved exactly.

Written from the equations of motion alone: channels of A, B, P .. U with their Kronecker deltas over neurons, all
indices I = (output, sample) explicit; no eigenbasis, no derived sums, no divided differences.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import roots_genlaguerre, roots_jacobi

Array = NDArray[np.float64]


class Averages(NamedTuple):
    """Means over initialisations; every index is (output, sample), outputs outermost; all points in each."""

    theta: Array
    K: Array
    theta1: Array
    delta: Array  # E[Delta_12 Delta_34]
    star: Array  # E[dH_{0;12} z_3]
    third: Array  # E[ddI_{0;123}]
    path: Array  # E[ddII_1234]


def averages(tensors: Any, outputs: int) -> Averages:
    """From ``nf.evaluate`` with the names K Theta Theta@1 A B P Q R S T U: every channel, typed in by hand."""
    d = np.eye(outputs)
    of = tensors.array

    def four(spec: str, tensor: str, array: Array) -> Array:
        """delta delta T with indices (neuron, sample) interleaved: spec pairs neurons, tensor lists samples."""
        big = np.einsum(f"{spec[:2]},{spec[2:]},{tensor}->iajbkcld", d, d, array)
        size = outputs * array.shape[0]
        return np.asarray(big.reshape((size,) * 4))

    def two(array: Array) -> Array:
        return np.asarray(np.kron(d, array), dtype=np.float64)

    A, B, P, Q, R = of("A"), of("B"), of("P"), of("Q"), of("R")
    S, T, U = of("S"), of("T"), of("U")
    return Averages(
        two(of("Theta")), two(of("K")), two(of("Theta@1")),
        four("ijkl", "abcd", A) + four("ikjl", "acbd", B) + four("iljk", "adbc", B),
        four("iljk", "abcd", P) + four("ijkl", "abcd", Q) + four("ikjl", "acbd", Q),
        four("ijkl", "abcd", R) + four("ikjl", "acbd", R) + four("iljk", "adbc", R),
        four("ijkl", "abcd", S) + four("ikjl", "acbd", T) + four("iljk", "adbc", U),
    )  # fmt: skip


class Motion(NamedTuple):
    """At one time: order 0 and order 1 of the prediction (indices I), n E[H(t) - H(0)] (I, J)."""

    order0: Array
    order1: Array
    change: Array


def _moments(mean: Array, K: Array) -> tuple[Array, Array]:
    """E[e e], E[e e e] of a Gaussian vector."""
    second = K + np.multiply.outer(mean, mean)
    third = np.multiply.outer(np.multiply.outer(mean, mean), mean)
    crossed = np.multiply.outer(K, mean)
    return second, third + crossed + crossed.transpose(0, 2, 1) + crossed.transpose(2, 0, 1)


def _split(known: Averages, train: NDArray[np.int64]) -> tuple[Array, ...]:
    """Tensors with the first index (or two) free and the others on training points."""
    t = train
    star = known.star[:, :, :, :] + known.star.transpose(1, 0, 2, 3)  # dH_{I;JK} + dH_{J;IK} with z
    return star[:, :, t][:, :, :, t], known.delta[:, t][:, :, t][:, :, :, t]


def _seconds(known: Averages) -> tuple[Array, Array]:
    """dd_{I;JKL}, and dd_{I;JKL} + dd_{J;IKL}."""
    one = known.third + known.path + known.path.transpose(0, 2, 1, 3)
    return one, one + one.transpose(1, 0, 2, 3)


def flow(known: Averages, train: NDArray[np.int64], y: Array, times: list[float]) -> list[Motion]:
    """Gradient flow: one system of ordinary differential equations for every average, integrated numerically."""
    N, m = len(known.theta), len(train)
    star, delta = _split(known, train)
    _, pair = _seconds(known)
    dd = pair[:, :, train][:, :, :, train]
    theta, tt = known.theta[:, train], known.theta[np.ix_(train, train)]
    K = known.K[np.ix_(train, train)]
    second, third = _moments(-y, K)
    shapes = {"G": (m, m), "Phi": (m, m), "Psi": (m,) * 4, "C": (N, m, m), "a": (N, N), "b": (N, N, m), "z0": (N,),
              "z1": (N,)}  # fmt: skip
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    start = {name: np.zeros(shape) for name, shape in shapes.items()} | {"G": np.eye(m)}

    def parts(flat: Array) -> dict[str, Array]:
        pieces = np.split(flat, np.cumsum(sizes)[:-1])
        return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}

    def slope(_: float, flat: Array) -> Array:
        v = parts(flat)
        G, mean = v["G"], -v["G"] @ y
        E3 = np.einsum("jp,klqr,pqr->jkl", G, v["Psi"], third)
        src = known.theta1[:, train] @ mean + np.einsum("ijj->i", v["C"])
        src = src + v["a"][:, train] @ mean + np.einsum("ijm,jm->i", v["b"][:, train], G)
        src = src + np.einsum("ijkl,jkl->i", dd[:, train], E3)
        slopes = {
            "G": -tt @ G,
            "Phi": G,
            "Psi": np.einsum("km,ln->klmn", G, v["Phi"]),
            "C": -np.einsum("lm,ijm->ijl", tt, v["C"]) - np.einsum("ijlm,m->ijl", delta, mean),
            "a": -np.einsum("ijkm,km->ij", star, G),
            "b": -np.einsum("ijkm,k->ijm", star, mean),
            "z0": -theta @ mean,
            "z1": -theta @ v["z1"][train] - src,
        }
        return np.concatenate([slopes[name].ravel() for name in shapes])

    flat = np.concatenate([start[name].ravel() for name in shapes])
    solved = solve_ivp(slope, (0, max(times)), flat, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-12)
    found = []
    for column in solved.y.T:
        v = parts(column)
        change = v["a"] + np.einsum("ijkl,klqr,qr->ij", dd, v["Psi"], second)
        found.append(Motion(v["z0"], v["z1"], change))
    return found


def descent(known: Averages, train: NDArray[np.int64], y: Array, rate: float, steps: int) -> Motion:
    """Gradient descent, step by step: the Taylor series of a step in delta = rate * eps, to the order that counts.

    z -> z - H delta + dH delta^2 / 2 - ddI delta^3 / 6;  H_IJ -> H_IJ - (dH_{I;J} + dH_{J;I}) delta + (ddI_{I;J} +
    ddI_{J;I} + ddII_{IJKL} + ddII_{IJLK}) delta^2 / 2;  dH -> dH - dd delta.
    """
    N, m = len(known.theta), len(train)
    star, delta = _split(known, train)
    one, pair = _seconds(known)
    single = one[np.ix_(range(N), train, train, train)]
    dd = pair[:, :, train][:, :, :, train]
    jump = known.third + known.third.transpose(1, 0, 2, 3) + known.path + known.path.transpose(0, 1, 3, 2)
    jump = jump[:, :, train][:, :, :, train]
    alone = known.star[np.ix_(range(N), train, train, train)]
    cubic = known.third[np.ix_(range(N), train, train, train)]
    theta, tt = known.theta[:, train], known.theta[np.ix_(train, train)]
    second, third = _moments(-y, known.K[np.ix_(train, train)])
    step = np.eye(m) - rate * tt
    G, Phi, Psi, both = np.eye(m), np.zeros((m, m)), np.zeros((m,) * 4), np.zeros((m,) * 4)
    C, a, b = np.zeros((N, m, m)), np.zeros((N, N)), np.zeros((N, N, m))
    z0, z1 = np.zeros(N), np.zeros(N)
    for _ in range(steps):
        mean = -G @ y
        src = known.theta1[:, train] @ mean + np.einsum("ijj->i", C)
        src = src + a[:, train] @ mean + np.einsum("ijm,jm->i", b[:, train], G)
        src = src + np.einsum("ijkl,jp,klqr,pqr->i", dd[:, train], G, Psi, third)
        src = src + np.einsum("ijkl,jp,klqr,pqr->i", jump[:, train], G, both, third) / 2
        mixed = np.einsum("ijkm,jm,k->i", alone, G, mean) + np.einsum("ijkm,km,j->i", alone, G, mean)
        src = src - rate / 2 * mixed
        src = src + rate / 2 * np.einsum("ijkl,jp,kq,lr,pqr->i", single, G, G, Phi, third)
        src = src + rate**2 / 6 * np.einsum("ijkl,jp,kq,lr,pqr->i", cubic, G, G, G, third)
        z1 = z1 - rate * (theta @ z1[train] + src)
        z0 = z0 - rate * theta @ mean
        C = np.einsum("lm,ijm->ijl", step, C) - rate * np.einsum("ijlm,m->ijl", delta, mean)
        a = a - rate * np.einsum("ijkm,km->ij", star, G)
        b = b - rate * np.einsum("ijkm,k->ijm", star, mean)
        Psi = Psi + rate * np.einsum("km,ln->klmn", G, Phi)
        both = both + rate**2 * np.einsum("km,ln->klmn", G, G)
        Phi = Phi + rate * G
        G = step @ G
    change = a + np.einsum("ijkl,klqr,qr->ij", dd, Psi, second) + np.einsum("ijkl,klqr,qr->ij", jump, both, second) / 2
    return Motion(z0, z1, change)


# --- linear networks of depth 2 with one input and one output: three numbers say everything ---


def linear_mean(
    n: int, q: float, y: float, *, time: float = 0.0, rate: float = 0.0, steps: int = 0
) -> tuple[float, float]:
    """E[f] and E[H - H(0)] after training f = a.h, for C_W = lambda_W = 1, no biases and x.x/n_0 = q.

    h = W x moves by q a eps and a by h eps/n, so f, u = |a|^2 and v = |h|^2 are closed. Initially n u and v/q are chi^2
    with n degrees of freedom and the cosine between a and h is independent: Gauss rules for each, exactly n neurons.
    """
    nodes = 24
    chi, chi_weights = roots_genlaguerre(nodes, n / 2 - 1)
    cos, cos_weights = roots_jacobi(nodes, (n - 3) / 2, (n - 3) / 2)
    u, v, c = np.meshgrid(2 * chi / n, 2 * q * chi, cos, indexing="ij")
    weight = np.einsum("i,j,k->ijk", *(w / w.sum() for w in (chi_weights, chi_weights, cos_weights)))
    f = c * np.sqrt(u * v)
    first = v / n + q * u

    def slopes(f: Array, u: Array, v: Array) -> tuple[Array, Array, Array]:
        eps = f - y
        return -(v / n + q * u) * eps, -2 / n * f * eps, -2 * q * f * eps

    if steps:
        for _ in range(steps):
            eps = rate * (f - y)
            f, u, v = (
                f - (v / n + q * u) * eps + q / n * f * eps**2,
                u - 2 / n * f * eps + v / n**2 * eps**2,
                v - 2 * q * f * eps + q**2 * u * eps**2,
            )
    else:
        many = 200
        for _ in range(many):
            h, at = time / many, (f, u, v)
            k1 = slopes(*at)
            k2 = slopes(*(x + h / 2 * k for x, k in zip(at, k1, strict=True)))
            k3 = slopes(*(x + h / 2 * k for x, k in zip(at, k2, strict=True)))
            k4 = slopes(*(x + h * k for x, k in zip(at, k3, strict=True)))
            f, u, v = (x + h / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(at, k1, k2, k3, k4, strict=True))
    return float((weight * f).sum()), float((weight * (v / n + q * u - first)).sum())


def coefficient(values: dict[int, float]) -> tuple[float, float]:
    """Orders 0 and 1 of a function of 1/n known at several widths, from the polynomial through all of them."""
    n = np.array(sorted(values), dtype=float)
    known = np.array([values[int(k)] for k in n])
    table = np.vander(1 / n, len(n), increasing=True)
    found = np.linalg.solve(table, known)
    return float(found[0]), float(found[1])
