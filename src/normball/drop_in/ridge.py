"""Ridge and RidgeCV in scikit-learn's words."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn import linear_model
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_scalar
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled

from normball.batch import fit_paths
from normball.drop_in._common import Array, SparseInput, mean_over_folds, routed, solved, take, validated
from normball.drop_in._leave_one_out import held_out_errors


class Ridge(SparseInput, linear_model.Ridge):
    """`sklearn.linear_model.Ridge` with a certified solution; parameters and attributes are the same.

    `dual_gap_` is an attribute that scikit-learn's does not have. There is one way to the minimum, so `solver_` repeats
    the `solver` that was asked for, and is "normball" for "auto".

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
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target, or several.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._validate_params()
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        alphas = np.asarray(self.alpha, dtype=float).ravel()
        if alphas.size not in (1, n_targets):
            raise ValueError(  # scikit-learn's own words
                f"Number of targets and number of penalties do not correspond: {alphas.size} != {n_targets}"
            )
        lambdas = np.broadcast_to(alphas / weights.sum(), n_targets)
        paths = solved(fit_paths, self, X, y, sample_weight=weights, lambdas=lambdas, l1_ratio=0.0)
        fits = [path.at(lam=lam) for path, lam in zip(paths, lambdas, strict=True)]
        take(self, fits, X, y, scale=2.0 * weights.sum())
        self.n_iter_ = np.array([fit.n_iters for fit in fits], dtype=np.int32)
        self.solver_ = "normball" if self.solver == "auto" else self.solver
        return self


class RidgeCV(SparseInput, linear_model.RidgeCV):
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
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target, or several.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.
        **params : dict
            What scikit-learn's metadata routing hands to the splitter and the scorer.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._validate_params()
        self._check_alphas()
        alphas = np.atleast_1d(np.asarray(self.alphas, dtype=float))
        if self.cv is not None:
            for option in ("store_cv_results", "alpha_per_target"):
                if getattr(self, option):
                    raise ValueError(f"cv!=None and {option}=True are incompatible")
        if self.gcv_mode == "svd" and sparse.issparse(X):
            warnings.warn(  # a deprecation of scikit-learn, in its words
                "The 'svd' mode is not supported for sparse X, fallback to 'eigen'. Passing gcv_mode='svd' with sparse "
                "X will raise an error in scikit-learn 1.11.",
                FutureWarning,
                stacklevel=2,
            )
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        if self.cv is None:
            _, to_score = routed(self, sample_weight, params)
            self._leave_one_out(X, y, weights, alphas, to_score)
        else:
            self._search(X, y, sample_weight, alphas, params)
        return self

    def _check_alphas(self) -> None:
        check = partial(
            check_scalar,
            target_type=Real,
            min_val=0.0,
            include_boundaries="neither" if self.cv is None else "left",
        )
        if np.size(self.alphas) == 1:
            check(np.ravel(self.alphas)[0], "alphas")
        else:
            for index, alpha in enumerate(self.alphas):
                check(alpha, f"alphas[{index}]")

    def _leave_one_out(self, X: Any, y: NDArray[Any], weights: Array, alphas: Array, to_score: dict[str, Any]) -> None:
        lambdas = alphas / weights.sum()
        paths = solved(fit_paths, self, X, y, sample_weight=weights, lambdas=lambdas, l1_ratio=0.0)
        fits = [[path.at(lam=lam) for lam in lambdas] for path in paths]
        fitted = np.array([[X @ fit.coef + fit.intercept for fit in of_target] for of_target in fits])
        targets = y.reshape(y.shape[0], -1)
        errors = held_out_errors(X, targets, fitted.transpose(2, 0, 1), weights, alphas, self.fit_intercept)
        if self.scoring is None:
            held_out = weights[:, None, None] * errors**2
            scores = -held_out.mean(axis=0)
            scores = scores if self.alpha_per_target else scores.mean(axis=0, keepdims=True)
        else:
            held_out = targets[:, :, None] - errors
            scores = self._scores(held_out, y, to_score)
        best = np.array([_first_best(of_target) for of_target in scores])
        alpha, score = alphas[best], scores[np.arange(best.size), best]
        is_one = best.size == 1
        self.alpha_: Any = float(alpha[0]) if is_one else alpha
        self.best_score_: Any = score[0] if is_one else score
        if self.store_cv_results:
            self.cv_results_ = (held_out if y.ndim == 2 else held_out[:, 0]).astype(X.dtype)
        chosen = np.broadcast_to(best, len(paths))
        take(self, [of_target[at] for of_target, at in zip(fits, chosen, strict=True)], X, y, scale=2.0 * weights.sum())

    def _scores(self, predictions: Array, y: NDArray[Any], to_score: dict[str, Any]) -> Array:
        """What the scorer says about held-out predictions (n_samples, n_targets, n_alphas): a row a choice of alpha."""
        scorer = self._get_scorer()
        if self.alpha_per_target and y.ndim == 2:
            of_targets = [(predictions[:, k], y[:, k]) for k in range(y.shape[1])]
        else:
            of_targets = [(predictions.reshape(*y.shape, -1), y)]
        n_alphas = predictions.shape[-1]
        return np.array(
            [
                [scorer(_Given(), predicted[..., at], target, **to_score) for at in range(n_alphas)]
                for predicted, target in of_targets
            ]
        )

    def _search(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: ArrayLike | None,
        alphas: Array,
        params: dict[str, Any],
    ) -> None:
        _raise_for_params(params, self, "fit")
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        ridge = Ridge(fit_intercept=self.fit_intercept)
        if _routing_enabled():
            ridge.set_fit_request(sample_weight=True)

        def best_mean(results: dict[str, Any]) -> int:
            by_fold = [results[name] for name in results if name.startswith("split")]
            means = mean_over_folds(self, np.array(by_fold))
            at = _first_best(means)
            self.best_score_ = means[at]
            return at

        search = GridSearchCV(ridge, {"alpha": alphas}, cv=self.cv, scoring=self._get_scorer(), refit=best_mean)
        best = search.fit(X, y, **params).best_estimator_
        self.alpha_ = float(best.alpha)
        self.coef_, self.intercept_, self.dual_gap_ = best.coef_, best.intercept_, best.dual_gap_


class _Given(RegressorMixin, BaseEstimator):
    """A regressor whose predictions are given: scorers want an estimator."""

    def predict(self, predictions: Array) -> Array:
        return predictions


def _first_best(scores: Array) -> int:
    """Where the largest score is; the first alpha where there is no score."""
    return int(np.nanargmax(scores)) if not np.isnan(scores).all() else 0
