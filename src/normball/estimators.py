"""Estimators for scikit-learn: `fit_path` and `cv_path` behind `fit`, `predict` and `score`.

`GLMRegressor` and `GLMClassifier` fit at a given strength `lam`; their CV twins choose it by cross-validation. They
minimise the objective of `fit_path` and know the same words. scikit-learn's own names are in `normball.drop_in`.

An estimator is one of {`Regressor`, `Classifier`} and one of {`OneStrength`, `CrossValidated`}.
"""

from __future__ import annotations

from normball._estimator_base import Regressor, estimator
from normball._estimator_classifier import Classifier
from normball._estimator_fits import CrossValidated, OneStrength


@estimator
class GLMRegressor(Regressor, OneStrength):
    """Regression with an L1 and L2 penalty of given strength.

    Parameters
    ----------
    lam : float, default=0.01
        Strength of the penalty: scikit-learn's `alpha` in Lasso and ElasticNet, glmnet's lambda. No constant suits
        every target, since `lam` carries the unit of a gaussian one. The default is a light touch on a target of
        standard deviation 1 and on counts of about 1, where every coefficient is zero from about 1 on; choose with
        `GLMRegressorCV`.
    l1_ratio : float, default=1.0
        Mix of the penalty: 1 is the lasso, 0 is ridge.
    family : str, default="gaussian"
        Distribution of the target: "gaussian", "huber" (not decided by outliers), or with the linear predictor as the
        logarithm of the expected target "poisson", "negative_binomial", "gamma", "tweedie". A number in brackets is the
        parameter: "tweedie(1.5)", "negative_binomial(2)", "huber(1.345)"; see `fit_path` for the bare names. Several
        targets, the columns of `y`, make "gaussian" what is called "multigaussian": one model of all of them.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is never penalised.
    standardize : bool, default=True
        Whether the penalty acts on the coefficients per standard deviation. `coef_` is in the data's units either way.
    penalty_factors : array-like or dict by feature name, default=None
        Multiples of the penalty for each feature: 0 leaves it unpenalised, inf excludes it; ones if left out.
    lower_bounds, upper_bounds : float, array-like or dict by feature name, default=None
        Bounds of the coefficients in the data's units; they must admit 0. They do not go with `groups` and `grouped`.
    grouped : bool, default=None
        With several targets, whether the penalty keeps or drops a feature for all of them at once; None does so.
    groups : dict of feature names, "columns" or array-like of shape (n_coefficients,), default=None
        Groups of features that the penalty keeps or drops as a whole: ``{name: [features]}``, a label for each, or
        "columns" for the indicators that one column gives; see `fit_path`. Rows that belong together are another
        thing: `groups` of the `fit` of `GLMRegressorCV`.
    group_weights : dict by group name, default=None
        What the penalty of a group is multiplied by; the root of its rank or size if left out.
    group_ratio : float, default=1.0
        1 penalises whole groups, 0 single features, in between both.
    orthonormalize : bool, default=None
        Whether groups are penalised in an orthonormal basis of their columns; None does so where `group_ratio` is 1.
    missing : {"error", "drop", "impute", "median", "mean", "constant"}, default="error"
        What to do about missing values in `X`.
    fill_value : float, default=None
        What takes the place of missing numbers with ``missing="constant"``; None takes 0.
    inf : {"error", "nan"}, default="error"
        Whether an infinite feature is an error or a missing value.
    categorical, drop : sequence of str, default=()
        Numeric columns of a frame whose values are levels, and columns that are no features.
    min_count : int, default=0
        Levels in fewer rows stand together as one, and so do those of new rows that `fit` did not see.
    baseline : dict of levels by column name or "commonest", default=None
        Levels without an indicator.
    dates, text, spline, interact : sequence of str, default=()
        Columns of dates, of text, and of numbers that become splines, and products "a:b"; as in `fit_path`.
    unknown : {"warn", "baseline", "error"}, default="warn"
        What becomes of rows to predict with a level unseen in `fit`: they take none of the levels, with a warning or
        without, or are an error.
    tol : float, default=1e-6
        The duality gap at which a fit is solved, relative to the loss of the null model.
    max_iter : int, default=10000
        Limit on the iterations.
    n_threads : int, default=None
        Number of threads; None leaves it to the size of the data.

    Attributes
    ----------
    coef_ : ndarray of shape (n_coefficients,) or (n_targets, n_coefficients)
        Coefficients in the data's units.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    feature_names_out_ : ndarray of str, shape (n_coefficients,)
        What each coefficient belongs to: a column, or a level of one ("colour = red").
    feature_importances_ : ndarray of shape (n_columns,)
        For each column of `X` the sum of its absolute coefficients, per standard deviation with ``standardize=True``:
        what an L1 penalty charges for the column. Grouped coefficients count by their Euclidean length.
    findings_ : list of Finding
        What was noticed about the data and the result.
    lam_ : float
        The strength.
    dual_gap_ : float
        The certificate: how far at most the objective is from its minimum, relative to the loss of the null model.
    status_ : str
        "converged", or what stopped the solver.
    n_iter_ : int
        Number of iterations.
    path_ : Path
        The result object behind these numbers.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of str, shape (n_columns,)
        Their names, if `X` was a frame.

    See Also
    --------
    GLMRegressorCV : Chooses `lam` by cross-validation.

    Notes
    -----
    A column of labels has a coefficient for each level. Pipelines, searches, cross-validation, calibration, bagging,
    voting, stacking and permutation importance take frames with such columns as they are. `SelectFromModel` needs
    ``importance_getter="feature_importances_"``, and ``threshold=1e-9`` to select what the L1 penalty keeps. `RFE`,
    `RFECV` and `SequentialFeatureSelector` accept numbers only: make the indicators before them, by
    ``make_column_transformer((OneHotEncoder(sparse_output=False), labels), remainder="passthrough")``.

    Examples
    --------
    >>> from normball import GLMRegressor
    >>> model = GLMRegressor(lam=0.5).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])
    >>> model.coef_.round(3), round(model.intercept_, 3)
    (array([1.553]), 1.671)
    """


@estimator
class GLMClassifier(Classifier, OneStrength):
    """Logistic regression with an L1 and L2 penalty of given strength.

    Two classes are modelled by the log odds of the second one (binomial), more by a linear predictor each
    (multinomial).

    Parameters
    ----------
    lam : float, default=0.01
        Strength of the penalty: 1/(C * sum of weights) in scikit-learn's words, glmnet's lambda. The default is a
        light touch: with the lasso every coefficient is zero from 0.5 on, whatever the data.
    l1_ratio : float, default=1.0
        Mix of the penalty: 1 is the lasso, 0 is ridge.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied with those of the rows. "balanced" gives all classes the same total.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is never penalised.
    standardize : bool, default=True
        Whether the penalty acts on the coefficients per standard deviation. `coef_` is in the data's units either way.
    penalty_factors : array-like or dict by feature name, default=None
        Multiples of the penalty for each feature: 0 leaves it unpenalised, inf excludes it; ones if left out.
    lower_bounds, upper_bounds : float, array-like or dict by feature name, default=None
        Bounds of the coefficients in the data's units; they must admit 0. They do not go with `groups` and `grouped`.
        Of more than two classes they are those of each class.
    grouped : bool, default=None
        With more than two classes, whether the penalty keeps or drops a feature for all of them at once; None does
        not. Two classes have one coefficient for each feature, so that it makes no difference.
    groups : dict of feature names, "columns" or array-like of shape (n_coefficients,), default=None
        Groups of features that the penalty keeps or drops as a whole: ``{name: [features]}``, a label for each, or
        "columns" for the indicators that one column gives; see `fit_path`. Rows that belong together are another
        thing: `groups` of the `fit` of `GLMClassifierCV`.
    group_weights : dict by group name, default=None
        What the penalty of a group is multiplied by; the root of its rank or size if left out.
    group_ratio : float, default=1.0
        1 penalises whole groups, 0 single features, in between both.
    orthonormalize : bool, default=None
        Whether groups are penalised in an orthonormal basis of their columns; None does so where `group_ratio` is 1.
    missing : {"error", "drop", "impute", "median", "mean", "constant"}, default="error"
        What to do about missing values in `X`.
    fill_value : float, default=None
        What takes the place of missing numbers with ``missing="constant"``; None takes 0.
    inf : {"error", "nan"}, default="error"
        Whether an infinite feature is an error or a missing value.
    categorical, drop : sequence of str, default=()
        Numeric columns of a frame whose values are levels, and columns that are no features.
    min_count : int, default=0
        Levels in fewer rows stand together as one, and so do those of new rows that `fit` did not see.
    baseline : dict of levels by column name or "commonest", default=None
        Levels without an indicator.
    dates, text, spline, interact : sequence of str, default=()
        Columns of dates, of text, and of numbers that become splines, and products "a:b"; as in `fit_path`.
    unknown : {"warn", "baseline", "error"}, default="warn"
        What becomes of rows to predict with a level unseen in `fit`: they take none of the levels, with a warning or
        without, or are an error.
    tol : float, default=1e-6
        The duality gap at which a fit is solved, relative to the loss of the null model.
    max_iter : int, default=10000
        Limit on the iterations.
    n_threads : int, default=None
        Number of threads; None leaves it to the size of the data.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted; of two the model is about the second.
    coef_ : ndarray of shape (1, n_coefficients) or (n_classes, n_coefficients)
        Coefficients of the log odds of the second class of two, or of the linear predictor of each of more, in the
        data's units.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercept.
    feature_names_out_, feature_importances_, findings_, lam_, dual_gap_, status_, n_iter_, path_, n_features_in_, \
feature_names_in_
        As in `GLMRegressor`.

    See Also
    --------
    GLMClassifierCV : Chooses `lam` by cross-validation.

    Examples
    --------
    >>> from normball import GLMClassifier
    >>> model = GLMClassifier(lam=0.1).fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
    >>> model.predict([[0.5], [2.5]]).tolist()
    ['no', 'yes']
    """


@estimator
class GLMRegressorCV(Regressor, CrossValidated):
    """Regression with an L1 and L2 penalty whose strength is chosen by cross-validation.

    Parameters
    ----------
    l1_ratio : float or sequence of float, default=1.0
        Mix of the penalty: 1 is the lasso, 0 is ridge. Of several, the one with the best mean score is taken.
    family : str, default="gaussian"
        Distribution of the target, as in `GLMRegressor`.
    lambdas : array-like, default=None
        Strengths to try; a grid made for the data if left out.
    n_lambdas : int, default=100
        Length of that grid.
    lambda_min_ratio : float, default=None
        Its smallest strength as a share of the largest: 1e-4, or 1e-2 with fewer rows than coefficients.
    cv : int, splitter or iterable of (train, test), default=None
        The folds. An int makes so many at random, and keeps groups of rows together where `fit` is given any. None
        makes 10, or as many as there are groups or rows.
    select : {"1se", "best"}, default="1se"
        The strength with the best mean score, or the largest one whose score is within one standard error of it.
    scoring : {"deviance", "mse", "mae"}, name of a scorer, scorer, metric or callable, default="deviance"
        What is compared on the rows left out, as `score` of `cv_path`.
    random_state : int, default=0
        Seed of the folds.
    fit_intercept, standardize, penalty_factors, lower_bounds, upper_bounds, grouped, groups, group_weights, \
group_ratio, orthonormalize, missing, fill_value, inf, categorical, drop, min_count, baseline, dates, text, spline, \
interact, unknown, tol, max_iter, n_threads
        As in `GLMRegressor`.

    Attributes
    ----------
    lambdas_ : ndarray of shape (n_lambdas,)
        The strengths, largest first.
    cv_mean_, cv_se_ : ndarray of shape (n_lambdas,)
        Mean score over the folds and its standard error.
    lambda_best_, lambda_1se_ : float
        The two choices.
    l1_ratio_ : float
        The mix, the best one of several.
    lam_ : float
        The strength that `select` names; the attributes below and the predictions belong to it.
    coef_, intercept_, feature_names_out_, feature_importances_, findings_, dual_gap_, status_, n_iter_, \
n_features_in_, feature_names_in_
        As in `GLMRegressor`.
    coef_path_ : ndarray of shape (n_lambdas, n_coefficients) or (n_lambdas, n_targets, n_coefficients)
        Coefficients at every strength.
    path_ : Path
        The path of the whole data.
    cv_path_ : CVPath
        The result object behind these numbers.
    comparison_ : Comparison
        Those of all mixes in `l1_ratio`.

    See Also
    --------
    GLMRegressor : Fits at a given strength.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from normball import GLMRegressorCV
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = GLMRegressorCV().fit(X, y)
    >>> model.feature_names_out_[model.coef_ != 0].tolist()
    ['sex', 'bmi', 'bp', 's3', 's5']
    """


@estimator
class GLMClassifierCV(Classifier, CrossValidated):
    """Logistic regression with an L1 and L2 penalty whose strength is chosen by cross-validation.

    Parameters
    ----------
    l1_ratio : float or sequence of float, default=1.0
        Mix of the penalty: 1 is the lasso, 0 is ridge. Of several, the one with the best mean score is taken.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied with those of the rows, in the fit and in the scores.
        "balanced" gives all classes the same total.
    scoring : {"deviance", "auc", "accuracy", "brier", "mse", "mae"}, name of a scorer, scorer, metric or callable, \
default="deviance"
        What is compared on the rows left out, as `score` of `cv_path`.
    cv : int, splitter or iterable of (train, test), default=None
        The folds. An int makes so many at random, with each class spread evenly, or keeps groups of rows together
        where `fit` is given any. None makes 10, or as many as there are groups or rows of the rarest class.
    lambdas, n_lambdas, lambda_min_ratio, select, random_state
        As in `GLMRegressorCV`.
    fit_intercept, standardize, penalty_factors, lower_bounds, upper_bounds, grouped, groups, group_weights, \
group_ratio, orthonormalize, missing, fill_value, inf, categorical, drop, min_count, baseline, dates, text, spline, \
interact, unknown, tol, max_iter, n_threads
        As in `GLMClassifier`.

    Attributes
    ----------
    classes_, coef_, intercept_
        As in `GLMClassifier`, at the strength `lam_` that `select` names. Of more than two classes the model is solved
        once more there, alone and to more digits than the point of `path_`.
    lambdas_, cv_mean_, cv_se_, lambda_best_, lambda_1se_, l1_ratio_, lam_, coef_path_, path_, cv_path_, comparison_
        As in `GLMRegressorCV`.
    feature_names_out_, feature_importances_, findings_, dual_gap_, status_, n_iter_, n_features_in_, \
feature_names_in_
        As in `GLMRegressor`.

    See Also
    --------
    GLMClassifier : Fits at a given strength.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from normball import GLMClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = GLMClassifierCV(scoring="auc").fit(X, y)
    >>> model.lambda_1se_ >= model.lambda_best_
    True
    """
