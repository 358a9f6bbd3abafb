"""Rare levels and baselines of tables that are read in parts: those of the same table in memory."""

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.blocks.prepare import prepare_long_table
from normball.blocks.tables import long_table_of
from normball.inputs.preparation import Preparation
from normball.inputs.prepare import prepare
from normball.model_file import load

N = 300


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    x = rng.normal(size=N)
    shop = rng.choice([*"abc", "x1", "x2", "x3"], N, p=[0.5, 0.3, 0.16, 0.02, 0.01, 0.01])
    code = rng.choice([1, 2, 77], N, p=[0.6, 0.37, 0.03])
    shops = [None if gap else one for gap, one in zip(rng.random(N) < 0.05, shop, strict=True)]
    start = datetime.datetime(2019, 12, 30, 11)
    moments = [start + datetime.timedelta(minutes=int(one)) for one in rng.integers(0, 900_000, N)]
    few = [start + datetime.timedelta(days=int(one)) for one in rng.integers(0, 3, N)]
    return pl.DataFrame(
        {
            "x": x,
            "size": [
                None if gap else one for gap, one in zip(rng.random(N) < 0.07, rng.gamma(2.0, size=N), strict=True)
            ],
            "shop": shops,
            "code": code,
            "moment": [None if gap else one for gap, one in zip(rng.random(N) < 0.05, moments, strict=True)],
            "day": [one.date() for one in moments],
            "written": [one.strftime("%d.%m.%Y") for one in few],
            "y": x + (code == 2),
        }
    )


OPTIONS: list[dict[str, Any]] = [
    {"min_count": 20},
    {"min_count": 20, "missing": "drop"},
    {"min_count": 20, "baseline": "commonest"},
    {"min_count": 20, "baseline": {"shop": "x1", "code": "1"}},
    {"baseline": {"shop": "b"}},
    {"dates": ["moment", "day", "written"], "drop": ["size"]},
    {"dates": ["moment", "day"], "missing": "drop", "spline": {"x": 4}, "drop": ["written"]},
    {"spline": {"x": 4, "size": None}, "interact": ["x:size", "shop:code", ("size", "shop"), ("x", "x")]},
    {"spline": ["size"], "interact": ["shop:code"], "missing": "drop", "min_count": 20},
    {"missing": "constant", "fill_value": -1.5, "interact": ["size:shop"]},
    {"missing": "mean", "dates": ["moment"]},
]
DATES = ["moment", "day", "written"]


def rounded(preparation: Preparation) -> Any:
    """The preparation with numbers of ten digits: sums of parts have other last ones."""
    text = json.dumps(preparation.to_dict())
    return json.loads(text, parse_float=lambda number: float(f"{float(number):.10g}"))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_levels_are_those_in_memory(frame: pl.DataFrame, tmp_path: Path, options: dict[str, Any], end: str) -> None:
    getattr(frame, f"write_{end}")(tmp_path / f"t.{end}")
    table = long_table_of(tmp_path / f"t.{end}")
    assert table is not None
    how = {"family": "gaussian", "missing": "impute", "categorical": ["code"], **options}
    how["drop"] = [*how.get("drop", []), *(name for name in DATES if name not in how.get("dates", []))]
    for rows in (3, 40, N):
        blocks = prepare_long_table(table, "y", block_rows=rows, **how)
        whole = prepare(nb.read_table(tmp_path / f"t.{end}", categorical=DATES if end == "csv" else ()), "y", **how)
        assert blocks.preparation.feature_names == whole.preparation.feature_names
        assert rounded(blocks.preparation) == rounded(whole.preparation)
        assert {str(one) for one in blocks.findings} == {str(one) for one in whole.findings}
        design = np.concatenate([block.X for block in blocks.source.open()])
        np.testing.assert_allclose(design, whole.design, atol=1e-12)


def test_models_of_terms_are_those_in_memory_and_predict_new_rows(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "t.parquet")
    how: dict[str, Any] = {"missing": "drop", "categorical": ["code"], "n_lambdas": 10, "dates": DATES}
    how["tol"] = 1e-9
    how |= {"spline": {"x": 4, "size": 6}, "interact": ["shop:code", "size:shop"]}
    whole = nb.fit_path(frame, "y", **how)
    new = frame[::3].with_columns(x=pl.col("x") + 1).drop_nulls()
    for rows in (1000, 17):
        found = nb.fit_path(nb.Blocks(tmp_path / "t.parquet", rows=rows), "y", **how)
        assert found.preparation == whole.preparation
        lam = found.lambdas[5]
        np.testing.assert_allclose(found.predict(new, lam=lam), whole.predict(new, lam=lam), atol=1e-3)
        fit = found.at(lam=found.lambdas[5])
        np.testing.assert_allclose(fit.predict(nb.Blocks(new.lazy(), rows=rows)), fit.predict(new), atol=1e-10)
        assert fit.evaluate(new.lazy(), "y").scores == pytest.approx(fit.evaluate(new, "y").scores)
    later = new.with_columns(written=pl.lit("31.12.2019")).head(3)
    np.testing.assert_allclose(fit.predict(later.lazy()), fit.predict(later), atol=1e-10)
    strange = new.with_columns(written=pl.lit("soon"))
    with pytest.raises(nb.DataError, match="no date in the form") as expected:
        fit.predict(strange)
    with pytest.raises(nb.DataError) as told:
        fit.predict(strange.lazy())
    assert str(told.value) == str(expected.value)


def test_a_model_of_rare_levels_predicts_labels_that_it_never_saw(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "t.parquet")
    how = {"missing": "impute", "categorical": ["code"], "min_count": 20, "n_lambdas": 10, "drop": DATES}
    found, whole = (nb.fit_path(rows, "y", **how) for rows in (str(tmp_path / "t.parquet"), frame))
    np.testing.assert_allclose(found.coefs, whole.coefs, atol=1e-9)
    new = frame.with_columns(shop=pl.lit("never seen"))
    fit = found.at(lam=found.lambdas[5])
    np.testing.assert_allclose(fit.predict(new.lazy()), fit.predict(new), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baseline": {"shop": "q"}}, 'has no level "q" to be the baseline'),
        ({"baseline": {"x": "1"}}, "has no levels"),
        ({"baseline": {"shops": "a"}}, "not found"),
        ({"baseline": {"shop": "a"}, "drop": ["shop"]}, "shop"),
        ({"dates": ["shop"]}, "holds text that is no date"),
        ({"spline": ["shop"]}, "a spline is of numbers"),
        ({"spline": ["code"]}, "3 different values, too few for a curve"),
        ({"interact": ["shop:shop"]}, "are these levels again"),
        ({"interact": ["shop:town"]}, "there is no"),
    ],
)
def test_what_is_wrong_is_told_as_in_memory(frame: pl.DataFrame, options: dict[str, Any], words: str) -> None:
    how = {"missing": "drop", **options}
    how["drop"] = [*how.get("drop", []), *DATES]
    with pytest.raises(nb.DataError, match=words) as expected:
        nb.fit_path(frame, "y", **how)
    with pytest.raises(nb.DataError) as found:
        nb.fit_path(frame.lazy(), "y", **how)
    assert str(found.value) == str(expected.value)


def test_the_terminal_has_them(
    frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    frame.write_parquet("t.parquet")
    words = ["--target", "y", "--missing", "impute", "--min-count", "20", "--baseline", "shop=a", "--cv", "3"]
    words += ["--n-lambdas", "10", "--no-compare", "--dates", "moment,day", "--drop", "written", "--spline", "x=4"]
    words += ["--interact", "x:code"]
    code, out, err = run(capsys, "fit", "t.parquet", *words, "--memory", "100MB")
    assert code == 0
    assert "stand together" in out + err
    names = load("model.json").path.feature_names
    assert "shop = (rare)" in names
    assert "shop = a" not in names
    assert {"moment month = Mar", "day days", "x spline 3", "x:code"} <= {*names}
    assert Path("report.html").stat().st_size > 100_000
    frame.drop_nulls()[:9].write_parquet("new.parquet")
    whole = run(capsys, "predict", "model.json", "new.parquet")[1]
    assert run(capsys, "predict", "model.json", "new.parquet", "--memory", "100MB")[1] == whole
    assert "prediction" in whole
