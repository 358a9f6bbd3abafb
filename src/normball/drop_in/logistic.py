"""LogisticRegression and LogisticRegressionCV in scikit-learn's words."""

from __future__ import annotations

import copy
import inspect
import warnings
from dataclasses import replace
from numbers import Integral
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import linear_model
from sklearn.base import _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_method_params, _check_sample_weight

from normball._estimator_classifier import classes_of
from normball.drop_in._callbacks import FitTask
from normball.drop_in._class_models import (
    ClassModel,
    ClassProblem,
    aimed_gap,
    class_models,
    design_of,
    penalises_intercept,
    present_classes,
    targets_of,
)
from normball.drop_in._common import (
    Absent,
    Array,
    SparseInput,
    iterations_of,
    mean_over_folds,
    one_target,
    routed,
    validated,
    warn_unsolved,
)

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

    class_weight: Any
    fit_intercept: bool
    intercept_scaling: float
    penalty: str | None
    solver: str
    classes_: NDArray[Any]

    def _checked(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, NDArray[Any], Array, Array]:
        """X, y, the target of its classes, and the weights, those of the classes included."""
        is_liblinear = self.solver == "liblinear"  # it computes in double precision
        precisions = np.float64 if is_liblinear else (np.float64, np.float32)
        X, y, weights = validated(self, X, y, sample_weight, dtype=precisions)
        y = one_target(self, y)
        self.classes_ = classes_of(y)
        if is_liblinear and self.classes_.size > 2:
            raise ValueError(  # scikit-learn's own words
                "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use "
                "another solver or wrap the estimator in a OneVsRestClassifier to keep applying a one-versus-rest "
                "scheme."
            )
        codes = np.searchsorted(self.classes_, y)
        if self.class_weight is not None:
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y, sample_weight=sample_weight)
            weights *= of_class[codes]
        target = targets_of(codes, self.classes_.size)
        present = np.flatnonzero(present_classes(target, weights))
        if present.size < 2:
            lone = "".join(f": {self.classes_[k]!r}" for k in present)
            raise ValueError(  # begins as scikit-learn's own does
                f"This solver needs samples of at least 2 classes in the data, but the rows with a positive weight "
                f"contain only one class{lone}"
            )
        return X, y, target, weights

    def _mix_of_penalty(self, word: str) -> float | None:
        """The mix that the deprecated `penalty` stands for; None where it leaves that to the parameter `word`."""
        penalty = self.penalty
        if penalty == "deprecated":
            return None
        warnings.warn(_PENALTY, FutureWarning, stacklevel=4)
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
                stacklevel=4,
            )
        return meant


class LogisticRegression(_Logistic, linear_model.LogisticRegression):
    """`sklearn.linear_model.LogisticRegression` with a certified solution, for any number of classes.

    Parameters and attributes are the same; `dual_gap_` is new. Every `l1_ratio` goes with every `solver`; only that of
    liblinear penalises the intercept.

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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The classes.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X, y, target, weights = self._checked(X, y, sample_weight)
        if self.n_jobs is not None:
            warnings.warn(_N_JOBS, FutureWarning, stacklevel=3)
        l1_ratio = self._mix_of_penalty("l1_ratio")
        if l1_ratio is None:
            if self.l1_ratio is None:
                warnings.warn(_NO_MIX.format("l1_ratio"), FutureWarning, stacklevel=3)
            l1_ratio = self.l1_ratio or 0.0
        if self.penalty is None and self.C != 1.0:
            warnings.warn("Setting penalty=None will ignore the C and l1_ratio parameters", UserWarning, stacklevel=3)
        C = np.inf if self.penalty is None else self.C
        task = FitTask(self, X, y, sample_weight)
        has_free_intercept = bool(self.fit_intercept) and not penalises_intercept(self)
        problem = ClassProblem(design_of(self, X), target, weights, C, l1_ratio, has_free_intercept)
        n_before, limit = self._iterations_before(problem), iterations_of(self)
        found = self._kept(problem)
        if found is None:
            if task.watches_iterations:
                task.iterate(lambda n_iters: self._after(problem, n_before, n_iters), limit)
            found = self._after(problem, n_before, limit)
            if not found.is_solved:
                warn_unsolved(self)
        self.coef_, self.intercept_ = found.coefs.astype(X.dtype), found.intercepts.astype(X.dtype)
        self.n_iter_ = np.array([found.n_iters], dtype=np.int32)
        self.dual_gap_ = found.dual_gap
        goes_on = self.warm_start and (n_before or found.n_iters == limit)
        self._taken = (n_before + found.n_iters, self._fingerprint(problem)) if goes_on else (0, "")
        task.end()
        return self

    def _after(self, problem: ClassProblem, n_before: int, n_iters: int) -> ClassModel:
        """The model `n_iters` iterations after the first `n_before` of them."""
        of_problem = problem.X, problem.target, problem.weights, [problem.C], problem.l1_ratio
        (found,) = class_models(self, *of_problem, n_before + n_iters)
        return replace(found, n_iters=found.n_iters - n_before)

    def _kept(self, problem: ClassProblem) -> ClassModel | None:
        """The model of the last fit, if it is to be gone on from and solves the problem."""
        last: Any = vars(self)
        if not self.warm_start or penalises_intercept(self) or not isinstance(last.get("coef_"), np.ndarray):
            return None
        coefs, intercepts = (last[name].astype(np.float64) for name in ("coef_", "intercept_"))
        return problem.solved_by(coefs, intercepts, aimed_gap(self))

    def _iterations_before(self, problem: ClassProblem) -> int:
        """How many iterations were taken, if the last fit is to be gone on from and was cut off on the same problem.

        The engine starts afresh, and its iterations are the same again; so going on is to take more of them.
        """
        n_iters, fingerprint = getattr(self, "_taken", (0, ""))
        return n_iters if self.warm_start and n_iters and fingerprint == self._fingerprint(problem) else 0

    def _fingerprint(self, problem: ClassProblem) -> str:
        """Tells a problem, and a model for it, from others."""
        return str(joblib.hash((problem, self.coef_, self.intercept_)))


class LogisticRegressionCV(_Logistic, linear_model.LogisticRegressionCV):
    """`sklearn.linear_model.LogisticRegressionCV` with certified solutions, for any number of classes.

    Parameters and attributes are the same, with the deprecations of 1.9; `dual_gap_` is new (NaN with ``refit=False``).
    Only the solver liblinear penalises the intercept.

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

    set_callbacks = Absent("normball.fit_path takes progress=")

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit with each C and l1_ratio on each fold, and keep the best one.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The classes.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the rows; larger ones weaken the penalty.
        **params : dict
            What scikit-learn's metadata routing hands to the splitter and the scorer.

        Notes
        -----
        A fold without a score, for instance an area under the curve where the held-out rows are of one class, is left
        out of the mean, with a warning. A class that the training rows of a fold lack has the probability 0 there: its
        intercept is minus infinity.

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
        n_rows = 1 if target.ndim == 1 else self.classes_.size
        coefs = np.zeros((*shape, n_rows, X.shape[1] + 1))  # the intercept last
        scores, n_iters = np.full(shape, np.nan), np.empty(shape, dtype=np.int32)
        is_solved = True
        score, design = self._scorer(), design_of(self, X)
        given_weights = np.ones(y.size) if sample_weight is None else _check_sample_weight(sample_weight, X)
        for i, (train, test) in enumerate(folds):
            in_fold = np.bincount(np.arange(y.size)[train], minlength=y.size)
            if present_classes(target, weights * in_fold).sum() < 2:
                self._say_of_one_class(f"fold {i + 1} of {len(folds)}")
            has_weight = given_weights[test].any()  # otherwise there is nothing to score
            held_out = X[test], y[test]
            score_params = _check_method_params(X, to_score, indices=test)
            for j, mix in enumerate(mixes):
                for k, found in enumerate(class_models(self, design, target, weights * in_fold, Cs, mix)):
                    coefs[i, j, k] = np.column_stack([found.coefs, found.intercepts])
                    n_iters[i, j, k] = found.n_iters
                    is_solved = is_solved and found.is_solved
                    if has_weight:
                        scores[i, j, k] = score(_estimator(found, self.classes_), *held_out, **score_params)
        means = mean_over_folds(self, scores)
        if self.refit:
            j, k = _best(means)
            (found,) = class_models(self, design, target, weights, Cs[[k]], mixes[j])
            C, l1_ratio, model = Cs[k], l1_ratios[j], np.column_stack([found.coefs, found.intercepts])
            self.dual_gap_ = found.dual_gap
            is_solved = is_solved and found.is_solved
        else:
            best = [(i, *_best(of_fold)) for i, of_fold in enumerate(scores) if not np.isnan(of_fold).all()]
            C, l1_ratio = np.mean([Cs[k] for _, _, k in best]), np.mean([mixes[j] for _, j, _ in best])
            model = np.mean([coefs[at] for at in best], axis=0)
            self.dual_gap_ = np.nan
        if not is_solved:
            warn_unsolved(self)
        self.coef_, self.intercept_ = model[:, :-1], model[:, -1]
        self.Cs_, self.l1_ratios_ = Cs, np.asarray(l1_ratios)
        self.C_: Any = float(C)
        self.l1_ratio_: Any = l1_ratio
        self.coefs_paths_: Any = coefs[..., : X.shape[1] + int(self.fit_intercept)]
        self.scores_: Any = scores
        self.n_iter_ = n_iters
        if self._wants_legacy_attributes():
            self._make_attributes_legacy()
        else:
            self.l1_ratio_ = mixes[0] if l1_ratio is None else float(l1_ratio)
        return self

    def _say_of_one_class(self, fold: str) -> None:
        """Warn of training rows of one class; raise where an intercept cannot say so, or its mean over folds would."""
        text = (
            f"The training rows of {fold} hold one class only, so there is nothing to learn from them: use fewer "
            f"folds, or folds that have rows of every class (StratifiedKFold)"
        )
        if not (self.refit and self.fit_intercept) or penalises_intercept(self):
            raise ValueError(text)
        warnings.warn(text, UserWarning, stacklevel=4)

    def _wants_legacy_attributes(self) -> bool:
        if self.use_legacy_attributes != "warn":
            return bool(self.use_legacy_attributes)
        warnings.warn(_LEGACY, FutureWarning, stacklevel=4)
        return True

    def _make_attributes_legacy(self) -> None:
        """Arrange the attributes as before scikit-learn 1.8: by class, with the l1_ratios last or not at all."""
        last = 0 if self.l1_ratios_[0] is None else slice(None)
        labels = self.classes_[-len(self.coef_) :]
        self.C_, self.l1_ratio_ = np.full(labels.size, self.C_), np.array([self.l1_ratio_] * labels.size)
        paths, scores = self.coefs_paths_.swapaxes(1, 2), self.scores_.swapaxes(1, 2)[:, :, last]
        self.coefs_paths_ = {label: paths[:, :, last, k] for k, label in enumerate(labels)}
        self.scores_ = dict.fromkeys(labels, scores)
        self.n_iter_ = self.n_iter_.swapaxes(1, 2)[np.newaxis][:, :, :, last]

    def _l1_ratios(self) -> tuple[list[Any], list[float]]:
        """The mixes as scikit-learn shows them, None where none is given, and as numbers."""
        fixed = self._mix_of_penalty("l1_ratios")
        given = self.l1_ratios
        if isinstance(given, str):
            warnings.warn(_MIX_TO_CHANGE, FutureWarning, stacklevel=4)
        elif given is None and fixed is None:
            warnings.warn(_NO_MIX.format("l1_ratios"), FutureWarning, stacklevel=4)
        shown = [None] if given is None or isinstance(given, str) else list(given)
        return shown, [fixed if fixed is not None else mix or 0.0 for mix in shown]

    def _scorer(self) -> Any:
        """The scorer, told the classes where it needs them: a fold's held-out rows may lack one."""
        if self.scoring == "warn":
            warnings.warn(_SCORING, FutureWarning, stacklevel=4)
        scorer = self._get_scorer()
        takes = inspect.signature(getattr(scorer, "_score_func", lambda: None)).parameters
        if "labels" in takes:
            known = {"labels": self.classes_}
            if self.classes_.size <= 2:
                known["pos_label"] = self.classes_[-1]
            scorer = copy.copy(scorer)
            scorer._kwargs = {**{name: known[name] for name in known if name in takes}, **scorer._kwargs}
        return scorer


def _estimator(found: ClassModel, classes: NDArray[Any]) -> LogisticRegression:
    """A model as an estimator that a scorer understands."""
    model = LogisticRegression()
    model.classes_, model.coef_, model.intercept_ = classes, found.coefs, found.intercepts
    return model


def _best(scores: Array) -> tuple[int, int]:
    """Where the best of the scores (l1_ratios, Cs) is; among equals at the first C."""
    k, j = np.unravel_index(np.nanargmax(scores.T), scores.T.shape)
    return int(j), int(k)
