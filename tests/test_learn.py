"""The lessons: every number that they state, own data against the solver, and a page that is safe and offline."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import ElasticNet, Ridge

import normball as nb
from commands import Capture, run
from normball import charts, learn
from normball.cli.arguments import LEARN_EPILOG
from normball.learn import built_in, figure, own
from normball.messages import DataError
from pages import unpacked

NASTY = ["</script><b>", '<img src=x onerror="alert(1)">', "a & b", "'\"quoted\"'"]


def table(n: int = 120, names: list[str] | None = None, binary: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 4))
    X[:, 1] = 0.9 * X[:, 0] + 0.3 * X[:, 1]
    y = X @ [1.0, 0.5, -0.7, 0.0] + 0.5 * rng.normal(size=n)
    return pl.DataFrame(X, schema=names or ["u", "v", "w", "z"]).with_columns(
        y=pl.Series(np.where(y > 0, "yes", "no") if binary else y)
    )


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


def test_help_names_every_lesson() -> None:
    listed = LEARN_EPILOG[: LEARN_EPILOG.index("examples:")].splitlines()[1:]
    assert [line.split()[0] for line in listed if line] == list(learn.IDS)


@pytest.mark.parametrize("binary", [False, True])
def test_own_data_make_every_lesson(binary: bool) -> None:
    frame = table(binary=binary)
    lessons = own(frame, "y", ["u", "w"])
    assert set(lessons.by_id) == set(learn.IDS)
    assert lessons.by_id["e"]["names"] == ["u", "w"]
    assert ("above its median" in lessons.about) == (not binary)
    for one in learn.drawn(lessons, learn.IDS):
        assert one.svg.startswith("<svg ")
        assert "NaN" not in one.svg
    assert set(own(frame, "y").by_id["d"]["names"]) == {"u", "v"}  # the most alike


def test_of_several_classes_the_commonest_is_told_from_all_others() -> None:
    frame = table().with_columns(y=pl.Series(["one", "two", "two", "three"] * 30))
    lessons = own(frame, "y")
    assert "Class 0 is all others, class 1 two" in lessons.about
    assert sum(label for *_, label in lessons.by_id["a"]["points"]) == pytest.approx(20, abs=2)
    for one in learn.drawn(lessons, learn.IDS):
        assert "NaN" not in one.svg


def test_only_the_lessons_asked_for_are_computed() -> None:
    assert set(own(table(), "y", ids=["g", "a"]).by_id) == {"g", "a"}


@pytest.mark.parametrize("share", [0.3, 0.8, 1.05])
def test_e_solutions_of_own_data_are_those_of_fit_ball(share: float) -> None:
    frame = table()
    X, y = frame.select("u", "w").to_numpy(), frame["y"].to_numpy()
    free = figure("e", X, y, columns=("x0", "x1")).numbers["lowest"]
    for norm, size in (("l1", np.abs(free).sum()), ("l2", np.hypot(*free))):
        numbers = figure("e", X, y, columns=("x0", "x1"), values={"t": share * size}).numbers
        fit = nb.fit_ball(X, y, radius=share * size, norm=norm, tol=1e-9)  # type: ignore[arg-type]
        assert numbers[norm]["w"] == pytest.approx(fit.coef_per_sd, rel=1e-4, abs=1e-8)
        assert numbers[norm]["lam"] == pytest.approx(fit.lam, rel=1e-4, abs=1e-9)


def test_own_data_with_levels_and_sparse_columns() -> None:
    from scipy import sparse

    frame = table().with_columns(colour=pl.Series(["red", "blue", "green"] * 40))
    assert any("colour = " in name for name in own(frame, "y").by_id["f"]["names"])
    X = frame.select("u", "v", "w", "z").to_numpy()
    X[np.abs(X) < 1] = 0
    figure("f", sparse.csc_matrix(X), frame["y"].to_numpy())


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        (table().select("u", "y"), (), "two features"),
        (table(6), (), "at least 4 rows of each class"),
        (table().with_columns(v=pl.col("u"), w=pl.col("u"), z=pl.col("u")), (), "E14"),
        (table(), ("u", "nothing"), '"nothing" not found'),
        (table().with_columns(v=pl.lit("text")), ("u", "v"), "no number that varies"),
        (table().with_columns(v=pl.col("u")), ("u", "v"), "copies of one another"),
        (table().with_columns(y=pl.lit(1.0)), (), "E03"),
    ],
)
def test_what_no_lesson_can_be_made_of_is_said(frame: pl.DataFrame, columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        own(frame, "y", columns)


def test_figure_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="no lesson 'q'"):
        figure("q")
    with pytest.raises(ValueError, match="both X and y"):
        figure("a", np.eye(3))
    with pytest.raises(ValueError, match="Two different columns"):
        figure("e", table(), "y", columns=("u", "u"))


def test_a_figure_is_saved_as_svg_and_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = figure("e")
    one.save(tmp_path / "e.svg")
    text = (tmp_path / "e.svg").read_text()
    assert "var(" not in text
    assert 'width="820"' in text
    assert one.sentence in one._repr_html_()
    assert "Figure e" in repr(one)
    with pytest.raises(ValueError, match="must end in"):
        one.save(tmp_path / "e.jpg")
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ImportError, match=re.escape("pip install normball[png]")):
        one.save(tmp_path / "e.png")
    assert [place.name for place in tmp_path.iterdir()] == ["e.svg"]


def test_png_is_an_image(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    figure("a").save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


class Page(HTMLParser):
    """Attributes, the names of tags, and the data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.data: dict[str, Any] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["script"] and not self.data:
            self.data = unpacked(data)


@pytest.mark.parametrize("quiz", [False, True])
def test_the_page_is_one_small_offline_file(quiz: bool) -> None:
    text = learn.page(built_in(), learn.IDS, quiz=quiz)
    assert len(text.encode()) < 250_000
    page = Page(text)
    assert set(page.data) == set(learn.IDS)
    assert not any(value and "http" in value for name, value in page.attributes if name not in ("xmlns", "http-equiv"))
    assert not any(name.startswith("on") or name == "src" for name, _ in page.attributes)
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    assert ("content", policy) in page.attributes
    assert page.tags.count("svg") == len(learn.IDS)
    assert page.tags.count("table") == len(learn.IDS)
    formulas = re.findall(r"<math .*?</math>", text)
    assert len(formulas) >= len(learn.IDS)
    for formula in formulas:
        ElementTree.fromstring(formula)  # well-formed
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert ('class="quiz"' in text) == quiz
    for question in re.findall(r'class="answers".*?</div>', text, re.S):
        assert question.count("<button") >= 3


def test_nasty_names_stay_text_and_own_pages_are_small() -> None:
    frame = table(names=NASTY).rename({"y": "<y>"})
    text = learn.page(own(frame, "<y>", NASTY[:1] + NASTY[2:3]), learn.IDS)
    assert len(text.encode()) < 250_000
    page = Page(text)
    assert page.tags.count("script") == 3
    assert page.tags.count("img") == 0
    assert "<b>" not in text
    assert set(page.data["f"]["names"]) == set(NASTY)


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "learn")
    assert code == 0
    assert "learn.html" in out
    assert "lesson-i-section" in Path("learn.html").read_text()
    table().write_csv("t.csv")
    words = ("--data", "t.csv", "--target", "y", "--x", "u,w", "--svg", "s", "--html", "e.html", "--json")
    code, out, _ = run(capsys, "learn", "e", "a", *words)
    document = json.loads(out)
    assert code == 0
    assert document["lessons"] == ["a", "e"]
    assert [Path(name).name for name in document["files"]] == ["lesson_a.svg", "lesson_e.svg", "e.html"]
    assert all(Path(name).exists() for name in document["files"])
    assert run(capsys, "learn", "all", "--example", "wine", "--quiz", "--html", "q.html")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["q"], 2, "no lesson"),
        (["--data", "t.csv"], 2, "--target is missing"),
        (["--data", "t.csv", "--example", "wine"], 2, "either"),
        (["--target", "y"], 2, "--data FILE"),
        (["--data", "t.csv", "--target", "y", "--x", "u"], 2, "two columns"),
        (["--quiz", "--svg", "s"], 2, "add -o FILE"),
        (["--data", "t.csv", "--target", "yy"], 3, "E02"),
        (["--data", "none.csv", "--target", "y"], 5, "none.csv"),
        (["--html", "no/such/folder.html"], 5, "no/such"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    table().write_csv("t.csv")
    found, _, error = run(capsys, "learn", *words)
    assert found == code
    assert message in error


def test_png_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    code, _, error = run(capsys, "learn", "a", "--png", str(tmp_path))
    assert code == 2
    assert "pip install normball[png]" in error
