"""What the drop-ins share: which options have a meaning, the data, and the call of the solver."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Never, TypeVar

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled, process_routing
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from normball.messages import NotConverged
from normball.results.fit import Fit
from normball.settings import DEFAULT_MAX_ITER, DEFAULT_TOL

Array = NDArray[np.float64]
_Result = TypeVar("_Result")

_ACCEPTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "warm_start": (lambda given: not given, "every fit starts afresh; normball.fit_path warm-starts along a path"),
    "precompute": (lambda given: isinstance(given, bool | str), "pass X and y; no Gram matrix is needed"),
    "dual": (lambda given: not given, "the solver works on the primal problem; the minimum is the same"),
    "intercept_scaling": (lambda given: given == 1, "the intercept is never penalised, so it needs no scaling"),
}


class Absent:
    """An attribute of scikit-learn's class that a drop-in does not have."""

    def __init__(self, instead: str) -> None:
        self.instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Never:
        raise AttributeError(f"{owner.__name__} of normball.drop_in has no {self.name}; {self.instead}")


class OneTarget:
    """Tags of a model that takes sparse input and fits one target."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = False
        tags.array_api_support = False
        return tags


def check_options(model: Any) -> None:
    """Check parameters by scikit-learn's rules, and that none asks for what this solver does not do."""
    model._validate_params()
    for name, (is_accepted, reason) in _ACCEPTED.items():
        value = getattr(model, name, None)
        if value is not None and not is_accepted(value):
            shown = name if np.ndim(value) else f"{name}={value!r}"
            raise NotImplementedError(f"{type(model).__name__}({shown}) is not available in normball.drop_in: {reason}")


def validated(model: Any, X: Any, y: Any, sample_weight: Any, **checks: Any) -> tuple[Any, NDArray[Any], Array]:
    """X, y and weights as arrays, checked with scikit-learn's own messages."""
    X, y = validate_data(
        model,
        X,
        y,
        accept_sparse=["csc", "csr"],
        dtype=[np.float64, np.float32],
        multi_output=True,
        **checks,
    )
    if y.ndim == 2 and y.shape[1] > 1:
        raise NotImplementedError(
            f"{type(model).__name__} of normball.drop_in fits one target, but y has {y.shape[1]} columns: "
            f"fit one model a column, for instance by sklearn.multioutput.MultiOutputRegressor"
        )
    y = column_or_1d(y, warn=True)
    return X, y, np.array(_check_sample_weight(sample_weight, X, dtype=np.float64))


def routed(
    model: Any, sample_weight: ArrayLike | None, params: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes to the splitter's `split` and to the scorer, as scikit-learn routes it."""
    _raise_for_params(params, model, "fit")
    if not _routing_enabled():
        return {}, {} if sample_weight is None else {"sample_weight": sample_weight}
    routing = process_routing(model, "fit", sample_weight=sample_weight, **params)
    return routing.splitter.split, routing.scorer.score if "scorer" in routing else {}


def solved(solve: Callable[..., _Result], model: Any, X: Any, y: NDArray[Any], **options: Any) -> _Result:
    """Call `fit_path` or `cv_path` with the options of `model`; warn in scikit-learn's way if it does not converge."""
    tol = min(max(getattr(model, "tol", DEFAULT_TOL), np.finfo(float).tiny), DEFAULT_TOL)
    max_iter = getattr(model, "max_iter", None)
    max_iter = DEFAULT_MAX_ITER if max_iter is None else max_iter
    no_offset = np.zeros(y.size)  # given in so many words it admits a constant target, which scikit-learn does too
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = solve(
            X,
            y,
            offset=no_offset,
            fit_intercept=bool(model.fit_intercept),
            standardize=False,
            lower_bounds=0.0 if getattr(model, "positive", False) else None,
            tol=tol,
            max_iter=max_iter,
            n_threads=effective_n_jobs(getattr(model, "n_jobs", None)),
            progress=bool(getattr(model, "verbose", False)),
            **options,
        )
    unsolved = ConvergenceWarning(
        f"{type(model).__name__} did not reach the relative duality gap {tol:g} in max_iter={max_iter} iterations: "
        f"raise max_iter, or penalise more."
    )
    for warning in caught:
        is_ours = issubclass(warning.category, NotConverged)
        warnings.warn(unsolved if is_ours else warning.message, stacklevel=3)
    return result


def take(model: Any, fit: Fit, X: Any) -> None:
    """Set the fitted attributes that all regressors have, in the precision of `X`."""
    model.coef_ = fit.coef.astype(X.dtype)
    model.intercept_ = X.dtype.type(fit.intercept) if model.fit_intercept else 0.0
    model.n_iter_ = fit.n_iters
    model.dual_gap_ = fit.dual_gap * fit.null_loss
