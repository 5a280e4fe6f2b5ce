"""Code that solves a System on its own: an IR, its lowering to statements, and a folder a language.

Enters: a System. Leaves: files. `ir` says what is computed, `lowering` in which statements, once; a language's
`formatter` writes them and its `files` fill templates, which hold what no System changes. `backends` is the list.
"""
