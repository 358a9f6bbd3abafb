"""Every type of normball in a fitted model is on the list of those to trust, and nothing that is not data."""

import doctest
from importlib import import_module

import numpy as np
import polars as pl
import pytest

from normball import CoxRegressor, GLMClassifierCV, GLMRegressor, GLMRegressorCV, drop_in, trusted_types


def held(value, found, seen):
    """The types of normball among all that can be reached from a value."""
    if id(value) in seen:
        return found
    seen[id(value)] = value
    kind = type(value)
    if kind.__module__.startswith("normball"):
        found.add(f"{kind.__module__}.{kind.__qualname__}")
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set):
        parts = list(value)
    else:
        parts = list(vars(value).values()) if hasattr(value, "__dict__") and not isinstance(value, type) else []
    for part in parts:
        held(part, found, seen)
    return found


def models():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3))
    y = x[:, 0] + rng.normal(size=90)
    label = np.where(y > 0, "a", "b")
    days = np.datetime64("2020-01-01") + rng.integers(0, 900, 90)
    table = pl.DataFrame({"u": x[:, 0], "k": rng.choice(["l", "m"], 90), "day": days, "v": x[:, 1]})
    terms = {"dates": ["day"], "spline": ["v"], "interact": [("u", "k")]}
    return [
        GLMRegressor(lam=0.1).fit(x, y),
        GLMRegressor(lam=0.1, groups={"one": ["x0", "x1"]}).fit(x, y),
        GLMRegressor(lam=0.01, **terms).fit(table, y),
        GLMRegressorCV(cv=3, n_lambdas=8, l1_ratio=[0.5, 1.0]).fit(x, y),
        GLMClassifierCV(cv=3, n_lambdas=8).fit(x, label),
        CoxRegressor(lam=0.1).fit(x, np.column_stack([np.exp(y), np.ones(90)])),
        drop_in.Lasso(alpha=0.1).fit(x, y),
        drop_in.LogisticRegression().fit(x, label),
    ]


def test_all_that_a_model_holds_is_on_the_list():
    listed = set(trusted_types.trusted_types())
    for model in models():
        assert held(model, set(), {}) <= listed


def test_the_list_is_of_types_that_there_are():
    for name in trusted_types.trusted_types():
        module, _, kind = name.rpartition(".")
        assert isinstance(getattr(import_module(module), kind), type)


def test_the_example_runs():
    assert doctest.testmod(trusted_types).failed == 0


def test_skops_loads_what_it_wrote():
    skops = pytest.importorskip("skops.io")
    for model in models():
        again = skops.loads(skops.dumps(model), trusted=trusted_types.trusted_types())
        assert (again.coef_ == model.coef_).all()
