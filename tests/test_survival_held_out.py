"""Rows that a model of survival did not see: linear predictors of the folds, scores of other rows."""

import numpy as np
import pytest

import normball as nb
from normball.survival.baseline import fit_baselines
from normball.survival.expected import log_hazards_of_rows, shift_to
from test_oracle_cox import grid
from test_survival import drawn


@grid
def test_hazards_of_rows_and_what_shifts_predictors(ties, strata, entry, weights):
    target, y, w, _ = drawn(5, 60, strata=strata, entry=entry, weights=weights)
    X = np.random.default_rng(6).normal(size=(60, 3))
    labels = target.codes if strata else None
    path = nb.fit_path(X, y, family="cox" if ties == "efron" else "cox(breslow)", strata=labels, sample_weight=w,
                       n_lambdas=4)  # fmt: skip
    hazards = log_hazards_of_rows(target, w, path.baselines)
    for row in range(60):
        baseline, code = path.baselines[2], target.codes[[row]]
        begin = 0.0 if target.start is None else baseline.cumulative_hazard([target.start[row]], [0.0], code)[0, 0]
        end = baseline.cumulative_hazard([target.stop[row]], [0.0], code)[0, 0]
        assert np.exp(hazards[2, row]) == pytest.approx(end - begin, abs=1e-12)
    eta = X @ path.coefs.T
    np.testing.assert_allclose(shift_to(hazards, eta, eta + 3.0, w), -3.0, atol=1e-12)
    other = np.random.default_rng(7).normal(size=eta.shape)
    shift = shift_to(hazards, eta, other, w)
    expected = [w @ (np.exp(hazards.T) * np.exp(one)) for one in (eta, other + shift)]
    np.testing.assert_allclose(*expected, rtol=1e-11)
    if ties == "breslow":  # whose martingale residuals add up to 0
        np.testing.assert_allclose(expected[0], w @ target.event, rtol=1e-11)


def test_no_event_expected_is_no_shift():
    target, _, w, _ = drawn(5, 20)
    baselines = fit_baselines(target, [np.zeros(20)])
    early = np.where(target.stop < target.stop[target.event].min(), 1.0, 0.0)
    hazards = log_hazards_of_rows(target, w, baselines)
    zeros = np.zeros((20, 1))
    assert shift_to(hazards, zeros, zeros + 1.0, early).tolist() == [0.0]


def test_predictions_of_folds_are_on_one_scale():
    """Columns that lie far from 0 give the same predictions, but for a number that is the same for all rows."""
    target, y, _, _ = drawn(8, 150, strata=True)
    X = np.random.default_rng(9).normal(size=(150, 3))
    lambdas = [9.0, 0.1, 0.03, 0.01, 0.001]
    options = {"family": "cox", "strata": target.codes, "lambdas": lambdas, "cv": 5, "keep_predictions": True}
    options["tol"] = 1e-10
    near, far = nb.cv_path(X, y, **options), nb.cv_path(X + 1000.0, y, **options)
    assert not near.predictions[:, 0].any()  # no feature, no difference between the folds
    moved = near.predictions + 1000.0 * near.path.coefs.sum(axis=1)
    np.testing.assert_allclose(far.predictions, moved, atol=1e-5)
    difference = near.predictions - X @ near.path.coefs.T
    assert np.abs(difference.mean(axis=0)).max() < 0.02
    for fold in range(5):  # the model of the training rows, but for one number
        train, test = np.flatnonzero(near.fold_ids != fold), np.flatnonzero(near.fold_ids == fold)
        alone = nb.fit_path(X[train], y[train], family="cox", strata=target.codes[train], lambdas=near.lambdas,
                            tol=1e-10)  # fmt: skip
        assert np.ptp(near.predictions[test] - X[test] @ alone.coefs.T, axis=0).max() < 1e-5
