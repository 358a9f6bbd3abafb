"""Estimators of survival, by scikit-survival's contract: `CoxRegressor` and `CoxRegressorCV`."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike

from normball._estimator_base import estimator
from normball._estimator_fits import CrossValidated, OneStrength
from normball._estimator_survival import Survival


@estimator
class CoxRegressor(Survival, OneStrength):
    """Cox regression of times to an event, with an L1 and L2 penalty of given strength.

    Parameters
    ----------
    lam : float, default=0.01
        Strength of the penalty: glmnet's lambda, `alpha` of scikit-survival's CoxnetSurvivalAnalysis.
    l1_ratio : float, default=1.0
        Mix of the penalty: 1 is the lasso, 0 is ridge.
    ties : {"efron", "breslow"}, default="efron"
        How events at the same time are treated.
    standardize : bool, default=True
        Whether the penalty acts on the coefficients per standard deviation. `coef_` is in the data's units either way.
    penalty_factors : array-like or dict by feature name, default=None
        Multiples of the penalty for each feature: 0 leaves it unpenalised, inf excludes it; ones if left out.
    lower_bounds, upper_bounds : float, array-like or dict by feature name, default=None
        Bounds of the coefficients in the data's units; they must admit 0.
    groups, group_weights, group_ratio, orthonormalize
        Groups of features, as in `GLMRegressor`.
    missing, fill_value, inf, categorical, drop, min_count, baseline, dates, text, spline, interact, unknown, tol, \
max_iter, n_threads
        As in `GLMRegressor`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_coefficients,)
        Coefficients in the data's units: the logarithms of what a hazard is multiplied by.
    unique_times_ : ndarray of shape (n_unique_times,)
        The distinct times of events.
    feature_names_out_, feature_importances_, findings_, lam_, dual_gap_, status_, n_iter_, path_, n_features_in_, \
feature_names_in_
        As in `GLMRegressor`.

    See Also
    --------
    CoxRegressorCV : Chooses `lam` by cross-validation.

    Examples
    --------
    >>> import numpy as np
    >>> from normball import CoxRegressor
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> time, event = np.array([9.0, 6.0, 7.0, 3.0, 4.0]), np.array([True, False, True, True, True])
    >>> model = CoxRegressor(lam=0.1).fit(X, (time, event))
    >>> model.coef_.round(3), model.score(X, (time, event))
    (array([0.793]), 0.875)
    >>> model.predict_survival_function(X, return_array=True)[0].round(2)
    array([0.98, 0.95, 0.8 , 0.29])
    """

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
        strata: ArrayLike | str | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            The features; in a frame, string, boolean and categorical columns become indicators of all levels.
        y : structured array, array-like of shape (n_samples, 2) or (n_samples, 3), frame, or tuple of arrays
            Time and event, or start, stop and event, which is true where the observation ended with it and false where
            it was cut short. Of a structured array, as of scikit-survival, the field of truth values is the event.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row; ones if left out.
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor; zeros if left out.
        strata : array-like of shape (n_samples,) or str, default=None
            Labels of strata, each of which has a baseline hazard of its own; one stratum if left out.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit_rows(X, y, sample_weight=sample_weight, offset=offset, strata=strata)


@estimator
class CoxRegressorCV(Survival, CrossValidated):
    """Cox regression with an L1 and L2 penalty whose strength is chosen by cross-validation.

    Parameters
    ----------
    l1_ratio : float or sequence of float, default=1.0
        Mix of the penalty: 1 is the lasso, 0 is ridge. Of several, the one with the best mean score is taken.
    ties : {"efron", "breslow"}, default="efron"
        How events at the same time are treated.
    cv : int, splitter or iterable of (train, test), default=None
        The folds. An int makes so many at random, with the events spread evenly, and keeps groups of rows together
        where `fit` is given any. None makes 10, or as many as there are groups or events.
    scoring : {"deviance", "concordance", "uno", "brier"}, default="deviance"
        What is compared on the rows left out: what they add to the deviance of the partial likelihood, per event; the
        concordance of their risks with the order of their events, Harrell's or Uno's; or the integrated Brier score.
    lambdas, n_lambdas, lambda_min_ratio, select, random_state
        As in `GLMRegressorCV`.
    standardize, penalty_factors, lower_bounds, upper_bounds, groups, group_weights, group_ratio, orthonormalize, \
missing, fill_value, inf, categorical, drop, min_count, baseline, dates, text, spline, interact, unknown, tol, \
max_iter, n_threads
        As in `CoxRegressor`.

    Attributes
    ----------
    lambdas_, cv_mean_, cv_se_, lambda_best_, lambda_1se_, l1_ratio_, lam_, coef_path_, path_, cv_path_, comparison_
        As in `GLMRegressorCV`.
    coef_, unique_times_, feature_names_out_, feature_importances_, findings_, dual_gap_, status_, n_iter_, \
n_features_in_, feature_names_in_
        As in `CoxRegressor`.

    See Also
    --------
    CoxRegressor : Fits at a given strength.

    Examples
    --------
    >>> import numpy as np
    >>> from normball import CoxRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> time, cut = rng.exponential(np.exp(-X[:, 0])), rng.exponential(2, 200)
    >>> model = CoxRegressorCV().fit(X, (np.minimum(time, cut), time <= cut))
    >>> int(model.coef_.argmax()), model.lambda_1se_ >= model.lambda_best_
    (0, True)
    """

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
        groups: ArrayLike | str | None = None,
        time_order: ArrayLike | str | bool | None = None,
        strata: ArrayLike | str | None = None,
    ) -> Self:
        """Fit the path, cross-validate it and select a strength.

        Parameters
        ----------
        X, y, sample_weight, offset, strata
            As in `CoxRegressor.fit`.
        groups : array-like of shape (n_samples,) or str, default=None
            Rows of one group stay in one fold, such as the intervals of one person.
        time_order : array-like of shape (n_samples,), str or True, default=None
            Times of the rows (True: rows are in order). Each fold is trained on the past of the rows that it holds out.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        by_row = {"offset": offset, "fold_groups": groups, "time_order": time_order, "strata": strata}
        return self._fit_rows(X, y, sample_weight=sample_weight, **by_row)
