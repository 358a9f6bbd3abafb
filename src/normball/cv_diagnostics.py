"""What only some families have to tell of a cross-validated path, and the remarks that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from normball.cv_result import CVPath
from normball.families import find_family
from normball.family import Family
from normball.findings.saturation import FLAT_FROM
from normball.folds import Folds
from normball.messages import Finding
from normball.out_of_fold import weights_of
from normball.path import Problem
from normball.results.cross_validated import Choice, summarise_folds
from normball.results.path import Path
from normball.results.remarks import overdispersed, underdispersed
from normball.scores import even_parameter, mean_area, zeros

Array = NDArray[np.float64]


class Predicts(Protocol):
    """A model of some of the rows, by which others are predicted."""

    def predict(self, rows: NDArray[np.int64] | None, offset: Array, which: slice = ...) -> Array:
        """The linear predictor of some rows at some strengths."""


def diagnosed(result: CVPath, problem: Problem, models: Sequence[Predicts], folds: Folds) -> CVPath:
    """The result with what only some families have, and the remarks that follow from it."""
    path = result.path
    choices: tuple[Choice, Choice] = ("best", "1se")
    known: dict[str, dict[str, float]] = {
        which: _diagnose(problem, models, folds, path, result.index_of(which)) for which in choices
    }
    remarks = _on_dispersion(problem, path, result.index_best, known["best"])
    return replace(result, diagnostics=known, path=replace(path, findings=(*path.findings, *remarks)))


def _diagnose(problem: Problem, models: Sequence[Predicts], folds: Folds, path: Path, index: int) -> dict[str, float]:
    """What only some families have.

    Of classes the out-of-fold area under the curve (of several its mean over each against the rest), and how far into
    the flat part of the sigmoid the rows lie; the dispersion of what has one, and of counts the zeros, which held-out
    means expect.
    """
    data, which, family = problem.data, slice(index, index + 1), find_family(path.family)
    if family.reports_dispersion:
        return {"dispersion": problem.dispersion(path, index), **_zeros(problem, models, folds, family, which)}
    areas = np.array(
        [
            mean_area(data.y[test], model.predict(test, data.offset, which), data.weights[test])
            for test, model in zip(folds.test, models[1:], strict=True)
        ]
    )
    margins = family.margin(models[0].predict(None, data.offset, which)[:, 0])
    fold_weights = weights_of(folds, problem.data.weights)
    return {
        "auc": float(summarise_folds(areas, fold_weights)[0][0]),
        "largest_margin": float(margins.max()),
        "saturated": float(np.mean(margins > FLAT_FROM)),
    }


def _zeros(
    problem: Problem, models: Sequence[Predicts], folds: Folds, family: Family, which: slice
) -> dict[str, float]:
    """The zeros that were met and those expected of held-out means, of families that have any."""
    data = problem.data
    if not family.shows_zeros:
        return {}
    rows = np.concatenate(folds.test)
    pairs = zip(folds.test, models[1:], strict=True)
    eta = np.concatenate([model.predict(test, data.offset, which)[:, 0] for test, model in pairs])
    times = (data.weights[rows] > 0) / np.bincount(rows, minlength=data.n_rows)[rows]  # once, however often held out
    return zeros(family, data.y[rows], eta, times) if times.any() else {}


def _on_dispersion(problem: Problem, path: Path, index: int, known: Mapping[str, float]) -> list[Finding]:
    """What is to be known about the dispersion at lambda_best, for families that have one."""
    found = known.get("dispersion", 1.0)

    def even() -> float:
        return even_parameter(find_family(path.family), *problem.rows_at(path, index))

    return [*overdispersed(path, found), *underdispersed(path, found, even)]
