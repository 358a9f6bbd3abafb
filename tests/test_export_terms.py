"""Exported models of dates, words, splines, products, rare levels and baselines say what `predict` says."""

import datetime
from functools import cache

import numpy as np
import polars as pl
import pytest

import exported
import normball
from exported_models import LANGUAGES, check, expected, run

EPOCH = datetime.date(1970, 1, 1)
DAYS = ("c", "onnx", "pmml")  # which have no dates


@cache
def table(n=300):
    rng = np.random.default_rng(11)
    day = [EPOCH + datetime.timedelta(int(k)) for k in rng.integers(-400, 20_000, n)]
    return pl.DataFrame(
        {
            "day": [None if k % 13 == 0 else one for k, one in enumerate(day)],
            "x": [None if k % 11 == 0 else v for k, v in enumerate(rng.normal(size=n).tolist())],
            "z": rng.normal(size=n),
            "ward": rng.choice(["a", "b", "c", "rare 1", "rare 2"], n, p=[0.4, 0.3, 0.26, 0.02, 0.02]),
            "sex": [None if k % 17 == 0 else str(v) for k, v in enumerate(rng.choice(["f", "m"], n))],
        }
    )


@cache
def fitted(missing="impute", **options):
    rng = np.random.default_rng(2)
    rows = table().drop_nulls() if missing == "drop" else table()
    y = rng.normal(size=len(rows))
    path = normball.fit_path(rows, y, l1_ratio=0, missing=missing, dates=["day"], **options)
    return path.at(lam=float(path.lambdas[60]))


OPTIONS = {
    "dates": {},
    "rare": {"min_count": 20},
    "baselines": {"baseline": "commonest"},
    "spline": {"spline": ("x",)},
    "number by number": {"interact": (("x", "z"), ("z", "z"))},
    "number by levels": {"interact": (("ward", "z"), ("x", "sex"))},
    "levels by levels": {"interact": (("sex", "ward"),)},
    "mean": {"missing": "mean"},
    "drop": {"missing": "drop", "spline": ("x",), "interact": (("sex", "ward"), ("x", "ward"))},
}


def given_to(language, fit, rows):
    """The rows as a language takes their dates, and the columns that the model reads."""
    if language in DAYS:
        micros = rows["day"].cast(pl.Datetime("us")).dt.timestamp("us")
        days = micros.to_numpy() / 86_400_000_000  # polars multiplies by what it divides by, rounded
        rows = rows.with_columns(pl.Series("day", days).fill_nan(None))
    elif language in ("sqlite", "javascript"):
        rows = rows.with_columns(pl.col("day").cast(pl.String))
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", OPTIONS)
def test_every_kind_of_term(kind, language, tmp_path):
    options = dict(OPTIONS[kind])
    fit = fitted(options.pop("missing", "impute"), **options)
    ward = pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("rare 3")).otherwise("ward")
    far = pl.when(pl.int_range(pl.len()) == 8).then(pl.lit(7.5)).otherwise("x")
    rows = table()[:45].with_columns(far.alias("x"), ward.alias("ward") if kind == "rare" else pl.col("ward"))
    wanted = expected(fit, rows, None, None)
    assert (None in wanted[0]) == (kind == "drop")
    found = run(language, fit, given_to(language, fit, rows), ["prediction"], tmp_path)
    check(found, ["prediction"], wanted)


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_with_a_time_and_before_the_epoch(language, tmp_path):
    moments = [datetime.datetime(1899, 3, 1) + datetime.timedelta(hours=977 * k) for k in range(400)]
    rows = pl.DataFrame({"day": moments})
    y = np.cos(np.arange(400) / 7.0)
    fit = normball.fit_path(rows, y, l1_ratio=0, dates=["day"]).at(lam=0.01)
    wanted = expected(fit, rows[:60], None, None)
    found = run(language, fit, given_to(language, fit, rows[:60]), ["prediction"], tmp_path)
    check(found, ["prediction"], wanted)


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_keep_their_microseconds(language, tmp_path):
    """Days are far from 0 beside what differs within a day, so that each rounding shows."""
    rng = np.random.default_rng(9)
    micros = [0, 1, 86_399_999_999, 86_399_999_500, *rng.integers(0, 3 * 86_400_000_000, 300).tolist()]
    rows = pl.DataFrame({"day": [datetime.datetime(2026, 1, 1) + datetime.timedelta(microseconds=k) for k in micros]})
    path = normball.fit_path(rows, np.cos(np.array(micros) / 3e10), l1_ratio=0, dates=["day"], lambda_min_ratio=1e-8)
    fit = path.at(lam=float(path.lambdas[-1]))
    wanted = expected(fit, rows, None, None)
    given = given_to(language, fit, rows)
    check(run(language, fit, given, ["prediction"], tmp_path), ["prediction"], wanted)


@pytest.mark.parametrize("language", LANGUAGES)
def test_large_numbers_lose_no_digits(language, tmp_path):
    """Years and incomes as splines and in products, at the weakest penalty: terms that outweigh what they add up to."""
    rng = np.random.default_rng(5)
    income, year = rng.lognormal(10.5, 0.5, 300), rng.integers(1950, 2020, 300).astype(float)
    rows = pl.DataFrame({"income": income, "year": year, "ward": rng.choice(list("abc"), 300)})
    y = np.log(income) + 0.01 * year + rng.normal(size=300) / 3
    options = {"spline": ["income", "year"], "interact": ["income:year", "ward:income"]}
    path = normball.fit_path(rows, y, l1_ratio=0, **options)
    fit = path.at(lam=float(path.lambdas[-1]))
    wanted = expected(fit, rows[:100], None, None)
    check(run(language, fit, rows[:100], ["prediction"], tmp_path), ["prediction"], wanted)


def test_a_month_that_training_lacks_is_refused_or_counts_as_none(tmp_path):
    days = [EPOCH + datetime.timedelta(k) for k in range(150)]
    fit = normball.fit_path(pl.DataFrame({"day": days}), np.sin(np.arange(150)), l1_ratio=0, dates=["day"]).at(lam=0.1)
    rows = pl.DataFrame({"day": [datetime.date(1971, 2, 3), datetime.date(1971, 11, 3)]})
    for unknown in ("error", "baseline"):
        wanted = expected(fit, rows, None, None, unknown)
        assert (wanted[0][1] is None) == (unknown == "error")
        for language in LANGUAGES:
            given = given_to(language, fit, rows)
            found = run(language, fit, given, ["prediction"], tmp_path, unknown=unknown)
            check(found, ["prediction"], wanted)


def test_words_are_counted_by_python_and_javascript_alone(tmp_path):
    rng = np.random.default_rng(4)
    pool = ["Ärger", "prix", "straße", "don't", "a", "x1", "日本", "naïve_one", "2nd", "ⅷ½", "no"]
    text = [" ".join(rng.choice(pool, rng.integers(1, 9))) for _ in range(200)]
    text = [None if k % 19 == 0 else one for k, one in enumerate(text)]
    y = np.array([0.0 if one is None else one.lower().count("prix") + 2 * one.count("日本") for one in text])
    fit = normball.fit_path(pl.DataFrame({"note": text}), y, l1_ratio=0, text=["note"], missing="impute").at(lam=0.1)
    odd = ["PRIX  prix, Straße!", "", "unheard of", "İx ΑΣ prix\nÄRGER", "e\u0301a x1 x1 2nd ⅷ½", None]
    rows = pl.DataFrame({"note": [*text[:20], *odd]})
    wanted = expected(fit, rows, None, None)
    for language in ("python", "javascript"):
        check(run(language, fit, rows, ["prediction"], tmp_path), ["prediction"], wanted)
    for to in ("sql", "c", "onnx", "pmml", "excel"):
        with pytest.raises(ValueError, match='column "note" is text, whose words only two exports count: to="python"'):
            fit.export(to=to)


def test_text_in_the_place_of_a_date_is_no_result(tmp_path):
    fit = fitted()
    rows = table()[1:2].with_columns(day=pl.lit("soon"))
    assert run("sqlite", fit, rows, ["prediction"], tmp_path) == {"prediction": [None]}
    with pytest.raises(ValueError, match="soon"):
        run("python", fit, rows, ["prediction"], tmp_path)
    for text in ("soon", "05.04.2021", "4/5/2021", "2021-4-5"):  # some are dates to JavaScript, of the wrong day
        with pytest.raises(exported.Failed, match=f'"day" is no date: {text}'):
            run("javascript", fit, rows.with_columns(day=pl.lit(text)), ["prediction"], tmp_path)
