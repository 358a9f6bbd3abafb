"""The losses of the benchmarks' judge against brute force, and the problems of the further families."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize_scalar

from benchmarks import generators, plans
from benchmarks.judge_losses import find_loss
from benchmarks.problems import PROBLEMS
from benchmarks.solvers import SOLVERS
from benchmarks.store import Page
from targets import BUILT, NEW, draw

FAMILIES = BUILT + NEW
SAMPLE = np.linspace(-2.5, 2.5, 11)


def few_targets(family):
    return np.unique(draw(family, np.linspace(-1, 1, 12), np.random.default_rng(3)))[:6]


def each_pair(family):
    return [(np.array([[y]]), np.array([[eta]])) for y in few_targets(family) for eta in SAMPLE]


@pytest.mark.parametrize("family", FAMILIES)
def test_derivatives_are_those_of_the_value(family):
    loss = find_loss(family)
    for y, eta in each_pair(family):
        slope = approx_fprime(eta[0], lambda e, y=y: loss.value(y, e[:, None])[0, 0], 1e-7)
        assert loss.slope(y, eta)[0, 0] == pytest.approx(slope[0], abs=2e-6, rel=1e-6)
        bend = approx_fprime(eta[0], lambda e, y=y: loss.slope(y, e[:, None])[0, 0], 1e-7)
        assert loss.bend(y, eta)[0, 0] == pytest.approx(bend[0], abs=2e-6, rel=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_conjugate_is_the_largest_distance_from_a_line(family):
    loss = find_loss(family)
    for y, eta in each_pair(family):
        v = loss.slope(y, eta)
        assert loss.inside(y, v)
        below = minimize_scalar(
            lambda e, y=y, v=v: (loss.value(y, np.array([[e]])) - v * e)[0, 0],
            bounds=(eta[0, 0] - 5, eta[0, 0] + 5), method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        assert loss.conjugate(y, v)[0, 0] == pytest.approx(-below.fun, abs=1e-8)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "gaussian"])
def test_outside_the_domain_a_line_leaves_the_loss_without_bound(family):
    loss = find_loss(family)
    far = np.array([[-300.0, 300.0]])
    for y, _ in each_pair(family):
        for v in (-50.0, 50.0):
            with np.errstate(over="ignore"):
                unbounded = np.any(v * far - loss.value(y, far) > 1000)
            assert bool(loss.inside(y, np.array([[v]]))[0, 0]) != unbounded


@pytest.mark.parametrize("family", FAMILIES)
def test_the_best_shift_leaves_no_slope(family):
    loss, rng = find_loss(family), np.random.default_rng(5)
    y = draw(family, rng.normal(size=200), rng)[:, None]
    eta = rng.normal(size=(200, 3)) * [0.1, 1.0, 2.0]
    assert np.abs(loss.slope(y, eta + loss.best_shift(y, eta)).mean(0)).max() < 1e-13


def test_a_power_without_a_closed_conjugate_is_refused():
    with pytest.raises(ValueError, match=r"1\.5 alone"):
        find_loss("tweedie(1.3)")


def test_targets_are_of_the_size_that_their_family_says():
    def moments(family):
        y = generators.of_family(family, 40_000, 5, 3, 1e-9, 1)[1]
        return y, y.mean(), y.var()

    for family, variance in {"gamma": 1 / 2, "tweedie(1.5)": 1.0, "negative_binomial(2)": 1 + 1 / 2}.items():
        y, mean, var = moments(family)
        assert mean == pytest.approx(1, abs=0.03)
        assert var == pytest.approx(variance, rel=0.05)
        assert (y.min() > 0) == (family == "gamma")
    y, _, var = moments("huber(1.345)")
    assert np.median(np.abs(y)) / 0.6745 == pytest.approx(1.1, abs=0.1)  # of the errors that are not far out
    assert var > 10


def test_every_further_family_is_tall_and_wide_and_meets_those_who_have_it():
    jobs = plans.families()
    assert {(job.problem.family, job.problem.name.rpartition("_")[2]) for job in jobs} == {
        (family, shape) for family in NEW for shape in ("tall", "wide")
    }
    sizes = {"tall": (100_000, 100), "wide": (500, 10_000)}
    met = {}
    for job in jobs:
        n, p = sizes[job.problem.name.rpartition("_")[2]]
        page = Page("", job.problem.family, 1.0, n, p, False, *[""] * 6)
        met[job.problem.name] = {name for name in job.solvers if SOLVERS[name].supports(page)}
    assert met["gamma_tall"] == {"glmnet", "glum", "adelie", "skglm"}
    assert met["tweedie_wide"] == met["negative_binomial_wide"] == {"glmnet", "adelie"}
    assert met["huber_tall"] == met["huber_wide"] == {"skglm"}
    assert all(PROBLEMS[job.problem.name] is job.problem for job in jobs)


def test_a_page_knows_the_number_of_its_family():
    page = Page("", "tweedie(1.5)", 1.0, 1, 1, False, *[""] * 6)
    assert (page.family_name, page.parameter) == ("tweedie", 1.5)
    page = Page("", "gamma", 1.0, 1, 1, False, *[""] * 6)
    assert page.family_name == "gamma"
    assert np.isnan(page.parameter)
