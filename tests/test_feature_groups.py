"""Groups of features: how they are asked for, what is said where that cannot be, and what results keep of them.

Whether the numbers are those of the objective is for the oracle's tests.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import normball as nb
from commands import Capture, run
from normball.cli.models import load_model
from normball.inputs.feature_groups import FeatureGroups
from normball.model_file import from_dict
from normball.report.recipes import recipes
from normball.report.reproduce import one_line
from normball.results.saving import to_dict
from normball.run import Run
from normball.schema import Damaged
from payloads import described

N = 160
RNG = np.random.default_rng(11)
X, Y = load_diabetes(return_X_y=True, as_frame=True)
BLOOD = ["s1", "s2", "s3", "s4", "s5", "s6"]
BY_NAME = {"person": ["age", "sex"], "body": ["bmi", "bp"], "blood": BLOOD}


def table() -> pl.DataFrame:
    """Numbers, one with gaps, and two columns of labels, one of which says something."""
    a, b, c, noise = RNG_TABLE.normal(size=(4, N))
    site = np.array(["north", "south", "west", "east"])[np.arange(N) % 4]
    gaps = pl.Series([None if i % 9 == 0 else float(value) for i, value in enumerate(c)])
    y = a + b + (site == "north") - (site == "west") + 0.7 * noise
    kind = np.array(["x", "y", "z"])[RNG_TABLE.integers(3, size=N)]
    return pl.DataFrame({"a": a, "b": b, "gaps": gaps, "site": site, "kind": kind, "y": y})


RNG_TABLE = np.random.default_rng(5)
TABLE = table()
FULL = TABLE.drop("gaps")


def whole(path: nb.Path) -> np.ndarray[Any, Any]:
    """Whether each group is zero as a whole, or nonzero as a whole, at each strength."""
    assert path.groups is not None
    nonzero = path.coefs != 0
    parts = [nonzero[:, path.groups.of_feature == g] for g in range(len(path.groups))]
    return np.array([part.all(axis=1) | ~part.any(axis=1) for part in parts])


# -- how they are asked for


def labels(name: str) -> str | None:
    return next((group for group, members in BY_NAME.items() if name in members), None)


WAYS = {
    "names": BY_NAME,
    "positions": {"person": [0, 1], "body": np.array([2, 3]), "blood": range(4, 10)},
    "labels": [labels(name) for name in X.columns],
    "array of labels": np.array([labels(name) for name in X.columns]),
    "series by name": pd.Series({name: labels(name) for name in reversed(X.columns)}),
    "series by position": pd.Series([labels(name) for name in X.columns]),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_names_the_same_groups(way: str) -> None:
    wanted = nb.fit_path(X, Y, groups=BY_NAME, n_lambdas=12)
    path = nb.fit_path(X, Y, groups=WAYS[way], n_lambdas=12)
    assert path.groups is not None
    assert {name: X.columns[path.groups.features_of(name)].tolist() for name in path.groups.names} == BY_NAME
    np.testing.assert_allclose(path.coefs, wanted.coefs, rtol=1e-3, atol=1e-3)
    assert whole(path).all()
    assert 0 < path.n_nonzero[1] < 10


def test_labels_that_are_missing_are_of_no_group() -> None:
    given = [1.0, 1.0, np.nan, np.nan, 2.0, 2.0, 2.0, np.nan, np.nan, np.nan]
    path = nb.fit_path(X.to_numpy(), Y, groups=given, n_lambdas=5)
    assert path.groups is not None
    assert path.groups.names == ("1", "2")
    assert path.groups.of_feature.tolist() == [0, 0, -1, -1, 1, 1, 1, -1, -1, -1]
    assert path.groups.by_feature()[1:3] == ["1", None]


def test_a_column_of_labels_means_all_its_indicators() -> None:
    path = nb.fit_path(FULL, "y", groups={"place": "site", "rest": ["a", "kind = x"]}, n_lambdas=30)
    assert path.groups is not None
    names = np.array(path.feature_names)
    assert names[path.groups.features_of("place")].tolist() == [f"site = {one}" for one in sorted({*FULL["site"]})]
    assert names[path.groups.features_of("rest")].tolist() == ["a", "kind = x"]
    assert whole(path).all()


def test_columns_with_several_features_are_groups() -> None:
    path = nb.fit_path(TABLE, "y", groups="columns", missing="impute", n_lambdas=30)
    assert path.groups is not None
    assert path.groups.names == ("gaps", "site", "kind")
    names = np.array(path.feature_names)
    assert names[path.groups.features_of("gaps")].tolist() == ["gaps", "gaps is missing"]
    assert names[path.groups.of_feature < 0].tolist() == ["a", "b"]
    assert whole(path).all()
    assert path.n_groups_nonzero is not None
    assert path.n_groups_nonzero[0] == 0
    assert path.n_groups_nonzero[-1] == 3
    assert (np.diff(path.n_groups_nonzero[:15]) >= 0).all()


def test_no_column_has_several_features() -> None:
    path = nb.fit_path(X, Y, groups="columns", n_lambdas=5)
    assert path.groups is None
    assert path.n_groups_nonzero is None
    np.testing.assert_array_equal(path.coefs, nb.fit_path(X, Y, n_lambdas=5).coefs)


def test_what_is_left_out_is_of_no_group() -> None:
    options: dict[str, Any] = {"n_lambdas": 5, "group_weights": {"person": 2.0}}
    path = nb.fit_path(X, Y, groups=BY_NAME, drop=["age", "sex", "s1"], **options)
    assert path.groups is not None
    assert path.groups.names == ("body", "blood")
    assert np.isnan(path.groups.weights).all()
    assert np.bincount(path.groups.of_feature).tolist() == [2, 5]


# -- what they do


def test_a_ratio_of_zero_is_the_elastic_net() -> None:
    options: dict[str, Any] = {"l1_ratio": 0.7, "n_lambdas": 10, "tol": 1e-12}
    plain = nb.fit_path(X, Y, **options)
    path = nb.fit_path(X, Y, groups=BY_NAME, group_ratio=0, lambdas=plain.lambdas, **options)
    np.testing.assert_allclose(path.coefs, plain.coefs, rtol=1e-5, atol=1e-5)
    assert not path.has_group_penalty
    assert "groups" not in path.summary().splitlines()[0]


def test_between_the_ends_groups_are_kept_in_part() -> None:
    path = nb.fit_path(X, Y, groups=BY_NAME, group_ratio=0.5, n_lambdas=40)
    assert path.groups is not None
    assert not path.groups.orthonormalize
    assert not whole(path).all()
    assert set(path.statuses) == {"converged"}


def test_orthonormal_groups_do_not_depend_on_how_they_are_written() -> None:
    """Other units, and sums and differences of the columns of a group, give the same predictions."""
    other = X.assign(bmi=X.bmi + 3 * X.bp, bp=50 * (X.bmi - X.bp))
    options: dict[str, Any] = {"groups": BY_NAME, "tol": 1e-10, "n_lambdas": 8}
    path = nb.fit_path(X, Y, **options)
    again = nb.fit_path(other, Y, **options)
    at = {"lam": path.lambdas.tolist()}
    np.testing.assert_allclose(again.predict(other, **at), path.predict(X, **at), rtol=1e-4)
    single = nb.fit_path(X, Y, orthonormalize=False, **options), nb.fit_path(other, Y, orthonormalize=False, **options)
    assert np.abs(single[0].predict(X, lam=1.0) - single[1].predict(other, lam=1.0)).max() > 0.1


@pytest.mark.parametrize("ridge", [0.0, 0.4])
def test_excluded_free_and_weighted_groups(ridge: float) -> None:
    factors = {"s1": np.inf, "age": 0.0, "sex": 0.0}
    options: dict[str, Any] = {"groups": BY_NAME, "l1_ratio": 1 - ridge, "n_lambdas": 15}
    path = nb.fit_path(X, Y, penalty_factors=factors, group_weights={"blood": 50.0}, **options)
    assert path.groups is not None
    assert path.groups.weights[2] == 50.0
    assert np.isnan(path.groups.weights[:2]).all()
    assert (path.coefs[:, [0, 1]] != 0).all()
    assert (path.coefs[:, X.columns.get_loc("s1")] == 0).all()
    lasting = (path.coefs[:, 4:] != 0).any(axis=1)
    assert not lasting[4]  # at its weight it comes late
    assert nb.fit_path(X, Y, penalty_factors=factors, **options).coefs[4, 5:].any()


def test_ridge_on_groups_is_another_than_ridge() -> None:
    at = {"lambdas": [5.0], "l1_ratio": 0.0}
    one, other = nb.fit_path(X, Y, groups=BY_NAME, **at), nb.fit_path(X, Y, **at)
    assert np.abs(one.coefs - other.coefs).max() > 1.0
    assert one.n_groups_nonzero is not None
    assert one.n_groups_nonzero.tolist() == [3]
    assert "groups kept" not in one.at(lam=5.0).summary()  # ridge leaves none out
    assert one.summary().startswith("gaussian, L2 on groups")


# -- every function that fits


def test_folds_and_mixes_have_the_same_groups() -> None:
    options: dict[str, Any] = {"groups": "columns", "missing": "impute", "cv": 4, "n_lambdas": 20}
    cv = nb.cv_path(TABLE, "y", **options)
    assert cv.path.n_groups_nonzero is not None
    assert cv.lambda_1se >= cv.lambda_best
    assert set(cv.path.statuses) == {"converged"}
    assert float(np.max(cv.fold_dual_gaps)) <= 1e-6
    kept = cv.selection_counts.toarray()[:, cv.path.groups.of_feature == 1]  # type: ignore[union-attr]
    assert (kept == kept[:, :1]).all()  # a fold keeps all levels or none
    mixes = nb.compare(TABLE, "y", [0.5, 1.0], **options)
    np.testing.assert_array_equal(mixes[1].path.coefs, cv.path.coefs)
    assert "groups kept" in cv.summary()


def test_a_batch_is_its_problems() -> None:
    weights = RNG.integers(0, 3, size=(len(Y), 3)).astype(float)
    factors = np.where(np.arange(10)[:, None] == [[2, 5, 7]], np.inf, 1.0)
    options: dict[str, Any] = {"groups": BY_NAME, "lambdas": [10.0, 2.0], "tol": 1e-9}
    paths = nb.fit_paths(X, Y, sample_weight=weights, penalty_factors=factors, **options)
    for k, path in enumerate(paths):
        alone = nb.fit_path(X, Y, sample_weight=weights[:, k], penalty_factors=factors[:, k], **options)
        np.testing.assert_allclose(path.coefs, alone.coefs, rtol=1e-4, atol=1e-4)
        assert path.groups is not None


def test_estimators() -> None:
    path = nb.fit_path(X, Y, groups=BY_NAME, lambdas=[3.0])
    model = nb.GLMRegressor(lam=3.0, groups=BY_NAME)
    np.testing.assert_array_equal(clone(model).fit(X, Y).coef_, path.coefs[0])
    by_label = nb.GLMClassifierCV(groups="columns", group_ratio=0.5, cv=3, n_lambdas=10)
    by_label.fit(FULL.drop("y"), FULL["y"] > 0)
    assert by_label.path_.groups.names == ("site", "kind")
    assert by_label.path_.groups.ratio == 0.5
    rows = np.arange(len(Y)) // 50
    cv = nb.GLMRegressorCV(groups=BY_NAME, cv=3, n_lambdas=10).fit(X, Y, groups=rows)
    assert cv.path_.groups.names == tuple(BY_NAME)  # of features
    assert all(len({*cv.cv_path_.fold_ids[rows == row]}) == 1 for row in range(9))  # of rows
    search = GridSearchCV(
        make_pipeline(StandardScaler(), nb.GLMRegressor(groups=WAYS["positions"])),
        {"glmregressor__group_ratio": [0.5, 1]},
    )
    assert search.fit(X, Y).best_score_ > 0.4


# -- what cannot be

NEAR = 'names features that do not exist: "bmj".* Did you mean "bmi"\\?'
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"groups": {"body": ["bmj", "bp"]}}, f'E16 Group "body" of groups {NEAR}'),
    ({"groups": {"body": [2, 10]}}, 'Group "body" of groups names .*: "10". Positions go from 0 to 9'),
    ({"groups": {"body": [-1]}}, 'Group "body" of groups names .*: "-1"'),
    ({"groups": {"body": []}}, 'E16 Group "body" of groups is empty'),
    ({"groups": {"body": ["bmi", "bmi"]}}, 'Group "body" of groups names features more than once: "bmi"'),
    ({"groups": {"body": ["bmi", 2]}}, 'Group "body" of groups names features more than once: "bmi"'),
    (
        {"groups": {"p": ["age", "bp"], "q": ["bp", "s1"]}},
        'Feature "bp" is in two groups, "p" and "q"; groups must not',
    ),
    ({"groups": {1: ["age"], "1": ["sex"]}}, 'groups holds names twice: "1"'),
    ({"groups": "rows"}, 'groups is "rows", but must be .*"columns".*fold_groups of cv_path'),
    (
        {"groups": np.zeros(442)},
        r"groups has 442 labels; one for each of the 10 features is wanted.*fold_groups of cv_p",
    ),
    ({"groups": np.zeros((10, 2))}, r"groups has shape \(10, 2\), but must be"),
    ({"groups": 3}, "groups is 3, but must be"),
    ({"groups": pd.Series(1, index=[*X.columns[:-1], "s7"])}, "The index of groups"),
    ({"group_ratio": 0.5}, "group_ratio says how groups .* give groups"),
    ({"group_weights": {"body": 1}}, "group_weights says how groups .* give groups"),
    ({"orthonormalize": False}, "orthonormalize says how groups .* give groups"),
    ({"groups": BY_NAME, "group_ratio": 1.2}, "group_ratio is 1.2, but must be at least 0 and at most 1"),
    ({"groups": BY_NAME, "orthonormalize": True, "group_ratio": 0.5}, "orthonormalize is True, but group_ratio is 0.5"),
    ({"groups": BY_NAME, "group_weights": {"bodi": 2}}, 'group_weights names groups.*: "bodi".* Did you mean "body"'),
    ({"groups": BY_NAME, "group_weights": {"body": -2}}, 'group_weights of "body" is -2, but must be at least 0'),
    ({"groups": BY_NAME, "penalty_factors": {"s2": 2}}, 'must agree within a group; not so in "blood": s1 1, s2 2'),
    ({"groups": BY_NAME, "lower_bounds": 0}, "lower_bounds and groups .*bounds and group penalties do not go together"),
    ({"groups": BY_NAME, "upper_bounds": {"s1": 1}}, "upper_bounds and groups are given"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_what_cannot_be_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nb.fit_path(X, Y, **options)
    with pytest.raises(ValueError, match=message):
        nb.cv_path(X, Y, cv=3, **options)
    with pytest.raises(ValueError, match=message):
        nb.GLMRegressor(**options).fit(X, Y)


def test_words_that_are_wrong() -> None:
    with pytest.raises(TypeError, match=r"group_weights is .*, but must be \{name: weight\}"):
        nb.fit_path(X, Y, groups=BY_NAME, group_weights=[1, 2, 3])  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"fit_ball\(\) has no argument 'groups': .*knows no groups; fit_path takes them"
    ):
        nb.fit_ball(X, Y, radius=1.0, groups=BY_NAME)
    with pytest.raises(nb.DataError, match=r"Rows that stay together .* are groups of fit\."):
        nb.GLMRegressorCV(groups=np.zeros(442)).fit(X, Y)


def test_positions_where_columns_give_several_features() -> None:
    with pytest.raises(nb.DataError, match=r"The 4 columns give 9 features: name them"):
        nb.fit_path(FULL, "y", groups={"p": [0, 1]})
    with pytest.raises(nb.DataError, match='names features more than once: "site = north"'):
        nb.fit_path(FULL, "y", groups={"p": ["site", "site = north"]})


# -- what results keep


@pytest.fixture(scope="module")
def cv() -> nb.CVPath:
    return nb.cv_path(
        FULL, "y", groups="columns", group_weights={"kind": 3.0}, cv=4, n_lambdas=25, keep_predictions=True
    )


def test_results_tell_groups(cv: nb.CVPath) -> None:
    path, fit = cv.path, cv.at("1se")
    assert path.n_groups_nonzero is not None
    frame = path.to_frame()
    assert frame["n_groups_nonzero"].to_list() == path.n_groups_nonzero.tolist()
    assert path.n_groups_nonzero.max() <= 2 < path.n_nonzero.max()
    assert fit.n_groups_nonzero == path.n_groups_nonzero[cv.index_1se]
    table = fit.to_frame()
    assert table["group"].to_list() == [None, None, *["site"] * 4, *["kind"] * 3, None]
    assert "L1 on groups" in path.summary()
    assert re.search(r"groups kept +1 of 2", fit.summary())
    assert path.summary().splitlines()[1].split()[:3] == ["lambda", "features", "groups"]
    plain = nb.fit_path(FULL, "y", n_lambdas=5)
    assert "n_groups_nonzero" not in plain.to_frame().columns
    assert "groups" not in plain.summary()
    assert "group" not in plain.at(n_nonzero=1).to_frame().columns


def test_model_files_keep_groups(cv: nb.CVPath, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    for result in (cv, cv.path, cv.at("1se")):
        result.save(file)
        again: Any = nb.load(file)
        groups, before = (getattr(one, "path", one).groups for one in (again, result))
        assert groups.to_dict() == before.to_dict()
        assert groups.of_feature.dtype == np.int32
        assert not groups.of_feature.flags.writeable
    assert again.n_groups_nonzero == 1


def test_files_of_before_have_no_groups() -> None:
    for result, part in ((nb.fit_path(X, Y, n_lambdas=3), "path"), (nb.fit_path(X, Y, lambdas=[1]).at(lam=1), "fit")):
        content = json.loads(json.dumps(to_dict(result)))
        assert content[part].pop("groups") is None
        assert from_dict(content).groups is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("names", [], "groups.of_feature"),
        ("names", ["site", "site"], "groups.names holds 'site' twice"),
        ("of_feature", [0, 1], "groups.of_feature has 2 entries, but must have 9"),
        ("of_feature", [-1] * 2 + [0] * 7, "groups.of_feature leaves a group without features"),
        ("of_feature", [-1] * 2 + [0] * 4 + [2] * 3, r"groups.of_feature\[6\] is 2"),
        ("weights", [1.0], "groups.weights has 1 entries, but must have 2"),
        ("weights", [None, -1.0], r"groups.weights\[1\] is -1.0"),
        ("ratio", 1.5, "groups.ratio is 1.5"),
        ("orthonormalize", 1, "groups.orthonormalize is 1"),
    ],
)
def test_damaged_groups_are_named(cv: nb.CVPath, field: str, value: Any, message: str) -> None:
    content = json.loads(json.dumps(to_dict(cv.path)))
    content["path"]["groups"][field] = value
    with pytest.raises(Damaged, match=message):
        from_dict(content)


def test_a_recipe_gives_the_same_model(cv: nb.CVPath) -> None:
    ours, theirs, glmnet = recipes(cv, Run(options={"cv": 4, "n_lambdas": 25}), cv.lambda_1se)
    assert "groups='columns',\n    group_weights={'kind': 3.0}," in ours.code
    names: dict[str, Any] = {"X": FULL.drop("y"), "y": FULL["y"]}
    exec(ours.code, names)
    np.testing.assert_array_equal(names["fit"].coef, cv.at("1se").coef)
    assert "scikit-learn has no penalty on groups of features" in theirs.note
    assert re.search("glmnet has no penalty on groups .*; in R gglasso, grpreg and adelie have", glmnet.note)
    assert one_line(cv.path, 0.1).startswith("nothing in scikit-learn or glmnet")
    sparse = nb.cv_path(X, Y, groups=BY_NAME, group_ratio=0.5, cv=3, n_lambdas=5)
    code = recipes(sparse, Run(), sparse.lambda_1se)[0].code
    assert f"groups={BY_NAME!r}" in code
    assert "group_ratio=0.5" in code
    assert "orthonormalize" not in code
    loose = nb.cv_path(X, Y, groups=BY_NAME, orthonormalize=False, cv=3, n_lambdas=5)
    assert "orthonormalize=False" in recipes(loose, Run(), 1.0)[0].code


def test_groups_of_many_features_are_not_written_out() -> None:
    wide = RNG.normal(size=(40, 120))
    cv = nb.cv_path(wide, wide[:, 0], groups=np.arange(120) // 2, cv=3, n_lambdas=5)
    code = recipes(cv, Run(), cv.lambda_1se)[0].code
    assert "# groups: {name: [features]}, the 60 groups that were given\n" in code
    assert "groups=groups" in code


def test_a_page_draws_no_penalty_of_single_coefficients(cv: nb.CVPath) -> None:
    content = described(cv, FULL, "y")
    assert content["n_groups"] == 2
    assert content["penalty"] == "L1 on groups"
    evidence = content["evidence"]
    assert evidence["convexity"] is None
    assert [evidence[name] for name in ("penalty_l1", "penalty_l2", "slices", "pairs")] == [[], [], [], []]
    assert evidence["residuals"] is not None
    plain = described(nb.cv_path(X, Y, cv=3, n_lambdas=5), X, Y)
    assert plain["n_groups"] == 0
    assert plain["evidence"]["convexity"] is not None


def test_groups_count_once() -> None:
    groups = FeatureGroups(("p", "q"), np.array([0, 0, -1, 1], np.int32), np.full(2, np.nan), 1.0, True)
    rows, features = np.array([0, 0, 0, 2, 2]), np.array([0, 1, 2, 3, 0])
    assert groups.n_kept(rows, features, 4).tolist() == [1, 0, 2, 0]


# -- the command line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    FULL.with_columns(copy="a", one=pl.lit(1.0)).write_csv("t.csv")
    return tmp_path


def fit(capsys: Capture, *words: str) -> tuple[int, str, str]:
    return run(capsys, "fit", "t.csv", "--target", "y", "--cv", "3", "--n-lambdas", "20", "-o", "out", *words)


def test_groups_on_the_command_line(folder: Path, capsys: Capture) -> None:
    (folder / "g.json").write_text('{\n "ab": ["a", "b", "one"],\n "place": ["site"]\n}')
    (folder / "g.csv").write_text("feature, group\na,ab\n\nb,ab\none,ab\nsite,place\n")
    found = []
    for file in ("g.json", "g.csv"):
        code, out, _ = fit(capsys, "--groups", file)
        assert code == 0
        assert "L1 on groups" in out
        assert re.search(r"groups kept +2 of 2", out)
        model, made = load_model("out/model.json")
        assert made.options["groups"] == {"ab": ["a", "b", "one"], "place": ["site"]}
        assert isinstance(model, nb.CVPath)
        assert "copy" in model.path.feature_names  # a copy outside a group is none inside
        assert "one" not in model.path.feature_names
        found.append(model.path.coefs)
    np.testing.assert_array_equal(*found)
    before = (folder / "out" / "model.json").read_text()
    code, *_ = run(capsys, "report", "out/model.json", "--data", "t.csv", "-o", "again.html")
    assert code == 0
    assert (folder / "again.html").read_text() == (folder / "out" / "report.html").read_text()
    assert json.loads(before)["path"]["groups"]["names"] == ["ab", "place"]


def test_columns_and_ratio_on_the_command_line(folder: Path, capsys: Capture) -> None:
    code, out, _ = fit(capsys, "--group-columns", "--group-ratio", "0.5", "--l1-ratio", "0.5,1", "--json")
    assert code == 0
    told = json.loads(out)
    assert "n_groups_nonzero" in told["choices"]["lambda_1se"]
    model, made = load_model("out/model.json")
    assert made.options["groups"] == "columns"
    assert made.options["group_ratio"] == 0.5
    assert isinstance(model, nb.CVPath)
    assert model.path.groups is not None
    assert model.path.groups.names == ("site", "kind")
    assert model.path.groups.ratio == 0.5
    assert "l1_ratio 0.5, 1 on groups and features (group_ratio 0.5)" in made.outcome


FILES = {
    "unknown.csv": (
        "feature,group\na,g\nbb,g\n",
        3,
        'unknown.csv, line 3: "bb" is no feature of the table. Did you me',
    ),
    "twice.csv": ("a,g\nb,g\na,h\n", 3, 'twice.csv, line 3: "a" stands in line 1, too'),
    "three.csv": ("a,g\nb,g,h\n", 5, "three.csv, line 2: two columns are wanted, feature,group; here is 'b,g,h'"),
    "empty.csv": ("feature,group\n", 5, "empty.csv, line 1: no group is named."),
    "unknown.json": ('{"g": ["a",\n "c"]}', 3, 'unknown.json, line 2: "c" is no feature of the table.'),
    "twice.json": ('{"g": ["a"],\n"h": ["b",\n"a"]}', 3, 'twice.json, line 3: "a" stands in line 1, too'),
    "again.json": ('{"g": ["a"],\n"g": ["b"]}', 5, 'again.json, line 2: group "g" is there twice'),
    "number.json": ('{\n"g": [0, 1]}', 5, 'number.json, line 2: group "g" must be a list of names of features'),
    "list.json": ("[1, 2]", 5, 'list.json, line 1: groups are written {"group": ["feature", ...]}'),
    "broken.json": ('{"g": ["a"\n', 5, "broken.json, line 2: this is no JSON"),
}


@pytest.mark.parametrize("file", FILES)
def test_files_that_cannot_be_are_told_by_line(file: str, folder: Path, capsys: Capture) -> None:
    content, wanted, message = FILES[file]
    (folder / file).write_text(content)
    code, _, said = fit(capsys, "--groups", file)
    assert (code, message in said) == (wanted, True), said
    assert not (folder / "out" / "model.json").exists()


def test_options_that_do_not_go_together(folder: Path, capsys: Capture) -> None:
    (folder / "g.csv").write_text("a,g\nb,g\n")
    (folder / "bytes.csv").write_bytes(b"\xff\xfe\x00a")
    for words, wanted, message in (
        (["--groups", "g.csv", "--group-columns"], 2, "--groups and --group-columns are two ways"),
        (["--group-ratio", "0.5"], 2, "--group-ratio needs groups of features"),
        (["--group-columns", "--group-ratio", "2"], 2, '"2" is no number from 0 to 1'),
        (["--groups", "none.csv"], 5, "none.csv: No such file"),
        (["--groups", "bytes.csv"], 5, "bytes.csv is not UTF-8 text"),
        (
            ["--groups", "g.csv", "--keep-unpenalised", "a"],
            3,
            "--keep-unpenalised must name all of a group or none; not",
        ),
    ):
        code, _, said = fit(capsys, *words)
        assert (code, message in said) == (wanted, True), said
