"""The loss as a page draws it: on planes of two coefficients and along lines, against its definition."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import normball as nb
from normball.evidence.fitted_rows import CACHED, fitted_rows
from normball.families import find_family
from normball.inputs.prepare import prepare
from normball.run import Run
from payloads import MODELS, Array, Case, described, made, made_case, penalty, per_sd, standardised


@pytest.fixture(scope="module", params=MODELS)
def case(request: pytest.FixtureRequest) -> Case:
    """A cross-validated path, its data and its payload."""
    return made_case(*request.param)


def on_slice(content: dict[str, Any], one: dict[str, Any]) -> tuple[Array, Array, Array]:
    """Both axes of a slice and the loss on it (size, size)."""
    told = content["evidence"]
    x, y = np.linspace(*one["x"], one["size"]), np.linspace(*one["y"], one["size"])
    here = per_sd(content)[one["at"], [one["j"], one["k"]]]
    move = np.stack(np.meshgrid(x - here[0], y - here[1]), axis=-1)
    hessian = np.array(one["hessian"])[[[0, 1], [1, 2]]]
    gradient = np.array(told["gradients"][one["at"]])[[one["j"], one["k"]]]
    bent = np.einsum("abi,ij,abj->ab", move, hessian, move) / 2
    beyond = np.reshape(one["beyond"], bent.shape) * np.linalg.norm(move, axis=-1) ** 3
    return x, y, told["loss"][one["at"]] + move @ gradient + bent + beyond


def test_the_lowest_point_of_a_slice_is_the_solution(case: Case) -> None:
    cv, _, _, content = case
    told, coefs = content["evidence"], per_sd(content)
    if cv.path.family == "gaussian":
        assert told["slices"] == []
        return
    assert len(told["slices"]) >= 10
    for one in told["slices"]:
        x, y_axis, loss = on_slice(content, one)
        lam, ratio = content["lambdas"][one["at"]], content["l1_ratio"]
        costs = lam * (ratio * (np.abs(x) + np.abs(y_axis)[:, None]) + (1 - ratio) * (x**2 + y_axis[:, None] ** 2) / 2)
        row, column = np.unravel_index(np.argmin(loss + costs), loss.shape)
        here = coefs[one["at"], [one["j"], one["k"]]]
        assert abs(x[column] - here[0]) <= 1.5 * (x[1] - x[0])
        assert abs(y_axis[row] - here[1]) <= 1.5 * (y_axis[1] - y_axis[0])


def test_slices_are_the_loss(case: Case) -> None:
    cv, X, y, content = case
    features, coefs = standardised(cv, X, content), per_sd(content)
    for one in content["evidence"]["slices"][::7]:
        base = cv.path.fit_at(one["at"]).predict(X)
        moved = np.array([one["x"][1], one["y"][0]]) - coefs[one["at"], [one["j"], one["k"]]]
        eta = base + features[:, [one["j"], one["k"]]] @ moved
        told = on_slice(content, one)[2]
        loss = find_family(cv.path.family).loss(y.astype(float), eta).mean()
        assert told[0, -1] == pytest.approx(loss, abs=1e-3 * np.ptp(told))


def test_hessians_are_the_second_derivative(case: Case) -> None:
    cv, X, y, content = case
    told, features = content["evidence"], standardised(cv, X, content)[:, : content["evidence"]["n_hessian"]]
    for index, packed in zip(told["hessians_at"], told["hessians"], strict=True):
        base = cv.path.fit_at(index).predict(X)
        step = 1e-3
        lower = np.transpose(np.tril_indices(features.shape[1]))
        for place, (j, k) in list(enumerate(lower))[::5]:
            signs = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
            eta = base[:, None] + step * (features[:, [j]] * signs[:, 0] + features[:, [k]] * signs[:, 1])
            loss = find_family(cv.path.family).loss(y.astype(float)[:, None], eta).mean(axis=0)
            second = (loss @ [1, -1, -1, 1]) / (4 * step**2)
            assert packed[place] == pytest.approx(second, abs=2e-4 * max(told["null_loss"], 1))


def test_a_quadratic_from_the_gram_matrix_is_the_squared_error() -> None:
    X, y = made("gaussian")
    cv = nb.cv_path(X, y, cv=5, n_lambdas=20)
    content = described(cv, X, y)
    told, features, coefs = content["evidence"], standardised(cv, X, content), per_sd(content)
    size = told["n_hessian"]
    gram = np.zeros((size, size))
    gram[np.tril_indices(size)] = told["hessians"][0]
    gram = gram + gram.T - np.diag(np.diag(gram))
    index = 12
    for j, k in combinations(range(3), 2):
        move = np.zeros(size)
        move[[j, k]] = 0.7, -0.4
        quadratic = told["loss"][index] + np.array(told["gradients"][index]) @ move + move @ gram @ move / 2
        left = y - cv.path.fit_at(index).predict(X) - features @ move
        assert quadratic == pytest.approx((left**2).mean() / 2, rel=1e-5)
    alone = np.linalg.lstsq(features[:, :2], y - y.mean(), rcond=None)[0]
    assert np.linalg.solve(gram[:2, :2], told["alone"][:2]) == pytest.approx(alone, rel=5e-4)
    assert coefs.shape == (20, 6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_two_features_alone(family: str) -> None:
    X, y = made(family)
    cv = nb.cv_path(X, y, family=family, cv=5, n_lambdas=20, tol=1e-9)
    content = described(cv, X, y)
    assert len(content["evidence"]["pairs"]) == 6
    for one in content["evidence"]["pairs"][:3]:
        features = standardised(cv, X, content)[:, [one["j"], one["k"]]]
        own = nb.fit_path(features, y, family=family, lambdas=cv.lambdas, standardize=False, tol=1e-9)
        assert np.abs(np.array(one["path"]) - own.coefs).max() < 1e-3
        free = nb.fit_path(features, y, family=family, lambdas=[1e-7], standardize=False, tol=1e-12)
        assert one["mle"] == pytest.approx(free.coefs[0], abs=1e-3)
        loss = np.array(one["loss"]).reshape(one["size"], -1)
        row, column = np.unravel_index(np.argmin(loss), loss.shape)
        axes = np.linspace(*one["x"], one["size"]), np.linspace(*one["y"], one["size"])
        assert abs(axes[0][column] - one["mle"][0]) <= 1.5 * (axes[0][1] - axes[0][0])
        assert abs(axes[1][row] - one["mle"][1]) <= 1.5 * (axes[1][1] - axes[1][0])
        assert loss.min() >= free.loss[0] - 1e-3


def test_separated_classes_have_no_unpenalised_end() -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    content = described(nb.cv_path(X, y, family="binomial", cv=5, n_lambdas=20), X, y)
    assert all(one["mle"] is None for one in content["evidence"]["pairs"] if one["j"] == 0)


def test_the_line_from_the_null_model(case: Case) -> None:
    _, _, _, content = case
    told = content["evidence"]
    line = told["convexity"]
    t = np.array(line["t"])
    for index, loss, costs in zip(line["at"], line["loss"], line["penalty"], strict=True):
        total = np.array(loss) + costs
        assert loss[int(np.argmin(np.abs(t)))] == pytest.approx(told["null_loss"], rel=5e-4)
        solution = int(np.argmin(np.abs(t - 1)))
        assert total[solution] == pytest.approx(told["loss"][index] + penalty(content, index), rel=5e-4)
        assert total[solution] <= total.min() + 1e-5 * told["null_loss"]


def test_a_sum_over_blocks_of_rows_is_the_sum_over_rows() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(3000, 2))
    y = (X @ [2.0, -1.0] + rng.logistic(size=3000) > 0).astype(float)
    weights = rng.uniform(0.5, 2.0, 3000)
    data = prepare(X, y, family="binomial", sample_weight=weights)
    rows = fitted_rows(nb.cv_path(X, y, family="binomial", sample_weight=weights, cv=3), Run(), data)
    eta = rng.normal(size=(3000, 7)) * 5
    assert eta.size > 2 * CACHED
    losses = np.logaddexp(0, eta) - y[:, None] * eta
    chances = 1 / (1 + np.exp(-eta))
    shares = weights / weights.sum()
    np.testing.assert_allclose(rows.loss(eta), shares @ losses, rtol=1e-12)
    slope, bend = rows.derivatives_of(lambda some: eta[some], 7)
    np.testing.assert_allclose(slope, shares @ (chances - y[:, None]), rtol=1e-10)
    np.testing.assert_allclose(bend, shares @ (chances * (1 - chances)), rtol=1e-10)
    few = y > 0
    np.testing.assert_allclose(rows.loss(eta[few], few), shares[few] @ losses[few] / shares[few].sum(), rtol=1e-12)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
def test_counts_in_the_hundred_millions_have_a_page(l1_ratio: float) -> None:
    """Their curvature rounds to whole numbers, and their losses are small differences of large terms."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.round(1e8 * np.exp(1e-6 * X @ [1.0, -0.5, 0.2] + 1e-7 * rng.normal(size=60)))
    cv = nb.cv_path(X, y, family="poisson", l1_ratio=l1_ratio, cv=3, n_lambdas=8)
    assert described(cv, X, y)["evidence"]["slices"]


@pytest.mark.filterwarnings("ignore::normball.NotConverged")  # what rounding leaves is not certified in every fold
@pytest.mark.parametrize("family", ["gaussian", "poisson", "gamma", "tweedie(1.5)", "negative_binomial(2)", "binomial"])
def test_data_that_hardly_vary_are_those_of_their_model(family: str) -> None:
    """And others are not, although their loss is small, too."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3))
    eta = 1e-2 * (X @ [1.0, -0.5, 0.2] + 0.1 * rng.normal(size=80))
    y = {"gaussian": 1e8 + eta, "binomial": 1.0 / (1.0 + np.exp(-eta))}.get(family, 1e8 * np.exp(eta))
    cv = nb.cv_path(X, y, family=family, cv=3, n_lambdas=8)
    assert described(cv, X, y)["evidence"]["loss"]
    with pytest.raises(nb.DataError, match="their loss under the model differs"):
        described(cv, X, y[::-1].copy())
