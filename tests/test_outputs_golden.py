"""Frozen fits of R's glmnet with several outputs (golden/outputs.R), and what its vignette prints about them."""

import json
from pathlib import Path

import numpy as np
import pytest

import normball as nb
from judges import assert_certified, fit, judge
from test_glmnet import Generator

GOLDEN = json.loads((Path(__file__).parent / "golden" / "outputs.json").read_text())
FITS = {golden["name"]: golden for golden in GOLDEN["fits"]}


@pytest.fixture(scope="module")
def tables(read_shared):
    """X and the targets of both tables: labels 1, 2, 3, and four columns."""
    classes, targets = (
        read_shared(f"glmnet_{name}").to_numpy().astype(float) for name in ("multinomial", "multigaussian")
    )
    return {
        "multinomial": (classes[:, 1:].copy(), classes[:, 0].astype(int)),
        "multigaussian": (targets[:, 4:].copy(), targets[:, :4].copy()),
    }


@pytest.fixture(params=FITS, ids=lambda name: name.replace(" ", "_").replace(",", ""))
def golden(request, tables):
    """The golden fit, X, y and the options of ours, weights and offset as outputs.R draws them."""
    frozen = FITS[request.param]
    X, y = tables[frozen["family"]]
    random, n = Generator(frozen.get("seed", 1)), y.shape[0]
    n_outputs = len(frozen["a0"])
    options = {
        "family": frozen["family"],
        "grouped": frozen["grouped"],
        "l1_ratio": frozen.get("l1_ratio", 1.0),
        "fit_intercept": frozen.get("intercept", True),
        "standardize": frozen.get("standardize", True),
        "sample_weight": 1 + np.floor(3 * random.draw(n)) if frozen.get("weighted") else None,
        "offset": 0.5 * random.bell(n * n_outputs).reshape(n_outputs, n).T.copy() if frozen.get("shifted") else None,
        "penalty_factors": np.resize(frozen["factors"], X.shape[1]) if "factors" in frozen else None,
    }
    return frozen, X, y, options


def test_same_data_and_same_objective(golden):
    """The table and the oracle agree with R before anything of ours is judged, and R is at the minimum."""
    frozen, X, y, options = golden
    problem = judge(X, y, options)
    w = np.ones(y.shape[0]) if options["sample_weight"] is None else options["sample_weight"]
    checksum = [*X.shape, X.sum(), (X * X).sum(), w @ problem.y[:, 0], w @ problem.offset[:, 1], w.sum()]
    np.testing.assert_allclose(checksum, frozen["checksum"], rtol=1e-12, atol=1e-12)
    at = frozen["at"]
    theta, lam = problem.theta(frozen["a0"], np.transpose(frozen["beta"])), frozen["lambdas"][at]
    assert problem.objective(theta, lam) == pytest.approx(frozen["objective"][at], rel=1e-13)
    assert problem.gap(theta, lam) <= 1e-12
    assert problem.kkt(theta, lam) <= 1e-4 * lam


def test_objective_is_glmnet_s(golden):
    """At every frozen lambda no worse than glmnet's, and to 1e-8; at one of them the same coefficients."""
    frozen, X, y, options = golden
    path = fit(X, y, options, lambdas=frozen["lambdas"])
    problem = judge(X, y, options)
    assert set(path.statuses) == {"converged"}
    for index, lam in enumerate(path.lambdas):
        ours = problem.objective(problem.theta(path.intercepts[index], path.coefs[index]), lam)
        assert ours <= frozen["objective"][index] * (1 + 1e-9)
        assert ours == pytest.approx(frozen["objective"][index], rel=1e-8)
    theirs = np.transpose(frozen["beta"]) * problem.scales
    coefs = path.coefs[frozen["at"]] * problem.scales
    freed = problem.out if options["penalty_factors"] is None else options["penalty_factors"] == 0
    if frozen["family"] == "multinomial":  # no penalty fixes the mean over the classes there
        theirs = theirs - theirs.mean(axis=0) * freed
    np.testing.assert_allclose(coefs, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())


@pytest.mark.parametrize("name", ["multinomial lasso", "multinomial lasso by feature", "several targets, lasso"])
def test_default_grid_is_certified(name, tables):
    frozen = FITS[name]
    X, y = tables[frozen["family"]]
    options = {"family": frozen["family"], "grouped": frozen["grouped"]}
    problem = judge(X, y, options)
    path = nb.fit_path(X, y, **options, n_lambdas=20)
    np.testing.assert_allclose(path.lambdas, problem.lambda_max() * np.geomspace(1, 1e-4, 20), rtol=1e-8)
    assert_certified(path, problem, 1e-6)


# predict(fit, newx = x[1:5, ], s = ...) of the vignette (glmnet 4.1-8, inst/doc/glmnet.pdf), a row of x a line
PRINTED = {
    0.1: """-4.7106263 -1.1634574 0.6027634 3.740989  4.1301735 -3.0507968 -1.2122630 4.970141
            3.1595229 -0.5759621 0.2607981 2.053976  0.6459242 2.1205605 -0.2252050 3.146286
            -1.1791890 0.1056262 -7.3352965 3.248370""",
    0.01: """-4.6415158 -1.2290282 0.6118289 3.779521  4.4712843 -3.2529658 -1.2572583 5.266039
             3.4735228 -0.6929231 0.4684037 2.055574  0.7353311 2.2965083 -0.2190297 2.989371
             -1.2759930 0.2892536 -7.8259206 3.205211""",
}


@pytest.mark.parametrize("lam", PRINTED)
def test_printed_predictions_of_several_targets(tables, lam):
    """Print and glmnet's default run, its tight run and ours; the default threshold is up to 6e-4 away from it."""
    printed = np.array([float(word) for word in PRINTED[lam].split()]).reshape(5, 4)
    np.testing.assert_allclose(GOLDEN["default"][f"targets_{lam}"], printed, rtol=0, atol=5.1e-7)
    X, y = tables["multigaussian"]
    path = nb.fit_path(X, y, family="multigaussian", tol=1e-12)
    ours = path.predict(X[:5], lam=lam)  # between two strengths of the grid, as glmnet's
    np.testing.assert_allclose(ours, GOLDEN["tight"][f"targets_{lam}"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(ours, printed, rtol=0, atol=1e-3)


def test_printed_confusion_at_lambda_1se_of_r_s_folds(tables):
    """400 rows drawn with set.seed(101), then ten folds: predicted classes (rows) of the other 100 by true ones."""
    X, y = tables["multinomial"]
    tight = GOLDEN["tight"]
    train = np.array(tight["train"])
    rest = np.setdiff1d(np.arange(500), train)
    cv = nb.cv_path(
        X[train], y[train], family="multinomial", fold_ids=tight["folds"], lambdas=tight["lambdas"], tol=1e-11
    )
    np.testing.assert_allclose(cv.cv_mean / 2, tight["cv_mean"], rtol=1e-5)
    np.testing.assert_allclose(cv.cv_se / 2, tight["cv_se"], rtol=1e-4)
    assert cv.lambda_1se == pytest.approx(tight["lambda_1se"], rel=1e-10)
    assert cv.lambda_1se == pytest.approx(GOLDEN["default"]["lambda_1se"], rel=1e-10)
    predicted = cv.predict(X[rest], kind="class")
    confusion = [[int(((predicted == one) & (y[rest] == other)).sum()) for other in (1, 2, 3)] for one in (1, 2, 3)]
    assert confusion == tight["confusion"] == GOLDEN["default"]["confusion"] == [[13, 6, 4], [7, 25, 5], [4, 3, 33]]


def test_printed_classes_of_the_fit_by_feature(tables):
    """Classes of rows 1 to 10 of the grouped fit: those that the vignette prints at its lambda.min."""
    X, y = tables["multinomial"]
    lambdas = np.geomspace(0.25, 0.01, 30)
    path = nb.fit_path(X, y, family="multinomial", grouped=True, lambdas=lambdas)
    classes = path.predict(X[:10], lam=0.02, kind="class").tolist()
    printed = [3, 2, 2, 3, 1, 3, 3, 1, 1, 2]
    assert classes == printed == [int(label) for label in GOLDEN["tight"]["grouped_0.02"]]
