"""scikit-learn's scorers and metrics, and functions of one's own, as scores of held-out rows.

A scorer asks a fitted estimator for what its metric wants: labels, probabilities or decision values. Here a stand-in
answers, which knows the linear predictor of the rows and the classes of the target. A bare metric is dressed as the
scorer that scikit-learn has for it.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer

from normball.families import find_family
from normball.messages import NormballWarning, did_you_mean
from normball.scores import OF_TIMES, SCORES, Array, Score

Classes = tuple[Any, ...] | None

_LOWER_IS_BETTER = ("_loss", "_error", "_deviance")  # scikit-learn's convention for the names of its metrics
_OF_SCORES = {"hinge_loss": "decision_function"}  # what metrics of labels want that no scorer is registered for


def named(score: str, family: str, classes: Classes) -> Score:
    """The score that scikit-learn knows by this name."""
    if score not in get_scorer_names():
        hint = did_you_mean(score, [*SCORES, *OF_TIMES, *get_scorer_names()])
        known = ", ".join(dict.fromkeys([*SCORES, *OF_TIMES]))
        text = f'"{score}" is no score: use {known}, or the name of a scorer of scikit-learn, such as r2.'
        raise ValueError(text + hint)
    return _of_scorer(get_scorer(score), score, family, classes)


def from_callable(score: Callable[..., Any], family: str, classes: Classes) -> Score:
    """A scorer `(estimator, X, y)`, a metric of scikit-learn, or a function `(y_true, y_pred, sample_weight)`."""
    metric = score.func if isinstance(score, functools.partial) else score
    name = getattr(metric, "__name__", type(metric).__name__)
    if scored := getattr(score, "_score_func", None):
        name = getattr(scored, "__name__", name)
        return _of_scorer(score, f"neg_{name}" if getattr(score, "_sign", 1) < 0 else name, family, classes)
    parameters = _parameters(score)
    if parameters and next(iter(parameters)) == "estimator":
        return _of_scorer(score, name, family, classes)
    if str(getattr(metric, "__module__", "")).startswith("sklearn.metrics."):
        return _of_metric(score, metric, name, family, classes)
    greater = getattr(score, "greater_is_better", not name.endswith(_LOWER_IS_BETTER))

    def columns(y: Array, eta: Array, weights: Array, family: str) -> Array:
        y, eta, weights = _with_weight(y, eta, weights)
        call = _weighted(score, name, weights)
        return np.array([float(call(y, column)) for column in np.moveaxis(find_family(family).mean(eta), 1, 0)])

    return Score(name, bool(greater), columns)


def _of_metric(score: Callable[..., Any], metric: Any, name: str, family: str, classes: Classes) -> Score:
    """A metric of scikit-learn; its score keeps the metric's own sign."""
    registered = [scorer for scorer in map(get_scorer, get_scorer_names()) if scorer._score_func is metric]
    sign = registered[0]._sign if registered else -1 if name.endswith(_LOWER_IS_BETTER) else 1
    response = registered[0]._response_method if registered else _OF_SCORES.get(name, "predict")
    greater = bool(getattr(score, "greater_is_better", sign > 0))
    if "_regression" in metric.__module__:
        classes = None  # of numbers: the target as 0 and 1, the prediction as a probability
    return _of_scorer(make_scorer(score, response_method=response), name, family, classes, greater)


def _of_scorer(scorer: Any, name: str, family: str, classes: Classes, greater_is_better: bool = True) -> Score:
    """A scorer, asked about a stand-in for the fitted estimator."""
    wants = getattr(scorer, "_response_method", "predict")
    if not find_family(family).has_classes and "predict" not in np.atleast_1d(wants):
        raise ValueError(f'score="{name}" is about classes, and {family} models have none: use deviance, mse or mae')

    def columns(y: Array, eta: Array, weights: Array, family: str) -> Array:
        y, eta, weights = _with_weight(y, eta, weights)
        labels = classes is not None and bool(np.isin(y, (0.0, 1.0)).all())
        model: Any = _Classifier(classes) if labels else _Regressor(family)
        truth = np.array(classes)[y.astype(np.intp) if y.ndim == 1 else y.argmax(axis=1)] if labels else y
        call = _weighted(_with_positive_class(scorer, classes) if labels else scorer, name, weights)
        scores = np.full(eta.shape[1], np.nan)
        for k in range(eta.shape[1]):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UndefinedMetricWarning)  # a NaN is reported once, by cv_path
                    scores[k] = float(call(model, eta[:, [k]] if eta.ndim == 2 else eta[:, k], truth))
            except (AttributeError, TypeError, ValueError) as error:
                if labels and (np.ptp(y) == 0.0 if y.ndim == 1 else not y.any(axis=0).all()):
                    break  # undefined where a class is absent
                text = (
                    f"score {name} cannot judge the predictions of {family} models: {error}. {_instead(family, labels)}"
                )
                raise ValueError(text) from error
        return scores

    return Score(name, greater_is_better, columns)


def _instead(family: str, labels: bool) -> str:
    """What to do about a score that does not suit."""
    if not find_family(family).has_classes:
        return "Use deviance, mse or mae"
    ours = ", ".join(SCORES)
    return (
        f"Use one of {ours}" if labels else f"The target holds shares of classes, which {ours} judge: use one of these"
    )


def _with_positive_class(scorer: Any, classes: Classes) -> Any:
    """The scorer with the class that is modelled as the positive one, where its metric has another one by default."""
    metric, given = getattr(scorer, "_score_func", None), getattr(scorer, "_kwargs", {})
    positive = _parameters(metric).get("pos_label") if metric is not None else None
    if positive is None or "pos_label" in given or classes is None or positive.default in classes:
        return scorer
    return make_scorer(
        metric,
        response_method=scorer._response_method,
        greater_is_better=scorer._sign > 0,
        **{**given, "pos_label": classes[1]},
    )


def _with_weight(y: Array, eta: Array, weights: Array) -> tuple[Array, Array, Array]:
    counts = weights > 0.0
    return y[counts], eta[counts], weights[counts]


def _weighted(score: Any, name: str, weights: Array) -> Callable[..., Any]:
    """The score with the weights by name; by place where a function of one's own has a third place for them."""
    parameters = _parameters(getattr(score, "_score_func", score))
    kinds = [parameter.kind for parameter in parameters.values()]
    is_scorer = hasattr(score, "_score_func") or next(iter(parameters), "") == "estimator"
    if "sample_weight" in parameters or (inspect.Parameter.VAR_KEYWORD in kinds and not is_scorer):
        return functools.partial(score, sample_weight=weights)
    places = sum(kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)
    if not is_scorer and (places > 2 or inspect.Parameter.VAR_POSITIONAL in kinds):
        return lambda y_true, y_pred: score(y_true, y_pred, weights)
    if np.ptp(weights) > 0.0:
        warnings.warn(f"score {name} takes no sample_weight: held-out rows count alike", NormballWarning, stacklevel=2)
    return score  # type: ignore[no-any-return]


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some builtins have none
        return {}


class _Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Answers for a fitted classifier; the rows are their linear predictors."""

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self.classes_ = np.array(classes)

    def decision_function(self, eta: Array) -> Array:
        return eta[:, 0] if eta.shape[1] == 1 else eta

    def predict_proba(self, eta: Array) -> Array:
        return softmax(eta, axis=1) if eta.shape[1] > 1 else expit(np.column_stack([-eta[:, 0], eta[:, 0]]))  # type: ignore[no-any-return]

    def predict(self, eta: Array) -> Any:
        return self.classes_[eta.argmax(axis=1) if eta.shape[1] > 1 else (eta[:, 0] > 0.0).astype(np.intp)]


class _Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Answers for a fitted regressor; the rows are their linear predictors."""

    def __init__(self, family: str) -> None:
        self.family = family

    def predict(self, eta: Array) -> Array:
        return find_family(self.family).mean(eta[:, 0] if eta.shape[1] == 1 else eta)
