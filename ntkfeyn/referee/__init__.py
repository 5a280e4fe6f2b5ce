"""The referee: is somebody's recursion right? (interface, second part: check)

Enters: LaTeX as people write it. Leaves: a verdict, term by term. Two ways that know nothing of each other decide:
values in exact rational numbers at random points (points), and canonical terms (canonical, matching). (No module here
is called check: it would hide ntkfeyn.check.)

source -> tokens -> macros -> documents -> claims (survey: what is judged and what is not), parser -> expressions
-> evaluation (summing: sums label after label) -> points, exponentials (semantics) | canonical, matching
-> verdict -> correction, report
"""
