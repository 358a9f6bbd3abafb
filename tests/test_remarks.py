"""What a result says about itself: leaks by several columns, coefficients that one or two rows decide."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.report.page import render
from normball.report.payload import payload
from normball.run import Run

RNG = np.random.default_rng(4)
N = 240
PARTS = RNG.poisson(6, size=(N, 2)) + RNG.uniform(size=(N, 2))


def leaking(**columns: Any) -> pl.DataFrame:
    """A target that two columns add up to, among others that have nothing to do with it."""
    noise = {f"x{j}": RNG.normal(size=N) for j in range(4)}
    return pl.DataFrame({**noise, "one": PARTS[:, 0], "two": PARTS[:, 1], "y": PARTS.sum(axis=1), **columns})


def leaks(findings: Any) -> list[set[str]]:
    """The columns of each finding W34."""
    return [set(finding.columns) for finding in findings if finding.code == "W34"]


@pytest.mark.parametrize("score", [None, "mse", "mae", lambda y, predicted, weight: abs(y - predicted).max()])
def test_columns_that_together_give_the_target_are_named(score: Any) -> None:
    cv = nb.cv_path(leaking(), "y", cv=4, score=score)
    assert leaks(cv.findings) == [{"one", "two"}]
    text = next(str(finding) for finding in cv.findings)
    assert '"one"' in text
    assert '"two"' in text
    assert "together explain more than 99.9 %" in text
    assert 'drop=["one", "two"]' in text or 'drop=["two", "one"]' in text
    assert text in cv.summary()
    assert "W34" in cv._repr_html_()
    assert not leaks(nb.cv_path(leaking(), "y", cv=4, score=score, drop=["two"]).findings)


def test_a_single_column_that_gives_the_target_is_named() -> None:
    cv = nb.cv_path(leaking(copy=3.0 * PARTS.sum(axis=1) + 1.0), "y", cv=4)
    assert leaks(cv.findings) == [{"copy"}]
    assert '"copy" explains more than' in str(cv.findings[0])


@pytest.mark.parametrize("score", [None, "auc", "accuracy"])
def test_a_level_that_gives_the_class_leaks_as_its_column(score: Any) -> None:
    sure = RNG.uniform(size=N) < 0.5
    table = pl.DataFrame({"x": RNG.normal(size=N), "verdict": np.where(sure, "guilty", "free"), "y": sure})
    cv = nb.cv_path(table, "y", family="binomial", cv=4, lambda_min_ratio=1e-5, score=score)
    assert leaks(cv.findings) == [{"verdict"}]


def test_a_good_model_is_no_leak() -> None:
    x = RNG.normal(size=(N, 3))
    y = x.sum(axis=1) + 0.1 * RNG.normal(size=N)  # explains 99.7 %
    cv = nb.cv_path(x, y, cv=4)
    assert 1 - cv.cv_mean.min() / (2 * cv.path.null_loss) > 0.99
    assert not leaks(cv.findings)


def test_many_columns_have_no_remedy_by_name() -> None:
    x = RNG.normal(size=(N, 9))
    (finding,) = nb.cv_path(x, x.sum(axis=1), cv=4).findings
    assert len(finding.columns) == 9
    assert "and 4 more" in finding.text
    assert "drop=" not in finding.fix


def test_check_names_them_too() -> None:
    table = leaking()
    assert leaks(nb.check(table, "y")) == [{"one", "two"}]
    assert not leaks(nb.check(table, "y", drop=["one"]))
    assert not leaks(nb.check(table, "y", trial_fit=False))
    alone = nb.check(leaking(copy=PARTS.sum(axis=1)), "y")
    assert [finding.columns for finding in alone if finding.code == "W15"] == [("copy",)]
    assert not leaks(alone)  # said once


def test_estimators_terminal_and_page_say_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    table = leaking()
    model = nb.GLMRegressorCV(cv=4).fit(table.drop("y"), table["y"])
    assert leaks(model.findings_) == [{"one", "two"}]
    monkeypatch.chdir(tmp_path)
    table.write_csv("t.csv")
    code, _, err = run(capsys, "fit", "--no-compare", "t.csv", "--target", "y", "--cv", "4")
    assert code == 0
    assert err.count("W34") == 1
    assert "--drop two,one" in err or "--drop one,two" in err
    assert "W34" in Path("report.html").read_text(encoding="utf-8")
    code, out, _ = run(capsys, "show", "model.json", "--json")
    assert "W34" in [finding["code"] for finding in json.loads(out)["findings"]]
    code, out, _ = run(capsys, "fit", "--no-compare", "t.csv", "--target", "y", "--cv", "4", "--drop", "one", "--json")
    assert "W34" not in [finding["code"] for finding in json.loads(out)["findings"]]


def test_bikeshare_is_the_sum_of_two_columns(read_shared: Any) -> None:
    table = read_shared("bikeshare")
    assert leaks(nb.cv_path(table, "bikers", cv=5).findings) == [{"casual", "registered"}]
    assert leaks(nb.check(table, "bikers")) == [{"casual", "registered"}]


def test_bikeshare_varies_far_more_than_poisson_counts(read_shared: Any) -> None:
    table = read_shared("bikeshare").drop("casual", "registered")
    options: Any = {"categorical": ["hr", "season", "weekday"], "cv": 4}
    cv = nb.cv_path(table, "bikers", family="poisson", **options)
    assert 20.0 < cv.diagnostics["best"]["dispersion"] < 30.0
    (finding,) = [one for one in cv.findings if one.code == "W36"]
    assert "--family negative_binomial" in finding.in_command_line_words().fix
    other = nb.cv_path(table, "bikers", family="negative_binomial", **options)
    assert not [one for one in other.findings if one.code == "W36"]
    assert other.path.family == "negative_binomial(0.879)"  # as MASS::glm.nb(bikers ~ 1) has it


def explained_counts(theta: float) -> pl.DataFrame:
    """Counts whose variance without features, of which two explain most, asks for a far smaller theta."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 10))
    mean = np.exp(0.5 + 1.5 * x[:, 0] + 1.05 * x[:, 1])
    y = rng.poisson(mean * (rng.gamma(theta, 1 / theta, 400) if np.isfinite(theta) else 1.0))
    return pl.DataFrame({f"x{j}": x[:, j] for j in range(10)} | {"y": y})


@pytest.mark.parametrize("theta", [2.0, np.inf])
def test_a_theta_for_what_features_explain_is_named(theta: float, tmp_path: Path, capsys: Capture) -> None:
    table = explained_counts(theta)
    cv = nb.cv_path(table, "y", family="negative_binomial", cv=4)
    assert cv.diagnostics["best"]["dispersion"] < 0.5
    (finding,) = [one for one in cv.findings if one.code == "W37"]
    assert "theta is too small" in finding.text
    remedy = finding.fix.removeprefix('family="').removesuffix('"')
    if np.isfinite(theta):
        assert 1.5 < float(remedy.removeprefix("negative_binomial(").removesuffix(")")) < 3.0
        fit = cv.at("best")
        mean = fit.predict(table.drop("y"), kind="response")
        found = float(remedy.partition("(")[2].removesuffix(")"))
        pearson = (table["y"].to_numpy() - mean) ** 2 / (mean + mean**2 / found)
        assert pearson.sum() / (400 - fit.n_nonzero - 1) == pytest.approx(1.0, abs=0.01)
    followed = nb.cv_path(table, "y", family=remedy, cv=4)
    assert not {"W36", "W37"} & {one.code for one in followed.findings}
    assert 0.8 < followed.diagnostics["best"]["dispersion"] < 1.2

    file = tmp_path / "counts.csv"
    table.write_csv(file)
    words = ("fit", "--no-compare", str(file), "--target", "y", "--cv", "4", "-o", str(tmp_path))
    code, _, err = run(capsys, *words, "--family", "negative_binomial")
    assert (code, err.count("W37")) == (0, 1)
    typed = shlex.split(err.split("W37")[1].split("Fix: ")[1].splitlines()[0])
    code, _, err = run(capsys, *words, *typed)
    assert (code, err.count("W37")) == (0, 0)


def test_the_theta_of_the_null_model_is_too_small_for_data_that_are_explained(read_shared: Any) -> None:
    cv = nb.cv_path(read_shared("glmnet_poisson"), "y", family="negative_binomial")
    assert cv.path.family == "negative_binomial(0.201)"
    assert [one.fix for one in cv.findings if one.code == "W37"] == ['family="negative_binomial(27.3)"']


def test_a_suitable_theta_is_left_alone() -> None:
    table = explained_counts(2.0)
    for family in ("poisson", "negative_binomial(1)", "negative_binomial(1000)"):
        cv = nb.cv_path(table, "y", family=family, cv=4)
        assert not [one for one in cv.findings if one.code == "W37"], family


def rare(n_rows: int) -> tuple[pl.DataFrame, Any]:
    """Levels, their complements and gaps in `n_rows` rows that stand out."""
    place = np.arange(N)
    level = np.where(place < n_rows, "rare", np.where(place % 2, "a", "b"))
    other = np.where((place >= 10) & (place < 10 + n_rows), "few", "most")
    number = RNG.normal(size=N)
    gaps = (place >= 20) & (place < 20 + n_rows)
    y = 30.0 * (level == "rare") - 20.0 * (other == "few") + 25.0 * gaps + number + 0.1 * RNG.normal(size=N)
    x = [None if gap else value for gap, value in zip(gaps, number, strict=True)]
    return pl.DataFrame({"level": level, "other": other, "x": x}), y


def test_levels_of_one_or_two_rows_are_flagged_where_they_are_selected() -> None:
    for n_rows, words in ((1, "(1 row)"), (2, "(2 rows)")):
        X, y = rare(n_rows)
        cv = nb.cv_path(X, y, missing="impute", fold_ids=np.arange(N) % 4)
        (line,) = [line for line in cv.summary("best").splitlines() if line.startswith("W35")]
        assert f'"level: rare" {words}' in line
        assert f'"x: (missing)" {words}' in line
        assert f'"other: few" {words}' in line or f'"other: most" (all but {words[1:]}' in line
        fit = cv.at("best")
        assert line in fit.summary()
        apart = cv.summary("best").split("\n  Levels told by one or two rows")[1]
        assert f"\n    level: rare {words} " in apart
        assert "\n    x: (missing) " in apart
        columns = payload(cv, Run(), None)["columns"]
        marks = {(one["name"], level): one["few_rows"][k] for one in columns for k, level in enumerate(one["levels"])}
        assert (marks["level", "rare"], marks["x", "(missing)"]) == (words[1:-1], words[1:-1])
        assert marks["other", "most"] == f"all but {words[1:-1]}"
        assert marks["level", "a"] == ""
        assert "W35" not in cv.path.at(lam=cv.path.lambda_max).summary()  # none is selected there
        model = nb.GLMRegressorCV(cv=4, missing="impute", select="best").fit(X, y)
        assert [finding.columns for finding in model.findings_ if finding.code == "W35"] == [("level", "other", "x")]


@pytest.mark.parametrize("n_others", [0, 1, 2])
def test_rare_levels_stand_together_where_that_helps(n_others: int) -> None:
    level = np.array(["rare", "rare", *["other"] * n_others] + ["a", "b"] * N)[:N]
    y = 30.0 * (level == "rare") + 20.0 * (level == "other") + 0.1 * RNG.normal(size=N)
    X = pl.DataFrame({"level": level})
    said = nb.fit_path(X, y).at(n_nonzero=1).summary()
    assert "W35" in said
    assert ("min_count=3" in said) == (n_others > 0)
    assert ("W35" in nb.fit_path(X, y, min_count=3).at(n_nonzero=1).summary()) == (n_others == 0)


def test_levels_of_three_rows_are_not() -> None:
    X, y = rare(3)
    assert "W35" not in nb.cv_path(X, y, missing="impute", cv=4).summary("best")


def test_ridge_selects_none_and_flags_none() -> None:
    X, y = rare(1)
    assert "W35" not in nb.fit_path(X, y, l1_ratio=0.0, missing="impute", lambdas=[0.1]).at(lam=0.1).summary()


def test_saved_models_and_pages_flag_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    X, y = rare(1)
    cv = nb.cv_path(X, y, missing="impute", cv=4)
    cv.save("model.json")
    loaded = nb.load("model.json")
    assert isinstance(loaded, nb.CVPath)
    assert loaded.summary("best") == cv.summary("best")
    for which in (cv.path.lambda_max, "best"):
        assert ("<strong>W35</strong>" in render(cv, Run(select=which))) == (which == "best")
    code, _, err = run(capsys, "show", "model.json", "--lam", "best")
    assert code == 0
    assert "W35" in err
    X.with_columns(y=pl.Series(y)).write_csv("t.csv")
    code, _, err = run(
        capsys, "fit", "--no-compare", "t.csv", "--target", "y", "--missing", "impute", "--select", "best"
    )
    assert code == 0
    assert err.count("W35") == 1
    assert Path("report.html").read_text(encoding="utf-8").count("<strong>W35</strong>") == 1
