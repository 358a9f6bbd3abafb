"""The estimators with more than two classes and with several targets."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn import linear_model as sk
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_linnerud, load_wine
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import normball as nb
from normball import GLMClassifier, GLMClassifierCV, GLMRegressor, GLMRegressorCV

IRIS = load_iris(as_frame=True)
LABELS = IRIS.target_names[IRIS.target]
WINE = load_wine()
Z = (WINE.data - WINE.data.mean(0)) / WINE.data.std(0)
FITNESS = load_linnerud(as_frame=True)
RNG = np.random.default_rng(0)
WEIGHTS = RNG.integers(0, 4, size=150)
DIGITS = load_digits()
SOME = slice(0, 400)


def multinomial_objective(coef, intercept, X, y, lam, l1_ratio, weights=None, grouped=False):
    eta = X @ coef.T + intercept
    losses = np.log(np.exp(eta - eta.max(1, keepdims=True)).sum(1)) + eta.max(1) - eta[np.arange(len(y)), y]
    sizes = np.linalg.norm(coef, axis=0) if grouped else abs(coef)
    return np.average(losses, weights=weights) + lam * (l1_ratio * sizes.sum() + (1 - l1_ratio) / 2 * (coef**2).sum())


# -- classes


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("grouped", [None, True])
def test_a_classifier_is_a_point_of_fit_path(container, grouped):
    options = {"l1_ratio": 0.7, "penalty_factors": [1, 0, 2, np.inf], "grouped": grouped}
    X, offset = IRIS.data.to_numpy(), RNG.normal(size=(150, 3))
    model = GLMClassifier(lam=0.03, **options).fit(container(X), LABELS, sample_weight=WEIGHTS, offset=offset)
    given = {"sample_weight": WEIGHTS, "offset": offset, "family": "multinomial", "lambdas": [0.03]}
    fit = nb.fit_path(container(X), LABELS, **given, **options).at(lam=0.03)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert (model.coef_ == fit.coef).all()
    assert model.coef_.shape == (3, 4)
    assert (model.intercept_ == fit.intercept).all()
    eta = fit.predict(X, offset=offset)
    assert model.decision_function(container(X), offset) == pytest.approx(eta)
    assert model.predict_proba(X, offset) == pytest.approx(softmax(eta, axis=1))
    assert np.exp(model.predict_log_proba(X, offset)) == pytest.approx(softmax(eta, axis=1))
    assert (model.predict(X, offset) == model.classes_[eta.argmax(axis=1)]).all()
    right = model.predict(X, offset) == LABELS
    assert model.score(X, LABELS, WEIGHTS, offset) == pytest.approx(np.average(right, weights=WEIGHTS))


@pytest.mark.parametrize(("X", "y"), [(Z, WINE.target), (DIGITS.data[SOME] / 16, DIGITS.target[SOME])])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_no_model_of_scikit_learn_is_below_the_minimum(X, y, l1_ratio):
    lam, weights = 0.01, RNG.uniform(0.5, 2.0, size=len(y))
    ours = GLMClassifier(lam=lam, l1_ratio=l1_ratio, standardize=False, tol=1e-10).fit(X, y, sample_weight=weights)
    solver = {"solver": "saga", "tol": 1e-6} if l1_ratio else {"tol": 1e-9}
    theirs = sk.LogisticRegression(C=1 / (lam * weights.sum()), l1_ratio=l1_ratio, max_iter=5000, **solver)
    theirs.fit(X, y, sample_weight=weights)
    found, wanted = (
        multinomial_objective(one.coef_, one.intercept_, X, y, lam, l1_ratio, weights) for one in (ours, theirs)
    )
    assert found <= wanted + 1e-9
    assert found == pytest.approx(wanted, rel=1e-4)
    assert (ours.predict(X) == theirs.predict(X)).mean() > 0.99


def test_grouped_classes_share_their_features():
    apart, together = (GLMClassifier(lam=0.1, grouped=grouped).fit(Z, WINE.target) for grouped in (False, True))
    kept = together.coef_ != 0
    assert (kept.any(axis=0) == kept.all(axis=0)).all()
    assert 0 < kept.any(axis=0).sum() < 13
    assert not (apart.coef_ != 0).all(axis=0).any()
    at = {"X": Z, "y": WINE.target, "lam": 0.1, "l1_ratio": 1.0, "grouped": True}
    objectives = [multinomial_objective(one.coef_, one.intercept_, **at) for one in (together, apart)]
    assert objectives[0] < objectives[1]
    assert together.feature_importances_ == pytest.approx(np.linalg.norm(together.coef_, axis=0), abs=1e-9)
    assert apart.feature_importances_ == pytest.approx(abs(apart.coef_).sum(axis=0), abs=1e-9)


@pytest.mark.parametrize("grouped", [True, False])
def test_of_two_classes_there_is_nothing_to_group(grouped):
    two = LABELS[50:]
    plain = GLMClassifier(lower_bounds=-1.0).fit(IRIS.data[50:], two)
    same = GLMClassifier(lower_bounds=-1.0, grouped=grouped).fit(IRIS.data[50:], two)
    assert plain.coef_.shape == (1, 4)
    assert (plain.coef_ == same.coef_).all()
    with pytest.raises(TypeError, match="grouped is 'yes'"):
        GLMClassifier(grouped="yes").fit(IRIS.data[50:], two)


def test_bounds_are_those_of_each_class_and_do_not_go_with_grouped():
    model = GLMClassifier(lam=0.001, lower_bounds=-0.5, upper_bounds=0.5).fit(Z, WINE.target)
    assert abs(model.coef_).max() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="bounds and group penalties do not go together"):
        GLMClassifier(grouped=True, lower_bounds=-0.5).fit(Z, WINE.target)


@pytest.mark.parametrize("given", ["balanced", {"setosa": 0.5, "versicolor": 3.0, "virginica": 1.0}])
def test_weights_of_classes_are_weights_of_rows(given):
    few = np.r_[0:10, 50:150]
    X, y = IRIS.data.iloc[few], LABELS[few]
    weights = {"setosa": 110 / 30, "versicolor": 110 / 150, "virginica": 110 / 150} if given == "balanced" else given
    model = GLMClassifier(class_weight=given).fit(X, y)
    same = GLMClassifier().fit(X, y, sample_weight=[weights[label] for label in y])
    assert model.coef_ == pytest.approx(same.coef_, rel=1e-9)
    assert model.intercept_ == pytest.approx(same.intercept_, rel=1e-9)


@pytest.mark.parametrize(("tol", "digits"), [(1e-6, 1e-3), (1e-13, 1e-5)])
def test_a_weight_is_so_many_rows(tol, digits):
    rng = np.random.default_rng(42)
    X, y, weights = rng.random((15, 30)), rng.integers(0, 3, 15), rng.integers(0, 5, 15)
    weighted = GLMClassifier(tol=tol).fit(X, y, sample_weight=weights)
    repeated = GLMClassifier(tol=tol).fit(X.repeat(weights, axis=0), y.repeat(weights))
    assert weighted.predict_proba(X) == pytest.approx(repeated.predict_proba(X), rel=digits)


@pytest.mark.parametrize("scoring", [None, "auc", "accuracy", "brier", "f1_macro"])
def test_cross_validation_of_classes(scoring):
    model = GLMClassifierCV(scoring=scoring, cv=3, n_lambdas=15, select="best").fit(IRIS.data, LABELS)
    score = {} if scoring is None else {"score": scoring}
    cv = nb.cv_path(IRIS.data, LABELS, family="multinomial", cv=3, n_lambdas=15, **score)
    assert model.cv_mean_ == pytest.approx(cv.cv_mean)
    assert model.coef_path_.shape == (15, 3, 4)
    assert (model.at("best").coef == cv.at("best").coef).all()
    alone = nb.fit_path(IRIS.data, LABELS, family="multinomial", lambdas=[cv.lambda_best], tol=1e-9)
    assert (model.coef_ == alone.coefs[0]).all()
    assert model.coef_ == pytest.approx(cv.at("best").coef, abs=1e-3)
    assert model.score(IRIS.data, LABELS) == accuracy_score(LABELS, model.predict(IRIS.data))
    assert model.at("1se").lam == model.lambda_1se_


@pytest.mark.parametrize("options", [{}, {"l1_ratio": (0.3, 1.0), "select": "best"}, {"grouped": True}])
def test_the_chosen_model_of_classes_has_more_digits_than_the_path(options):
    frame = IRIS.data.assign(kind=np.where(RNG.random(150) > 0.5, "a", "b"), batch=np.arange(150) % 7)
    table = pl.from_pandas(frame)
    model = GLMClassifierCV(**options).fit(table, LABELS, sample_weight=WEIGHTS, groups="batch")
    assert list(model.feature_names_out_) == list(model.path_.feature_names)  # without the groups
    point = model.at(model.select)
    assert model.lam_ == point.lam
    assert model.coef_ == pytest.approx(point.coef, abs=1e-2)
    assert model.dual_gap_ <= min(1e-9, point.dual_gap)
    twice = GLMClassifierCV(**options).fit(table, LABELS, sample_weight=2.0 * WEIGHTS, groups="batch")
    assert model.predict_proba(table) == pytest.approx(twice.predict_proba(table), rel=1e-7)


def test_folds_suit_the_rarest_class():
    rows = np.r_[0:4, 50:150]
    assert GLMClassifierCV(n_lambdas=5).fit(IRIS.data.iloc[rows], LABELS[rows]).cv_path_.n_folds == 4


def test_classes_in_a_search_of_pipelines():
    pipeline = make_pipeline(StandardScaler(), GLMClassifier()).set_output(transform="pandas")
    grid = {"glmclassifier__lam": [0.3, 0.003], "glmclassifier__grouped": [False, True]}
    search = GridSearchCV(pipeline, grid, scoring="neg_log_loss", cv=3).fit(IRIS.data, LABELS)
    best = search.best_estimator_[-1]
    assert best.feature_names_in_.tolist() == IRIS.feature_names
    assert best.lam == 0.003
    again = clone(search.best_estimator_).fit(IRIS.data, LABELS)
    assert (again.predict(IRIS.data) == search.predict(IRIS.data)).all()
    assert (pickle.loads(pickle.dumps(best)).coef_ == best.coef_).all()
    assert cross_val_score(GLMClassifierCV(n_lambdas=10), IRIS.data, LABELS, cv=3).min() > 0.9


# -- targets


@pytest.mark.parametrize("frame", [None, pd.DataFrame, pl.from_pandas])
@pytest.mark.parametrize("options", [{}, {"grouped": False}, {"family": "multigaussian", "l1_ratio": 0.5}])
def test_a_regressor_of_several_targets_is_a_point_of_fit_path(options, frame):
    X, Y = (
        (FITNESS.data.to_numpy(), FITNESS.target.to_numpy())
        if frame is None
        else map(frame, (FITNESS.data, FITNESS.target))
    )
    model = GLMRegressor(lam=2.0, **options).fit(X, Y)
    wanted = nb.fit_path(X, Y, lambdas=[2.0], **{**options, "family": "multigaussian"}).at(lam=2.0)
    assert (model.coef_ == wanted.coef).all()
    assert model.coef_.shape == (3, 3)
    assert (model.intercept_ == wanted.intercept).all()
    assert model.predict(X) == pytest.approx(wanted.predict(X))
    assert model.score(X, Y) == pytest.approx(r2_score(Y, model.predict(X)))
    assert model.path_.output_names == (("y0", "y1", "y2") if frame is None else tuple(FITNESS.target_names))
    lengths = np.linalg.norm(wanted.coef_per_sd, axis=0)
    charged = abs(wanted.coef_per_sd).sum(axis=0) if options.get("grouped") is False else lengths
    assert model.feature_importances_ == pytest.approx(charged)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("lam", "l1_ratio"), [(0.3, 1.0), (3.0, 0.5), (10.0, 1.0)])
def test_no_multi_task_model_of_scikit_learn_is_below_the_minimum(lam, l1_ratio, container):
    X, Y = FITNESS.data.to_numpy(), FITNESS.target.to_numpy()
    ours = GLMRegressor(lam=lam, l1_ratio=l1_ratio, standardize=False, tol=1e-10).fit(container(X), Y)
    theirs = sk.MultiTaskElasticNet(alpha=lam, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000).fit(X, Y)

    def objective(one):
        penalty = l1_ratio * np.linalg.norm(one.coef_, axis=0).sum() + (1 - l1_ratio) / 2 * (one.coef_**2).sum()
        return ((Y - one.predict(X)) ** 2).sum() / 40 + lam * penalty

    assert objective(ours) <= objective(theirs) + 1e-9
    assert ours.predict(X) == pytest.approx(theirs.predict(X), rel=1e-3)


def test_cross_validation_of_several_targets():
    model = GLMRegressorCV(cv=4, n_lambdas=20, select="best").fit(FITNESS.data, FITNESS.target)
    cv = nb.cv_path(FITNESS.data, FITNESS.target, family="multigaussian", cv=4, n_lambdas=20)
    assert model.cv_mean_ == pytest.approx(cv.cv_mean)
    assert model.coef_path_.shape == (20, 3, 3)
    assert model.predict(FITNESS.data).shape == (20, 3)
    assert GLMRegressorCV(n_lambdas=5).fit(FITNESS.data[:6], FITNESS.target[:6]).cv_path_.n_folds == 6


@pytest.mark.parametrize(
    ("model", "y", "error", "message"),
    [
        (GLMRegressor(family="poisson"), FITNESS.target, ValueError, "y should be a 1d array"),
        (GLMRegressor(family="multigaussian"), FITNESS.target.iloc[:, 0], nb.DataError, "takes two or more"),
        (GLMRegressor(grouped=True), FITNESS.target.iloc[:, 0], ValueError, "gaussian has one"),
        (GLMRegressor(), sparse.csr_array(FITNESS.target.to_numpy()), TypeError, "dense data is required"),
        (GLMClassifier(), np.eye(20)[:, :3], ValueError, "y should be a 1d array"),
        (GLMClassifier(), FITNESS.target.iloc[:, 1] + 0.5, ValueError, "Unknown label type"),
    ],
)
def test_targets_that_a_model_does_not_take(model, y, error, message):
    for X in (FITNESS.data, FITNESS.data.to_numpy()):
        with pytest.raises(error, match=message):
            model.fit(X, y)


def test_tags_say_what_is_taken():
    assert GLMClassifier().__sklearn_tags__().classifier_tags.multi_class
    for family, several, single in [("gaussian", True, True), ("poisson", False, True), ("multigaussian", True, False)]:
        tags = GLMRegressor(family=family).__sklearn_tags__().target_tags
        assert (tags.multi_output, tags.single_output) == (several, single)
