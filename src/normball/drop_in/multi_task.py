"""MultiTaskLasso, MultiTaskElasticNet and their CV twins in scikit-learn's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import linear_model

from normball.drop_in._common import Array, solved
from normball.drop_in.linear import _AtBestAlpha, _AtOneAlpha
from normball.path import fit_path
from normball.results.path import Path


class _Together:
    """Several targets whose coefficients for a feature are penalised together, by their length."""

    _together = True
    positive = False  # what scikit-learn's models of one target have beside
    precompute = False
    coef_: Array

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        if y.ndim == 1:
            single = type(self).__name__.removeprefix("MultiTask")
            raise ValueError(f"For mono-task outputs, use {single}: y has one dimension")
        return y

    def _family(self, y: NDArray[Any]) -> dict[str, Any]:
        if y.shape[1] == 1:
            return {"family": "gaussian"}
        return {"family": "multigaussian", "grouped": True}


class _TogetherAtOneAlpha(_Together, _AtOneAlpha):
    """Fitting at the given `alpha` and `l1_ratio`."""

    tol: float

    def fit(  # type: ignore[override]  # in scikit-learn too there is no check_input here
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples, n_targets)
            The targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; only their ratios matter.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        super().fit(X, y, sample_weight)
        self.coef_ = np.atleast_2d(self.coef_)
        return self

    def _paths(self, X: Any, y: NDArray[Any], weights: Array, grid: Array) -> Sequence[Path]:
        options = {"sample_weight": weights, "lambdas": grid, "l1_ratio": self.l1_ratio, **self._family(y)}
        path = solved(fit_path, self, X, y if y.shape[1] > 1 else y[:, 0], warns=False, **options)
        self.eps_ = self.tol * 2.0 * path.null_loss * len(y)
        return [path]


class _TogetherAtBestAlpha(_Together, _AtBestAlpha):
    """Fitting at the `alpha` and `l1_ratio` with the least mean squared error of cross-validation."""

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the paths, cross-validate them and keep the best model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples, n_targets)
            The targets.
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
        super().fit(X, y, sample_weight, **params)
        self.coef_ = np.atleast_2d(self.coef_)
        return self


class MultiTaskLasso(_TogetherAtOneAlpha, linear_model.MultiTaskLasso):
    """`sklearn.linear_model.MultiTaskLasso` with a certified solution; parameters and attributes are the same.

    See Also
    --------
    normball.GLMRegressor : The same model in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import MultiTaskLasso
    >>> model = MultiTaskLasso(alpha=0.1).fit([[0, 1], [1, 0], [2, 1]], [[0, 0], [1, 1], [2, 3]])
    >>> model.coef_.round(3).tolist()
    [[0.917, 0.0], [1.375, 0.05]]
    """


class MultiTaskElasticNet(_TogetherAtOneAlpha, linear_model.MultiTaskElasticNet):
    """`sklearn.linear_model.MultiTaskElasticNet` with a certified solution; parameters and attributes are the same.

    See Also
    --------
    normball.GLMRegressor : The same model in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import MultiTaskElasticNet
    >>> model = MultiTaskElasticNet(alpha=0.1).fit([[0, 0], [1, 1], [2, 2]], [[0, 0], [1, 1], [2, 2]])
    >>> model.coef_.round(3).tolist()
    [[0.456, 0.456], [0.456, 0.456]]
    """


class MultiTaskLassoCV(_TogetherAtBestAlpha, linear_model.MultiTaskLassoCV):
    """`sklearn.linear_model.MultiTaskLassoCV` with certified solutions; parameters and attributes are the same.

    See Also
    --------
    normball.GLMRegressorCV : The same model in normball's words, with the 1-SE rule.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from normball.drop_in import MultiTaskLassoCV
    >>> X, y = load_linnerud(return_X_y=True)
    >>> MultiTaskLassoCV(cv=4).fit(X, y).mse_path_.shape
    (100, 4)
    """


class MultiTaskElasticNetCV(_TogetherAtBestAlpha, linear_model.MultiTaskElasticNetCV):
    """`sklearn.linear_model.MultiTaskElasticNetCV` with certified solutions; parameters and attributes are the same.

    See Also
    --------
    normball.GLMRegressorCV : The same model in normball's words, with the 1-SE rule.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from normball.drop_in import MultiTaskElasticNetCV
    >>> X, y = load_linnerud(return_X_y=True)
    >>> MultiTaskElasticNetCV(l1_ratio=[0.5, 0.9], cv=4).fit(X, y).mse_path_.shape
    (2, 100, 4)
    """
