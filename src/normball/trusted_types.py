"""The types of normball in fitted models, for formats that load only what one trusts: skops, and MLflow by it."""

from __future__ import annotations

from dataclasses import is_dataclass
from importlib import import_module

_PLAIN = (  # modules whose classes hold data alone
    "comparison",
    "cv_result",
    "inputs.feature_groups",
    "inputs.preparation",
    "inputs.terms.dates",
    "inputs.terms.interaction",
    "inputs.terms.levels",
    "inputs.terms.numbers",
    "inputs.terms.spline",
    "inputs.terms.term",
    "inputs.terms.words",
    "messages",
    "results.fit",
    "results.held_out",
    "results.path",
    "results.ranges",
    "results.sparse_rows",
    "survival.baseline",
)


def trusted_types() -> list[str]:
    """The types of normball that a fitted estimator or drop-in may hold.

    Returns
    -------
    list of str
        For ``skops.io.load(file, trusted=trusted_types())`` and
        ``mlflow.sklearn.log_model(model, skops_trusted_types=trusted_types())``.

    Examples
    --------
    >>> from normball.trusted_types import trusted_types
    >>> "normball.estimators.GLMRegressor" in trusted_types()
    True
    """
    from normball import drop_in, estimators, estimators_survival

    public = [getattr(drop_in, name) for name in drop_in.__all__]
    public += [estimators.GLMRegressor, estimators.GLMRegressorCV, estimators.GLMClassifier, estimators.GLMClassifierCV]
    public += [estimators_survival.CoxRegressor, estimators_survival.CoxRegressorCV]
    held = [
        kind
        for name in _PLAIN
        for kind in vars(import_module(f"normball.{name}")).values()
        if isinstance(kind, type) and kind.__module__ == f"normball.{name}" and _holds_data(kind)
    ]
    return sorted({f"{kind.__module__}.{kind.__qualname__}" for kind in (*public, *held)})


def _holds_data(kind: type) -> bool:
    return is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
