"""What a page holds of a Cox model, by definitions written out in NumPy."""

import json
import re

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.evidence.evidence import evidence
from normball.evidence.refound import refound
from normball.report import page_text
from normball.report.hazards import hazards
from normball.report.payload import payload
from normball.run import Run
from pages import payload_of
from test_cox import Case, grid

N, SHORT = 120, 2e-4  # what four digits leave


def told(case, horizon=None, **options):
    """The cross-validated path and its payload, through JSON as in the page."""
    given = {**case.options(), **options}
    cv = nb.cv_path(case.X, case.target, cv=4, n_lambdas=12, keep_predictions=True, **given)
    run = Run(target="time, dead", targets=("time", "dead"), horizon=horizon)
    data = refound(cv.path, case.X, case.target, sample_weight=case.weights, strata=case.strata)
    content = json.loads(json.dumps(payload(cv, run, evidence(cv, run, data)), allow_nan=False))
    return cv, content


def columns(case):
    start = case.target[:, 0] if case.target.shape[1] == 3 else np.full(N, -np.inf)
    return start, case.target[:, -2], case.target[:, -1] == 1.0


def weights_of(case):
    return np.ones(N) if case.weights is None else case.weights


def thirds(eta, w, count):
    """Equal weights by the middle of each row's share; rows alike stay together."""
    _, place = np.unique(eta.round(12), return_inverse=True)
    share = np.bincount(place, w)
    middle = (np.cumsum(share) - share / 2) / w.sum()
    return (middle * count).astype(int)[place]


def product_limit(start, stop, event, w, until):
    """Kaplan and Meier's estimate at a time and Greenwood's sum."""
    left, sum_ = 1.0, 0.0
    for t in np.unique(stop[event & (w > 0)]):
        if t <= until:
            n = w[(start < t) & (stop >= t)].sum()
            d = w[event & (stop == t)].sum()
            left *= 1 - d / n
            sum_ += d / (n * (n - d)) if n - d > 1e-9 * n else 0.0
    return left, sum_


def cumulative(case, eta, stratum, until):
    """The baseline hazard of a stratum up to a time, term by term."""
    start, stop, event = columns(case)
    w, total = weights_of(case), 0.0
    own = np.ones(N, dtype=bool) if case.strata is None else case.strata == stratum
    died = event & own & (w > 0)
    for t in np.unique(stop[died]):
        if t > until:
            continue
        tied = died & (stop == t)
        risk = (w * np.exp(eta))[own & (start < t) & (stop >= t)].sum()
        n_terms = tied.sum() if case.ties == "efron" else 1
        part = (w * np.exp(eta))[tied].sum()
        total += sum(w[tied].sum() / n_terms / (risk - step / n_terms * part) for step in range(n_terms))
    return total


@grid
def test_curves_and_calibration(ties, strata, entry, weights):
    case = Case(41, ties, strata, entry, weights, n=N)
    cv, content = told(case, horizon=float(np.quantile(columns(case)[1], 0.4)) + 1e-3 if entry else None)
    found = content["evidence"]["survival"]
    start, stop, event = columns(case)
    w = weights_of(case)
    died = np.sort(np.repeat(stop[event], np.round(2 * w[event]).astype(int)))
    quartiles = [died[int(np.ceil(share * len(died))) - 1] for share in (0.25, 0.5, 0.75)]
    asked = float(np.quantile(stop, 0.4)) + 1e-3
    horizons = sorted({*quartiles, asked} if entry else {*quartiles})
    assert found["horizons"] == pytest.approx(horizons)
    opened = horizons.index(asked if entry else quartiles[1])
    assert found["horizon"] == opened
    assert found["reached"] == pytest.approx([np.mean(died <= time) for time in horizons], abs=SHORT)
    curves, counted = found["curves"], w > 0
    assert {*found["horizons"]} <= {*curves["times"]}
    for place, index in [(0, found["at"][0]), (len(found["at"]) - 1, found["at"][-1])]:
        for k, horizon in enumerate(horizons):
            calibration_is(case, cv, found["calibration"][k], place, index, horizon)
    for place in (0, len(found["at"]) - 1):
        index = found["at"][place]
        eta = cv.predictions[:, index]
        group = np.full(N, -1)
        group[counted] = thirds(eta[counted], w[counted], 3)
        names = [g for g in range(3) if (group == g).any()]
        assert len(curves["survival"][place]) == len(names)
        for k, g in enumerate(names):
            rows = group == g
            some = start[rows], stop[rows], event[rows], w[rows]
            assert curves["ends"][place][k] == stop[rows].max()
            for t, share in zip(curves["times"], curves["survival"][place][k], strict=True):
                expected = product_limit(*some, t)[0] if t <= stop[rows].max() else None
                assert share == (None if expected is None else pytest.approx(expected, abs=SHORT))
            at_risk = [((some[0] < max(t, 1e-300)) & (some[1] >= t)).sum() for t in curves["ticks"]]
            assert curves["at_risk"][place][k] == at_risk
            assert curves["events"][place][k] == some[2].sum()


def calibration_is(case, cv, told, place, index, horizon):
    """What is told of groups with like predictions up to a time."""
    start, stop, event = columns(case)
    w = weights_of(case)
    counted, eta = w > 0, cv.predictions[:, index]
    _, codes = (None, np.zeros(N, int)) if case.strata is None else np.unique(case.strata, return_inverse=True)
    own = case.X @ cv.path.coefs[index]
    base = np.array([cumulative(case, own, stratum, horizon) for stratum in range(codes.max() + 1)])
    predicted = np.exp(-base[codes] * np.exp(eta))
    ends = np.array([stop[counted & (codes == stratum)].max() for stratum in range(codes.max() + 1)])
    counted &= horizon <= ends[codes]
    group = np.full(N, -1)
    n_groups = int(np.clip((event & counted & (stop <= horizon)).sum() // 10, 2, 10))
    group[counted] = thirds(-predicted[counted], w[counted], n_groups)
    parts = {name: told[name][place] for name in ("predicted", "observed", "se", "counts")}
    names = np.unique(group[counted])
    assert parts["counts"] == [(group == g).sum() for g in names]
    for k, g in enumerate(names):
        rows = group == g
        scale = w[rows].sum() / (w[rows] ** 2).sum()
        left, greenwood = product_limit(start[rows], stop[rows], event[rows], w[rows] * scale, horizon)
        assert parts["predicted"][k] == pytest.approx(np.average(predicted[rows], weights=w[rows]), abs=SHORT)
        seen = stop[rows].max() >= horizon
        assert parts["observed"][k] == (pytest.approx(left, abs=SHORT) if seen else None)
        assert parts["se"][k] == (pytest.approx(left * np.sqrt(greenwood), abs=SHORT) if seen else None)


@grid
def test_the_hazards_of_the_page(ties, strata, entry, weights):
    case = Case(42, ties, strata, entry, weights, n=N)
    cv, content = told(case)
    held = content["hazards"]
    for stratum in range(1 + strata):
        logs = np.cumsum(held["steps"][stratum], axis=0) / 1000 + np.array(held["centres"][stratum])[:, None]
        for index in (0, 11):
            eta = case.X @ cv.path.coefs[index]
            for k in (0, len(held["times"][stratum]) - 1):
                expected = np.log(cumulative(case, eta, stratum, held["times"][stratum][k]))
                assert logs[index, k] == pytest.approx(expected, abs=6e-4)
    assert held["strata"] == (["0", "1"] if strata else [])
    assert content["time_name"] == "time"


def test_many_times_are_thinned():
    rng = np.random.default_rng(0)
    target = np.column_stack([rng.exponential(size=1000), np.ones(1000)])
    path = nb.fit_path(rng.normal(size=(1000, 2)), target, family="cox", n_lambdas=3)
    times = hazards(path.baselines)["times"][0]
    assert len(times) == 300
    assert times[0] == pytest.approx(target[:, 0].min())
    assert times[-1] == pytest.approx(target[:, 0].max())


def test_the_first_screen_and_the_scores():
    case = Case(43, n=N)
    cv, content = told(case)
    best = cv.index_best
    assert content["answers"][best][0].endswith("explain the time to an event (time, dead)")
    assert f"the concordance is {cv.held_out.values[best]:.3f} ± " in content["answers"][best][1]
    np.testing.assert_allclose(content["cv"]["concordance"], cv.held_out.values, rtol=1e-4)
    np.testing.assert_allclose(content["cv"]["concordance_se"], cv.held_out.errors, rtol=1e-4)
    assert content["cv"]["train"] is None
    assert content["mathematics"]["of_times"]
    _, ranked = told(case, score="concordance")
    assert len(ranked["cv"]["train"]) == 12


def test_views_that_make_no_sense_are_absent():
    case = Case(44, n=N)
    cv = nb.cv_path(case.X, case.target, family="cox", cv=4, n_lambdas=12, keep_predictions=True)
    run = Run(target="time, dead", targets=("time", "dead"))
    data = refound(cv.path, case.X, case.target)
    page = page_text(cv, run, data)
    views = set(re.findall(r'data-view="(\w+)"', page))
    assert views == {"effects", "cv_curve", "features", "survival_curves", "survival_calibration", "ranges",
                     "coefficients", "breakdown"}  # fmt: skip
    assert "Not on this page" not in page
    assert "on the rows that were fitted" not in page
    assert "What is a hazard ratio?" in page
    without = page_text(cv, run)
    assert "Survival by predicted risk" in without
    assert 'data-view="survival_curves"' not in without


def test_a_page_in_python_takes_strata(tmp_path):
    case = Case(45, strata=True, entry=True, n=N)
    table = pl.DataFrame(case.X, schema=list("abcdef")).with_columns(
        since=case.target[:, 0], time=case.target[:, 1], dead=case.target[:, 2], centre=case.strata
    )
    cv = nb.cv_path(table, ["since", "time", "dead"], family="cox", strata="centre", cv=4, n_lambdas=12)
    cv.report(tmp_path / "page.html", table, ["since", "time", "dead"], strata="centre")
    assert "data-survival" in (tmp_path / "page.html").read_text()
    with pytest.raises(nb.DataError, match="E14"):
        cv.report(tmp_path / "page.html", table, ["since", "time", "dead"])


def test_a_page_in_python_takes_a_horizon(tmp_path):
    case = Case(46, n=N)
    options = {"family": "cox", "cv": 4, "n_lambdas": 12}
    cv = nb.cv_path(case.X, case.target, **options, keep_predictions=True)
    comparison = nb.compare(case.X, case.target, (0, 1), **options, keep_predictions=True)
    horizon = float(np.quantile(case.target[:, 0], 0.6))
    for result in (cv, comparison):
        result.report(tmp_path / "page.html", case.X, case.target, horizon=horizon)
        found = payload_of((tmp_path / "page.html").read_text())["evidence"]["survival"]
        assert found["horizons"][found["horizon"]] == pytest.approx(horizon, rel=1e-6)
        with pytest.raises(ValueError, match=r"horizon=1000 is not before .*, the last time that was seen: give"):
            result.report(tmp_path / "page.html", case.X, case.target, horizon=1000.0)
        with pytest.raises(TypeError, match="takes horizon= with X and y"):
            result.report(tmp_path / "page.html", horizon=horizon)
    gaussian = nb.cv_path(case.X, case.X[:, 0], cv=4, n_lambdas=5)
    with pytest.raises(ValueError, match="horizon=1 is about times to an event; this model is gaussian: leave it out"):
        gaussian.report(tmp_path / "page.html", case.X, case.X[:, 0], horizon=1.0)


def test_no_curves_of_very_many_strata():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 2))
    target = np.column_stack([rng.exponential(size=120), np.arange(120) % 2])
    path = nb.fit_path(X, target, family="cox", strata=np.arange(120) // 2, n_lambdas=3)
    assert hazards(path.baselines) is None


def test_a_null_model_at_lambda_1se_is_no_proof_of_nothing():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 8))
    target = np.column_stack([rng.exponential(np.exp(-0.5 * X[:, 0])) + 0.01, rng.random(60) < 0.6])
    cv = nb.cv_path(X, target, family="cox", keep_predictions=True)
    page = page_text(cv, Run(), refound(cv.path, X, target))
    assert cv.path.n_nonzero[cv.index_1se] == 0
    assert "<strong>lambda_1se keeps no feature.</strong>" in page
    assert "Nothing was found that helps" not in page
    at_best = page_text(cv, Run(select="best"))
    assert "lambda_1se keeps no feature." not in at_best
