"""What the lessons draw: small data made by formulas, or what normball finds in a table of the reader's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from normball.cv import cv_path
from normball.inputs.prepare import Data, prepare
from normball.inputs.sources import source_of
from normball.language import tr
from normball.learn.overfitting import fitted_and_held_out, noisy_points
from normball.learn.table import Array, Table, few_of_many, standardised, turned
from normball.learn.which_one import built_in_tables, own_table
from normball.messages import DataError
from normball.path import fit_path

__all__ = ["IDS", "Lessons", "built_in", "own"]

IDS = tuple("abcdefghi")
MIXES = (1.0, 0.5, 0.0)
GRID = 40  # strengths on each path
SCALES = 10 ** np.linspace(-1.0, 2.0, 61)  # steps of the slider of lesson a
MOST_POINTS = 40  # rows shown as points
LISTED = 30  # features whose weights are drawn


@dataclass(frozen=True)
class Lessons:
    """The data of all lessons by id, and where they come from in a sentence."""

    by_id: dict[str, dict[str, Any]]
    about: str


def built_in() -> Lessons:
    """The data that come with the lessons."""
    quadratic = turned(35.0, 0.4)
    X, y, truth = few_of_many()
    names = tuple(f"x{j + 1}" for j in range(X.shape[1]))
    two = Table(X, y, np.zeros(0), names, (2, 6), (2, 6), X.mean(axis=0), X.std(axis=0))
    points = [[0.5, 0.5, 1], [1.4, 0.8, 1], [-0.9, -0.6, 0], [-1.3, -1.2, 0], [0.3, 1.7, 1], [-0.4, -0.6, 1]]
    by_id: dict[str, dict[str, Any]] = {
        "a": {"points": points, "w": [1, 1], "b": 0, "names": ["x1", "x2"], "n_rows": len(points), "totals": None},
        "b": noisy_points(),
        "c": _bargain(two),
        "d": {"quadratic": None, "names": ["x1", tr("its copy")], "lam": 0.1},
        "e": {"quadratic": None, "names": ["x1", "x2"]},
        "f": {**_mixes(two), "truth": truth.tolist()},
        "g": {"bend": 1, "centre": 1, "base": 0.2, "name": "x"},
        "h": {"quadratic": quadratic, "names": ["x1", "x2"]},
        "i": built_in_tables(),
    }
    return Lessons(by_id, tr("The lessons use small data made for them."))


def own(
    X: Any,
    y: Any,
    columns: Sequence[str] = (),
    missing: str = "error",
    drop: Sequence[str] = (),
    ids: Sequence[str] = IDS,
) -> Lessons:
    """The lessons on a table of the reader's.

    Parameters
    ----------
    X, y
        As in `fit_path`. Of more than two classes the commonest is told from all others.
    columns : two feature names, optional
        The pair for the lessons that draw two weights. By default the two features that go most with the target, and
        for lesson d the two that are most alike.
    missing : {"error", "drop", "impute"}
        What to do with missing values.
    drop : sequence of str
        Columns to leave out.
    ids : sequence of str
        Which lessons; the others are not computed.

    Returns
    -------
    Lessons
    """
    try:
        data = prepare(X, y, family="auto", missing=missing, drop=drop)
    except DataError as error:
        raise DataError(*(finding.with_known_options(("missing", "drop")) for finding in error.findings)) from None
    target, classes = _target(data)
    table = standardised(data.design, target, data.feature_names, columns, source_of(X))
    first, second = _names(table, table.pair)
    about = (
        tr("The lessons use {0} rows; the target is {1}.", f"{data.n_rows:,}", data.target_name),
        tr("Two weights are those of {0} and {1}.", first, second),
        classes,
        tr("Weights are per standard deviation. Up to {0} rows are drawn in lesson a.", MOST_POINTS),
    )
    return Lessons({id: _OF_A_TABLE[id](table) for id in ids}, " ".join(about))


def _target(data: Data) -> tuple[Array, str]:
    """What the lessons explain, and what they say of its classes."""
    if data.classes is None:
        return data.y, tr("Lessons a and b ask whether the target is above its median.")
    names = [str(label) for label in data.classes]
    y = data.y
    if len(names) > 2:
        common = int(np.argmax(y.sum(axis=0)))
        y, names = y[:, common], [tr("all others"), names[common]]
    if names == ["0", "1"]:
        return y, tr("Lessons c to h use the squared error on 0 and 1.")
    text = "Class 0 is {0}, class 1 {1}; lessons c to h use the squared error on 0 and 1."
    return y, tr(text, names[0], names[1])


def _names(table: Table, pair: tuple[int, int]) -> list[str]:
    return [table.names[j] for j in pair]


def _quadratic(table: Table, pair: tuple[int, int]) -> dict[str, Any]:
    """Half the mean squared error as a function of two weights."""
    two = table.X[:, pair]
    gram, cov = two.T @ two / len(table.y), two.T @ table.y / len(table.y)
    base = float(table.y @ table.y) / len(table.y) / 2
    return {"gram": [float(gram[0, 0]), float(gram[0, 1]), float(gram[1, 1])], "cov": cov.tolist(), "base": base}


def _strengths(table: Table, columns: Sequence[int], l1_ratio: float) -> Array:
    """From where all is zero, or nearly so for ridge, to where the penalty hardly counts."""
    if l1_ratio == 0.0:
        return np.geomspace(30.0, 3e-3, GRID)
    largest = float(np.abs(table.X[:, list(columns)].T @ table.y).max()) / len(table.y) / l1_ratio
    return np.geomspace(largest * (1 + 1e-12), 3e-3 * largest, GRID)


def _bargain(table: Table) -> dict[str, Any]:
    lambdas = {name: _short(_strengths(table, table.pair, mix)) for name, mix in (("l1", 1.0), ("l2", 0.0))}
    return {"quadratic": _quadratic(table, table.pair), "lambdas": lambdas, "names": _names(table, table.pair)}


def _short(values: Array, digits: int = 10) -> list[float]:
    """All the digits that a drawing and its check need."""
    return [float(f"{value:.{digits}g}") for value in values]


def _alike(table: Table) -> dict[str, Any]:
    lam = 0.1 * float(np.abs(table.X[:, table.twins].T @ table.y).max()) / len(table.y)
    return {"quadratic": _quadratic(table, table.twins), "names": _names(table, table.twins), "lam": lam}


def _mixes(table: Table) -> dict[str, Any]:
    everything = range(table.X.shape[1])
    folds = min(10, len(table.y))
    found = [
        cv_path(table.X, table.y, family="gaussian", l1_ratio=mix, lambdas=_strengths(table, everything, mix), cv=folds)
        for mix in MIXES
    ]
    variance = float(table.y @ table.y) / len(table.y)
    weights = [cv.path.coefs * cv.path.scales for cv in found]
    size = sum(np.abs(coefs).sum(axis=0) for coefs in weights)
    listed = np.sort(np.argsort(-size, kind="stable")[:LISTED])
    return {
        "names": [table.names[j] for j in listed],
        "n_features": table.X.shape[1],
        "n_folds": folds,
        "paths": [
            {
                "l1_ratio": mix,
                "lambdas": _short(cv.lambdas),
                "coefs": [_short(row, 4) for row in coefs[:, listed]],
                "n_nonzero": cv.path.n_nonzero.tolist(),
                "unexplained": _short(cv.cv_mean / variance, 6),
            }
            for mix, cv, coefs in zip(MIXES, found, weights, strict=True)
        ],
    }


def _bowl(table: Table) -> dict[str, Any]:
    j = table.pair[0]
    centre = float(table.X[:, j] @ table.y) / len(table.y)
    return {
        "bend": 1.0,
        "centre": centre,
        "base": (float(table.y @ table.y) / len(table.y) - centre**2) / 2,
        "name": table.names[j],
    }


def _logistic(X: Array, classes: Array) -> tuple[Array, float]:
    """Weights and intercept with a very weak L2 penalty, which keeps them finite where a line parts the classes."""
    path = fit_path(X, classes, family="binomial", l1_ratio=0.0, lambdas=[1e-3])
    return path.coefs[0], float(path.intercepts[0])


def _same_line(table: Table) -> dict[str, Any]:
    two = table.X[:, table.pair]
    w, b = _logistic(two, table.classes)
    rows = np.unique(np.linspace(0, len(two) - 1, MOST_POINTS).round().astype(int))
    points = [
        [round(float(x), 3), round(float(z), 3), int(c)]
        for (x, z), c in zip(two[rows], table.classes[rows], strict=True)
    ]
    margins = (two @ w + b) * np.where(table.classes > 0, 1.0, -1.0)
    totals = [float(np.logaddexp(0.0, -scale * margins).sum()) for scale in SCALES]
    return {
        "points": points,
        "w": w.tolist(),
        "b": b,
        "names": _names(table, table.pair),
        "n_rows": len(two),
        "totals": _short(np.array(totals)),
    }


def _ball(table: Table) -> dict[str, Any]:
    return {"quadratic": _quadratic(table, table.pair), "names": _names(table, table.pair)}


_OF_A_TABLE: dict[str, Callable[[Table], dict[str, Any]]] = {
    "a": _same_line,
    "b": fitted_and_held_out,
    "c": _bargain,
    "d": _alike,
    "e": _ball,
    "f": lambda table: {**_mixes(table), "truth": None},
    "g": _bowl,
    "h": _ball,
    "i": own_table,
}
