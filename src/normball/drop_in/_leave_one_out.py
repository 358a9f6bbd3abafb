"""What ridge predicts for each row from all others, without a fit for each row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]


def held_out_errors(
    X: Any, y: NDArray[Any], fitted: Array, weights: Array, alphas: Array, fit_intercept: bool
) -> Array:
    """Each row's target less its prediction from the other rows, shape (n_samples, n_targets, n_alphas).

    That is its residual over one minus its leverage. With at least as many features as rows both are proportional to
    alpha, and are taken from the dual problem, where it cancels.

    Parameters
    ----------
    X : array or sparse matrix, shape (n_samples, n_features)
        The features.
    y : array, shape (n_samples, n_targets)
        The targets.
    fitted : array, shape (n_samples, n_targets, n_alphas)
        The predictions of the model of all rows.
    weights : array, shape (n_samples,)
        The weights of the rows.
    alphas : array, shape (n_alphas,)
        The strengths, in scikit-learn's scale.
    fit_intercept : bool
        Whether the model has an intercept.
    """
    n_rows, n_features = X.shape
    X = X.astype(np.float64)
    root = np.sqrt(weights)
    rows = sparse.diags_array(root) @ X
    share = root / np.sqrt(weights.sum()) if fit_intercept else np.zeros(n_rows)  # the intercept's direction
    residuals = y[:, :, None] - fitted
    if n_features < n_rows:
        return np.asarray(residuals / (1.0 - _leverages(rows, share, alphas))[:, None, :])
    directions, inverses = _dual(rows, share, alphas)
    numerators = np.einsum("nd,da,dk->nka", directions, inverses, directions.T @ (root[:, None] * y))
    scales = root[:, None] * (directions**2 @ inverses)
    has_weight = root > 0.0  # the other rows have no part in their own predictions
    return np.asarray(np.divide(numerators, scales[:, None, :], out=residuals, where=has_weight[:, None, None]))


def _leverages(rows: Any, share: Array, alphas: Array) -> Array:
    """The diagonal of the matrix that maps y to the fit, shape (n_samples, n_alphas)."""
    mean = share @ rows
    moments = _dense(rows.T @ rows) - np.outer(mean, mean)
    squares, directions = np.linalg.eigh(moments)
    scores = rows @ directions - np.outer(share, mean @ directions)
    hat = scores**2 @ (1.0 / (squares.clip(0.0)[:, None] + alphas))
    return np.asarray(hat + share[:, None] ** 2)


def _dual(rows: Any, share: Array, alphas: Array) -> tuple[Array, Array]:
    """Eigenvectors of the centred kernel, without the intercept's, and their 1/(eigenvalue + alpha) for each alpha."""
    mean = share @ rows
    products = rows @ mean
    kernel = _dense(rows @ rows.T) - np.outer(share, products) - np.outer(products, share)
    kernel += (mean @ mean) * np.outer(share, share)
    has_intercept = bool(share.any())
    if has_intercept:  # set apart from the other directions in which the kernel is zero
        kernel += (1.0 + 2.0 * np.trace(kernel)) * np.outer(share, share)
    squares, directions = np.linalg.eigh(kernel)
    last = -1 if has_intercept else squares.size
    return directions[:, :last], 1.0 / (squares[:last].clip(0.0)[:, None] + alphas)


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix)
