"""What a page holds of a model with several outputs: every number against its definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

import normball as nb
from normball import charts
from normball.evidence.evidence import evidence
from normball.evidence.listed import lengths, listed
from normball.evidence.refound import refound
from normball.families import find_family
from normball.report.page import render
from normball.report.payload import payload
from normball.run import Run
from payloads import Array, described

CASES = [
    ("multinomial", 1.0, False),
    ("multinomial", 0.5, True),
    ("multinomial", 0.0, False),
    ("multigaussian", 1.0, True),
    ("multigaussian", 0.5, False),
]
Case = tuple[nb.CVPath, Array, Array, dict[str, Any]]


def made(family: str, n: int = 150, p: int = 6, n_outputs: int = 3, seed: int = 0) -> tuple[Array, Array]:
    """Features, and labels or targets that the first few explain."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 3.0, size=p) + rng.normal(size=p)
    weights = rng.normal(size=(min(p, 4), n_outputs))
    eta = 1.5 * ((X - X.mean(axis=0)) / X.std(axis=0))[:, :4] @ weights
    if family == "multinomial":
        names = np.array([f"class {k}" for k in range(n_outputs)])
        return X, names[(eta + rng.gumbel(size=eta.shape)).argmax(axis=1)]
    return X, (eta + rng.normal(size=eta.shape)) * 10.0 ** np.arange(n_outputs)


@pytest.fixture(scope="module", params=CASES, ids=lambda one: f"{one[0]}-{one[1]:g}-{one[2]}")
def case(request: pytest.FixtureRequest) -> Case:
    family, ratio, grouped = request.param
    X, y = made(family)
    options: dict[str, Any] = {"family": family, "l1_ratio": ratio, "grouped": grouped, "tol": 1e-9}
    cv = nb.cv_path(X, y, cv=5, n_lambdas=20, keep_predictions=True, **options)
    return cv, X, y, described(cv, X, y)


def indicators(cv: nb.CVPath, y: Array) -> Array:
    """The target (n, K) as the loss takes it."""
    return y if cv.path.classes is None else (y[:, None] == np.array(cv.path.classes)).astype(float)


def test_loss_and_penalty_are_the_objective(case: Case) -> None:
    cv, X, y, content = case
    told, ratio = content["evidence"], content["l1_ratio"]
    for index in (0, 8, 19):
        fit = cv.path.fit_at(index)
        loss = find_family(fit.family).loss(indicators(cv, y), fit.predict(X)).mean()
        size = fit.coef * X.std(axis=0)
        l1 = np.linalg.norm(size, axis=0).sum() if content["grouped"] else np.abs(size).sum()
        assert told["loss"][index] == pytest.approx(loss, rel=1e-8)
        assert told["penalty_l1"][index] == pytest.approx(l1, rel=1e-8, abs=1e-12)
        assert told["penalty_l2"][index] == pytest.approx((size**2).sum() / 2, rel=1e-8, abs=1e-12)
    if ratio < 1:
        assert told["penalty_l2"][-1] > 0


def test_predictions_from_the_page(case: Case) -> None:
    cv, X, _, content = case
    names = [one["name"] for one in content["features"]]
    columns = [cv.path.feature_names.index(name) for name in names]
    row = X.mean(axis=0)
    row[columns] = X[3, columns]
    wanted = cv.path.predict(row[None, :], lam=cv.lambdas)[0]
    coefs = np.array([one["by_output"] for one in content["features"]])  # (p, K, L)
    rest = np.array([one["rest"] for one in content["outputs"]])
    assert np.allclose((rest + np.tensordot(row[columns], coefs, 1)).T, wanted, rtol=1e-9, atol=1e-9)
    assert [one["name"] for one in content["outputs"]] == list(cv.path.output_names)
    assert np.array_equal(np.array([one["intercepts"] for one in content["outputs"]]).T, cv.path.intercepts)


def test_a_feature_counts_by_its_length(case: Case) -> None:
    cv, _, _, content = case
    lengths_of_path = np.linalg.norm(cv.path.coefs, axis=1)
    assert np.allclose(lengths(cv.path).toarray(), lengths_of_path, rtol=1e-14)
    for one in content["features"]:
        j = cv.path.feature_names.index(one["name"])
        assert one["coefs"] == pytest.approx(lengths_of_path[:, j], rel=1e-4)
        assert np.allclose(np.linalg.norm(one["by_output"], axis=0), one["coefs"], rtol=1e-4)
    there = np.max([lengths_of_path[index] for index in {cv.index_1se, cv.index_best}], axis=0) * cv.path.scales
    assert listed(cv, Run()).tolist()[:3] == np.argsort(-there, kind="stable")[:3].tolist()


def test_what_does_not_apply_is_left_out(case: Case) -> None:
    cv, _, _, content = case
    told = content["evidence"]
    assert [told[name] for name in ("margins", "scaling", "calibration", "residuals", "convexity")] == [None] * 5
    page = render(cv, Run(), {**told, "means": [0.0] * len(content["features"]), "rest": None})
    shown = {name for name in ("geometry", "sigmoid", "convexity", "effects", "confusion", "errors") if name in page}
    of_family = {"confusion"} if cv.path.classes else {"errors"}
    sections = {name for name in shown if f'data-view="{name}"' in page}
    assert sections == {"effects"} | of_family
    assert ('data-view="calibration"' in page) == bool(cv.path.classes)
    assert ('data-view="residuals"' in page) != bool(cv.path.classes)


def test_every_view_draws(case: Case) -> None:
    _, _, _, content = case
    for view in charts.call("report", content):
        text = str(view)
        assert "NaN" not in text
        assert "Infinity" not in text
        assert "undefined" not in text
    assert "undefined" not in str(charts.call("verdict", content, 5))


def test_classes_that_are_taken_for_others() -> None:
    X, y = made("multinomial")
    cv = nb.cv_path(X, y, family="multinomial", cv=5, n_lambdas=20, keep_predictions=True)
    content = described(cv, X, y)
    told, classes = content["evidence"]["outputs"]["confusion"], np.array(cv.path.classes)
    assert cv.predictions is not None
    chosen = classes[cv.predictions.argmax(axis=2)]
    assert told["right"] == (chosen == y[:, None]).sum(axis=0).tolist()
    sizes = [int((y == label).sum()) for label in classes]
    assert (told["n_rows"], told["n_commonest"], told["commonest"]) == (150, max(sizes), int(np.argmax(sizes)))
    for index, counts in zip(told["at"], told["counts"], strict=True):
        wanted = [int(((y == a) & (chosen[:, index] == b)).sum()) for a in classes for b in classes]
        assert counts == wanted
    share = f"{100 * told['right'][cv.index_1se] / 150:.1f} % are put into the right class"
    assert share in charts.call("verdict", content, cv.index_1se)["quality"]


def test_each_class_against_the_rest_is_a_binomial_target() -> None:
    X, y = made("multinomial")
    cv = nb.cv_path(X, y, family="multinomial", cv=5, n_lambdas=20, keep_predictions=True)
    told = described(cv, X, y)["evidence"]["outputs"]
    assert cv.predictions is not None
    for k, label in enumerate(cv.path.classes or ()):
        mean = softmax(cv.predictions, axis=2)[:, :, k][:, told["at"]]
        is_it = (y == label)[:, None]
        one = told["calibration"][k]
        assert one["brier"] == pytest.approx(((mean - is_it) ** 2).mean(axis=0), rel=1e-3)
        loss = -np.where(is_it, np.log(mean), np.log1p(-mean)).mean(axis=0)
        assert one["log_loss"] == pytest.approx(loss, rel=1e-3)
        for counts, predicted, observed in zip(one["counts"], one["predicted"], one["observed"], strict=True):
            assert sum(counts) == 150
            assert np.average(observed, weights=counts) == pytest.approx(is_it.mean(), rel=1e-3)
            assert (np.diff(predicted) > 0).all()


def test_errors_of_targets_are_in_their_units() -> None:
    X, y = made("multigaussian")
    weights = np.random.default_rng(1).integers(0, 3, size=150).astype(float)
    cv = nb.cv_path(X, y, family="multigaussian", sample_weight=weights, cv=5, n_lambdas=20, keep_predictions=True)
    content = described(cv, X, y, sample_weight=weights)
    told = content["evidence"]["outputs"]
    assert cv.predictions is not None
    left = y[:, None, :] - cv.predictions
    wanted = np.sqrt(np.average(left**2, weights=weights, axis=0)).T
    assert np.allclose(told["errors"]["rmse"], wanted, rtol=1e-3)
    folds = [cv.fold_ids != fold for fold in range(5)]
    means = np.array([np.average(y[train], weights=weights[train], axis=0) for train in folds])[cv.fold_ids]
    assert told["errors"]["null"] == pytest.approx(
        np.sqrt(np.average((y - means) ** 2, weights=weights, axis=0)), rel=1e-3
    )
    for k, one in enumerate(told["residuals"]):
        assert {sum(counts) for counts in one["counts"]} == {int((weights > 0).sum())}
        middle = [np.median(np.repeat(left[:, index, k], weights.astype(int))) for index in told["at"]]
        assert [points[2] for points in one["quantiles"]] == pytest.approx(middle, rel=0.1, abs=0.1 * 10.0**k)


def test_without_data_or_held_out_predictions() -> None:
    X, y = made("multinomial", p=80)
    cv = nb.cv_path(X, y, family="multinomial", l1_ratio=0.0, cv=3, n_lambdas=100)
    content = payload(cv, Run(), None)
    assert len(content["features"]) < 80
    assert content["outputs"][0]["rest"] is None
    told = described(cv, X, y)["evidence"]
    assert told["outputs"] is None
    views = {view["id"]: view for view in charts.call("report", content)}
    assert "needs the data" in views["confusion"]["missing"]
    assert views["effects"]["missing"] == ""
    few = payload(nb.cv_path(X[:, :3], y, family="multinomial", cv=3, n_lambdas=5), Run(), None)
    assert few["outputs"][0]["rest"] is None  # nor where a row starts


def test_many_classes_go_together() -> None:
    X, y = made("multinomial", n=1500, p=5, n_outputs=30)
    cv = nb.cv_path(X, y, family="multinomial", cv=3, n_lambdas=8, keep_predictions=True, tol=1e-4)
    content = described(cv, X, y)
    told, classes = content["evidence"]["outputs"]["confusion"], np.array(cv.path.classes)
    assert len(told["named"]) == 20
    sizes = np.array([(y == label).sum() for label in classes])
    assert sizes[told["named"]].min() >= np.delete(sizes, told["named"]).max()
    assert {len(counts) for counts in told["counts"]} == {21**2}
    square = np.array(told["counts"][0]).reshape(21, 21)
    assert square.sum(axis=1).tolist() == [*sizes[told["named"]].tolist(), int(np.delete(sizes, told["named"]).sum())]
    confusion = next(view for view in charts.call("report", content) if view["id"] == "confusion")
    assert "10 others" in confusion["svg"]
    assert "10 others" in str(confusion["table"])


@pytest.mark.parametrize(("n_outputs", "p", "grouped"), [(40, 60, True), (6, 400, False)])
def test_sizes(n_outputs: int, p: int, grouped: bool, tmp_path: Path) -> None:
    X, y = made("multigaussian", n=120, p=p, n_outputs=n_outputs)
    options: dict[str, Any] = {"grouped": grouped, "l1_ratio": 0.1, "tol": 1e-3, "lambda_min_ratio": 0.05}
    cv = nb.cv_path(X, y, family="multigaussian", cv=3, n_lambdas=100, keep_predictions=True, **options)
    cv.report(tmp_path / "r.html", X, y)
    assert (tmp_path / "r.html").stat().st_size < 900_000


def test_groups_of_features_beside_several_outputs() -> None:
    X, y = made("multinomial")
    groups = {"first": [0, 1], "second": [2, 3, 4]}
    cv = nb.cv_path(X, y, family="multinomial", groups=groups, cv=3, n_lambdas=10, keep_predictions=True)
    run = Run()
    told = evidence(cv, run, refound(cv.path, X, y))
    assert told["penalty_l1"] == []
    views = {view["id"]: view["missing"] for view in charts.call("report", payload(cv, run, told))}
    assert "acts on groups" in views["breakdown"]
    assert views["confusion"] == views["effects"] == views["coefficients"] == ""
