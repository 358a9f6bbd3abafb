"""The drop-ins find scikit-learn's solutions under scikit-learn's names."""

import doctest

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from normball import drop_in

FEW_FOLDS = {"LogisticRegressionCV": {"cv": 3}}  # a check of scikit-learn's has three rows of each class
ESTIMATORS = [getattr(drop_in, name)(**FEW_FOLDS.get(name, {})) for name in drop_in.__all__]
RNG = np.random.default_rng(0)
X, Y = load_diabetes(return_X_y=True)
X = X[:, [0, 2, 4, 5, 8]] * np.array([1.0, 10.0, 20.0, 30.0, 5.0]) + np.arange(5)
WEIGHTS = RNG.integers(0, 4, size=Y.size).astype(float)
CANCER, CLASSES = load_breast_cancer(return_X_y=True)
CANCER = (CANCER[:150, :6] - CANCER[:150, :6].mean(0)) / CANCER[:150, :6].std(0)
LABELS = np.array(["benign", "malign"])[1 - CLASSES[:150]]
CLASS_WEIGHTS = RNG.integers(0, 4, size=150).astype(float)


EXACT = {
    name: {"max_iter": 100_000, "precompute": False} for name in ("LassoCV", "ElasticNetCV")
}  # scikit-learn warns with less
EXACT["MultiTaskLassoCV"] = EXACT["MultiTaskElasticNetCV"] = {"max_iter": 100_000}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:The least populated class")
@parametrize_with_checks(ESTIMATORS)
def test_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", drop_in.__all__)
def test_parameters_are_those_of_scikit_learn(name):
    ours, theirs = getattr(drop_in, name)(), getattr(sk, name)()
    assert ours.get_params() == theirs.get_params()
    assert isinstance(ours, type(theirs))


@pytest.mark.parametrize("module", [drop_in.linear, drop_in.log_link, drop_in.logistic, drop_in.ridge])
def test_examples_run(module):
    assert doctest.testmod(module).failed == 0


# -- one strength


def regression_objective(model, X, y, weights, l1, l2, scale):
    """Return scale * mean loss + l1 |b|_1 + l2/2 |b|_2^2, the mean being weighted."""
    w = np.ones(y.size) if weights is None else weights
    residual = y - X @ model.coef_ - model.intercept_
    return scale * w @ residual**2 / (2 * w.sum()) + l1 * abs(model.coef_).sum() + l2 / 2 * (model.coef_**2).sum()


@pytest.mark.parametrize(
    "container", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.1},
        {"alpha": 3.0},
        {"alpha": 3.0, "positive": True},
        {"alpha": 0.5, "fit_intercept": False},
        {"alpha": 0.5, "l1_ratio": 0.3},
        {"alpha": 0.02, "l1_ratio": 0.05, "positive": True, "fit_intercept": False},
    ],
)
def test_elastic_net_reaches_the_minimum_of_scikit_learn(options, weights, container):
    design = container(X)
    name = "ElasticNet" if "l1_ratio" in options else "Lasso"
    ours = getattr(drop_in, name)(**options).fit(design, Y, sample_weight=weights)
    theirs = getattr(sk, name)(**options, tol=1e-9, max_iter=100_000).fit(X, Y, sample_weight=weights)
    alpha, l1_ratio = options["alpha"], options.get("l1_ratio", 1.0)
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    found, wanted = (regression_objective(model, X, Y, weights, l1, l2, 1.0) for model in (ours, theirs))
    assert found == pytest.approx(wanted, rel=1e-7)
    assert ours.predict(design[:5] if container is not sparse.coo_array else X[:5]) == pytest.approx(
        theirs.predict(X[:5]), rel=1e-3
    )
    assert -1e-9 < ours.dual_gap_ <= 1e-6 * np.average((Y - Y.mean() * ours.fit_intercept) ** 2, weights=weights)
    assert found - wanted <= ours.dual_gap_ + 1e-9 * wanted


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weights", [None, WEIGHTS, 2.0])
@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 1.0},
        {"alpha": 30.0, "solver": "saga", "tol": 1e-3, "random_state": 0},
        {"alpha": [5.0], "fit_intercept": False},
        {"alpha": 100.0, "positive": True},
        {"alpha": 0.0},
    ],
)
def test_ridge_reaches_the_minimum_of_scikit_learn(options, weights, container):
    ours = drop_in.Ridge(**options).fit(container(X), Y, sample_weight=weights)
    theirs = sk.Ridge(**options).set_params(solver="auto", tol=1e-12).fit(X, Y, sample_weight=weights)
    w = np.broadcast_to(1.0 if weights is None else weights, Y.shape)
    alpha, scale = float(np.ravel(options["alpha"])[0]), 2 * w.sum()
    found, wanted = (regression_objective(model, X, Y, w, 0.0, 2 * alpha, scale) for model in (ours, theirs))
    assert found == pytest.approx(wanted, rel=1e-7)
    assert found - wanted <= ours.dual_gap_ + 1e-9 * wanted
    assert ours.solver_ == options.get("solver", "normball")


def logistic_objective(model, weights, C, l1_ratio):
    target, eta = (model.classes_[1] == LABELS).astype(float), model.decision_function(CANCER)
    loss = np.logaddexp(0, eta) - target * eta
    penalty = l1_ratio * abs(model.coef_).sum() + (1 - l1_ratio) / 2 * (model.coef_**2).sum()
    return weights @ loss / weights.sum() + penalty / (C * weights.sum())


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weights", [None, CLASS_WEIGHTS])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"C": 0.05},
        {"C": 0.1, "l1_ratio": 1.0, "solver": "saga"},
        {"l1_ratio": 0.4, "solver": "saga", "fit_intercept": False},
        {"C": 2.0, "class_weight": "balanced"},
        {"class_weight": {"benign": 1.0, "malign": 5.0}, "fit_intercept": False},
        {"l1_ratio": 1.0, "solver": "liblinear", "fit_intercept": False},
    ],
)
def test_logistic_regression_reaches_the_minimum_of_scikit_learn(options, weights, container):
    ours = drop_in.LogisticRegression(**options).fit(container(CANCER), LABELS, sample_weight=weights)
    theirs = sk.LogisticRegression(**options, tol=1e-10, max_iter=100_000, random_state=0)
    theirs.fit(CANCER, LABELS, sample_weight=weights)
    w = np.ones(150) if weights is None else weights.copy()
    if options.get("class_weight") == "balanced":
        malign = w[LABELS == "malign"].sum()
        w *= np.where(LABELS == "malign", 1 / malign, 1 / (w.sum() - malign)) * w.sum() / 2
    elif "class_weight" in options:
        w *= np.where(LABELS == "malign", 5.0, 1.0)
    C, l1_ratio = options.get("C", 1.0), options.get("l1_ratio", 0.0)
    found, wanted = (logistic_objective(model, w, C, l1_ratio) for model in (ours, theirs))
    assert found == pytest.approx(wanted, rel=1e-6)
    assert found - wanted <= ours.dual_gap_ + 1e-9
    assert (ours.predict(container(CANCER)) == theirs.predict(CANCER)).mean() > 0.99


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"penalty": "l1", "l1_ratio": 1.0}, {"l1_ratio": 1.0}),
        ({"penalty": "l2"}, {}),
        ({"penalty": "elasticnet", "l1_ratio": 0.5}, {"l1_ratio": 0.5}),
        ({"penalty": None}, {"C": np.inf}),
        ({"l1_ratio": None}, {}),
        ({"n_jobs": 2}, {}),
    ],
)
def test_deprecated_words_of_logistic_regression(old, new):
    with pytest.warns(FutureWarning, match=r"since version 1\.8|deprecated in version 1\.8"):
        ours = drop_in.LogisticRegression(**old).fit(CANCER[:, :2], LABELS)
    assert ours.coef_ == pytest.approx(drop_in.LogisticRegression(**new).fit(CANCER[:, :2], LABELS).coef_, rel=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_elasticnet_penalty_needs_a_mix():
    with pytest.raises(ValueError, match="l1_ratio must be specified"):
        drop_in.LogisticRegression(penalty="elasticnet", l1_ratio=None).fit(CANCER, LABELS)
    with pytest.raises(ValueError, match="l1_ratios must be specified"):
        drop_in.LogisticRegressionCV(penalty="elasticnet").fit(CANCER, LABELS)


# -- attributes and options


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", drop_in.__all__)
def test_fitted_attributes_are_those_of_scikit_learn(name, dtype):
    options = (
        {"l1_ratios": (0,), "scoring": "accuracy", "use_legacy_attributes": False} if name.endswith("sionCV") else {}
    )
    target = LABELS if "Logistic" in name else Y[:150]
    target = np.column_stack([target, target[::-1]]) if name.startswith("MultiTask") else target
    ours = getattr(drop_in, name)(**options).fit(CANCER.astype(dtype), target)
    theirs = getattr(sk, name)(**options).set_params(**EXACT.get(name, {})).fit(CANCER.astype(dtype), target)
    for attribute in (key for key in vars(theirs) if key.endswith("_")):
        wanted, found = getattr(theirs, attribute), getattr(ours, attribute)
        assert np.shape(found) == np.shape(wanted) or wanted is None, attribute
    assert ours.coef_.dtype == theirs.coef_.dtype
    assert ours.dual_gap_ <= 1e-5 * max(1.0, np.square(Y).sum())


@pytest.mark.parametrize(
    ("name", "plain", "options"),
    [
        ("Lasso", {}, {"warm_start": True}),
        ("Lasso", {}, {"precompute": True, "selection": "random", "random_state": 0, "copy_X": False}),
        ("ElasticNet", {"fit_intercept": False}, {"precompute": X.T @ X, "warm_start": True}),
        ("LassoCV", {}, {"precompute": True}),
        ("ElasticNetCV", {"fit_intercept": False}, {"precompute": X.T @ X, "selection": "random"}),
        ("Ridge", {}, {"solver": "svd"}),
        ("RidgeCV", {}, {"gcv_mode": "eigen"}),
        ("LogisticRegression", {"l1_ratio": 1.0}, {"warm_start": True, "solver": "newton-cg", "random_state": 1}),
        ("LogisticRegression", {"fit_intercept": False}, {"solver": "liblinear", "dual": True}),
        ("LogisticRegression", {}, {"intercept_scaling": 10.0, "solver": "sag"}),
        ("LogisticRegression", {"solver": "liblinear"}, {"dual": True, "random_state": 1}),
    ],
)
def test_an_option_that_cannot_change_the_answer_does_not(name, plain, options):
    target = Y > 100 if "Logistic" in name else Y
    wanted = getattr(drop_in, name)(**plain).fit(X, target)
    model = getattr(drop_in, name)(**plain, **options)
    for _ in range(2):  # a warm start has something to start from
        found = model.fit(X, target)
        assert (found.coef_ == wanted.coef_).all()
        np.testing.assert_allclose(found.intercept_, wanted.intercept_, rtol=1e-13)  # a warm start sums it up anew


@pytest.mark.parametrize("name", ["Lasso", "ElasticNetCV"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_gram_matrix_is_checked_in_every_entry(name, weights):
    w = np.ones(Y.size) if weights is None else weights * Y.size / weights.sum()
    gram = X.T @ (w[:, None] * X)
    model = getattr(drop_in, name)(fit_intercept=False, precompute=gram)
    wanted = getattr(drop_in, name)(fit_intercept=False).fit(X, Y, sample_weight=weights)
    assert (model.fit(X, Y, sample_weight=weights).coef_ == wanted.coef_).all()
    for i, j in [(0, 0), (1, 4), (3, 2)]:
        wrong = gram.copy()
        wrong[i, j] *= 1.01
        with pytest.raises(ValueError, match=f"did not pass validation.* first row {i}, are not those of X'X"):
            model.set_params(precompute=wrong).fit(X, Y, sample_weight=weights)
    with pytest.raises(ValueError, match=r"shape \(4, 4\), but X has 5 features"):
        model.set_params(precompute=gram[1:, 1:]).fit(X, Y)


def test_a_gram_matrix_of_columns_with_a_mean_is_replaced():
    with pytest.warns(UserWarning, match="Gram matrix was provided but X was centered"):
        found = drop_in.Lasso(precompute=X.T @ X).fit(X, Y)
    assert (found.coef_ == drop_in.Lasso().fit(X, Y).coef_).all()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (drop_in.Lasso(alpha=-1), "alpha"),
        (drop_in.LogisticRegression(max_iter=-1), "max_iter"),
        (drop_in.LogisticRegression(solver="liblinear", intercept_scaling=0.0), "intercept_scaling"),
        (drop_in.RidgeCV(alphas=[0.0, 1.0]), r"alphas\[0\] == 0.0, must be > 0.0"),
        (drop_in.RidgeCV(alphas=[1.0, -1.0], cv=3), r"alphas\[1\] == -1.0, must be >= 0.0"),
        (drop_in.LassoCV(alphas=[1.0, -1.0]), r"alphas\[1\] == -1.0, must be >= 0.0"),
        (drop_in.LassoCV(alphas=[1.0, np.nan]), r"alphas\[1\] == nan, must be finite"),
        (drop_in.LassoCV(alphas=[]), "empty"),
        (drop_in.LassoCV(eps=1.5), "eps == 1.5, must be <= 1"),
        (drop_in.ElasticNetCV(l1_ratio=[0.5, 0]), "Automatic alpha grid generation is not supported for l1_ratio=0"),
        (drop_in.Ridge(alpha=[1.0, 2.0]), "Number of targets and number of penalties do not correspond: 2 != 1"),
        (drop_in.RidgeCV(cv=3, store_cv_results=True), "store_cv_results"),
        (drop_in.RidgeCV(cv=3, alpha_per_target=True), "alpha_per_target"),
    ],
)
def test_wrong_options_are_errors(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y > 100)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "LassoCV", "ElasticNetCV"])
def test_no_path_of_scikit_learn_is_left(name):
    with pytest.raises(AttributeError, match=r"normball\.fit_path"):
        getattr(drop_in, name).path  # noqa: B018


def test_no_callbacks():
    with pytest.raises(AttributeError, match="progress="):
        drop_in.LogisticRegressionCV().set_callbacks()


@pytest.mark.parametrize(
    ("solver", "begin"),
    [
        ("lbfgs", "lbfgs failed to converge"),
        ("newton-cg", "newton-cg failed to converge. Increase the number of iterations."),
        ("newton-cholesky", "Newton solver did not converge after 1 iterations"),
        ("liblinear", "Liblinear failed to converge, increase the number of iterations."),
        ("saga", "The max_iter was reached which means the coef_ did not converge"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_reaching_max_iter_is_the_convergence_warning_of_the_solver(solver, begin):
    for model in (drop_in.LogisticRegression(C=1e6), drop_in.LogisticRegressionCV(Cs=[1e6, 1e4])):
        with pytest.warns(ConvergenceWarning, match=rf"^{begin}.*max_iter=1.*duality gap") as caught:
            model.set_params(solver=solver, max_iter=1).fit(CANCER, LABELS)
        ours = [one for one in caught if one.category is ConvergenceWarning]
        assert len(ours) == 1
        assert ours[0].filename == __file__


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("name", ["Lasso", "LassoCV", "Ridge", "RidgeCV", "LogisticRegression"])
def test_values_whose_squares_overflow_are_an_error(name, container):
    target = Y > 100 if "Logistic" in name else Y
    for scale in (np.finfo(float).max / 300, -1e160):
        with pytest.raises(ValueError, match=r"non-finite parameter values.* squares of values up to .* overflow"):
            getattr(drop_in, name)().fit(container(X * scale), target)
    if "Logistic" not in name:
        with pytest.raises(ValueError, match="overflow"):
            getattr(drop_in, name)().fit(container(X), Y * 1e160)


def test_no_penalty_at_all_is_warned_about_as_in_scikit_learn():
    with pytest.warns(UserWarning, match="With alpha=0, this algorithm"):
        model = drop_in.Lasso(alpha=0).fit(X, Y)
    assert model.coef_ == pytest.approx(sk.LinearRegression().fit(X, Y).coef_, rel=1e-4)


def test_constant_target_is_accepted():
    model = drop_in.Lasso().fit(X, np.full(Y.size, 3.0))
    assert model.coef_.tolist() == [0.0] * 5
    assert model.intercept_ == pytest.approx(3.0)


def test_works_in_a_parallel_grid_search():
    search = GridSearchCV(drop_in.Lasso(), {"alpha": [0.1, 1.0, 10.0]}, n_jobs=2).fit(X, Y)
    theirs = GridSearchCV(sk.Lasso(), {"alpha": [0.1, 1.0, 10.0]}).fit(X, Y)
    assert search.best_params_ == theirs.best_params_
    assert search.best_score_ == pytest.approx(theirs.best_score_, rel=1e-4)
