"""What is said of survival times, against the oracle, by brute force, and where things are extreme."""

import doctest
import importlib
from dataclasses import replace

import numpy as np
import pytest

from normball.survival.baseline import fit_baseline
from normball.survival.brier import brier_scores, integrated
from normball.survival.censoring import CensoringCurve
from normball.survival.concordance import concordance
from normball.survival.kaplan_meier import kaplan_meier, numbers_at_risk
from normball.survival.proportional_hazards import proportional_hazards
from normball.survival.risk_sets import risk_sets
from normball.survival.target import SurvivalTarget
from normball.survival.terms import terms_of
from oracle_cox import CoxLoss
from test_oracle_cox import draw, grid

RNG = np.random.default_rng(0)


def drawn(seed, n=60, **kinds):
    """The package's target, the oracle's, and weights."""
    y, options = draw(seed, n, **kinds)
    strata = options["strata"]
    start = y[:, 0] if y.shape[1] == 3 else None
    names = () if strata is None else ("first", "second")
    target = SurvivalTarget(y[:, -2], y[:, -1] == 1, start, strata, names)
    return target, y, np.ones(n) if options["weights"] is None else options["weights"], options


@pytest.mark.parametrize("room", ["risk_sets", "baseline", "kaplan_meier", "concordance", "brier"])
def test_examples(room):
    module = importlib.import_module(f"normball.survival.{room}")
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


@grid
def test_risk_sets_and_terms_are_the_oracle_s(ties, strata, entry, weights):
    target, y, w, options = drawn(1, strata=strata, entry=entry, weights=weights)
    loss, eta = CoxLoss(y, ties=ties, **options), RNG.normal(size=60)
    terms, pi = terms_of(target, eta, w, ties), loss.pi(eta)
    np.testing.assert_allclose(terms.strength / w.sum(), loss.strengths, rtol=1e-13)
    values = RNG.normal(size=(60, 3))
    np.testing.assert_allclose(terms.mean(values), pi @ values, rtol=0, atol=1e-13)
    factors = RNG.normal(size=len(pi))
    np.testing.assert_allclose(terms.over_terms(factors), factors @ pi, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.exp(terms.log_total), (loss.a * np.exp(eta)).sum(axis=1), rtol=1e-12)


def test_nothing_cancels_with_late_entry():
    """A row of risk 1 beside one of e^100 that has left: its sum is its own."""
    target = SurvivalTarget(np.array([2.0, 5, 6, 7]), np.array([True, True, True, True]), np.array([0.0, 2, 2, 2]))
    risks = np.exp(np.array([100.0, 0, 1, 2]))
    sums = risk_sets(target).over_rows(risks)
    np.testing.assert_allclose(sums[1:], [np.exp([0, 1, 2]).sum(), np.exp([1, 2]).sum(), np.exp(2)], rtol=1e-15)


@grid
def test_baseline_by_its_definition(ties, strata, entry, weights):
    """The hazard of each term is its weight over its risk; one added to eta is taken out again."""
    target, y, w, options = drawn(2, strata=strata, entry=entry, weights=weights)
    loss, eta = CoxLoss(y, ties=ties, **options), RNG.normal(size=60)
    baseline = fit_baseline(target, eta, w, ties)
    dies = (loss.rho > 0).argmax(axis=1)
    steps = loss.strengths * w.sum() / (loss.a * np.exp(eta)).sum(axis=1)
    for stratum in range(target.n_strata):
        last = target.stop[(target.codes == stratum) & (w > 0)].max()
        for at in (0.5, 2.0, 4.0, 5.5, last):
            expected = steps[(target.codes[dies] == stratum) & (target.stop[dies] <= at)].sum()
            ours = baseline.cumulative_hazard([at], [0.0, 1.0], [stratum, stratum])
            np.testing.assert_allclose(ours[:, 0], [expected, np.e * expected], rtol=1e-12)
        assert np.isnan(baseline.survival([last + 1e-9], [0.0], [stratum])).all()
    shifted = fit_baseline(target, eta + 900.0, w, ties)
    np.testing.assert_allclose(shifted.log_hazards + 900.0, baseline.log_hazards, rtol=0, atol=1e-10)
    times = [2.0, 4.0]
    np.testing.assert_allclose(
        shifted.survival(times, eta + 900.0, target.codes), baseline.survival(times, eta, target.codes), rtol=1e-9
    )


@grid
def test_quantiles_are_where_the_curve_falls(ties, strata, entry, weights):
    target, _, w, _ = drawn(3, strata=strata, entry=entry, weights=weights)
    eta = RNG.normal(size=60)
    baseline = fit_baseline(target, eta, w, ties)
    for p in (0.1, 0.5, 0.9):
        times = baseline.quantile(p, eta, target.codes)
        for i in range(60):
            curve = baseline.times[baseline.strata == target.codes[i]]
            below = baseline.survival(curve, eta[i : i + 1], target.codes[i : i + 1])[0] <= 1 - p
            assert times[i] == (curve[below][0] if below.any() else np.inf)


def pairs(target, risk, w, strength=None, until=np.inf):
    """Concordant, discordant and tied weights, one pair after another."""
    counts, n = np.zeros(3), len(target)
    start = np.full(n, -np.inf) if target.start is None else target.start
    strength = np.ones(n) if strength is None else strength
    for i in range(n):
        if not target.event[i] or target.stop[i] > until:
            continue
        t = target.stop[i]
        for j in range(n):
            after = target.stop[j] > t or (target.stop[j] == t and not target.event[j])
            if j != i and after and start[j] < t and target.codes[i] == target.codes[j]:
                kind = 0 if risk[i] > risk[j] else 1 if risk[i] < risk[j] else 2
                counts[kind] += w[i] * w[j] * strength[i]
    return counts


@pytest.mark.parametrize("seed", range(6))
@grid
def test_concordance_by_brute_force(seed, ties, strata, entry, weights):
    target, _, w, _ = drawn(10 + seed, 40, strata=strata, entry=entry, weights=weights)
    risk = RNG.integers(0, 1 + 3 ** (seed % 4), 40) - 1.5
    until = np.inf if ties == "efron" else 4.0
    ours = concordance(target, risk, w, until=until)
    found = [ours.concordant, ours.discordant, ours.tied]
    np.testing.assert_allclose(found, pairs(target, risk, w, until=until), rtol=1e-12, atol=1e-12)
    flipped = concordance(target, -risk, w, until=until)
    assert flipped.index == pytest.approx(1 - ours.index, rel=1e-12)


def censoring_by_hand(target, w, before):
    """The product over the times of censoring before `before`, events at the same time having left."""
    left = 1.0
    for t in np.unique(target.stop[~target.event & (w > 0)]):
        if t < before:
            still = (target.stop > t) | ((target.stop == t) & ~target.event)
            left *= 1 - w[(target.stop == t) & ~target.event].sum() / w[still].sum()
    return left


@pytest.mark.parametrize("weights", [False, True])
def test_uno_s_index_and_brier_scores_by_brute_force(weights):
    target, _, w, _ = drawn(20, weights=weights)
    risk, early = RNG.normal(size=60), target.stop < 6
    kept = np.array([censoring_by_hand(target, w, t) for t in target.stop])
    strength = np.where(early, 1 / np.where(early, kept, 1) ** 2, 0)
    ours = concordance(target, risk, w, kind="uno", until=5.5)
    found = [ours.concordant, ours.discordant, ours.tied]
    np.testing.assert_allclose(found, pairs(target, risk, w, strength, until=5.5), rtol=1e-12)
    times, predicted = [2.0, 2.5, 4.0, 5.0], RNG.random((60, 4))
    expected = np.zeros(4)
    for k, t in enumerate(times):
        for i in range(60):
            if target.event[i] and target.stop[i] <= t:
                expected[k] += w[i] * predicted[i, k] ** 2 / kept[i]
            elif target.stop[i] > t:
                expected[k] += w[i] * (1 - predicted[i, k]) ** 2 / censoring_by_hand(target, w, t + 1e-9)
    scores = brier_scores(target, predicted, times, w)
    np.testing.assert_allclose(scores, expected / w.sum(), rtol=1e-12)
    assert integrated(scores, times) == pytest.approx(
        (scores[0] + scores[1]) / 12 + (scores[1] + scores[2]) / 4 + (scores[2] + scores[3]) / 6
    )


def test_without_censoring_the_weights_are_one():
    target = SurvivalTarget(np.array([1.0, 2, 3, 4]), np.ones(4, dtype=bool))
    curve = CensoringCurve.fit(target, np.ones(4))
    assert curve.before(target.stop, target.codes).tolist() == [1, 1, 1, 1]
    perfect = (target.stop[:, None] > np.array([1.5, 3.5])).astype(float)
    assert brier_scores(target, perfect, [1.5, 3.5]).tolist() == [0, 0]
    risk = [4, 3, 2, 1]
    assert concordance(target, risk, kind="uno") == concordance(target, risk)
    assert concordance(target, risk).index == 1


def test_censoring_from_other_rows():
    """Predictions for half of the rows, with the censoring of all: as if the others had weight 0 in the mean alone."""
    target, _, _, _ = drawn(21)
    half, predicted = np.arange(30), RNG.random((30, 2))
    scores = brier_scores(target.take(half), predicted, [3.0, 5.0], censoring=target)
    padded = np.vstack([predicted, np.zeros((30, 2))])
    curve, one = CensoringCurve.fit(target, np.ones(60)), np.zeros(60, dtype=int)
    t = np.array([3.0, 5.0])
    died = target.event[:, None] & (target.stop[:, None] <= t)
    errors = died * padded**2 / curve.before(target.stop, one)[:, None].clip(1e-9)
    errors += (target.stop[:, None] > t) * (1 - padded) ** 2 / curve.after(t, one[:2])
    np.testing.assert_allclose(scores, errors[:30].mean(axis=0), rtol=1e-12)


def test_what_is_not_defined_is_refused():
    late, _, _, _ = drawn(22, entry=True)
    plain, _, _, _ = drawn(22)
    eta = np.zeros(60)
    with pytest.raises(ValueError, match=r"not defined for a target \(start, stop, event\)"):
        concordance(late, eta, kind="uno")
    with pytest.raises(ValueError, match=r"not defined for a target \(start, stop, event\)"):
        brier_scores(late, np.ones((60, 1)), [3.0])
    with pytest.raises(ValueError, match="times must be below 6, the last time that was seen; the largest is 6"):
        brier_scores(plain, np.ones((60, 1)), [6.0])
    with pytest.raises(ValueError, match="kind is 'gonen'"):
        concordance(plain, eta, kind="gonen")
    with pytest.raises(ValueError, match="ties is 'exact'"):
        fit_baseline(plain, eta, ties="exact")
    with pytest.raises(ValueError, match="scale is 'sqrt'"):
        proportional_hazards(plain, eta[:, None], eta, scale="sqrt")
    with pytest.raises(ValueError, match="needs events after time 0"):
        proportional_hazards(replace(plain, stop=plain.stop - 2), eta[:, None], eta, scale="log")
    for quantile in (fit_baseline(plain, eta).quantile, lambda p, _: kaplan_meier(plain)[0].quantile(p)):
        with pytest.raises(ValueError, match="probability is 1, but must lie between 0 and 1"):
            quantile(1, eta)


@grid
def test_rows_without_weight_and_the_order_of_rows_do_not_matter(ties, strata, entry, weights):
    target, _, w, _ = drawn(23, strata=strata, entry=entry, weights=weights)
    eta, x = RNG.normal(size=60), RNG.normal(size=(60, 2))
    order = RNG.permutation(np.flatnonzero(w > 0))
    one = fit_baseline(target, eta, w, ties)
    two = fit_baseline(target.take(order), eta[order], w[order], ties)
    np.testing.assert_allclose(np.exp(one.log_hazards), np.exp(two.log_hazards), rtol=1e-12)
    assert one.ends.tolist() == two.ends.tolist()
    first = concordance(target, eta, w)
    assert concordance(target.take(order), eta[order], w[order]).index == pytest.approx(first.index, rel=1e-13)
    for scale in ("km", "rank", "identity", "log"):
        a = proportional_hazards(target, x, eta, w, ties=ties, scale=scale)
        b = proportional_hazards(target.take(order), x[order], eta[order], w[order], ties=ties, scale=scale)
        np.testing.assert_allclose(a.chi_square, b.chi_square, rtol=1e-9)


def test_kaplan_meier_is_the_share_that_is_left_where_nobody_is_censored():
    stop = RNG.integers(1, 9, 50).astype(float)
    (curve,) = kaplan_meier(SurvivalTarget(stop, np.ones(50, dtype=bool)))
    np.testing.assert_allclose(curve.at([0, *curve.times]), [1, *[(stop > t).mean() for t in curve.times]], atol=1e-14)
    assert curve.end == stop.max()
    assert np.isnan(curve.at([stop.max() + 1])).all()
    assert curve.quantile(0.61) == curve.times[(curve.survival <= 0.39).argmax()]


def test_the_median_of_a_curve_that_is_flat_at_one_half():
    target = SurvivalTarget(np.array([1.0, 2, 3, 4]), np.array([True, True, True, True]))
    (curve,) = kaplan_meier(target)
    assert curve.quantile(0.5) == 2.5
    (curve,) = kaplan_meier(replace(target, event=np.array([True, True, False, False])))
    assert (curve.quantile(0.5), curve.quantile(0.6)) == (3.0, np.inf)


@grid
def test_numbers_at_risk(ties, strata, entry, weights):
    target, _, w, _ = drawn(24, strata=strata, entry=entry, weights=weights)
    start = np.zeros(60) if target.start is None else target.start
    table = numbers_at_risk(target, [0.5, 2, 4, 9], w)
    for stratum in range(target.n_strata):
        own = target.codes == stratum
        for k, t in enumerate([0.5, 2, 4, 9]):
            assert table[stratum, k] == pytest.approx(w[own & (start < t) & (t <= target.stop)].sum())
    for stratum, curve in enumerate(kaplan_meier(target, w)):
        np.testing.assert_allclose(curve.at_risk, numbers_at_risk(target, curve.times, w)[stratum])


def late_effect(seed, n=400):
    """Times at which the first feature acts only late, and the second one all the time."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    early = rng.exponential(np.exp(-0.2 * x[:, 1]))
    after = rng.exponential(np.exp(-0.2 * x[:, 1] - 1.5 * x[:, 0]))
    time = np.where(early < 0.5, early, 0.5 + after)
    cut = rng.exponential(4, n)
    return SurvivalTarget(np.minimum(time, cut), time <= cut), x


def fitted_by_newton(target, x, ridge=0.0):
    y, b = target.columns, np.zeros(x.shape[1])
    loss = CoxLoss(y)
    for _ in range(20):
        slope = x.T @ loss.gradient(x @ b) + ridge * b
        b -= np.linalg.solve(x.T @ loss.hessian(x @ b) @ x + ridge * np.eye(len(b)), slope)
    return b


def test_an_effect_that_grows_is_found_and_told_from_one_that_stays():
    target, x = late_effect(1)
    b = fitted_by_newton(target, x)
    found = proportional_hazards(target, x, x @ b)
    assert found.p_values[0] < 1e-6
    assert found.slopes[0] > 0
    assert found.p_values[1:].min() > 0.01
    assert found.all_p_value < 1e-6
    scaled = proportional_hazards(target, x * [100, 1, 1], x @ b)
    np.testing.assert_allclose(scaled.slopes * [100, 1, 1], found.slopes, rtol=1e-9)
    np.testing.assert_allclose(scaled.chi_square, found.chi_square, rtol=1e-9)


def test_a_penalty_does_not_look_like_a_change():
    """Coefficients that are held back leave the test of the others much as it is at the unpenalised fit."""
    target, x = late_effect(2)
    free = proportional_hazards(target, x, x @ fitted_by_newton(target, x))
    held = proportional_hazards(target, x, x @ fitted_by_newton(target, x, ridge=0.02))
    np.testing.assert_allclose(held.chi_square, free.chi_square, rtol=0.15, atol=0.3)


def test_features_that_depend_on_one_another_have_no_test_of_their_own():
    target, x = late_effect(3)
    double = np.column_stack([x, x[:, 0] + x[:, 1], np.ones(len(x))])
    eta = x @ fitted_by_newton(target, x)
    one, two = proportional_hazards(target, x, eta), proportional_hazards(target, double, eta)
    assert two.degrees == 3
    assert two.all_chi_square == pytest.approx(one.all_chi_square, rel=1e-8)
    assert np.isnan(two.chi_square[4])
    assert two.chi_square[2] == pytest.approx(one.chi_square[2], rel=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_extremes(ties):
    """Linear predictors from -500 to 500, one row in the last risk set, all events tied, a stratum without any."""
    target, _, w, _ = drawn(25, strata=True, entry=True, weights=True)
    eta = np.linspace(-500, 500, 60)
    for spread in (eta, eta[::-1].copy(), 3 * eta * (-1) ** np.arange(60)):
        baseline = fit_baseline(target, spread, w, ties)
        assert np.isfinite(baseline.log_hazards).all()
        wide = proportional_hazards(target, np.ones((60, 2)), spread, w, ties=ties)
        assert np.isnan(wide.chi_square).all()
    baseline = fit_baseline(target, eta, w, ties)
    survival = baseline.survival([2.0, 4.0], eta, target.codes)
    assert ((survival >= 0) & (survival <= 1)).all()
    tied = SurvivalTarget(np.full(5, 3.0), np.ones(5, dtype=bool))
    expected = sum(1 / (5 - l) for l in range(5)) if ties == "efron" else 1.0  # noqa: E741
    assert np.exp(fit_baseline(tied, np.zeros(5), ties=ties).log_hazards) == pytest.approx(expected)
    assert np.isnan(concordance(tied, np.arange(5)).index)
    codes, names = np.array([0, 0, 0, 1, 1]), ("busy", "idle")
    idle = SurvivalTarget(np.arange(1.0, 6), np.array([1, 0, 1, 0, 0]) == 1, None, codes, names)
    baseline = fit_baseline(idle, np.zeros(5), ties=ties)
    assert baseline.cumulative_hazard([4.5], [0.0], [1])[0, 0] == 0
    assert baseline.quantile(0.5, [0.0, 0.0], [1, 0]).tolist() == [np.inf, 3.0]
    assert [curve.at([4.5]).tolist() for curve in kaplan_meier(idle)][1] == [1.0]


@pytest.mark.parametrize("seed", range(12))
def test_hazards_by_the_logarithms_of_explicit_sums(seed):
    rng = np.random.default_rng(seed)
    n, names = 40, tuple("ab")
    target = SurvivalTarget(np.ceil(9 * rng.random(n)), rng.random(n) < 0.6, None, rng.integers(0, 2, n), names)
    w = rng.random(n) * (rng.random(n) > 0.3)
    eta = rng.normal(size=n) * (1.0, 30.0, 600.0)[seed % 3]
    found = fit_baseline(target, eta, w, "breslow")
    with np.errstate(divide="ignore"):
        risks = np.log(w) + eta
    for k, (time, stratum) in enumerate(zip(found.times, found.strata, strict=True)):
        steps = []
        for at in found.times[(found.strata == stratum) & (found.times <= time)]:
            own = target.strata == stratum
            died = w[own & (target.stop == at) & target.event].sum()
            steps.append(np.log(died) - np.logaddexp.reduce(risks[own & (target.stop >= at)]))
        assert died > 0.0
        assert found.log_hazards[k] == pytest.approx(np.logaddexp.reduce(steps), rel=1e-12, abs=1e-12)


def test_many_rows_on_few_times_are_fast_and_right():
    """100,000 rows on 100 times: each pair of sums against plain sums at one of them."""
    n = 100_000
    rng = np.random.default_rng(4)
    stop = rng.integers(1, 101, n).astype(float)
    start = np.where(rng.random(n) < 0.5, 0.0, stop - rng.integers(1, 100, n)).clip(0, None)
    target = SurvivalTarget(stop, rng.random(n) < 0.5, np.minimum(start, stop - 1))
    eta, at = rng.normal(size=n), 40.0
    sets = risk_sets(target)
    here = (target.start < at) & (stop >= at)
    assert sets.over_rows(np.exp(eta))[39] == pytest.approx(np.exp(eta[here]).sum(), rel=1e-12)
    step = np.diff(np.exp(fit_baseline(target, eta, ties="breslow").log_hazards))[38]
    assert step == pytest.approx((target.event & (stop == at)).sum() / np.exp(eta[here]).sum(), rel=1e-9)
    assert concordance(target, eta).index == pytest.approx(0.5, abs=0.01)
