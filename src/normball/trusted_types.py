"""The types of normball in fitted models, for formats that load only what one trusts: skops, and MLflow by it."""

from __future__ import annotations

from dataclasses import is_dataclass


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
    from normball import comparison, cv_result, drop_in, estimators, estimators_survival, messages
    from normball.inputs import feature_groups, preparation
    from normball.inputs.terms import dates, interaction, levels, numbers, spline, term, words
    from normball.results import fit, held_out, path, ranges, sparse_rows
    from normball.survival import baseline

    modules = [comparison, cv_result, feature_groups, preparation, dates, interaction, levels, numbers, spline, term]
    modules += [words, messages, fit, held_out, path, ranges, sparse_rows, baseline]
    public = [getattr(drop_in, name) for name in drop_in.__all__]
    public += [estimators.GLMRegressor, estimators.GLMRegressorCV, estimators.GLMClassifier, estimators.GLMClassifierCV]
    public += [estimators_survival.CoxRegressor, estimators_survival.CoxRegressorCV]
    held = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__ and _holds_data(kind)
    ]
    return sorted({f"{kind.__module__}.{kind.__qualname__}" for kind in (*public, *held)})


def _holds_data(kind: type) -> bool:
    return is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
