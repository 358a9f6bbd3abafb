"""Synthetic designs and targets. The order of the random draws is part of each definition: do not change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]


def autoregressive(n: int, p: int, correlation: float, rng: np.random.Generator) -> Array:
    """Columns of which each correlates with the one before."""
    X = np.empty((n, p), order="F")
    rest = np.sqrt(1 - correlation * correlation)
    previous = rng.standard_normal(n)
    X[:, 0] = previous
    for j in range(1, p):
        fresh = rng.standard_normal(n)
        previous = correlation * previous + rest * fresh if correlation else fresh
        X[:, j] = previous
    return X


def equicorrelated(n: int, p: int, correlation: float, rng: np.random.Generator) -> Array:
    """Columns of which any two correlate alike."""
    common = rng.standard_normal(n) * np.sqrt(correlation)
    X = np.empty((n, p), order="F")
    rest = np.sqrt(1 - correlation)
    for j in range(p):
        X[:, j] = common + rest * rng.standard_normal(n)
    return X


def standardise(X: Array) -> Array:
    """Centre every column and scale it to unit 1/n variance, in place."""
    for j in range(X.shape[1]):
        column = X[:, j]
        column -= column.mean()
        deviation = np.sqrt((column @ column) / len(column))
        if deviation > 0:
            column /= deviation
    return X


def spread_signal(p: int, n_true: int, rng: np.random.Generator) -> Array:
    """`n_true` coefficients, evenly spread over the columns, of random sign and size."""
    coef = np.zeros(p)
    where = np.linspace(0, p - 1, n_true).astype(int)
    coef[where] = rng.choice([-1, 1], n_true) * rng.uniform(0.5, 1.5, n_true)
    return coef


def gaussian(
    n: int, p: int, correlation: float, n_true: int, snr: float, seed: int, *, equal: bool = False
) -> tuple[Array, Array]:
    """A linear model with signal-to-noise ratio `snr`."""
    rng = np.random.default_rng(seed)
    X = standardise((equicorrelated if equal else autoregressive)(n, p, correlation, rng))
    signal = X @ spread_signal(p, n_true, rng)
    y = signal + rng.standard_normal(n) * np.sqrt(signal.var() / snr) + 1.0
    return X, y


def logistic(n: int, p: int, correlation: float, n_true: int, scale: float, seed: int) -> tuple[Array, Array]:
    """A logistic model whose linear predictor has standard deviation `scale`."""
    rng = np.random.default_rng(seed)
    X = standardise(autoregressive(n, p, correlation, rng))
    eta = X @ spread_signal(p, n_true, rng)
    eta *= scale / eta.std()
    eta += 0.3
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return X, y


def poisson(n: int = 50_000, seed: int = 11) -> tuple[Array, Array]:
    """Counts on the indicators of five categorical columns and 20 correlated numeric ones."""
    rng = np.random.default_rng(seed)
    blocks = []
    for n_levels in (20, 20, 15, 15, 10):
        shares = rng.dirichlet(np.full(n_levels, 2.0))
        level = rng.choice(n_levels, n, p=shares)
        blocks.append((level[:, None] == np.arange(n_levels)[None]).astype(float))
    X = np.asfortranarray(np.hstack([*blocks, autoregressive(n, 20, 0.5, rng)]))
    X = standardise(np.asfortranarray(X[:, X.std(0) > 0]))
    eta = X @ spread_signal(X.shape[1], 30, rng)
    eta *= 0.6 / eta.std()
    y = rng.poisson(np.exp(eta - 0.3)).astype(float)
    return X, y


def of_family(family: str, n: int, p: int, n_true: int, scale: float, seed: int) -> tuple[Array, Array]:
    """A target of one of the families with a linear predictor of standard deviation `scale`; see `_TARGETS`."""
    rng = np.random.default_rng(seed)
    X = standardise(autoregressive(n, p, 0.5, rng))
    eta = X @ spread_signal(p, n_true, rng)
    eta *= scale / eta.std()
    return X, _TARGETS[family](eta, rng)


def survival(n: int, p: int, n_true: int, scale: float, seed: int, *, days: int = 0) -> tuple[Array, Array]:
    """Exponential times with a third or so censored, in whole days of at most so many where that is not 0."""
    rng = np.random.default_rng(seed)
    X = standardise(autoregressive(n, p, 0.5, rng))
    eta = X @ spread_signal(p, n_true, rng)
    eta *= scale / eta.std()
    time = rng.standard_exponential(n) * np.exp(-eta)
    censored = rng.standard_exponential(n) * 2 * np.median(time)
    seen = np.minimum(time, censored)
    if days:
        seen = np.ceil(days * np.minimum(1.0, seen / np.quantile(seen, 0.99)))
    return X, np.column_stack([seen, time <= censored]).astype(float)


def _compound(mu: Array, rng: np.random.Generator) -> Array:
    """Amounts of power 1.5 and dispersion 1: a Poisson number of gamma sizes (Jorgensen 1987)."""
    number = rng.poisson(2 * np.sqrt(mu))
    size = rng.gamma(np.maximum(number, 1), 0.5 * np.sqrt(mu))
    return np.where(number > 0, size, 0.0)


_TARGETS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "gamma": lambda eta, rng: rng.gamma(2.0, np.exp(eta) / 2),
    "tweedie(1.5)": lambda eta, rng: _compound(np.exp(eta), rng),
    "negative_binomial(2)": lambda eta, rng: rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, eta.size)).astype(float),
    # unit errors, in one row of ten far larger ones
    "huber(1.345)": lambda eta, rng: (
        eta + rng.standard_normal(eta.size) + 20 * (rng.random(eta.size) < 0.1) * rng.standard_t(2, eta.size)
    ),
}
FAMILIES = tuple(_TARGETS)


def text(n: int = 20_000, p: int = 50_000, seed: int = 7) -> tuple[Any, dict[str, Array]]:
    """Rows like documents, weighted by tf-idf and of length 1, with a logistic and a linear target."""
    rng = np.random.default_rng(seed)
    frequency = 1.0 / (np.arange(p) + 12.0) ** 1.05
    frequency /= frequency.sum()
    cumulated = np.cumsum(frequency)
    lengths = np.maximum(5, rng.lognormal(np.log(110), 0.5, n).astype(int))
    rows = np.repeat(np.arange(n), lengths)
    columns = np.searchsorted(cumulated, rng.random(lengths.sum())).clip(0, p - 1)
    X = sp.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, p)).tocsr()
    X.sum_duplicates()
    n_documents = np.bincount(X.indices, minlength=p)
    X.data = (1 + np.log(X.data)) * np.log(n / np.maximum(n_documents[X.indices], 1))
    norms = np.sqrt(np.asarray(X.multiply(X).sum(1)).ravel())
    norms[norms == 0] = 1
    X = (sp.diags(1 / norms) @ X).tocsc()
    X.sort_indices()
    coef = np.zeros(p)
    where = rng.choice(3000, 200, replace=False)
    coef[where] = rng.standard_normal(200)
    signal = X @ coef
    eta = 3 * (signal - signal.mean()) / signal.std() - 0.2
    binomial = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    linear = signal + rng.standard_normal(n) * np.sqrt(signal.var() / 5) + 0.5
    return X, {"binomial": binomial, "gaussian": linear}


def badly_scaled(X: Array, seed: int) -> Array:
    """The columns in units from 1e-6 to 1e6, each with a mean of the size of its spread."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.permutation(np.linspace(-6, 6, X.shape[1]))
    return np.asfortranarray((X + rng.standard_normal(X.shape[1])) * scales)


def with_duplicates(X: Array, seed: int) -> Array:
    """Every column again, a third of the copies with the other sign, in random order."""
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(X.shape[1]) % 3 == 0, -1.0, 1.0)
    return np.asfortranarray(np.hstack([X, X * signs])[:, rng.permutation(2 * X.shape[1])])
