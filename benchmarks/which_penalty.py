"""Is L2 usually better than L1? Counted over the data sets that come with scikit-learn.

`python -m benchmarks.which_penalty` (some minutes) compares lasso, two elastic nets and ridge on the same folds of
each task and writes the record that lesson i of `normball learn` reads (`src/normball/learn/which_penalty.json`). A
task is a data set with all of its rows, or with a sample of 60 of them (of digits 400 and 150: ten classes need
more), since it is with few rows that the penalty matters most. Ten folds, five times over; a difference counts where
its mean over these folds is larger than its standard error over the ten folds of one time.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.preprocessing import PolynomialFeatures

import normball as nb
from normball.learn import which_one
from normball.mixes import MIXES

RECORD = Path(which_one.__file__).with_name(which_one.RECORD)
FEW = 60
REPEATS = 5

Array = NDArray[np.float64]


def tasks() -> list[tuple[str, Array, Array, str]]:
    """Name, features, target and family of each task."""
    made = []
    for name, family in (
        ("diabetes", "gaussian"),
        ("breast_cancer", "binomial"),
        ("wine", "multinomial"),
        ("iris", "multinomial"),
        ("digits", "multinomial"),
    ):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        most, few = (400, 150) if name == "digits" else (len(y), FEW)
        made.append((name, *sample(X, y, most), family))
        made.append((f"{name}, {few} rows", *sample(X, y, few), family))
        if name == "diabetes":
            products = PolynomialFeatures(2, include_bias=False).fit_transform(X)
            made.append(("diabetes with products", products, y, family))
            made.append((f"diabetes with products, {few} rows", *sample(products, y, few), family))
    X, y = datasets.load_linnerud(return_X_y=True)
    made.append(("linnerud", X, y, "multigaussian"))
    return made


def sample(X: Array, y: Array, n_rows: int) -> tuple[Array, Array]:
    """Some rows by chance, in their order; features that do not vary there are left out."""
    rows = np.sort(np.random.default_rng(0).permutation(len(y))[:n_rows])
    X = X[rows]
    return X[:, X.std(axis=0) > 0], y[rows]


def judged(name: str, X: Array, y: Array, family: str) -> dict[str, Any]:
    """The errors of the mixes on the same folds, and how much worse each is than the best."""
    if family in ("gaussian", "multigaussian"):
        y = (y - y.mean(axis=0)) / y.std(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nb.NotConverged)  # the weakest strengths of classes that can be parted
        comparison = nb.compare(X, y, MIXES, family=family, cv=10, repeats=REPEATS)
    return {
        "task": name,
        "n_rows": len(y),
        "n_features": X.shape[1],
        "family": family,
        **which_one.verdict(comparison, REPEATS),
    }


def main() -> None:
    """Run all tasks and write the record."""
    records = [judged(*task) for task in tasks()]
    text = ",\n".join(json.dumps(record) for record in records)
    RECORD.write_text(f"[\n{text}\n]\n", "utf-8")
    print(f"Wrote {RECORD}: {which_one.counted(records)}")


if __name__ == "__main__":
    main()
