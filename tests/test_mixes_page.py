"""A page of several penalties: what it holds of each, in how much room, and that it is the same by another way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run, small_table
from normball.report import other_mixes
from normball.report.other_mixes import some_lambdas, thinned
from normball.run import Run
from pages import payload_of, unpacked


@pytest.fixture(scope="module")
def table() -> tuple[Any, Any]:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(150, 12))
    return X, (X[:, :3].sum(axis=1) + rng.logistic(size=150) > 0).astype(float)


@pytest.fixture(scope="module")
def comparison(table: tuple[Any, Any]) -> nb.Comparison:
    return nb.compare(*table, family="binomial", cv=5, keep_predictions=True)


def others_of(page: str) -> list[Any]:
    held = re.search(r'id="others">([^<]*)<', page)
    assert held is not None
    content = unpacked(held[1])

    def of(by_name: dict[str, list[Any]] | None, k: int) -> dict[str, Any] | None:
        return None if by_name is None else {name: values[k] for name, values in by_name.items()}

    def told(k: int) -> dict[str, Any]:
        sections = of(content["sections"], k) or {}
        return {
            "data": {**(of(content["data"], k) or {}), "evidence": of(content["evidence"], k)},
            "sections": {name: text for name, text in sections.items() if text is not None},
        }

    return [None if version is None else told(k) for k, version in enumerate(content["data"]["version"])]


def test_every_mix_is_on_the_page(comparison: nb.Comparison, table: tuple[Any, Any], tmp_path: Path) -> None:
    comparison.report(tmp_path / "r.html", *table)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    opened, others = payload_of(page), others_of(page)
    told = opened["comparison"]
    assert [mix["l1_ratio"] for mix in told["mixes"]] == [1.0, 0.5, 0.1, 0.0]
    assert told["null_mean"] == pytest.approx(comparison.null_mean)
    assert comparison[told["current"]] is comparison.picked
    for k, (cv, mix) in enumerate(zip(comparison, told["mixes"], strict=True)):
        best = comparison.candidate(cv, "best")
        assert (mix["best"], mix["one_se"]) == (cv.index_best, cv.index_1se)
        assert (mix["loss"], mix["loss_se"]) == (best.loss, best.loss_se)
        np.testing.assert_allclose(mix["mean"], cv.cv_mean, rtol=1e-4)
        assert mix["n_nonzero"] == cv.path.n_nonzero.tolist()
        data = opened if k == told["current"] else others[k]["data"]
        assert data["l1_ratio"] == cv.path.l1_ratio
        assert data["lambdas"][data["cv"]["one_se"]] == cv.lambda_1se
        assert data["lambdas"][data["cv"]["best"]] == cv.lambda_best
        assert data["picked"] == data["cv"]["one_se"]
        fit = cv.at("1se")
        for feature in data["features"]:
            j = fit.feature_names.index(feature["key"])
            assert feature["coefs"][data["picked"]] == pytest.approx(fit.coef[j], abs=1e-12)
        assert data["evidence"]["calibration"] is not None
    assert others[told["current"]] is None


def test_sections_differ_where_the_words_do(comparison: nb.Comparison, tmp_path: Path) -> None:
    comparison.report(tmp_path / "r.html")
    others = others_of((tmp_path / "r.html").read_text(encoding="utf-8"))
    for cv, other in zip(comparison, others, strict=True):
        if other is None:
            continue
        sections = other["sections"]
        assert {"answer", "choice", "certificate", "reproduce"} <= set(sections)
        assert "reading" not in sections
        assert "all 12" in sections["answer"].lower() or cv.path.l1_ratio > 0
        solved = int((cv.path.statuses == "converged").sum())
        assert f"all {solved} lambdas" in sections["certificate"]
        assert f"l1_ratio={cv.path.l1_ratio:g}" in sections["reproduce"]


def test_a_thinned_path_keeps_its_choices(comparison: nb.Comparison) -> None:
    for cv in comparison:
        keep = some_lambdas(cv, Run(), 10)
        few = thinned(cv, keep)
        assert 10 <= few.lambdas.size <= 13
        assert (few.lambda_best, few.lambda_1se) == (cv.lambda_best, cv.lambda_1se)
        for j, place in enumerate(keep.tolist()):
            np.testing.assert_array_equal(few.path.coefs[j], cv.path.coefs[place])
            np.testing.assert_array_equal(few.selection_counts[j], cv.selection_counts[place])
        assert few.predictions is not None
        assert cv.predictions is not None
        np.testing.assert_array_equal(few.predictions, cv.predictions[:, keep])
        np.testing.assert_array_equal(few.cv_mean, cv.cv_mean[keep])


def test_paths_of_several_outputs_are_thinned(table: tuple[Any, Any]) -> None:
    X, _ = table
    cv = nb.cv_path(X, np.arange(150) % 3, family="multinomial", cv=3, n_lambdas=20)
    few = thinned(cv, np.array([0, 7, 19]))
    np.testing.assert_array_equal(few.path.coefs, cv.path.coefs[[0, 7, 19]])
    np.testing.assert_array_equal(few.path.intercepts, cv.path.intercepts[[0, 7, 19]])


def test_the_page_keeps_within_its_room(
    comparison: nb.Comparison, table: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    for room in (10_000_000, 400_000):
        monkeypatch.setattr(other_mixes, "MOST_BYTES", ((np.inf, room),))
        comparison.report(tmp_path / "r.html", *table)
        page = (tmp_path / "r.html").read_text(encoding="utf-8")
        sizes.append((len(page), min(len(one["data"]["lambdas"]) for one in others_of(page) if one)))
    assert sizes[0][1] >= 33
    assert sizes[1][1] < 33
    assert sizes[1][0] < sizes[0][0]


def test_a_report_with_the_data_is_that_of_the_fit(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small_table().write_csv("t.csv")
    words = ("t.csv", "--target", "y", "--drop", "t,w", "--cv", "4", "--n-lambdas", "20")
    assert run(capsys, "fit", *words, "-o", "out")[0] == 0
    assert run(capsys, "report", "out/model.json", "--data", "t.csv", "-o", "again.html")[0] == 0
    assert Path("again.html").read_text(encoding="utf-8") == Path("out/report.html").read_text(encoding="utf-8")
    assert run(capsys, "report", "out/model.json", "--penalty", "l2", "-o", "ridge.html")[0] == 0
    assert payload_of(Path("ridge.html").read_text(encoding="utf-8"))["l1_ratio"] == 0
    assert pl.read_csv("out/path.csv").height == 20
