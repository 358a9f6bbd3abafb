"""What is said of survival times against R's survival (golden/cox.R)."""

from pathlib import Path

import numpy as np
import pytest

import normball as nb
from normball.survival.baseline import fit_baseline
from normball.survival.brier import brier_scores, integrated
from normball.survival.concordance import concordance
from normball.survival.horizon import check_horizon
from normball.survival.kaplan_meier import kaplan_meier
from normball.survival.proportional_hazards import proportional_hazards
from normball.survival.target import SurvivalTarget
from survival_data import GOLDEN, draw_weights, load
from test_survival_golden import name_of


def target_of(y, strata=None):
    """The package's target from columns and labels."""
    start = y[:, 0] if y.shape[1] == 3 else None
    names, codes = ((), None) if strata is None else np.unique(strata, return_inverse=True)
    return SurvivalTarget(y[:, -2], y[:, -1] == 1, start, codes, tuple(names))


def fits_with(key):
    """The frozen fits with a fact that not all have."""
    some = [frozen for frozen in GOLDEN["fits"] if key in frozen]
    return pytest.mark.parametrize("fitted", some, ids=name_of, indirect=True)


@pytest.fixture(params=GOLDEN["fits"], ids=name_of)
def fitted(request, read_shared):
    """The frozen fit, its target, features, weights and linear predictor."""
    frozen = request.param
    y, x, strata = load(frozen["study"], read_shared)
    return frozen, target_of(y, strata), x, draw_weights(frozen, len(x)), x @ frozen["beta"]


def unreached(values):
    """R has NA where a curve does not fall that far."""
    return np.array([np.inf if value is None else value for value in np.ravel(values)], dtype=float)


def test_hazards_curves_and_quantiles_are_those_of_survfit(fitted):
    frozen, target, _, w, eta = fitted
    baseline = fit_baseline(target, eta, w, frozen["ties"])
    assert list(baseline.stratum_names) == ([] if frozen["strata"] == "" else frozen["strata"])
    at = np.concatenate([[0.0], eta[:2]])
    for stratum, curve in enumerate(frozen["curves"]):
        strata = np.full(3, stratum)
        hazards = baseline.cumulative_hazard(curve["times"], at, strata)
        np.testing.assert_allclose(hazards, curve["hazards"], rtol=1e-9)
        np.testing.assert_allclose(baseline.survival(curve["times"], at, strata), curve["surv"], rtol=0, atol=1e-9)
        for p, theirs in zip((0.25, 0.5, 0.75), np.transpose(curve["quantiles"]), strict=True):
            np.testing.assert_array_equal(baseline.quantile(p, at, strata), unreached(theirs))


def test_concordance_is_that_of_survival(fitted):
    frozen, target, _, w, eta = fitted
    theirs, score = frozen["concordance"], np.floor(8 * eta) / 8
    ours = concordance(target, score, w)
    np.testing.assert_allclose([ours.concordant, ours.discordant, ours.tied], theirs["counts"][:3], rtol=1e-12)
    assert ours.index == pytest.approx(theirs["harrell"], rel=1e-12)
    if "uno" in theirs:
        assert concordance(target, score, w, kind="uno").index == pytest.approx(theirs["uno"], rel=1e-12)


def test_proportional_hazards_are_tested_as_by_cox_zph(fitted):
    frozen, target, x, w, eta = fitted
    assert set(frozen["zph"]) >= {"km", "rank", "identity"}
    for scale, theirs in frozen["zph"].items():
        ours = proportional_hazards(target, x, eta, w, ties=frozen["ties"], scale=scale)
        np.testing.assert_allclose([*ours.chi_square, ours.all_chi_square], theirs, rtol=1e-6)
        assert ours.degrees == x.shape[1]


@fits_with("kaplan_meier")
def test_kaplan_meier_curves_are_those_of_survfit(fitted):
    frozen, target, x, w, _ = fitted
    binary = x[:, next(j for j in range(x.shape[1]) if len(np.unique(x[:, j])) == 2)]
    groups = target_of(target.columns, binary)
    curves = kaplan_meier(groups, w)
    assert len(curves) == len(frozen["kaplan_meier"]) == 2
    for ours, theirs in zip(curves, frozen["kaplan_meier"], strict=True):
        np.testing.assert_allclose(ours.at(theirs["times"]), theirs["surv"], rtol=0, atol=1e-12)
        quantiles = [ours.quantile(p) for p in (0.25, 0.5, 0.75)]
        np.testing.assert_allclose(quantiles, unreached(theirs["quantiles"]), rtol=1e-12)


@fits_with("brier")
def test_brier_scores_are_those_of_pec(fitted):
    frozen, target, _, w, eta = fitted
    theirs = frozen["brier"]
    times = theirs["times"]
    model = brier_scores(target, fit_baseline(target, eta, w).survival(times, eta), times)
    np.testing.assert_allclose(model, theirs["model"], rtol=1e-10)
    (curve,) = kaplan_meier(target)
    without = brier_scores(target, np.tile(curve.at(times), (len(w), 1)), times)
    np.testing.assert_allclose(without, theirs["without"], rtol=1e-10)
    assert integrated(model, times) < integrated(without, times)


@pytest.mark.parametrize("horizon", [-1.0, 0.0, np.inf, np.nan, "soon"])
def test_a_horizon_is_a_time_after_the_start(horizon: object, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), (rng.integers(1, 90, 60), np.arange(60) % 2)
    cv = nb.cv_path(X, y, family="cox", cv=3, n_lambdas=5)
    for ask in (
        lambda: cv.path.at(n_nonzero=1).evaluate(X, y, n_bootstrap=0, horizon=horizon),
        lambda: cv.report(tmp_path / "r.html", X, y, horizon=horizon),
    ):
        with pytest.raises((ValueError, TypeError), match=r"^horizon (is|must)"):
            ask()


def test_a_horizon_of_events_at_the_last_time_has_no_other_one() -> None:
    target = SurvivalTarget(np.array([2.0, 8.0, 8.0]), np.array([False, True, True]))
    for asked in (1.0, 8.0):
        with pytest.raises(ValueError, match="all events are at 8, the last time that was seen: leave it out"):
            check_horizon(asked, "cox", target, np.ones(3))
    target = SurvivalTarget(np.array([2.0, 8.0, 9.0]), np.array([True, True, False]))
    with pytest.raises(ValueError, match=r"from there to below 9, the last time that was seen$"):
        check_horizon(1.0, "cox", target, np.ones(3))
