"""Columns of the table with their levels in summaries, notebooks, answers and findings, by names that people read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.report.page import render
from normball.report.payload import payload
from normball.results import answers, facts
from normball.results.by_column import reference
from normball.results.text import isolated, isolated_in
from normball.run import Run
from payloads import described

RNG = np.random.default_rng(8)
N = 400
MISSING = RNG.random(N) < 0.2


def table() -> tuple[pl.DataFrame, Any]:
    hour, x, z = RNG.integers(0, 6, N), RNG.normal(size=N), RNG.normal(size=N)
    sex = np.where(RNG.random(N) < 0.4, "f", "m")
    effect = np.array([3.0, 2.0, 0.0, 0.0, -2.0, -3.0])[hour]
    frame = pl.DataFrame({"x": x, "hr": [f"h{h}" for h in hour], "sex": sex, "z": [*z[:-1], 0.5]})
    y = 2 * x + effect + 1.5 * (sex == "f") + 2.0 * MISSING + 0.3 * RNG.normal(size=N)
    return frame.with_columns(z=pl.when(pl.Series(MISSING)).then(None).otherwise(frame["z"])), y


X, Y = table()


@pytest.fixture(scope="module")
def cv() -> nb.CVPath:
    return nb.cv_path(X, Y, missing="impute", cv=5, lambdas=[9.0, 0.5, 0.3, 0.1])


def lines(text: str) -> list[str]:
    return text.split("Selected at")[1].splitlines()[1:]


def test_levels_stand_below_their_column_with_their_rows(cv: nb.CVPath) -> None:
    shown = lines(cv.summary("best"))
    fit = cv.at("best")
    coefs = dict(zip(cv.path.feature_names, fit.coef.tolist(), strict=True))
    kept = {level: coefs[f"hr = {level}"] for level in sorted(set(X["hr"])) if coefs[f"hr = {level}"]}
    place = next(k for k, line in enumerate(shown) if line.startswith("  hr "))
    assert shown[place].startswith(f"  hr ({len(kept)} of 6 levels) ")
    assert shown[place].endswith("5/5")
    below = shown[place + 1 : place + 1 + len(kept)]
    assert [line.split()[0] for line in below] == sorted(kept, key=lambda level: -kept[level])
    for line in below:
        level, n_rows, _, per_unit, _ = line.split()
        assert line.startswith("    h")
        assert int(n_rows) == (X["hr"] == level).sum()
        assert float(per_unit) == pytest.approx(kept[level], rel=6e-3)
    assert "Levels are measured against those of their column that are not kept." in cv.summary("best")


def test_one_level_takes_one_line_and_a_number_stands_above_its_gaps(cv: nb.CVPath) -> None:
    shown = lines(cv.summary("best"))
    (sex,) = [line for line in shown if "sex" in line]
    assert sex.split()[:2] in (["sex:", "f"], ["sex:", "m"])
    assert sex.startswith("  sex: ")
    (gaps,) = [line for line in shown if line.startswith("  ") and "(missing)" in line]
    coefs = dict(zip(cv.path.feature_names, cv.at("best").coef, strict=True))
    assert gaps.startswith("  " if coefs["z"] == 0 else "    ")
    assert f" {MISSING.sum()} " in gaps


def test_columns_are_counted(cv: nb.CVPath) -> None:
    index = cv.index_best
    kept = np.flatnonzero(cv.path.fit_at(index).coef)
    names = {cv.path.feature_names[j].split(" = ")[0].removesuffix(" is missing") for j in kept}
    text = cv.summary("best")
    assert f"columns kept             {len(names)} of 4 " in text
    assert f"features kept            {len(kept)} of {cv.path.n_features} " in text
    found = answers.answer(cv, "y", index).found
    assert found == f"{len(names)} of 4 columns explain y"
    content = payload(cv, Run(), None)
    assert content["columns_kept"][index] == len(names)
    assert content["columns_kept"][0] == 0
    assert content["n_columns"] == 4
    numbers = nb.cv_path(X.select("x"), Y, cv=3, n_lambdas=5)
    assert "columns" not in numbers.summary("best")
    assert answers.answer(numbers, "y", 4).found == "1 of 1 feature explains y"


def test_ridge_measures_against_the_average(cv: nb.CVPath) -> None:
    ridge = nb.fit_path(X, Y, missing="impute", l1_ratio=0.0, lambdas=[0.05], tol=1e-12).fit_at(0)
    text = ridge.summary()
    assert "Levels are measured against the average of their column." in text
    assert "  hr (6 levels)" in text
    levels = [j for j, name in enumerate(ridge.feature_names) if name.startswith("hr = ")]
    shares = np.array([(X["hr"] == ridge.feature_names[j].removeprefix("hr = ")).mean() for j in levels])
    weights = shares * (1 - shares)
    assert abs(weights @ ridge.coef[levels]) < 1e-6 * np.abs(ridge.coef[levels]).max()  # that average is zero
    assert "measured" not in cv.path.fit_at(0).summary()  # nothing is kept there
    assert "measured" not in nb.fit_path(X.select("x"), Y, lambdas=[0.1]).fit_at(0).summary()


def test_many_features_are_cut_and_rare_levels_stay() -> None:
    level = np.array([f"l{k}" for k in RNG.integers(0, 60, N)])
    level[3] = "odd"
    y = RNG.normal(size=60)[np.unique(level, return_inverse=True)[1] % 60] + 9.0 * (level == "odd")
    cv = nb.cv_path(pl.DataFrame({"level": level}), y, cv=3, lambdas=[0.5, 0.001])
    fit = cv.path.fit_at(1)
    text = fit.summary()
    assert f"... and {fit.n_nonzero - 30} more" in text
    assert "\n  Levels told by one or two rows\n    level: odd (1 row)" in text
    body = text.split("\nFeatures")[1].split("  ... and")[0].splitlines()[1:]
    assert sum(line.startswith("    ") for line in body) == 30


def test_the_notebook_keeps_the_levels_apart(cv: nb.CVPath) -> None:
    text = cv._repr_html_()
    assert "<bdi>hr (" in text
    assert "<bdi>\u2003h0</bdi>" in text
    assert "measured against those of their column" in text
    assert "hr = " not in text


def test_names_in_files_and_data_stay(
    cv: nb.CVPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    X.with_columns(y=pl.Series(Y)).write_csv("t.csv")
    words = ["fit", "t.csv", "--target", "y", "--missing", "impute", "--cv", "4", "--select", "best"]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert " = h" not in out
    assert "hr = h0" in Path("coefficients.csv").read_text()
    code, out, _ = run(capsys, *words, "--json")
    features = {one["name"]: one for one in json.loads(out)["features"]}
    assert (features["hr = h0"]["column"], features["hr = h0"]["level"]) == ("hr", "h0")
    assert features["hr = h0"]["n_rows"] == (X["hr"] == "h0").sum()
    assert features["x"]["level"] is None
    names = {feature["name"]: feature["key"] for feature in payload(cv, Run(), None)["features"]}
    assert names["hr: h0"] == "hr = h0"
    assert names["z: (missing)"] == "z is missing"


def test_findings_use_the_names_of_the_page() -> None:
    twin = X.with_columns(again=pl.col("hr"))
    found = {one.code: one for one in nb.check(twin, Y, missing="impute")}
    assert "again: h0 (= hr: h0)" in found["W12"].text
    assert "again = h0" in found["W12"].columns


def test_names_from_right_to_left_keep_signs_in_their_places() -> None:
    arabic, level, target = "درجة الحرارة", "القاهرة", "الدخل"
    frame = X.select(pl.col("x").alias(arabic), pl.col("hr").replace({"h0": level}).alias("المدينة"))
    cv = nb.cv_path(frame, Y, cv=3, n_lambdas=10)
    content = described(cv, frame, Y, Run(target=target))
    inside = lambda name: f"\u2068{name}\u2069"  # noqa: E731
    assert content["title"] == inside(target)
    assert inside(arabic) in {feature["name"] for feature in content["features"]}
    assert inside(f"المدينة: {level}") in {feature["name"] for feature in content["features"] + content["others"]}
    assert content["answers"][-1][0].endswith(f"explain {inside(target)}")
    page = render(cv, Run(target=target, outcome=f"{target} 500"), None)
    assert f"{inside(target)} 500" in page
    assert f"({inside(arabic)} is" not in page
    for text in page.split("<text")[1:]:
        told = text.split(">", 1)[1].split("</text>")[0]
        assert arabic not in told or inside(arabic) in told
    assert isolated("plain") == "plain"
    assert isolated_in("a درجة: b", ["درجة", "در", "b"]) == "a \u2068درجة\u2069: b"
    assert facts.selected(facts.point(cv, "best"))[0].name in (arabic, f"المدينة = {level}", "المدينة = h5")


def levels(**options: Any) -> str:
    """What is said of the levels of two columns, of which "kind" has two."""
    kind, other = np.where(X["sex"] == "f", "a", "b"), X["hr"]
    frame = pl.DataFrame({"kind": kind, "hr": other}).select(options.pop("names"))
    path = nb.fit_path(frame, Y, **{"l1_ratio": 0.5, "lambdas": [1.2], **options})
    return reference(path.fit_at(0))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"names": ["kind"], "lambdas": [0.1]},
            "All levels of their column are kept: they are measured against one another.",
        ),
        ({"names": ["kind"], "lambdas": [0.1], "baseline": {"kind": "a"}}, "those of their column that are not kept."),
        (
            {"names": ["kind", "hr"], "lambdas": [0.1], "penalty_factors": {"hr": 4.0}},
            "not kept, or else against one another.",
        ),
        ({"names": ["kind", "hr"], "l1_ratio": 0.0}, "the average of their column."),
        (
            {"names": ["kind", "hr"], "l1_ratio": 0.0, "baseline": {"kind": "a"}},
            "the baseline of their column, or else its average.",
        ),
        ({"names": ["kind"], "l1_ratio": 0.0, "baseline": {"kind": "a"}}, "against the baseline of their column."),
    ],
)
def test_what_levels_are_measured_against(options: dict[str, Any], words: str) -> None:
    assert levels(**options).endswith(words)
