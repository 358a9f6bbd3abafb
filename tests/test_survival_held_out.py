"""Rows that a model of survival did not see: linear predictors of the folds, scores of other rows.

The oracles here look at every pair of rows and at every row at every time.
"""

import re

import numpy as np
import pytest

import normball as nb
from normball.survival.baseline import fit_baselines
from normball.survival.brier import brier_scores, integrated, integrated_by_weighting, times_to_integrate
from normball.survival.concordance import concordance, concordance_by_weighting
from normball.survival.expected import log_hazards_of_rows, shift_to
from normball.survival.kaplan_meier import kaplan_meier
from test_oracle_cox import grid
from test_survival import drawn


@grid
def test_hazards_of_rows_and_what_shifts_predictors(ties, strata, entry, weights):
    target, y, w, _ = drawn(5, 60, strata=strata, entry=entry, weights=weights)
    X = np.random.default_rng(6).normal(size=(60, 3))
    labels = target.codes if strata else None
    path = nb.fit_path(X, y, family="cox" if ties == "efron" else "cox(breslow)", strata=labels, sample_weight=w,
                       n_lambdas=4)  # fmt: skip
    hazards = log_hazards_of_rows(target, w, path.baselines)
    for row in range(60):
        baseline, code = path.baselines[2], target.codes[[row]]
        begin = 0.0 if target.start is None else baseline.cumulative_hazard([target.start[row]], [0.0], code)[0, 0]
        end = baseline.cumulative_hazard([target.stop[row]], [0.0], code)[0, 0]
        assert np.exp(hazards[2, row]) == pytest.approx(end - begin, abs=1e-12)
    eta = X @ path.coefs.T
    np.testing.assert_allclose(shift_to(hazards, eta, eta + 3.0, w), -3.0, atol=1e-12)
    other = np.random.default_rng(7).normal(size=eta.shape)
    shift = shift_to(hazards, eta, other, w)
    expected = [w @ (np.exp(hazards.T) * np.exp(one)) for one in (eta, other + shift)]
    np.testing.assert_allclose(*expected, rtol=1e-11)
    if ties == "breslow":  # whose martingale residuals add up to 0
        np.testing.assert_allclose(expected[0], w @ target.event, rtol=1e-11)


def test_no_event_expected_is_no_shift():
    target, _, w, _ = drawn(5, 20)
    baselines = fit_baselines(target, np.zeros((20, 1)))
    early = np.where(target.stop < target.stop[target.event].min(), 1.0, 0.0)
    hazards = log_hazards_of_rows(target, w, baselines)
    zeros = np.zeros((20, 1))
    assert shift_to(hazards, zeros, zeros + 1.0, early).tolist() == [0.0]


def test_predictions_of_folds_are_on_one_scale():
    """Columns that lie far from 0 give the same predictions, but for a number that is the same for all rows."""
    target, y, _, _ = drawn(8, 150, strata=True)
    X = np.random.default_rng(9).normal(size=(150, 3))
    lambdas = [9.0, 0.1, 0.03, 0.01, 0.001]
    options = {"family": "cox", "strata": target.codes, "lambdas": lambdas, "cv": 5, "keep_predictions": True}
    options["tol"] = 1e-10
    near, far = nb.cv_path(X, y, **options), nb.cv_path(X + 1000.0, y, **options)
    assert not near.predictions[:, 0].any()  # no feature, no difference between the folds
    moved = near.predictions + 1000.0 * near.path.coefs.sum(axis=1)
    np.testing.assert_allclose(far.predictions, moved, atol=1e-5)
    difference = near.predictions - X @ near.path.coefs.T
    assert np.abs(difference.mean(axis=0)).max() < 0.02
    for fold in range(5):  # the model of the training rows, but for one number
        train, test = np.flatnonzero(near.fold_ids != fold), np.flatnonzero(near.fold_ids == fold)
        alone = nb.fit_path(X[train], y[train], family="cox", strata=target.codes[train], lambdas=near.lambdas,
                            tol=1e-10)  # fmt: skip
        assert np.ptp(near.predictions[test] - X[test] @ alone.coefs.T, axis=0).max() < 1e-5


# scores of other rows


def pairs(stop, event, start, codes, eta, w, uno=False):
    """Concordance by its definition."""
    above = total = 0.0
    for i in np.flatnonzero(event):
        g = 1.0
        if uno:
            for t in np.unique(stop[~event & (codes == codes[i])]):
                here = (codes == codes[i]) & (stop >= t) & ~(event & (stop == t))
                if t < stop[i]:
                    g *= 1 - w[here & (stop == t)].sum() / w[here].sum()
        for j in range(len(stop)):
            later = stop[j] > stop[i] or (stop[j] == stop[i] and not event[j])
            if codes[i] == codes[j] and start[j] < stop[i] and later:
                pair = w[i] * w[j] / g**2
                total += pair
                above += pair * (1.0 if eta[i] > eta[j] else 0.5 if eta[i] == eta[j] else 0.0)
    return above / total


def uncensored(stop, event, w, at, before):
    g = 1.0
    for t in np.unique(stop[~event]):
        if t < at or (t == at and not before):
            here = (stop > t) | ((stop == t) & ~event)
            g *= 1 - w[~event & (stop == t)].sum() / w[here].sum()
    return g


def brier(stop, event, w, times, curve):
    """The integrated Brier score of curve(row, time) by its definition."""
    scores = []
    for t in times:
        one = 0.0
        for i in range(len(stop)):
            if event[i] and stop[i] <= t:
                one += w[i] * curve(i, t) ** 2 / uncensored(stop, event, w, stop[i], True)
            elif stop[i] > t:
                one += w[i] * (1 - curve(i, t)) ** 2 / uncensored(stop, event, w, t, False)
        scores.append(one / w.sum())
    return np.trapezoid(scores, times) / (times[-1] - times[0])


def deviance(target, eta, w, ties):
    """Twice the loss per event, from risk sets that are written out."""
    stop, event, codes = target.stop, target.event, target.codes
    start = np.full(len(stop), -np.inf) if target.start is None else target.start
    total = 0.0
    for code in np.unique(codes):
        for t in np.unique(stop[event & (codes == code)]):
            at_risk = (codes == code) & (start < t) & (stop >= t)
            tied = at_risk & event & (stop == t)
            n_tied = tied.sum()
            for k in range(n_tied):
                share = np.where(tied, 1 - k / n_tied, 1.0) if ties == "efron" else np.ones(len(stop))
                mean = w[tied].sum() / n_tied
                total += mean * np.log((w * share * np.exp(eta))[at_risk].sum())
                total -= mean * np.log((w * share)[tied].sum())
            total -= (w * eta)[tied].sum()
    return 2 * total / w[event].sum()


@grid
def test_scores_of_other_rows_by_their_definitions(ties, strata, entry, weights):
    family = "cox" if ties == "efron" else "cox(breslow)"
    target, y, w, _ = drawn(11, 80, strata=strata, entry=entry, weights=weights)
    rng = np.random.default_rng(12)
    X, offset = rng.normal(size=(80, 3)).round(1), rng.normal(scale=0.2, size=80).round(1)
    labels = {"strata": target.codes} if strata else {}
    path = nb.fit_path(X, y, family=family, sample_weight=w, lambdas=[0.02], **labels)
    new, new_y, v, _ = drawn(13, 50, strata=strata, entry=entry, weights=weights)
    Z = rng.normal(size=(50, 3)).round(1)
    v[:5] = 0.0
    used = v > 0
    labels = {"strata": new.codes} if strata else {}
    horizon = None if entry else float(np.median(new.stop))
    found = path.evaluate(Z, new_y, lam=0.02, sample_weight=v, n_bootstrap=0, horizon=horizon, **labels)
    rows, u = new.take(used), v[used]
    eta, start = Z[used] @ path.coefs[0], np.full(used.sum(), -np.inf) if new.start is None else new.start[used]
    given = (rows.stop, rows.event, start, rows.codes)
    assert found.scores["concordance"] == pytest.approx(pairs(*given, eta, u), rel=1e-12)
    assert found.null_scores["concordance"] == 0.5
    assert found.scores["deviance"] == pytest.approx(deviance(rows, eta, u, ties), rel=1e-12)
    assert found.null_scores["deviance"] == pytest.approx(deviance(rows, 0 * eta, u, ties), rel=1e-12)
    assert found.n_rows == 45
    if entry:
        assert list(found.scores) == ["concordance", "deviance"]
        return
    assert list(found.scores) == ["concordance", "uno", "brier", "brier_at_horizon", "deviance"]
    assert found.scores["uno"] == pytest.approx(pairs(*given, eta, u, uno=True), rel=1e-11)
    times = times_to_integrate(rows, u)
    curves = path.baselines[0].without_end()
    survival = curves.survival(times, eta, rows.codes)
    at = {t: k for k, t in enumerate(times)}
    expected = brier(rows.stop, rows.event, u, times, lambda i, t: survival[i, at[t]])
    assert found.scores["brier"] == pytest.approx(expected, rel=1e-11)
    survival_there = curves.survival([horizon], eta, rows.codes)
    expected = brier_scores(rows, survival_there, [horizon], u)[0]
    assert found.scores["brier_at_horizon"] == pytest.approx(expected, rel=1e-11)
    fitted = kaplan_meier(target, w)

    def reference(i, t):
        curve = fitted[rows.codes[i]]
        before = np.flatnonzero(curve.times <= t)
        return curve.survival[before[-1]] if len(before) else 1.0

    expected = brier(rows.stop, rows.event, u, times, reference)
    assert found.null_scores["brier"] == pytest.approx(expected, rel=1e-11)
    there = np.array([[reference(i, horizon)] for i in range(len(rows))])
    expected = brier_scores(rows, there, [horizon], u)[0]
    assert found.null_scores["brier_at_horizon"] == pytest.approx(expected, rel=1e-11)
    with_offset = nb.fit_path(X, y, family=family, offset=offset, sample_weight=w, lambdas=[0.02],
                              **({"strata": target.codes} if strata else {}))  # fmt: skip
    shifted = rng.normal(size=50)
    found = with_offset.evaluate(Z, new_y, lam=0.02, sample_weight=v, offset=shifted, n_bootstrap=0, **labels)
    assert found.null_scores["concordance"] == pytest.approx(pairs(*given, shifted[used], u), rel=1e-12)
    null = fit_baselines(target, offset[:, None], w, ties)[0].without_end().survival(times, shifted[used], rows.codes)
    expected = brier(rows.stop, rows.event, u, times, lambda i, t: null[i, at[t]])
    assert found.null_scores["brier"] == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("score", ["uno", "brier"])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_scores_of_folds_by_their_definitions(ties, strata, weights, score):
    """Held-out rows, with the probability of not being censored of all rows and the curves of the training rows."""
    family = "cox" if ties == "efron" else "cox(breslow)"
    target, y, w, _ = drawn(21, 90, strata=strata, entry=False, weights=weights)
    X = np.random.default_rng(22).normal(size=(90, 3)).round(1)
    labels = {"strata": target.codes} if strata else {}
    cv = nb.cv_path(X, y, family=family, sample_weight=w, n_lambdas=4, cv=3, score=score, tol=1e-10, **labels)
    assert (cv.score, cv.greater_is_better) == (score, score == "uno")
    times, stop, event = times_to_integrate(target, w), target.stop, target.event
    survived = {t: uncensored(stop, event, w, t, False) for t in times}
    before = np.ones(90)
    for i in np.flatnonzero(event):
        same = target.codes == target.codes[i] if score == "uno" else np.ones(90, dtype=bool)
        before[i] = uncensored(stop[same], event[same], w[same], stop[i], True)

    def judged(test, eta, curve):
        if score == "uno":
            rows = target.take(test)
            above = total = 0.0
            for i in np.flatnonzero(rows.event):
                later = (rows.stop > rows.stop[i]) | ((rows.stop == rows.stop[i]) & ~rows.event)
                pair = w[test][i] * w[test] / before[test][i] ** 2 * (later & (rows.codes == rows.codes[i]))
                total += pair.sum()
                above += (pair * (eta[i] > eta)).sum() + 0.5 * (pair * (eta[i] == eta)).sum()
            return above / total
        errors = []
        for k, t in enumerate(times):
            died, seen = event[test] & (stop[test] <= t), stop[test] > t
            error = died * curve[:, k] ** 2 / before[test] + seen * (1 - curve[:, k]) ** 2 / survived[t]
            errors.append(w[test] @ error / w[test].sum())
        return np.trapezoid(errors, times) / times[-1]

    for fold in range(3):
        test, train = np.flatnonzero(cv.fold_ids == fold), np.flatnonzero(cv.fold_ids != fold)
        alone = nb.fit_path(X[train], y[train], family=family, sample_weight=w[train], lambdas=cv.lambdas, tol=1e-10,
                            **({"strata": target.codes[train]} if strata else {}))  # fmt: skip
        for index in range(4):
            eta = X[test] @ alone.coefs[index]
            curve = alone.baselines[index].without_end().survival(times, eta, target.codes[test])
            assert cv.fold_scores[fold, index] == pytest.approx(judged(test, eta, curve), rel=1e-5)
        null = alone.baselines[0].without_features().without_end().survival(times, 0 * eta, target.codes[test])
        assert cv.null_fold_scores[fold] == pytest.approx(judged(test, 0 * eta, null), rel=1e-10)
    eta = X @ cv.path.coefs[2]
    curve = cv.path.baselines[2].without_end().survival(times, eta, target.codes)
    assert cv.train_mean[2] == pytest.approx(judged(np.arange(90), eta, curve), rel=1e-10)
    np.testing.assert_allclose(cv.fold_weights, [w[cv.fold_ids == fold].sum() for fold in range(3)])


def test_intervals_of_scores_of_times():
    """Each score lies within its interval; those of concordance and of Brier's are those of rows drawn one by one."""
    target, y, _, _ = drawn(15, 120)
    X = np.random.default_rng(16).normal(size=(120, 2))
    path = nb.fit_path(X, y, family="cox", lambdas=[0.05])
    found = path.evaluate(X, y, lam=0.05, n_bootstrap=60, random_state=3)
    for name, value in found.scores.items():
        low, high = found.intervals[name]
        assert low < value < high, name
    eta, generator = X @ path.coefs[0], np.random.default_rng(3)
    times = times_to_integrate(target)
    survival = path.baselines[0].survival(times, eta)
    drawn_scores = []
    for _ in range(60):
        w = np.bincount(generator.integers(120, size=120), minlength=120).astype(float)
        one = brier_scores(target.take(w > 0), survival[w > 0], times, w[w > 0], None)
        drawn_scores.append((concordance(target, eta, w).index, integrated(one, times)))
    low, high = np.quantile(drawn_scores, [0.025, 0.975], axis=0)
    assert found.intervals["concordance"] == pytest.approx((low[0], high[0]), rel=1e-12)
    assert found.summary().splitlines()[1].split()[0] == "model"
    groups = path.evaluate(X, y, lam=0.05, n_bootstrap=20, row_groups=np.arange(120) // 3)
    assert groups.n_groups == 40


@pytest.mark.parametrize("strata", [False, True])
def test_many_weightings_at_once(strata):
    """As one by one, rows without weight included, and as without these rows."""
    target, _, _, _ = drawn(17, 60, strata=strata)
    rng = np.random.default_rng(18)
    weightings = rng.integers(0, 3, size=(5, 60)).astype(float)
    risk, times = rng.normal(size=60), times_to_integrate(target)
    survival = rng.uniform(size=(60, len(times)))
    for judge in (
        lambda rows, w: concordance_by_weighting(target.take(rows), risk[rows], w),
        lambda rows, w: concordance_by_weighting(target.take(rows), risk[rows], w, kind="uno"),
        lambda rows, w: integrated_by_weighting(target.take(rows), survival[rows], times, w),
    ):
        found = judge(np.arange(60), weightings)
        for k, w in enumerate(weightings):
            rows = np.flatnonzero(w)
            assert found[k] == pytest.approx(judge(rows, w[None, rows])[0], rel=1e-12)


def test_what_cannot_be_scored():
    target, y, _, _ = drawn(15, 60, strata=True)
    X = np.random.default_rng(16).normal(size=(60, 2))
    path = nb.fit_path(X, y, family="cox", strata=target.codes, lambdas=[0.05])
    lacking = np.where(np.arange(60)[:, None] == 3, np.nan, y)
    for given, options, message in (
        (lacking, {"strata": target.codes}, "E04"),
        (y, {"strata": target.codes + 5}, "E09 Strata that the model does not know"),
        (y * [1, 0], {"strata": target.codes}, "E03"),
        (y[:, 0], {"strata": target.codes}, "E14"),
    ):
        with pytest.raises(nb.DataError, match=message):
            path.evaluate(X, given, lam=0.05, **options)
    with pytest.raises(ValueError, match=re.escape("fitted with strata: pass strata=")):
        path.evaluate(X, y, lam=0.05)
    model = nb.CoxRegressor(lam=0.05).fit(X, y)
    with pytest.raises(nb.DataError, match="E04"):
        model.score(X, lacking)
    gaussian = nb.fit_path(X, X[:, 0], lambdas=[0.1])
    with pytest.raises(ValueError, match="strata are of models of times to an event; this one is gaussian"):
        gaussian.evaluate(X, X[:, 0], lam=0.1, strata=target.codes)
    with pytest.raises(ValueError, match="a horizon is of models of times to an event; this one is gaussian"):
        gaussian.evaluate(X, X[:, 0], lam=0.1, horizon=2.0)
    late = np.column_stack([np.zeros(60), y])
    entered = nb.fit_path(X, late, family="cox", lambdas=[0.05])
    with pytest.raises(ValueError, match="which rows that come under observation late"):
        entered.evaluate(X, late, lam=0.05, horizon=2.0)


def test_a_horizon_beyond_all_rows_is_undefined_and_kept():
    target, y, _, _ = drawn(17, 60)
    X = np.random.default_rng(18).normal(size=(60, 2))
    path = nb.fit_path(X, y, family="cox", lambdas=[0.05])
    beyond = float(target.stop.max())
    found = path.evaluate(X, y, lam=0.05, horizon=beyond, n_bootstrap=20)
    assert np.isnan(found.scores["brier_at_horizon"])
    near = path.evaluate(X, y, lam=0.05, horizon=float(np.median(target.stop)), n_bootstrap=20)
    low, high = near.intervals["brier_at_horizon"]
    assert low < near.scores["brier_at_horizon"] < high
    assert f"Brier score at time {near.horizon:g}" in near.summary()
    again = nb.results.evaluation.Evaluation.from_dict(near.to_dict())
    assert (again.horizon, again.scores) == (near.horizon, near.scores)


def test_one_time_of_events_has_no_brier_score():
    """All events at the last time: there is none up to which to integrate."""
    X = np.random.default_rng(2).normal(size=(30, 2))
    y = np.column_stack([np.where(np.arange(30) % 2, 5.0, 2.0), np.arange(30) % 2])
    path = nb.fit_path(X, y, family="cox", lambdas=[0.01])
    assert list(path.evaluate(X, y, lam=0.01, n_bootstrap=0).scores) == ["concordance", "uno", "deviance"]
