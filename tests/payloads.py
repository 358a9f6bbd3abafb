"""Payloads for the tests of what a page holds."""

import json
from typing import Any

import numpy as np

import normball as nb
from normball.evidence.evidence import evidence
from normball.evidence.refound import refound
from normball.report.payload import payload
from normball.run import Run
from targets import FAMILIES, draw

Array = np.ndarray[Any, Any]
MODELS = [(family, ratio) for family in FAMILIES for ratio in (1.0, 0.5, 0.0)]
Case = tuple[nb.CVPath, Array, Array, dict[str, Any]]


def made(family: str, n: int = 90, p: int = 6, seed: int = 0) -> tuple[Array, Array]:
    """Features and a target that the first few explain."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 3.0, size=p) + rng.normal(size=p)
    eta = 0.7 * ((X - X.mean(axis=0)) / X.std(axis=0))[:, :4] @ np.array([1.0, -0.8, 0.6, 0.4])
    if family == "gaussian":
        return X, eta + rng.normal(size=n)
    if family == "binomial":
        return X, (eta + rng.logistic(size=n) > 0).astype(int)
    if family == "poisson":
        return X, rng.poisson(np.exp(eta))
    return X, draw(family, eta, rng)


def described(cv: nb.CVPath, X: Any, y: Any, run: Run | None = None, **data: Any) -> dict[str, Any]:
    """The payload with evidence, through JSON as in the page."""
    run = run or Run()
    content = payload(cv, run, evidence(cv, run, refound(cv.path, X, y, **data)))
    again: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
    return again


def made_case(family: str, ratio: float) -> Case:
    """A cross-validated path, its data and its payload."""
    X, y = made(family)
    cv = nb.cv_path(X, y, family=family, l1_ratio=ratio, cv=5, n_lambdas=30, keep_predictions=True, tol=1e-10)
    return cv, X, y, described(cv, X, y)


def per_sd(content: dict[str, Any]) -> Array:
    """Coefficients (n_lambdas, n_listed) per SD."""
    return np.array([[coef * one["scale"] for coef in one["coefs"]] for one in content["features"]]).T


def standardised(cv: nb.CVPath, X: Array, content: dict[str, Any]) -> Array:
    """The listed columns per SD, in their order."""
    names = [one["name"] for one in content["features"]]
    columns = [cv.path.feature_names.index(name) for name in names]
    return np.asarray((X[:, columns] - X[:, columns].mean(axis=0)) / X[:, columns].std(axis=0))


def penalty(content: dict[str, Any], index: int) -> float:
    """Of the whole model."""
    told, ratio = content["evidence"], content["l1_ratio"]
    lam: float = content["lambdas"][index]
    return float(lam * (ratio * told["penalty_l1"][index] + (1 - ratio) * told["penalty_l2"][index]))
