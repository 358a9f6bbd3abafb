"""What the drop-ins share: which options have a meaning, the data, the call of the solver, and the mean over folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Never, TypeVar

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled, process_routing
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from normball.blocks.opening import refuse_blocks
from normball.messages import NotConverged, sample
from normball.results.fit import Fit
from normball.settings import DEFAULT_MAX_ITER, DEFAULT_TOL

Array = NDArray[np.float64]
_Result = TypeVar("_Result")


class Absent:
    """An attribute of scikit-learn's class that a drop-in does not have."""

    def __init__(self, instead: str) -> None:
        self.instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Never:
        raise AttributeError(f"{owner.__name__} of normball.drop_in has no {self.name}; {self.instead}")


class SparseInput:
    """Tags of a model that takes sparse input, and arrays of NumPy alone."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        tags.array_api_support = False
        return tags


def validated(
    model: Any, X: Any, y: Any, sample_weight: Any, *, dtype: Any = (np.float64, np.float32), **checks: Any
) -> tuple[Any, NDArray[Any], Array]:
    """X, y of one or two dimensions and weights as arrays, checked with scikit-learn's own messages."""
    instead = "normball.fit_path and normball.cv_path read them, and what they give predicts and evaluates"
    refuse_blocks(X, f"{type(model).__name__}.fit", instead)
    X, y = validate_data(
        model,
        X,
        y,
        accept_sparse=["csc", "csr"],
        dtype=dtype,
        multi_output=True,
        **checks,
    )
    largest = max(X.max(), -X.min(), *([y.max(), -y.min()] if y.dtype.kind == "f" else []))
    if largest > np.sqrt(np.finfo(float).max / X.shape[0]):
        raise ValueError(  # begins as scikit-learn's own does
            f"Coordinate descent iterations resulted in non-finite parameter values. The input data may contain large "
            f"values and need to be preprocessed: the squares of values up to {largest:.3g} overflow."
        )
    return X, y, np.array(_check_sample_weight(sample_weight, X, dtype=np.float64))


def one_target(model: Any, y: NDArray[Any]) -> NDArray[Any]:
    """The target of a model that has one."""
    if y.ndim == 2 and y.shape[1] > 1:
        name = type(model).__name__
        raise ValueError(
            f"{name} fits one target, but y has {y.shape[1]} columns. For multi-task outputs, use MultiTask{name}, or "
            f"fit one {name} a column."
            if name.endswith("NetCV") or name == "LassoCV"
            else f"{name} fits one target, but y has {y.shape[1]} columns: fit one model a column."
        )
    return np.asarray(column_or_1d(y, warn=True))


def routed(
    model: Any, sample_weight: ArrayLike | None, params: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes to the splitter's `split` and to the scorer, as scikit-learn routes it."""
    _raise_for_params(params, model, "fit")
    if not _routing_enabled():
        return {}, {} if sample_weight is None else {"sample_weight": sample_weight}
    routing = process_routing(model, "fit", sample_weight=sample_weight, **params)
    return routing.splitter.split, routing.scorer.score if "scorer" in routing else {}


def tolerance(model: Any) -> float:
    """The relative duality gap that counts as solved."""
    return float(min(max(getattr(model, "tol", DEFAULT_TOL), np.finfo(float).tiny), DEFAULT_TOL))


# how scikit-learn's own warning begins, by `solver`: people filter by these words
_UNSOLVED = {
    "lbfgs": "lbfgs failed to converge.",
    "newton-cg": "newton-cg failed to converge. Increase the number of iterations.",
    "newton-cholesky": "Newton solver did not converge after {} iterations.",
    "liblinear": "Liblinear failed to converge, increase the number of iterations.",
    "sag": "The max_iter was reached which means the coef_ did not converge.",
    "saga": "The max_iter was reached which means the coef_ did not converge.",
}


def warn_unsolved(model: Any, stacklevel: int = 3) -> None:
    """Warn in words that begin as scikit-learn's do, since people filter by them."""
    begin = _UNSOLVED.get(getattr(model, "solver", ""), "Objective did not converge.").format(iterations_of(model))
    warnings.warn(
        f"{begin} You might want to increase the number of iterations (max_iter={iterations_of(model)}), to raise tol, "
        f"or to penalise more: {type(model).__name__} of normball, which has one way for every solver, did not reach "
        f"the relative duality gap {tolerance(model):g}.",
        ConvergenceWarning,
        stacklevel=stacklevel + 1,
    )


def iterations_of(model: Any) -> int:
    """The most iterations that a model may take."""
    given = getattr(model, "max_iter", None)
    return DEFAULT_MAX_ITER if given is None else int(given)


def solved(
    solve: Callable[..., _Result],
    model: Any,
    X: Any,
    y: NDArray[Any],
    *,
    warns: bool = True,
    **options: Any,
) -> _Result:
    """Call a function of normball with the options of `model`; warn in scikit-learn's way if it does not converge."""
    no_offset = np.zeros(y.shape)  # given in so many words it admits a constant target, which scikit-learn does too
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        of_model = {
            "fit_intercept": bool(model.fit_intercept),
            "lower_bounds": 0.0 if getattr(model, "positive", False) else None,
            "tol": tolerance(model),
            "max_iter": iterations_of(model),
            "n_threads": effective_n_jobs(getattr(model, "n_jobs", None)),
            "progress": bool(getattr(model, "verbose", False)),
        }
        result = solve(X, y, offset=no_offset, standardize=False, **{**of_model, **options})
    for warning in caught:
        if not issubclass(warning.category, NotConverged):
            warnings.warn(warning.message, stacklevel=3)
        elif warns:
            warn_unsolved(model)
    return result


def take(model: Any, fits: Sequence[Fit], X: Any, y: NDArray[Any], scale: float = 1.0) -> None:
    """Set the fitted attributes that all regressors have, one fit for each target or for all of them.

    `scale` is what scikit-learn's objective has instead of the mean loss.
    """
    set_fitted(
        model,
        X,
        y,
        coefs=np.concatenate([np.atleast_2d(fit.coef) for fit in fits]),
        intercepts=np.concatenate([np.atleast_1d(fit.intercept) for fit in fits]),
        gaps=scale * np.array([fit.dual_gap * fit.null_loss for fit in fits]),
        n_iters=[fit.n_iters for fit in fits],
    )


def set_fitted(
    model: Any, X: Any, y: NDArray[Any], *, coefs: Array, intercepts: Array, gaps: Array, n_iters: list[int]
) -> None:
    """Set the fitted attributes in scikit-learn's shapes and in the precision of `X`."""
    coefs, intercepts = coefs.astype(X.dtype), intercepts.astype(X.dtype)
    several = len(n_iters) > 1
    model.coef_ = coefs if len(coefs) > 1 else coefs[0]
    model.intercept_ = (intercepts if y.ndim == 2 else intercepts[0]) if model.fit_intercept else 0.0
    model.dual_gap_ = gaps if several else gaps[0]
    model.n_iter_ = n_iters if several else n_iters[0]


def mean_over_folds(model: Any, scores: Array) -> Array:
    """The mean of `scores` (n_folds, ...) over the folds, which count alike.

    A fold without any score (its held-out rows weigh nothing, or lack a class) is left out, and that is said. Where
    another fold has none the mean is NaN, since means over different folds do not compare.
    """
    name, n_folds = type(model).__name__, scores.shape[0]
    lacking = np.isnan(scores).reshape(n_folds, -1).all(axis=1)
    mean = scores[~lacking].mean(axis=0) if not lacking.all() else np.full(scores.shape[1:], np.nan)
    if np.isnan(mean).all():
        raise ValueError(
            f"{name} has no choice to make: each has a fold whose score is undefined. Make folds whose held-out rows "
            f"have positive weights and, in classification, both classes."
        )
    if lacking.any():
        folds = sample([str(fold + 1) for fold in np.flatnonzero(lacking)])
        warnings.warn(
            f"{name} leaves fold {folds} of {n_folds} out of its mean: no score is defined there, for instance because "
            f"the held-out rows have weight 0 or lack a class.",
            UserWarning,
            stacklevel=3,
        )
    return np.asarray(mean)
