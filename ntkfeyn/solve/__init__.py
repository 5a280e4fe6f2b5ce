"""Numbers from recursions: a System solved layer by layer for a network (THEORY sections 3 to 5 and 7).

Enters: a System, networks, inputs. Leaves: every tensor at every layer, with an error.
"""
