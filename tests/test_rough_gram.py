"""X'DX in few digits, which the Newton steps of tall data take for their curvature: how far it may be off."""

import numpy as np
import pytest

import normball as nb
from normball import _native

pytestmark = pytest.mark.usefixtures("cpu_level")

BYTES = [False, True]


def rough_gram(X, d, in_bytes, seed=1):
    gram = _native.rough_gram(np.asfortranarray(X), d, in_bytes, seed)
    if gram is None:
        pytest.skip("this CPU does not multiply bytes")
    return gram + np.triu(gram, 1).T


def exact_gram(X, d):
    return X.T @ (d[:, None] * X)


def table(kind, n, p, rng):
    """Columns of one kind, centred as the engine's are."""
    X = {
        "normal": lambda: rng.normal(size=(n, p)),
        "rare": lambda: (rng.random((n, p)) < 0.002).astype(float),
        "skewed": lambda: rng.lognormal(sigma=2.5, size=(n, p)),
        "large and small": lambda: rng.normal(size=(n, p)) * 10.0 ** rng.integers(-12, 13, p),
    }[kind]()
    return X - X.mean(axis=0)


@pytest.mark.parametrize("in_bytes", BYTES)
@pytest.mark.parametrize("kind", ["normal", "rare", "skewed", "large and small"])
@pytest.mark.parametrize(("n", "p"), [(1, 1), (7, 3), (256, 16), (300, 17), (2000, 40), (5000, 100)])
def test_close_to_the_gram(in_bytes, kind, n, p):
    """In bytes, sums of squares grow by at most 64 / 126^2, and what columns share is off by chance alone. Rounding 256
    entries to the nearest of 2 * 2896 + 1 numbers misses at most 16 / 5792 of their norm."""
    rng = np.random.default_rng([n, p])
    X, d = table(kind, n, p, rng), rng.random(n)
    exact = exact_gram(X, d)
    size = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    # five deviations of z_a e_b + e_a z_b, and e_a e_b, with the mean square of e at its greatest
    noise = np.sqrt(64) / 126
    largest = (5 * 2 * noise + noise**2) * size
    off = np.abs(rough_gram(X, d, in_bytes) - exact)
    nearest = 16 / 5792
    assert (off <= (largest if in_bytes else (2 * nearest + nearest**2 + 1e-5) * size) + 1e-300).all()


@pytest.mark.parametrize("in_bytes", BYTES)
def test_a_model_of_thousands_of_rows_is_right_to_a_hundredth(in_bytes):
    """Along every direction, measured in the exact curvature."""
    rng = np.random.default_rng(0)
    X, d = rng.normal(size=(20_000, 50)), rng.random(20_000)
    root = np.linalg.cholesky(exact_gram(X, d))
    half = np.linalg.solve(root, rough_gram(X, d, in_bytes))
    assert np.abs(np.linalg.eigvalsh(np.linalg.solve(root, half.T)) - 1).max() < (1e-2 if in_bytes else 1e-4)


def test_rounding_has_no_bias():
    """Two columns of constants that lie between two bytes: rounding to the nearest would be off by 4 and 6 %."""
    n = 256 * 40
    X = np.empty((n, 2))
    X[:, 0], X[:, 1] = 0.09, -0.06
    X[::256] = 10.0, 10.0  # what sets the units of a block
    d = np.ones(n)
    exact = exact_gram(X, d)[0, 1]
    nearest = np.round(X * 12.6) / 12.6
    found = [rough_gram(X, d, True, seed=seed * 1_000_003)[0, 1] for seed in range(200)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - exact) < 4 * error
    assert abs(nearest[:, 0] @ nearest[:, 1] - exact) > 20 * error


@pytest.mark.parametrize("in_bytes", BYTES)
def test_empty_columns_and_rows(in_bytes):
    rng = np.random.default_rng(0)
    X, d = rng.normal(size=(500, 20)), rng.random(500)
    X[:, 7] = 0
    d[100:400] = 0
    X[100:400] *= 1e6  # a block's units must not come from rows without weight
    gram = rough_gram(X, d, in_bytes)
    assert (gram[7] == 0).all()
    assert (gram[:, 7] == 0).all()
    kept = d > 0
    np.testing.assert_allclose(np.diag(gram), np.diag(exact_gram(X[kept], d[kept])), rtol=0.01)


def test_no_negative_curvature():
    """The Gram of the bytes is one: copies of a column keep a small positive curvature, never a negative one."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(3000, 10)), 3, axis=1)
    values = np.linalg.eigvalsh(rough_gram(X, rng.random(3000), in_bytes=True))
    assert values[0] > 0
    assert values[19] < 0.01 * values[20]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_paths_of_skewed_columns(family):
    """Counts, indicators of few rows and large units side by side: as many steps as the curvature deserves."""
    rng = np.random.default_rng(3)
    n, p = 20_000, 60
    X = np.hstack([table(kind, n, p // 4, rng) for kind in ("normal", "rare", "skewed", "large and small")])
    eta = (X / X.std(axis=0))[:, ::6] @ rng.normal(size=10) * 0.15
    y = rng.poisson(np.exp(np.minimum(eta, 3))) if family == "poisson" else (rng.random(n) < 1 / (1 + np.exp(-eta)))
    path = nb.fit_path(X, y.astype(float), family=family, n_lambdas=50)
    assert (path.statuses == "converged").all()
    assert path.dual_gaps.max() <= 1e-6
    assert path.n_iters.mean() < 5
