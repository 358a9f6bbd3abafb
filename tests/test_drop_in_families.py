"""PoissonRegressor, GammaRegressor and TweedieRegressor against scikit-learn's own."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as sk

from normball import drop_in

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4)) * [1.0, 2.0, 0.5, 1.0] + [0.0, 1.0, 0.0, 2.0]
MEAN = np.exp(0.5 * X[:, 0] - 0.2 * X[:, 1])
COUNTS = RNG.poisson(MEAN).astype(float)
AMOUNTS = MEAN * RNG.gamma(2.0, 0.5, 150)
SUMS = COUNTS * AMOUNTS
WEIGHTS = RNG.uniform(0.0, 3.0, 150)
MODELS = [
    ("PoissonRegressor", {}, COUNTS),
    ("GammaRegressor", {}, AMOUNTS),
    ("TweedieRegressor", {"power": 0}, AMOUNTS - 1.0),
    ("TweedieRegressor", {"power": 1}, COUNTS),
    ("TweedieRegressor", {"power": 1.3}, SUMS),
    ("TweedieRegressor", {"power": 1.9, "link": "log"}, SUMS),
    ("TweedieRegressor", {"power": 2}, AMOUNTS),
]


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("options", [{"alpha": 0.1}, {"alpha": 3.0, "fit_intercept": False}])
@pytest.mark.parametrize(("name", "of_family", "y"), MODELS)
def test_the_minimum_is_scikit_learns(name, of_family, y, options, weights):
    ours = getattr(drop_in, name)(**of_family, **options).fit(X, y, weights)
    exact = {"solver": "newton-cholesky", "tol": 1e-10}
    theirs = getattr(sk, name)(**of_family, **options, **exact).fit(X, y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-4)

    def objective(model):
        w = np.ones(y.size) if weights is None else weights
        loss = theirs._base_loss(y_true=y, raw_prediction=X @ model.coef_ + model.intercept_, sample_weight=w)
        return loss + options["alpha"] / 2 * (model.coef_**2).sum()

    assert objective(ours) <= objective(theirs) + ours.dual_gap_ + 1e-14
    assert objective(theirs) >= objective(ours) - ours.dual_gap_ - 1e-14
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=2e-3)
    assert ours.score(X, y, weights) == pytest.approx(theirs.score(X, y, weights), abs=1e-4)
    by_sparse = getattr(drop_in, name)(**of_family, **options).fit(sparse.csr_matrix(X), y, weights)
    np.testing.assert_allclose(by_sparse.coef_, ours.coef_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"power": 3}, "not convex in the linear predictor .* above 2 times the target"),
        ({"power": 0.5}, "not convex"),
        ({"power": -1}, "power 0 goes with the identity link"),
        ({"power": 0, "link": "log"}, "power 0 goes with the identity link"),
        ({"power": 1.5, "link": "identity"}, "from 1 to 2 with the log link"),
    ],
)
def test_losses_that_are_not_convex_are_refused(options, message):
    with pytest.raises(NotImplementedError, match=message):
        drop_in.TweedieRegressor(**options).fit(X, AMOUNTS)


@pytest.mark.parametrize(("name", "y"), [("GammaRegressor", COUNTS), ("PoissonRegressor", COUNTS - 1.0)])
def test_targets_out_of_range(name, y):
    with pytest.raises(ValueError, match="out of the valid range of the loss"):
        getattr(drop_in, name)().fit(X, y)
