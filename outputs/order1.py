# Made by ntkfeyn 0.1.0
# Request: K@0, Theta@0, V@1, D@1, F@1, A@1, B@1, P@1, Q@1, R@1, S@1, T@1, U@1, K@1, Theta@1
# K@0: 1 diagram, 2 product terms, recursion hash 9baa29d79df886a9
# Theta@0: 1 diagram, 2 product terms, recursion hash 7aa5f5dd8172cf2a
# V@1: 2 diagrams, 3 product terms, recursion hash 80b0fe0e2094e98c
# D@1: 3 diagrams, 4 product terms, recursion hash c7fb31315d7323a5
# F@1: 2 diagrams, 2 product terms, recursion hash 1dfac0a73f80ad68
# A@1: 5 diagrams, 6 product terms, recursion hash ce0311c1180c45ca
# B@1: 2 diagrams, 2 product terms, recursion hash b93694a7c40a72b3
# P@1: 3 diagrams, 3 product terms, recursion hash 8223fe74c8da22e3
# Q@1: 5 diagrams, 5 product terms, recursion hash 0e5b36b49c2d60a4
# R@1: 7 diagrams, 7 product terms, recursion hash 3b34a78da812dab5
# S@1: 5 diagrams, 5 product terms, recursion hash 33799c715f02fb32
# T@1: 13 diagrams, 13 product terms, recursion hash ae1945682a1b928e
# U@1: 2 diagrams, 2 product terms, recursion hash c72f976976251c99
# K@1: 2 diagrams, 2 product terms, recursion hash 871889472c2b6fc0
# Theta@1: 5 diagrams, 5 product terms, recursion hash 77b4c1ea746b22d1
# 701 multiplications a component of every tensor (1270 without partial sums)
"""Finite-width tensors of neural networks, layer by layer, from inputs or their Gram matrix.

As a program: python THIS_FILE --inputs x.json --depth 4 --width 64 --activation gelu:tanh:linear
As a module: solve(...) for everything, or one step_... function for one tensor at one layer.

Every tensor is an array of shape (samples,) * slots, indices in the order of its name below. A step
function takes
  expectation  expectation(orders, slots): the Gaussian mean, with kernel K at layer l, of the
               product over slots of the activation's derivative of that order at that slot's
               sample; slots are index arrays
  previous     previous["F@1"]: the tensors at layer l
  C_W, lambda_W, C_b, lambda_b, and width_ratio = n_l / n_(l-1), those that it needs
and returns the tensor at layer l+1.
"""

import argparse
import functools
import itertools
import json
import math
import sys

import numpy as np

try:
    from scipy.special import erf
except ImportError:
    erf = np.vectorize(math.erf, otypes=[float])

TARGETS = [
    "K@0",
    "Theta@0",
    "V@1",
    "D@1",
    "F@1",
    "A@1",
    "B@1",
    "P@1",
    "Q@1",
    "R@1",
    "S@1",
    "T@1",
    "U@1",
    "K@1",
    "Theta@1",
]

# Derivative orders of every Gaussian expectation that the recursions need.
EXPECTATIONS = [
    (0, 0),
    (0, 2),
    (0, 4),
    (1, 1),
    (1, 3),
    (1, 5),
    (2, 2),
    (2, 4),
    (3, 3),
    (0, 0, 0, 0),
    (0, 0, 1, 1),
    (0, 1, 1, 2),
    (1, 1, 1, 1),
    (1, 1, 1, 3),
    (1, 1, 2, 2),
]
TOP = max(max(orders) for orders in EXPECTATIONS)

# Placement tables: (slots that derivatives land on, orders after that, how often).
D0_0_by_2 = [
    ((0, 0), (2, 0), 1),
    ((0, 1), (1, 1), 2),
    ((1, 1), (0, 2), 1),
]
D0_0_by_4 = [
    ((0, 0, 0, 0), (4, 0), 1),
    ((0, 0, 0, 1), (3, 1), 4),
    ((0, 0, 1, 1), (2, 2), 2),
    ((0, 1, 0, 1), (2, 2), 4),
    ((0, 1, 1, 1), (1, 3), 4),
    ((1, 1, 1, 1), (0, 4), 1),
]
D0_1_by_1 = [
    ((0,), (1, 1), 1),
    ((1,), (0, 2), 1),
]
D1_0_by_1 = [
    ((0,), (2, 0), 1),
    ((1,), (1, 1), 1),
]
D1_1_by_11 = [
    ((0, 0), (3, 1), 1),
    ((0, 1), (2, 2), 1),
    ((1, 0), (2, 2), 1),
    ((1, 1), (1, 3), 1),
]
D1_1_by_2 = [
    ((0, 0), (3, 1), 1),
    ((0, 1), (2, 2), 2),
    ((1, 1), (1, 3), 1),
]
D1_1_by_4 = [
    ((0, 0, 0, 0), (5, 1), 1),
    ((0, 0, 0, 1), (4, 2), 4),
    ((0, 0, 1, 1), (3, 3), 2),
    ((0, 1, 0, 1), (3, 3), 4),
    ((0, 1, 1, 1), (2, 4), 4),
    ((1, 1, 1, 1), (1, 5), 1),
]
D2_1_by_1 = [
    ((0,), (3, 1), 1),
    ((1,), (2, 2), 1),
]


def hits(table, expectation, *slots):
    """All placements of derivatives on a product: (where they land, count times the mean)."""
    for labels, orders, count in table:
        yield tuple(slots[k] for k in labels), count * expectation(orders, slots)


def mesh(samples, slots):
    """Index arrays that broadcast to shape (samples,) * slots."""
    shape = [1] * slots
    return tuple(
        np.arange(samples).reshape([*shape[:k], samples, *shape[k + 1 :]]) for k in range(slots)
    )


def step_K(expectation, previous, C_W, C_b):
    """K_12 at layer l+1; rho = width_ratio.

    Legs z1 z2, channel 12.
    Returns shape (samples,) * 2, indices a1, a2.

    C_b
    + C_W ⟨σ_1 σ_2⟩
    """
    a1, a2 = mesh(len(previous["K@0"]), 2)
    total = 0
    # constant of the biases
    total = total + C_b
    # K:0:1
    total = total + C_W * expectation((0, 0), (a1, a2))
    return total


def step_Theta(expectation, previous, C_W, lambda_W, lambda_b):
    """Θ_12 at layer l+1; rho = width_ratio.

    Legs NTK12, channel 12.
    Returns shape (samples,) * 2, indices a1, a2.

    λ_b
    + ⟨Ω_12⟩
    """
    a1, a2 = mesh(len(previous["K@0"]), 2)
    total = 0
    Theta_0 = previous["Theta@0"]
    # constant of the biases
    total = total + lambda_b
    # Theta:0:1
    total = total + lambda_W * expectation((0, 0), (a1, a2))
    # Theta:0:1
    total = total + C_W * expectation((1, 1), (a1, a2)) * Theta_0[a1, a2]
    return total


def step_V(expectation, previous, C_W, width_ratio):
    """V_1234 at layer l+1; rho = width_ratio.

    Legs z1 z2 z3 z4, channel 12.34.
    Returns shape (samples,) * 4, indices a1, a2, a3, a4.

    C_W^2 ⟨σ_1 σ_2 σ_3 σ_4⟩
    - C_W^2 ⟨σ_1 σ_2⟩ ⟨σ_3 σ_4⟩
    + 1/4 ρ C_W^2 Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
      ⟨∂_b3∂_b4(σ_3 σ_4)⟩
    """
    a1, a2, a3, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    V_1 = previous["V@1"]
    # V:1:1
    total = total + C_W**2 * expectation((0, 0, 0, 0), (a1, a2, a3, a4))
    # V:1:1
    term = -1 * C_W**2 * expectation((0, 0), (a1, a2))
    term = term * expectation((0, 0), (a3, a4))
    total = total + term
    # V:1:2
    scale = C_W**2 * width_ratio / 4
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D0_0_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    return total


def step_D(expectation, previous, C_W, lambda_W, width_ratio):
    """D_1234 at layer l+1; rho = width_ratio.

    Legs z1 z2 NTK34, channel 12.34.
    Returns shape (samples,) * 4, indices a1, a2, a3, a4.

    C_W ⟨σ_1 σ_2 Ω_34⟩
    - C_W ⟨σ_1 σ_2⟩ ⟨Ω_34⟩
    + 1/4 ρ C_W Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
      ⟨∂_b3∂_b4(Ω_34)⟩
    + 1/2 ρ C_W^2 Σ_{b1,b2∈{1,2}} D_{b1 b2 3 4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩ ⟨σ'_3 σ'_4⟩
    """
    a1, a2, a3, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    D_1 = previous["D@1"]
    V_1 = previous["V@1"]
    # D:1:1
    total = total + C_W * lambda_W * expectation((0, 0, 0, 0), (a1, a2, a3, a4))
    # D:1:1
    total = total + C_W**2 * expectation((0, 0, 1, 1), (a1, a2, a3, a4)) * Theta_0[a3, a4]
    # D:1:1
    term = -1 * C_W * lambda_W * expectation((0, 0), (a1, a2))
    term = term * expectation((0, 0), (a3, a4))
    total = total + term
    # D:1:1
    term = -1 * C_W**2 * expectation((0, 0), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * Theta_0[a3, a4]
    total = total + term
    # D:1:2
    scale = C_W * lambda_W * width_ratio / 4
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D0_0_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # D:1:2
    scale = C_W**2 * width_ratio / 4 * Theta_0[a3, a4]
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D1_1_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # D:1:3
    scale = C_W**2 * width_ratio / 2 * expectation((1, 1), (a3, a4))
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * D_1[b1, b2, a3, a4]
    total = total + scale * sum1
    return total


def step_F(expectation, previous, C_W, width_ratio):
    """F_1324 at layer l+1; rho = width_ratio.

    Legs z1 z2 NTK34, channel 13.24.
    Returns shape (samples,) * 4, indices a1, a3, a2, a4.

    C_W^2 Θ_34 ⟨σ_1 σ_2 σ'_3 σ'_4⟩
    + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 3 b2 4} ⟨∂_b1(σ_1 σ'_3)⟩ ⟨∂_b2(σ_2 σ'_4)⟩
    """
    a1, a3, a2, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    F_1 = previous["F@1"]
    # F:1:1
    total = total + C_W**2 * expectation((0, 0, 1, 1), (a1, a2, a3, a4)) * Theta_0[a3, a4]
    # F:1:2
    scale = C_W**2 * width_ratio
    sum1 = 0
    for (b1,), mean1 in hits(D0_1_by_1, expectation, a1, a3):
        sum2 = 0
        for (b2,), mean2 in hits(D0_1_by_1, expectation, a2, a4):
            sum2 = sum2 + mean2 * F_1[b1, a3, b2, a4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    return total


def step_A(expectation, previous, C_W, lambda_W, width_ratio):
    """A_1234 at layer l+1; rho = width_ratio.

    Legs NTK12 NTK34, channel 12.34.
    Returns shape (samples,) * 4, indices a1, a2, a3, a4.

    ⟨Ω_12 Ω_34⟩
    - ⟨Ω_12⟩ ⟨Ω_34⟩
    + 1/4 ρ Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(Ω_12)⟩ ⟨∂_b3∂_b4(Ω_34)⟩
    + 1/2 ρ C_W Σ_{b1,b2∈{3,4}} D_{b1 b2 1 2} ⟨σ'_1 σ'_2⟩ ⟨∂_b1∂_b2(Ω_34)⟩
    + 1/2 ρ C_W Σ_{b1,b2∈{1,2}} D_{b1 b2 3 4} ⟨∂_b1∂_b2(Ω_12)⟩ ⟨σ'_3 σ'_4⟩
    + ρ C_W^2 A_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
    """
    a1, a2, a3, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    A_1 = previous["A@1"]
    D_1 = previous["D@1"]
    V_1 = previous["V@1"]
    # A:1:1
    total = total + lambda_W**2 * expectation((0, 0, 0, 0), (a1, a2, a3, a4))
    # A:1:1
    term = C_W * lambda_W * expectation((0, 0, 1, 1), (a1, a2, a3, a4))
    term = term * Theta_0[a3, a4]
    total = total + term
    # A:1:1
    term = C_W * lambda_W * expectation((0, 0, 1, 1), (a3, a4, a1, a2))
    term = term * Theta_0[a1, a2]
    total = total + term
    # A:1:1
    term = C_W**2 * expectation((1, 1, 1, 1), (a1, a2, a3, a4)) * Theta_0[a1, a2]
    term = term * Theta_0[a3, a4]
    total = total + term
    # A:1:1
    term = -1 * lambda_W**2 * expectation((0, 0), (a1, a2))
    term = term * expectation((0, 0), (a3, a4))
    total = total + term
    # A:1:1
    term = -1 * C_W * lambda_W * expectation((0, 0), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * Theta_0[a3, a4]
    total = total + term
    # A:1:1
    term = -1 * C_W * lambda_W * expectation((1, 1), (a1, a2))
    term = term * expectation((0, 0), (a3, a4)) * Theta_0[a1, a2]
    total = total + term
    # A:1:1
    term = -1 * C_W**2 * expectation((1, 1), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * Theta_0[a1, a2] * Theta_0[a3, a4]
    total = total + term
    # A:1:2
    scale = lambda_W**2 * width_ratio / 4
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D0_0_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # A:1:2
    scale = C_W * lambda_W * width_ratio / 4 * Theta_0[a3, a4]
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D1_1_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # A:1:2
    scale = C_W * lambda_W * width_ratio / 4 * Theta_0[a1, a2]
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D0_0_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # A:1:2
    scale = C_W**2 * width_ratio / 4 * Theta_0[a1, a2] * Theta_0[a3, a4]
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_2, expectation, a1, a2):
        sum2 = 0
        for (b3, b4), mean2 in hits(D1_1_by_2, expectation, a3, a4):
            sum2 = sum2 + mean2 * V_1[b1, b2, b3, b4]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # A:1:3
    scale = C_W * lambda_W * width_ratio / 2 * expectation((1, 1), (a1, a2))
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a3, a4):
        sum1 = sum1 + mean1 * D_1[b1, b2, a1, a2]
    total = total + scale * sum1
    # A:1:3
    scale = C_W**2 * width_ratio / 2 * expectation((1, 1), (a1, a2))
    scale = scale * Theta_0[a3, a4]
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_2, expectation, a3, a4):
        sum1 = sum1 + mean1 * D_1[b1, b2, a1, a2]
    total = total + scale * sum1
    # A:1:4
    scale = C_W * lambda_W * width_ratio / 2 * expectation((1, 1), (a3, a4))
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * D_1[b1, b2, a3, a4]
    total = total + scale * sum1
    # A:1:4
    scale = C_W**2 * width_ratio / 2 * expectation((1, 1), (a3, a4))
    scale = scale * Theta_0[a1, a2]
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * D_1[b1, b2, a3, a4]
    total = total + scale * sum1
    # A:1:5
    term = C_W**2 * width_ratio * expectation((1, 1), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * A_1[a1, a2, a3, a4]
    total = total + term
    return total


def step_B(expectation, previous, C_W, width_ratio):
    """B_1324 at layer l+1; rho = width_ratio.

    Legs NTK12 NTK34, channel 13.24.
    Returns shape (samples,) * 4, indices a1, a3, a2, a4.

    C_W^2 Θ_12 Θ_34 ⟨σ'_1 σ'_2 σ'_3 σ'_4⟩
    + ρ C_W^2 B_1324 ⟨σ'_1 σ'_3⟩ ⟨σ'_2 σ'_4⟩
    """
    a1, a3, a2, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    B_1 = previous["B@1"]
    # B:1:1
    term = C_W**2 * expectation((1, 1, 1, 1), (a1, a2, a3, a4)) * Theta_0[a1, a2]
    term = term * Theta_0[a3, a4]
    total = total + term
    # B:1:2
    term = C_W**2 * width_ratio * expectation((1, 1), (a1, a3))
    term = term * expectation((1, 1), (a2, a4)) * B_1[a1, a3, a2, a4]
    total = total + term
    return total


def step_P(expectation, previous, C_W, width_ratio):
    """P_0123 at layer l+1; rho = width_ratio.

    Legs dNTK012 z3, channel 03.12.
    Returns shape (samples,) * 4, indices a0, a1, a2, a3.

    C_W^2 Θ_01 Θ_02 ⟨σ''_0 σ'_1 σ'_2 σ_3⟩
    + ρ C_W^2 B_0012 ⟨σ''_0 σ_3⟩ ⟨σ'_1 σ'_2⟩
    + ρ C_W^2 Σ_{b1∈{0,3}} P_{0 1 2 b1} ⟨∂_b1(σ'_0 σ_3)⟩ ⟨σ'_1 σ'_2⟩
    """
    a0, a1, a2, a3 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    B_1 = previous["B@1"]
    P_1 = previous["P@1"]
    # P:1:1
    term = C_W**2 * expectation((0, 1, 1, 2), (a3, a1, a2, a0)) * Theta_0[a0, a1]
    term = term * Theta_0[a0, a2]
    total = total + term
    # P:1:2
    term = C_W**2 * width_ratio * expectation((0, 2), (a3, a0))
    term = term * expectation((1, 1), (a1, a2)) * B_1[a0, a0, a1, a2]
    total = total + term
    # P:1:3
    scale = C_W**2 * width_ratio * expectation((1, 1), (a1, a2))
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a0, a3):
        sum1 = sum1 + mean1 * P_1[a0, a1, a2, b1]
    total = total + scale * sum1
    return total


def step_Q(expectation, previous, C_W, lambda_W, width_ratio):
    """Q_0123 at layer l+1; rho = width_ratio.

    Legs dNTK012 z3, channel 01.23.
    Returns shape (samples,) * 4, indices a0, a1, a2, a3.

    C_W^2 Θ_01 Θ_02 ⟨σ''_0 σ'_1 σ'_2 σ_3⟩
    + C_W λ_W Θ_02 ⟨σ'_0 σ_1 σ'_2 σ_3⟩
    + ρ C_W^2 Σ_{b1∈{0,1}} Σ_{b2∈{2,3}} F_{b1 0 b2 2} Θ_01 ⟨∂_b1(σ''_0 σ'_1)⟩ ⟨∂_b2(σ'_2 σ_3)⟩
    + ρ C_W λ_W Σ_{b1∈{0,1}} Σ_{b2∈{2,3}} F_{b1 0 b2 2} ⟨∂_b1(σ'_0 σ_1)⟩ ⟨∂_b2(σ'_2 σ_3)⟩
    + ρ C_W^2 Σ_{b1∈{2,3}} Q_{0 1 2 b1} ⟨σ'_0 σ'_1⟩ ⟨∂_b1(σ'_2 σ_3)⟩
    """
    a0, a1, a2, a3 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    F_1 = previous["F@1"]
    Q_1 = previous["Q@1"]
    # Q:1:1
    term = C_W**2 * expectation((0, 1, 1, 2), (a3, a1, a2, a0)) * Theta_0[a0, a1]
    term = term * Theta_0[a0, a2]
    total = total + term
    # Q:1:2
    term = C_W * lambda_W * expectation((0, 0, 1, 1), (a1, a3, a0, a2))
    term = term * Theta_0[a0, a2]
    total = total + term
    # Q:1:3
    scale = C_W**2 * width_ratio * Theta_0[a0, a1]
    sum1 = 0
    for (b1,), mean1 in hits(D2_1_by_1, expectation, a0, a1):
        sum2 = 0
        for (b2,), mean2 in hits(D1_0_by_1, expectation, a2, a3):
            sum2 = sum2 + mean2 * F_1[b1, a0, b2, a2]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # Q:1:4
    scale = C_W * lambda_W * width_ratio
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a0, a1):
        sum2 = 0
        for (b2,), mean2 in hits(D1_0_by_1, expectation, a2, a3):
            sum2 = sum2 + mean2 * F_1[b1, a0, b2, a2]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # Q:1:5
    scale = C_W**2 * width_ratio * expectation((1, 1), (a0, a1))
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a2, a3):
        sum1 = sum1 + mean1 * Q_1[a0, a1, a2, b1]
    total = total + scale * sum1
    return total


def step_R(expectation, previous, C_W, lambda_W, width_ratio):
    """R_0123 at layer l+1; rho = width_ratio.

    Legs ddNTK1(0,1,2,3), channel 01.23.
    Returns shape (samples,) * 4, indices a0, a1, a2, a3.

    C_W^2 Θ_01 Θ_02 Θ_03 ⟨σ'''_0 σ'_1 σ'_2 σ'_3⟩
    + C_W λ_W Θ_02 Θ_03 ⟨σ''_0 σ_1 σ'_2 σ'_3⟩
    + ρ C_W^2 B_0023 Θ_01 ⟨σ'''_0 σ'_1⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W^2 Σ_{b1∈{0,1}} P_{0 2 3 b1} Θ_01 ⟨∂_b1(σ''_0 σ'_1)⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W λ_W B_0023 ⟨σ''_0 σ_1⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W λ_W Σ_{b1∈{0,1}} P_{0 2 3 b1} ⟨∂_b1(σ'_0 σ_1)⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W^2 R_0123 ⟨σ'_0 σ'_1⟩ ⟨σ'_2 σ'_3⟩
    """
    a0, a1, a2, a3 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    B_1 = previous["B@1"]
    P_1 = previous["P@1"]
    R_1 = previous["R@1"]
    # R:1:1
    term = C_W**2 * expectation((1, 1, 1, 3), (a1, a2, a3, a0)) * Theta_0[a0, a1]
    term = term * Theta_0[a0, a2] * Theta_0[a0, a3]
    total = total + term
    # R:1:2
    term = C_W * lambda_W * expectation((0, 1, 1, 2), (a1, a2, a3, a0))
    term = term * Theta_0[a0, a2] * Theta_0[a0, a3]
    total = total + term
    # R:1:3
    term = C_W**2 * width_ratio * expectation((1, 3), (a1, a0))
    term = term * expectation((1, 1), (a2, a3)) * B_1[a0, a0, a2, a3] * Theta_0[a0, a1]
    total = total + term
    # R:1:4
    scale = C_W**2 * width_ratio * expectation((1, 1), (a2, a3)) * Theta_0[a0, a1]
    sum1 = 0
    for (b1,), mean1 in hits(D2_1_by_1, expectation, a0, a1):
        sum1 = sum1 + mean1 * P_1[a0, a2, a3, b1]
    total = total + scale * sum1
    # R:1:5
    term = C_W * lambda_W * width_ratio * expectation((0, 2), (a1, a0))
    term = term * expectation((1, 1), (a2, a3)) * B_1[a0, a0, a2, a3]
    total = total + term
    # R:1:6
    scale = C_W * lambda_W * width_ratio * expectation((1, 1), (a2, a3))
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a0, a1):
        sum1 = sum1 + mean1 * P_1[a0, a2, a3, b1]
    total = total + scale * sum1
    # R:1:7
    term = C_W**2 * width_ratio * expectation((1, 1), (a0, a1))
    term = term * expectation((1, 1), (a2, a3)) * R_1[a0, a1, a2, a3]
    total = total + term
    return total


def step_S(expectation, previous, C_W, lambda_W, width_ratio):
    """S_1234 at layer l+1; rho = width_ratio.

    Legs ddNTK2(1,2,3,4), channel 12.34.
    Returns shape (samples,) * 4, indices a1, a2, a3, a4.

    C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
    + C_W λ_W Θ_13 Θ_24 ⟨σ'_1 σ'_2 σ'_3 σ'_4⟩
    + ρ C_W^2 B_1234 Θ_12 ⟨σ''_1 σ''_2⟩ ⟨σ'_3 σ'_4⟩
    + ρ C_W λ_W B_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
    + ρ C_W^2 S_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
    """
    a1, a2, a3, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    B_1 = previous["B@1"]
    S_1 = previous["S@1"]
    # S:1:1
    term = C_W**2 * expectation((1, 1, 2, 2), (a3, a4, a1, a2)) * Theta_0[a1, a2]
    term = term * Theta_0[a1, a3] * Theta_0[a2, a4]
    total = total + term
    # S:1:2
    term = C_W * lambda_W * expectation((1, 1, 1, 1), (a1, a2, a3, a4))
    term = term * Theta_0[a1, a3] * Theta_0[a2, a4]
    total = total + term
    # S:1:3
    term = C_W**2 * width_ratio * expectation((2, 2), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * B_1[a1, a2, a3, a4] * Theta_0[a1, a2]
    total = total + term
    # S:1:4
    term = C_W * lambda_W * width_ratio * expectation((1, 1), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * B_1[a1, a2, a3, a4]
    total = total + term
    # S:1:5
    term = C_W**2 * width_ratio * expectation((1, 1), (a1, a2))
    term = term * expectation((1, 1), (a3, a4)) * S_1[a1, a2, a3, a4]
    total = total + term
    return total


def step_T(expectation, previous, C_W, lambda_W, width_ratio):
    """T_1324 at layer l+1; rho = width_ratio.

    Legs ddNTK2(1,2,3,4), channel 13.24.
    Returns shape (samples,) * 4, indices a1, a3, a2, a4.

    λ_W^2 Θ_12 ⟨σ'_1 σ'_2 σ_3 σ_4⟩
    + C_W λ_W Θ_12 Θ_13 ⟨σ''_1 σ'_2 σ'_3 σ_4⟩
    + C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
    + C_W λ_W Θ_12 Θ_24 ⟨σ'_1 σ''_2 σ_3 σ'_4⟩
    + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_13 Θ_24 ⟨∂_b1(σ''_1 σ'_3)⟩
      ⟨∂_b2(σ''_2 σ'_4)⟩
    + ρ C_W λ_W Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_13 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨∂_b2(σ'_2 σ_4)⟩
    + ρ C_W^2 Σ_{b1∈{1,3}} Q_{2 4 1 b1} Θ_13 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨σ'_2 σ'_4⟩
    + ρ C_W λ_W Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_24 ⟨∂_b1(σ'_1 σ_3)⟩ ⟨∂_b2(σ''_2 σ'_4)⟩
    + ρ C_W^2 Σ_{b1∈{2,4}} Q_{1 3 2 b1} Θ_24 ⟨σ'_1 σ'_3⟩ ⟨∂_b1(σ''_2 σ'_4)⟩
    + ρ λ_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} ⟨∂_b1(σ'_1 σ_3)⟩ ⟨∂_b2(σ'_2 σ_4)⟩
    + ρ C_W λ_W Σ_{b1∈{2,4}} Q_{1 3 2 b1} ⟨σ'_1 σ'_3⟩ ⟨∂_b1(σ'_2 σ_4)⟩
    + ρ C_W λ_W Σ_{b1∈{1,3}} Q_{2 4 1 b1} ⟨∂_b1(σ'_1 σ_3)⟩ ⟨σ'_2 σ'_4⟩
    + ρ C_W^2 T_1324 ⟨σ'_1 σ'_3⟩ ⟨σ'_2 σ'_4⟩
    """
    a1, a3, a2, a4 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    F_1 = previous["F@1"]
    Q_1 = previous["Q@1"]
    T_1 = previous["T@1"]
    # T:1:1
    term = lambda_W**2 * expectation((0, 0, 1, 1), (a3, a4, a1, a2))
    term = term * Theta_0[a1, a2]
    total = total + term
    # T:1:2
    term = C_W * lambda_W * expectation((0, 1, 1, 2), (a4, a2, a3, a1))
    term = term * Theta_0[a1, a2] * Theta_0[a1, a3]
    total = total + term
    # T:1:3
    term = C_W**2 * expectation((1, 1, 2, 2), (a3, a4, a1, a2)) * Theta_0[a1, a2]
    term = term * Theta_0[a1, a3] * Theta_0[a2, a4]
    total = total + term
    # T:1:4
    term = C_W * lambda_W * expectation((0, 1, 1, 2), (a3, a1, a4, a2))
    term = term * Theta_0[a1, a2] * Theta_0[a2, a4]
    total = total + term
    # T:1:5
    scale = C_W**2 * width_ratio * Theta_0[a1, a3] * Theta_0[a2, a4]
    sum1 = 0
    for (b1,), mean1 in hits(D2_1_by_1, expectation, a1, a3):
        sum2 = 0
        for (b2,), mean2 in hits(D2_1_by_1, expectation, a2, a4):
            sum2 = sum2 + mean2 * F_1[b1, a1, b2, a2]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # T:1:6
    scale = C_W * lambda_W * width_ratio * Theta_0[a1, a3]
    sum1 = 0
    for (b1,), mean1 in hits(D2_1_by_1, expectation, a1, a3):
        sum2 = 0
        for (b2,), mean2 in hits(D1_0_by_1, expectation, a2, a4):
            sum2 = sum2 + mean2 * F_1[b1, a1, b2, a2]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # T:1:7
    scale = C_W**2 * width_ratio * expectation((1, 1), (a2, a4)) * Theta_0[a1, a3]
    sum1 = 0
    for (b1,), mean1 in hits(D2_1_by_1, expectation, a1, a3):
        sum1 = sum1 + mean1 * Q_1[a2, a4, a1, b1]
    total = total + scale * sum1
    # T:1:8
    scale = C_W * lambda_W * width_ratio * Theta_0[a2, a4]
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a1, a3):
        sum2 = 0
        for (b2,), mean2 in hits(D2_1_by_1, expectation, a2, a4):
            sum2 = sum2 + mean2 * F_1[b1, a1, b2, a2]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # T:1:9
    scale = C_W**2 * width_ratio * expectation((1, 1), (a1, a3)) * Theta_0[a2, a4]
    sum1 = 0
    for (b1,), mean1 in hits(D2_1_by_1, expectation, a2, a4):
        sum1 = sum1 + mean1 * Q_1[a1, a3, a2, b1]
    total = total + scale * sum1
    # T:1:10
    scale = lambda_W**2 * width_ratio
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a1, a3):
        sum2 = 0
        for (b2,), mean2 in hits(D1_0_by_1, expectation, a2, a4):
            sum2 = sum2 + mean2 * F_1[b1, a1, b2, a2]
        sum1 = sum1 + mean1 * sum2
    total = total + scale * sum1
    # T:1:11
    scale = C_W * lambda_W * width_ratio * expectation((1, 1), (a1, a3))
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a2, a4):
        sum1 = sum1 + mean1 * Q_1[a1, a3, a2, b1]
    total = total + scale * sum1
    # T:1:12
    scale = C_W * lambda_W * width_ratio * expectation((1, 1), (a2, a4))
    sum1 = 0
    for (b1,), mean1 in hits(D1_0_by_1, expectation, a1, a3):
        sum1 = sum1 + mean1 * Q_1[a2, a4, a1, b1]
    total = total + scale * sum1
    # T:1:13
    term = C_W**2 * width_ratio * expectation((1, 1), (a1, a3))
    term = term * expectation((1, 1), (a2, a4)) * T_1[a1, a3, a2, a4]
    total = total + term
    return total


def step_U(expectation, previous, C_W, width_ratio):
    """U_1423 at layer l+1; rho = width_ratio.

    Legs ddNTK2(1,2,3,4), channel 14.23.
    Returns shape (samples,) * 4, indices a1, a4, a2, a3.

    C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
    + ρ C_W^2 U_1423 ⟨σ'_1 σ'_4⟩ ⟨σ'_2 σ'_3⟩
    """
    a1, a4, a2, a3 = mesh(len(previous["K@0"]), 4)
    total = 0
    Theta_0 = previous["Theta@0"]
    U_1 = previous["U@1"]
    # U:1:1
    term = C_W**2 * expectation((1, 1, 2, 2), (a3, a4, a1, a2)) * Theta_0[a1, a2]
    term = term * Theta_0[a1, a3] * Theta_0[a2, a4]
    total = total + term
    # U:1:2
    term = C_W**2 * width_ratio * expectation((1, 1), (a1, a4))
    term = term * expectation((1, 1), (a2, a3)) * U_1[a1, a4, a2, a3]
    total = total + term
    return total


def step_K_1(expectation, previous, C_W, width_ratio):
    """K^{1}_12 at layer l+1; rho = width_ratio.

    Legs z1 z2, channel 12.
    Returns shape (samples,) * 2, indices a1, a2.

    1/2 ρ C_W Σ_{b1,b2∈{1,2}} K^{1}_{b1 b2} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
    + 1/8 ρ C_W Σ_{b1,b2,b3,b4∈{1,2}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2∂_b3∂_b4(σ_1 σ_2)⟩
    """
    a1, a2 = mesh(len(previous["K@0"]), 2)
    total = 0
    K_1 = previous["K@1"]
    V_1 = previous["V@1"]
    # K:1:1
    scale = C_W * width_ratio / 2
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * K_1[b1, b2]
    total = total + scale * sum1
    # K:1:2
    scale = C_W * width_ratio / 8
    sum1 = 0
    for (b1, b2, b3, b4), mean1 in hits(D0_0_by_4, expectation, a1, a2):
        sum1 = sum1 + mean1 * V_1[b1, b2, b3, b4]
    total = total + scale * sum1
    return total


def step_Theta_1(expectation, previous, C_W, lambda_W, width_ratio):
    """Θ^{1}_12 at layer l+1; rho = width_ratio.

    Legs NTK12, channel 12.
    Returns shape (samples,) * 2, indices a1, a2.

    1/2 ρ Σ_{b1,b2∈{1,2}} K^{1}_{b1 b2} ⟨∂_b1∂_b2(Ω_12)⟩
    + ρ C_W Θ^{1}_12 ⟨σ'_1 σ'_2⟩
    + 1/8 ρ Σ_{b1,b2,b3,b4∈{1,2}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2∂_b3∂_b4(Ω_12)⟩
    + 1/2 ρ C_W Σ_{b1,b2∈{1,2}} D_{b1 b2 1 2} ⟨∂_b1∂_b2(σ'_1 σ'_2)⟩
    + ρ C_W Σ_{b1,b2∈{1,2}} F_{b1 1 b2 2} ⟨∂_b1∂_b2(σ'_1 σ'_2)⟩
    """
    a1, a2 = mesh(len(previous["K@0"]), 2)
    total = 0
    Theta_0 = previous["Theta@0"]
    D_1 = previous["D@1"]
    F_1 = previous["F@1"]
    K_1 = previous["K@1"]
    Theta_1 = previous["Theta@1"]
    V_1 = previous["V@1"]
    # Theta:1:1
    scale = lambda_W * width_ratio / 2
    sum1 = 0
    for (b1, b2), mean1 in hits(D0_0_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * K_1[b1, b2]
    total = total + scale * sum1
    # Theta:1:1
    scale = C_W * width_ratio / 2 * Theta_0[a1, a2]
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * K_1[b1, b2]
    total = total + scale * sum1
    # Theta:1:2
    total = total + C_W * width_ratio * expectation((1, 1), (a1, a2)) * Theta_1[a1, a2]
    # Theta:1:3
    scale = lambda_W * width_ratio / 8
    sum1 = 0
    for (b1, b2, b3, b4), mean1 in hits(D0_0_by_4, expectation, a1, a2):
        sum1 = sum1 + mean1 * V_1[b1, b2, b3, b4]
    total = total + scale * sum1
    # Theta:1:3
    scale = C_W * width_ratio / 8 * Theta_0[a1, a2]
    sum1 = 0
    for (b1, b2, b3, b4), mean1 in hits(D1_1_by_4, expectation, a1, a2):
        sum1 = sum1 + mean1 * V_1[b1, b2, b3, b4]
    total = total + scale * sum1
    # Theta:1:4
    scale = C_W * width_ratio / 2
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_2, expectation, a1, a2):
        sum1 = sum1 + mean1 * D_1[b1, b2, a1, a2]
    total = total + scale * sum1
    # Theta:1:5
    scale = C_W * width_ratio
    sum1 = 0
    for (b1, b2), mean1 in hits(D1_1_by_11, expectation, a1, a2):
        sum1 = sum1 + mean1 * F_1[b1, a1, b2, a2]
    total = total + scale * sum1
    return total


# tensor: (function, the couplings it takes, number of slots)
STEPS = {
    "K@0": (
        step_K,
        ("C_W", "C_b"),
        2,
    ),
    "Theta@0": (
        step_Theta,
        ("C_W", "lambda_W", "lambda_b"),
        2,
    ),
    "V@1": (
        step_V,
        ("C_W", "width_ratio"),
        4,
    ),
    "D@1": (
        step_D,
        ("C_W", "lambda_W", "width_ratio"),
        4,
    ),
    "F@1": (
        step_F,
        ("C_W", "width_ratio"),
        4,
    ),
    "A@1": (
        step_A,
        ("C_W", "lambda_W", "width_ratio"),
        4,
    ),
    "B@1": (
        step_B,
        ("C_W", "width_ratio"),
        4,
    ),
    "P@1": (
        step_P,
        ("C_W", "width_ratio"),
        4,
    ),
    "Q@1": (
        step_Q,
        ("C_W", "lambda_W", "width_ratio"),
        4,
    ),
    "R@1": (
        step_R,
        ("C_W", "lambda_W", "width_ratio"),
        4,
    ),
    "S@1": (
        step_S,
        ("C_W", "lambda_W", "width_ratio"),
        4,
    ),
    "T@1": (
        step_T,
        ("C_W", "lambda_W", "width_ratio"),
        4,
    ),
    "U@1": (
        step_U,
        ("C_W", "width_ratio"),
        4,
    ),
    "K@1": (
        step_K_1,
        ("C_W", "width_ratio"),
        2,
    ),
    "Theta@1": (
        step_Theta_1,
        ("C_W", "lambda_W", "width_ratio"),
        2,
    ),
}


# --- activations: s, s', .., s^(top) at z -----------------------------------------------------


def hermite(z, top):
    """Probabilists' He_0 .. He_top."""
    found = [np.ones_like(z), z]
    for k in range(1, top):
        found.append(z * found[k] - k * found[k - 1])
    return found[: top + 1]


def normal(z, top):
    """The normal distribution function and its derivatives."""
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    polynomials = hermite(z, top - 1) if top else []
    slopes = [(-1) ** k * he * density for k, he in enumerate(polynomials)]
    return [0.5 * (1 + erf(z / math.sqrt(2))), *slopes]


def times_z(base):
    """(z g)^(m) = z g^(m) + m g^(m-1)"""

    def table(z, top):
        g = base(z, top)
        return [z * g[0], *(z * g[m] + m * g[m - 1] for m in range(1, top + 1))]

    return table


def tanh(z, top):
    """Derivatives are polynomials in u = 1 / cosh^2, times tanh for even order."""
    t = np.tanh(z)
    u = 1 / np.cosh(np.clip(z, -350, 350)) ** 2
    values, row = [t], [0, 1]
    for m in range(1, top + 1):
        value = np.zeros_like(z)
        for c in reversed(row):
            value = value * u + c
        values.append(value * t if m % 2 == 0 else value)
        following = [0] * (len(row) + 1)
        for k, c in enumerate(row):
            following[k] -= 2 * k * c
            if m % 2 == 0:
                following[k + 1] += (2 * k + 1) * c
        row = following
    return values


def sigmoid(z, top):
    halves = tanh(0.5 * z, top)
    return [0.5 * (1 + halves[0]), *(h / 2 ** (m + 2) for m, h in enumerate(halves[1:]))]


def softplus(z, top):
    return [np.logaddexp(0.0, z), *(sigmoid(z, top - 1) if top else [])]


def error_function(z, top):
    scaled = normal(math.sqrt(2) * z, top)
    return [erf(z), *(2 * math.sqrt(2) ** m * scaled[m] for m in range(1, top + 1))]


def sine(z, top):
    cycle = [np.sin(z), np.cos(z), -np.sin(z), -np.cos(z)]
    return [cycle[m % 4] for m in range(top + 1)]


def cosine(z, top):
    return sine(z, top + 1)[1:]


def linear(z, top):
    return [z, np.ones_like(z), *(np.zeros_like(z) for _ in range(top - 1))][: top + 1]


def relu(z, top):
    if top > 1:
        raise ValueError(
            f"relu has no derivative of order {top}, which these recursions need; "
            "allowed are smooth activations"
        )
    return [np.where(z > 0, z, 0.0), np.where(z > 0, 1.0, 0.0)][: top + 1]


ACTIVATIONS = {
    "gelu": times_z(normal),
    "silu": times_z(sigmoid),
    "tanh": tanh,
    "sigmoid": sigmoid,
    "erf": error_function,
    "softplus": softplus,
    "sin": sine,
    "cos": cosine,
    "linear": linear,
    "relu": relu,
}

# --- Gaussian expectations --------------------------------------------------------------------

CHUNK = 2**20  # points held at a time
MOST_POINTS = 2 * 10**8  # of one grid


def trapezoid(nodes=32, cut=7.5, shift=0.0):
    """Nodes and weights for the unit normal: exponentially accurate for smooth activations.

    ``shift`` moves all nodes by this share of their distance.
    """
    x = np.linspace(-cut, cut, nodes) + shift * 2 * cut / (nodes - 1)
    w = np.exp(-0.5 * x * x)
    return x, w / w.sum()


def cholesky(kernel):
    """Rows of L with K = L L^T; an axis without variance is a zero column, so K may be singular."""
    size = len(kernel)
    rows = [[0.0] * size for _ in range(size)]
    for j in range(size):
        left = kernel[j, j] - sum(rows[j][k] ** 2 for k in range(j))
        present = left > 1e-14 * kernel[j, j]
        root = np.sqrt(np.where(present, left, 1.0))
        for i in range(j, size):
            rest = kernel[i, j] - sum(rows[i][k] * rows[j][k] for k in range(j))
            rows[i][j] = np.where(present, rest / root, 0.0)
    return rows


@functools.lru_cache(maxsize=8)
def layout(samples):
    """Which values an expectation consists of: {orders: numbers, shape (samples,) * slots}, and
    [(sample set, [(orders at each sample, number)])]."""
    numbers, index = {}, {}
    for orders in EXPECTATIONS:
        found = []
        for tuple_ in itertools.product(range(samples), repeat=len(orders)):
            held = {}
            for sample, order in zip(tuple_, orders, strict=True):
                held.setdefault(sample, []).append(order)
            subset = tuple(sorted(held))
            content = tuple(tuple(sorted(held[sample])) for sample in subset)
            found.append(numbers.setdefault((subset, content), len(numbers)))
        index[orders] = found
    sets = {}
    for (subset, content), number in numbers.items():
        sets.setdefault(subset, []).append((content, number))
    return index, sorted(sets.items(), key=lambda item: (len(item[0]), item[0]))


def product_of(table, orders):
    value = table[orders[0]]
    for m in orders[1:]:
        value = value * table[m]
    return value


def means_over(kernel, contents, activation, rule):
    """Means of products of derivatives, one a content: the orders at each sample of a kernel."""
    x, w = rule
    size = len(kernel)
    rows = cholesky(kernel)
    top = max(m for content in contents for orders in content for m in orders)
    grids = np.meshgrid(*[x] * (size - 1), indexing="ij") if size > 1 else []
    points = [grid.ravel() for grid in grids]
    weights = functools.reduce(np.kron, [w] * (size - 1), np.ones(1))
    z = [sum((rows[a][i] * points[i] for i in range(a + 1)), np.zeros(1)) for a in range(size - 1)]
    outer = [activation(one, top) for one in z]
    start = sum((rows[-1][i] * points[i] for i in range(size - 1)), np.zeros(1))
    inner = {content[-1]: [] for content in contents}
    step = max(1, CHUNK // len(x))
    for first in range(0, len(start), step):
        last = activation(start[first : first + step, None] + rows[-1][-1] * x, top)
        for orders, parts in inner.items():
            parts.append(product_of(last, orders) @ w)
    inner = {orders: np.concatenate(parts) for orders, parts in inner.items()}
    values = []
    for content in contents:
        value = weights * inner[content[-1]]
        for a in range(size - 1):
            value = value * product_of(outer[a], content[a])
        values.append(value.sum())
    return values


def expectations(kernel, activation, rule):
    """expectation(orders, slots) for all orders of EXPECTATIONS, every mean computed once."""
    samples = len(kernel)
    index, sets = layout(samples)
    values = [None] * sum(len(contents) for _, contents in sets)
    for subset, contents in sets:
        if len(rule[0]) ** len(subset) > MOST_POINTS:
            raise ValueError(f"{len(subset)} different samples need too many nodes; use fewer")
        block = kernel[np.array(subset)[:, None], np.array(subset)[None, :]]
        found = means_over(block, [content for content, _ in contents], activation, rule)
        for (_, number), value in zip(contents, found, strict=True):
            values[number] = value
    stacked = np.stack(values)
    tables = {
        orders: stacked[np.array(numbers)].reshape((samples,) * len(orders))
        for orders, numbers in index.items()
    }

    def expectation(orders, slots):
        order = sorted(range(len(orders)), key=lambda k: orders[k])
        return tables[tuple(orders[k] for k in order)][tuple(slots[k] for k in order)]

    return expectation


# --- all layers -------------------------------------------------------------------------------

MOST_LAYERS, MOST_WIDTH, MOST_NODES = 10_000, 10**9, 4096
MOST_NUMBERS = 10**8  # in one tensor
ROUNDING = 1e-12  # relative to the largest component of a tensor
NOTHING = 1e-13  # what is left where terms cancel, relative to powers of the kernels


def per_layer(name, value, depth):
    several = isinstance(value, (list, tuple))
    try:
        values = [float(v) for v in value] if several else [float(value)] * depth
    except (OverflowError, TypeError) as error:
        raise ValueError(f"{name} must be a number, or {depth} of them") from error
    if len(values) != depth or not all(math.isfinite(v) and v >= 0 for v in values):
        raise ValueError(f"{name} must be one number >= 0, or {depth} of them")
    return values


def hidden_widths(widths, depth):
    values = [widths] * (depth - 1) if isinstance(widths, int) else [int(n) for n in widths]
    if len(values) != depth - 1 or any(not 1 <= n <= MOST_WIDTH for n in values):
        raise ValueError(
            f"widths must be one integer from 1 to {MOST_WIDTH}, or {depth - 1} of them"
        )
    return values


def gram_matrix(inputs, gram):
    """x.x' / n_0, checked."""
    if (inputs is None) == (gram is None):
        raise ValueError("give either inputs or gram")
    try:
        array = np.asarray(gram if inputs is None else inputs, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("inputs must be vectors of one length of real numbers") from error
    if array.ndim != 2 or 0 in array.shape or not np.isfinite(array).all():
        raise ValueError("inputs must be finite vectors of one length, gram a square matrix")
    if inputs is None:
        if array.shape[0] != array.shape[1]:
            raise ValueError("gram must be a square matrix")
        return array
    return array @ array.T / array.shape[1]


def activation_tables(activation, depth):
    """The activation after each hidden layer: one for all, or depth - 1 of them."""
    several = isinstance(activation, (list, tuple))
    given = list(activation) if several else [activation]
    for one in given:
        if not callable(one) and not (isinstance(one, str) and one in ACTIVATIONS):
            raise ValueError(f"unknown activation {one!r}; allowed are {', '.join(ACTIVATIONS)}")
    if several and len(given) != depth - 1:
        raise ValueError(f"activation must be one, or {depth - 1} of them: one a hidden layer")
    tables = [one if callable(one) else ACTIVATIONS[one] for one in given]
    return tables if several else tables * (depth - 1)


def layers_on(rule, kernel, hidden, tables, couplings):
    """All tensors at layers 1 .. depth, their expectations on the nodes and weights of one rule."""
    depth, samples = len(tables) + 1, len(kernel)
    current = {key: np.zeros((samples,) * slots) for key, (_, _, slots) in STEPS.items()}
    current["K@0"] = couplings["C_b"][0] + couplings["C_W"][0] * kernel
    current["Theta@0"] = couplings["lambda_b"][0] + couplings["lambda_W"][0] * kernel
    layers = [checked(current, 1)]
    for layer in range(1, depth):
        here = {name: values[layer] for name, values in couplings.items()}
        here["width_ratio"] = hidden[layer - 1] / hidden[layer - 2] if layer > 1 else 1.0
        try:
            expectation = expectations(current["K@0"], tables[layer - 1], rule)
            current = {
                key: step(expectation, current, *(here[name] for name in needed))
                for key, (step, needed, _) in STEPS.items()
            }
        except OverflowError as error:
            raise overflow(layer + 1) from error
        layers.append(checked(current, layer + 1))
    return layers


def checked(tensors, layer):
    """The tensors of a layer. Raises ValueError unless they are finite."""
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise overflow(layer)
    return tensors


def overflow(layer):
    return ValueError(f"the tensors overflow at layer {layer}; try a smaller C_W, C_b or depth")


def differences(fine, coarse, tolerance, biases):
    """What the finer of two solutions may be off by, [{"F@1": error}] a layer, and by how much the
    two differ, relative to what the tolerance allows."""
    errors, worst = [], 0.0
    for new, old, bias in zip(fine, coarse, biases, strict=True):
        kernels = [new["K@0"] - bias, *(new[k] for k in ("Theta@0",) if k in new)]
        unit = min(max(float(np.max(np.abs(kernel))) for kernel in kernels), 1e40)
        errors.append({})
        for key, value in new.items():
            size = float(np.max(np.abs(value)))
            off = float(np.max(np.abs(value - old[key])))
            cancels = size > 0 and key not in ("K@0", "Theta@0")
            nothing = NOTHING * unit ** (STEPS[key][2] / 2) if cancels else 0.0
            worst = max(worst, off / max(tolerance * size, nothing, 1e-300))
            errors[-1][key] = off + ROUNDING * size + nothing
    return errors, worst


def converged(solved, kernel, tolerance, biases):
    """(layers, errors) from rules of more and more nodes, until two of them agree.

    solved: from a rule to layers; biases: C_b of each layer. Each rule has 1.5 times the nodes of
    the one before, reaches farther, and shares with it neither nodes nor their symmetry. Raises
    ValueError if no two agree.
    """
    distinct = max(len(subset) for subset, _ in layout(len(kernel))[1])
    scale = math.sqrt(min(float(np.max(np.abs(kernel))), 2500.0))
    nodes, coarse, worst, last = 2 * math.ceil(10 + 4 * scale) + 1, None, math.inf, 0
    for rounds in range(100):
        if nodes > MOST_NODES or nodes**distinct > MOST_POINTS:
            break
        cut = min(8.0 + 0.7 * rounds, 12.0)
        fine = solved(trapezoid(nodes, cut, 0.382 * (rounds % 2)))
        if coarse is not None:
            errors, worst = differences(fine, coarse, tolerance, biases)
            if worst <= 1:
                return fine, errors
        coarse, last, nodes = fine, nodes, 2 * math.ceil(0.75 * nodes) + 1
    raise ValueError(
        f"no convergence with {last} nodes on each axis: the last two rules differ by more than"
        f" {tolerance:g} of a tensor; try a smaller C_W, C_b or depth, a larger tolerance,"
        " fewer inputs, or a rule of your own"
    )


def solve(
    inputs=None,
    depth=3,
    widths=64,
    activation="gelu",
    C_W=1.0,
    C_b=0.0,
    lambda_W=1.0,
    lambda_b=0.0,
    gram=None,
    rule=None,
    tolerance=1e-8,
):
    """Tensors at layers 1 .. depth: a list of {"F@1": array of shape (samples,) * slots}.

    inputs: shape (samples, n_0), or gram: x.x' / n_0. widths: one, or one a hidden layer.
    activation: one, or a list of one a hidden layer, depth - 1 in all; each a name of
    ACTIVATIONS or a function (z, top) -> [s, s', .., s^(top)].
    Couplings: one number or one a layer. tolerance: of every tensor, relative to its largest
    component; quadrature is refined until it is reached. rule: nodes and weights for the unit
    normal, as of trapezoid(64), to use instead; nothing is then known about errors.
    Raises ValueError, also where tensors overflow or no rule reaches the tolerance.
    """
    given = (C_W, C_b, lambda_W, lambda_b)
    return solve_with_errors(inputs, depth, widths, activation, *given, gram, rule, tolerance)[0]


def solve_with_errors(
    inputs=None,
    depth=3,
    widths=64,
    activation="gelu",
    C_W=1.0,
    C_b=0.0,
    lambda_W=1.0,
    lambda_b=0.0,
    gram=None,
    rule=None,
    tolerance=1e-8,
):
    """As solve: (layers, [{"F@1": error of its components}]); no errors for a rule of one's own."""
    if not isinstance(depth, int) or not 1 <= depth <= MOST_LAYERS:
        raise ValueError(f"depth must be an integer from 1 to {MOST_LAYERS}")
    if not 1e-12 <= tolerance < 1:
        raise ValueError("tolerance must be a number from 1e-12 to 1")
    tables = activation_tables(activation, depth)
    kernel = gram_matrix(inputs, gram)
    if len(kernel) ** max(slots for _, _, slots in STEPS.values()) > MOST_NUMBERS:
        raise ValueError(f"{len(kernel)} inputs make tensors that are too large; use fewer")
    hidden = hidden_widths(widths, depth)
    names = ("C_W", "lambda_W", "C_b", "lambda_b")
    given = (C_W, lambda_W, C_b, lambda_b)
    couplings = {k: per_layer(k, v, depth) for k, v in zip(names, given, strict=True)}

    def solved(chosen):
        return layers_on(chosen, kernel, hidden, tables, couplings)

    with np.errstate(all="ignore"):  # what is not finite is refused
        if rule is not None:
            return solved(rule), None
        first = couplings["C_b"][0] + couplings["C_W"][0] * kernel
        return converged(solved, first, tolerance, couplings["C_b"])


# --- as a program -----------------------------------------------------------------------------


def main(arguments=None):
    """Read inputs, solve, print JSON: a list of layers, each with the errors of its tensors."""
    parser = argparse.ArgumentParser(description="Solve the recursions of this module.")
    parser.add_argument("--inputs", required=True, help="a JSON file with a list of vectors")
    parser.add_argument("--depth", type=int, required=True, help="number of layers")
    parser.add_argument("--width", required=True, help="64, or one a hidden layer as 32:64:32")
    parser.add_argument(
        "--activation",
        default="gelu",
        help=f"gelu, or one a hidden layer as gelu:tanh:linear; known: {', '.join(ACTIVATIONS)}",
    )
    parser.add_argument("--tolerance", type=float, default=1e-8, help="relative to each tensor")
    parser.add_argument("--nodes", type=int, help="on each axis, instead: no errors are known then")
    parser.add_argument("--tensor", action="append", help=f"default: {', '.join(TARGETS)}")
    for name, default in (("cw", "1"), ("cb", "0"), ("lambda-w", "1"), ("lambda-b", "0")):
        parser.add_argument(f"--{name}", default=default, help="a number, or one a layer as 1:2:2")
    given = parser.parse_args(arguments)
    try:
        with open(given.inputs, encoding="utf-8") as stream:
            inputs = json.load(stream)
        activations = given.activation.split(":")
        fixed = given.nodes is not None
        if (fixed and not 2 <= given.nodes <= MOST_NODES) or unknown(given.tensor):
            raise ValueError(
                f"nodes must be from 2 to {MOST_NODES}, tensors among {', '.join(STEPS)}"
            )
        layers, errors = solve_with_errors(
            inputs,
            given.depth,
            one_or_more(given.width, int),
            activations[0] if len(activations) == 1 else activations,
            one_or_more(given.cw, float),
            one_or_more(given.cb, float),
            one_or_more(given.lambda_w, float),
            one_or_more(given.lambda_b, float),
            rule=trapezoid(given.nodes) if fixed else None,
            tolerance=given.tolerance,
        )
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        print(f"Error: {error or type(error).__name__}", file=sys.stderr)
        return 2
    shown = given.tensor or TARGETS
    printed = [{key: layer[key].tolist() for key in shown} for layer in layers]
    for layer, found in zip(printed, errors or (), strict=False):
        layer["errors"] = {key: found[key] for key in shown}
    print(json.dumps(printed))
    return 0


def one_or_more(text, kind):
    found = [kind(word) for word in text.split(":")]
    return found[0] if len(found) == 1 else found


def unknown(tensors):
    return [key for key in tensors or () if key not in STEPS]


if __name__ == "__main__":
    sys.exit(main())
