"""The table of families against the native losses: value, residual, curvature, and the bounds that certificates use."""

import numpy as np
import pytest
from scipy.optimize import brentq

from normball import _native
from normball.families import find_family
from normball.family import Family
from test_families import SETTLED, targets

OF_ONE_OUTPUT = [name for name in SETTLED if not find_family(name).has_outputs]
FAR = 40.0  # |eta| where every residual is at its ends but for rounding


def rows_of(name: str, seed: int, n: int = 300) -> tuple[Family, np.ndarray, np.ndarray]:
    family, rng = find_family(name), np.random.default_rng(seed)
    return family, targets(family, n, rng), 1.5 * rng.normal(size=n)


def conjugate(family: Family, y: float, u: float) -> float:
    """`f*(u) = sup u eta - f(y, eta)`, infinite where no eta has the residual u."""

    def excess(eta: float) -> float:
        return float(family.residual(np.array([y]), np.array([eta]))[0]) - u

    if excess(-FAR) > 0.0 or excess(FAR) < 0.0:
        return np.inf
    eta = brentq(excess, -FAR, FAR, xtol=1e-13)
    return u * eta - float(family.loss(np.array([y]), np.array([eta]))[0])


@pytest.mark.parametrize("name", OF_ONE_OUTPUT)
def test_the_table_is_the_native_loss(name: str) -> None:
    family, y, eta = rows_of(name, 0)
    native = _native.loss_rows(family.name, family.parameter, y, eta)
    size = np.abs(family.residual(y, eta)) + np.abs(y) + 1.0
    for ours, theirs in (
        (family.loss(y, eta), native["value"]),
        (family.residual(y, eta), native["residual"]),
        (family.curvature(y, eta), native["curvature"]),
    ):
        np.testing.assert_allclose(theirs / size, ours / size, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", OF_ONE_OUTPUT)
def test_the_conjugate_on_the_way_to_zero_is_bounded(name: str) -> None:
    """(M8a): f*(s u) from sums that the engine has at hand, at any residual u of the loss."""
    family, y, eta = rows_of(name, 1)
    u, loss, curvature = family.residual(y, eta), family.loss(y, eta), family.curvature(y, eta)
    with np.errstate(divide="ignore"):
        pearson = np.where(u == 0.0, 0.0, u**2 / curvature)
    for s in (0.05, 0.3, 0.6, 0.9, 0.99):
        truth = np.array([conjugate(family, *row) for row in zip(y, s * u, strict=True)])
        bound = u * eta - loss - (1 - s) * u * eta + np.minimum((1 - s) * loss, (1 - s) ** 2 * pearson / (2 * s))
        assert (truth <= bound + 1e-9 * (1.0 + np.abs(u * eta) + loss)).all()


@pytest.mark.parametrize("name", OF_ONE_OUTPUT)
def test_the_conjugate_exceeds_its_tangent_by_no_more_than_the_engine_says(name: str) -> None:
    """(M8b) at dual points near and far; where the bound may not be used, the engine says infinity."""
    family, y, eta = rows_of(name, 2)
    rng = np.random.default_rng(3)
    u, curvature = family.residual(y, eta), family.curvature(y, eta)
    for reach in (0.01, 0.3, 1.0, 5.0):
        v = u + curvature * reach * rng.normal(size=y.size)
        bound = _native.loss_dual(family.name, family.parameter, y, eta, v)
        tangent = u * eta - family.loss(y, eta) + eta * (v - u)
        truth = np.array([conjugate(family, *row) for row in zip(y, v, strict=True)]) - tangent
        usable = np.isfinite(bound)
        assert (truth[usable] <= bound[usable] + 1e-9 * (1.0 + np.abs(eta * v))[usable]).all()
        assert usable[curvature > 0].mean() > 0.9 or reach > 0.01
        near = usable & (curvature > 1e-12)
        np.testing.assert_allclose(bound[near], ((v - u) ** 2 / np.where(near, curvature, 1.0))[near], rtol=1e-8)
