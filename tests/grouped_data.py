"""Tables whose features come in groups, for the tests of these."""

from typing import Any

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes

import normball as nb

N = 160
RNG = np.random.default_rng(11)
X, Y = load_diabetes(return_X_y=True, as_frame=True)
BLOOD = ["s1", "s2", "s3", "s4", "s5", "s6"]
BY_NAME = {"person": ["age", "sex"], "body": ["bmi", "bp"], "blood": BLOOD}


def table() -> pl.DataFrame:
    """Numbers, one with gaps, and two columns of labels, one of which says something."""
    a, b, c, noise = RNG_TABLE.normal(size=(4, N))
    site = np.array(["north", "south", "west", "east"])[np.arange(N) % 4]
    gaps = pl.Series([None if i % 9 == 0 else float(value) for i, value in enumerate(c)])
    y = a + b + (site == "north") - (site == "west") + 0.7 * noise
    kind = np.array(["x", "y", "z"])[RNG_TABLE.integers(3, size=N)]
    return pl.DataFrame({"a": a, "b": b, "gaps": gaps, "site": site, "kind": kind, "y": y})


RNG_TABLE = np.random.default_rng(5)
TABLE = table()
FULL = TABLE.drop("gaps")


def whole(path: nb.Path) -> np.ndarray[Any, Any]:
    """Whether each group is zero as a whole, or nonzero as a whole, at each strength."""
    assert path.groups is not None
    nonzero = path.coefs != 0
    parts = [nonzero[:, path.groups.of_feature == g] for g in range(len(path.groups))]
    return np.array([part.all(axis=1) | ~part.any(axis=1) for part in parts])
