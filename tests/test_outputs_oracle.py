"""Several outputs: certified wherever data are hard, and equal to models of one output where theory says so."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import make_classification

import normball as nb
import oracle
from judges import Case, assert_certified, assert_same_fits, draw_target, fit, judge, points
from oracle_outputs import find_row_loss, indicators
from test_certificate import make_design

OUTPUTS = [("multinomial", False), ("multinomial", True), ("multigaussian", False), ("multigaussian", True)]


def make_outputs(family, X, rng, n_outputs=4):
    """A target of as many outputs, whose first three features matter."""
    signal = (X[:, :3] - X[:, :3].mean(axis=0)) / X[:, :3].std(axis=0) @ rng.normal(size=(3, n_outputs))
    return draw_target(family, signal, rng)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("family", "grouped"), OUTPUTS)
@pytest.mark.parametrize("design", ["tall", "wide", "correlated", "badly scaled", "sparse"])
def test_certificate(design, family, grouped, l1_ratio):
    rng = np.random.default_rng([OUTPUTS.index((family, grouped)), len(design)])
    X = make_design(design, rng)[:, :40]
    y = make_outputs(family, X, rng)
    options = {"family": family, "grouped": grouped, "l1_ratio": l1_ratio, "standardize": design != "sparse"}
    if design in ("tall", "sparse"):
        options["sample_weight"] = rng.random(y.shape[0])
        options["offset"] = 0.3 * rng.normal(size=(y.shape[0], 4))
    problem = judge(X, y, options)
    lambdas = problem.lambda_max() * np.array([1.0, 0.3, 0.1, 0.02])
    made = scipy.sparse.csc_array(X) if design == "sparse" else X
    assert_certified(fit(made, y, options, lambdas=lambdas, tol=1e-6), problem, 1e-6)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n_informative", "n_redundant"), [(10, 0), (10, 5)])
def test_where_published_schemes_do_not_converge(n_informative, n_redundant, seed, grouped):
    """scikit-learn's case (its pull request 34561): 20 rows, 20 features, three classes, C = 1, which is lam = 1/20."""
    X, y = make_classification(
        20, 20, n_informative=n_informative, n_redundant=n_redundant, n_classes=3, random_state=seed
    )
    options = {"family": "multinomial", "grouped": grouped, "standardize": False}
    problem = judge(X, y, options)
    lambdas = np.sort(np.r_[0.05, problem.lambda_max() * np.geomspace(1, 1e-3, 8)])[::-1]
    assert_certified(fit(X, y, options, lambdas=lambdas, tol=1e-6), problem, 1e-6)
    ridge = options | {"l1_ratio": 0.0}
    assert_certified(fit(X, y, ridge, lambdas=[1.0, 0.05, 1e-3], tol=1e-6), judge(X, y, ridge), 1e-6)


@pytest.mark.parametrize(("family", "grouped"), OUTPUTS)
@pytest.mark.parametrize("shape", [(65, 4), (40, 60)])
def test_nearly_collinear_columns(family, grouped, shape):
    """Correlation 0.999: what descent by coordinates or blocks crawls on."""
    rng = np.random.default_rng(0)
    X = np.sqrt(0.999) * rng.normal(size=(shape[0], 1)) + np.sqrt(0.001) * rng.normal(size=shape)
    y = make_outputs(family, X, rng, 3)
    options = {"family": family, "grouped": grouped}
    problem = judge(X, y, options)
    lambdas = problem.lambda_max() * np.geomspace(1, 1e-3, 5)
    assert_certified(fit(X, y, options, lambdas=lambdas, tol=1e-6), problem, 1e-6)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_separable_classes_give_finite_certified_answers(l1_ratio, grouped):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(45, 6))
    y = np.digitize(X[:, 0], [-0.4, 0.4])
    options = {"family": "multinomial", "grouped": grouped, "l1_ratio": l1_ratio}
    path = fit(X, y, options, lambdas=[0.1, 1e-2, 1e-4], tol=1e-6)
    assert np.isfinite(path.coefs).all()
    assert_certified(path, judge(X, y, options), 1e-6)


@pytest.mark.parametrize(("family", "grouped"), OUTPUTS)
def test_no_penalty_at_all(family, grouped):
    rng = np.random.default_rng(10)
    X = make_design("tall", rng)
    y = make_outputs(family, X, rng, 3)
    options = {"family": family, "grouped": grouped}
    assert_certified(fit(X, y, options, lambdas=[0.1, 0.0], tol=1e-6), judge(X, y, options), 1e-6)


@pytest.mark.parametrize(("family", "grouped"), OUTPUTS)
def test_too_few_iterations_are_admitted(family, grouped):
    """A run that its limit stops says so, and its reported gap is still true."""
    rng = np.random.default_rng(11)
    X = make_design("correlated", rng)[:, :8]
    y = make_outputs(family, X, rng, 3)
    options = {"family": family, "grouped": grouped}
    problem = judge(X, y, options)
    lam = 1e-3 * problem.lambda_max()
    if family == "multinomial":
        with pytest.warns(nb.NotConverged, match="did not reach"):
            path = fit(X, y, options, lambdas=[lam], tol=1e-13, max_iter=1)
        assert path.statuses[0] == "max_iter"
        assert path.dual_gaps[0] > 1e-13
    else:  # squared error may be solved in one step
        path = fit(X, y, options, lambdas=[lam], tol=1e-9)
    theta = problem.theta(*points(path)[0])
    assert path.dual_gaps[0] >= problem.gap(theta, lam) - 1e-11


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("grouped", [False, True])
def test_two_classes_are_binomial_s(grouped, l1_ratio):
    """With b_1 - b_0 = b: one class's absolute values are |b|, its norm |b|/sqrt(2), its ridge half of binomial's."""
    rng = np.random.default_rng(5)
    X = make_design("correlated", rng)[:, :12]
    y = draw_target("binomial", X[:, :1], rng)
    weights, offset = rng.random(y.size), 0.5 * rng.normal(size=y.size)
    factors = np.r_[0, np.inf, 3, np.ones(9)]
    shared = {"sample_weight": weights, "penalty_factors": factors}
    one = oracle.Problem(X, y, "binomial", weights=weights, offset=offset, penalty_factors=factors)
    pair = np.column_stack([-0.3 * offset, 0.7 * offset])
    options = {"family": "multinomial", "grouped": grouped, "l1_ratio": l1_ratio, "offset": pair, **shared}
    problem = judge(X, y, options)
    absolute, square = l1_ratio / (np.sqrt(2) if grouped else 1), (1 - l1_ratio) / 2  # of what binomial's cost
    lambdas = one.lambda_max() / max(absolute, 1e-2) * np.array([1.2, 0.4, 0.1, 0.02])
    two = fit(X, y, options, lambdas=lambdas, tol=1e-12)
    same = fit(
        X, y, {"family": "binomial", "l1_ratio": absolute / (absolute + square), "offset": offset, **shared},
        lambdas=lambdas * (absolute + square), tol=1e-12,
    )  # fmt: skip
    half = [(np.array([-b0 / 2, b0 / 2]), np.vstack([-b / 2, b / 2])) for b0, b in points(same)]
    assert_same_fits(problem, lambdas, points(two), half, tol=1e-12)
    for lam, point, twin in zip(lambdas, points(two), half, strict=True):
        ours, theirs = (problem.objective(problem.theta(*at), lam) for at in (point, twin))
        assert ours == pytest.approx(theirs, rel=1e-9)
        apart = np.diff(point[1], axis=0)[0] - np.diff(twin[1], axis=0)[0]
        np.testing.assert_allclose(apart * one.scales, 0, atol=2e-5 * np.abs(twin[1] * one.scales).max())
    np.testing.assert_allclose(two.loss, same.loss, rtol=1e-6)
    if l1_ratio == 1:
        assert two.lambda_max == pytest.approx(same.lambda_max / absolute, rel=1e-9)
        np.testing.assert_array_equal(two.n_nonzero, same.n_nonzero)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
def test_targets_one_by_one_are_single_fits(l1_ratio):
    case = Case("targets one by one", 1, l1_ratio=l1_ratio)
    problem = judge(case.X, case.y, case.options)
    lambdas = problem.lambda_max() * np.array([0.9, 0.3, 0.05])
    path = fit(case.X, case.y, case.options, lambdas=lambdas, tol=1e-12)
    offset, alone = case.options["offset"], []
    for k in range(3):
        options = case.options | {"family": "gaussian", "offset": None if offset is None else offset[:, k]}
        del options["grouped"]
        alone.append(fit(case.X, case.y[:, k].copy(), options, lambdas=lambdas, tol=1e-12))
    intercepts, coefs = (np.stack([getattr(one, name) for one in alone], axis=1) for name in ("intercepts", "coefs"))
    assert_same_fits(problem, lambdas, points(path), list(zip(intercepts, coefs, strict=True)), tol=3e-12)
    np.testing.assert_allclose(path.coefs * problem.scales, coefs * problem.scales, atol=1e-5 * np.abs(coefs).max())


def test_a_target_four_times_is_the_target_at_half_the_strength():
    """The norm of four equal coefficients is twice one of them, and their loss four times that of one."""
    case = Case("targets", 0, offset=None)
    options = {name: value for name, value in case.options.items() if name != "grouped"}
    y = case.y[:, 0]
    problem = judge(case.X, y, options | {"family": "gaussian"})
    lambdas = problem.lambda_max() * np.array([0.9, 0.3, 0.05])
    one = fit(case.X, y.copy(), options | {"family": "gaussian"}, lambdas=lambdas)
    four = fit(case.X, np.column_stack([y] * 4), options, lambdas=2 * lambdas)
    for k in range(4):
        assert_same_fits(problem, lambdas, points(one), list(zip(four.intercepts[:, k], four.coefs[:, k], strict=True)))
    np.testing.assert_allclose(four.loss, 4 * one.loss, rtol=1e-8)


@pytest.mark.parametrize("kind", ["classes", "classes by feature"])
def test_shares_of_the_classes_are_weights_of_rows(kind):
    """A row with shares is a row for each class with the share for a weight; the loss counts from the perfect fit."""
    case = Case(kind, 2)
    n = case.y.size
    shares = case.rng.dirichlet(np.ones(3), n)
    shares[:3] = np.eye(3)
    problem = judge(case.X, shares, case.options)
    lambdas = problem.lambda_max() * np.array([0.9, 0.3, 0.05])
    one = fit(case.X, shares, case.options, lambdas=lambdas, tol=1e-13)
    rows, weights = np.tile(np.arange(n), 3), case.options["sample_weight"]
    weights = (shares if weights is None else shares * weights[:, None]).T.ravel()
    options = case.of_rows(rows) | {"sample_weight": weights}
    other = fit(case.X[rows], np.repeat(np.arange(3), n), options, lambdas=lambdas, tol=1e-13)
    assert_certified(one, problem)
    assert_same_fits(problem, lambdas, points(one), points(other))
    entropy = judge(case.X[rows], np.repeat(np.arange(3), n), options).null_loss - problem.null_loss
    np.testing.assert_allclose(other.loss - one.loss, entropy, rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_bounds_hold_for_each_class(seed):
    case = Case("classes", seed, l1_ratio=(1.0, 0.4, 0.0)[seed])
    problem = judge(case.X, case.y, case.options)
    lambdas = problem.lambda_max() * np.array([0.9, 0.3, 0.05])
    free = fit(case.X, case.y, case.options, lambdas=lambdas)
    reach = np.abs(free.coefs[-1]).max()
    lower, upper = -0.2 * reach * np.ones(8), np.r_[np.inf, 0.0, np.full(6, 0.3 * reach)]
    options = case.options | {"lower_bounds": lower, "upper_bounds": upper}
    boxed = fit(case.X, case.y, options, lambdas=lambdas)
    assert (boxed.coefs >= lower).all()
    assert (boxed.coefs <= upper).all()
    assert ((boxed.coefs[-1] == lower) | (boxed.coefs[-1] == upper)).any()
    assert_certified(boxed, judge(case.X, case.y, options))
    far = fit(case.X, case.y, case.options, lambdas=lambdas, lower_bounds=-1e6, upper_bounds=1e6)
    assert_same_fits(problem, lambdas, points(free), points(far))


@pytest.mark.parametrize("kind", ["classes by feature", "targets", "groups", "sparse groups"])
@pytest.mark.parametrize("bound", [{"lower_bounds": -1.0}, {"upper_bounds": {"x3": 0.5}}])
def test_bounds_and_blocks_do_not_go_together(kind, bound):
    case = Case(kind, 0)
    with pytest.raises(ValueError, match="bounds"):
        fit(case.X, case.y, case.options, **bound)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["classes", "classes by feature"])
def test_what_the_penalty_leaves_open_is_centred(kind, seed):
    """Intercepts and free features sum to zero over the classes; the rows of others as their penalty is least."""
    factors = np.array([0, 1, 1, 1, 1, 1, 1, 1.0])
    case = Case(kind, seed, fit_intercept=True, penalty_factors=factors)
    path = fit(case.X, case.y, case.options, n_lambdas=6, lambda_min_ratio=1e-2, tol=1e-12)
    size = np.abs(path.coefs).max()
    np.testing.assert_allclose(path.intercepts.sum(axis=1), 0, atol=1e-12 * (1 + np.abs(path.intercepts).max()))
    np.testing.assert_allclose(path.coefs[:, :, 0].sum(axis=1), 0, atol=1e-12 * size)
    if kind == "classes by feature":
        np.testing.assert_allclose(path.coefs.sum(axis=1), 0, atol=1e-4 * size)
    elif case.options["l1_ratio"] == 1:
        np.testing.assert_allclose(np.median(path.coefs[:, :, 1:], axis=1), 0, atol=1e-6 * size)


@pytest.mark.parametrize(("family", "grouped"), OUTPUTS)
def test_results_have_their_shapes_and_predictions_are_the_model_s(family, grouped):
    case = Case("classes" if family == "multinomial" else "targets", 0, offset=None)
    y = np.array(["low", "middle", "high"])[case.y] if family == "multinomial" else case.y
    path = nb.fit_path(case.X, y, family=family, grouped=grouped, n_lambdas=5)
    assert path.n_outputs == 3
    assert path.intercepts.shape == (5, 3)
    assert path.coefs.shape == (5, 3, 8)
    assert len(path.output_names) == 3
    lam = path.lambdas[3]
    eta = path.intercepts[3] + case.X @ path.coefs[3].T
    np.testing.assert_allclose(path.predict(case.X, lam=lam, kind="link"), eta, atol=1e-12)
    response = path.predict(case.X, lam=lam, kind="response")
    if family == "multinomial":
        assert path.classes == path.output_names == ("high", "low", "middle")
        share = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(response, share, rtol=1e-12)
        most = np.array(path.classes)[eta.argmax(axis=1)]
        np.testing.assert_array_equal(path.predict(case.X, lam=lam, kind="class"), most)
    else:
        assert path.classes is None
        np.testing.assert_allclose(response, eta, atol=1e-12)
    both = path.predict(case.X, lam=path.lambdas[2:4], kind="response")
    assert both.shape == (case.X.shape[0], 2, 3)
    np.testing.assert_allclose(both[:, 1], response, rtol=1e-12)
    per_sd = path.coefs * path.scales
    np.testing.assert_allclose(path.l1_norms, np.abs(per_sd).sum(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(path.l2_norms, np.sqrt((per_sd**2).sum(axis=(1, 2))), rtol=1e-12)


@pytest.mark.parametrize(("family", "grouped"), OUTPUTS)
@pytest.mark.parametrize("shape", [(150, 6), (45, 80)])
def test_folds_in_one_call_are_single_fits(family, grouped, shape):
    """Each fold of cv_path is the fit of its training rows."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=shape)
    y = make_outputs(family, X, rng, 3)
    weights, fold_ids = rng.random(y.shape[0]) + 0.5, np.arange(y.shape[0]) // 2 % 3
    options = {"family": family, "grouped": grouped, "tol": 1e-10, "n_lambdas": 4, "lambda_min_ratio": 0.05}
    cv = nb.cv_path(X, y, fold_ids=fold_ids, sample_weight=weights, keep_predictions=True, **options)
    loss = find_row_loss(family)
    for fold in range(3):
        held_out, train = fold_ids == fold, fold_ids != fold
        own = options | {"sample_weight": weights[train], "lambdas": cv.lambdas}
        single = nb.fit_path(X[train], y[train], **own)
        eta = np.stack([single.predict(X[held_out], lam=lam) for lam in single.lambdas], axis=1)
        np.testing.assert_allclose(cv.predictions[held_out], eta, rtol=0, atol=1e-4 * max(1, np.abs(eta).max()))
        shares = indicators(y) if y.ndim == 1 else y
        losses = np.stack([loss.value(shares[held_out], eta[:, index]) for index in range(4)])
        deviance = 2 * losses @ weights[held_out] / weights[held_out].sum()
        np.testing.assert_allclose(cv.fold_scores[fold], deviance, rtol=1e-4)
