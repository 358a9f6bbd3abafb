"""Lasso, ElasticNet, LassoCV and ElasticNetCV in scikit-learn's words."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import linear_model
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar

from normball.batch import fit_paths
from normball.cv import CVPath, cv_path
from normball.drop_in._common import (
    Absent,
    Array,
    SparseInput,
    mean_over_folds,
    one_target,
    routed,
    set_fitted,
    solved,
    take,
    tolerance,
    validated,
    warn_unsolved,
)
from normball.drop_in._gram import check_gram
from normball.drop_in._path_down import OneStrength
from normball.results.fit import Fit
from normball.results.path import Path

_NO_PATH = "normball.fit_path fits one"
_RESOLUTION = float(np.finfo(float).resolution)


class _AtOneAlpha(SparseInput):
    """Fitting at the given `alpha` and `l1_ratio`."""

    path = Absent(_NO_PATH)
    _validate_params: Any
    alpha: float
    fit_intercept: bool
    l1_ratio: float
    max_iter: int
    positive: bool
    warm_start: bool
    _together = False  # whether several targets are one problem
    _reached: float  # the strength at which the last fit ended

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, check_input: bool = True) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target, or several, each of which gets a model of its own.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; only their ratios matter.
        check_input : bool, default=True
            Checks are cheap and always made.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._validate_params()
        if self.alpha == 0:
            warnings.warn(  # scikit-learn's own words
                "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression "
                "estimator",
                UserWarning,
                stacklevel=2,
            )
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        y = self._targets(y)
        check_gram(self, X, weights)
        problem = OneStrength(
            X, weights, self.alpha, self.l1_ratio, bool(self.fit_intercept), self.positive, self._together
        )
        targets = y.reshape(y.shape[0], -1)
        if self.warm_start and self._is_known(problem, targets, y):
            return self
        grid = problem.grid(targets)
        if self.warm_start and hasattr(self, "_reached"):
            grid = grid[(grid < self._reached) | (grid == self.alpha)]
        grid = grid[: self.max_iter]
        fits = [_end(path, self.max_iter) for path in self._paths(X, y, weights, grid)]
        take(self, fits, X, y)
        self._reached = max(fit.lam for fit in fits)
        if self._reached > self.alpha:
            parts = zip(self._parts(targets), fits, strict=True)
            gaps = [problem.gap(part, np.atleast_2d(fit.coef))[0] for part, fit in parts]
            self.dual_gap_ = np.array(gaps) if len(gaps) > 1 else gaps[0]
        if self._reached > self.alpha or any(fit.status != "converged" for fit in fits):
            warn_unsolved(self, stacklevel=2)
        return self

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """The targets, in the dimensions that the model takes."""
        return y

    def _parts(self, targets: NDArray[Any]) -> list[NDArray[Any]]:
        """The columns of the targets (n_samples, n_targets) that one problem has to do with."""
        return [targets] if self._together else list(targets.T[:, :, None])

    def _paths(self, X: Any, y: NDArray[Any], weights: Array, grid: Array) -> Sequence[Path]:
        """The paths down `grid`, one for each problem."""
        return solved(fit_paths, self, X, y, warns=False, sample_weight=weights, lambdas=grid, l1_ratio=self.l1_ratio)

    def _is_known(self, problem: OneStrength, targets: NDArray[Any], y: NDArray[Any]) -> bool:
        """Whether the coefficients of the last fit solve this problem; if so, they are kept."""
        coefs = np.atleast_2d(np.asarray(getattr(self, "coef_", ()), dtype=float))
        if coefs.shape != (targets.shape[1], problem.X.shape[1]) or (self.positive and (coefs < 0.0).any()):
            return False
        parts = self._parts(targets)
        found = [problem.gap(part, own) for part, own in zip(parts, np.split(coefs, len(parts)), strict=True)]
        if not all(gap <= tolerance(self) * null_loss for gap, null_loss, _ in found):
            return False
        set_fitted(
            self,
            problem.X,
            y,
            coefs=coefs,
            intercepts=np.concatenate([intercepts for _, _, intercepts in found]),
            gaps=np.array([gap for gap, _, _ in found]),
            n_iters=[0] * len(found),
        )
        return True


def _end(path: Path, max_iter: int) -> Fit:
    """The last point of the path within `max_iter` iterations from its beginning, with the number of them."""
    totals = np.cumsum(path.n_iters)
    last = max(0, int(np.searchsorted(totals, max_iter, side="right")) - 1)
    return replace(path.at(lam=path.lambdas[last]), n_iters=int(totals[last]))


class Lasso(_AtOneAlpha, linear_model.Lasso):
    """`sklearn.linear_model.Lasso` with a certified solution; parameters and attributes are the same.

    See Also
    --------
    normball.GLMRegressor : The same model in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    >>> round(float(model.coef_.sum()), 6), round(float(model.intercept_), 6)
    (0.85, 0.15)
    """


class ElasticNet(_AtOneAlpha, linear_model.ElasticNet):
    """`sklearn.linear_model.ElasticNet` with a certified solution; parameters and attributes are the same.

    See Also
    --------
    normball.GLMRegressor : The same model in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import ElasticNet
    >>> model = ElasticNet(alpha=0.1).fit([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    >>> model.coef_.round(3).tolist()
    [0.446, 0.446]
    """


class _AtBestAlpha(SparseInput):
    """Fitting at the `alpha` and `l1_ratio` with the least mean squared error of cross-validation."""

    path = Absent(_NO_PATH)
    _validate_params: Any
    alphas: Any
    cv: Any
    eps: float

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the paths, cross-validate them and keep the best model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows in the fits and in the error of each fold; folds count alike. A fold whose held-out
            rows weigh nothing has no error: it is left out of the mean, with a warning.
        **params : dict
            What scikit-learn's metadata routing hands to the splitter.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._validate_params()
        to_split, _ = routed(self, sample_weight, params)
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        y = self._targets(y)
        check_gram(self, X, weights)
        folds = list(check_cv(self.cv).split(X, y, **to_split))
        l1_ratios = np.atleast_1d(getattr(self, "l1_ratio", 1.0))
        results: list[CVPath] = [
            solved(
                cv_path,
                self,
                X,
                y,
                sample_weight=weights,
                cv=folds,
                score="mse",
                l1_ratio=l1_ratio,
                **self._family(y),
                **self._grid(float(l1_ratio)),
            )
            for l1_ratio in l1_ratios
        ]
        alphas = np.array([self._alphas_of(result.path) for result in results])
        places = [_places(result.path, own) for result, own in zip(results, alphas, strict=True)]
        errors = np.array([result.fold_scores[:, at] for result, at in zip(results, places, strict=True)])
        means = mean_over_folds(self, errors.swapaxes(0, 1))
        which, point = np.unravel_index(np.nanargmin(means), alphas.shape)
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        self.alphas_ = alphas if isinstance(self.alphas, Integral) and len(results) > 1 else alphas[0]
        self.alpha_ = float(alphas[which, point])
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = float(l1_ratios[which])
        best = results[which].path
        take(self, [best.at(lam=best.lambdas[places[which][point]])], X, y)
        return self

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """The targets, in the dimensions that the model takes."""
        return one_target(self, y)

    def _family(self, y: NDArray[Any]) -> dict[str, Any]:
        """What `cv_path` is told about the model."""
        return {"family": "gaussian"}

    def _grid(self, l1_ratio: float) -> dict[str, Any]:
        """What `cv_path` is told about the strengths."""
        if not isinstance(self.alphas, Integral):
            for index, alpha in enumerate(self.alphas):
                check_scalar(alpha, f"alphas[{index}]", Real, min_val=0.0, include_boundaries="left")
                if not np.isfinite(alpha):
                    raise ValueError(f"alphas[{index}] == {alpha}, must be finite.")
            return {"lambdas": self.alphas}
        if l1_ratio == 0.0:
            raise ValueError(  # scikit-learn's own words
                "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid by providing "
                "your estimator with the appropriate `alphas=` argument."
            )
        if self.eps > 1.0:
            raise ValueError(f"eps == {self.eps}, must be <= 1: it is the smallest alpha over the largest.")
        return {"n_lambdas": self.alphas, "lambda_min_ratio": self.eps} if self.eps < 1.0 else {"n_lambdas": 1}

    def _alphas_of(self, path: Path) -> Array:
        """The strengths as scikit-learn shows them: descending; where there is one alone, as often as was asked."""
        if not isinstance(self.alphas, Integral):
            return np.sort(np.asarray(self.alphas, dtype=float))[::-1]
        if path.lambda_max <= _RESOLUTION:  # nothing to explain
            return np.full(self.alphas, _RESOLUTION)
        return path.lambdas if self.eps < 1.0 else np.full(self.alphas, path.lambda_max)


def _places(path: Path, alphas: Array) -> NDArray[np.intp]:
    """Where the `alphas`, which may be repeated, stand in the grid of the path."""
    return np.asarray(abs(path.lambdas[:, None] - alphas).argmin(axis=0))


class LassoCV(_AtBestAlpha, linear_model.LassoCV):
    """`sklearn.linear_model.LassoCV` with certified solutions; parameters and attributes are the same.

    All folds are solved together over one matrix.

    See Also
    --------
    normball.GLMRegressorCV : The same model in normball's words, with the 1-SE rule.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from normball.drop_in import LassoCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LassoCV(cv=5).fit(X, y)
    >>> model.mse_path_.shape, int((model.coef_ != 0).sum())
    ((100, 5), 9)
    """


class ElasticNetCV(_AtBestAlpha, linear_model.ElasticNetCV):
    """`sklearn.linear_model.ElasticNetCV` with certified solutions; parameters and attributes are the same.

    All folds are solved together over one matrix.

    See Also
    --------
    normball.GLMRegressorCV : The same model in normball's words, with the 1-SE rule.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from normball.drop_in import ElasticNetCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> ElasticNetCV(l1_ratio=[0.5, 0.9], cv=5).fit(X, y).mse_path_.shape
    (2, 100, 5)
    """
