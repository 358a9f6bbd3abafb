"""What carries names goes by name, a text is a list of one, and only truth values are true or false."""

import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import cross_val_score

import normball as nb
from normball.inputs.per_feature import per_feature
from normball.inputs.preparation import Preparation
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm

N = 80
RNG = np.random.default_rng(3)
X = pd.DataFrame(
    {
        "age": RNG.normal(size=N),
        "dose": RNG.normal(size=N),
        "site": RNG.choice(["north", "south"], N),
    }
)
Y = pd.Series(X.dose + 0.5 * (X.site == "south") + RNG.normal(size=N), name="y")
MIXED = RNG.permutation(N)
OPTIONS = {"lambdas": [0.05]}


def coef(X, y, **options):
    return nb.fit_path(X, y, **OPTIONS, **options).at(lam=0.05).coef


# -- a number for each feature

PREPARATION = Preparation(
    (NumberTerm("age"), LevelTerm("colour", levels=("blue", "red")), NumberTerm("size", fill=0.0, indicator=True))
)


def test_one_number_a_feature() -> None:
    def factors(value, **given):
        return per_feature(value, "penalty_factors", PREPARATION, 1.0, **given).tolist()

    assert PREPARATION.feature_names == ("age", "colour = blue", "colour = red", "size", "size is missing")
    assert factors({"colour": 0, "age": np.inf}) == [np.inf, 0, 0, 1, 1]
    assert factors({"colour": 0, "colour = red": 2, "size": 3, "size is missing": 4}) == [1, 0, 2, 3, 4]
    assert factors(None) == [1] * 5
    assert factors(2) == [2] * 5
    assert factors([1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5]
    assert factors(pl.Series([1, 2, 3, 4, 5])) == [1, 2, 3, 4, 5]
    assert factors(pd.Series([1, 2, 3, 4, 5])) == [1, 2, 3, 4, 5]
    assert factors(pd.Series({"size": 3, "age": 2})) == [2, 1, 1, 3, 1]
    assert factors({"age": 0, "id": 7}, left_out=["id"]) == [0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.Series({"Age": 1.0}), 'names features that do not exist: "Age". Did you mean "age"'),
        (pd.Series([1.0, 2.0], index=["age", "age"]), 'names features more than once: "age"'),
        (pd.Series([1.0] * 5, index=[3, 4, 5, 6, 7]), "holds neither names of features nor 0 to 4: 3, 4, 5, 6, 7"),
        (pd.Series([1.0] * 4), "has shape|neither names"),
        (pd.Series({"age": np.nan}), "must be 0 or more"),
    ],
)
def test_names_that_are_none(value, text) -> None:
    with pytest.raises(nb.DataError, match=text):
        per_feature(value, "penalty_factors", PREPARATION, 1.0)


@pytest.mark.parametrize("name", ["penalty_factors", "lower_bounds", "upper_bounds"])
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_series_with_names_means_what_the_dict_means(name, frame) -> None:
    sign = -1 if name == "lower_bounds" else 1
    kind = {"site": 0.1 * sign, "dose": 0.0, "age": 9.0 * sign}
    table = frame({column: X[column].to_list() for column in X.columns})
    wanted = coef(table, Y.to_numpy(), **{name: kind})
    for order in (list(kind), ["dose", "age", "site"]):
        given = pd.Series(kind)[order]
        np.testing.assert_array_equal(coef(table, Y.to_numpy(), **{name: given}), wanted)
    model = nb.GLMRegressor(lam=0.05, **{name: pd.Series(kind)}).fit(table, Y.to_numpy())
    np.testing.assert_array_equal(model.coef_, wanted)


def test_integers_are_names_of_columns_that_are_called_so() -> None:
    table = pd.DataFrame(X[["age", "dose"]].to_numpy(), columns=[1, 0])
    path = nb.fit_path(table, Y, penalty_factors=pd.Series([5.0, 7.0], index=[0, 1]))
    assert path.feature_names == ("1", "0")
    assert path.penalty_factors.tolist() == [7.0, 5.0]
    assert nb.fit_path(table, Y, penalty_factors={0: 5.0, 1: 7.0}).penalty_factors.tolist() == [7.0, 5.0]


# -- a number for each row


@pytest.mark.parametrize("role", ["y", "sample_weight", "offset", "fold_groups", "fold_ids", "time_order"])
def test_rows_in_another_order_are_refused(role) -> None:
    values = {"y": Y, "sample_weight": Y.abs() + 1, "offset": Y / 2, "fold_groups": (5 * Y).round().astype(int)}
    values |= {"fold_ids": pd.Series(np.arange(N) % 4), "time_order": pd.Series(np.arange(N))}
    given = {"y": Y.to_numpy()}

    def fitted(value):
        return nb.cv_path(X, cv=4, n_lambdas=5, **{**given, role: value}).cv_mean

    wanted = fitted(values[role])
    np.testing.assert_array_equal(fitted(values[role].to_numpy()), wanted)
    other_rows = values[role].set_axis(np.arange(N) + 1000)  # X counts its rows, so that these go by place
    np.testing.assert_array_equal(fitted(other_rows), wanted)
    mixed = values[role].iloc[MIXED]
    with pytest.raises(nb.DataError, match=f"E14 The index of {role} is not that of X") as caught:
        fitted(mixed)
    by_index, by_place = (part.strip() for part in caught.value.findings[0].fix.split("  or  "))
    for remedy, right in ((by_index, wanted), (by_place, fitted(mixed.to_numpy()))):
        expression = remedy.removeprefix(f"{role}=").split(" if ")[0]
        np.testing.assert_array_equal(fitted(eval(expression, {role: mixed, "X": X})), right)


def test_rows_of_two_indexes() -> None:
    named = X.set_axis([f"patient {i}" for i in range(N)])
    assert coef(named, Y) == pytest.approx(coef(X, Y))  # 0, 1, 2, ... names no rows
    assert coef(named, Y.set_axis(named.index)) == pytest.approx(coef(X, Y))
    with pytest.raises(nb.DataError, match="E14 The index of y is not that of X: case 0, case 1"):
        coef(named, Y.set_axis([f"case {i}" for i in range(N)]))
    cells = X.set_axis(pd.MultiIndex.from_product([range(8), range(10)]))
    assert coef(cells, Y) == pytest.approx(coef(X, Y))
    assert coef(cells, Y.set_axis(cells.index)) == pytest.approx(coef(X, Y))
    for call in (
        lambda: nb.fit_path(cells, Y.set_axis(cells.index).iloc[::-1]),
        lambda: nb.fit_path(cells, Y.set_axis(named.index)),
        lambda: nb.GLMRegressor().fit(named, Y.set_axis(named.index).iloc[::-1]),
        lambda: nb.fit_paths(named, Y.set_axis(named.index).iloc[::-1]),
        lambda: nb.check(named, Y.set_axis(named.index).iloc[::-1], sample_weight=1).errors[0],
        lambda: nb.fit_paths(named, Y, sample_weight=pd.DataFrame({"a": Y.abs()}).set_axis(named.index).iloc[::-1]),
    ):
        with pytest.raises(nb.DataError, match="E14 The index of"):
            raise nb.DataError(call())
    model = nb.fit_path(named, Y, offset=Y / 2, **OPTIONS).at(lam=0.05)
    with pytest.raises(nb.DataError, match="E14 The index of offset"):
        model.predict(named, offset=(Y / 2).set_axis(named.index).iloc[::-1])
    assert np.isfinite(cross_val_score(nb.GLMRegressor(), named.iloc[MIXED], Y.set_axis(named.index).iloc[MIXED])).all()


# -- columns by name


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_fold_groups_times_and_folds_by_name(frame) -> None:
    columns = {"clinic": np.char.add("c", (np.arange(N) % 9).astype(str)), "day": RNG.permutation(N)}
    columns |= {"fold": np.arange(N) % 3}
    table = frame({**X.to_dict("list"), **{name: values.tolist() for name, values in columns.items()}})
    alone = frame(X.to_dict("list"))
    for role, name in (("fold_groups", "clinic"), ("time_order", "day"), ("fold_ids", "fold")):
        others = {"drop": [other for other in columns if other != name]}
        by_name = nb.cv_path(table, Y.to_numpy(), cv=3, n_lambdas=5, **{role: name}, **others)
        by_value = nb.cv_path(alone, Y.to_numpy(), cv=3, n_lambdas=5, **{role: columns[name]})
        assert by_name.path.feature_names == by_value.path.feature_names  # the column is no feature
        np.testing.assert_array_equal(by_name.cv_mean, by_value.cv_mean)
        with pytest.raises(
            nb.DataError, match=f'E02 Column \\(of {role}\\) "{name}s" not found.*Did you mean "{name}"'
        ):
            nb.cv_path(table, Y.to_numpy(), **{role: f"{name}s"})
        if role != "fold_ids":
            part = table[[*X.columns, name]]
            model = nb.GLMRegressorCV(cv=3, n_lambdas=5).fit(part, Y.to_numpy(), **{role.removeprefix("fold_"): name})
            np.testing.assert_array_equal(model.cv_mean_, by_value.cv_mean)
            assert model.predict(part).shape == (N,)
    comparison = nb.compare(table, Y.to_numpy(), [1.0], fold_groups="clinic", drop=["day", "fold"], cv=3, n_lambdas=5)
    assert comparison.best.path.feature_names == ("age", "dose", "site = north", "site = south")


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_offsets_and_weights_by_name_at_every_step(frame) -> None:
    given = {"o": (0.1 * Y).tolist(), "w": (Y.abs() + 1).tolist()}
    table = frame({**X.to_dict("list"), **given})
    y = Y.to_numpy()
    offset, weights = np.array(given["o"]), np.array(given["w"])
    path = nb.fit_path(table, y, offset="o", sample_weight="w", **OPTIONS)
    plain = nb.fit_path(frame(X.to_dict("list")), y, offset=offset, sample_weight=weights, **OPTIONS)
    wanted = plain.at(lam=0.05).predict(frame(X.to_dict("list")), offset=offset)
    np.testing.assert_array_equal(path.at(lam=0.05).predict(table, offset="o"), wanted)
    np.testing.assert_array_equal(path.predict(table, lam=0.05, offset="o"), wanted)
    with pytest.raises(nb.DataError, match=r'E02 Column \(of offset\) "O" not found'):
        path.predict(table, lam=0.05, offset="O")
    for model in (nb.GLMRegressor(lam=0.05), nb.GLMRegressorCV(lambdas=[0.05])):
        model.fit(table, y, sample_weight="w", offset="o")
        np.testing.assert_allclose(model.predict(table, offset="o"), wanted)
        by_value = model.score(table, y, sample_weight=weights, offset=offset)
        assert model.score(table, y, sample_weight="w", offset="o") == by_value
    classes = nb.GLMClassifier().fit(table, y > 0, sample_weight="w")
    assert classes.score(table, y > 0, sample_weight="w") == classes.score(table, y > 0, sample_weight=weights)


def test_fold_groups_by_name_follow_rows_left_out() -> None:
    table = X.assign(clinic=np.arange(N) // 10)
    table.loc[::7, "age"] = np.nan
    by_name = nb.cv_path(table, Y, missing="drop", fold_groups="clinic", cv=4, n_lambdas=5)
    by_value = nb.cv_path(table.drop(columns="clinic"), Y, missing="drop", fold_groups=table.clinic, cv=4, n_lambdas=5)
    np.testing.assert_array_equal(by_name.cv_mean, by_value.cv_mean)


# -- a text is a list of one; arrays are lists; neither is a truth value


@pytest.mark.parametrize(
    "one", ["dose", ["dose"], ("dose",), np.array(["dose"]), pd.Index(["dose"]), pl.Series(["dose"])]
)
def test_names_of_columns(one) -> None:
    whole = X.assign(code=np.arange(N) % 3)
    assert "dose" not in nb.fit_path(whole, Y, drop=one).feature_names
    assert "dose" not in nb.fit_paths(whole, Y, drop=one)[0].feature_names
    assert "dose" not in nb.cv_path(whole, Y, drop=one, cv=3, n_lambdas=4).path.feature_names
    assert nb.fit_ball(whole, Y, drop=one, radius=0.1).coef.size == 4
    code = (
        "code"
        if isinstance(one, str)
        else type(one)(["code"])
        if not isinstance(one, np.ndarray)
        else np.array(["code"])
    )
    assert "code = 2" in nb.fit_path(whole, Y, categorical=code).feature_names
    assert "code = 2" in nb.GLMRegressor(categorical=code).fit(whole, Y).feature_names_out_
    assert [finding.code for finding in nb.check(whole, Y, categorical=code)] == []


@pytest.mark.parametrize("wrong", [[True], [1.5], [None], 2.5])
def test_what_names_no_column(wrong) -> None:
    with pytest.raises(TypeError, match=r"drop holds .* but must be names of columns"):
        nb.fit_path(X, Y, drop=wrong)


def test_one_mix_or_an_array_of_them() -> None:
    assert [cv.path.l1_ratio for cv in nb.compare(X, Y, 0.5, cv=3, n_lambdas=4)] == [0.5]
    assert [cv.path.l1_ratio for cv in nb.compare(X, Y, np.array([0.0, 1.0]), cv=3, n_lambdas=4)] == [0.0, 1.0]
    with pytest.raises(ValueError, match="l1_ratios is empty"):
        nb.compare(X, Y, [], cv=3, n_lambdas=4)


@pytest.mark.parametrize("value", ["no", np.array([True, False]), None, 2, [True]])
@pytest.mark.parametrize("name", ["fit_intercept", "standardize", "keep_predictions", "progress", "trial_fit"])
def test_truth_values(name, value) -> None:
    if name == "progress" and value is None:
        return
    call = nb.check if name == "trial_fit" else nb.cv_path
    with pytest.raises(TypeError, match=f"{name} is .*, but must be True or False"):
        call(X, Y, **{name: value})


@pytest.mark.parametrize("value", [np.array(["a", "b"]), ["error"], 3])
@pytest.mark.parametrize("name", ["family", "missing", "inf"])
def test_words(name, value) -> None:
    with pytest.raises(ValueError, match=f"{name} is .* but must be one of"):
        nb.fit_path(X, Y, **{name: value})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nb.fit_path(X, Y, sample_weight={0: 1.0}), ValueError, "sample_weight is a dict, but must hold one"),
        (lambda: nb.fit_path(X, {"y": 1.0}), ValueError, "y is a dict"),
        (lambda: nb.fit_path(X, Y, lambdas="auto"), TypeError, "lambdas is 'auto', but must be numbers"),
        (lambda: nb.cv_path(X, Y, cv=np.arange(N) % 3), TypeError, "goes to fold_ids"),
        (lambda: nb.cv_path(X, Y, repeats=np.array([1, 2])), ValueError, "repeats is array.* a whole number"),
        (lambda: nb.cv_path(X, Y, cv=3).at(np.array(["1se"])), ValueError, "no choice of lambda"),
        (lambda: nb.GLMRegressorCV(select=np.array(["1se"])).fit(X, Y), ValueError, "select is array"),
        (lambda: nb.GLMRegressor(family="binomial").fit(X, Y), ValueError, "GLMClassifier is for classes"),
        (lambda: nb.fit_ball(X, Y, radius=1.0, norm=np.array(["l1"])), ValueError, "norm is array"),
        (lambda: nb.fit_path(X, Y).predict(X, lam=0.1, kind=np.array(["link"])), ValueError, "kind is array"),
        (lambda: nb.fit_path(X, Y).predict(X, lam=0.1, unknown=["error"]), ValueError, "unknown is "),
    ],
)
def test_other_values_of_the_wrong_kind(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("value", [np.array([0.1, 0.2]), [0.1], "much"])
def test_numbers(value) -> None:
    path = nb.fit_path(X, Y)
    for call in (
        lambda: nb.fit_path(X, Y, l1_ratio=value),
        lambda: nb.fit_path(X, Y, tol=value),
        lambda: path.at(lam=value),
        lambda: path.at(l1_norm=value),
        lambda: path.at(n_nonzero=value),
        lambda: nb.fit_ball(X, Y, radius=value),
    ):
        with pytest.raises(TypeError, match="must be a number"):
            call()


# -- time grows with the number of features, not with its square


def test_twenty_thousand_names_take_no_time() -> None:
    names = [f"gene_{j:06d}" for j in range(20_000)]
    preparation = Preparation(tuple(map(NumberTerm, names)))
    for value in (dict.fromkeys(names, 2.0), pd.Series(2.0, index=names)):
        start = time.perf_counter()
        assert (per_feature(value, "penalty_factors", preparation, 1.0) == 2.0).all()
        assert time.perf_counter() - start < 2.0  # 0.05 s; a look through all names for each took 25 s
