"""Sparse designs of different make, and targets for them. The order of the random draws is part of each definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator


def even_rows(n: int, p: int, per_row: int, rng: Rng) -> Any:
    """Normal entries, `per_row` in every row, spread evenly over the columns."""
    return _occurring(np.repeat(np.arange(n), per_row), rng.integers(0, p, n * per_row), (n, p), rng.standard_normal)


def word_counts(n: int, n_words: int, length: int, rng: Rng) -> Any:
    """How often each word occurs in documents of `length` words in the median; frequencies fall by Zipf's law."""
    frequency = 1.0 / (np.arange(n_words) + 3.0)
    cumulated = np.cumsum(frequency / frequency.sum())
    lengths = np.maximum(5, rng.lognormal(np.log(length), 0.5, n).astype(int))
    rows = np.repeat(np.arange(n), lengths)
    words = np.searchsorted(cumulated, rng.random(rows.size)).clip(0, n_words - 1)
    return _occurring(rows, words, (n, n_words), np.ones)


def words_present(n: int, n_words: int, length: int, rng: Rng) -> Any:
    """Whether a word occurs: 0 or 1."""
    X = word_counts(n, n_words, length, rng)
    X.data[:] = 1.0
    return X


def amounts(n: int, n_items: int, per_row: int, rng: Rng) -> Any:
    """Like sums of money: the items are those of `word_counts`, an entry's logarithm has a deviation of 2."""
    X = words_present(n, n_items, per_row, rng)
    X.data = rng.lognormal(0.0, 2.0, X.nnz)
    return X


def _occurring(rows: Any, columns: Any, shape: tuple[int, int], values: Callable[[int], Array]) -> Any:
    """The matrix with the sums of the entries that fall on the same place, without its empty columns."""
    X = sp.coo_matrix((values(rows.size), (rows, columns)), shape=shape).tocsc()
    X.sum_duplicates()
    return X[:, np.diff(X.indptr) > 0]


def deviations(X: Any) -> Array:
    """The standard deviation of every column."""
    n = X.shape[0]
    means = np.asarray(X.mean(0)).ravel()
    return np.asarray(np.sqrt(np.maximum(np.asarray(X.multiply(X).sum(0)).ravel() / n - means**2, 0.0)))


def unit_deviation(X: Any) -> Any:
    """The columns that vary, divided by their deviations and not centred."""
    scales = deviations(X)
    varying = scales > 1e-12
    return (X[:, varying] @ sp.diags(1 / scales[varying])).tocsc()


def target(X: Any, family: str, n_true: int, scale: float, rng: Rng) -> Array:
    """A target whose linear predictor has `n_true` columns, drawn as often as they occur, and the deviation `scale`."""
    entries = np.diff(X.indptr)
    where = rng.choice(X.shape[1], n_true, replace=False, p=entries / entries.sum())
    coef = np.zeros(X.shape[1])
    coef[where] = rng.standard_normal(n_true) / deviations(X)[where]
    eta: Array = X @ coef
    eta = scale * (eta - eta.mean()) / eta.std()
    if family == "binomial":
        return (rng.random(eta.size) < 1 / (1 + np.exp(-eta))).astype(float)
    if family == "poisson":
        return rng.poisson(np.exp(eta - 0.3)).astype(float)
    return eta + rng.standard_normal(eta.size)
