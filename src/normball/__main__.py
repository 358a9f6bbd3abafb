"""`python -m normball`: the same as `python -m normball.cli`."""

import normball.cli.__main__  # noqa: F401  (it runs the command)
