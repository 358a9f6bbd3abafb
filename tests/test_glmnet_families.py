"""Frozen fits of R's glmnet with family objects (golden/families.R) to two public tables, where these are at hand."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from oracle import Problem
from targets import FAMILIES

GOLDEN = json.loads((Path(__file__).parent / "golden" / "families.json").read_text())
OF_POLICIES = (
    ("ageph", "bm", "power", "agec", "fleet", "long", "lat"),
    ("coverage", "sex", "fuel", "use"),
)
OF_HOURS = (("temp", "hum", "windspeed", "holiday"), ("mnth", "hr", "weekday", "weathersit"))


def numbers(table, name):
    return table[name].cast(pl.Float64).to_numpy()


def design(table, names, texts):
    """The numbers, and an indicator of every level but the first in the order of their bytes."""
    columns = [numbers(table, name) for name in names]
    for name in texts:
        text = table[name].cast(pl.String)
        columns += [(text == level).cast(pl.Float64).to_numpy() for level in sorted(text.unique())[1:]]
    return np.column_stack(columns)


@pytest.fixture(scope="module", params=GOLDEN, ids=lambda case: case["name"].replace(" ", "_"))
def case(request, read_shared):
    """The golden fit, X, y and weights."""
    golden = request.param
    if golden["name"].startswith("bikes"):
        table = read_shared("bikeshare")
        return golden, design(table, *OF_HOURS), numbers(table, "bikers"), np.ones(table.height)
    policies = read_shared("beMTPL97")
    if golden["name"].startswith("severity"):
        policies = policies.filter(pl.col("amount") > 0)
    weights = numbers(policies, "nclaims" if golden["name"].startswith("severity") else "expo")
    return golden, design(policies, *OF_POLICIES), numbers(policies, "amount") / weights, weights


def coefficients(golden, index):
    coef = np.zeros(int(golden["checksum"][1]))
    coef[golden["columns"][index]] = golden["beta"][index]
    return golden["a0"][index], coef


def test_same_data_and_same_objective(case):
    """The table and the oracle agree with R before anything of ours is judged, and R is at the minimum."""
    golden, X, y, weights = case
    checksum = [*X.shape, X.sum(), (X * X).sum(), y.sum(), weights.sum(), weights @ y]
    np.testing.assert_allclose(checksum, golden["checksum"], rtol=1e-12)
    problem = Problem(X, y, golden["family"], weights=weights, l1_ratio=golden["l1_ratio"])
    for index, lam in enumerate(golden["lambdas"]):
        theta = problem.theta(*coefficients(golden, index))
        assert problem.objective(theta, lam) == pytest.approx(golden["objective"][index], rel=1e-12)
        assert problem.kkt(theta, lam) <= 1e-3 * lam
    if y.size < 100_000:  # the oracle takes its time
        theta, middle = problem.theta(*coefficients(golden, 10)), golden["lambdas"][10]
        assert problem.gap(theta, middle) <= 1e-10


def test_objective_is_glmnets(case):
    golden, X, y, weights = case
    if golden["family"] not in FAMILIES:
        pytest.skip("waits for the native loss")
    problem = Problem(X, y, golden["family"], weights=weights, l1_ratio=golden["l1_ratio"])
    path = nb.fit_path(
        X, y, family=golden["family"], sample_weight=weights, l1_ratio=golden["l1_ratio"], lambdas=golden["lambdas"],
        tol=1e-9,
    )  # fmt: skip
    assert set(path.statuses) == {"converged"}
    for index, lam in enumerate(path.lambdas):
        ours = problem.objective(problem.theta(path.intercepts[index], path.coefs[index]), lam)
        assert ours == pytest.approx(golden["objective"][index], rel=1e-8)
        _, coef = coefficients(golden, index)
        per_sd = np.abs(coef * problem.scales).max()
        np.testing.assert_allclose(path.coefs[index] * problem.scales, coef * problem.scales, atol=1e-3 * per_sd)
