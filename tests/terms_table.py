"""A table with columns of every kind, and what is made of them."""

import datetime
from typing import Any

import numpy as np
import polars as pl

from normball.inputs.preparation import Preparation
from normball.inputs.prepare import prepare

N = 240
RNG = np.random.default_rng(5)
A, B, NOISE = RNG.normal(size=(3, N))
TOWN = RNG.choice(["Rome", "Oslo", "Bonn", "Nice", "York"], size=N, p=[0.5, 0.4, 0.06, 0.02, 0.02])
SIDE = RNG.choice(["left", "right"], size=N)
DAYS = [datetime.date(2020, 1, 15) + datetime.timedelta(int(k)) for k in RNG.integers(0, 800, size=N)]
NOTES = [" ".join(RNG.choice(["good", "bad", "late", "very", "quick"], size=4)) for _ in range(N)]
Y = A**2 + 2.0 * (TOWN == "Bonn") + np.array([day.month / 6 for day in DAYS]) + NOISE / 4
Y = Y + np.array([note.count("very good") for note in NOTES])
TABLE = pl.DataFrame({"y": Y, "a": A, "b": B, "town": TOWN, "side": SIDE, "day": DAYS, "note": NOTES})
ALL: dict[str, Any] = {
    "min_count": 20,
    "baseline": {"side": "left"},
    "dates": ["day"],
    "text": ["note"],
    "spline": ["a"],
    "interact": ["a:side", "town:side", ("b", "b")],
}


def design(table: Any, **options: Any) -> tuple[dict[str, np.ndarray], Preparation]:
    """The features by name, and how they were made."""
    data = prepare(table, "y", family="gaussian", **options)
    return dict(zip(data.feature_names, np.asarray(data.design).T, strict=True)), data.preparation


def with_gaps(column: str, n: int) -> pl.DataFrame:
    gone = pl.int_range(pl.len()) < n
    return TABLE.with_columns(pl.when(gone).then(None).otherwise(pl.col(column)).alias(column))
