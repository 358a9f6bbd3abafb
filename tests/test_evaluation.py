"""Scores of a model on other rows, recomputed by scikit-learn, with their bootstrap intervals."""

import json
import math

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, PoissonRegressor

import normball as nb
from commands import fit, run
from normball import weighted_scores
from normball.families import FAMILIES, find_family
from normball.scores import SCORES
from normball.weighted_scores import LABELS, weighted_score
from targets import FAMILIES as NAMES
from targets import draw, two_values

N = 300


def data(family, seed=0):
    """X, y, weights, of which some are 0, and an offset."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 4))
    y = draw(family, X[:, 0] - 0.5 * X[:, 1], rng, logit=(0.2, 1.5), log=(0.5, 0.4))
    y[:2] = two_values(family)
    weights = rng.integers(0, 4, N).astype(float)
    return X, y, weights, rng.normal(scale=0.3, size=N)


def fitted(family, offset=None, **options):
    X, y, _, _ = data(family, seed=1)
    given = {} if offset is None else {"offset": offset}
    return nb.fit_path(X, y, family=family, lambdas=[0.05], **given, **options).at(lam=0.05)


def scores_of(y, mean, weights, family):
    """The scores of scikit-learn that an evaluation is to agree with."""
    how = {"sample_weight": weights}
    if family == "binomial":
        label = mean > 0.5
        return {
            "accuracy": metrics.accuracy_score(y, label, **how),
            "auc": metrics.roc_auc_score(y, mean, **how),
            "f1_macro": metrics.f1_score(y, label, average="macro", **how),
            "brier": metrics.brier_score_loss(y, mean, **how),
            "deviance": 2 * metrics.log_loss(y, mean, **how),
        }
    found = {
        "rmse": metrics.root_mean_squared_error(y, mean, **how),
        "mae": metrics.mean_absolute_error(y, mean, **how),
        "r2": metrics.r2_score(y, mean, **how),
    }
    power = {"poisson": 1.0, "gamma": 2.0, "tweedie(1.5)": 1.5}.get(family)
    return found if power is None else found | {"deviance": metrics.mean_tweedie_deviance(y, mean, power=power, **how)}


@pytest.mark.parametrize("family", NAMES)
def test_scores_are_those_of_scikit_learn(family):
    X, y, weights, offset = data(family)
    model = fitted(family, data(family, seed=1)[3])
    found = model.evaluate(X, y, sample_weight=weights, offset=offset, n_bootstrap=0)
    mean = model.predict(X, kind="response", offset=offset)
    expected = scores_of(y, mean, weights, family)
    assert {name: found.scores[name] for name in expected} == pytest.approx(expected, rel=1e-10)
    assert tuple(found.scores) == find_family(family).told
    assert found.n_rows == np.count_nonzero(weights)
    assert (found.intervals, found.n_groups) == ({}, None)


@pytest.mark.parametrize("family", NAMES)
def test_the_model_without_features_has_the_intercept_of_the_fit(family):
    X, y, weights, _ = data(family)
    trained = data(family, seed=1)[1]
    found = fitted(family).evaluate(X, y, sample_weight=weights, n_bootstrap=0)
    constant = np.full(N, trained.mean())
    if family.startswith("huber"):
        constant[:] = find_family(family).null_intercept(trained, np.ones(N), np.zeros(N))
    expected = scores_of(y, constant, weights, family)
    assert {name: found.null_scores[name] for name in expected} == pytest.approx(expected, rel=1e-7)


def test_several_classes_and_several_targets():
    X, _, weights, _ = data("gaussian")
    rng = np.random.default_rng(3)
    labels = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + rng.gumbel(size=(N, 3)), axis=1)]
    model = nb.fit_path(X, labels, family="multinomial", lambdas=[0.02]).at(lam=0.02)
    found = model.evaluate(X, labels, sample_weight=weights, n_bootstrap=0).scores
    shares, chosen = model.predict(X, kind="response"), model.predict(X, kind="class")
    how = {"sample_weight": weights}
    truth = np.eye(3)[np.searchsorted(["a", "b", "c"], labels)]
    areas = [metrics.roc_auc_score(truth[:, k], shares[:, k], **how) for k in range(3)]
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(labels, chosen, **how),
            "auc": np.mean(areas),
            "f1_macro": metrics.f1_score(labels, chosen, average="macro", **how),
            "brier": np.average(((truth - shares) ** 2).sum(axis=1), weights=weights),
            "deviance": 2 * metrics.log_loss(labels, shares, **how),
        },
        rel=1e-10,
    )
    in_shares = model.evaluate(X, truth, sample_weight=weights, n_bootstrap=0)
    assert in_shares.scores == pytest.approx(found, rel=1e-10)

    Y = X[:, :2] + rng.normal(size=(N, 2))
    several = nb.fit_path(X, Y, family="multigaussian", lambdas=[0.1]).at(lam=0.1)
    mean = several.predict(X)
    assert several.evaluate(X, Y, sample_weight=weights, n_bootstrap=0).scores == pytest.approx(
        {
            "rmse": math.sqrt(metrics.mean_squared_error(Y, mean, **how)),
            "mae": metrics.mean_absolute_error(Y, mean, **how),
            "r2": metrics.r2_score(Y, mean, **how),
        },
        rel=1e-10,
    )


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_the_calibration_slope_is_that_of_a_regression_on_the_linear_predictor(family):
    X, y, weights, _ = data(family)
    model = fitted(family)
    eta = model.predict(X)[:, None]
    if family == "binomial":
        refit = LogisticRegression(C=np.inf, tol=1e-10).fit(eta, y, sample_weight=weights)
    else:
        refit = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(eta, y, sample_weight=weights)
    found = model.evaluate(X, y, sample_weight=weights, n_bootstrap=0).scores["calibration_slope"]
    assert found == pytest.approx(refit.coef_.ravel()[0], rel=1e-5)


def test_the_calibration_slope_of_separated_classes_is_undefined():
    X = np.linspace(-1, 1, 40)[:, None]
    model = nb.fit_path(X, X[:, 0] > 0, family="binomial", lambdas=[0.1]).at(lam=0.1)
    found = model.evaluate(X, X[:, 0] > 0, n_bootstrap=20)
    assert math.isnan(found.scores["calibration_slope"])
    assert math.isnan(found.intervals["calibration_slope"][0])
    assert found.rows()[-1][1:3] == ["-", "-"]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "cox"])  # test_survival_held_out.py
def test_every_score_of_a_family_has_a_label_and_many_weightings_at_once(family):
    rng = np.random.default_rng(0)
    entry = find_family({"tweedie": "tweedie(1.5)", "negative_binomial": "negative_binomial(2)"}.get(family, family))
    if entry.is_open:
        entry = type(entry)(1.0)
    shape = (50, 3) if entry.has_outputs else (50,)
    y = (
        np.eye(3)[rng.integers(0, 3, 50)]
        if entry.has_outputs
        else rng.integers(0, 2, 50) + float(not entry.has_classes)
    )
    eta, weights = rng.normal(size=shape), rng.integers(0, 3, size=(4, 50)).astype(float)
    for name in entry.told:
        assert name in LABELS
        found = weighted_score(name, entry, y, eta)(weights)
        assert found == pytest.approx([weighted_score(name, entry, y, eta)(one[None, :])[0] for one in weights])
        if name in SCORES:
            expected = [SCORES[name](y, eta[:, None], one, str(entry))[0] for one in weights]
            assert found == pytest.approx(expected, rel=1e-10)


def test_calibration_slopes_of_bootstrap_samples_start_from_that_of_all_of_them(monkeypatch):
    """Each takes two or three looks at its rows, and is what Newton's method finds from nothing."""
    rng = np.random.default_rng(0)
    eta = rng.normal(size=5000)
    y, weights = (rng.uniform(size=5000) < 1 / (1 + np.exp(-eta))) * 1.0, rng.poisson(1.0, size=(20, 5000)) * 1.0
    slopes = weighted_score("calibration_slope", find_family("binomial"), y, eta)
    from_nothing = [slopes(one[None])[0] for one in weights]
    looks, terms = [], weighted_scores.slope_terms
    monkeypatch.setattr(weighted_scores, "slope_terms", lambda *of: looks.append(1) or terms(*of))
    np.testing.assert_allclose(slopes(weights), from_nothing, rtol=1e-10)
    assert len(looks) <= 10 + 3 * 20


def fits_ever_better(family, y, x):
    """Whether the steeper some line through these rows is, the better it fits."""
    low, high = x[y == 0], x[y > 0]
    if not high.size or (family == "binomial" and not low.size):
        return True
    if family == "binomial":
        return low.max() <= high.min() or high.max() <= low.min()
    return np.ptp(high) == 0 and (not low.size or high[0] in (x.min(), x.max()))


@pytest.mark.parametrize("width", [1.0, 30.0])
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_weighting_has_a_slope_unless_the_steepest_is_best(family, width):
    """Of few rows many have none; some of them leave residuals that round to 0 before the curvature does."""
    n_without, n_with, mean = 0, 0, find_family(family).mean
    for seed in range(15):
        rng = np.random.default_rng([12, seed])
        x = rng.normal(size=12).round(1)  # some are alike
        y = (rng.random(12) < 1 / (1 + np.exp(-x))) * 1.0 if family == "binomial" else rng.poisson(0.3, 12) * 1.0
        weights = rng.multinomial(12, np.full(12, 1 / 12), 20) * 1.0
        slopes = weighted_score("calibration_slope", find_family(family), y, width * x)(weights)
        for one, slope in zip(weights, slopes, strict=True):
            used = one > 0
            if fits_ever_better(family, y[used], x[used]):
                n_without += 1
                assert math.isnan(slope)
                continue
            n_with += 1

            low, high = -(ends := 60.0 + 5.0 * abs(slope) * width), ends
            for _ in range(90):
                middle = (low + high) / 2
                residuals = one[used] * (mean(middle + slope * width * x[used]) - y[used])
                low, high = (low, middle) if residuals.sum() > 0 else (middle, high)
            assert abs(residuals @ x[used]) < 1e-6
    assert min(n_without, n_with) > 30


def test_a_weighting_that_a_start_leads_astray_starts_again(monkeypatch):
    rng = np.random.default_rng(0)
    eta = rng.normal(size=400)
    y, weights = (rng.uniform(size=400) < 1 / (1 + np.exp(-eta))) * 1.0, rng.poisson(1.0, size=(3, 400)) * 1.0
    slopes = weighted_score("calibration_slope", find_family("binomial"), y, eta)
    expected = slopes(weights)
    steps, far = weighted_scores.newton_steps, np.array([0.0, 1e3])  # of several weightings at once
    monkeypatch.setattr(
        weighted_scores, "newton_steps", lambda sums: far + 0 * steps(sums) if len(sums) > 1 else steps(sums)
    )
    np.testing.assert_allclose(slopes(weights), expected, rtol=1e-8)


def test_the_area_under_the_curve_counts_pairs():
    """Of shares of classes and of tied predictions, too, as the definition says."""
    rng = np.random.default_rng(1)
    y, eta, weights = rng.choice([0.0, 0.25, 1.0], 60), rng.integers(0, 9, 60) * 1.0, rng.poisson(1.0, (5, 60)) * 1.0
    won = (eta[:, None] > eta) + 0.5 * (eta[:, None] == eta)
    found = weighted_score("auc", find_family("binomial"), y, eta)(weights)
    for area, w in zip(found, weights, strict=True):
        inside, beside = w * y, w * (1.0 - y)
        assert area == pytest.approx(inside @ won @ beside / (inside.sum() * beside.sum()), rel=1e-12)


def test_intervals_are_quantiles_of_bootstrap_samples():
    X, y, weights, _ = data("gaussian")
    model = fitted("gaussian")
    found = model.evaluate(X, y, sample_weight=weights, n_bootstrap=400, random_state=7)
    used = weights > 0
    generator, size = np.random.default_rng(7), int(used.sum())
    error, w = (y - model.predict(X))[used], weights[used]
    rmse = []
    for _ in range(400):
        drawn = generator.integers(size, size=size)
        rmse.append(math.sqrt(np.average(error[drawn] ** 2, weights=w[drawn])))
    assert found.intervals["rmse"] == pytest.approx(np.quantile(rmse, [0.025, 0.975]), rel=1e-10)
    assert found.intervals["rmse"][0] < found.scores["rmse"] < found.intervals["rmse"][1]


def test_groups_of_rows_are_drawn_as_wholes():
    X, y, _, _ = data("binomial")
    model = fitted("binomial")
    once = model.evaluate(X, y, random_state=3)
    four, ids = np.repeat(np.arange(N), 4), np.repeat([f"patient {k:03}" for k in range(N)], 4)
    grouped = model.evaluate(X[four], y[four], row_groups=ids, random_state=3)
    for name, ends in once.intervals.items():
        assert grouped.intervals[name] == pytest.approx(ends, rel=1e-6)
    alone = model.evaluate(X[four], y[four], random_state=3)
    assert np.diff(alone.intervals["auc"])[0] < 0.7 * np.diff(grouped.intervals["auc"])[0]
    assert grouped.n_groups == N
    assert "in 300 groups" in grouped.summary()


def test_labels_that_the_model_does_not_know_are_named():
    X, y, _, _ = data("binomial")
    labels = np.where(y > 0, "yes", "no").astype(object)
    model = nb.cv_path(X, labels, family="binomial", cv=3, n_lambdas=10, progress=False)
    labels[[4, 9]] = "maybe"
    with pytest.raises(
        nb.DataError, match=r'E09 Target "y" has labels that the model does not know: "maybe" \(2 rows'
    ) as problem:
        model.evaluate(X, labels)
    assert "rows 5, 10" in str(problem.value)
    labels[[4, 9]] = None
    with pytest.raises(nb.DataError, match=r"E04 Missing values \(NaN\): y \(target\) 2"):
        model.evaluate(X, labels)
    with pytest.raises(nb.DataError, match=r"E13 .*negative values"):
        fitted("poisson").evaluate(X, -np.ones(N))
    with pytest.raises(nb.DataError, match=r"E14 .*has 3 values; X has 300 rows"):
        fitted("gaussian").evaluate(X, np.ones(3))
    with pytest.raises(nb.DataError, match=r'E02 Column .of row_groups. "who" not found'):
        fitted("gaussian").evaluate(X, y, row_groups="who")


def test_labels_are_known_in_whatever_type_they_come():
    X, y, _, _ = data("binomial")
    model = nb.fit_path(X, y.astype(int), family="binomial", lambdas=[0.05])
    expected = model.evaluate(X, y, lam=0.05, n_bootstrap=0)
    for labels in (y.astype(bool), y.astype(int).astype(str), np.where(y > 0, "1.0", "0")):
        assert model.evaluate(X, labels, lam=0.05, n_bootstrap=0) == expected
    one_class = model.evaluate(X[y > 0], y[y > 0], lam=0.05, n_bootstrap=0)
    assert math.isnan(one_class.scores["auc"])
    assert one_class.scores["accuracy"] == pytest.approx((model.predict(X[y > 0], lam=0.05) > 0).mean())


def test_shares_of_a_class_have_no_accuracy():
    X, _, _, _ = data("gaussian")
    share = 1 / (1 + np.exp(-X[:, 0]))
    model = nb.fit_path(X, share, family="binomial", lambdas=[0.01]).at(lam=0.01)
    assert not {"accuracy", "f1_macro"} & model.evaluate(X, share, n_bootstrap=0).scores.keys()


def test_a_saved_model_scores_alike(tmp_path):
    X, y, _, _ = data("poisson")
    cv = nb.cv_path(X, y, family="poisson", cv=3, n_lambdas=10, progress=False)
    cv.save(tmp_path / "model.json")
    again = nb.load(tmp_path / "model.json")
    assert again.evaluate(X, y, lam="best") == cv.evaluate(X, y, lam="best")  # to the last bit
    assert cv.evaluate(X, y, lam="best").lam == cv.lambda_best
    assert cv.evaluate(X, y).lam == cv.lambda_1se
    content = json.loads((tmp_path / "model.json").read_text())
    del content["path"]["null_intercept"], content["checksum"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    old = nb.load(tmp_path / "old.json").evaluate(X, y, n_bootstrap=0)
    assert old.null_scores == {}
    assert old.to_frame()["without_features"].is_nan().all()


def test_score_on_the_command_line(folder, capsys):
    assert fit(capsys)[0] == 0
    table = pl.read_csv("t.csv")
    table.with_columns(pl.lit(2.0).alias("weight")).write_csv("new.csv")
    code, out, err = run(capsys, "score", "out/model.json", "new.csv")
    assert code == 0
    assert err.startswith("Careful  The model was fitted to these rows: it will do worse on others.")
    found = nb.load("out/model.json").evaluate(table, "y", lam="1se")
    assert out.splitlines()[0] == f"Scored   new.csv: 120 rows at lambda {found.lam:.4g}"
    assert out.splitlines()[2:] == found.summary().splitlines()[1:]
    code, out, _ = run(
        capsys, "score", "out/model.json", "new.csv", "--weights", "weight", "--json", "--bootstrap", "0"
    )
    told = json.loads(out)
    assert code == 0
    assert (told["target"], told["n_rows"]) == ("y", 120)
    assert {row["score"]: row["value"] for row in told["scores"]} == pytest.approx(found.scores)
    assert {row["low"] for row in told["scores"]} == {None}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["--target", "yy"],
            '"yy" (of --target). Its columns: y, a, b, colour, t and 1 more. Did you mean "y"?',
        ),
        (["--weights", "who"], 'E08 The new table lacks the column "who" (of --weights)'),
        (["--group", "who"], 'E08 The new table lacks the column "who" (of --group)'),
    ],
)
def test_score_names_the_column_that_lacks(folder, capsys, words, problem):
    fit(capsys)
    code, out, err = run(capsys, "score", "out/model.json", "t.csv", *words)
    assert (code, out) == (3, "")
    assert problem in err


def test_score_takes_another_name_and_tells_it(folder, capsys):
    fit(capsys)
    pl.read_csv("t.csv").rename({"y": "other"}).write_csv("new.csv")
    code, out, _ = run(capsys, "score", "out/model.json", "new.csv", "--target", "other", "--bootstrap", "0", "--json")
    assert (code, json.loads(out)["target"]) == (0, "other")


def test_score_of_a_model_from_python_asks_for_the_target(folder, capsys):
    table = pl.read_csv("t.csv")  # which has a column "y", that this model is not about
    nb.cv_path(table.select("a"), table["b"], cv=3, n_lambdas=8).save("model.json")
    words = ("score", "model.json", "t.csv", "--bootstrap", "0")
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert "--target is missing" in err
    assert "give --target COL" in err
    code, out, _ = run(capsys, *words, "--target", "b", "--json")
    assert (code, json.loads(out)["target"]) == (0, "b")
    cv = nb.cv_path(table.select("t"), table.select("a", "b"), family="multigaussian", cv=3, n_lambdas=8)
    cv.save("model.json")
    expected = cv.at("1se").evaluate(table, ["a", "b"], n_bootstrap=0).scores
    for target in (["--target", "a,b"], ["--target", "a", "--target", "b"]):
        code, out, _ = run(capsys, *words, *target, "--json")
        told = json.loads(out)
        assert (code, told["target"]) == (0, "a, b")
        assert {row["score"]: row["value"] for row in told["scores"]} == pytest.approx(expected)
    assert run(capsys, *words, "--target", "a,zz")[0] == 3


def test_several_targets_for_a_model_of_one(folder, capsys):
    fit(capsys)
    code, out, err = run(capsys, "score", "out/model.json", "t.csv", "--target", "a,b")
    assert (code, out) == (2, "")
    assert "--target names 2 columns; the model has one target: give one" in err


@pytest.mark.parametrize(("n_bootstrap", "error"), [(-1, ValueError), (2.5, TypeError), (True, TypeError)])
def test_the_number_of_samples_is_checked(n_bootstrap, error):
    X, y, _, _ = data("gaussian")
    with pytest.raises(error, match=r"n_bootstrap is .*, but must be"):
        fitted("gaussian").evaluate(X, y, n_bootstrap=n_bootstrap)


def test_score_draws_the_groups_of_the_fit(folder, capsys):
    table = pl.read_csv("t.csv").with_columns(pl.Series("who", np.arange(120) % 30))
    table.write_csv("t.csv")
    assert (
        run(capsys, "fit", "--no-compare", "t.csv", "--target", "y", "--group", "who", "--cv", "3", "-o", "out")[0] == 0
    )
    code, out, _ = run(capsys, "score", "out/model.json", "t.csv", "--bootstrap", "10")
    assert code == 0
    assert "120 rows in 30 groups" in out


def test_a_share_of_nothing_is_zero() -> None:
    """The mean explains nothing of its own rows, and rounding is no share."""
    for seed in range(20):
        y = np.random.default_rng(seed).normal(3.0, 2.0, size=57)
        X = np.random.default_rng(seed + 100).normal(size=(57, 3))
        path = nb.fit_path(X, y, n_lambdas=3)
        assert path.at(lam=path.lambdas[0]).evaluate(X, y, n_bootstrap=0).null_scores["r2"] == 0.0
