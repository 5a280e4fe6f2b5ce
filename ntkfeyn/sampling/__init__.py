"""Networks drawn at random, unbiased estimates of their cumulants, and theory held against them.

Enters: the law of a network. Leaves: estimates with standard errors. Nothing here imports the derivation: sampled
networks are a judge. (Not ``sample``: a module of that name would hide the function ntkfeyn.sample.)
"""
