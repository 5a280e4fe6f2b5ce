"""Figures: what matplotlib draws, nothing else."""
