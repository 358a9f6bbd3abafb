"""How many events a baseline hazard expects, and what puts the predictions of another model on its scale."""

from __future__ import annotations

import numpy as np

from normball.survival.baseline import Baselines
from normball.survival.risk_sets import risk_sets
from normball.survival.target import Floats, SurvivalTarget


def log_hazards_of_rows(target: SurvivalTarget, weights: Floats, baselines: Baselines) -> Floats:
    """The logarithm of what each baseline hazard adds up to while a row is under observation, shape (n_models, n_rows).

    Parameters
    ----------
    target : SurvivalTarget
        The rows that the hazards were fitted to, without missing ones.
    weights : ndarray, shape (n_rows,)
        Their weights at the fit.
    baselines : Baselines
        The hazards of some models of these rows.

    Examples
    --------
    >>> from normball.survival.baseline import fit_baselines
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0]), np.array([True, False, True]))
    >>> baselines = fit_baselines(target, np.zeros((3, 1)))
    >>> np.exp(log_hazards_of_rows(target, np.ones(3), baselines)).round(3)
    array([[0.333, 0.333, 1.333]])
    """
    sets = risk_sets(target, weights)
    steps = np.column_stack([baselines.log_hazards, np.full(len(baselines.log_hazards), -np.inf)])
    begin = np.searchsorted(sets.strata, target.codes)
    until, before = (np.where(place > begin, place - 1, len(sets.times)) for place in (sets.last, sets.first))
    if not (sets.first > begin).any():
        return np.asarray(steps[:, until])
    with np.errstate(divide="ignore", invalid="ignore"):  # no event between start and stop
        inside = np.log1p(-np.exp(steps[:, before] - steps[:, until]))
        return np.where(until == before, -np.inf, steps[:, until] + inside)


def shift_to(log_hazards: Floats, reference: Floats, eta: Floats, weights: Floats) -> Floats:
    """What is to be added to linear predictors so that hazards expect as many events with them as with others.

    Parameters
    ----------
    log_hazards : ndarray, shape (n_models, n_rows)
        As `log_hazards_of_rows` gives them.
    reference : ndarray, shape (n_rows, n_models)
        The linear predictors that the hazards belong to.
    eta : ndarray, shape (n_rows, n_models)
        The others.
    weights : ndarray, shape (n_rows,)
        Weights of the rows, some of which may be 0.

    Returns
    -------
    ndarray, shape (n_models,)
        0 where both are the same, and where no event is expected.
    """
    used = weights > 0
    log_weights = log_hazards[:, used] + np.log(weights[used])
    theirs, ours = (np.logaddexp.reduce(log_weights + values[used].T, axis=1) for values in (reference, eta))
    return np.where(np.isfinite(theirs), theirs, 0.0) - np.where(np.isfinite(theirs), ours, 0.0)
