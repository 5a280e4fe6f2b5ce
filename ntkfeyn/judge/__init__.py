"""The judge: exact moments of polynomial networks by brute force (THEORY section 6).

Enters: a network with a polynomial activation, external legs as trees. Leaves: cumulants as exact series in 1/n.
Standard library only; it imports nothing of what it judges.
"""
