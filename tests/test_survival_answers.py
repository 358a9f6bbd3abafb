"""What is said of a Cox model first: how held-out rows are ranked, and hazard ratios."""

import json

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.results.answers import answer
from normball.results.saving import checksum
from test_cox import Case, grid


def ranked(target, strata, weights, risk):
    """Harrell's concordance by every pair."""
    start = target[:, 0] if target.shape[1] == 3 else np.full(len(target), -np.inf)
    stop, event = target[:, -2], target[:, -1] == 1.0
    right = pairs = 0.0
    for i in np.flatnonzero(event):
        for j in range(len(target)):
            outlives = stop[j] > stop[i] or (stop[j] == stop[i] and not event[j])
            if outlives and start[j] < stop[i] and strata[i] == strata[j]:
                pairs += weights[i] * weights[j]
                right += weights[i] * weights[j] * (0.5 + 0.5 * np.sign(risk[i] - risk[j]))
    return right / pairs


@grid
def test_concordance_of_held_out_rows_beside_the_deviance(ties, strata, entry, weights, tmp_path):
    case = Case(31, ties, strata, entry, weights, n=60)
    w, codes = (np.ones(60) if case.weights is None else case.weights), case.strata
    codes = np.zeros(60) if codes is None else codes
    folds = np.arange(60) % 3
    cv = nb.cv_path(case.X, case.target, fold_ids=folds, n_lambdas=6, keep_predictions=True, **case.options())
    each = np.array(
        [
            [ranked(case.target[t], codes[t], w[t], cv.predictions[t, k].round(9)) for k in range(6)]
            for t in (np.flatnonzero(folds == fold) for fold in range(3))
        ]
    )
    shares = np.array([w[folds == fold].sum() for fold in range(3)]) / w.sum()
    mean = shares @ each
    np.testing.assert_allclose(cv.held_out.values, mean, rtol=1e-12)
    np.testing.assert_allclose(cv.held_out.errors, np.sqrt(shares @ (each - mean) ** 2 / 2), rtol=1e-9, atol=1e-15)
    assert (cv.held_out.measure, float(cv.held_out.null)) == ("concordance", 0.5)
    cv.save(tmp_path / "cv.json")
    again = nb.load(tmp_path / "cv.json").held_out
    np.testing.assert_array_equal([again.values, again.errors], [cv.held_out.values, cv.held_out.errors])


@pytest.mark.parametrize("measure", ["concordance", "mae"])
def test_a_concordance_has_errors_and_nothing_else_has(measure, tmp_path):
    case = Case(30)
    nb.cv_path(case.X, case.target, family="cox", cv=3, n_lambdas=3).save(tmp_path / "cv.json")
    content = json.loads((tmp_path / "cv.json").read_text())
    content["cv"]["held_out"]["measure"] = measure
    if measure == "concordance":
        del content["cv"]["held_out"]["errors"]
    content["checksum"] = checksum(content)
    (tmp_path / "cv.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"cv\.held_out\.errors belong to a concordance, and to nothing else"):
        nb.load(tmp_path / "cv.json")


def test_the_answer_in_words():
    case = Case(32, n=200)
    cv = nb.cv_path(case.X, case.target, family="cox", cv=5, n_lambdas=20)
    best = cv.index_best
    told = answer(cv, "time, dead", best)
    value, error = cv.held_out.concordance(best)
    assert told.helps
    assert told.found.endswith("features explain the time to an event (time, dead)")
    assert told.quality.startswith(
        f"On held-out rows, the concordance is {value:.3f} +/- {error:.3f} (0.5 without features): of two "
        f"rows, the one with the higher risk has its event first in {100 * value:.1f} %. The deviance is "
    )
    row = next(line for line in cv.summary().splitlines() if line.startswith("CV concordance"))
    assert row.endswith(f"{value:.3f} +/- {error:.3f}")
    none = answer(cv, "time", 0).quality
    assert none == "Without features all rows have the same risk."
    by_rank = nb.cv_path(case.X, case.target, family="cox", cv=5, n_lambdas=20, score="concordance")
    np.testing.assert_allclose(by_rank.held_out.values, by_rank.cv_mean, rtol=1e-14)
    assert "deviance" not in answer(by_rank, "time", by_rank.index_best).quality
    assert by_rank.summary().count("CV concordance") == 1


def test_a_null_model_at_lambda_1se_says_what_the_best_one_does():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 8))
    target = np.column_stack([rng.exponential(np.exp(-0.5 * X[:, 0])) + 0.01, rng.random(60) < 0.6])
    cv = nb.cv_path(X, target, family="cox")
    kept = cv.path.n_nonzero
    assert kept[cv.index_1se] == 0 < kept[cv.index_best]
    told = answer(cv, "time", cv.index_1se)
    assert not told.helps
    value, _ = cv.held_out.concordance(cv.index_best)
    assert "lambda_1se is strict here" in told.quality
    assert f"lambda_best keeps {kept[cv.index_best]} feature" in told.quality
    assert f"a concordance of {value:.2f}" in told.quality


def test_an_offset_ranks_rows_by_itself():
    case = Case(34, n=90)
    folds, offset = np.arange(90) % 3, np.clip(case.X[:, 0] - 5.0, -1.0, 1.0)
    cv = nb.cv_path(case.X[:, 1:], case.target, family="cox", offset=offset, fold_ids=folds, n_lambdas=5)
    ones, zeros = np.ones(30), np.zeros(30)
    each = [ranked(case.target[folds == fold], zeros, ones, offset[folds == fold]) for fold in range(3)]
    assert float(cv.held_out.null) == pytest.approx(np.mean(each), rel=1e-12)
    assert answer(cv, "time", 0).quality.startswith("Without features the offset alone makes the risks of rows.")
    assert f"({np.mean(each):.3g} without features)" in answer(cv, "time", 4).quality


def test_hazard_ratios_per_sd_and_per_unit():
    case = Case(33, n=100)
    table = pl.DataFrame(case.X, schema=list("abcdef")).with_columns(time=case.target[:, 0], dead=case.target[:, 1])
    fit = nb.fit_path(table, ["time", "dead"], family="cox").at(n_nonzero=3)
    frame = fit.to_frame()
    assert frame.columns == ["feature", "per_sd", "per_unit", "hazard_per_sd", "hazard_per_unit"]
    assert frame["feature"].to_list() == list("abcdef")
    scales = case.X.std(axis=0)
    np.testing.assert_allclose(frame["hazard_per_unit"], np.exp(fit.coef))
    np.testing.assert_allclose(frame["hazard_per_sd"], np.exp(fit.coef * scales))
    largest = int(np.argmax(np.abs(fit.coef * scales)))
    line = next(line for line in fit.summary().splitlines() if line.startswith(f"  {'abcdef'[largest]} "))
    cells = [float(cell) for cell in line.split()[1:]]
    per_unit = fit.coef[largest]
    assert cells == pytest.approx([per_unit * scales[largest], per_unit, np.exp(per_unit * scales[largest]),
                                   np.exp(per_unit)], rel=5e-3)  # fmt: skip
    plain = nb.fit_path(table, ["time", "dead"], family="cox", standardize=False).at(n_nonzero=3)
    assert plain.summary().count("hazard x/") == 1
