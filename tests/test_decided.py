"""What a fit decided holds afterwards: at predict, in folds, in saved models, in estimators and at the command line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import cross_val_score

import normball as nb
from commands import Capture, run

N = 90
RNG = np.random.default_rng(4)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "k": RNG.choice(["red", "green", "blue"], N)})
Y = TABLE.x + (TABLE.k == "red") + RNG.normal(size=N)
GAP = TABLE.copy()
GAP.loc[5, "k"] = None
GAP.loc[6, "x"] = np.nan


def saved(path, folder):
    path.save(folder / "m.json")
    return nb.load(folder / "m.json")


# -- imputation


def test_a_model_that_imputes_takes_gaps_that_it_never_saw(tmp_path) -> None:
    path = nb.fit_path(TABLE, Y, missing="impute", lambdas=[0.05])
    for model in (path, saved(path, tmp_path)):
        found = model.predict(GAP, lam=0.05)
        fit = model.at(lam=0.05)
        assert found[5] == pytest.approx(fit.intercept + TABLE.x[5] * fit.coef[0])  # none of the levels
        assert found[6] == pytest.approx(model.predict(TABLE.assign(x=TABLE.x.median()), lam=0.05)[6])
    with pytest.raises(nb.DataError, match=r"E04 Missing values \(NaN\): x 1 .*, k 1"):
        nb.fit_path(TABLE, Y, lambdas=[0.05]).predict(GAP, lam=0.05)
    assert np.isfinite(cross_val_score(nb.GLMRegressor(missing="impute"), GAP, Y, cv=3)).all()
    cv = nb.cv_path(GAP, Y, missing="impute", cv=3, n_lambdas=5)
    assert "k = (missing)" in cv.path.feature_names
    assert np.isfinite(cv.predict(GAP)).all()


@pytest.mark.parametrize("column", ["x", "k"])
def test_the_command_line_imputes_what_fit_was_told_to(column, folder, capsys: Capture) -> None:
    pl.from_pandas(TABLE.assign(y=Y)).write_csv("t.csv")
    assert run(capsys, "fit", "t.csv", "--target", "y", "--missing", "impute", "-o", "m", "--cv", "3")[0] == 0
    pl.from_pandas(TABLE).with_columns(pl.Series(column, [None, *TABLE[column][1:]])).write_csv("new.csv")
    code, out, err = run(capsys, "predict", "m/model.json", "new.csv")
    assert (code, err, len(out.splitlines())) == (0, "", N + 1)


def test_infinite_values_stay_missing_values(tmp_path) -> None:
    path = nb.fit_path(TABLE, Y, missing="impute", inf="nan", lambdas=[0.05])
    infinite = TABLE.assign(x=np.where(np.arange(N) == 6, np.inf, TABLE.x))
    for model in (path, saved(path, tmp_path)):
        np.testing.assert_array_equal(model.predict(infinite, lam=0.05), model.predict(GAP.assign(k=TABLE.k), lam=0.05))
    with pytest.raises(nb.DataError, match="E07"):
        nb.fit_path(TABLE, Y, missing="impute", lambdas=[0.05]).predict(infinite, lam=0.05)
    model = nb.GLMRegressor(lam=0.05, missing="impute", inf="nan").fit(TABLE, Y)
    np.testing.assert_array_equal(model.predict(infinite), path.predict(infinite, lam=0.05))
    array = infinite[["x"]].to_numpy()
    assert np.isfinite(nb.GLMRegressor(missing="impute", inf="nan").fit(array, Y).predict(array)).all()
    target = np.where(np.arange(N) == 3, np.inf, Y)
    assert nb.fit_path(TABLE, target, inf="nan", missing="drop").n_rows == N - 1


# -- levels


def test_estimators_can_be_cross_validated_with_a_rare_level() -> None:
    rare = TABLE.assign(k=["island", *TABLE.k[1:]])
    with pytest.warns(
        nb.NormballWarning, match=r'"k" has a level unseen in training: "island" \(1 row\)\. Taken for none'
    ):
        scores = cross_val_score(nb.GLMRegressor(), rare, Y, cv=3)
    quiet = cross_val_score(nb.GLMRegressor(unknown="baseline"), rare, Y, cv=3)
    np.testing.assert_array_equal(scores, quiet)
    assert np.isfinite(scores).all()
    with pytest.raises(nb.DataError, match="E09"):
        cross_val_score(nb.GLMRegressor(unknown="error"), rare, Y, cv=3, error_score="raise")
    model = nb.GLMRegressor().fit(TABLE, Y)
    with pytest.raises(nb.DataError, match="E04"):  # a gap is no level
        model.predict(GAP.assign(x=TABLE.x))


# -- columns that are left out


@pytest.mark.parametrize("name", ["one", "copy", "x"])
def test_columns_kept_unpenalised_that_the_command_drops(name, folder, capsys: Capture) -> None:
    table = TABLE.assign(one=1.0, copy=TABLE.x, y=Y)
    pl.from_pandas(table).write_csv("t.csv")
    words = ("fit", "--no-compare", "t.csv", "--target", "y", "--cv", "3", "-o", "m", "--keep-unpenalised", name)
    code, out, _ = run(capsys, *words)
    assert code == 0
    path = nb.load("m/model.json").path
    assert "Dropped  one (constant)" in out
    kept, dropped = ("copy", "x") if name == "copy" else ("x", "copy")
    assert f"Dropped  {dropped} (exact copy" in out  # never the one that was named
    assert kept in path.feature_names
    assert path.penalty_factors[path.feature_names.index(kept)] == (name == "one")
    assert run(capsys, "predict", "m/model.json", "t.csv")[0] == 0
    assert run(capsys, "show", "m/model.json")[0] == 0
    assert run(capsys, "report", "m/model.json", "--data", "t.csv")[0] == 0


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--keep-unpenalised", "nope"], 3, 'E02 Column "nope" of --keep-unpenalised not found'),
        (["--keep-unpenalised", "X"], 3, 'Did you mean "x"?'),
        (["--keep-unpenalised", "y"], 3, 'E02 Column "y" of --keep-unpenalised not found among the features'),
        (["--keep-unpenalised", "x", "--drop", "x"], 2, '"x" is left out, so --keep-unpenalised has nothing to keep'),
    ],
)
def test_names_that_cannot_be_kept_are_said_before_anything_is_fitted(
    options, code, message, folder, capsys: Capture
) -> None:
    pl.from_pandas(TABLE.assign(y=Y)).write_csv("t.csv")
    found, _, err = run(capsys, "fit", "t.csv", "--target", "y", "-o", "m", *options)
    assert found == code
    assert message in err
    assert "penalty_factors" not in err
    assert not (folder / "m" / "model.json").exists()


def test_levels_of_a_column_can_be_kept_one_by_one(folder, capsys: Capture) -> None:
    pl.from_pandas(TABLE.assign(y=Y)).write_csv("t.csv")
    words = ("fit", "--no-compare", "t.csv", "--target", "y", "--cv", "3", "-o", "m", "--keep-unpenalised")
    assert run(capsys, *words, "k = red")[0] == 0
    assert nb.load("m/model.json").path.penalty_factors.tolist() == [1.0, 1.0, 1.0, 0.0]
    assert run(capsys, *words, "k")[0] == 0
    assert nb.load("m/model.json").path.penalty_factors.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_dropped_column_needs_no_factor() -> None:
    path = nb.fit_path(TABLE, Y, drop="x", penalty_factors={"x": 0.0, "k": 2.0}, lower_bounds={"x": 0.0})
    assert path.penalty_factors.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(nb.DataError, match='E16 penalty_factors names features that do not exist: "z"'):
        nb.fit_path(TABLE, Y, drop="x", penalty_factors={"z": 0.0})
    model = nb.GLMRegressor(drop="x", categorical="k").fit(TABLE, Y)
    assert model.feature_names_out_.tolist() == ["k = blue", "k = green", "k = red"]
    assert model.predict(TABLE).shape == (N,)


# -- the penalty


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_more_features_than_rows_is_about_l1(penalty, folder, capsys: Capture) -> None:
    wide = pl.DataFrame({**{f"x{j}": RNG.normal(size=30) for j in range(40)}, "y": RNG.normal(size=30)})
    wide = wide.with_columns(twin=pl.col("x0") + 1e-4 * pl.col("x1"))
    wide.write_csv("w.csv")
    _, _, err = run(capsys, "fit", "w.csv", "--target", "y", "--cv", "3", "-o", "m", "--penalty", penalty)
    assert ("W22 " in err) == (penalty == "l1")
    assert ("--l1-ratio" in err) == (penalty == "l1")
    assert "W23 " in err
