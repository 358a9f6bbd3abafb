"""Lasso, ElasticNet, LassoCV and ElasticNetCV in scikit-learn's words."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import linear_model
from sklearn.model_selection import check_cv

from normball.cv import cv_path
from normball.drop_in._common import Absent, OneTarget, check_options, routed, solved, take, validated
from normball.path import fit_path

_NO_PATH = "normball.fit_path fits one"


class _AtOneAlpha(OneTarget):
    """Fitting at the given `alpha` and `l1_ratio`."""

    path = Absent(_NO_PATH)
    alpha: float
    l1_ratio: float

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, check_input: bool = True) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; only their ratios matter.
        check_input : bool, default=True
            Checks are cheap and always made.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_options(self)
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        path = solved(fit_path, self, X, y, sample_weight=weights, lambdas=[self.alpha], l1_ratio=self.l1_ratio)
        take(self, path.at(lam=self.alpha), X)
        return self


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


class _AtBestAlpha(OneTarget):
    """Fitting at the `alpha` and `l1_ratio` with the least mean squared error of cross-validation."""

    path = Absent(_NO_PATH)
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
            Weights of the rows in the fits and in the error of each fold; folds count alike.
        **params : dict
            What scikit-learn's metadata routing hands to the splitter.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_options(self)
        to_split, _ = routed(self, sample_weight, params)
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        folds = list(check_cv(self.cv).split(X, y, **to_split))
        made_here = isinstance(self.alphas, Integral)
        grid = {"n_lambdas": self.alphas, "lambda_min_ratio": self.eps} if made_here else {"lambdas": self.alphas}
        l1_ratios = np.atleast_1d(getattr(self, "l1_ratio", 1.0))
        results = [
            solved(cv_path, self, X, y, sample_weight=weights, cv=folds, score="mse", l1_ratio=l1_ratio, **grid)
            for l1_ratio in l1_ratios
        ]
        given = None if made_here else np.sort(np.asarray(self.alphas, dtype=float))[::-1]  # may repeat values
        alphas = np.array([result.lambdas if given is None else given for result in results])
        errors = np.array(
            [
                result.fold_scores[:, np.searchsorted(-result.lambdas, -own)]
                for result, own in zip(results, alphas, strict=True)
            ]
        )
        which, point = np.unravel_index(np.argmin(errors.mean(axis=1)), alphas.shape)
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        self.alphas_ = alphas if made_here and len(results) > 1 else alphas[0]
        self.alpha_ = float(alphas[which, point])
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = float(l1_ratios[which])
        take(self, results[which].path.at(lam=self.alpha_), X)
        return self


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
