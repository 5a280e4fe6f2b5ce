"""Artefacts made from recursions: one file a target, all reading the recursion only."""
