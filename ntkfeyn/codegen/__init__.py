"""Code that solves a System on its own: an IR, its lowering to loops, and a folder a language.

Enters: a System. Leaves: files. What languages share is done once; a backend prints.
"""
