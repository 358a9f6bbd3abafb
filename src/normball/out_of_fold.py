"""Held-out rows beside the score: a measure in plain words, and the model without features on the same folds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.messages import NormballWarning
from normball.results.cross_validated import summarise_folds
from normball.results.held_out import HeldOut
from normball.scores import SCORES, Score

if TYPE_CHECKING:
    from normball.folds import Folds
    from normball.path import Problem
    from normball.solution import Solution

Array = NDArray[np.float64]


class Examiner:
    """Judges the models of all folds on the rows that these hold out, fold by fold.

    Mean squared errors (folds, strengths) of these rows that are `known` need no predictions.
    """

    def __init__(self, problem: Problem, folds: Folds, n_lambdas: int, known: Array | None) -> None:
        data = problem.data
        self._data, self._folds = data, folds
        self._family = find_family(problem.settings.family)
        self._nulls = null_links(problem, folds)
        self._measure = _measure(self._family.has_classes, data.y, self._family.typical_error)
        several = self._measure != "accuracy" and data.y.ndim == 2
        shape = (len(folds), n_lambdas, *((data.n_outputs,) if several else ()))
        self._values = np.full(shape, np.nan) if known is None else known.copy()
        self.weights = weights_of(folds, data.weights)

    deviance_of_loss = 2.0

    def see(self, fold: int, eta: Array) -> None:
        """Take the linear predictors (rows, strengths), or with several outputs (.., .., outputs), of held-out rows."""
        if self.weights[fold] > 0.0:
            self._values[fold] = self._judged(fold, eta)

    def result(self) -> HeldOut:
        """The means over the folds."""
        if self._measure == "accuracy":
            sizes = np.sum([self._share_of_classes(fold) for fold in range(len(self._folds))], axis=0)
            commonest = int(np.argmax(sizes))
            null = np.asarray(sizes[commonest] / self.weights.sum())
            return HeldOut(self._measure, self._mean(self._values[self.weights > 0.0]), null, commonest)
        nulls = [self._judged(fold, self._nulls[fold][:, None])[0] for fold in np.flatnonzero(self.weights).tolist()]
        return HeldOut(self._measure, self._mean(self._values[self.weights > 0.0]), self._mean(np.array(nulls)))

    def null_scores(self, score: Score) -> Array:
        """The score (folds,) of the model without features; NaN where it has none, as under a score of the user's."""
        result = np.full(len(self._folds), np.nan)
        if score is not SCORES.get(score.name):
            return result
        data, family = self._data, str(self._family)
        for fold, test in enumerate(self._folds.test):
            if self.weights[fold] > 0.0:
                with np.errstate(all="ignore"):  # a class or a count that no training row has
                    found = score(data.y[test], self._nulls[fold][:, None], data.weights[test], family)[0]
                result[fold] = found if np.isfinite(found) else np.nan
        return result

    def _judged(self, fold: int, eta: Array) -> Array:
        """The measure (strengths,), or with several targets (strengths, outputs)."""
        test, data = self._folds.test[fold], self._data
        y, weights = data.y[test], data.weights[test]
        if self._measure == "accuracy":
            return SCORES["accuracy"](y, eta, weights, str(self._family))
        with np.errstate(over="ignore"):
            errors = y[:, None] - self._family.mean(eta)
            errors = errors**2 if self._measure == "mse" else np.abs(errors)
            return np.asarray(np.tensordot(weights / weights.sum(), errors, 1))

    def _share_of_classes(self, fold: int) -> Array:
        """The weight of each class among the rows that a fold holds out."""
        test, data = self._folds.test[fold], self._data
        y = data.y[test] if data.y.ndim == 2 else np.column_stack([1.0 - data.y[test], data.y[test]])
        return np.asarray(data.weights[test] @ y)

    def _mean(self, values: Array) -> Array:
        """Over the folds that hold out rows of any weight."""
        weights = self.weights[self.weights > 0.0]
        return np.asarray(np.tensordot(weights / weights.sum(), values, 1))


def weights_of(folds: Folds, weights: Array) -> Array:
    """What the rows that each fold holds out weigh together."""
    return np.array([weights[test].sum() for test in folds.test])


def null_links(problem: Problem, folds: Folds) -> list[Array]:
    """The linear predictor of the rows that each fold holds out, by a model of its training rows without features."""
    data, family = problem.data, find_family(problem.settings.family)
    links = []
    for train, test in folds:
        weights = data.weights * np.bincount(train, minlength=data.n_rows)
        with np.errstate(all="ignore"):  # as above
            null = family.null_intercept(data.y, weights, data.offset) if problem.settings.fit_intercept else 0.0
        links.append(data.offset[test] + null)
    return links


def _measure(has_classes: bool, y: Array, typical_error: str) -> str:
    """Shares of classes are no labels that could be right."""
    return "accuracy" if has_classes and np.isin(y, (0.0, 1.0)).all() else typical_error


def check_defined(fold_scores: Array, fold_weights: Array, score: Score) -> None:
    """Warn about strengths that cannot be chosen since a fold has no score there; raise where none can."""
    lacking = np.isnan(summarise_folds(fold_scores, fold_weights)[0])
    if lacking.all():
        every = np.isnan(fold_scores).all()
        where = "the held-out rows of every fold" if every else "some fold at every lambda, so that none has a mean"
        raise ValueError(f"The score {score.name} is undefined for {where}")
    if lacking.any():
        text = (
            f"The score {score.name} is undefined (NaN) in some fold at {lacking.sum()} of {lacking.size} lambdas; "
            "none of these is chosen."
        )
        warnings.warn(text, NormballWarning, stacklevel=5)


def is_deviance(score: Score, family: str) -> bool:
    """Whether a score is the deviance, by this or another name."""
    return score is SCORES["deviance"] or (score is SCORES["mse"] and squares(family))


def squares(family: str) -> bool:
    """Whether the deviance is the squared error; of several outputs it is the sum of theirs, and not the mean."""
    known = find_family(family)
    return known.quadratic and not known.has_outputs


def squares_left_out(solution: Solution, keep: slice, total: float, held_out: Array) -> Array | None:
    """Mean squared errors (folds, strengths) of the rows that each fold holds out: all rows' less the training rows'.

    `total` and `held_out` are sums of weights. None where the engine does not know the errors, or where so few are left
    that the difference of sums would have lost its digits.
    """
    whole, own = solution.whole_loss[1:, keep], solution.loss[1:, keep]
    held_out = held_out[:, None]
    means = (total * whole - (total - held_out) * own) / held_out
    return 2.0 * means if (means > 1e-6 * solution.null_loss[0]).all() else None
