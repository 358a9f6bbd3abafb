"""What the estimators of survival share: scikit-survival's contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball._estimator_base import estimator, in_words_of
from normball.inputs.new_targets import new_times
from normball.inputs.row_numbers import row_numbers
from normball.inputs.sources import Source, source_of
from normball.inputs.streams import at_hand
from normball.inputs.survival_target import new_strata, strata_of
from normball.messages import Finding, raise_errors
from normball.survival.concordance import concordance
from normball.survival.target import SurvivalTarget, Ties


@dataclass(frozen=True)
class StepFunction:
    """A curve of one row, constant between its steps.

    Attributes
    ----------
    x : ndarray, shape (n_steps,)
        Where it steps, ascending.
    y : ndarray, shape (n_steps,)
        Its values from there on.
    before : float
        Its value before the first step.
    end : float
        The last time that was seen: the curve is NaN beyond.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    before: float
    end: float

    def __call__(self, times: ArrayLike) -> NDArray[np.float64]:
        """The values at some times."""
        at = np.asarray(times, dtype=np.float64)
        steps = np.concatenate([[self.before], self.y])[np.searchsorted(self.x, at, side="right")]
        return np.where(at > self.end, np.nan, steps)


@estimator
class Survival:
    """Prediction and score of a model of survival."""

    ties: Ties = "efron"

    def predict(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Predict the risk: the logarithm of the hazard over that of a row whose features are all zero.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        risk : ndarray of shape (n_samples,)
            The higher, the sooner the event is expected.
        """
        return np.asarray(self._predict(X, "link", offset))

    def predict_survival_function(
        self: Any,
        X: Any,
        return_array: bool = False,
        offset: ArrayLike | str | None = None,
        strata: ArrayLike | str | None = None,
    ) -> NDArray[Any]:
        """Predict the probability of no event up to and including any time.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        return_array : bool, default=False
            Whether to return an array rather than functions.
        offset : array-like of shape (n_samples,) or str, default=None
            As in `predict`.
        strata : array-like of shape (n_samples,) or str, default=None
            The stratum of each row, of a model that was fitted with strata.

        Returns
        -------
        survival : ndarray of StepFunction, shape (n_samples,), or of float, shape (n_samples, n_unique_times)
            A function of time for each row, or its values at `unique_times_`.
        """
        return np.asarray(self._curves(X, "survival", 1.0, return_array, offset, strata))

    def predict_cumulative_hazard_function(
        self: Any,
        X: Any,
        return_array: bool = False,
        offset: ArrayLike | str | None = None,
        strata: ArrayLike | str | None = None,
    ) -> NDArray[Any]:
        """Predict the cumulative hazard, minus the logarithm of the survival.

        Parameters
        ----------
        X, return_array, offset, strata
            As in `predict_survival_function`.

        Returns
        -------
        hazard : ndarray of StepFunction, shape (n_samples,), or of float, shape (n_samples, n_unique_times)
            A function of time for each row, or its values at `unique_times_`.
        """
        return np.asarray(self._curves(X, "cumulative_hazard", 0.0, return_array, offset, strata))

    def score(
        self: Any,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
        strata: ArrayLike | str | None = None,
    ) -> float:
        """Compute Harrell's concordance of the predicted risks with the order of the events.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        y : structured array, array-like or frame
            Their times and events, as for `fit`.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row, or the name of their column in a frame.
        offset : array-like of shape (n_samples,) or str, default=None
            As in `predict`.
        strata : array-like of shape (n_samples,) or str, default=None
            Strata within which rows are compared; all are if left out.

        Returns
        -------
        score : float
            The share of comparable pairs in which the row with the higher risk has the event first: 0.5 is chance.
        """
        X = at_hand(X)
        risk, source, findings = self.predict(X, offset), source_of(X), list[Finding]()
        weights = row_numbers(source, sample_weight, "sample_weight", 1.0, findings)
        with in_words_of(self):
            raise_errors(findings)
            return concordance(_times(source, y, weights > 0, strata), risk, weights).index

    def _curves(self: Any, X: Any, kind: Any, before: float, as_array: bool, offset: Any, strata: Any) -> NDArray[Any]:
        X, baseline = at_hand(X), self._fit.baseline
        curves = self._predict(X, kind, offset, times=self.unique_times_, strata=strata)
        if as_array:
            return np.asarray(curves)
        ends = baseline.ends[new_strata(source_of(X), strata, baseline.stratum_names)]
        functions = np.empty(len(curves), dtype=object)
        for row, (curve, end) in enumerate(zip(curves, ends.tolist(), strict=True)):
            functions[row] = StepFunction(self.unique_times_, curve, before, end)
        return functions

    @property
    def unique_times_(self: Any) -> NDArray[np.float64]:
        """The distinct times of events in the data of the fit."""
        return np.unique(self._fit.baseline.times)

    def _data(self: Any, X: Any, y: Any) -> tuple[Any, Any]:
        """The features as scikit-learn validates them; the target is read by `survival_columns`."""
        return self._features(X), y

    def _options(self: Any) -> dict[str, Any]:
        if self.ties not in ("efron", "breslow"):
            raise ValueError(f'ties is {self.ties!r}, but must be "efron" or "breslow"')
        return {"family": "cox" if self.ties == "efron" else "cox(breslow)", **super()._options()}  # type: ignore[misc]

    def _n_scarce(self, X: Any, y: Any) -> int:
        """The events, of which each fold needs some."""
        source = source_of(X)
        return int(_times(source, y, np.ones(source.n_rows, dtype=bool), None).event.sum())


def _times(source: Source, y: Any, counts: NDArray[np.bool_], strata: Any) -> SurvivalTarget:
    """The target of rows, or a DataError."""
    findings: list[Finding] = []
    labels = strata_of(source, strata, findings)
    raise_errors(findings)
    return new_times(source, y, counts, labels)
