"""Frozen fits of R's survival and of its glmnet to Cox models (golden/cox.R, golden/cox_glmnet.R)."""

import json
from pathlib import Path

import numpy as np
import pytest

import normball as nb
from oracle_cox import Problem
from survival_data import GOLDEN, draw_weights, load
from test_glmnet import Generator

GLMNET = json.loads((Path(__file__).parent / "golden" / "cox_glmnet.json").read_text())


def name_of(frozen):
    return "-".join([frozen["study"], frozen["ties"], *["weighted"] * (frozen["seed"] > 0)])


@pytest.fixture(params=GOLDEN["fits"], ids=name_of)
def frozen(request):
    return request.param


def test_the_oracle_agrees_with_coxph(frozen, read_shared):
    """The same rows, the same partial likelihood at zero and at R's estimate, where the slope is zero."""
    y, x, strata = load(frozen["study"], read_shared)
    w, beta = draw_weights(frozen, len(x)), np.array(frozen["beta"])
    checksum = [*x.shape, x.sum(), (x**2).sum(), *y.sum(axis=0), w.sum()]
    np.testing.assert_allclose(checksum, frozen["checksum"], rtol=1e-13)
    problem = Problem(x, y, ties=frozen["ties"], strata=strata, weights=w, standardize=False)
    loss = problem.loss
    likelihoods = [-w.sum() * (loss.value(eta) + loss.lowest) for eta in (0 * w, x @ beta)]
    np.testing.assert_allclose(likelihoods, frozen["loglik"], rtol=1e-12)
    assert np.abs(problem.gradient(beta)).max() <= 1e-8 * np.abs(problem.gradient(0 * beta)).max()


def glmnet_case(frozen, read_shared):
    """The data of a fit of glmnet, and what is asked of them, in the words of the oracle."""
    y, x, strata = load(frozen["study"], read_shared)
    random, n = Generator(frozen.get("seed", 1)), len(x)
    w = 1 + np.floor(3 * random.draw(n)) if frozen.get("weighted") else np.ones(n)
    offset = 0.5 * random.bell(n) if frozen.get("shifted") else np.zeros(n)
    checksum = [*x.shape, x.sum(), (x * x).sum(), *y.sum(axis=0), w @ offset, w.sum()]
    np.testing.assert_allclose(checksum, frozen["checksum"], rtol=1e-12, atol=1e-12)
    factors = np.resize(frozen.get("factors", 1), x.shape[1]).astype(float)
    return x, y, {
        "strata": strata, "weights": w, "offset": offset, "penalty_factors": factors,
        "l1_ratio": frozen.get("l1_ratio", 1.0), "lower": frozen.get("lower", -np.inf),
        "standardize": frozen.get("standardize", True),
    }  # fmt: skip


of_glmnet = pytest.mark.parametrize(
    "frozen", GLMNET["fits"], ids=lambda frozen: frozen["name"].replace(" ", "_").replace(",", "")
)


@of_glmnet
def test_the_oracle_agrees_with_glmnet(frozen, read_shared):
    """The same objective at glmnet's coefficients, which are a minimiser's."""
    x, y, asked = glmnet_case(frozen, read_shared)
    problem = Problem(x, y, ties="breslow", **asked)
    at = frozen["at"]
    theta, lam = problem.theta(0.0, frozen["beta"]), frozen["lambdas"][at]
    assert problem.objective(theta, lam) == pytest.approx(frozen["objective"][at], rel=1e-12)
    assert problem.kkt(theta, lam) <= 1e-3 * lam


@of_glmnet
def test_no_objective_of_glmnet_is_lower(frozen, read_shared):
    x, y, asked = glmnet_case(frozen, read_shared)
    w, strata = asked["weights"], asked["strata"]
    path = nb.fit_path(
        x, y, family="cox(breslow)", lambdas=frozen["lambdas"], tol=1e-10, sample_weight=w, offset=asked["offset"],
        strata=None if strata is None else list(strata), lower_bounds=np.full(x.shape[1], float(asked["lower"])),
        **{name: asked[name] for name in ("penalty_factors", "l1_ratio", "standardize")},
    )  # fmt: skip
    share = w / w.sum()
    sizes = np.sqrt(share @ (x - share @ x) ** 2) if asked["standardize"] else 1.0
    b, ratio = path.coefs * sizes, asked["l1_ratio"]
    penalty = (ratio * np.abs(b) + (1 - ratio) / 2 * b**2) @ asked["penalty_factors"]
    ours = path.loss + path.lambdas * penalty
    assert (ours <= np.array(frozen["objective"]) + 1e-9).all()
    np.testing.assert_allclose(ours, frozen["objective"], rtol=1e-6)
    np.testing.assert_allclose(b[frozen["at"]], np.array(frozen["beta"]) * sizes, rtol=0, atol=1e-5)


def test_glmnet_agrees_with_its_vignette():
    """The default threshold to what is printed, the tight one to 1e-3; the two grids are one."""
    printed = [0.37693638, -0.09547797, -0.13595972, 0.09814146, -0.11437545, -0.38898545, 0.24291400, 0.03647596]
    np.testing.assert_allclose(GLMNET["default"]["between"], printed, rtol=0, atol=5.1e-9)
    np.testing.assert_allclose(GLMNET["tight"]["at_0.05"], printed, rtol=0, atol=1e-3)
    for run in (GLMNET["default"], GLMNET["tight"]):
        assert run["lambda_1se"] == pytest.approx(0.05864711, rel=1e-6)
    assert GLMNET["tight"]["lambda_min"] == pytest.approx(0.03057865, rel=1e-6)
