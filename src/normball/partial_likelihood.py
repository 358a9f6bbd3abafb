"""Held-out rows of a model whose rows are judged together: what they add to the partial likelihood of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.held_out_times import check_times, judge_of
from normball.messages import DataError, Finding, count
from normball.out_of_fold import weights_of
from normball.results.cross_validated import summarise_folds
from normball.results.held_out import HeldOut
from normball.scores import SCORES
from normball.survival.concordance import concordances
from normball.survival.expected import log_hazards_of_rows, shift_to

if TYPE_CHECKING:
    from normball.folds import Folds
    from normball.path import Problem
    from normball.results.path import Path
    from normball.scores import Score

Array = NDArray[np.float64]
BLOCK = 2**24  # most predictions held at a time
MOST_PAIRS = 5e9  # of rows, over all strengths, for whose order there is time
FEW = 10  # strengths, where there is not


class Links(Protocol):
    """The linear predictor of all rows, or of the listed ones, by the model of a fold at some strengths."""

    def __call__(self, fold: int, which: slice, rows: NDArray[np.intp] | None = None, /) -> Array: ...  # noqa: D102


_EVENT = 2  # the column of a target that says whether a row has its event


def has_event(y: Array) -> NDArray[np.bool_]:
    """Which rows of a target (n, 4) have their event."""
    return np.asarray(y[:, _EVENT] == 1.0)


def check_events(problem: Problem, folds: Folds, score: Score) -> None:
    """Raise a DataError where the training rows of a fold have no event, a ValueError where there can be no score."""
    check_times(score, problem.data)
    events = has_event(problem.data.y) & (problem.data.weights > 0.0)
    for fold, (train, _) in enumerate(folds):
        if not events[train].any():
            text = f"There is no event in the training rows of fold {fold + 1} of {len(folds)}."
            raise DataError(Finding("E05", text, "use fewer folds, or folds that keep some events"))


def strata_of_folds(y: Array, weights: Array, n_folds: object) -> NDArray[np.intp]:
    """What random folds are to hold alike: rows with an event and those without. Each fold has to have one."""
    events = has_event(y) & (weights > 0.0)
    n_events = int(np.count_nonzero(events))
    if isinstance(n_folds, int) and 2 <= n_folds <= len(y) and n_events < n_folds:
        text = f"{count(n_events)} events cannot make {n_folds} folds with an event each."
        raise DataError(Finding("E05", text, f"cv={n_events} or fewer" if n_events > 1 else "more events"))
    return events.astype(np.intp)


class EventExaminer:
    """Judges the models of all folds by the events that these hold out; see `out_of_fold.Examiner`."""

    def __init__(self, problem: Problem, folds: Folds, score: Score) -> None:
        self._data, self._folds, self._judge = problem.data, folds, judge_of(score, problem.data)
        self._family = find_family(problem.settings.family)
        events = problem.data.weights * has_event(problem.data.y)
        self._by_event = score is SCORES["deviance"]
        counted = events if self._by_event else problem.data.weights
        self.weights = np.array([counted[test].sum() for test in folds.test])
        # the loss is a mean over all rows, the score one over events
        self.deviance_of_loss = 2.0 * float(problem.data.weights.sum() / events.sum())

    def scores(self, links: Links, losses: Array) -> Array:
        """How held-out rows fare (folds, strengths); NaN where that cannot be said, as without an event among them.

        The deviance is what they add to it, per event: that of all rows less that of the training rows, both at the
        coefficients of the latter (Verweij & van Houwelingen 1993), as in glmnet. There they are compared with the
        training rows, too; concordance compares them among themselves alone. `links(fold, which)` is the linear
        predictor (n, m) of all rows by some strengths of a fold, and `losses` (folds, strengths) are the mean losses of
        its training rows.
        """
        scores = np.full(losses.shape, np.nan)
        for fold in np.flatnonzero(self.weights).tolist():
            for which in _blocks(losses.shape[1], self._data.n_rows):
                eta, test = links(fold, which), self._folds.test[fold]
                if self._by_event:
                    scores[fold, which] = self._added(fold, eta, losses[fold, which]) / self.weights[fold]
                else:
                    scores[fold, which] = self._judge.of_models(self._kept(fold), test, eta)
        return scores

    def train_scores(self, links: Links, n_strengths: int) -> Array:
        """The score (strengths,), other than the deviance, of all rows by the models of all rows."""
        every = np.arange(self._data.n_rows)
        blocks = _blocks(n_strengths, self._data.n_rows)
        return np.concatenate([self._judge.of_models(self._data.weights, every, links(-1, which)) for which in blocks])

    def _kept(self, fold: int) -> Array:
        return np.asarray(self._data.weights * np.bincount(self._folds.train[fold], minlength=self._data.n_rows))

    def _added(self, fold: int, eta: Array, losses: Array) -> Array:
        test, kept = self._folds.test[fold], self._kept(fold)
        both = kept.copy()
        both[test] += self._data.weights[test]
        return np.asarray(2.0 * (both.sum() * self._mean_loss(both, eta) - kept.sum() * losses))

    def _mean_loss(self, weights: Array, eta: Array) -> Array:
        return np.asarray(self._family.mean_loss(self._data.y, weights / weights.sum(), eta))

    def null_scores(self, score: Score) -> Array:
        """The score (folds,) of the model without features."""
        offset, found = self._data.offset, np.full(len(self._folds), np.nan)
        if self._by_event:
            losses = np.array([self._mean_loss(self._kept(fold), offset[:, None]) for fold in range(len(self._folds))])
            return self.scores(lambda fold, which, rows=None: offset[:, None], losses)[:, 0]
        for fold in np.flatnonzero(self.weights).tolist():
            found[fold] = self._judge.without_features(self._kept(fold), self._folds.test[fold], offset)
        return found

    def result(self) -> None:
        """No measure in plain words: a linear predictor says who is first, and not when."""
        return


def shifts_of_folds(problem: Problem, folds: Folds, path: Path, links: Links) -> Array:
    """What puts the linear predictors of each fold's models on the scale of those of `path`, shape (folds, strengths).

    Only differences between linear predictors of one model have a meaning: what is added to all of them its baseline
    hazard takes off again. With the shift of a fold the hazard of `path` expects as many events of its training rows by
    the predictors of the fold as by its own, so that one hazard serves the predictions of all folds, and these can be
    laid side by side. `links` are as in `EventExaminer.scores`, and those of `path` at fold -1.
    """
    data, n_strengths = problem.data, path.lambdas.size
    assert data.survival is not None
    assert path.baselines is not None
    hazards = log_hazards_of_rows(data.survival, data.weights, path.baselines)
    shifts = np.zeros((len(folds), n_strengths))
    for which in _blocks(n_strengths, data.n_rows):
        own = links(-1, which)
        for fold, (train, _) in enumerate(folds):
            weights = data.weights * np.bincount(train, minlength=data.n_rows)
            shifts[fold, which] = shift_to(hazards[which], own, links(fold, which), weights)
    return shifts


def concordance_of_folds(
    problem: Problem, folds: Folds, links: Links, n_strengths: int, marks: Sequence[int]
) -> HeldOut:
    """Harrell's concordance of held-out rows, each fold by itself, whatever the score.

    Where rows are very many it is known at the `marks` and at a few more strengths. `links` as in
    `EventExaminer.scores`.
    """
    data = problem.data
    assert data.survival is not None
    at = np.arange(n_strengths)
    if n_strengths * sum(float(len(test)) ** 2 for test in folds.test) > MOST_PAIRS:
        at = np.union1d(np.linspace(0, n_strengths - 1, FEW).astype(int), marks)
    found, nulls = np.full((len(folds), n_strengths), np.nan), np.full((len(folds), 1), np.nan)
    for fold, test in enumerate(folds.test):
        target, weights = data.survival.take(test), data.weights[test]
        nulls[fold] = concordances(target, data.offset[test, None], weights)
        for which in _blocks(n_strengths, data.n_rows):
            asked = at[(at >= which.start) & (at < which.stop)]
            if len(asked):
                etas = links(fold, which, test)[:, asked - which.start]
                found[fold, asked] = concordances(target, etas, weights)
    sizes = weights_of(folds, data.weights)
    mean, error = summarise_folds(found, sizes)
    return HeldOut("concordance", mean, np.asarray(summarise_folds(nulls, sizes)[0][0]), errors=error)


def _blocks(n_strengths: int, n_rows: int) -> Iterator[slice]:
    width = max(1, BLOCK // n_rows)
    return (slice(start, start + width) for start in range(0, n_strengths, width))
