# Made by ntkfeyn 0.1.0
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
"""Layer-to-layer recursions: every function gives one tensor at layer l+1 from tensors and expectations at layer l.

Arguments of every function:
  a            sample indices, in the tensor's index order
  expectation  expectation(((sample, m), ...)): the Gaussian mean, with kernel K at layer l, of the product of the
               activation's m-th derivatives at these samples (samples may repeat)
  previous     previous["F@1"][samples]: the tensors at layer l, samples in index order
  C_W, lambda_W, C_b, lambda_b, and width_ratio = n_l / n_(l-1)
"""


def placements(factors, count):
    """All ways to let ``count`` derivatives act on a product: (samples they act on, product after them)."""
    if count == 0:
        yield (), factors
        return
    for i, (sample, order) in enumerate(factors):
        hit = (*factors[:i], (sample, order + 1), *factors[i + 1 :])
        for rest, differentiated in placements(hit, count - 1):
            yield (sample, *rest), differentiated


def step_K_0(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """K_12 at layer l+1, legs z1 z2, channel 12; rho = width_ratio.

    C_b
    + C_W ⟨σ_1 σ_2⟩
    """
    a1, a2 = a
    total = 0
    total += C_b
    # K:0:1
    total += C_W * expectation(((a1, 0), (a2, 0)))
    return total


def step_Theta_0(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """Θ_12 at layer l+1, legs NTK12, channel 12; rho = width_ratio.

    λ_b
    + ⟨Ω_12⟩
    """
    a1, a2 = a
    total = 0
    total += lambda_b
    # Theta:0:1
    total += lambda_W * expectation(((a1, 0), (a2, 0)))
    # Theta:0:1
    total += C_W * previous["Theta@0"][a1, a2] * expectation(((a1, 1), (a2, 1)))
    return total


def step_V_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """V_1234 at layer l+1, legs z1 z2 z3 z4, channel 12.34; rho = width_ratio.

    C_W^2 ⟨σ_1 σ_2 σ_3 σ_4⟩
    - C_W^2 ⟨σ_1 σ_2⟩ ⟨σ_3 σ_4⟩
    + 1/4 ρ C_W^2 Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩ ⟨∂_b3∂_b4(σ_3 σ_4)⟩
    """
    a1, a2, a3, a4 = a
    total = 0
    # V:1:1
    total += C_W**2 * expectation(((a1, 0), (a2, 0), (a3, 0), (a4, 0)))
    # V:1:1
    total -= (
        C_W**2
        * expectation(((a1, 0), (a2, 0)))
        * expectation(((a3, 0), (a4, 0)))
    )
    # V:1:2
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        for (b3, b4), g2 in placements(((a3, 0), (a4, 0)), 2):
            total += (
                C_W**2
                * width_ratio
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    return total


def step_D_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """D_1234 at layer l+1, legs z1 z2 NTK34, channel 12.34; rho = width_ratio.

    C_W ⟨σ_1 σ_2 Ω_34⟩
    - C_W ⟨σ_1 σ_2⟩ ⟨Ω_34⟩
    + 1/4 ρ C_W Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩ ⟨∂_b3∂_b4(Ω_34)⟩
    + 1/2 ρ C_W^2 Σ_{b1,b2∈{1,2}} D_{b1 b2 3 4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩ ⟨σ'_3 σ'_4⟩
    """
    a1, a2, a3, a4 = a
    total = 0
    # D:1:1
    total += C_W * lambda_W * expectation(((a1, 0), (a2, 0), (a3, 0), (a4, 0)))
    # D:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 0), (a2, 0), (a3, 1), (a4, 1)))
    )
    # D:1:1
    total -= (
        C_W
        * lambda_W
        * expectation(((a1, 0), (a2, 0)))
        * expectation(((a3, 0), (a4, 0)))
    )
    # D:1:1
    total -= (
        C_W**2
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 0), (a2, 0)))
        * expectation(((a3, 1), (a4, 1)))
    )
    # D:1:2
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        for (b3, b4), g2 in placements(((a3, 0), (a4, 0)), 2):
            total += (
                C_W
                * lambda_W
                * width_ratio
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    # D:1:2
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        for (b3, b4), g2 in placements(((a3, 1), (a4, 1)), 2):
            total += (
                C_W**2
                * width_ratio
                * previous["Theta@0"][a3, a4]
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    # D:1:3
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        total += (
            C_W**2
            * width_ratio
            * previous["D@1"][b1, b2, a3, a4]
            * expectation(g1)
            * expectation(((a3, 1), (a4, 1)))
        ) / 2
    return total


def step_F_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """F_1324 at layer l+1, legs z1 z2 NTK34, channel 13.24; rho = width_ratio.

    C_W^2 Θ_34 ⟨σ_1 σ_2 σ'_3 σ'_4⟩
    + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 3 b2 4} ⟨∂_b1(σ_1 σ'_3)⟩ ⟨∂_b2(σ_2 σ'_4)⟩
    """
    a1, a3, a2, a4 = a
    total = 0
    # F:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 0), (a2, 0), (a3, 1), (a4, 1)))
    )
    # F:1:2
    for (b1,), g1 in placements(((a1, 0), (a3, 1)), 1):
        for (b2,), g2 in placements(((a2, 0), (a4, 1)), 1):
            total += (
                C_W**2
                * width_ratio
                * previous["F@1"][b1, a3, b2, a4]
                * expectation(g1)
                * expectation(g2)
            )
    return total


def step_A_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """A_1234 at layer l+1, legs NTK12 NTK34, channel 12.34; rho = width_ratio.

    ⟨Ω_12 Ω_34⟩
    - ⟨Ω_12⟩ ⟨Ω_34⟩
    + 1/4 ρ Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(Ω_12)⟩ ⟨∂_b3∂_b4(Ω_34)⟩
    + 1/2 ρ C_W Σ_{b1,b2∈{3,4}} D_{b1 b2 1 2} ⟨σ'_1 σ'_2⟩ ⟨∂_b1∂_b2(Ω_34)⟩
    + 1/2 ρ C_W Σ_{b1,b2∈{1,2}} D_{b1 b2 3 4} ⟨∂_b1∂_b2(Ω_12)⟩ ⟨σ'_3 σ'_4⟩
    + ρ C_W^2 A_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
    """
    a1, a2, a3, a4 = a
    total = 0
    # A:1:1
    total += lambda_W**2 * expectation(((a1, 0), (a2, 0), (a3, 0), (a4, 0)))
    # A:1:1
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 0), (a2, 0), (a3, 1), (a4, 1)))
    )
    # A:1:1
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a1, a2]
        * expectation(((a1, 1), (a2, 1), (a3, 0), (a4, 0)))
    )
    # A:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 1), (a2, 1), (a3, 1), (a4, 1)))
    )
    # A:1:1
    total -= (
        lambda_W**2
        * expectation(((a1, 0), (a2, 0)))
        * expectation(((a3, 0), (a4, 0)))
    )
    # A:1:1
    total -= (
        C_W
        * lambda_W
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 0), (a2, 0)))
        * expectation(((a3, 1), (a4, 1)))
    )
    # A:1:1
    total -= (
        C_W
        * lambda_W
        * previous["Theta@0"][a1, a2]
        * expectation(((a1, 1), (a2, 1)))
        * expectation(((a3, 0), (a4, 0)))
    )
    # A:1:1
    total -= (
        C_W**2
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 1), (a2, 1)))
        * expectation(((a3, 1), (a4, 1)))
    )
    # A:1:2
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        for (b3, b4), g2 in placements(((a3, 0), (a4, 0)), 2):
            total += (
                lambda_W**2
                * width_ratio
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    # A:1:2
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        for (b3, b4), g2 in placements(((a3, 1), (a4, 1)), 2):
            total += (
                C_W
                * lambda_W
                * width_ratio
                * previous["Theta@0"][a3, a4]
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    # A:1:2
    for (b1, b2), g1 in placements(((a1, 1), (a2, 1)), 2):
        for (b3, b4), g2 in placements(((a3, 0), (a4, 0)), 2):
            total += (
                C_W
                * lambda_W
                * width_ratio
                * previous["Theta@0"][a1, a2]
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    # A:1:2
    for (b1, b2), g1 in placements(((a1, 1), (a2, 1)), 2):
        for (b3, b4), g2 in placements(((a3, 1), (a4, 1)), 2):
            total += (
                C_W**2
                * width_ratio
                * previous["Theta@0"][a1, a2]
                * previous["Theta@0"][a3, a4]
                * previous["V@1"][b1, b2, b3, b4]
                * expectation(g1)
                * expectation(g2)
            ) / 4
    # A:1:3
    for (b1, b2), g2 in placements(((a3, 0), (a4, 0)), 2):
        total += (
            C_W
            * lambda_W
            * width_ratio
            * previous["D@1"][b1, b2, a1, a2]
            * expectation(((a1, 1), (a2, 1)))
            * expectation(g2)
        ) / 2
    # A:1:3
    for (b1, b2), g2 in placements(((a3, 1), (a4, 1)), 2):
        total += (
            C_W**2
            * width_ratio
            * previous["D@1"][b1, b2, a1, a2]
            * previous["Theta@0"][a3, a4]
            * expectation(((a1, 1), (a2, 1)))
            * expectation(g2)
        ) / 2
    # A:1:4
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        total += (
            C_W
            * lambda_W
            * width_ratio
            * previous["D@1"][b1, b2, a3, a4]
            * expectation(g1)
            * expectation(((a3, 1), (a4, 1)))
        ) / 2
    # A:1:4
    for (b1, b2), g1 in placements(((a1, 1), (a2, 1)), 2):
        total += (
            C_W**2
            * width_ratio
            * previous["D@1"][b1, b2, a3, a4]
            * previous["Theta@0"][a1, a2]
            * expectation(g1)
            * expectation(((a3, 1), (a4, 1)))
        ) / 2
    # A:1:5
    total += (
        C_W**2
        * width_ratio
        * previous["A@1"][a1, a2, a3, a4]
        * expectation(((a1, 1), (a2, 1)))
        * expectation(((a3, 1), (a4, 1)))
    )
    return total


def step_B_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """B_1324 at layer l+1, legs NTK12 NTK34, channel 13.24; rho = width_ratio.

    C_W^2 Θ_12 Θ_34 ⟨σ'_1 σ'_2 σ'_3 σ'_4⟩
    + ρ C_W^2 B_1324 ⟨σ'_1 σ'_3⟩ ⟨σ'_2 σ'_4⟩
    """
    a1, a3, a2, a4 = a
    total = 0
    # B:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a3, a4]
        * expectation(((a1, 1), (a2, 1), (a3, 1), (a4, 1)))
    )
    # B:1:2
    total += (
        C_W**2
        * width_ratio
        * previous["B@1"][a1, a3, a2, a4]
        * expectation(((a1, 1), (a3, 1)))
        * expectation(((a2, 1), (a4, 1)))
    )
    return total


def step_P_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """P_0123 at layer l+1, legs dNTK012 z3, channel 03.12; rho = width_ratio.

    C_W^2 Θ_01 Θ_02 ⟨σ''_0 σ'_1 σ'_2 σ_3⟩
    + ρ C_W^2 B_0012 ⟨σ''_0 σ_3⟩ ⟨σ'_1 σ'_2⟩
    + ρ C_W^2 Σ_{b1∈{0,3}} P_{0 1 2 b1} ⟨∂_b1(σ'_0 σ_3)⟩ ⟨σ'_1 σ'_2⟩
    """
    a0, a1, a2, a3 = a
    total = 0
    # P:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a0, a1]
        * previous["Theta@0"][a0, a2]
        * expectation(((a0, 2), (a1, 1), (a2, 1), (a3, 0)))
    )
    # P:1:2
    total += (
        C_W**2
        * width_ratio
        * previous["B@1"][a0, a0, a1, a2]
        * expectation(((a0, 2), (a3, 0)))
        * expectation(((a1, 1), (a2, 1)))
    )
    # P:1:3
    for (b1,), g1 in placements(((a0, 1), (a3, 0)), 1):
        total += (
            C_W**2
            * width_ratio
            * previous["P@1"][a0, a1, a2, b1]
            * expectation(g1)
            * expectation(((a1, 1), (a2, 1)))
        )
    return total


def step_Q_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """Q_0123 at layer l+1, legs dNTK012 z3, channel 01.23; rho = width_ratio.

    C_W^2 Θ_01 Θ_02 ⟨σ''_0 σ'_1 σ'_2 σ_3⟩
    + C_W λ_W Θ_02 ⟨σ'_0 σ_1 σ'_2 σ_3⟩
    + ρ C_W^2 Σ_{b1∈{0,1}} Σ_{b2∈{2,3}} F_{b1 0 b2 2} Θ_01 ⟨∂_b1(σ''_0 σ'_1)⟩ ⟨∂_b2(σ'_2 σ_3)⟩
    + ρ C_W λ_W Σ_{b1∈{0,1}} Σ_{b2∈{2,3}} F_{b1 0 b2 2} ⟨∂_b1(σ'_0 σ_1)⟩ ⟨∂_b2(σ'_2 σ_3)⟩
    + ρ C_W^2 Σ_{b1∈{2,3}} Q_{0 1 2 b1} ⟨σ'_0 σ'_1⟩ ⟨∂_b1(σ'_2 σ_3)⟩
    """
    a0, a1, a2, a3 = a
    total = 0
    # Q:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a0, a1]
        * previous["Theta@0"][a0, a2]
        * expectation(((a0, 2), (a1, 1), (a2, 1), (a3, 0)))
    )
    # Q:1:2
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a0, a2]
        * expectation(((a0, 1), (a1, 0), (a2, 1), (a3, 0)))
    )
    # Q:1:3
    for (b1,), g1 in placements(((a0, 2), (a1, 1)), 1):
        for (b2,), g2 in placements(((a2, 1), (a3, 0)), 1):
            total += (
                C_W**2
                * width_ratio
                * previous["F@1"][b1, a0, b2, a2]
                * previous["Theta@0"][a0, a1]
                * expectation(g1)
                * expectation(g2)
            )
    # Q:1:4
    for (b1,), g1 in placements(((a0, 1), (a1, 0)), 1):
        for (b2,), g2 in placements(((a2, 1), (a3, 0)), 1):
            total += (
                C_W
                * lambda_W
                * width_ratio
                * previous["F@1"][b1, a0, b2, a2]
                * expectation(g1)
                * expectation(g2)
            )
    # Q:1:5
    for (b1,), g2 in placements(((a2, 1), (a3, 0)), 1):
        total += (
            C_W**2
            * width_ratio
            * previous["Q@1"][a0, a1, a2, b1]
            * expectation(((a0, 1), (a1, 1)))
            * expectation(g2)
        )
    return total


def step_R_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """R_0123 at layer l+1, legs ddNTK1(0,1,2,3), channel 01.23; rho = width_ratio.

    C_W^2 Θ_01 Θ_02 Θ_03 ⟨σ'''_0 σ'_1 σ'_2 σ'_3⟩
    + C_W λ_W Θ_02 Θ_03 ⟨σ''_0 σ_1 σ'_2 σ'_3⟩
    + ρ C_W^2 B_0023 Θ_01 ⟨σ'''_0 σ'_1⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W^2 Σ_{b1∈{0,1}} P_{0 2 3 b1} Θ_01 ⟨∂_b1(σ''_0 σ'_1)⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W λ_W B_0023 ⟨σ''_0 σ_1⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W λ_W Σ_{b1∈{0,1}} P_{0 2 3 b1} ⟨∂_b1(σ'_0 σ_1)⟩ ⟨σ'_2 σ'_3⟩
    + ρ C_W^2 R_0123 ⟨σ'_0 σ'_1⟩ ⟨σ'_2 σ'_3⟩
    """
    a0, a1, a2, a3 = a
    total = 0
    # R:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a0, a1]
        * previous["Theta@0"][a0, a2]
        * previous["Theta@0"][a0, a3]
        * expectation(((a0, 3), (a1, 1), (a2, 1), (a3, 1)))
    )
    # R:1:2
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a0, a2]
        * previous["Theta@0"][a0, a3]
        * expectation(((a0, 2), (a1, 0), (a2, 1), (a3, 1)))
    )
    # R:1:3
    total += (
        C_W**2
        * width_ratio
        * previous["B@1"][a0, a0, a2, a3]
        * previous["Theta@0"][a0, a1]
        * expectation(((a0, 3), (a1, 1)))
        * expectation(((a2, 1), (a3, 1)))
    )
    # R:1:4
    for (b1,), g1 in placements(((a0, 2), (a1, 1)), 1):
        total += (
            C_W**2
            * width_ratio
            * previous["P@1"][a0, a2, a3, b1]
            * previous["Theta@0"][a0, a1]
            * expectation(g1)
            * expectation(((a2, 1), (a3, 1)))
        )
    # R:1:5
    total += (
        C_W
        * lambda_W
        * width_ratio
        * previous["B@1"][a0, a0, a2, a3]
        * expectation(((a0, 2), (a1, 0)))
        * expectation(((a2, 1), (a3, 1)))
    )
    # R:1:6
    for (b1,), g1 in placements(((a0, 1), (a1, 0)), 1):
        total += (
            C_W
            * lambda_W
            * width_ratio
            * previous["P@1"][a0, a2, a3, b1]
            * expectation(g1)
            * expectation(((a2, 1), (a3, 1)))
        )
    # R:1:7
    total += (
        C_W**2
        * width_ratio
        * previous["R@1"][a0, a1, a2, a3]
        * expectation(((a0, 1), (a1, 1)))
        * expectation(((a2, 1), (a3, 1)))
    )
    return total


def step_S_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """S_1234 at layer l+1, legs ddNTK2(1,2,3,4), channel 12.34; rho = width_ratio.

    C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
    + C_W λ_W Θ_13 Θ_24 ⟨σ'_1 σ'_2 σ'_3 σ'_4⟩
    + ρ C_W^2 B_1234 Θ_12 ⟨σ''_1 σ''_2⟩ ⟨σ'_3 σ'_4⟩
    + ρ C_W λ_W B_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
    + ρ C_W^2 S_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
    """
    a1, a2, a3, a4 = a
    total = 0
    # S:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a1, a3]
        * previous["Theta@0"][a2, a4]
        * expectation(((a1, 2), (a2, 2), (a3, 1), (a4, 1)))
    )
    # S:1:2
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a1, a3]
        * previous["Theta@0"][a2, a4]
        * expectation(((a1, 1), (a2, 1), (a3, 1), (a4, 1)))
    )
    # S:1:3
    total += (
        C_W**2
        * width_ratio
        * previous["B@1"][a1, a2, a3, a4]
        * previous["Theta@0"][a1, a2]
        * expectation(((a1, 2), (a2, 2)))
        * expectation(((a3, 1), (a4, 1)))
    )
    # S:1:4
    total += (
        C_W
        * lambda_W
        * width_ratio
        * previous["B@1"][a1, a2, a3, a4]
        * expectation(((a1, 1), (a2, 1)))
        * expectation(((a3, 1), (a4, 1)))
    )
    # S:1:5
    total += (
        C_W**2
        * width_ratio
        * previous["S@1"][a1, a2, a3, a4]
        * expectation(((a1, 1), (a2, 1)))
        * expectation(((a3, 1), (a4, 1)))
    )
    return total


def step_T_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """T_1324 at layer l+1, legs ddNTK2(1,2,3,4), channel 13.24; rho = width_ratio.

    λ_W^2 Θ_12 ⟨σ'_1 σ'_2 σ_3 σ_4⟩
    + C_W λ_W Θ_12 Θ_13 ⟨σ''_1 σ'_2 σ'_3 σ_4⟩
    + C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
    + C_W λ_W Θ_12 Θ_24 ⟨σ'_1 σ''_2 σ_3 σ'_4⟩
    + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_13 Θ_24 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨∂_b2(σ''_2 σ'_4)⟩
    + ρ C_W λ_W Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_13 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨∂_b2(σ'_2 σ_4)⟩
    + ρ C_W^2 Σ_{b1∈{1,3}} Q_{2 4 1 b1} Θ_13 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨σ'_2 σ'_4⟩
    + ρ C_W λ_W Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_24 ⟨∂_b1(σ'_1 σ_3)⟩ ⟨∂_b2(σ''_2 σ'_4)⟩
    + ρ C_W^2 Σ_{b1∈{2,4}} Q_{1 3 2 b1} Θ_24 ⟨σ'_1 σ'_3⟩ ⟨∂_b1(σ''_2 σ'_4)⟩
    + ρ λ_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} ⟨∂_b1(σ'_1 σ_3)⟩ ⟨∂_b2(σ'_2 σ_4)⟩
    + ρ C_W λ_W Σ_{b1∈{2,4}} Q_{1 3 2 b1} ⟨σ'_1 σ'_3⟩ ⟨∂_b1(σ'_2 σ_4)⟩
    + ρ C_W λ_W Σ_{b1∈{1,3}} Q_{2 4 1 b1} ⟨∂_b1(σ'_1 σ_3)⟩ ⟨σ'_2 σ'_4⟩
    + ρ C_W^2 T_1324 ⟨σ'_1 σ'_3⟩ ⟨σ'_2 σ'_4⟩
    """
    a1, a3, a2, a4 = a
    total = 0
    # T:1:1
    total += (
        lambda_W**2
        * previous["Theta@0"][a1, a2]
        * expectation(((a1, 1), (a2, 1), (a3, 0), (a4, 0)))
    )
    # T:1:2
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a1, a3]
        * expectation(((a1, 2), (a2, 1), (a3, 1), (a4, 0)))
    )
    # T:1:3
    total += (
        C_W**2
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a1, a3]
        * previous["Theta@0"][a2, a4]
        * expectation(((a1, 2), (a2, 2), (a3, 1), (a4, 1)))
    )
    # T:1:4
    total += (
        C_W
        * lambda_W
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a2, a4]
        * expectation(((a1, 1), (a2, 2), (a3, 0), (a4, 1)))
    )
    # T:1:5
    for (b1,), g1 in placements(((a1, 2), (a3, 1)), 1):
        for (b2,), g2 in placements(((a2, 2), (a4, 1)), 1):
            total += (
                C_W**2
                * width_ratio
                * previous["F@1"][b1, a1, b2, a2]
                * previous["Theta@0"][a1, a3]
                * previous["Theta@0"][a2, a4]
                * expectation(g1)
                * expectation(g2)
            )
    # T:1:6
    for (b1,), g1 in placements(((a1, 2), (a3, 1)), 1):
        for (b2,), g2 in placements(((a2, 1), (a4, 0)), 1):
            total += (
                C_W
                * lambda_W
                * width_ratio
                * previous["F@1"][b1, a1, b2, a2]
                * previous["Theta@0"][a1, a3]
                * expectation(g1)
                * expectation(g2)
            )
    # T:1:7
    for (b1,), g1 in placements(((a1, 2), (a3, 1)), 1):
        total += (
            C_W**2
            * width_ratio
            * previous["Q@1"][a2, a4, a1, b1]
            * previous["Theta@0"][a1, a3]
            * expectation(g1)
            * expectation(((a2, 1), (a4, 1)))
        )
    # T:1:8
    for (b1,), g1 in placements(((a1, 1), (a3, 0)), 1):
        for (b2,), g2 in placements(((a2, 2), (a4, 1)), 1):
            total += (
                C_W
                * lambda_W
                * width_ratio
                * previous["F@1"][b1, a1, b2, a2]
                * previous["Theta@0"][a2, a4]
                * expectation(g1)
                * expectation(g2)
            )
    # T:1:9
    for (b1,), g2 in placements(((a2, 2), (a4, 1)), 1):
        total += (
            C_W**2
            * width_ratio
            * previous["Q@1"][a1, a3, a2, b1]
            * previous["Theta@0"][a2, a4]
            * expectation(((a1, 1), (a3, 1)))
            * expectation(g2)
        )
    # T:1:10
    for (b1,), g1 in placements(((a1, 1), (a3, 0)), 1):
        for (b2,), g2 in placements(((a2, 1), (a4, 0)), 1):
            total += (
                lambda_W**2
                * width_ratio
                * previous["F@1"][b1, a1, b2, a2]
                * expectation(g1)
                * expectation(g2)
            )
    # T:1:11
    for (b1,), g2 in placements(((a2, 1), (a4, 0)), 1):
        total += (
            C_W
            * lambda_W
            * width_ratio
            * previous["Q@1"][a1, a3, a2, b1]
            * expectation(((a1, 1), (a3, 1)))
            * expectation(g2)
        )
    # T:1:12
    for (b1,), g1 in placements(((a1, 1), (a3, 0)), 1):
        total += (
            C_W
            * lambda_W
            * width_ratio
            * previous["Q@1"][a2, a4, a1, b1]
            * expectation(g1)
            * expectation(((a2, 1), (a4, 1)))
        )
    # T:1:13
    total += (
        C_W**2
        * width_ratio
        * previous["T@1"][a1, a3, a2, a4]
        * expectation(((a1, 1), (a3, 1)))
        * expectation(((a2, 1), (a4, 1)))
    )
    return total


def step_U_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """U_1423 at layer l+1, legs ddNTK2(1,2,3,4), channel 14.23; rho = width_ratio.

    C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
    + ρ C_W^2 U_1423 ⟨σ'_1 σ'_4⟩ ⟨σ'_2 σ'_3⟩
    """
    a1, a4, a2, a3 = a
    total = 0
    # U:1:1
    total += (
        C_W**2
        * previous["Theta@0"][a1, a2]
        * previous["Theta@0"][a1, a3]
        * previous["Theta@0"][a2, a4]
        * expectation(((a1, 2), (a2, 2), (a3, 1), (a4, 1)))
    )
    # U:1:2
    total += (
        C_W**2
        * width_ratio
        * previous["U@1"][a1, a4, a2, a3]
        * expectation(((a1, 1), (a4, 1)))
        * expectation(((a2, 1), (a3, 1)))
    )
    return total


def step_K_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """K^{1}_12 at layer l+1, legs z1 z2, channel 12; rho = width_ratio.

    1/2 ρ C_W Σ_{b1,b2∈{1,2}} K^{1}_{b1 b2} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
    + 1/8 ρ C_W Σ_{b1,b2,b3,b4∈{1,2}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2∂_b3∂_b4(σ_1 σ_2)⟩
    """
    a1, a2 = a
    total = 0
    # K:1:1
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        total += C_W * width_ratio * previous["K@1"][b1, b2] * expectation(g1) / 2
    # K:1:2
    for (b1, b2, b3, b4), g1 in placements(((a1, 0), (a2, 0)), 4):
        total += (
            C_W
            * width_ratio
            * previous["V@1"][b1, b2, b3, b4]
            * expectation(g1)
        ) / 8
    return total


def step_Theta_1(a, expectation, previous, C_W, lambda_W, C_b, lambda_b, width_ratio):
    """Θ^{1}_12 at layer l+1, legs NTK12, channel 12; rho = width_ratio.

    1/2 ρ Σ_{b1,b2∈{1,2}} K^{1}_{b1 b2} ⟨∂_b1∂_b2(Ω_12)⟩
    + ρ C_W Θ^{1}_12 ⟨σ'_1 σ'_2⟩
    + 1/8 ρ Σ_{b1,b2,b3,b4∈{1,2}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2∂_b3∂_b4(Ω_12)⟩
    + 1/2 ρ C_W Σ_{b1,b2∈{1,2}} D_{b1 b2 1 2} ⟨∂_b1∂_b2(σ'_1 σ'_2)⟩
    + ρ C_W Σ_{b1,b2∈{1,2}} F_{b1 1 b2 2} ⟨∂_b1∂_b2(σ'_1 σ'_2)⟩
    """
    a1, a2 = a
    total = 0
    # Theta:1:1
    for (b1, b2), g1 in placements(((a1, 0), (a2, 0)), 2):
        total += lambda_W * width_ratio * previous["K@1"][b1, b2] * expectation(g1) / 2
    # Theta:1:1
    for (b1, b2), g1 in placements(((a1, 1), (a2, 1)), 2):
        total += (
            C_W
            * width_ratio
            * previous["K@1"][b1, b2]
            * previous["Theta@0"][a1, a2]
            * expectation(g1)
        ) / 2
    # Theta:1:2
    total += (
        C_W
        * width_ratio
        * previous["Theta@1"][a1, a2]
        * expectation(((a1, 1), (a2, 1)))
    )
    # Theta:1:3
    for (b1, b2, b3, b4), g1 in placements(((a1, 0), (a2, 0)), 4):
        total += (
            lambda_W
            * width_ratio
            * previous["V@1"][b1, b2, b3, b4]
            * expectation(g1)
        ) / 8
    # Theta:1:3
    for (b1, b2, b3, b4), g1 in placements(((a1, 1), (a2, 1)), 4):
        total += (
            C_W
            * width_ratio
            * previous["Theta@0"][a1, a2]
            * previous["V@1"][b1, b2, b3, b4]
            * expectation(g1)
        ) / 8
    # Theta:1:4
    for (b1, b2), g1 in placements(((a1, 1), (a2, 1)), 2):
        total += (
            C_W
            * width_ratio
            * previous["D@1"][b1, b2, a1, a2]
            * expectation(g1)
        ) / 2
    # Theta:1:5
    for (b1, b2), g1 in placements(((a1, 1), (a2, 1)), 2):
        total += C_W * width_ratio * previous["F@1"][b1, a1, b2, a2] * expectation(g1)
    return total


STEPS = {
    "K@0": step_K_0,
    "Theta@0": step_Theta_0,
    "V@1": step_V_1,
    "D@1": step_D_1,
    "F@1": step_F_1,
    "A@1": step_A_1,
    "B@1": step_B_1,
    "P@1": step_P_1,
    "Q@1": step_Q_1,
    "R@1": step_R_1,
    "S@1": step_S_1,
    "T@1": step_T_1,
    "U@1": step_U_1,
    "K@1": step_K_1,
    "Theta@1": step_Theta_1,
}
