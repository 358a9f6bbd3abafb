"""Copies of columns where rows come in blocks: set apart as in memory."""

import numpy as np
import pytest

import normball as nb

N = 240
RNG = np.random.default_rng(3)
BASE = RNG.normal([0.0, 1e5, 0.0], size=(N, 3))
FLAG = RNG.integers(0, 2, N).astype(float)
ALMOST = BASE[:, 0] + 1e-6 * (np.arange(N) == 17)  # no copy
X = np.column_stack([BASE, 32 + 1.8 * BASE[:, 1], FLAG, 1 - FLAG, ALMOST, -BASE[:, 2], np.full(N, 3.0), BASE[:, 0]])
ETA = BASE[:, 0] + 0.5 * (BASE[:, 1] - 1e5) + FLAG
ALIKE = [(0, 9), (1, 3), (2, 7), (4, 5)]
TARGETS = {"gaussian": ETA + RNG.normal(size=N), "binomial": (RNG.random(N) < 1 / (1 + np.exp(-ETA))).astype(float)}
OPTIONS = {
    "lasso": {},
    "unstandardised": {"standardize": False},
    "no intercept": {"fit_intercept": False},
    "factors": {"penalty_factors": [2, 1, 1, 1, 1, 0.5, 1, 1, 1, 1]},
    "bounds": {"lower_bounds": [0, *[-np.inf] * 9], "upper_bounds": [*[np.inf] * 4, 0.1, *[np.inf] * 5]},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("family", TARGETS)
def test_copies_are_set_apart_as_in_memory(family, options):
    how = {"family": family, "n_lambdas": 8, "lambda_min_ratio": 1e-2, "tol": 1e-9, **OPTIONS[options]}
    y, w = TARGETS[family], 1.0 + np.arange(N) % 2
    whole = nb.fit_path(X, y, sample_weight=w, **how)
    path = nb.fit_path(nb.Blocks(X, rows=37), y, sample_weight=w, **how)
    assert set(path.statuses) == {"converged"}
    np.testing.assert_array_equal(path.penalty_factors, whole.penalty_factors)
    for pair in ALIKE:  # which of two has all of the weight
        found, known = (np.any(one.coefs[:, pair] != 0.0, axis=0) for one in (path, whole))
        np.testing.assert_array_equal(found, known)


def test_copies_share_the_weight_where_that_is_cheaper():
    path = nb.fit_path(nb.Blocks(X, rows=37), TARGETS["gaussian"], n_lambdas=5, l1_ratio=0.5)
    assert set(path.statuses) == {"converged"}
    assert all(np.all(path.coefs[-1, pair] != 0.0) for pair in ALIKE)
