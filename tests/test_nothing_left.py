"""Features without a penalty that leave nothing to the others: a certified answer, and a finding that says so."""

import warnings

import numpy as np
import pytest
from scipy import sparse

import normball as nb
from oracle_cox import CoxLoss
from targets import FAMILIES

# which path solver a design meets: moments or windows; a working set; sparse columns
DESIGNS = {"tall": (1200, 6), "wide": (60, 150), "sparse": (300, 40)}
SEVERAL = ("multinomial", "multigaussian")
EVERY = (*FAMILIES, "cox", "cox(breslow)", *SEVERAL)
design = pytest.mark.parametrize("design", DESIGNS)
ends = pytest.mark.parametrize("l1_ratio", [1.0, 0.0])


def features(design, seed=0):
    """The first two columns are dense: those without a penalty."""
    rng = np.random.default_rng(seed)
    n, p = DESIGNS[design]
    X = rng.normal(size=(n, p))
    if design == "sparse":
        X = np.where((rng.random((n, p)) < 0.1) | (np.arange(p) < 2), X, 0.0)
    return X, rng


def mean(family, eta):
    if family == "multinomial":
        raised = np.exp(eta - eta.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)
    if family == "binomial":
        return 1.0 / (1.0 + np.exp(-eta))
    return eta if family in ("gaussian", "multigaussian") or family.startswith("huber") else np.exp(eta)


def free_predictor(family, X):
    slopes = np.array([[1.0, -0.7, 0.3], [-0.5, 1.0, 0.2]]) if family in SEVERAL else np.array([1.0, -0.7])
    return X[:, :2] @ slopes


def separated(family, X):
    eta = free_predictor(family, X)
    if family.startswith("cox"):
        return np.column_stack([np.argsort(np.argsort(-eta)) + 1.0, np.arange(len(X)) % 9 > 0])
    return eta.argmax(axis=1) if family == "multinomial" else (eta > 0).astype(float)


def solved(X, y, family, l1_ratio, grouped, n_free=2, in_blocks=False, **options):
    p = X.shape[1]
    if family in SEVERAL:
        options["grouped"] = grouped
    elif grouped:
        options["groups"] = [*range(n_free), *(n_free + np.arange(p - n_free) // 2)]
    design = nb.Blocks(X, rows=500) if in_blocks else sparse.csc_array(X) if (X == 0).mean() > 0.5 else X
    factors = np.r_[np.zeros(n_free), np.ones(p - n_free)]
    return nb.fit_path(
        design, y, family=family, l1_ratio=l1_ratio, penalty_factors=factors, **({"n_lambdas": 8} | options)
    )  # a warning that some lambda was not solved is an error here


def remark(path):
    """The text of W41, or nothing."""
    found = [finding for finding in path.findings if finding.code == "W41"]
    assert len(found) <= 1
    return found[0].text if found else ""


def assert_null_model_everywhere(path):
    assert (path.statuses == "converged").all()
    coefs = path.coefs.reshape(path.lambdas.size, -1, path.n_features)
    assert not coefs[:, :, 2:].any()
    np.testing.assert_array_equal(path.loss, path.loss[0])


@pytest.mark.parametrize(
    ("noise", "l1_ratio", "grouped"), [(0.0, 1.0, False), (1e-10, 0.5, True), (1e-8, 0.0, False), (1e-6, 1.0, True)]
)
@design
@pytest.mark.parametrize("family", [family for family in EVERY if not family.startswith("cox")])
def test_free_features_that_fit_perfectly(family, noise, design, l1_ratio, grouped):
    X, rng = features(design)
    eta = free_predictor(family, X)
    path = solved(X, mean(family, eta + noise * rng.normal(size=eta.shape)), family, l1_ratio, grouped)
    assert_null_model_everywhere(path)
    assert 'explain the target but for a billionth: "x0", "x1".\nAll others are zero' in remark(path)


@ends
@design
@pytest.mark.parametrize("family", ["gaussian", "poisson", "gamma", "multigaussian"])
def test_what_they_leave_is_still_explained(family, design, l1_ratio):
    """Three in ten thousand are no rounding."""
    X, rng = features(design)
    eta = free_predictor(family, X)
    part = 3e-4 * (X[:, 2] + 0.2 * rng.normal(size=len(X)))
    path = solved(X, mean(family, eta + (part[:, None] if eta.ndim == 2 else part)), family, l1_ratio, False)
    assert (path.statuses == "converged").all()
    assert not remark(path)
    kept = np.abs(path.coefs[-1].reshape(-1, path.n_features)[:, 2:]).sum(axis=0)
    assert kept.argmax() == 0
    assert path.deviance_ratio[-1] > 0.3


@pytest.mark.parametrize(("l1_ratio", "grouped"), [(1.0, False), (0.5, True), (0.0, False)])
@design
@pytest.mark.parametrize("family", ["binomial", "multinomial", "cox", "cox(breslow)"])
def test_free_features_that_separate(family, design, l1_ratio, grouped):
    X, _ = features(design)
    path = solved(X, separated(family, X), family, l1_ratio, grouped)
    assert_null_model_everywhere(path)
    assert remark(path)
    assert path.null_loss < 0.02


@pytest.mark.parametrize("family", ["binomial", "poisson", "cox"])
@pytest.mark.parametrize("design", ["tall", "wide"])
def test_free_features_that_nearly_copy_each_other_have_an_optimum(family, design):
    """Rounding may keep it from being found, which is no certificate of the model without penalised features."""
    X, rng = features(design)
    X[:, 1] = X[:, 0] + 1e-6 * rng.normal(size=len(X))
    eta = X[:, 0] + X[:, 2]
    y = (eta + rng.logistic(size=len(X)) > 0).astype(float) if family == "binomial" else rng.poisson(np.exp(eta / 2))
    if family == "cox":
        y = np.column_stack([rng.exponential(np.exp(-eta)), np.ones(len(X))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nb.NotConverged)
        path = solved(X, y, family, 1.0, False)
    assert not remark(path)
    found = path.statuses == "converged"
    assert (path.coefs[found & (path.lambdas < 0.5 * path.lambdas[0]), 2] != 0.0).all()


@pytest.mark.parametrize("n_features", [2, 60])
@pytest.mark.parametrize("family", ["gaussian", "huber(1.345)", "multigaussian"])
def test_a_fit_without_any_rounding_has_lambdas(family, n_features):
    """Lambdas of ridge are measured by what the null model leaves, which is 0 here."""
    X = np.random.default_rng(0).integers(-8, 9, size=(80, n_features)).astype(float)
    X[:, 0] = np.arange(80) % 2 * 2.0 - 1.0
    y = np.column_stack([X[:, 0], 2 * X[:, 0]]) if family == "multigaussian" else 2 * X[:, 0] + 1
    for grouped in (False, True):
        path = solved(X, y, family, 0.0, grouped, n_free=1)
        assert np.isfinite(path.lambdas).all()
        assert (path.statuses == "converged").all()
        assert remark(path)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "gamma", "cox", *SEVERAL])
def test_a_lone_lambda_far_from_the_largest_is_no_other(family, l1_ratio):
    """Nothing moves on the way there."""
    X, _ = features("tall")
    has_limit = family in ("binomial", "multinomial", "cox")
    y = separated(family, X) if has_limit else mean(family, free_predictor(family, X))
    path = solved(X, y, family, l1_ratio, False, lambdas=[1.0, 1e-9])
    assert_null_model_everywhere(path)
    assert remark(path)


@pytest.mark.parametrize(
    ("family", "grouped"),
    [
        *(("gaussian", False), ("binomial", True), ("poisson", False), ("gamma", True), ("tweedie(1.5)", False)),
        *((family, grouped) for family in SEVERAL for grouped in (False, True)),
    ],
)
def test_rows_in_blocks_are_judged_alike(family, grouped):
    X, rng = features("tall")
    if family in ("binomial", "multinomial"):
        y = separated(family, X)
    else:
        eta = free_predictor(family, X)
        y = mean(family, eta + 1e-8 * rng.normal(size=eta.shape))
    for options in ({}, {"lambdas": [1.0, 1e-9]}):
        whole, path = (solved(X, y, family, 0.5, grouped, in_blocks=way, **options) for way in (False, True))
        assert_null_model_everywhere(path)
        assert remark(path) == remark(whole) != ""


def test_every_event_of_a_cox_model_where_the_free_feature_is_largest():
    """The likelihood is monotone; rounding stops where nothing can be told from its end."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 5))
    y = np.column_stack([np.argsort(np.argsort(-X[:, 0])) + 1.0, np.ones(200)])
    path = solved(X, y, "cox", 1.0, False, n_free=1)
    assert CoxLoss(y).value(X @ path.coefs[0]) == pytest.approx(path.null_loss, abs=1e-9)
    text = remark(path)
    assert 'separate the target, or all but copy one another: "x0".\nTheir coefficients grow beyond' in text
    (finding,) = [one for one in path.findings if one.code == "W41"]
    assert finding.fix == "leave them out of penalty_factors, so that they have a penalty"
    followed = nb.fit_path(X, y, family="cox", n_lambdas=8)
    assert (followed.statuses == "converged").all()
    assert not remark(followed)
    assert remark(nb.fit_path(X[:, :1], y, family="cox", penalty_factors=[0.0], lambdas=[0.1]))


@ends
@design
@pytest.mark.parametrize("family", ["binomial", "poisson", "multinomial", "cox"])
def test_a_level_without_an_event_leaves_the_others_something(family, design, l1_ratio):
    """Its coefficient grows, too, but what it leaves has an optimum, which is found."""
    X, rng = features(design)
    X[:, 0] = np.arange(len(X)) % 7 == 0
    X[:, 1] = np.arange(len(X)) % 2
    risk = np.exp(0.8 * X[:, 2] + 0.5 * X[:, 1]) * (X[:, 0] == 0)
    if family == "cox":
        y = np.column_stack([rng.exponential(1.0 / np.maximum(risk, 0.1)), (risk > 0) & (rng.random(len(X)) < 0.8)])
    elif family == "poisson":
        y = rng.poisson(risk).astype(float)
    else:
        y = (rng.random(len(X)) < risk / (1.0 + risk)).astype(float)
    path = solved(X, y, family, l1_ratio, False)
    assert (path.statuses == "converged").all()
    assert not remark(path)
    assert path.n_nonzero[-1] > 2


@pytest.mark.parametrize(("spread", "l1_ratio"), [(3e-6, 1.0), (1e-8, 0.5), (1e-11, 0.0)])
@design
@pytest.mark.parametrize(
    "family", ["poisson", "negative_binomial(2)", "gamma", "tweedie(1.5)", "binomial", "multinomial"]
)
def test_a_target_that_hardly_varies(family, spread, design, l1_ratio):
    X, rng = features(design)
    y = mean(family, 0.7 + spread * rng.normal(size=(len(X), 3) if family == "multinomial" else len(X)))
    path = solved(X, y, family, l1_ratio, False, n_free=0)
    assert (path.statuses == "converged").all()
    assert not path.coefs.any()
    assert "A model without features explains the target but for a billionth;" in remark(path)


@pytest.mark.filterwarnings("ignore::normball.NotConverged")  # where its gradient is read in such a unit
@pytest.mark.parametrize("family", ["binomial", "poisson", "cox"])
def test_a_free_feature_in_a_large_unit_separates_nothing(family):
    """Without standardising its coefficient is large for its unit alone."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    eta = X[:, 0] - 0.5 * X[:, 1] + 0.5 * X[:, 2]
    y = {
        "binomial": (rng.random(400) < mean("binomial", eta)).astype(float),
        "poisson": rng.poisson(np.exp(eta)).astype(float),
        "cox": np.column_stack([rng.exponential(np.exp(-eta)) + 1e-3, rng.random(400) < 0.8]),
    }[family]
    path = solved(np.where(np.arange(6) == 0, 1e-8, 1.0) * X, y, family, 1.0, False, n_free=1, standardize=False)
    assert not remark(path)
    assert path.n_nonzero[-1] > 1


def test_folds_and_offsets_that_leave_nothing():
    X, _ = features("tall")
    y = np.exp(free_predictor("poisson", X))
    path = nb.fit_path(X, y, family="poisson", offset=np.log(y), n_lambdas=5)
    assert remark(path).startswith("The offset alone explains the target but for a billionth;")
    cv = nb.cv_path(X, y, family="poisson", penalty_factors=[0, 0, 1, 1, 1, 1], cv=3, n_lambdas=5)
    assert "W41" in {finding.code for finding in cv.findings}
    assert (cv.fold_dual_gaps <= 1e-6).all()
