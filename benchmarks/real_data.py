"""Real data sets, where their folder is present: NORMBALL_BENCHMARK_DATA, or ../shared/data next to the project.

Tables: rows as they are, numeric gaps filled with the median, one indicator a level, columns standardised. Sparse
matrices: empty columns left out, columns scaled to unit deviation and not centred, which with an intercept is the same
problem as centring them. So all programs get the standardised problem, and none has to standardise.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.generators import standardise
from benchmarks.sparse_generators import unit_deviation

Array = NDArray[np.float64]
Built = tuple[Any, dict[str, Array]]


def folder() -> Path:
    """Where the real data sets are looked for."""
    given = os.environ.get("NORMBALL_BENCHMARK_DATA")
    if given:
        return Path(given)
    project = Path(__file__).resolve().parent.parent
    candidates = [parent / "shared" / "data" for parent in project.parents[:2]]
    return next((path for path in candidates if path.is_dir()), candidates[0])


@dataclass(frozen=True)
class RealSet:
    """A data set by name; `build` reads and prepares it."""

    name: str
    says: str
    family: str
    build: Callable[[], Built]
    lambda_min_ratio: float
    cv: bool = False


def table(name: str, target: str, *, positive: str = "", drop: tuple[str, ...] = (), exposure: str = "") -> Built:
    """A set in columns; of two labels `positive` is 1."""
    frame = _read(name)
    y = (frame[target] == positive).cast(float) if positive else frame[target].cast(float)
    vectors = {"y": y.to_numpy()}
    if exposure:
        vectors["offset"] = np.log(frame[exposure].to_numpy())
    return _design(frame.drop(target, *drop, *([exposure] if exposure else []))), vectors


def survival(name: str, *, drop: tuple[str, ...] = ()) -> Built:
    """A set in columns; a row of y is (time + 1, event): R's glmnet takes no time 0, and only the order counts."""
    frame = _read(name)
    y = frame.select("time", "event").to_numpy().astype(float)
    return _design(frame.drop("time", "event", *drop)), {"y": y + np.array([1.0, 0.0])}


def by_columns(name: str, target: str, *, drop: tuple[str, ...] = ()) -> Built:
    """A set in columns, each a group: labels become an orthonormal basis of their indicators, as `groups="columns"`."""
    frame = _read(name)
    blocks = []
    for column in frame.drop(target, *drop):
        block = np.column_stack(_columns(column))
        basis, sizes, _ = np.linalg.svd(block - block.mean(0), full_matrices=False)
        blocks.append(basis[:, sizes > 1e-10 * len(block) ** 0.5] * len(block) ** 0.5)
    groups = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    groups = np.unique(groups, return_inverse=True)[1].astype(float)  # a column that does not vary has no group
    return np.asfortranarray(np.column_stack(blocks)), {"y": frame[target].cast(float).to_numpy(), "groups": groups}


def classes(name: str, target: str, *, drop: tuple[str, ...] = ()) -> Built:
    """A set in columns, with an indicator in y for each label, in their order."""
    frame = _read(name)
    return _design(frame.drop(target, *drop)), {"y": np.column_stack(_indicators(frame[target].to_numpy()))}


def _read(name: str) -> Any:
    import polars as pl

    return pl.read_csv(folder() / f"{name}.csv.gz", null_values="NA", infer_schema_length=None)


def _design(frame: Any) -> Array:
    X = np.asfortranarray(np.column_stack([one for column in frame for one in _columns(column)]))
    return standardise(X[:, X.std(0) > 0])


def _columns(column: Any) -> list[Array]:
    """Numbers as they are, or an indicator for each label."""
    import polars as pl

    if column.dtype == pl.String:
        return _indicators(column.fill_null("missing").to_numpy())
    return [column.cast(float).fill_null(column.median()).to_numpy()]


def _indicators(levels: NDArray[Any]) -> list[Array]:
    return [(levels == level).astype(float) for level in np.unique(levels)]


def _sparse(name: str) -> Built:
    X, label = _svmlight(name)
    return X, {"y": (label == label.max()).astype(float)}


def sparse_classes(name: str) -> Built:
    """A sparse set, with an indicator in y for each label, in their order."""
    X, label = _svmlight(name)
    return X, {"y": np.column_stack(_indicators(label))}


def _svmlight(name: str) -> tuple[Any, Array]:
    import sklearn.datasets

    with gzip.open(folder() / f"{name}.svmlight.gz") as file:
        X, label = sklearn.datasets.load_svmlight_file(file)
    return unit_deviation(sp.csc_matrix(X)), label


_INSURANCE = ("id", "claim", "amount", "average")

SETS = (
    RealSet("golub_leukemia", "72 patients, 7,129 genes: ALL or AML", "binomial",
            lambda: table("golub_leukemia", "y", positive="AML", drop=("split",)), 1e-2, cv=True),
    RealSet("gordon_lung", "181 patients, 12,533 genes: mesothelioma or not", "binomial",
            lambda: table("gordon_lung", "y", positive="mesothelioma"), 1e-2, cv=True),
    RealSet("riboflavin", "71 samples, 4,088 genes", "gaussian", lambda: table("riboflavin", "y"), 1e-2, cv=True),
    RealSet("sms_spam", "5,574 messages, 8,713 words", "binomial", lambda: _sparse("sms_spam"), 1e-2, cv=True),
    RealSet("rcv1_1000", "1,000 news items, 9,738 terms that occur", "binomial", lambda: _sparse("rcv1_1000"), 1e-2,
            cv=True),
    RealSet("basehock", "1,993 newsgroup postings, 4,862 word counts", "binomial", lambda: _sparse("basehock"), 1e-2),
    RealSet("hockey_goals", "69,449 goals, 2,776 players, teams and situations", "binomial",
            lambda: _sparse("hockey_goals"), 1e-4),
    RealSet("adult", "48,842 people: income above 50,000, with indicators", "binomial",
            lambda: table("adult", "income", positive=">50K", drop=("split",)), 1e-4, cv=True),
    RealSet("california_housing", "20,640 districts: median house value", "gaussian",
            lambda: table("california_housing", "median_house_value"), 1e-4, cv=True),
    RealSet("higgs_7500", "7,500 collisions: signal or background", "binomial",
            lambda: table("higgs_7500", "signal", drop=("split",)), 1e-4, cv=True),
    RealSet("beMTPL97", "163,212 motor policies: number of claims, with exposure as offset", "poisson",
            lambda: table("beMTPL97", "nclaims", drop=_INSURANCE, exposure="expo"), 1e-4, cv=True),
)  # fmt: skip
