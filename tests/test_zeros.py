"""Zeros of counts and amounts: how many there are, and how many a family expects of held-out means."""

import numpy as np
import pytest
from scipy import stats

import normball as nb
from normball.families import find_family
from normball.scores import zeros

MEANS = np.array([0.01, 0.4, 1.0, 3.0, 25.0])


def test_poisson_and_negative_binomial_are_those_of_scipy() -> None:
    poisson = find_family("poisson").probability_of_zero(MEANS, 1.0)
    assert poisson == pytest.approx(stats.poisson.pmf(0, MEANS), rel=1e-12)
    theta = 1.7
    found = find_family(f"negative_binomial({theta})").probability_of_zero(MEANS, 1.0)
    assert found == pytest.approx(stats.nbinom.pmf(0, theta, theta / (theta + MEANS)), rel=1e-12)


@pytest.mark.parametrize(("mean", "spread", "power"), [(0.5, 1.3, 1.2), (2.0, 1.5, 1.5), (1.0, 3.0, 1.7)])
def test_tweedie_is_that_of_a_poisson_number_of_gammas(mean: float, spread: float, power: float) -> None:
    """Drawn by its definition: mean and variance, by which the parameters of the draw are checked, and then zeros."""
    rng = np.random.default_rng(0)
    rate = mean ** (2 - power) / (spread * (2 - power))
    number = rng.poisson(rate, 400_000)
    shape, scale = (2 - power) / (power - 1), spread * (power - 1) * mean ** (power - 1)
    drawn = np.where(number > 0, rng.gamma(np.maximum(number, 1) * shape, scale), 0.0)
    assert drawn.mean() == pytest.approx(mean, rel=0.02)
    assert drawn.var() == pytest.approx(spread * mean**power, rel=0.03)
    found = find_family(f"tweedie({power})").probability_of_zero(np.array([mean]), spread)
    assert found[0] == pytest.approx((drawn == 0).mean(), rel=0.02)


def inflated(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Counts, of which a third can only be zero."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 3))
    return X, rng.poisson(np.exp(1.0 + 0.5 * X[:, 0])) * (rng.uniform(size=n) > 1 / 3)


def test_zeros_of_held_out_means() -> None:
    X, y = inflated()
    weights = np.ones(y.size)
    weights[:20] = 0.0
    cv = nb.cv_path(X, y, family="poisson", sample_weight=weights, n_lambdas=15, repeats=2, keep_predictions=True)
    found = cv.diagnostics["best"]
    assert found["zeros"] == np.count_nonzero(y[20:] == 0)
    chance = np.exp(-np.exp(cv.predictions[20:, cv.index_best]))
    assert found["zeros_expected"] == pytest.approx(chance.sum(), rel=0.02)  # the predictions are means over repeats
    assert found["zeros"] > found["zeros_expected"] + 3 * found["zeros_se"]
    row = next(line for line in cv.summary().splitlines() if line.startswith("zeros (expected)"))
    assert f"{found['zeros']:,.0f} ({found['zeros_expected']:,.0f} +/- {found['zeros_se']:,.0f})" in row


def test_zeros_of_counts_that_follow_their_family() -> None:
    rng = np.random.default_rng(2)
    eta = rng.normal(size=4000)
    found = zeros(find_family("poisson"), rng.poisson(np.exp(eta)).astype(float), eta, np.ones(4000))
    assert abs(found["zeros"] - found["zeros_expected"]) < 3 * found["zeros_se"]


def test_no_zeros_where_the_family_has_none() -> None:
    X, y = inflated()
    cv = nb.cv_path(X, y + 1.0, family="gamma", n_lambdas=8, cv=3)
    assert "zeros" not in cv.diagnostics["best"]
    assert "zeros (expected)" not in cv.summary()
    counts = nb.cv_path(X, y + 50, family="poisson", n_lambdas=8, cv=3)
    assert "zeros (expected)" not in counts.summary()
