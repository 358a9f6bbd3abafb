"""Groups of features in what stays: results, model files, recipes, pages, and on the command line."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, alone_unless, run
from grouped_data import BY_NAME, FULL, RNG, X, Y
from normball.cli.models import load_model
from normball.inputs.feature_groups import FeatureGroups
from normball.model_file import from_dict
from normball.report.recipes import recipes
from normball.report.reproduce import one_line
from normball.results.saving import to_dict
from normball.run import Run
from normball.schema import Damaged
from payloads import described

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
    words = (*alone_unless(words), *words)
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
    assert isinstance(model, nb.Comparison)
    for cv in model:
        assert cv.path.groups is not None
        assert cv.path.groups.names == ("site", "kind")
        assert cv.path.groups.ratio == 0.5
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
