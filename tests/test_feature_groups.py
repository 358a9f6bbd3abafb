"""Groups of features: how they are asked for, what is said where that cannot be, and what results keep of them.

Whether the numbers are those of the objective is for the oracle's tests.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import normball as nb
from grouped_data import BY_NAME, FULL, RNG, TABLE, X, Y, whole

# -- how they are asked for


def labels(name: str) -> str | None:
    return next((group for group, members in BY_NAME.items() if name in members), None)


WAYS = {
    "names": BY_NAME,
    "positions": {"person": [0, 1], "body": np.array([2, 3]), "blood": range(4, 10)},
    "labels": [labels(name) for name in X.columns],
    "array of labels": np.array([labels(name) for name in X.columns]),
    "series by name": pd.Series({name: labels(name) for name in reversed(X.columns)}),
    "series by position": pd.Series([labels(name) for name in X.columns]),
}


def members(path: nb.Path) -> dict[str, list[str]]:
    """The names of the features in each group."""
    assert path.groups is not None
    of_group = zip(path.groups.by_feature(), path.feature_names, strict=True)
    found: dict[str, list[str]] = {name: [] for name in path.groups.names}
    for group, feature in of_group:
        if group is not None:
            found[group].append(feature)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_every_way_names_the_same_groups(way: str) -> None:
    wanted = nb.fit_path(X, Y, groups=BY_NAME, n_lambdas=12)
    path = nb.fit_path(X, Y, groups=WAYS[way], n_lambdas=12)
    assert path.groups is not None
    assert members(path) == BY_NAME
    np.testing.assert_allclose(path.coefs, wanted.coefs, rtol=1e-3, atol=1e-3)
    assert whole(path).all()
    assert 0 < path.n_nonzero[1] < 10


def test_labels_that_are_missing_are_of_no_group() -> None:
    given = [1.0, 1.0, np.nan, np.nan, 2.0, 2.0, 2.0, np.nan, np.nan, np.nan]
    path = nb.fit_path(X.to_numpy(), Y, groups=given, n_lambdas=5)
    assert path.groups is not None
    assert path.groups.names == ("1", "2")
    assert path.groups.of_feature.tolist() == [0, 0, -1, -1, 1, 1, 1, -1, -1, -1]
    assert path.groups.by_feature()[1:3] == ["1", None]


def test_a_column_of_labels_means_all_its_indicators() -> None:
    path = nb.fit_path(FULL, "y", groups={"place": "site", "rest": ["a", "kind = x"]}, n_lambdas=30)
    assert path.groups is not None
    assert members(path) == {
        "place": [f"site = {one}" for one in sorted({*FULL["site"]})],
        "rest": ["a", "kind = x"],
    }
    assert whole(path).all()


def test_columns_with_several_features_are_groups() -> None:
    path = nb.fit_path(TABLE, "y", groups="columns", missing="impute", n_lambdas=30)
    assert path.groups is not None
    assert path.groups.names == ("gaps", "site", "kind")
    names = np.array(path.feature_names)
    assert members(path)["gaps"] == ["gaps", "gaps is missing"]
    assert names[path.groups.of_feature < 0].tolist() == ["a", "b"]
    assert whole(path).all()
    assert path.n_groups_nonzero is not None
    assert path.n_groups_nonzero[0] == 0
    assert path.n_groups_nonzero[-1] == 3
    assert (np.diff(path.n_groups_nonzero[:15]) >= 0).all()


def test_no_column_has_several_features() -> None:
    path = nb.fit_path(X, Y, groups="columns", n_lambdas=5)
    assert path.groups is None
    assert path.n_groups_nonzero is None
    np.testing.assert_array_equal(path.coefs, nb.fit_path(X, Y, n_lambdas=5).coefs)


def test_what_is_left_out_is_of_no_group() -> None:
    options: dict[str, Any] = {"n_lambdas": 5, "group_weights": {"person": 2.0}}
    path = nb.fit_path(X, Y, groups=BY_NAME, drop=["age", "sex", "s1"], **options)
    assert path.groups is not None
    assert path.groups.names == ("body", "blood")
    assert np.isnan(path.groups.weights).all()
    assert np.bincount(path.groups.of_feature).tolist() == [2, 5]


# -- what they do


def test_a_ratio_of_zero_is_the_elastic_net() -> None:
    options: dict[str, Any] = {"l1_ratio": 0.7, "n_lambdas": 10, "tol": 1e-12}
    plain = nb.fit_path(X, Y, **options)
    path = nb.fit_path(X, Y, groups=BY_NAME, group_ratio=0, lambdas=plain.lambdas, **options)
    np.testing.assert_allclose(path.coefs, plain.coefs, rtol=1e-5, atol=1e-5)
    assert not path.has_group_penalty
    assert "groups" not in path.summary().splitlines()[0]


def test_between_the_ends_groups_are_kept_in_part() -> None:
    path = nb.fit_path(X, Y, groups=BY_NAME, group_ratio=0.5, n_lambdas=40)
    assert path.groups is not None
    assert not path.groups.orthonormalize
    assert not whole(path).all()
    assert set(path.statuses) == {"converged"}


def test_orthonormal_groups_do_not_depend_on_how_they_are_written() -> None:
    """Other units, and sums and differences of the columns of a group, give the same predictions."""
    other = X.assign(bmi=X.bmi + 3 * X.bp, bp=50 * (X.bmi - X.bp))
    options: dict[str, Any] = {"groups": BY_NAME, "tol": 1e-10, "n_lambdas": 8}
    path = nb.fit_path(X, Y, **options)
    again = nb.fit_path(other, Y, **options)
    at = {"lam": path.lambdas.tolist()}
    np.testing.assert_allclose(again.predict(other, **at), path.predict(X, **at), rtol=1e-4)
    single = nb.fit_path(X, Y, orthonormalize=False, **options), nb.fit_path(other, Y, orthonormalize=False, **options)
    assert np.abs(single[0].predict(X, lam=1.0) - single[1].predict(other, lam=1.0)).max() > 0.1


@pytest.mark.parametrize("ridge", [0.0, 0.4])
def test_excluded_free_and_weighted_groups(ridge: float) -> None:
    factors = {"s1": np.inf, "age": 0.0, "sex": 0.0}
    options: dict[str, Any] = {"groups": BY_NAME, "l1_ratio": 1 - ridge, "n_lambdas": 15}
    path = nb.fit_path(X, Y, penalty_factors=factors, group_weights={"blood": 50.0}, **options)
    assert path.groups is not None
    assert path.groups.weights[2] == 50.0
    assert np.isnan(path.groups.weights[:2]).all()
    assert (path.coefs[:, [0, 1]] != 0).all()
    assert (path.coefs[:, X.columns.get_loc("s1")] == 0).all()
    lasting = (path.coefs[:, 4:] != 0).any(axis=1)
    assert not lasting[4]  # at its weight it comes late
    assert nb.fit_path(X, Y, penalty_factors=factors, **options).coefs[4, 5:].any()


def test_ridge_on_groups_is_another_than_ridge() -> None:
    at = {"lambdas": [5.0], "l1_ratio": 0.0}
    one, other = nb.fit_path(X, Y, groups=BY_NAME, **at), nb.fit_path(X, Y, **at)
    assert np.abs(one.coefs - other.coefs).max() > 1.0
    assert one.n_groups_nonzero is not None
    assert one.n_groups_nonzero.tolist() == [3]
    assert "groups kept" not in one.at(lam=5.0).summary()  # ridge leaves none out
    assert one.summary().startswith("gaussian, L2 on groups")


# -- every function that fits


def test_folds_and_mixes_have_the_same_groups() -> None:
    options: dict[str, Any] = {"groups": "columns", "missing": "impute", "cv": 4, "n_lambdas": 20}
    cv = nb.cv_path(TABLE, "y", **options)
    assert cv.path.n_groups_nonzero is not None
    assert cv.lambda_1se >= cv.lambda_best
    assert set(cv.path.statuses) == {"converged"}
    assert float(np.max(cv.fold_dual_gaps)) <= 1e-6
    kept = cv.selection_counts.toarray()[:, cv.path.groups.of_feature == 1]  # type: ignore[union-attr]
    assert (kept == kept[:, :1]).all()  # a fold keeps all levels or none
    mixes = nb.compare(TABLE, "y", [0.5, 1.0], **options)
    np.testing.assert_array_equal(mixes[1].path.coefs, cv.path.coefs)
    assert "groups kept" in cv.summary()


def test_a_batch_is_its_problems() -> None:
    weights = RNG.integers(0, 3, size=(len(Y), 3)).astype(float)
    factors = np.where(np.arange(10)[:, None] == [[2, 5, 7]], np.inf, 1.0)
    options: dict[str, Any] = {"groups": BY_NAME, "lambdas": [10.0, 2.0], "tol": 1e-9}
    paths = nb.fit_paths(X, Y, sample_weight=weights, penalty_factors=factors, **options)
    for k, path in enumerate(paths):
        alone = nb.fit_path(X, Y, sample_weight=weights[:, k], penalty_factors=factors[:, k], **options)
        np.testing.assert_allclose(path.coefs, alone.coefs, rtol=1e-4, atol=1e-4)
        assert path.groups is not None


def test_estimators() -> None:
    path = nb.fit_path(X, Y, groups=BY_NAME, lambdas=[3.0])
    model = nb.GLMRegressor(lam=3.0, groups=BY_NAME)
    np.testing.assert_array_equal(clone(model).fit(X, Y).coef_, path.coefs[0])
    by_label = nb.GLMClassifierCV(groups="columns", group_ratio=0.5, cv=3, n_lambdas=10)
    by_label.fit(FULL.drop("y"), FULL["y"] > 0)
    assert by_label.path_.groups.names == ("site", "kind")
    assert by_label.path_.groups.ratio == 0.5
    rows = np.arange(len(Y)) // 50
    cv = nb.GLMRegressorCV(groups=BY_NAME, cv=3, n_lambdas=10).fit(X, Y, groups=rows)
    assert cv.path_.groups.names == tuple(BY_NAME)  # of features
    assert all(len({*cv.cv_path_.fold_ids[rows == row]}) == 1 for row in range(9))  # of rows
    search = GridSearchCV(
        make_pipeline(StandardScaler(), nb.GLMRegressor(groups=WAYS["positions"])),
        {"glmregressor__group_ratio": [0.5, 1]},
    )
    assert search.fit(X, Y).best_score_ > 0.4


# -- what cannot be

NEAR = 'names features that do not exist: "bmj".* Did you mean "bmi"\\?'
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"groups": {"body": ["bmj", "bp"]}}, f'E16 Group "body" of groups {NEAR}'),
    ({"groups": {"body": [2, 10]}}, 'Group "body" of groups names .*: "10". Positions go from 0 to 9'),
    ({"groups": {"body": [-1]}}, 'Group "body" of groups names .*: "-1"'),
    ({"groups": {"body": []}}, 'E16 Group "body" of groups is empty'),
    ({"groups": {"body": ["bmi", "bmi"]}}, 'Group "body" of groups names features more than once: "bmi"'),
    ({"groups": {"body": ["bmi", 2]}}, 'Group "body" of groups names features more than once: "bmi"'),
    (
        {"groups": {"p": ["age", "bp"], "q": ["bp", "s1"]}},
        'Feature "bp" is in two groups, "p" and "q"; groups must not',
    ),
    ({"groups": {1: ["age"], "1": ["sex"]}}, 'groups holds names twice: "1"'),
    ({"groups": "rows"}, 'groups is "rows", but must be .*"columns".*fold_groups of cv_path'),
    (
        {"groups": np.zeros(442)},
        r"groups has 442 labels; one for each of the 10 features is wanted.*fold_groups of cv_p",
    ),
    ({"groups": np.zeros((10, 2))}, r"groups has shape \(10, 2\), but must be"),
    ({"groups": 3}, "groups is 3, but must be"),
    ({"groups": pd.Series(1, index=[*X.columns[:-1], "s7"])}, "The index of groups"),
    ({"group_ratio": 0.5}, "group_ratio says how groups .* give groups"),
    ({"group_weights": {"body": 1}}, "group_weights says how groups .* give groups"),
    ({"orthonormalize": False}, "orthonormalize says how groups .* give groups"),
    ({"groups": BY_NAME, "group_ratio": 1.2}, "group_ratio is 1.2, but must be at least 0 and at most 1"),
    ({"groups": BY_NAME, "orthonormalize": True, "group_ratio": 0.5}, "orthonormalize is True, but group_ratio is 0.5"),
    ({"groups": BY_NAME, "group_weights": {"bodi": 2}}, 'group_weights names groups.*: "bodi".* Did you mean "body"'),
    ({"groups": BY_NAME, "group_weights": {"body": -2}}, 'group_weights of "body" is -2, but must be at least 0'),
    ({"groups": BY_NAME, "penalty_factors": {"s2": 2}}, 'must agree within a group; not so in "blood": s1 1, s2 2'),
    ({"groups": BY_NAME, "lower_bounds": 0}, "lower_bounds and groups .*bounds and group penalties do not go together"),
    ({"groups": BY_NAME, "upper_bounds": {"s1": 1}}, "upper_bounds and groups are given"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_what_cannot_be_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nb.fit_path(X, Y, **options)
    with pytest.raises(ValueError, match=message):
        nb.cv_path(X, Y, cv=3, **options)
    with pytest.raises(ValueError, match=message):
        nb.GLMRegressor(**options).fit(X, Y)


def test_words_that_are_wrong() -> None:
    with pytest.raises(TypeError, match=r"group_weights is .*, but must be \{name: weight\}"):
        nb.fit_path(X, Y, groups=BY_NAME, group_weights=[1, 2, 3])  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"fit_ball\(\) has no argument 'groups': .*knows no groups; fit_path takes them"
    ):
        nb.fit_ball(X, Y, radius=1.0, groups=BY_NAME)
    with pytest.raises(nb.DataError, match=r"Rows that stay together .* are groups of fit\."):
        nb.GLMRegressorCV(groups=np.zeros(442)).fit(X, Y)


def test_positions_where_columns_give_several_features() -> None:
    with pytest.raises(nb.DataError, match=r"The 4 columns give 9 features: name them"):
        nb.fit_path(FULL, "y", groups={"p": [0, 1]})
    with pytest.raises(nb.DataError, match='names features more than once: "site = north"'):
        nb.fit_path(FULL, "y", groups={"p": ["site", "site = north"]})
