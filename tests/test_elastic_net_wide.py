"""The wide elastic net: its gap is quadratic in what a solution leaves, and the factor of an earlier lambda serves."""

from typing import Any

import numpy as np
import pytest

import normball as nb
from oracle import Problem

N, P = 80, 400


def wide(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P)) + 0.5 * rng.normal(size=(N, 1))
    return np.asfortranarray(X), X[:, :20] @ rng.normal(size=20) + rng.normal(size=N)


def options(kind: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed + 1)
    if kind == "factors":  # some coefficients free, some dearer than others
        return {"penalty_factors": np.where(np.arange(P) < 3, 0.0, rng.uniform(0.5, 2.0, P))}
    if kind == "bounds":
        return {"lower_bounds": np.where(np.arange(P) % 3 == 0, 0.0, -0.05), "upper_bounds": 0.2}
    if kind == "weights":
        return {"sample_weight": rng.uniform(0.2, 3.0, N)}
    return {}


@pytest.mark.parametrize("l1_ratio", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("kind", ["plain", "factors", "bounds", "weights"])
def test_the_gap_of_every_point_is_what_it_says(kind: str, l1_ratio: float) -> None:
    X, y = wide(0)
    given = options(kind, 0)
    path = nb.fit_path(X, y, l1_ratio=l1_ratio, standardize=False, n_lambdas=40, lambda_min_ratio=1e-3, **given)
    assert set(path.statuses) == {"converged"}
    exact = nb.fit_path(X, y, l1_ratio=l1_ratio, standardize=False, lambdas=path.lambdas, tol=1e-12, **given)
    problem = Problem(X, y, l1_ratio=l1_ratio, weights=given.get("sample_weight"), standardize=False,
                      penalty_factors=given.get("penalty_factors"), lower=given.get("lower_bounds", -np.inf),
                      upper=given.get("upper_bounds", np.inf))  # fmt: skip
    for at, lam in enumerate(path.lambdas):
        fitted, best = (problem.theta(one.intercepts[at], one.coefs[at]) for one in (path, exact))
        excess = (problem.objective(fitted, lam) - problem.objective(best, lam)) / path.null_loss
        assert -1e-12 <= excess <= path.dual_gaps[at] + 1e-12
        assert path.dual_gaps[at] <= 1e-6
        assert path.kkt_violations[at] <= 1e-3 * lam


def test_one_lambda_alone_and_on_a_path_agree() -> None:
    """A path goes on from the factors of earlier lambdas; alone there is none."""
    X, y = wide(1)
    path = nb.fit_path(X, y, l1_ratio=0.5, n_lambdas=30, lambda_min_ratio=1e-3, tol=1e-12)
    for at in (10, 20, 29):
        alone = nb.fit_path(X, y, l1_ratio=0.5, lambdas=[path.lambdas[at]], tol=1e-12)
        np.testing.assert_allclose(alone.coefs[0], path.coefs[at], rtol=0, atol=2e-5)
