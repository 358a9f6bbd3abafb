"""What results say of models of survival: curves, medians and risks of new rows, files, findings, estimators."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import normball as nb
from normball.model_file import from_dict
from normball.packed import pack, unpack
from normball.schema import Damaged
from normball.survival.baseline import fit_baseline
from normball.survival.concordance import concordance
from survival_data import GOLDEN, draw_weights, load
from test_oracle_cox import grid
from test_survival import drawn, late_effect
from test_survival_golden import GLMNET, name_of

FAMILY = {"efron": "cox", "breslow": "cox(breslow)"}
TIMES = [1.0, 2.5, 4.0, 99.0]


def fitted(ties="efron", strata=False, entry=False, weights=False, n=60, **options):
    """A path of six strengths, its target, features, weights, and what predictions need besides."""
    target, y, w, _ = drawn(31, n, strata=strata, entry=entry, weights=weights)
    X = np.random.default_rng(32).normal(size=(n, 4))
    labels = np.array(["first", "second"])[target.codes] if strata else None
    path = nb.fit_path(X, y, family=FAMILY[ties], strata=labels, sample_weight=w, n_lambdas=6, **options)
    return path, target, X, w, {} if labels is None else {"strata": labels}


@grid
def test_hazards_along_a_path_are_those_of_its_linear_predictors(ties, strata, entry, weights):
    offset = np.random.default_rng(33).normal(size=60)
    path, target, X, w, by_row = fitted(ties, strata, entry, weights, offset=offset)
    for index, lam in enumerate(path.lambdas):
        eta = X @ path.coefs[index] + offset
        baseline = fit_baseline(target, eta, w, ties)
        np.testing.assert_allclose(path.baselines[index].log_hazards, baseline.log_hazards, rtol=0, atol=1e-12)
        found = path.predict(X, lam=lam, kind="survival", times=TIMES, offset=offset, **by_row)
        np.testing.assert_allclose(found, baseline.survival(TIMES, eta, target.codes), rtol=1e-11)
        medians = path.predict(X, lam=lam, kind="median", offset=offset, **by_row)
        np.testing.assert_array_equal(medians, baseline.quantile(0.5, eta, target.codes))
    assert np.isnan(found[:, -1]).all()
    assert path.baselines.stratum_names == (("first", "second") if strata else ())


def test_kinds_and_their_shapes():
    path, _, X, _, _ = fitted()
    lams = path.lambdas[[1, 3, 5]]
    link = path.predict(X, lam=lams)
    np.testing.assert_allclose(path.predict(X, lam=lams, kind="risk"), np.exp(link))
    curves = path.predict(X, lam=lams, kind="survival", times=TIMES)
    assert curves.shape == (60, 3, 4)
    hazards = path.predict(X, lam=lams, kind="cumulative_hazard", times=TIMES)
    np.testing.assert_allclose(np.exp(-hazards), curves)
    assert path.predict(X, lam=lams, kind="median").shape == (60, 3)
    fit = path.at(lam=lams[1])
    for kind, times in (("survival", TIMES), ("cumulative_hazard", [2.0])):
        np.testing.assert_array_equal(
            fit.predict(X, kind=kind, times=times), path.predict(X, lam=lams, kind=kind, times=times)[:, 1]
        )
    np.testing.assert_array_equal(fit.predict(X, kind="survival", times=2.5), curves[:, 1, 1])
    assert path.predict(X, lam=lams, kind="survival", times=2.5).shape == (60, 3)


def test_between_two_strengths():
    """Coefficients and logarithms of hazards go straight from one strength to the next."""
    path, _, X, _, _ = fitted()
    fit = path.fit_at(2.25)
    log_hazards = 0.75 * path.baselines[2].log_hazards + 0.25 * path.baselines[3].log_hazards
    np.testing.assert_allclose(fit.baseline.log_hazards, log_hazards, rtol=1e-13)
    below = fit.predict(X, kind="survival", times=[3.0])
    ends = [path.predict(X, lam=lam, kind="survival", times=[3.0]) for lam in path.lambdas[[2, 3]]]
    assert ((below >= np.minimum(*ends) - 1e-12) & (below <= np.maximum(*ends) + 1e-12)).all()


@pytest.mark.parametrize("frozen", GOLDEN["fits"], ids=name_of)
def test_without_a_penalty_coefficients_and_curves_are_those_of_r(frozen, read_shared):
    y, x, strata = load(frozen["study"], read_shared)
    w, names = draw_weights(frozen, len(x)), None if strata is None else list(strata)
    path = nb.fit_path(
        x, y, family=FAMILY[frozen["ties"]], strata=names, sample_weight=w, lambdas=[1e-9], standardize=True, tol=1e-13
    )
    sd = path.scales
    np.testing.assert_allclose(path.coefs[0] * sd, frozen["beta"] * sd, rtol=0, atol=1e-6)
    levels = [frozen["strata"]] if frozen["strata"] == "" else frozen["strata"]
    for level, curve in zip(levels, frozen["curves"], strict=True):
        by_row = {} if level == "" else {"strata": [level] * 2}
        found = path.predict(x[:2], lam=1e-9, kind="survival", times=curve["times"], **by_row)
        np.testing.assert_allclose(found, curve["surv"][1:], rtol=0, atol=1e-6)
    # a model that ranks by their score is judged as they judge it
    score = np.floor(8 * x @ np.array(frozen["beta"]))[:, None] / 8
    ranking = nb.fit_path(score, y, family="cox", strata=names, sample_weight=w, lambdas=[0.01])
    judged = ranking.evaluate(score, y, lam=0.01, sample_weight=w, strata=names, n_bootstrap=0).scores
    assert judged["concordance"] == pytest.approx(frozen["concordance"]["harrell"], rel=1e-12)
    if "uno" in frozen["concordance"]:
        assert judged["uno"] == pytest.approx(frozen["concordance"]["uno"], rel=1e-10)


def test_what_is_asked_for_in_vain():
    path, _, X, _, by_row = fitted(strata=True)
    plain = fitted()[0]
    lam = path.lambdas[2]
    for options, message in (
        ({"kind": "response"}, 'kind is \'response\', but of cox it must be "link", "risk", "survival"'),
        ({"kind": "survival", **by_row}, 'kind="survival" needs times='),
        ({"kind": "median", "times": [1.0], **by_row}, 'times are given, but kind="median" does not depend on them'),
        ({"kind": "risk", **by_row}, 'strata are given, but kind="risk" does not depend on them'),
        ({"kind": "median"}, "fitted with strata: pass strata= for the new rows too"),
        ({"kind": "survival", "times": [[1.0]], **by_row}, "times must be a finite number, or a list of them"),
        ({"kind": "survival", "times": [np.nan], **by_row}, "times must be a finite number, or a list of them"),
        ({"kind": "survival", "times": ["soon"], **by_row}, "times must be a finite number, or a list of them"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            path.predict(X, lam=lam, **options)
    with pytest.raises(ValueError, match="fitted without strata: leave strata= out"):
        plain.predict(X, lam=plain.lambdas[2], kind="median", **by_row)
    with pytest.raises(ValueError, match="kind is 'survival', but of gaussian it must be"):
        nb.fit_path(X, X[:, 0], n_lambdas=3).predict(X, lam=[0.1], kind="survival", times=[1.0])
    strange = ["first", "third", "second"]
    with pytest.raises(
        nb.DataError, match=r'E09 Strata that the model does not know: "third" in row 2\. It knows "first"'
    ):
        path.predict(X[:3], lam=lam, kind="median", strata=strange)
    with pytest.raises(nb.DataError, match="E02"):
        path.predict(pd.DataFrame(X[:3], columns=path.feature_names), lam=lam, kind="median", strata="site")


def test_strata_of_new_rows_may_stand_in_the_table():
    path, target, X, _, by_row = fitted(strata=True)
    rows = pd.DataFrame(X, columns=list("abcd"))
    table = rows.assign(site=by_row["strata"], time=target.stop, dead=target.event)
    named = nb.fit_path(table, ["time", "dead"], family="cox", strata="site", n_lambdas=6)
    assert named.feature_names == ("a", "b", "c", "d")
    expected = path.predict(X, lam=path.lambdas[3], kind="survival", times=TIMES, **by_row)
    for new, strata in ((table, "site"), (rows, by_row["strata"])):
        found = named.predict(new, lam=named.lambdas[3], kind="survival", times=TIMES, strata=strata)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("strata", [False, True])
def test_files_bring_back_every_curve(strata, tmp_path):
    path, _, X, _, by_row = fitted(strata=strata)
    options = {"kind": "survival", "times": TIMES, **by_row}
    cv = nb.cv_path(X, fitted()[1].columns, family="cox", n_lambdas=6, cv=3)
    for result, choice in ((path, {"lam": path.lambdas[3]}), (path.fit_at(2.5), {})):
        result.save(tmp_path / "model.json")
        back = nb.load(tmp_path / "model.json")
        found, expected = back.predict(X, **choice, **options), result.predict(X, **choice, **options)
        np.testing.assert_allclose(found, expected, rtol=0, atol=0 if result.saved_as == "fit" else 1e-12)
    cv.save(tmp_path / "cv.json")
    for lam in ("best", "1se", float(cv.lambdas[2])):
        options = {"lam": lam, "kind": "median"}
        np.testing.assert_array_equal(nb.load(tmp_path / "cv.json").predict(X, **options), cv.predict(X, **options))


def saved(path, folder):
    """The content of a model file, and its hazards with each number written out, as earlier versions did."""
    path.save(folder / "model.json")
    content = json.loads((folder / "model.json").read_text())
    hazards = content["path"]["baselines"]
    hazards["log_hazards"] = path.baselines.log_hazards.tolist()
    return content, hazards


def test_files_of_earlier_versions(tmp_path):
    path, _, X, _, _ = fitted()
    content, hazards = saved(path, tmp_path)
    del hazards["null"]
    back = from_dict(content)
    options = {"lam": path.lambdas[3], "kind": "survival", "times": TIMES}
    np.testing.assert_array_equal(back.predict(X, **options), path.predict(X, **options))
    assert back.baselines.null is None


def test_hazards_take_little_room(read_shared, tmp_path):
    """A study of 1,904 rows with 1,103 events took 2 MB."""
    table = read_shared("metabric9").drop("split")
    path = nb.fit_path(table, ["time", "event"], family="cox")
    path.save(tmp_path / "model.json")
    assert (tmp_path / "model.json").stat().st_size < 350_000
    back = nb.load(tmp_path / "model.json")
    times = np.linspace(0, 350, 50)
    for lam in (*path.lambdas[[0, 40, 99]], 0.0123):
        found, expected = (one.predict(table, lam=lam, kind="survival", times=times) for one in (back, path))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
        found, expected = (one.predict(table, lam=lam, kind="median") for one in (back, path))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"deflated": "?"}, "path.baselines.log_hazards.deflated cannot be read"),
        ({"deflated": "aaaa"}, "path.baselines.log_hazards.deflated cannot be read"),
        ({"deflated": "eJwDAAAAAAE="}, "path.baselines.log_hazards.deflated holds no table of 6 x 5 numbers"),
        ({"bits": -1}, "path.baselines.log_hazards.bits"),
    ],
)
def test_damaged_tables_are_told(change, message, tmp_path):
    path = fitted()[0]
    path.save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    content["path"]["baselines"]["log_hazards"] |= change
    with pytest.raises(Damaged, match=re.escape(message)):
        from_dict(content)


def test_tables_of_any_size_are_packed():
    rng = np.random.default_rng(4)
    for shape in ((1, 1), (1, 7), (7, 1), (40, 30)):
        for scale in (1e-9, 1.0, 1e5):
            table = scale * rng.uniform(-1, 1, size=shape)
            packed = json.loads(json.dumps(pack(table)))
            np.testing.assert_allclose(unpack(packed, "", shape), table, rtol=0, atol=2.0**-41)
    assert pack(np.array([[1e6]])) is None
    assert pack(np.array([[np.inf]])) is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("times", lambda old: old[:-1], "has 10 entries, but must have 9"),
        ("strata", lambda old: old[::-1], "path.baselines.times must be ascending within ascending strata"),
        ("ends", [9.0], "path.baselines.strata"),
        ("stratum_names", ["first"], "path.baselines.ends are 2, but there are 1 stratum_names"),
        ("log_hazards", lambda old: old[:-1], "path.baselines.log_hazards has 5 entries, but must have 6"),
        ("log_hazards", lambda old: [row[::-1] for row in old], "path.baselines.log_hazards falls within a stratum"),
        ("null", lambda old: old[::-1], "path.baselines.null falls within a stratum"),
    ],
)
def test_damaged_hazards_are_told(name, value, message, tmp_path):
    content, hazards = saved(fitted(strata=True)[0], tmp_path)
    hazards[name] = value(hazards[name]) if callable(value) else value
    with pytest.raises(Damaged, match=message):
        from_dict(content)


def test_hazards_belong_to_models_of_survival_alone(tmp_path):
    path = fitted()[0]
    path.save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    del content["path"]["baselines"]
    with pytest.raises(Damaged, match="baselines are the part of a model of survival alone; the family is cox"):
        from_dict(content)
    X = np.random.default_rng(1).normal(size=(20, 2))
    nb.fit_path(X, X[:, 0], n_lambdas=3).save(tmp_path / "other.json")
    assert "baselines" not in json.loads((tmp_path / "other.json").read_text())["path"]


def test_check_looks_at_features_and_events():
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    table["site"], table["time"] = np.arange(60) % 3, rng.permutation(60) + 1.0
    table["dead"], table["code"], table["speed"] = rng.random(60) < 0.5, 2.5 * table.site, -np.sqrt(table.time)
    found = nb.check(table, ["time", "dead"], family="cox", strata="site")
    assert [(one.code, one.columns) for one in found] == [("W11", ("code",)), ("W30", ("speed",))]
    weights = np.where(table.site == 0, 1.0, 0.0)
    alone = nb.check(table.drop(columns=["site", "speed"]), ["time", "dead"], family="cox", sample_weight=weights)
    assert [(one.code, one.columns) for one in alone] == [("W11", ("code",))]


# estimators


def structured(target):
    y = np.zeros(len(target), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = target.event, target.stop
    return y


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_an_estimator_is_the_path_at_one_strength(ties):
    path, target, X, _, _ = fitted(ties)
    lam = float(path.lambdas[3])
    model = nb.CoxRegressor(lam=lam, ties=ties).fit(X, structured(target))
    np.testing.assert_allclose(model.coef_, path.at(lam=lam).coef, atol=1e-4)
    np.testing.assert_array_equal(model.predict(X), model.path_.predict(X, lam=lam))
    assert model.unique_times_.tolist() == sorted(set(target.stop[target.event].tolist()))
    assert model.score(X, structured(target)) == concordance(target, model.predict(X)).index
    survival = model.predict_survival_function(X, return_array=True)
    functions = model.predict_survival_function(X)
    assert survival.shape == (60, len(model.unique_times_))
    np.testing.assert_array_equal(functions[7](model.unique_times_), survival[7])
    assert functions[7](0.0) == 1.0
    assert np.isnan(functions[7](target.stop.max() + 1))
    hazards = model.predict_cumulative_hazard_function(X)
    np.testing.assert_allclose(np.exp(-hazards[3].y), functions[3].y)
    assert hazards[3](0.0) == 0.0
    assert not hasattr(model, "intercept_")


def test_an_estimator_with_strata_weights_offset_and_late_entry():
    path, target, X, w, by_row = fitted("efron", True, True, True)
    lam, offset = float(path.lambdas[2]), np.linspace(-1, 1, 60)
    given = {"sample_weight": w, "offset": offset, **by_row}
    model = nb.CoxRegressor(lam=lam).fit(X, target.columns, **given)
    path = nb.fit_path(X, target.columns, family="cox", lambdas=[lam], **given)
    np.testing.assert_array_equal(model.coef_, path.coefs[0])
    found = model.score(X, target.columns, **given)
    assert found == concordance(target, X @ model.coef_ + offset, w).index
    functions = model.predict_survival_function(X, offset=offset, **by_row)
    assert {function.end for function in functions} == set(path.baselines.ends.tolist())
    with pytest.raises(ValueError, match="fitted with strata: pass strata="):
        model.predict_survival_function(X, offset=offset)


def test_estimators_work_with_scikit_learn():
    _, target, X, _, _ = fitted(n=120)
    y = structured(target)
    model = nb.CoxRegressorCV(n_lambdas=8, cv=3, l1_ratio=[1.0, 0.5])
    assert clone(model).get_params() == model.get_params()
    model.fit(X, y)
    assert model.l1_ratio_ in (1.0, 0.5)
    assert model.lam_ == model.lambda_1se_
    assert nb.CoxRegressorCV(n_lambdas=4).fit(X, y).cv_path_.n_folds == 10
    few = np.flatnonzero(target.event)[:4].tolist() + np.flatnonzero(~target.event).tolist()
    assert nb.CoxRegressorCV(n_lambdas=4).fit(X[few], y[few]).cv_path_.n_folds == 4
    pipe = make_pipeline(StandardScaler(), nb.CoxRegressor(lam=0.05))
    assert cross_val_score(pipe, X, y, cv=3, error_score="raise").shape == (3,)
    search = GridSearchCV(
        nb.CoxRegressor(), {"lam": [0.01, 0.1], "ties": ["efron", "breslow"]}, cv=3, error_score="raise"
    )
    assert search.fit(X, y).best_params_["lam"] in (0.01, 0.1)
    table = pd.DataFrame(X, columns=list("abcd")).assign(sex=np.where(X[:, 0] > 0, "m", "f"))
    assert nb.CoxRegressor(lam=0.01).fit(table, y).feature_names_out_.tolist() == [
        "a",
        "b",
        "c",
        "d",
        "sex = f",
        "sex = m",
    ]


@pytest.mark.parametrize("scoring", ["concordance", "uno", "brier"])
def test_an_estimator_chooses_by_any_score_of_times(scoring):
    """And is cross-validated itself, so that each choice is judged on rows that it did not see."""
    _, target, X, _, _ = fitted(n=120)
    y = structured(target)
    model = nb.CoxRegressorCV(n_lambdas=6, cv=3, scoring=scoring, select="best").fit(X, y)
    cv = nb.cv_path(X, target.columns, family="cox", n_lambdas=6, cv=3, score=scoring)
    np.testing.assert_array_equal(model.cv_mean_, cv.cv_mean)
    assert model.lam_ == cv.lambda_best
    scores = cross_val_score(model, X, y, cv=3, error_score="raise")
    assert ((scores > 0.3) & (scores < 1.0)).all()
    with pytest.raises(ValueError, match='has "deviance", "concordance", "uno", "brier"'):
        nb.CoxRegressorCV(scoring="r2").fit(X, y)


def test_estimators_refuse_what_they_cannot_do():
    _, target, X, _, _ = fitted()
    y = structured(target)
    with pytest.raises(TypeError, match="alpha"):
        nb.CoxRegressor(alpha=0.1)
    for option in ("fit_intercept", "grouped", "family"):
        with pytest.raises(TypeError, match=option):
            nb.CoxRegressor(**{option: True})
    with pytest.raises(ValueError, match="ties is 'exact'"):
        nb.CoxRegressor(ties="exact").fit(X, y)
    with pytest.raises(nb.DataError, match="E03"):
        nb.CoxRegressor().fit(X, np.column_stack([target.stop, 0 * target.stop]))
    with pytest.raises(ValueError, match="3 features"):
        nb.CoxRegressor(lam=0.1).fit(X, y).predict(X[:, :3])


# cross-validation


def test_concordance_of_held_out_rows():
    _, target, X, w, by_row = fitted("efron", True, True, True, n=120)
    offset = np.linspace(-0.5, 0.5, 120)
    cv = nb.cv_path(X, target.columns, family="cox", sample_weight=w, offset=offset, n_lambdas=5, cv=3,
                    score="concordance", keep_predictions=True, **by_row)  # fmt: skip
    assert (cv.score, cv.greater_is_better) == ("concordance", True)
    for fold in range(3):
        test = np.flatnonzero(cv.fold_ids == fold)
        expected = [concordance(target.take(test), cv.predictions[test, j], w[test]).index for j in range(5)]
        np.testing.assert_allclose(cv.fold_scores[fold], expected, rtol=1e-12)
        null = concordance(target.take(test), offset[test], w[test]).index
        assert cv.null_fold_scores[fold] == pytest.approx(null, rel=1e-12)
        assert cv.fold_weights[fold] == pytest.approx(w[test].sum())
    every = [concordance(target, X @ b + offset, w).index for b in cv.path.coefs]
    np.testing.assert_allclose(cv.train_mean, every, rtol=1e-12)


def test_concordance_by_r_s_folds(read_shared):
    """The published lambda_min and lambda_1se of glmnet's vignette, and R's scores at every strength."""
    y, X, _ = load("glmnet_cox", read_shared)
    theirs = GLMNET["tight"]
    options = {"fold_ids": theirs["folds"], "lambdas": theirs["lambdas"], "family": "cox(breslow)", "tol": 1e-10}
    cv = nb.cv_path(X, y, score="concordance", **options)
    # two pairs of some 30,000 may lie so close together that R's last digits turn them round
    np.testing.assert_allclose(cv.cv_mean, theirs["concordance"], rtol=0, atol=7e-5)
    np.testing.assert_allclose(cv.cv_se, theirs["concordance_se"], rtol=0, atol=7e-5)
    assert cv.lambda_best == pytest.approx(0.03057865, rel=1e-6)
    assert cv.lambda_1se == pytest.approx(0.05864711, rel=1e-6)
    cv = nb.cv_path(X, y, **options)
    np.testing.assert_allclose(cv.cv_mean, theirs["deviance"], rtol=1e-6)
    np.testing.assert_allclose(cv.cv_se, theirs["deviance_se"], rtol=1e-4)


def test_scores_of_rows_and_of_times_are_told_apart():
    _, target, X, _, _ = fitted()
    message = 'family="cox" has "deviance", "concordance", "uno", "brier"'
    for score in ("auc", "mse", "r2", lambda y, mean, weights: 0.0):
        with pytest.raises(ValueError, match=message):
            nb.cv_path(X, target.columns, family="cox", score=score)
    for score in ("concordance", "uno"):
        with pytest.raises(ValueError, match=f'score="{score}" needs family="cox", not "gaussian"'):
            nb.cv_path(X, X[:, 0], score=score)
    _, target, X, _, _ = fitted(entry=True)
    for score in ("uno", "brier"):
        with pytest.raises(
            ValueError, match=r"rows that come under observation late \(start, stop, event\) do not tell"
        ):
            nb.cv_path(X, target.columns, family="cox", score=score)


def test_effects_that_change_with_time_are_told():
    target, X = late_effect(1)
    table = pd.DataFrame(X, columns=["late", "always", "noise"])
    cv = nb.cv_path(table, target.columns, family="cox", n_lambdas=20, cv=5)
    (finding,) = [one for one in cv.path.findings if one.code == "W40"]
    assert finding.columns == ("late",)
    assert finding.text.startswith("Hazards are not proportional; with time the effect changes of late (grows, p = ")
    rng = np.random.default_rng(2)
    time, cut = rng.exponential(np.exp(-X[:, 0])), rng.exponential(2, len(X))
    cv = nb.cv_path(table, (np.minimum(time, cut), time <= cut), family="cox", n_lambdas=20, cv=5)
    assert not [one for one in cv.path.findings if one.code == "W40"]
