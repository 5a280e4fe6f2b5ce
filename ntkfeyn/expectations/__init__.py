"""Gaussian expectations of products of activations: quadrature for smooth ones, closed forms for kinked ones.

Enters: which expectations (``keys``) at which kernel. Leaves: their values, and bounds where they are tracked.
"""
