"""Whether classes can be separated, and how saturated a logistic fit is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

import normball as nb
from normball.findings import saturation
from normball.findings import separation as separation_module
from normball.findings.separation import separation
from test_check import LAYOUTS, binary, found, noise

Array = NDArray[np.float64]


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Callable[[Array], Any]:
    return LAYOUTS[request.param]


def test_one_feature_separates(layout: Callable[[Array], Any]) -> None:
    X = noise(100)
    y = np.where(X[:, 1] > 0.3, "sick", "well")
    X[:, 1] = np.where(y == "sick", 4.0, 2.0) + 0.4 * np.tanh(X[:, 1])
    finding = found(layout(X), y, trial_fit=False)["W21"]
    assert finding.columns == ("x1",)
    assert '"x1 > 3" splits the classes perfectly ("sick" above, "well" below; separating set: x1).' in finding.text
    assert '("well" above, "sick" below' in found(layout(-X), y, trial_fit=False)["W21"].text


def test_two_features_separate_together(layout: Callable[[Array], Any]) -> None:
    X = noise(200, 3)
    X[:, 0] += np.sign(X[:, 0] - 2 * X[:, 2])
    finding = found(layout(X), (X[:, 0] - 2 * X[:, 2] > 0).astype(int), trial_fit=False)["W21"]
    assert finding.text.startswith("Separable: 2 features together split the classes perfectly (x2, x0).")


def test_a_rare_level_separates_partly() -> None:
    level = np.array(["a", "b", "c"], dtype=object)[np.arange(120) % 3]
    level[7] = level[55] = "rare"
    X = noise(120, 2)
    y = binary(X)
    y[[7, 55]] = 1
    finding = found(pl.DataFrame({"level": level, "x": X[:, 0]}), y, trial_fit=False)["W21"]
    assert finding.columns == ("level = rare",)
    assert 'Partly separable: the class is certain from "level: rare" wherever it is not 0 (2 rows).' in finding.text


def test_two_features_separate_partly() -> None:
    X = np.random.default_rng(0).integers(0, 2, size=(300, 3)).astype(float)
    y = binary(X - 0.5)
    y[(X[:, 0] == 1) & (X[:, 1] == 0)] = 1
    y[(X[:, 0] == 0) & (X[:, 1] == 1)] = 0
    finding = found(X, y, trial_fit=False)["W21"]
    n_certain = np.count_nonzero(X[:, 0] != X[:, 1])
    assert finding.text.startswith(
        f"Partly separable: 2 features together tell the class of {n_certain} rows for certain"
    )


@pytest.mark.parametrize("matrix", [np.asarray, sparse.csc_array])
def test_more_features_than_rows_separate(matrix: Callable[[Array], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    X = noise(60, 150)
    y = (np.arange(60) % 2).astype(float)
    finding = found(matrix(X), y, trial_fit=False)["W21"]
    assert "with more features than rows this is nearly always so" in finding.text
    assert len(finding.columns) < 60
    monkeypatch.setattr(separation_module, "LARGE", 1000)  # least squares then
    assert len(found(matrix(X), y, trial_fit=False)["W21"].columns) == 120
    X[30:], y[30:] = X[:30], 1 - y[:30]  # every row again with the other class
    assert separation(matrix(X), y).kind == "none"


def test_no_time_to_decide() -> None:
    assert found(noise(), binary(noise()), seconds=0.0, trial_fit=False)["W25"].text.startswith("Whether the classes")


def separable_by_definition(X: Array, y: Array, fit_intercept: bool) -> tuple[str, int]:
    """The kind and the number of rows strictly on their side, by the linear program with all rows and columns."""
    signs = np.where(y > 0, 1.0, -1.0)[:, np.newaxis]
    rows = signs * np.column_stack([np.ones(len(X)), X])[:, 0 if fit_intercept else 1 :]
    n, p = rows.shape
    program = linprog(
        np.repeat([0.0, -1.0], [p, n]),
        A_ub=np.hstack([-rows, np.eye(n)]),
        b_ub=np.zeros(n),
        bounds=[(-1e4, 1e4)] * p + [(0, 1)] * n,
    )
    n_rows = round(-program.fun)
    return {0: "none", n: "complete"}.get(n_rows, "partial"), n_rows


@pytest.mark.parametrize("seed", range(60))
def test_the_working_set_agrees_with_the_whole_program(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_ROWS", "FIRST_COLUMNS"):
        monkeypatch.setattr(separation_module, name, 2)
    rng = np.random.default_rng(seed)
    n, p = rng.integers(5, 60), rng.integers(1, 7)
    X = rng.integers(-2, 3, size=(n, p)) * rng.choice([1.0, 1000.0], size=p)
    y = (X @ rng.normal(size=p) / 500 + rng.normal(size=n) * rng.choice([0.0, 0.3, 3.0]) > 0.2).astype(float)
    y[:2] = 0, 1
    fit_intercept = bool(seed % 3)
    kind, n_rows = separable_by_definition(X, y, fit_intercept)
    for design in (X, sparse.csc_array(X)):
        result = separation(design, y, fit_intercept=fit_intercept)
        margins = np.where(y > 0, 1, -1) * (result.intercept + X @ result.coef)
        assert result.kind == kind
        assert np.count_nonzero(margins > 1e-6) == result.n_rows <= n_rows
        assert margins.min() > -1e-6
        assert fit_intercept or result.intercept == 0
        assert set(np.flatnonzero(result.coef)) <= set(result.features)


def test_directions_that_the_first_rows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation_module, "FIRST_ROWS", 30)
    n = 4000
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, size=(n, 3)).astype(float)
    y = rng.integers(0, 2, size=n).astype(float)
    X[:, 2] = X[:, 0] + X[:, 1]  # a combination of the others in all rows but three
    X[[11, 1700, 3999], 2] += 1
    y[[11, 1700, 3999]] = 1
    result = separation(X, y)
    assert (result.kind, result.n_rows, result.cuts) == ("partial", 3, ())
    y[11] = 0
    assert separation(X, y).kind == "none"
    monkeypatch.setattr(separation_module, "MAX_COLUMNS_FOR_RANK", 2)
    assert separation(X, y).kind == "inconclusive"


def test_a_proportion_belongs_to_both_classes_and_weight_zero_to_none() -> None:
    X = np.arange(6.0)[:, np.newaxis]
    y = np.array([0, 0, 0, 1, 1, 1.0])
    assert separation(X, y).cuts[0].value == 2.5
    y[2] = 0.5
    assert separation(X, y).cuts[0] == separation_module.Cut(0, 2.0, True, False, 5)
    y[5] = 0.5
    assert separation(X, y).kind == "none"
    assert separation(X, y, np.array([1, 1, 1, 1, 1, 0.0])).kind == "partial"


def test_time_runs_out_while_looking_for_fewer_features(monkeypatch: pytest.MonkeyPatch) -> None:
    X = noise(40, 4)
    y = (X.sum(axis=1) > 0).astype(float)
    whole = separation(X, y)
    solve, calls = linprog, []

    def once(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        result = solve(*arguments, **options)
        result.status = 0 if len(calls) == 1 else 1
        return result

    monkeypatch.setattr(separation_module, "linprog", once)
    assert separation(X, y).kind == whole.kind == "complete"
    assert len(calls) == 2


def test_a_program_solved_badly_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation_module._Problem, "_margins", lambda self, b0, b: np.full(len(self.rows), -1.0))
    assert separation(noise(20), binary(noise(20))).kind == "inconclusive"


# saturation


def test_saturation_by_definition() -> None:
    eta, y = np.array([-6.0, -1.0, 0.5, 5.0]), np.array([0.0, 1.0, 1.0, 1.0])
    weights = np.array([1.0, 1.0, 2.0, 0.0])
    result = saturation.saturation(eta, y, weights, eta_heldout=[np.nan, 2.0], y_heldout=[0.0, 1.0])
    share = np.array([0.25, 0.25, 0.5, 0.0])
    for k, scale in enumerate(result.scales):
        p = 1 / (1 + np.exp(-scale * eta))
        assert result.train[k] == pytest.approx(-share @ np.log(np.where(y == 1, p, 1 - p)))
        assert result.residual[k] == pytest.approx(share @ np.abs(p - y))
        assert result.flat[k] == pytest.approx(share @ (p * (1 - p) < 0.01))
        assert result.heldout is not None
        assert result.heldout[k] == pytest.approx(np.log1p(np.exp(-2 * scale)))
    assert result.largest_margin == 6
    assert result.share_flat == 0.25


@pytest.mark.parametrize(
    ("eta", "heldout", "verdict"),
    [
        ([8.0, -8.0], None, "held by the penalty alone; sigmoid flat on 100 % of the rows"),
        ([1.0, 1.0], None, "held by the training rows; sigmoid flat on 0 % of the rows"),
        ([8.0, -8.0], [-5.0, -5.0], "overconfident: held-out rows prefer all weights x 0.1; sigmoid flat on 100 %"),
        ([1.0, -1.0], [1.0, -1.0], "timid: held-out rows prefer all weights x 10; sigmoid flat on 0 %"),
        ([8.0, -8.0], [0.0, 0.0], "well sized: held-out rows prefer no other size of the weights; sigmoid flat"),
    ],
)
def test_verdict(eta: list[float], heldout: list[float] | None, verdict: str) -> None:
    result = saturation.saturation(eta, [1.0, 0.0], eta_heldout=heldout)
    assert result.verdict.startswith(verdict)
    assert str(result).endswith(result.verdict)
    finding = result.finding("This fit")
    assert (finding is not None) == (eta[0] == 8 and heldout != [0.0, 0.0])
    assert finding is None or finding.text.startswith(f"This fit is {result.verdict} (largest margin 8).\nAll weights")


def test_saturation_needs_rows_of_one_length() -> None:
    with pytest.raises(ValueError, match="one length"):
        saturation.saturation([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no row"):
        saturation.saturation([np.nan], [1.0])


def test_trial_fit(layout: Callable[[Array], Any]) -> None:
    X = noise(80, 40)
    finding = found(layout(X), binary(X))["W24"]
    assert finding.text.startswith("A lasso fitted to half of the rows with lam=")
    assert "is overconfident: held-out rows prefer all weights x 0." in finding.text
    assert "W24" not in found(layout(X), binary(X), trial_fit=False)


def test_trial_fit_stops_in_time_but_not_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    X = noise(80, 40)
    assert "W24" not in found(X, binary(X), seconds=0.0)

    def interrupted(*args: Any, **options: Any) -> None:
        raise nb.Interrupted

    monkeypatch.setattr("normball.path.fit_path", interrupted)
    with pytest.raises(nb.Interrupted):
        nb.check(X, binary(X))


def test_trial_fit_needs_both_classes_in_each_half() -> None:
    y = np.zeros(50)
    y[3] = 1
    assert set(found(noise(50), y)) == {"W17", "W21"}
