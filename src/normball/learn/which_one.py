"""What lesson i is made of: lasso, two mixes and ridge on the same folds, and what was counted over many data sets."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.language import tr
from normball.learn.table import Array, Table, few_of_many, normal
from normball.messages import NotConverged
from normball.mixes import MIXES, compare
from normball.results.cross_validated import summarise_folds

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.ranking import Candidate

MOST_ROWS = 2000  # of a large table a sample is compared
FOLDS = 10
RECORD = "which_penalty.json"  # written by `python -m benchmarks.which_penalty`


def built_in_tables() -> dict[str, Any]:
    """Two tables that differ in one thing: how many of the features matter."""
    X, y, _ = few_of_many()
    n_rows, n_features = X.shape
    weights = np.where(np.arange(n_features) % 2 == 0, 0.45, -0.45)
    dense = X @ weights + 1.4 * normal((n_rows, 1), start=5000)[:, 0]
    return {
        "tables": [
            {"name": tr("4 of 20 features matter"), **compared(X, y, "gaussian")},
            {"name": tr("all 20 matter a little"), **compared(X, dense, "gaussian")},
        ],
        "counted": counted(record()),
    }


def own_table(table: Table) -> dict[str, Any]:
    """The reader's table, or a sample of its rows."""
    two_kinds = np.unique(table.y).size == 2
    rows = _sampled(table.classes if two_kinds else np.zeros(len(table.y)))
    X = table.X[rows]
    X = X[:, X.std(axis=0) > 0]
    found = compared(X, (table.classes if two_kinds else table.y)[rows], "binomial" if two_kinds else "gaussian")
    return {
        "tables": [{"name": tr("your table"), **found, "n_all": len(table.y)}],
        "counted": counted(record()),
    }


def _sampled(classes: Array) -> NDArray[np.intp]:
    """Rows drawn of each class by its share; of a rare class at least one for each fold, or all that it has."""
    generator = np.random.default_rng(0)
    drawn = []
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        n_rows = max(FOLDS, int(rows.size * min(1.0, MOST_ROWS / classes.size)))
        drawn.append(generator.permutation(rows)[:n_rows])
    return np.sort(np.concatenate(drawn))


def compared(X: Array, y: Array, family: str) -> dict[str, Any]:
    """Errors of every strength of every mix on held-out rows.

    Squared errors are shares of the variance of the target, so that they need no unit; deviances are halved to the mean
    cross-entropy of the other lessons.
    """
    gaussian = find_family(family).quadratic
    target = (y - y.mean()) / y.std() if gaussian else y
    smallest = len(y) if gaussian else int(min(np.sum(y == 0), np.sum(y == 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotConverged)  # the weakest strengths of classes that can be parted
        comparison = compare(X, target, MIXES, family=family, cv=min(FOLDS, smallest))
    unit = 1.0 if gaussian else 0.5
    null_loss, null_loss_se = comparison.null_loss
    return {
        "n_rows": len(y),
        "n_features": X.shape[1],
        "n_folds": comparison[0].n_folds,
        "error": tr("share of variance left unexplained" if gaussian else "mean cross-entropy"),
        "null": unit * comparison.null_mean,
        "null_loss": unit * null_loss,
        "null_loss_se": unit * null_loss_se,
        "mixes": [_told(comparison.candidate(cv, "best"), unit) for cv in comparison],
    }


def _told(best: Candidate, unit: float) -> dict[str, Any]:
    cv = best.cv
    return {
        "l1_ratio": best.l1_ratio,
        "lambdas": _short(cv.lambdas),
        "n": cv.path.n_nonzero.tolist(),
        "errors": _short(unit * cv.cv_mean),
        "loss": unit * best.loss,
        "loss_se": unit * best.loss_se,
    }


def verdict(comparison: Comparison, repeats: int) -> dict[str, Any]:
    """One task of the record; folds that were drawn several times are not that many more folds."""
    ridge, lasso = comparison.with_mix(0.0), comparison.with_mix(1.0)
    scores = ridge.fold_scores[:, ridge.index_best] - lasso.fold_scores[:, lasso.index_best]
    loss, error = summarise_folds(scores[:, None], ridge.fold_weights)
    return {
        "score": lasso.score,
        "null": _digits(lasso.null_mean),
        "best": [_digits(cv.cv_mean[cv.index_best]) for cv in comparison],
        "kept": [int(cv.path.n_nonzero[cv.index_best]) for cv in comparison],
        "ridge_worse_by": [_digits(loss[0]), _digits(error[0] * np.sqrt(repeats))],
    }


def record() -> list[dict[str, Any]]:
    """What `python -m benchmarks.which_penalty` found."""
    tasks: list[dict[str, Any]] = json.loads(resources.files("normball.learn").joinpath(RECORD).read_text("utf-8"))
    return tasks


def counted(tasks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """In how many tasks ridge, the lasso, or neither is clearly better, and how often a mix was best of all."""
    worse = [task["ridge_worse_by"] for task in tasks]
    return {
        "tasks": len(tasks),
        "data_sets": list(dict.fromkeys(task["task"].split(",")[0].split(" with ")[0] for task in tasks)),
        "ridge": sum(mean < -error for mean, error in worse),
        "lasso": sum(mean > error for mean, error in worse),
        "unclear": sum(abs(mean) <= error for mean, error in worse),
        "mix": sum(MIXES[int(np.argmin(task["best"]))] not in (0.0, 1.0) for task in tasks),
    }


def _digits(value: float) -> float:
    return float(f"{value:.5g}")


def _short(values: Array) -> list[float]:
    return [_digits(value) for value in values]
