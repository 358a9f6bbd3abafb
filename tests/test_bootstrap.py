"""Ranges of coefficients over bootstrap samples."""

import json
from dataclasses import replace

import numpy as np
import pytest

import normball as nb
from commands import fit, run
from normball import bootstrap
from normball.messages import Interrupted
from normball.path import Problem
from normball.results import facts
from payloads import described, made


def drawn(n, n_samples, seed):
    """How often each row is in each sample."""
    generator = np.random.default_rng(seed)
    return [np.bincount(generator.integers(n, size=n), minlength=n) for _ in range(n_samples)]


@pytest.mark.parametrize(("family", "l1_ratio"), [("gaussian", 1.0), ("binomial", 0.5), ("poisson", 0.0)])
def test_ranges_are_those_of_fits_one_by_one(family, l1_ratio):
    X, y = made(family, n=120)
    weights = np.random.default_rng(3).uniform(0.5, 2.0, 120)
    options = {"family": family, "l1_ratio": l1_ratio, "sample_weight": weights, "tol": 1e-10}
    cv = nb.cv_path(X, y, cv=4, n_lambdas=12, **options)
    again = cv.bootstrap(X, y, 30, sample_weight=weights, random_state=7)
    ranges = again.bootstrap_ranges
    assert (cv.bootstrap_ranges, ranges.n_fits, ranges.middle) == (None, 30, 0.9)
    assert ranges.lambdas.tolist() == sorted({cv.lambda_1se, cv.lambda_best}, reverse=True)
    lam = cv.lambda_best
    options["sample_weight"] = None
    coefs = [
        nb.fit_path(X, y, **{**options, "sample_weight": weights * counts, "lambdas": [lam]}).coefs[0]
        for counts in drawn(120, 30, 7)
    ]
    here = ranges.at(lam)
    scale = np.abs(coefs).max()
    assert here.low[0] == pytest.approx(np.quantile(coefs, 0.05, axis=0), abs=1e-5 * scale)
    assert here.high[0] == pytest.approx(np.quantile(coefs, 0.95, axis=0), abs=1e-5 * scale)
    assert here.counts[0].tolist() == np.count_nonzero(coefs, axis=0).tolist()
    assert ranges.at(2 * cv.lambda_1se) is None
    assert "30 fits at lambda" in repr(ranges)


def test_ranges_of_times_to_an_event():
    """With strata, weights and an offset, by fits one by one."""
    rng = np.random.default_rng(5)
    X, offset, codes = rng.normal(size=(120, 3)), rng.normal(scale=0.3, size=120), np.arange(120) % 2
    time, cut = rng.exponential(np.exp(-X[:, 0])), rng.exponential(2, 120)
    y, weights = (np.minimum(time, cut), time <= cut), rng.uniform(0.5, 2.0, 120)
    given = {"strata": codes, "offset": offset}
    cv = nb.cv_path(X, y, family="cox", cv=3, n_lambdas=8, sample_weight=weights, tol=1e-10, **given)
    lam = cv.lambda_best
    ranges = cv.bootstrap(X, y, 12, lambdas=[lam], sample_weight=weights, random_state=7, **given).bootstrap_ranges
    coefs = [
        nb.fit_path(X, y, family="cox", lambdas=[lam], sample_weight=weights * counts, tol=1e-10, **given).coefs[0]
        for counts in drawn(120, 12, 7)
    ]
    assert ranges.low[0] == pytest.approx(np.quantile(coefs, 0.05, axis=0), abs=1e-5)
    assert ranges.counts[0].tolist() == np.count_nonzero(coefs, axis=0).tolist()


def test_groups_are_drawn_as_wholes():
    X, y = made("gaussian", n=80)
    cv = nb.cv_path(X, y, cv=4, n_lambdas=12)
    once = cv.bootstrap(X, y, 20, lambdas=[cv.lambda_best], random_state=1).bootstrap_ranges
    three = np.repeat(np.arange(80), 3)
    tripled = nb.cv_path(X[three], y[three], lambdas=cv.lambdas, fold_groups=three, cv=4)
    drawn_together = tripled.bootstrap(
        X[three], y[three], 20, lambdas=[cv.lambda_best], row_groups=three, random_state=1
    )
    assert drawn_together.bootstrap_ranges.low[0] == pytest.approx(once.low[0], abs=1e-4)
    assert drawn_together.bootstrap_ranges.high[0] == pytest.approx(once.high[0], abs=1e-4)


def test_a_sample_without_a_class_is_drawn_anew():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.zeros(60)
    y[:3] = 1.0  # in one of twenty samples there is none of these
    cv = nb.cv_path(X, y, family="binomial", cv=3, n_lambdas=10)
    ranges = cv.bootstrap(X, y, 100).bootstrap_ranges
    assert np.isfinite(ranges.high.toarray()).all()
    assert np.isfinite(ranges.low.toarray()).all()


def test_several_outputs_and_ranges_in_a_file(tmp_path):
    X, _ = made("gaussian", n=90)
    labels = np.array(["a", "b", "c"])[np.argsort(np.argsort(X[:, 0])) * 3 // 90]
    cv = nb.cv_path(X, labels, family="multinomial", cv=3, n_lambdas=8).bootstrap(X, labels, 10)
    assert cv.bootstrap_ranges.low.shape == (cv.bootstrap_ranges.lambdas.size * 3, 6)
    assert len(cv.bootstrap_ranges.at(cv.lambda_best).low) == 3
    cv.save(tmp_path / "model.json")
    again = nb.load(tmp_path / "model.json").bootstrap_ranges
    for name in ("low", "high", "counts"):
        assert (getattr(again, name).toarray() == getattr(cv.bootstrap_ranges, name).toarray()).all()
    assert again.lambdas.tolist() == cv.bootstrap_ranges.lambdas.tolist()
    assert facts.point(cv, "1se").ranges is None  # the tables of several outputs have no room
    content = json.loads((tmp_path / "model.json").read_text())
    content["cv"]["bootstrap_ranges"]["counts"]["values"] = 11
    del content["checksum"]
    (tmp_path / "damaged.json").write_text(json.dumps(content))
    with pytest.raises(nb.DataError, match=r"cv\.bootstrap_ranges\.counts\.values\[0\] is 11"):
        nb.load(tmp_path / "damaged.json")


def test_an_interruption_keeps_the_finished_samples(monkeypatch):
    X, y = made("gaussian", n=60)
    cv = nb.cv_path(X, y, cv=3, n_lambdas=8)
    solve, calls = Problem.solve, []

    def interrupted(problem, *arguments, **options):
        calls.append(1)
        return replace(solve(problem, *arguments, **options), interrupted=len(calls) == 3)

    monkeypatch.setattr(Problem, "solve", interrupted)
    with pytest.raises(Interrupted, match="after 50 of 100 bootstrap samples") as stop:
        cv.bootstrap(X, y)
    assert stop.value.result.n_fits == 50


@pytest.mark.parametrize(("n_samples", "error"), [(0, ValueError), (-3, ValueError), (2.0, TypeError)])
def test_the_number_of_samples_is_checked(n_samples, error):
    X, y = made("gaussian", n=60)
    cv = nb.cv_path(X, y, cv=3, n_lambdas=8)
    with pytest.raises(error, match=r"n_samples is .*, but must be"):
        cv.bootstrap(X, y, n_samples)


@pytest.mark.parametrize("target", [["colour"], ["a,b", "--family", "multigaussian"]])
def test_samples_of_several_outputs_are_refused_before_the_fit(target, folder, capsys):
    words = ("fit", "t.csv", "--target", *target, "--drop", "t,w,y", "--cv", "3", "--n-lambdas", "6", "--no-compare")
    code, out, err = run(capsys, *words, "-o", "out", "--bootstrap", "10")
    assert (code, out) == (2, "")
    assert "--bootstrap is about models of one output" in err
    assert "leave it out" in err
    assert not (folder / "out").exists()
    assert run(capsys, *words, "-o", "out", "--bootstrap", "0")[0] == 0
    found = nb.load("out/model.json")
    assert (found.fold_ranges, found.bootstrap_ranges) == (None, None)  # nothing shows them


def test_the_page_has_the_ranges_per_sd():
    X, y = made("binomial", n=100)
    cv = nb.cv_path(X, y, family="binomial", cv=4, n_lambdas=12).bootstrap(X, y, 20)
    content = described(cv, X, y)
    stored = content["ranges"]
    assert stored["at"] == [cv.index_1se, cv.index_best] or cv.index_1se == cv.index_best
    place = stored["at"].index(cv.index_best)
    here = cv.bootstrap_ranges.at(cv.lambda_best)
    for j, feature in enumerate(content["features"]):
        k = cv.path.feature_names.index(feature["name"])
        assert stored["low"][place][j] == pytest.approx(here.low[0][k] * cv.path.scales[k], rel=1e-4, abs=1e-9)
        assert stored["high"][place][j] == pytest.approx(here.high[0][k] * cv.path.scales[k], rel=1e-4, abs=1e-9)
        assert stored["counts"][place][j] == here.counts[0][k]
    assert described(replace(cv, bootstrap_ranges=None), X, y)["ranges"] is None


def test_fit_tells_the_ranges(folder, capsys):
    code, out, err = fit(capsys, "--bootstrap", "30", "--seed", "4")
    assert (code, err) == (0, "")
    cv = nb.load("out/model.json")
    feature = facts.selected(facts.point(cv, "1se"))[0]
    assert "90 % of samples" in out
    assert f"{facts.signed(feature.low)} to {facts.signed(feature.high)}" in out
    assert "Samples  the middle 90 % of each coefficient per SD over 30 bootstrap samples" in out
    code, shown, _ = run(capsys, "show", "out/model.json")
    assert "90 % of samples" in shown
    code, out, _ = fit(capsys, "--bootstrap", "30", "--seed", "4", "--json")
    told = json.loads(out)["features"][0]
    assert (told["low"], told["high"], told["samples"]) == pytest.approx((feature.low, feature.high, feature.samples))


def test_fit_without_samples(folder, capsys, monkeypatch):
    assert "Samples" not in fit(capsys, "--bootstrap", "0")[1]
    assert nb.load("out/model.json").bootstrap_ranges is None
    monkeypatch.setattr("normball.cli.judge.MOST_CELLS", 100)
    out = fit(capsys)[1]
    assert "Samples  none drawn of so large a table (600 cells); --bootstrap 100 draws them" in out


def test_fit_goes_on_where_the_samples_are_interrupted(folder, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise Interrupted("Interrupted after 0 of 100 bootstrap samples")

    monkeypatch.setattr(bootstrap, "bootstrap_ranges", interrupted)
    code, out, err = fit(capsys)
    assert code == 0
    assert "Interrupted after 0 of 100 bootstrap samples; the fit goes on without the others." in err
    assert "Wrote" in out


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_ranges_over_the_folds_are_those_of_the_folds_own_models(family, tmp_path):
    X, y = made(family, n=120)
    ids = np.arange(120) % 4
    cv = nb.cv_path(X, y, family=family, fold_ids=ids, n_lambdas=12, tol=1e-10)
    ranges = cv.fold_ranges
    assert (ranges.n_fits, ranges.middle) == (4, 1.0)
    for lam in {cv.lambda_1se, cv.lambda_best}:
        own = [
            nb.fit_path(X[ids != k], y[ids != k], family=family, lambdas=[lam], tol=1e-10).coefs[0] for k in range(4)
        ]
        here = ranges.at(lam)
        assert here.low[0] == pytest.approx(np.min(own, axis=0), abs=1e-5)
        assert here.high[0] == pytest.approx(np.max(own, axis=0), abs=1e-5)
    cv.save(tmp_path / "model.json")
    again = nb.load(tmp_path / "model.json").fold_ranges
    assert (again.high.toarray() == ranges.high.toarray()).all()
    content = described(cv, X, y)
    assert content["ranges"] is None
    j = cv.path.feature_names.index(content["features"][0]["name"])
    place = content["fold_ranges"]["at"].index(cv.index_best)
    expected = ranges.at(cv.lambda_best).high[0][j] * cv.path.scales[j]
    assert content["fold_ranges"]["high"][place][0] == pytest.approx(expected, rel=1e-4)
