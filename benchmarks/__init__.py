"""How fast normball is, and how accurate: problems × solvers × (time, certificate).

`python -m benchmarks --help` says what can be run. Nothing in here is shipped with the package, and `judge` shares no
code with it.
"""
