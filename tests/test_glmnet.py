"""The frozen fits of R's glmnet (golden/glmnet.R): never a worse objective than glmnet's."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from oracle import Problem

GOLDEN = json.loads((Path(__file__).parent / "golden" / "glmnet.json").read_text())


class Generator:
    """The generator of glmnet.R: exact in double precision in both languages."""

    def __init__(self, seed):
        self.state = seed

    def draw(self, k):
        u = np.empty(k)
        for i in range(k):
            self.state = 16807 * self.state % 2147483647
            u[i] = self.state / 2147483647
        return u

    def bell(self, k):
        return self.draw(k) + self.draw(k) + self.draw(k) + self.draw(k) - 2


def make_data(case):
    """Return X, y, weights and offset of a golden problem, as glmnet.R makes them."""
    random, n, p = Generator(case["seed"]), case["n"], case["p"]
    X = random.bell(n * p).reshape(p, n).T.copy()
    eta = (X[:, 0] - 0.5 * X[:, 1]) + 0.25 * X[:, 2]
    match case.get("design"):
        case "correlated":
            for j in range(1, p):
                X[:, j] = 0.95 * X[:, j - 1] + 0.3 * X[:, j]
        case "scales":
            X = X * 4.0 ** (np.arange(p) % 7 - 3) + np.arange(1, p + 1)
        case "sparse":
            X[random.draw(n * p).reshape(p, n).T > 0.2] = 0
    match case["family"]:
        case "gaussian":
            y = 3 * eta + 2 * random.bell(n) + 5
        case "binomial":
            y = (random.draw(n) < 0.5 + 0.2 * eta).astype(float)
        case "proportion":
            y = np.floor(2.5 + eta + 2 * random.bell(n)).clip(0, 4) / 4
        case "poisson":
            root = np.maximum(0, 1 + eta)
            y = np.floor(root * root * 2 * random.draw(n))
    weights = 1 + np.floor(3 * random.draw(n)) if case.get("weighted") else np.ones(n)
    offset = 0.5 * random.bell(n) if case.get("shifted") else np.zeros(n)
    return X, y, weights, offset


def settings(case):
    """Return the problem's penalty in the words of the oracle."""
    return {
        "l1_ratio": case.get("l1_ratio", 1.0),
        "penalty_factors": np.array(case.get("factors", [1.0] * case["p"]), dtype=float),
        "lower": float(case.get("lower", "-inf")),
        "upper": float(case.get("upper", "inf")),
        "fit_intercept": case.get("intercept", True),
        "standardize": case.get("standardize", True),
    }


def family(case):
    return "binomial" if case["family"] == "proportion" else case["family"]


def glmnet_coefficients(case, index):
    coef = np.zeros(case["p"])
    coef[case["columns"][index]] = case["beta"][index]
    return case["a0"][index], coef


@pytest.fixture(params=GOLDEN, ids=lambda case: case["name"].replace(" ", "_").replace(",", ""))
def case(request):
    return request.param


def test_same_data_and_same_objective(case):
    """The generator and the oracle agree with R before anything of ours is judged."""
    X, y, weights, offset = make_data(case)
    checksum = [X.sum(), (X * X).sum(), y.sum(), weights @ offset]
    np.testing.assert_allclose(checksum, case["checksum"], rtol=1e-12, atol=1e-12)
    oracle = Problem(X, y, family(case), weights=weights, offset=offset, **settings(case))
    for index, lam in enumerate(case["lambdas"]):
        theta = oracle.theta(*glmnet_coefficients(case, index))
        assert oracle.objective(theta, lam) == pytest.approx(case["objective"][index], rel=1e-12)
        assert oracle.gap(theta, lam) < 1e-7


def test_objective_is_glmnets(case):
    """At every frozen lambda: objective within 1e-7 of glmnet's, and unique coefficients alike."""
    X, y, weights, offset = make_data(case)
    words = settings(case)
    oracle = Problem(X, y, family(case), weights=weights, offset=offset, **words)
    words["lower_bounds"], words["upper_bounds"] = words.pop("lower"), words.pop("upper")
    if case.get("design") == "sparse":
        X = scipy.sparse.csc_array(X)
    if case["family"] == "proportion":  # a share y is a row of each class, with the weights y and 1 - y
        X, y, weights, offset = np.r_[X, X], np.r_[1 + 0 * y, 0 * y], np.r_[weights * y, weights * (1 - y)], None
    path = nb.fit_path(
        X, y, family=family(case), lambdas=case["lambdas"], sample_weight=weights, offset=offset, tol=1e-10, **words
    )
    assert set(path.statuses) == {"converged"}
    for index, lam in enumerate(path.lambdas):
        theta = oracle.theta(path.intercepts[index], path.coefs[index])
        ours, theirs = oracle.objective(theta, lam), case["objective"][index]
        assert ours <= theirs * (1 + 1e-7)
        assert ours == pytest.approx(theirs, rel=1e-7)
        reference = oracle.theta(*glmnet_coefficients(case, index))
        curvature = oracle.w * oracle.loss.curvature(oracle.y, oracle.eta(theta))
        support = (theta != 0) | (reference != 0)
        Z = oracle.Z[:, support]
        bend = np.linalg.eigvalsh((Z.T * curvature) @ Z + np.diag(oracle.strengths(lam)[1][support]))
        if bend.size and bend[0] > 1e-3 * bend[-1]:
            np.testing.assert_allclose(theta, reference, rtol=0, atol=3e-4 * np.abs(reference).max())
