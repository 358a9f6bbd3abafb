"""Cox's model of times to an event (Cox 1972): the hazard is that of its stratum times exp(eta).

A target has a row of four numbers, as `survival.risk_sets.risk_rows` makes them: the first of the times of events at
which the row is at risk, the one after the last, whether its event is at the last, and the first time of its stratum.
Rows that are left out leave a target. The loss is no sum over rows: half the deviance of the partial likelihood, a mean
over the weights of all rows. (M33)
"""

from __future__ import annotations

from typing import ClassVar, Never

import numpy as np

from normball.family import Array, Family
from normball.survival.target import Ties


class Cox(Family):
    """Times to an event, with the events of one time taken out of their risk set by and by (Efron 1977)."""

    name, label, kind = "cox", "Cox", "time to an event"
    ties: ClassVar[Ties] = "efron"
    has_risk_sets = True
    views = frozenset({"survival_curves", "survival_calibration"})
    inverse_link, factor, eta_is, predicted = "exp", "hazard", "log of the hazard", "Relative hazard"
    told = ("concordance", "uno", "brier", "brier_at_horizon", "deviance")
    glmnet = '"cox"'

    @classmethod
    def read(cls, given: str | None) -> Family:
        """With the ties in the brackets."""
        found = _OF_TIES.get(given or cls.ties)
        if found is None:
            written = " or ".join(f'"{one.name}" ({one.ties})' for one in _ENTRIES)
            raise ValueError(f"its ties are efron or breslow: write {written}")
        return found()

    def mean(self, eta: Array) -> Array:
        """The hazard, relative to that of a row whose linear predictor is 0."""
        with np.errstate(over="ignore"):
            return np.exp(eta)

    def link(self, mean: Array) -> Array:
        """Its logarithm."""
        return np.log(mean)

    def mean_loss(self, y: Array, weights: Array, eta: Array) -> Array:
        """Half the deviance of the partial likelihood of each column of `eta` (n, m), over the weights of all rows."""
        from normball import _native

        columns = np.ascontiguousarray(eta.T, dtype=np.float64)
        flat = np.ascontiguousarray(y, dtype=np.float64).ravel()
        return np.asarray(_native.mean_losses(self.name, self.parameter, flat, np.ascontiguousarray(weights), columns))

    def loss(self, y: Array, eta: Array) -> Never:
        """There is none of a row by itself."""
        raise TypeError("the loss of a Cox model is no sum over rows")

    residual = loss
    curvature = loss

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """None: the baseline hazard takes its place."""
        return 0.0


class CoxBreslow(Cox):
    """Times to an event, where those of one time share their risk set (Breslow 1974)."""

    name, label = "cox(breslow)", "Cox (Breslow's ties)"
    ties = "breslow"


_ENTRIES = (Cox, CoxBreslow)
_OF_TIES: dict[str, type[Cox]] = {entry.ties: entry for entry in _ENTRIES}
