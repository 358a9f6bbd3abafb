"""A Gram matrix given as `precompute`: it is checked, and not needed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array


def check_gram(model: Any, X: Any, weights: NDArray[np.float64]) -> None:
    """Check that a Gram matrix in `model.precompute` is that of the data, as scikit-learn would use it.

    scikit-learn's answer is that of the given matrix, this one that of the data. So a matrix that is not `X'WX` (the
    weights summing to the number of rows) is an error; one of columns with a mean is replaced, in both.
    """
    if isinstance(model.precompute, bool | str) or sparse.issparse(X):
        return
    gram = check_array(model.precompute, dtype=[np.float64, np.float32], input_name="precompute")
    n_rows, n_features = X.shape
    if gram.shape != (n_features, n_features):
        raise ValueError(f"precompute has shape {gram.shape}, but X has {n_features} features")
    if model.fit_intercept and not np.allclose(np.average(X, axis=0, weights=weights), 0.0):
        warnings.warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix.",
            UserWarning,
            stacklevel=3,
        )
        return
    weights = weights * (n_rows / weights.sum())
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=n_features).astype(X.dtype)
    wanted = X.T @ (weights * (X @ signs))  # every entry counts, for the price of two products with X
    norms = np.sqrt(weights @ np.square(X))
    share = 1e-4 if np.float32 in (gram.dtype, X.dtype) else 1e-7
    wrong = abs(gram @ signs - wanted) > share * norms * norms.sum() + 1e-5
    if wrong.any():
        raise ValueError(
            f"Gram matrix passed in via 'precompute' parameter did not pass validation: {int(wrong.sum())} of its "
            f"{n_features} rows, first row {int(np.argmax(wrong))}, are not those of X'X. Leave precompute out; no "
            f"Gram matrix is needed."
        )
