"""Certificates: a recursion against exact moments, coefficient by coefficient, with negative controls.

Enters: a recursion. Leaves: a certificate. (Not ``verify``: a module of that name would hide ntkfeyn.verify.)
"""
