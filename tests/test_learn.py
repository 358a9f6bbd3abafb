"""The lessons: every number that they state."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import ElasticNet, Ridge

import normball as nb
from lessons import table
from normball import charts, learn
from normball.learn import built_in, figure, own


def test_a_larger_weights_keep_the_line_and_only_grow_more_certain() -> None:
    numbers = figure("a", values={"scale": 1}).numbers
    assert numbers["probability"] == pytest.approx([0.731059, 0.999955], abs=1e-6)
    assert numbers["loss_right"] == pytest.approx([0.313262, 0.0000454], abs=1e-6)
    assert numbers["loss_wrong"] == pytest.approx([1.313262, 10.0000454], abs=1e-6)
    assert numbers["line"][0] == pytest.approx(numbers["line"][1])


@pytest.mark.parametrize("scale", [-1.0, 0.0, 0.35, 1.0, 2.0])
def test_a_the_total_error_decides(scale: float) -> None:
    shown = figure("a", values={"scale": scale})
    points = np.array(built_in().by_id["a"]["points"])
    margins = points[:, :2].sum(axis=1) * np.where(points[:, 2] > 0, 1, -1)
    totals = [-np.log(1 / (1 + np.exp(-factor * margins))).sum() for factor in (1.0, 10**scale)]
    assert shown.numbers["total"] == pytest.approx(totals)
    assert ("The weights as they were have" in shown.sentence) == (totals[0] < totals[1])
    assert (f"The weights times {10**scale:.3g} have" in shown.sentence) == (totals[1] < totals[0])
    wrong = [np.log1p(np.exp(factor)) for factor in (1.0, 10**scale)]
    assert f"{wrong[1] / wrong[0]:#.2g}".rstrip(".") + " times as much" in shown.sentence


def test_a_totals_of_own_data_are_those_of_all_rows() -> None:
    frame = table(300, binary=True)
    lessons = own(frame, "y", ["u", "w"])
    told = lessons.by_id["a"]
    Z = frame.select("u", "w").to_numpy()
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    margins = (Z @ told["w"] + told["b"]) * np.where(frame["y"].to_numpy() == "yes", 1, -1)
    for scale in (-0.5, 1.0):
        [shown] = learn.drawn(lessons, ["a"], {"scale": scale})
        assert "all 300 rows" in shown.sentence
        assert shown.numbers["total"] == pytest.approx([np.log1p(np.exp(-f * margins)).sum() for f in (1, 10**scale)])
    assert "those at one place are drawn apart" not in shown.svg
    sexes = frame.with_columns(u=(pl.col("u") > 0).cast(pl.Int8), w=(pl.col("w") > 0).cast(pl.Int8))
    [shown] = learn.drawn(own(sexes, "y", ["u", "w"]), ["a"])
    assert "those at one place are drawn apart" in shown.svg


@pytest.mark.parametrize("shape", [0, 1])
def test_c_the_sum_is_error_plus_penalty_and_lowest_at_the_solution(shape: int) -> None:
    for at in (3, 12, 30):
        numbers = figure("c", values={"shape": shape, "at": at}).numbers
        assert numbers["sum"] == pytest.approx(numbers["error"] + numbers["penalty"])
        assert min(numbers["sums"]) == pytest.approx(numbers["sum"], rel=1e-9)
        w = np.array(numbers["weights"])
        size = np.abs(w).sum() if shape == 0 else (w @ w) / 2
        assert numbers["penalty"] == pytest.approx(numbers["lam"] * size, rel=1e-8)


@pytest.mark.parametrize(("shape", "ratio"), [(0, 1.0), (1, 0.0)])
def test_c_solutions_of_own_data_are_those_of_the_engine(shape: int, ratio: float) -> None:
    frame = table()
    X, y = frame.select("u", "w").to_numpy(), frame["y"].to_numpy()
    for at in (2, 20, 39):
        numbers = figure("c", X, y, columns=("x0", "x1"), values={"shape": shape, "at": at}).numbers
        path = nb.fit_path(X, y, l1_ratio=ratio, lambdas=[numbers["lam"]], tol=1e-12)
        assert numbers["weights"] == pytest.approx((path.coefs * path.scales)[0], rel=1e-5, abs=1e-9)
        assert numbers["error"] == pytest.approx(path.loss[0], rel=1e-7)


def test_d_l1_is_a_tie_and_l2_is_not() -> None:
    numbers = figure("d").numbers
    assert numbers["l1"][:2] == pytest.approx([1, 1])
    assert numbers["l2"][:2] == pytest.approx([1, 0.5])
    assert numbers["error"][0] == pytest.approx(numbers["error"][1])
    assert numbers["solutions"]["l1"] == [[1.0, 0], [0, 1.0]]  # the ends of all that are as good
    assert "a tie" in figure("d").sentence


def solved(data: Any, values: dict[str, float]) -> dict[str, Any]:
    """Lesson d, its solutions against the engine on a table with the same moments."""
    numbers: dict[str, Any] = charts.call("lessons", {"d": data}, ["d"], values)[0]["numbers"]
    a, b, e = numbers["quadratic"]["gram"]
    cov = np.array(numbers["quadratic"]["cov"])
    values_of, vectors = np.linalg.eigh([[a, b], [b, e]])
    X = np.sqrt(2) * np.sqrt(np.maximum(values_of, 0))[:, None] * vectors.T
    y = np.linalg.lstsq(X.T / 2, cov, rcond=None)[0]
    for norm, ratio in (("l1", 1.0), ("l2", 0.0)):
        path = nb.fit_path(
            X, y, l1_ratio=ratio, lambdas=[numbers["lam"]], standardize=False, fit_intercept=False, tol=1e-12
        )
        theirs = path.coefs[0]

        def total(w: Any, ratio: float = ratio) -> float:
            size = np.abs(w).sum() if ratio else w @ w / 2
            return float(np.mean((y - X @ w) ** 2) / 2 + numbers["lam"] * size)

        for end in numbers["solutions"][norm]:
            assert total(np.array(end)) == pytest.approx(total(theirs), rel=1e-9)
        if len(numbers["solutions"][norm]) == 1:
            assert numbers["solutions"][norm][0] == pytest.approx(theirs, abs=1e-5)
        else:
            assert total(np.mean(numbers["solutions"][norm], axis=0)) == pytest.approx(total(theirs), rel=1e-9)
    return numbers


@pytest.mark.parametrize("noise", [0, 0.05, 1])
@pytest.mark.parametrize("chance", [-0.3, 0, 0.3])
def test_d_noise_breaks_the_tie_and_chance_decides(noise: float, chance: float) -> None:
    numbers = solved(built_in().by_id["d"], {"noise": noise, "chance": chance})
    l1 = np.array(numbers["solutions"]["l1"])
    assert len(l1) == (2 if noise == 0 else 1)
    if noise and chance <= 0:
        assert l1[0, 1] <= 0  # the copy has nothing to add
    if noise == 0.05 and chance > 0:
        assert l1[0, 1] > 0.9


@pytest.mark.parametrize("sign", [1, -1])
def test_d_exact_copies_in_own_data_may_be_opposite(sign: int) -> None:
    frame = table().with_columns(w=sign * pl.col("u"))
    lessons = own(frame, "y")
    numbers = solved(lessons.by_id["d"], {})
    assert numbers["correlation"] == pytest.approx(sign)
    first, second = np.array(numbers["solutions"]["l1"])
    assert first == pytest.approx(sign * second[::-1])
    assert numbers["l1"][:2] == pytest.approx([np.abs(first).sum()] * 2)
    [shown] = learn.drawn(lessons, ["d"])
    assert ("(0.5, −0.5)" in shown.text[0]) == (sign < 0)
    assert "opposite signs" in shown.text[0] if sign < 0 else "(0.5, 0.5)" in shown.text[0]
    assert numbers["error"][0] == pytest.approx(numbers["error"][1])


def test_e_the_touching_points_meet_the_conditions_of_an_optimum() -> None:
    for angle in range(0, 360, 45):
        for correlation in (-0.8, 0.0, 0.6):
            for t in (0.1, 0.5, 1.0):
                numbers = figure("e", values={"angle": angle, "correlation": correlation, "t": t}).numbers
                assert max(numbers[ball]["kkt"] for ball in ("l1", "l2")) < 1e-8


def test_e_corners_are_frequent_not_certain() -> None:
    numbers = figure("e").numbers
    assert numbers["l1"]["corner"]
    assert numbers["l1"]["w"][1] == 0
    assert not numbers["l2"]["corner"]
    assert numbers["corners"]["l2"] == 0
    assert not figure("e", values={"angle": 45}).numbers["l1"]["corner"]
    assert str(numbers["corners"]["l1"]) in figure("e").sentence


def test_e_the_count_follows_the_budget() -> None:
    counts = []
    for t in (0.1, 0.45, 0.9):
        numbers = figure("e", values={"t": t, "angle": 45}).numbers
        share = t / np.abs(numbers["lowest"]).sum()
        assert numbers["shares"]["l1"] == pytest.approx(share, abs=0.006)
        assert numbers["corners"]["l1"] / numbers["n_ellipses"] == pytest.approx(corner_share(share), abs=0.06)
        counts.append(numbers["corners"]["l1"])
    assert counts == sorted(counts, reverse=True)
    assert figure("e", values={"t": 1.6, "angle": 45}).numbers["corners"]["l1"] == 0


def corner_share(share: float, n: int = 20_000) -> float:
    """The same chance by other random numbers and by the lasso path: up to where its second weight joins, one is 0."""
    rng = np.random.default_rng(0)
    angle, r = 2 * np.pi * rng.uniform(size=n), rng.uniform(-0.9, 0.9, size=n)
    lowest = np.stack([np.cos(angle), np.sin(angle)])
    cov = np.sort(lowest + r * lowest[::-1], axis=0)  # which of the two is first does not matter, but for its size
    first = np.where(np.abs(cov[0]) > np.abs(cov[1]), cov[0], cov[1])
    second = cov.sum(axis=0) - first
    joins = np.zeros(n)
    for side in (1, -1):
        lam = side * (second - r * first) / (1 - side * r * np.sign(first))
        joins = np.where((lam >= joins) & (lam <= np.abs(first)), lam, joins)
    return float(np.mean(share * np.abs(lowest).sum(axis=0) <= np.abs(first) - joins))


def test_f_counts_the_exact_zeros_of_the_path() -> None:
    for mix, l1_ratio in enumerate((1.0, 0.5, 0.0)):
        data = built_in().by_id["f"]["paths"][mix]
        for at in (5, 15, 35):
            numbers = figure("f", values={"mix": mix, "at": at}).numbers
            assert numbers["l1_ratio"] == l1_ratio
            assert numbers["zeros"] == sum(value == 0 for value in data["coefs"][at])
    assert figure("f", values={"mix": 2}).numbers["zeros"] == 0
    opening = figure("f").numbers
    assert 10 <= opening["zeros"] <= 16
    assert all(opening["weights"][j] for j in (2, 6, 11, 17))


def test_f_zero_counts_of_own_data_are_those_of_fit_path() -> None:
    frame = table()
    X, y = frame.select("u", "v", "w", "z").to_numpy(), frame["y"].to_numpy()
    numbers = figure("f", X, y, values={"at": 10}).numbers
    path = nb.fit_path(X, y, lambdas=[numbers["lam"]], tol=1e-10)
    assert numbers["zeros"] == 4 - path.n_nonzero[0]
    assert numbers["weights"] == pytest.approx((path.coefs * path.scales)[0], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("mix", [0, 1, 2])
def test_f_what_is_left_unexplained_is_that_of_the_folds(mix: int) -> None:
    frame = table()
    X, y = frame.select("u", "v", "w", "z").to_numpy(), frame["y"].to_numpy()
    shown = figure("f", X, y, values={"mix": mix, "at": 20})
    folds = nb.cv_path(X, y, lambdas=[1.0]).fold_ids
    alpha = shown.numbers["lam"]
    left = np.zeros(len(y))
    for fold in np.unique(folds):
        out = folds == fold
        Z = (X - X[~out].mean(axis=0)) / X[~out].std(axis=0)
        ratio = shown.numbers["l1_ratio"]
        # theirs minimises the same objective; a ratio of exactly 0 is not theirs
        theirs = ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-10, max_iter=100_000)
        theirs = theirs if ratio else Ridge(alpha=alpha * (~out).sum())
        left[out] = (theirs.fit(Z[~out], y[~out]).predict(Z[out]) - y[out]) ** 2
    assert shown.numbers["unexplained"] == pytest.approx(left.mean() / y.var(), rel=1e-3)
    least = shown.numbers["least"]
    assert ("That is the least of all three" in shown.sentence) == (least[mix] == min(least))


@pytest.mark.parametrize("shape", [0, 1])
def test_g_chords_stay_above_the_curve_while_lambda_is_not_negative(shape: int) -> None:
    for lam in (0.0, 0.5, 1.5):
        numbers = figure("g", values={"shape": shape, "lam": lam}).numbers
        assert numbers["chord_gap"] >= -1e-12
        assert numbers["convex"]
    below = figure("g", values={"shape": 0, "lam": -1.0, "from": -0.5, "to": 0.5}).numbers
    assert below["chord_gap"] < 0
    assert not below["convex"]


def test_g_l1_has_a_kink_and_l2_bends() -> None:
    l1, l2 = figure("g", values={"lam": 0.5}).numbers, figure("g", values={"lam": 0.5, "shape": 1}).numbers
    assert l1["penalty_slopes"] == [-1, 1]
    assert l1["penalty_bend"] == 0
    assert l1["slopes_at_zero"][1] - l1["slopes_at_zero"][0] == pytest.approx(1.0)
    assert l2["penalty_slopes"] == [0, 0]
    assert l2["penalty_bend"] == 1
    assert l2["slopes_at_zero"][0] == l2["slopes_at_zero"][1]
    assert figure("g", values={"lam": 1.2}).numbers["lowest"] == 0  # held in the kink


@pytest.mark.parametrize("shape", [0, 1])
@pytest.mark.parametrize("centre", [1.0, -37.3, 0.004])
def test_g_the_lowest_point_is_that_of_a_search(shape: int, centre: float) -> None:
    data = {"bend": 1.0, "centre": centre, "base": 0.2, "name": "x"}
    for share in (-0.9, -0.35, 0.0, 0.35, 0.45, 1.3):
        lam = share * abs(centre)
        values = {"shape": shape, "lam": lam, "from": -abs(centre), "to": abs(centre)}
        found = charts.call("lessons", {"g": data}, ["g"], values)[0]["numbers"]["lowest"]
        if shape and 1 + lam <= 0:
            assert found is None
            continue

        def total(w: float, lam: float = lam) -> float:
            return (w - centre) ** 2 / 2 + lam * (w * w / 2 if shape else abs(w))

        size = 3 * abs(centre) / min(1.0, 1 + lam if shape else 1.0)
        sides = [
            minimize_scalar(total, bounds=ends, method="bounded", options={"xatol": 1e-10 * size})
            for ends in ((-size, 0), (0, size))
        ]
        least = min(sides, key=lambda side: side.fun)
        assert total(found) <= least.fun + 1e-12 * centre**2
        assert found == pytest.approx(least.x, abs=1e-4 * abs(centre))


@pytest.mark.parametrize(("shape", "norm"), [(0, "l1"), (1, "l2")])
def test_h_the_price_of_a_budget_is_that_of_fit_ball(shape: int, norm: Any) -> None:
    frame = table()
    X, y = frame.select("u", "w").to_numpy(), frame["y"].to_numpy()
    end = figure("h", X, y, values={"shape": shape}).numbers["end"]
    for share in (0.2, 0.6, 0.95):
        numbers = figure("h", X, y, columns=("x0", "x1"), values={"shape": shape, "t": share * end}).numbers
        fit = nb.fit_ball(X, y, radius=share * end, norm=norm, tol=1e-9)
        assert numbers["lam"] == pytest.approx(fit.lam, rel=1e-4)
        assert numbers["w"] == pytest.approx(fit.coef_per_sd, rel=1e-4, abs=1e-8)
        assert numbers["used"] == pytest.approx(share * end)

        def least_error(radius: float, norm: Any = norm) -> float:
            weights = nb.fit_ball(X, y, radius=radius, norm=norm, tol=1e-12).coef
            left = y - y.mean() - (X - X.mean(axis=0)) @ weights
            return float(left @ left) / len(y) / 2

        width = 1e-3 * end
        saved = (least_error(share * end - width) - least_error(share * end + width)) / (2 * width)
        assert numbers["price"] == pytest.approx(saved, rel=1e-3)
        size = max(map(abs, numbers["pull"])) if shape == 0 else np.hypot(*numbers["pull"])
        assert numbers["price"] == pytest.approx(size)
        assert numbers["price"] == pytest.approx(numbers["lam"] * (1 if shape == 0 else share * end))


@pytest.mark.parametrize("shape", [0, 1])
def test_h_the_price_falls_from_the_pull_at_zero_to_nothing(shape: int) -> None:
    numbers = figure("h", values={"shape": shape}).numbers
    cov = np.array(built_in().by_id["h"]["quadratic"]["cov"])
    assert numbers["ts"][0] == 0
    assert numbers["prices"][0] == pytest.approx(np.abs(cov).max() if shape == 0 else np.hypot(*cov))
    for t, price in zip(numbers["ts"], numbers["prices"], strict=True):
        assert (price == 0) == (t >= numbers["end"])
    assert np.all(np.diff(numbers["prices"]) <= 1e-12)
    saved = np.trapezoid(numbers["prices"], numbers["ts"])  # the area below the curve is what the whole budget saves
    base, free = figure("h", values={"shape": shape, "t": 1e-9}), figure("h", values={"shape": shape, "t": 9.0})
    assert saved == pytest.approx(base.numbers["error"] - free.numbers["error"], rel=2e-3)
    assert "price is 0" in free.sentence
