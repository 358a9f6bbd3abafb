"""Running commands in tests."""

from collections.abc import Collection

import numpy as np
import polars as pl
import pytest

from normball.cli import main

Capture = pytest.CaptureFixture[str]

# the lasso of the small table, in little time
FIT = ("fit", "t.csv", "--target", "y", "--drop", "t,w", "--cv", "4", "--penalty", "l1", "--bootstrap", "0")
FIT += ("-o", "out")


def small_table() -> pl.DataFrame:
    """A binary target, numbers, labels (one of them a formula), times and weights."""
    rng = np.random.default_rng(1)
    n = 120
    colour = rng.choice(["red", "white", "=cmd()"], n)
    a, b = rng.normal(size=(2, n))
    y = np.where(1.5 * a - b + (colour == "red") + rng.logistic(size=n) > 0, "yes", "no")
    return pl.DataFrame({"y": y, "a": a, "b": b, "colour": colour, "t": np.arange(n), "w": rng.uniform(1, 2, n)})


def run(capsys: Capture, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    code = main(words)
    output = capsys.readouterr()
    return code, output.out, output.err


def alone_unless(words: Collection[str]) -> list[str]:
    """The option that fits the lasso alone, unless penalties are named."""
    return [] if {"--penalty", "--l1-ratio"}.intersection(words) else ["--no-compare"]


def fit(capsys: Capture, *words: str) -> tuple[int, str, str]:
    """Fit the small table, by the lasso alone unless penalties are named."""
    words = (*alone_unless(words), *words)
    return run(capsys, "fit", "t.csv", "--target", "y", "--drop", "t,w", "--cv", "5", "-o", "out", *words)
