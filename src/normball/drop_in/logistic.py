"""LogisticRegression and LogisticRegressionCV for two classes in scikit-learn's words."""

from __future__ import annotations

import copy
import inspect
import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import linear_model
from sklearn.model_selection import check_cv
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_method_params, _check_sample_weight

from normball._estimator_classifier import two_classes
from normball.drop_in._common import (
    Absent,
    Array,
    SparseInput,
    mean_over_folds,
    one_target,
    routed,
    solved,
    validated,
)
from normball.path import Fit, fit_path

# scikit-learn's deprecations, in words that begin as its own do, since people filter by them
_NO_MIX = "'{}=None' was deprecated in version 1.8 of scikit-learn. Use 0 <= l1_ratio <= 1; 0 is the L2 penalty."
_MIX_TO_CHANGE = "The default value for l1_ratios will change from None to (0.0,) in version 1.10 of scikit-learn."
_PENALTY = (
    "'penalty' was deprecated in version 1.8 of scikit-learn. Use l1_ratio=0 instead of penalty='l2', l1_ratio=1 "
    "instead of penalty='l1', l1_ratio alone instead of penalty='elasticnet', and C=np.inf instead of penalty=None."
)
_N_JOBS = "'n_jobs' has no effect since version 1.8 of scikit-learn. Please leave it unspecified."
_LEGACY = (
    "The fitted attributes of LogisticRegressionCV change their shapes. The default value of use_legacy_attributes "
    "will change from True to False in scikit-learn 1.10: choose one."
)
_SCORING = (
    "The default value of the parameter 'scoring' will change from accuracy to 'neg_log_loss' in version 1.11 of "
    "scikit-learn: choose one."
)


class _Logistic(SparseInput):
    """What LogisticRegression and its CV twin share."""

    set_callbacks = Absent("normball.fit_path takes progress=")
    _validate_params: Any
    class_weight: Any
    fit_intercept: bool
    intercept_scaling: float
    penalty: str | None
    solver: str
    classes_: NDArray[Any]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _checked(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, NDArray[Any], Array, Array]:
        """X, y, whether y is the second class, and the weights, those of the classes included."""
        self._validate_params()
        name = type(self).__name__
        if self.solver == "liblinear" and self.fit_intercept:
            raise NotImplementedError(
                f'{name}(solver="liblinear") penalises the intercept, which normball never does: '
                f"choose another solver or fit_intercept=False"
            )
        if self.intercept_scaling != 1:
            raise NotImplementedError(
                f"{name}(intercept_scaling={self.intercept_scaling!r}) weakens the penalty on the intercept, which "
                f"normball never penalises: leave it at 1"
            )
        X, y, weights = validated(self, X, y, sample_weight)
        y = one_target(self, y)
        self.classes_ = two_classes(y)
        target = (y == self.classes_[-1]).astype(float)
        if self.class_weight is not None:
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y, sample_weight=sample_weight)
            weights *= of_class[target.astype(int)]
        return X, y, target, weights

    def _mix_of_penalty(self, word: str) -> float | None:
        """The mix that the deprecated `penalty` stands for; None where it leaves that to the parameter `word`."""
        penalty = self.penalty
        if penalty == "deprecated":
            return None
        warnings.warn(_PENALTY, FutureWarning, stacklevel=3)
        mix = getattr(self, word)
        is_given = not (mix is None or isinstance(mix, str))
        if penalty == "elasticnet":
            if not is_given:
                raise ValueError(f"{word} must be specified when penalty is elasticnet.")
            return None
        meant = 1.0 if penalty == "l1" else 0.0
        if is_given and penalty in ("l1", "l2") and np.any(np.asarray(mix) != meant):
            warnings.warn(
                f"Inconsistent values: penalty={penalty} with {word}={mix}. The {word} parameter is only used when "
                f"penalty is 'elasticnet'. Got (penalty={penalty}), which is deprecated: please use {word} only.",
                UserWarning,
                stacklevel=3,
            )
        return meant

    def _fits(self, X: Any, target: Array, weights: Array, Cs: ArrayLike, l1_ratio: float) -> list[Fit]:
        lambdas = 1.0 / (np.asarray(Cs) * weights.sum())
        path = solved(
            fit_path,
            self,
            X,
            target,
            family="binomial",
            sample_weight=weights,
            lambdas=lambdas,
            l1_ratio=l1_ratio,
        )
        return [path.at(lam=lam) for lam in lambdas]


class LogisticRegression(_Logistic, linear_model.LogisticRegression):
    """`sklearn.linear_model.LogisticRegression` for two classes with a certified solution.

    Parameters and attributes are the same; `dual_gap_` is new. Every `l1_ratio` goes with every `solver`.

    See Also
    --------
    normball.GLMClassifier : The same model in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import LogisticRegression
    >>> model = LogisticRegression(C=10.0, l1_ratio=1.0).fit([[0, 1], [1, 0], [2, 1], [3, 0]], [0, 0, 1, 1])
    >>> model.predict([[0.5, 1], [2.5, 0]]).tolist()
    [0, 1]
    """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The classes, two of them.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X, _, target, weights = self._checked(X, y, sample_weight)
        if self.n_jobs is not None:
            warnings.warn(_N_JOBS, FutureWarning, stacklevel=2)
        l1_ratio = self._mix_of_penalty("l1_ratio")
        if l1_ratio is None:
            if self.l1_ratio is None:
                warnings.warn(_NO_MIX.format("l1_ratio"), FutureWarning, stacklevel=2)
            l1_ratio = self.l1_ratio or 0.0
        if self.penalty is None and self.C != 1.0:
            warnings.warn("Setting penalty=None will ignore the C and l1_ratio parameters", UserWarning, stacklevel=2)
        C = np.inf if self.penalty is None else self.C
        (fit,) = self._fits(X, target, weights, [C], l1_ratio)
        self.coef_ = fit.coef[np.newaxis].astype(X.dtype)
        self.intercept_ = np.array([fit.intercept], dtype=X.dtype)
        self.n_iter_ = np.array([fit.n_iters], dtype=np.int32)
        self.dual_gap_ = fit.dual_gap * fit.null_loss
        return self


class LogisticRegressionCV(_Logistic, linear_model.LogisticRegressionCV):
    """`sklearn.linear_model.LogisticRegressionCV` for two classes with certified solutions.

    Parameters and attributes are the same, with the deprecations of 1.9; `dual_gap_` is new (NaN with ``refit=False``).

    See Also
    --------
    normball.GLMClassifierCV : The same model in normball's words, with the 1-SE rule.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from normball.drop_in import LogisticRegressionCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegressionCV(l1_ratios=(1,), Cs=[0.01, 0.1, 1], scoring="roc_auc", use_legacy_attributes=False)
    >>> model.fit(X, y).C_
    1.0
    """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit with each C and l1_ratio on each fold, and keep the best one.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The classes, two of them.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.
        **params : dict
            What scikit-learn's metadata routing hands to the splitter and the scorer.

        Notes
        -----
        A fold without a score, for instance an area under the curve where the held-out rows are of one class, is left
        out of the mean, with a warning.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X, y, target, weights = self._checked(X, y, sample_weight)
        to_split, to_score = routed(self, sample_weight, params)
        l1_ratios, mixes = self._l1_ratios()
        Cs = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, Integral) else np.asarray(self.Cs, dtype=float)
        folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **to_split))
        shape = len(folds), len(mixes), Cs.size
        coefs = np.zeros((*shape, X.shape[1] + 1))  # the intercept last
        scores, n_iters = np.full(shape, np.nan), np.empty(shape, dtype=np.int32)
        score = self._scorer()
        given_weights = np.ones(y.size) if sample_weight is None else _check_sample_weight(sample_weight, X)
        for i, (train, test) in enumerate(folds):
            in_fold = np.bincount(np.arange(y.size)[train], minlength=y.size)
            if np.unique(target[weights * in_fold > 0.0]).size < 2:
                raise ValueError(
                    f"The training rows of fold {i + 1} of {len(folds)} hold one class only, so the intercept would "
                    f"be infinite: use fewer folds, or folds that keep both classes"
                )
            has_weight = given_weights[test].any()  # otherwise there is nothing to score
            held_out = X[test], y[test]
            score_params = _check_method_params(X, to_score, indices=test)
            for j, mix in enumerate(mixes):
                for k, fit in enumerate(self._fits(X, target, weights * in_fold, Cs, mix)):
                    coefs[i, j, k] = *fit.coef, fit.intercept
                    n_iters[i, j, k] = fit.n_iters
                    if has_weight:
                        scores[i, j, k] = score(_model(fit, self.classes_), *held_out, **score_params)
        means = mean_over_folds(self, scores)
        if self.refit:
            j, k = _best(means)
            (fit,) = self._fits(X, target, weights, Cs[[k]], mixes[j])
            C, l1_ratio, model = Cs[k], l1_ratios[j], np.append(fit.coef, fit.intercept)
            self.dual_gap_ = fit.dual_gap * fit.null_loss
        else:
            best = [(i, *_best(of_fold)) for i, of_fold in enumerate(scores) if not np.isnan(of_fold).all()]
            C, l1_ratio = np.mean([Cs[k] for _, _, k in best]), np.mean([mixes[j] for _, j, _ in best])
            model = np.mean([coefs[at] for at in best], axis=0)
            self.dual_gap_ = np.nan
        self.coef_, self.intercept_ = model[np.newaxis, :-1], model[-1:]
        self.Cs_, self.l1_ratios_ = Cs, np.asarray(l1_ratios)
        self.C_: Any = float(C)
        self.l1_ratio_: Any = l1_ratio
        self.coefs_paths_: Any = coefs[:, :, :, np.newaxis, : X.shape[1] + int(self.fit_intercept)]
        self.scores_: Any = scores
        self.n_iter_ = n_iters
        if self._wants_legacy_attributes():
            self._make_attributes_legacy()
        else:
            self.l1_ratio_ = mixes[0] if l1_ratio is None else float(l1_ratio)
        return self

    def _wants_legacy_attributes(self) -> bool:
        if self.use_legacy_attributes != "warn":
            return bool(self.use_legacy_attributes)
        warnings.warn(_LEGACY, FutureWarning, stacklevel=3)
        return True

    def _make_attributes_legacy(self) -> None:
        """Arrange the attributes as before scikit-learn 1.8: by class, with the l1_ratios last or not at all."""
        last = 0 if self.l1_ratios_[0] is None else slice(None)
        label = self.classes_[-1]
        self.C_, self.l1_ratio_ = np.array([self.C_]), np.array([self.l1_ratio_])
        self.coefs_paths_ = {label: self.coefs_paths_[:, :, :, 0].swapaxes(1, 2)[:, :, last]}
        self.scores_ = {label: self.scores_.swapaxes(1, 2)[:, :, last]}
        self.n_iter_ = self.n_iter_.swapaxes(1, 2)[np.newaxis][:, :, :, last]

    def _l1_ratios(self) -> tuple[list[Any], list[float]]:
        """The mixes as scikit-learn shows them, None where none is given, and as numbers."""
        fixed = self._mix_of_penalty("l1_ratios")
        given = self.l1_ratios
        if isinstance(given, str):
            warnings.warn(_MIX_TO_CHANGE, FutureWarning, stacklevel=3)
        elif given is None and fixed is None:
            warnings.warn(_NO_MIX.format("l1_ratios"), FutureWarning, stacklevel=3)
        shown = [None] if given is None or isinstance(given, str) else list(given)
        return shown, [fixed if fixed is not None else mix or 0.0 for mix in shown]

    def _scorer(self) -> Any:
        """The scorer, told the classes where it needs them: a fold's held-out rows may lack one."""
        if self.scoring == "warn":
            warnings.warn(_SCORING, FutureWarning, stacklevel=3)
        scorer = self._get_scorer()
        takes = inspect.signature(getattr(scorer, "_score_func", lambda: None)).parameters
        if "labels" in takes:
            known = {"labels": self.classes_, "pos_label": self.classes_[-1]}
            scorer = copy.copy(scorer)
            scorer._kwargs = {**{name: known[name] for name in known if name in takes}, **scorer._kwargs}
        return scorer


def _model(fit: Fit, classes: NDArray[Any]) -> LogisticRegression:
    """A fit as an estimator that a scorer understands."""
    model = LogisticRegression()
    model.classes_, model.coef_, model.intercept_ = classes, fit.coef[np.newaxis], np.array([fit.intercept])
    return model


def _best(scores: Array) -> tuple[int, int]:
    """Where the best of the scores (l1_ratios, Cs) is; among equals at the first C."""
    k, j = np.unravel_index(np.nanargmax(scores.T), scores.T.shape)
    return int(j), int(k)
