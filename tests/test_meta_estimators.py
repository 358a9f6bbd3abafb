"""The estimators in scikit-learn's meta-estimators, on tables with text; options about levels, classes and mixes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

import normball as nb
from normball.messages import DataError

RNG = np.random.default_rng(0)
N = 240
COLUMNS = {
    "shape": RNG.choice(["a", "b", "c"], N),
    "x": RNG.normal(size=N),
    "noise": RNG.normal(size=N),
    "side": RNG.choice(["left", "right"], N),
}
SCORE = COLUMNS["x"] + 2 * (COLUMNS["shape"] == "a") - (COLUMNS["side"] == "left") + RNG.logistic(size=N)
Y = np.where(SCORE > 0, "yes", "no")
MODEL = nb.GLMClassifier(lam=0.03)
TABLES = {
    "pandas": pd.DataFrame(COLUMNS),
    "polars": pl.DataFrame(COLUMNS),
    "objects": pd.DataFrame(COLUMNS).to_numpy(),
}


@pytest.fixture(params=list(TABLES))
def table(request: pytest.FixtureRequest) -> Any:
    """The same table in three kinds."""
    return TABLES[request.param]


USES: dict[str, Callable[[Any], float]] = {
    "clone": lambda X: clone(MODEL).fit(X, Y).score(X, Y),
    "pipeline": lambda X: make_pipeline("passthrough", MODEL).fit(X, Y).score(X, Y),
    "search": lambda X: GridSearchCV(MODEL, {"l1_ratio": [0.5, 1.0]}, cv=3, error_score="raise").fit(X, Y).score(X, Y),
    "cross-validation": lambda X: cross_val_score(MODEL, X, Y, cv=3, error_score="raise").mean(),
    "nested": lambda X: cross_val_score(nb.GLMClassifierCV(cv=3), X, Y, cv=3, error_score="raise").mean(),
    "calibration": lambda X: CalibratedClassifierCV(MODEL, cv=3).fit(X, Y).score(X, Y),
    "threshold": lambda X: TunedThresholdClassifierCV(MODEL, cv=3).fit(X, Y).score(X, Y),
    "bagging": lambda X: BaggingClassifier(MODEL, n_estimators=3, random_state=0).fit(X, Y).score(X, Y),
    "voting": lambda X: VotingClassifier([("a", MODEL), ("b", nb.GLMClassifier())]).fit(X, Y).score(X, Y),
    "stacking": lambda X: StackingClassifier([("a", MODEL)], nb.GLMClassifier(), cv=3).fit(X, Y).score(X, Y),
    "one against the rest": lambda X: OneVsRestClassifier(MODEL).fit(X, Y).score(X, Y),
    "encoded first": lambda X: make_pipeline(encoder(), MODEL).fit(X, Y).score(X, Y),
}


def encoder() -> Any:
    """Indicators of the labels beside the numbers."""
    return make_column_transformer((OneHotEncoder(sparse_output=False), [0, 3]), remainder="passthrough")


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_table_with_text_goes_through(use: Callable[[Any], float], table: Any) -> None:
    assert use(table) > 0.65  # always the common class: 0.57


def test_a_transformer_of_numbers_leaves_text_to_us() -> None:
    scaled = make_column_transformer((StandardScaler(), ["x", "noise"]), remainder="passthrough")
    X = TABLES["pandas"]
    for output in ("default", "pandas"):
        assert make_pipeline(scaled.set_output(transform=output), MODEL).fit(X, Y).score(X, Y) > 0.65


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")  # it makes an array of a polars frame
def test_permutation_importance_is_by_column(table: Any) -> None:
    importance = permutation_importance(MODEL.fit(table, Y), table, Y, n_repeats=3, random_state=0).importances_mean
    assert importance.shape == (4,)
    assert importance[1] > importance[2]


def test_importances_are_the_columns_shares_of_the_norm(table: Any) -> None:
    model = clone(MODEL).fit(table, Y)
    fit = model.path_.at(lam=0.03)
    per_sd = np.abs(fit.coef_per_sd)
    assert model.feature_names_out_.tolist()[3] in ("x", "x1")
    wanted = [per_sd[:3].sum(), per_sd[3], per_sd[4], per_sd[5:].sum()]
    np.testing.assert_allclose(model.feature_importances_, wanted)
    assert model.feature_importances_.sum() == pytest.approx(fit.l1_norm)
    assert model.n_features_in_ == 4


def test_columns_that_are_no_features_have_no_importance() -> None:
    X = TABLES["pandas"].assign(w=RNG.uniform(1, 2, N))[["w", *COLUMNS]]
    model = clone(MODEL).fit(X, Y, sample_weight="w")
    assert model.feature_importances_.shape == (5,)
    assert model.feature_importances_[0] == 0.0
    without = clone(MODEL).fit(X.drop(columns="w"), Y, sample_weight=X["w"])
    np.testing.assert_allclose(model.feature_importances_[1:], without.feature_importances_)


def test_select_from_model_by_column(table: Any) -> None:
    sparse = nb.GLMClassifier(lam=0.08)
    selector = SelectFromModel(sparse, importance_getter="feature_importances_", threshold=1e-9).fit(table, Y)
    assert selector.get_support().tolist() == (sparse.fit(table, Y).feature_importances_ > 0).tolist()
    assert not selector.get_support().all()
    assert selector.transform(table).shape == (N, selector.get_support().sum())
    assert make_pipeline(selector, MODEL).fit(table, Y).score(table, Y) > 0.65


@pytest.mark.parametrize("selector", [RFE(MODEL), RFECV(MODEL, cv=3), SequentialFeatureSelector(MODEL, cv=3)], ids=str)
def test_selectors_of_numbers_follow_the_encoder(selector: Any, table: Any) -> None:
    chain = make_pipeline(encoder(), selector, MODEL).fit(table, Y)
    assert chain.score(table, Y) > 0.6


def test_arrays_of_objects_give_the_model_of_the_frame() -> None:
    frame, objects = (clone(MODEL).fit(TABLES[kind], Y) for kind in ("pandas", "objects"))
    np.testing.assert_array_equal(frame.coef_, objects.coef_)
    assert objects.feature_names_out_.tolist()[:2] == ["x0 = a", "x0 = b"]
    np.testing.assert_array_equal(objects.predict(TABLES["objects"]), frame.predict(TABLES["pandas"]))
    with pytest.raises(ValueError, match="expecting 4 features"):
        objects.predict(TABLES["objects"][:, :3])
    numbers = np.array([[1, 2.5], [2, 1.5], [3, 0.5], [4, 1.0]], dtype=object)  # and such of numbers are numbers
    assert nb.GLMRegressor().fit(numbers, np.arange(4.0)).feature_names_out_.tolist() == ["x0", "x1"]


def rare_level() -> tuple[pd.DataFrame, Any]:
    """A table with a level in one row."""
    frame = TABLES["pandas"].copy()
    frame.loc[0, "shape"] = "rare"
    return frame, Y


@pytest.mark.parametrize("cls", [nb.GLMClassifier, nb.GLMClassifierCV])
def test_unknown_levels_are_an_error_or_none_of_the_levels(cls: Any) -> None:
    X, y = rare_level()
    model = cls(unknown="baseline").fit(X[1:], y[1:])
    strict = cls(unknown="error").fit(X[1:], y[1:])
    with pytest.raises(DataError, match=r'(?s)unseen in training: "rare" \(1 row\).*unknown="baseline"'):
        strict.predict(X)
    np.testing.assert_array_equal(model.predict(X)[1:], strict.predict(X[1:]))
    assert model.decision_function(X)[0] == pytest.approx(
        model.path_.at(lam=model.lam_).predict(X, unknown="baseline")[0]
    )
    with pytest.raises(ValueError, match="unknown is 'other', but must be one of"):
        cls(unknown="other").fit(X, y)


def test_outer_cross_validation_with_a_rare_level() -> None:
    X, y = rare_level()
    for model in (nb.GLMClassifierCV(cv=3, unknown="baseline"), nb.GLMClassifier(unknown="baseline")):
        assert cross_val_score(model, X, y, cv=4, error_score="raise").mean() > 0.65
    target = SCORE + 0.0
    model = nb.GLMRegressorCV(cv=3, unknown="baseline")
    assert cross_val_score(model, X, target, cv=4, error_score="raise").mean() > 0.2


@pytest.mark.parametrize("class_weight", ["balanced", {"yes": 3.0, "no": 0.5}, {"yes": 2.0}])
@pytest.mark.parametrize("cls", [nb.GLMClassifier, nb.GLMClassifierCV])
def test_class_weights_are_weights_of_rows(cls: Any, class_weight: Any) -> None:
    X = TABLES["pandas"]
    labels = np.where(SCORE > 1.5, "yes", "no")
    given = RNG.uniform(1, 2, N)
    weights = compute_sample_weight(class_weight, labels)
    for model, sample_weight, same in (
        (cls(class_weight=class_weight), None, weights),
        (cls(class_weight={"yes": 3.0, "no": 0.5}), given, given * np.where(labels == "yes", 3.0, 0.5)),
    ):
        model.fit(X, labels, sample_weight=sample_weight)
        plain = cls().fit(X, labels, sample_weight=same)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-10)
        assert model.lam_ == pytest.approx(plain.lam_)
        assert not np.allclose(model.coef_, cls().fit(X, labels, sample_weight=sample_weight).coef_)


def test_balanced_classes_have_the_same_total_also_with_weights() -> None:
    labels = np.where(SCORE > 2, "yes", "no")
    weights = RNG.uniform(0.5, 5, N)
    model = nb.GLMClassifier(lam=1.0, class_weight="balanced").fit(TABLES["pandas"], labels, sample_weight=weights)
    assert model.predict_proba(TABLES["pandas"])[:, 1] == pytest.approx(0.5)  # no feature is kept


def test_wrong_class_weights_are_said() -> None:
    X = TABLES["pandas"]
    with pytest.raises(TypeError, match="sample_weight must be an array"):
        nb.GLMClassifier(class_weight="balanced").fit(X, Y, sample_weight="x")
    with pytest.raises(ValueError, match=r"classes, \['no'\], are not in class_weight"):
        nb.GLMClassifier(class_weight={"yes": 1.0, "maybe": 2.0}).fit(X, Y)
    with pytest.raises(ValueError, match="class_weight"):
        nb.GLMClassifier(class_weight="even").fit(X, Y)


@pytest.mark.parametrize("ratios", [[0.1, 0.5, 1.0], (0.0, 1.0), np.array([0.2, 0.9])], ids=str)
def test_several_mixes_are_compared_and_the_best_is_taken(ratios: Any) -> None:
    X = TABLES["pandas"]
    for model, y, family in (
        (nb.GLMRegressorCV(l1_ratio=ratios), SCORE, "gaussian"),
        (nb.GLMClassifierCV(l1_ratio=ratios), Y, "binomial"),
    ):
        model.fit(X, y)
        best = nb.compare(X, y, ratios, family=family).best
        assert model.l1_ratio_ == best.path.l1_ratio in ratios
        np.testing.assert_array_equal(model.coef_.ravel(), best.at("1se").coef)
        assert [cv.path.l1_ratio for cv in model.comparison_] == list(ratios)
        assert model.cv_path_ is model.comparison_.best


def test_one_mix_is_one_path_and_wrong_mixes_are_said() -> None:
    X, y = TABLES["pandas"], SCORE
    model = nb.GLMRegressorCV(l1_ratio=0.5).fit(X, y)
    np.testing.assert_array_equal(model.cv_path_.cv_mean, nb.cv_path(X, y, l1_ratio=0.5).cv_mean)
    assert (model.l1_ratio_, len(model.comparison_)) == (0.5, 1)
    for wrong, message in (([], "l1_ratios is empty"), ([0.5, 2.0], "at most 1"), ("both", "must be a number")):
        with pytest.raises((TypeError, ValueError), match=message):
            nb.GLMRegressorCV(l1_ratio=wrong).fit(X, y)
    with pytest.raises(TypeError, match="must be a number"):
        nb.GLMRegressor(l1_ratio=[0.5, 1.0]).fit(X, y)  # without cross-validation there is nothing to choose by
