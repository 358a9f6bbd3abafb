"""Ridge and RidgeCV in scikit-learn's words."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn import linear_model
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled

from normball.drop_in._common import Array, OneTarget, check_options, routed, solved, take, validated
from normball.path import fit_path


class Ridge(OneTarget, linear_model.Ridge):
    """`sklearn.linear_model.Ridge` with a certified solution; parameters and attributes are the same.

    `dual_gap_` is an attribute that scikit-learn's does not have, and `solver_` is always "normball".

    See Also
    --------
    normball.GLMRegressor : The same model in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import Ridge
    >>> model = Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    >>> model.coef_.round(3).tolist()
    [0.667]
    """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_options(self)
        if np.size(self.alpha) != 1:
            raise NotImplementedError(
                f"Ridge of normball.drop_in fits one target, so it takes one alpha, not {np.size(self.alpha)}"
            )
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        lam = float(np.ravel(self.alpha)[0]) / weights.sum()
        fit = solved(fit_path, self, X, y, sample_weight=weights, lambdas=[lam], l1_ratio=0.0).at(lam=lam)
        take(self, fit, X)
        self.dual_gap_ *= 2.0 * weights.sum()
        self.n_iter_ = np.array([fit.n_iters], dtype=np.int32)
        self.solver_ = "normball"
        return self


class RidgeCV(OneTarget, linear_model.RidgeCV):
    """`sklearn.linear_model.RidgeCV` with certified solutions; parameters and attributes are the same.

    Without `cv` each row is held out in turn. That takes one fit for each alpha: the error of a row held out is its
    residual over one minus its leverage.

    See Also
    --------
    normball.GLMRegressorCV : Cross-validation along a whole path, with the 1-SE rule.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from normball.drop_in import RidgeCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1]).fit(X, y).alpha_
    0.01
    """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the model with each alpha and keep the best one.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.
        **params : dict
            What scikit-learn's metadata routing hands to the splitter and the scorer.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_options(self)
        alphas = np.atleast_1d(np.asarray(self.alphas, dtype=float))
        if not (np.all(alphas > 0.0) or (self.cv is not None and np.all(alphas >= 0.0))):
            raise ValueError(f"alphas must be positive, but hold {alphas.min():g}")
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        if self.cv is None:
            _, to_score = routed(self, sample_weight, params)
            self._leave_one_out(X, y, weights, alphas, to_score)
        else:
            self._search(X, y, sample_weight, alphas, params)
        return self

    def _leave_one_out(self, X: Any, y: NDArray[Any], weights: Array, alphas: Array, to_score: dict[str, Any]) -> None:
        lambdas = alphas / weights.sum()
        path = solved(fit_path, self, X, y, sample_weight=weights, lambdas=lambdas, l1_ratio=0.0)
        fits = [path.at(lam=lam) for lam in lambdas]
        fitted = np.column_stack([X @ fit.coef + fit.intercept for fit in fits])
        errors = (y[:, None] - fitted) / (1.0 - _leverages(X, weights, alphas, self.fit_intercept))
        if self.scoring is None:
            held_out = weights[:, None] * errors**2
            scores = -held_out.mean(axis=0)
        else:
            held_out = y[:, None] - errors
            scorer = self._get_scorer()
            scores = np.array([scorer(_Given(), column, y, **to_score) for column in held_out.T])
        best = int(np.argmax(scores))
        self.alpha_ = float(alphas[best])
        self.best_score_ = scores[best]
        if self.store_cv_results:
            self.cv_results_ = held_out
        take(self, fits[best], X)
        self.dual_gap_ *= 2.0 * weights.sum()

    def _search(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: ArrayLike | None,
        alphas: Array,
        params: dict[str, Any],
    ) -> None:
        for option in ("store_cv_results", "alpha_per_target"):
            if getattr(self, option):
                raise ValueError(f"cv!=None and {option}=True are incompatible")
        _raise_for_params(params, self, "fit")
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        ridge = Ridge(fit_intercept=self.fit_intercept)
        if _routing_enabled():
            ridge.set_fit_request(sample_weight=True)
        search = GridSearchCV(ridge, {"alpha": alphas}, cv=self.cv, scoring=self._get_scorer())
        best = search.fit(X, y, **params).best_estimator_
        self.alpha_ = float(best.alpha)
        self.best_score_ = search.best_score_
        self.coef_, self.intercept_, self.dual_gap_ = best.coef_, best.intercept_, best.dual_gap_


class _Given(RegressorMixin, BaseEstimator):
    """A regressor whose predictions are given: scorers want an estimator."""

    def predict(self, predictions: Array) -> Array:
        return predictions


def _leverages(X: Any, weights: Array, alphas: Array, fit_intercept: bool) -> Array:
    """The diagonal of the matrix that maps y to the fit, shape (n_samples, n_alphas)."""
    n_rows, n_features = X.shape
    X = X.astype(np.float64)
    root = np.sqrt(weights)
    rows = sparse.diags_array(root) @ X
    share = root / np.sqrt(weights.sum()) if fit_intercept else np.zeros(n_rows)  # the intercept's direction
    mean = share @ rows
    if n_features < n_rows:
        moments = _dense(rows.T @ rows) - np.outer(mean, mean)
        squares, directions = np.linalg.eigh(moments)
        scores = rows @ directions - np.outer(share, mean @ directions)
        hat = scores**2 @ (1.0 / (squares.clip(0.0)[:, None] + alphas))
        return np.asarray(hat + share[:, None] ** 2)
    products = rows @ mean
    gram = _dense(rows @ rows.T) - np.outer(share, products) - np.outer(products, share)
    squares, directions = np.linalg.eigh(gram + mean @ mean * np.outer(share, share))
    squares = squares.clip(0.0)[:, None]
    return np.asarray(directions**2 @ (squares / (squares + alphas)) + share[:, None] ** 2)


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix)
