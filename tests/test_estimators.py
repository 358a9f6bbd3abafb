"""The estimators keep scikit-learn's contract and agree with the functions that they stand on."""

import doctest
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import d2_tweedie_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import normball as nb
from normball import GLMClassifier, GLMClassifierCV, GLMRegressor, GLMRegressorCV, estimators

CLASSES = [GLMRegressor, GLMRegressorCV, GLMClassifier, GLMClassifierCV]
ESTIMATORS = [
    *(cls() for cls in CLASSES),
    GLMRegressor(family="poisson", lam=0.1),
    GLMRegressor(l1_ratio=0.0, standardize=False, fit_intercept=False),
    GLMRegressorCV(family="poisson", select="best", n_lambdas=20, lambda_min_ratio=0.01),
    GLMRegressor(family="gamma", lam=0.1),
    GLMRegressor(family="tweedie(1.3)", l1_ratio=0.5, lam=0.1),
    GLMRegressor(family="negative_binomial(2)", lam=0.1),
    GLMRegressor(family="huber(10)", lam=0.1),
    GLMClassifierCV(l1_ratio=0.5, cv=2, scoring="auc", tol=1e-10),
    GLMClassifier(grouped=True, l1_ratio=0.5),
    GLMClassifierCV(grouped=True, select="best", n_lambdas=5, lambda_min_ratio=0.2, tol=1e-13),
]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5)) * [1, 2, 3, 4, 5] + 1
ETA = X @ [0.5, 0.0, -0.2, 0.0, 0.05]
Y = ETA + 0.3 * RNG.normal(size=120)
COUNTS = RNG.poisson(np.exp(ETA / 2))
LABELS = np.where(ETA + RNG.normal(size=120) > 0, "yes", "no")
WEIGHTS = RNG.integers(0, 3, size=120)
OFFSET = RNG.normal(size=120)
COLOURS = np.array(["red", "green", "blue"])[RNG.integers(0, 3, size=120)]
TABLE = {"size": X[:, 0], "colour": COLOURS, "old": X[:, 1] > 1}
FRAMES = [pd.DataFrame, pl.DataFrame, pa.table]


@pytest.fixture
def metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def target_of(cls):
    return LABELS if "Classifier" in cls.__name__ else Y


@parametrize_with_checks(ESTIMATORS)
def test_contract_of_scikit_learn(estimator, check):
    check(estimator)


def test_examples_run():
    assert doctest.testmod(estimators).failed == 0


# -- words


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(("word", "right"), [("alpha", "lam"), ("C", "lam"), ("penalty", "l1_ratio")])
def test_foreign_words_are_type_errors_that_name_the_right_one(cls, word, right):
    with pytest.raises(TypeError, match=rf"{cls.__name__}\(\) has no argument '{word}'.*\b{right}\b"):
        cls(**{word: 1.0})
    with pytest.raises(TypeError, match=right):
        cls().set_params(**{word: 1.0})


def test_parameters_survive_cloning_and_pickling():
    model = GLMRegressorCV(l1_ratio=0.5, penalty_factors={"x1": 0.0}, select="best")
    assert clone(model).get_params() == model.get_params() == pickle.loads(pickle.dumps(model)).get_params()
    assert repr(GLMRegressor(lam=0.5)) == "GLMRegressor(lam=0.5)"


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (GLMRegressor(lam=-1), ValueError, "lambdas must be"),
        (GLMRegressor(family="gama"), ValueError, "family is 'gama'"),
        (GLMRegressorCV(select="2se"), ValueError, "select is '2se'"),
        (GLMRegressorCV(scoring="auc"), ValueError, "is about classes"),
        (GLMRegressorCV(cv=1), ValueError, "at least 2 folds"),
        (GLMRegressor(penalty_factors={"x9": 0.0}), ValueError, "x9"),
    ],
)
def test_wrong_values_are_errors_in_fit(model, error, message):
    with pytest.raises(error, match=message):
        model.fit(X, Y)


# -- one strength


@pytest.mark.parametrize(
    "container", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_matrix, pd.DataFrame]
)
@pytest.mark.parametrize(("family", "target"), [("gaussian", Y), ("poisson", COUNTS), ("binomial", LABELS)])
def test_fit_is_a_point_of_fit_path(family, target, container):
    options = {"l1_ratio": 0.7, "penalty_factors": [1, 0, 2, 1, np.inf], "lower_bounds": -0.3, "standardize": False}
    given = {"sample_weight": WEIGHTS, "offset": OFFSET}
    model = GLMClassifier(lam=0.05) if family == "binomial" else GLMRegressor(lam=0.05, family=family)
    model.set_params(**options).fit(container(X), target, **given)
    fit = nb.fit_path(container(X), target, family=family, lambdas=[0.05], **options, **given).at(lam=0.05)
    assert model.coef_.ravel() == pytest.approx(fit.coef)
    assert model.intercept_ == pytest.approx(fit.intercept)
    assert (model.lam_, model.status_, model.n_iter_) == (0.05, "converged", fit.n_iters)
    assert model.dual_gap_ <= 1e-6
    assert model.path_.lambdas.tolist() == [0.05]
    assert model.n_features_in_ == 5
    new = container(X)[:7] if container is not pd.DataFrame else container(X).iloc[:7]
    if family == "binomial":
        assert model.coef_.shape == (1, 5)
        assert model.decision_function(new, OFFSET[:7]) == pytest.approx(fit.predict(X[:7], offset=OFFSET[:7]))
        assert model.predict_proba(new, OFFSET[:7])[:, 1] == pytest.approx(
            fit.predict(X[:7], kind="response", offset=OFFSET[:7])
        )
        assert np.exp(model.predict_log_proba(new, OFFSET[:7])).sum(axis=1) == pytest.approx(1)
        assert (model.predict(new, OFFSET[:7]) == fit.predict(X[:7], kind="class", offset=OFFSET[:7])).all()
    else:
        assert model.predict(new, OFFSET[:7]) == pytest.approx(fit.predict(X[:7], kind="response", offset=OFFSET[:7]))


def test_coefficients_are_in_the_units_of_the_data():
    small, large = GLMRegressor(lam=0.1).fit(X, Y), GLMRegressor(lam=0.1).fit(X * 1000, Y)
    assert large.coef_ * 1000 == pytest.approx(small.coef_, rel=1e-4)


@pytest.mark.parametrize(
    ("family", "power"),
    [("poisson", 1.0), ("gamma", 2.0), ("tweedie(1.5)", 1.5), ("negative_binomial(2)", None), ("huber", None)],
)
def test_scores_are_shares_of_the_deviance(family, power):
    target = COUNTS + 0.5 if family == "gamma" else COUNTS
    model = GLMRegressor(lam=0.05, family=family).fit(X, target)
    mean = model.predict(X)
    assert (mean > 0).all() or family == "huber"
    if power is not None:
        for weights in (None, WEIGHTS):
            expected = d2_tweedie_score(target, mean, sample_weight=weights, power=power)
            assert model.score(X, target, sample_weight=weights) == pytest.approx(expected, rel=1e-9)
    assert 0.0 < model.score(X, target) < 1.0
    if family != "huber":
        with pytest.raises(ValueError, match="values"):
            model.score(X, target - 100)


def test_poisson_agrees_with_scikit_learn():
    ours = GLMRegressor(lam=0.5, l1_ratio=0.0, family="poisson", standardize=False).fit(X, COUNTS)
    theirs = PoissonRegressor(alpha=0.5, tol=1e-8, max_iter=1000).fit(X, COUNTS)
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-3)
    assert ours.score(X, COUNTS) == pytest.approx(theirs.score(X, COUNTS), rel=1e-5)
    assert ours.score(X, COUNTS, sample_weight=WEIGHTS) == pytest.approx(
        d2_tweedie_score(COUNTS, theirs.predict(X), sample_weight=WEIGHTS, power=1), rel=1e-4
    )


def test_an_offset_is_needed_again_to_predict():
    model = GLMRegressor().fit(X, Y + OFFSET, offset=OFFSET)
    with pytest.raises(ValueError, match="offset"):
        model.predict(X)
    assert model.score(X, Y + OFFSET, offset=OFFSET) > 0.8


# -- frames


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("cls", CLASSES)
def test_frames_with_labels(cls, frame):
    table = frame(TABLE)
    model = cls().fit(table, target_of(cls))
    names = ["size", "colour = blue", "colour = green", "colour = red", "old = False", "old = True"]
    assert model.feature_names_in_.tolist() == ["size", "colour", "old"]
    assert model.n_features_in_ == 3
    assert model.feature_names_out_.tolist() == names
    assert model.coef_.shape[-1] == len(names)
    assert model.predict(table).shape == (120,)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(table) == model.predict(table)).all()


@pytest.mark.parametrize("frame", FRAMES)
def test_columns_of_new_frames_must_be_the_same(frame):
    model = GLMRegressor().fit(frame(TABLE), Y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame({"colour": COLOURS, "size": X[:, 0], "old": X[:, 1] > 1}))
    rose = frame({**TABLE, "colour": np.full(120, "rose")})
    with pytest.warns(nb.NormballWarning, match=r'unseen in training: "rose" \(120 rows\)\. Taken for none'):
        taken = model.predict(rose)
    assert model.set_params(unknown="baseline").predict(rose) == pytest.approx(taken)
    with pytest.raises(nb.DataError, match=r'E09 .*"rose"'):
        model.set_params(unknown="error").predict(rose)


def test_arrays_and_frames_may_follow_each_other():
    frame = pl.DataFrame(X, schema=list("abcde"))
    of_frame, of_array = GLMRegressor().fit(frame, Y), GLMRegressor().fit(X, Y)
    assert of_frame.coef_ == pytest.approx(of_array.coef_)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert of_frame.predict(X) == pytest.approx(of_array.predict(X))
    with pytest.warns(UserWarning, match="X has feature names"):
        assert of_array.predict(frame) == pytest.approx(of_frame.predict(frame))


def test_missing_values_and_codes_follow_the_options():
    holes = np.where(np.random.default_rng(1).uniform(size=X.shape) < 0.1, np.nan, X)
    frame = pd.DataFrame({"code": np.arange(120) % 3, "hole": holes[:, 0]})
    with pytest.raises(ValueError, match="Input X contains NaN"):
        GLMRegressor().fit(holes, Y)
    with pytest.raises(nb.DataError, match="hole"):
        GLMRegressor().fit(frame, Y)
    assert GLMRegressor(missing="impute").fit(holes, Y).predict(holes).shape == (120,)
    model = GLMRegressor(missing="impute", categorical=["code"]).fit(frame, Y)
    assert {"code = 0", "code = 1", "code = 2"} < set(model.feature_names_out_)
    assert GLMRegressor(missing="drop").fit(frame, Y).path_.n_rows == 120 - np.isnan(frame["hole"]).sum()


# -- cross-validation


@pytest.mark.parametrize("select", ["1se", "best"])
@pytest.mark.parametrize("cls", [GLMRegressorCV, GLMClassifierCV])
def test_cross_validated_fit_is_cv_path(cls, select):
    options = {"l1_ratio": 0.8, "cv": 4, "random_state": 3, "n_lambdas": 30}
    family = "gaussian" if cls is GLMRegressorCV else "binomial"
    model = cls(select=select, **options).fit(X, target_of(cls), sample_weight=WEIGHTS)
    cv = nb.cv_path(X, target_of(cls), family=family, sample_weight=WEIGHTS, **options)
    assert model.lambdas_ == pytest.approx(cv.lambdas)
    assert model.cv_mean_ == pytest.approx(cv.cv_mean)
    assert model.cv_se_ == pytest.approx(cv.cv_se)
    assert (model.lambda_best_, model.lambda_1se_) == pytest.approx((cv.lambda_best, cv.lambda_1se))
    assert model.lambda_1se_ >= model.lambda_best_
    assert model.lam_ == (model.lambda_1se_ if select == "1se" else model.lambda_best_)
    assert model.coef_path_.shape == (30, 5)
    assert model.coef_.ravel() == pytest.approx(model.at(select).coef)
    assert model.at(lam=model.lambdas_[3]).lam == model.lambdas_[3]
    assert model.findings_ == list(cv.path.findings)
    predict = model.predict if family == "gaussian" else model.decision_function
    assert predict(X) == pytest.approx(cv.predict(X, lam=select))


@pytest.mark.parametrize(
    "cv", [3, KFold(3), [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]]
)
def test_folds_of_every_kind(cv):
    model = GLMClassifierCV(cv=cv, scoring="auc").fit(X, LABELS)
    assert model.cv_path_.n_folds == (3 if cv is not None and not isinstance(cv, list) else 2)


def test_default_number_of_folds_suits_small_data():
    assert GLMRegressorCV().fit(X, Y).cv_path_.n_folds == 10
    assert GLMRegressorCV().fit(X[:6], Y[:6]).cv_path_.n_folds == 6
    rare = np.where(np.arange(120) < 4, "rare", "common")
    assert GLMClassifierCV().fit(X, rare).cv_path_.n_folds == 4
    assert GLMRegressorCV().fit(X, Y, groups=np.arange(120) % 3).cv_path_.n_folds == 3


@pytest.mark.parametrize("cv", [3, GroupKFold(3)])
def test_groups_stay_together(cv):
    groups = np.arange(120) // 10
    folds = GLMRegressorCV(cv=cv).fit(X, Y, groups=groups).cv_path_.fold_ids
    assert all(len(set(folds[groups == group])) == 1 for group in range(12))


def test_groups_of_rows_are_called_groups_in_errors():
    with pytest.raises(ValueError, match=r"^groups has shape \(119,\), but there are 120 rows"):
        GLMRegressorCV(cv=3).fit(X, Y, groups=np.arange(119))
    frame = pd.DataFrame(X, columns=list("abcde"))
    with pytest.raises(nb.DataError, match=r'E02 Column \(of groups\) "clinic" not found'):
        GLMRegressorCV(cv=3).fit(frame, Y, groups="clinic")


def test_at_needs_a_fit():
    with pytest.raises(sklearn.exceptions.NotFittedError):
        GLMRegressorCV().at("best")


# -- scikit-learn around them


def test_metadata_are_routed(metadata_routing):
    model = GLMRegressor(family="poisson").set_fit_request(sample_weight=True, offset=True)
    model.set_score_request(sample_weight=False, offset=True)
    search = GridSearchCV(model, {"lam": [0.01, 0.1]}, cv=3).fit(X, COUNTS, sample_weight=WEIGHTS, offset=OFFSET)
    direct = clone(search.best_estimator_).fit(X, COUNTS, sample_weight=WEIGHTS, offset=OFFSET)
    assert search.best_estimator_.coef_ == pytest.approx(direct.coef_)
    grouped = GLMClassifierCV(cv=3).set_fit_request(groups="person")
    scores = cross_validate(grouped, X, LABELS, params={"person": np.arange(120) // 4}, cv=3)["test_score"]
    assert (scores > 0.5).all()


def test_parallel_grid_search_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), GLMClassifier()).set_output(transform="polars")
    grid = {"glmclassifier__lam": [0.3, 0.03], "glmclassifier__l1_ratio": [0.0, 1.0]}
    search = GridSearchCV(pipeline, grid, n_jobs=2).fit(pd.DataFrame(X, columns=list("abcde")), LABELS)
    assert search.best_score_ > 0.6
    assert search.best_estimator_[-1].feature_names_in_.tolist() == list("abcde")


def test_follows_a_transformer_with_sparse_output():
    splines = SplineTransformer(sparse_output=True)
    assert make_pipeline(splines, GLMRegressorCV()).fit(X, Y).score(X, Y) > 0.8
