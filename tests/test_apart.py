"""Rows that no fit sees: `normball fit --holdout` and `--split`."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import normball as nb
from commands import FIT, run, small_table
from normball.cli.apart import without_them
from normball.cli.models import load_model
from normball.folds import held_out_rows
from normball.messages import DataError
from normball.results.facts import figures
from normball.run import Run


def train_and_test(rows):
    """The table of the tests, parted."""
    table = pl.read_csv("t.csv")
    apart = np.zeros(table.height, dtype=bool)
    apart[rows] = True
    return table.filter(~apart), table.filter(apart)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.37, 0.5])
def test_a_share_of_every_class_is_held_out(share):
    classes = np.repeat([0.0, 1.0, 2.0], [100, 60, 40])
    rows = held_out_rows(200, share, classes, seed=3)
    counts = np.bincount(classes[rows].astype(int), minlength=3)
    assert np.abs(counts - share * np.array([100, 60, 40])).max() <= 1
    assert rows.size == pytest.approx(200 * share, abs=1)
    assert not np.array_equal(rows, held_out_rows(200, share, classes, seed=4))
    assert np.array_equal(rows, held_out_rows(200, share, classes, seed=3))


def test_groups_are_held_out_as_wholes_and_times_at_the_end():
    groups = np.repeat(np.arange(40), 5)
    rows = held_out_rows(200, 0.25, None, groups=groups)
    assert np.isin(np.arange(200), rows).reshape(40, 5).all(axis=1).sum() == 10
    assert rows.size == 50
    times = np.random.default_rng(0).permutation(200)
    assert set(times[held_out_rows(200, 0.25, None, times=times)]) == set(range(150, 200))
    days = np.arange(200) // 30  # rows of one day stay together
    late = held_out_rows(200, 0.2, None, times=days)
    assert late.tolist() == list(range(150, 200))
    with pytest.raises(DataError, match=r"E05 A share of 0.001 of 200 rows leaves no row to fit, or none to test"):
        held_out_rows(200, 0.001, None)


def test_the_model_is_fitted_to_the_rest_and_scored_on_the_rows_set_apart(folder, capsys):
    code, out, err = run(capsys, *FIT, "--holdout", "0.25", "--seed", "5")
    assert (code, err) == (0, "")
    y = (small_table()["y"] == "yes").to_numpy().astype(float)
    train, test = train_and_test(held_out_rows(120, 0.25, y, seed=5))
    model = nb.load("out/model.json")
    cv = next(iter(model)) if not isinstance(model, nb.CVPath) else model
    alone = nb.cv_path(train, "y", drop=["t", "w"], family="binomial", cv=4, random_state=5)
    assert cv.path.n_rows == 90
    assert cv.lambda_1se == pytest.approx(alone.lambda_1se)
    assert cv.at("1se").coef == pytest.approx(alone.at("1se").coef, abs=1e-4)
    chosen, probability = (cv.predict(test, kind=kind) for kind in ("class", "response"))
    scores = {
        "accuracy": metrics.accuracy_score(test["y"], chosen),
        "auc": metrics.roc_auc_score(test["y"] == "yes", probability),
    }
    assert "90 rows x 6 columns" in out
    assert "besides 30 rows set apart, 25 % of all at random" in out
    table = out[out.index("On rows set apart") :].splitlines()
    assert table[1].split()[:2] == ["accuracy", f"{scores['accuracy']:.3f}"]
    assert table[2].split()[:2] == ["AUC", f"{scores['auc']:.3f}"]
    told = json.loads(run(capsys, *FIT, "--holdout", "0.25", "--seed", "5", "--json")[1])["apart"]
    values = {one["score"]: one["value"] for one in told["evaluation"]["scores"]}
    assert {name: values[name] for name in scores} == pytest.approx(scores)
    assert (told["share"], told["seed"]) == (0.25, 5)
    page = (folder / "out" / "report.html").read_text()
    assert '<h2 id="apart">On rows set apart</h2>' in page
    assert f"<td>{scores['accuracy']:.3f}<" in page
    assert "First leave out the rows that no fit saw (30 rows set apart, 25 % of all at random)." in page


def test_show_and_report_know_the_rows_set_apart(folder, capsys):
    out = run(capsys, *FIT, "--holdout", "0.25")[1]
    table = out[out.index("On rows set apart") : out.index("Solved")]
    assert table in run(capsys, "show", "out/model.json")[1]
    first = (folder / "out" / "report.html").read_text()
    assert run(capsys, "report", "out/model.json", "--data", "t.csv")[0] == 0
    again = (folder / "out" / "report.html").read_text()
    for page in (first, again):
        assert 'data-view="decisions"' in page
        assert '<h2 id="apart">' in page
    assert run(capsys, "report", "out/model.json")[0] == 0
    assert '<h2 id="apart">' in (folder / "out" / "report.html").read_text()


@pytest.mark.parametrize("n_dropped", [0, 201])
def test_report_finds_the_rows_whatever_columns_were_dropped(n_dropped, folder, capsys):
    """Gaps in a column that is dropped: by the fit since it is constant, after the draw, or by more names than kept."""
    gaps = pl.Series([None if row % 5 == 0 else 1.0 for row in range(120)])
    numbers = gaps * pl.Series(np.random.default_rng(0).normal(size=120))
    named = {f"n{k}": numbers for k in range(n_dropped)}
    table = pl.read_csv("t.csv").with_columns(**(named or {"constant": gaps}))
    table.write_csv("t.csv")
    words = (*FIT, "--missing", "drop", "--holdout", "0.25", *(["--drop", ",".join(named)] if named else []))
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert ("Dropped  constant" in out) == (not named)
    model, made = load_model("out/model.json")
    path = model.path if isinstance(model, nb.CVPath) else next(iter(model)).path
    y = (table["y"] == "yes").to_numpy().astype(float)
    usable = np.arange(120) if named else np.flatnonzero(gaps.is_not_null())
    rows = usable[held_out_rows(usable.size, 0.25, y[usable])]
    assert without_them(table, made, path).equals(train_and_test(rows)[0])
    assert path.n_rows == 120 - rows.size
    (folder / "out" / "report.html").unlink()
    code, _, err = run(capsys, "report", "out/model.json", "--data", "t.csv")
    assert (code, err) == (0, "")
    assert 'data-view="decisions"' in (folder / "out" / "report.html").read_text()


def test_report_takes_marked_rows_with_gaps_in_a_column_left_out(folder, capsys):
    table = pl.read_csv("t.csv").with_columns(
        part=pl.when(pl.int_range(120) % 4 == 0).then(pl.lit("test")).otherwise(pl.lit("train")),
        w=pl.when(pl.int_range(120) % 5 > 0).then(pl.col("w")),
    )
    table.write_csv("t.csv")
    assert run(capsys, *FIT, "--split", "part")[0] == 0
    code, _, err = run(capsys, "report", "out/model.json", "--data", "t.csv")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("marks", [("train", "test"), ("Training", "holdout"), (0, 1), (0.0, 1.0), (False, True)])
def test_a_column_marks_the_rows(marks, folder, capsys):
    rows = np.arange(0, 120, 4)
    marked = np.where(np.isin(np.arange(120), rows), marks[1], marks[0])
    pl.read_csv("t.csv").with_columns(pl.Series("part", marked)).write_csv("t.csv")
    code, out, _ = run(capsys, *FIT, "--split", "part")
    assert code == 0
    assert 'besides 30 rows set apart, as "part" marks them' in out
    model = nb.load("out/model.json")
    cv = next(iter(model)) if not isinstance(model, nb.CVPath) else model
    assert "part" not in cv.path.column_names
    assert cv.path.n_rows == 90
    test = train_and_test(rows)[1]
    accuracy = metrics.accuracy_score(test["y"], cv.predict(test, kind="class"))
    assert f"accuracy            {accuracy:.3f}" in out


def test_groups_offsets_and_weights_are_parted_too(folder, capsys):
    rng = np.random.default_rng(2)
    who, x = np.arange(120) // 4, rng.normal(size=120)
    years = rng.uniform(0.5, 2, 120)
    table = pl.DataFrame(
        {"n": rng.poisson(years * np.exp(0.4 * x)), "x": x, "who": who, "years": years, "w": 1.0 + who}
    )
    table.write_csv("t.csv")
    words = ("fit", "t.csv", "--target", "n", "--family", "poisson", "--exposure", "years", "--weights", "w")
    code, out, _ = run(
        capsys, *words, "--group", "who", "--holdout", "0.2", "--cv", "3", "--bootstrap", "5", "-o", "out"
    )
    assert code == 0
    rows = held_out_rows(120, 0.2, None, groups=who)
    test = table[rows]
    model = nb.load("out/model.json")
    found = model.pick("1se").evaluate(
        test, "n", sample_weight="w", offset=np.log(test["years"].to_numpy()), row_groups=who[rows]
    )
    assert found.n_groups == 6
    told = out[out.index("On rows set apart") :].splitlines()
    assert told[1].split()[:2] == ["RMSE", figures(found.scores["rmse"])]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--split", "part"), 'E02 Column "part" of --split not found'),
        (("--split", "colour"), 'E15 Column "colour" of --split must mark each row as "train" or "test"'),
        (("--holdout", "0.2", "--split", "t"), "not allowed with argument --holdout"),
        (("--holdout", "1"), '"1" is no number between 0 and 1'),
        (("--holdout", "0.001"), "E05 A share of 0.001 of 120 rows"),
    ],
)
def test_what_cannot_be_set_apart_is_said_before_anything_is_fitted(words, problem, folder, capsys):
    code, _, err = run(capsys, *FIT, *words)
    assert code in (2, 3)
    assert problem in err
    assert not (folder / "out" / "model.json").exists()


def test_a_class_that_only_the_rows_set_apart_have(folder, capsys):
    table = pl.read_csv("t.csv").with_columns(
        pl.Series("part", ["test"] * 30 + ["train"] * 90),
        y=pl.when(pl.int_range(120) < 3).then(pl.lit("maybe")).otherwise(pl.col("y")),
    )
    table.write_csv("t.csv")
    code, out, err = run(capsys, *FIT, "--split", "part", "--family", "multinomial")
    assert "E09" in err
    assert "On rows set apart" not in out
    assert code == 0


def test_a_level_that_only_the_rows_set_apart_have_is_told(folder, capsys):
    table = pl.read_csv("t.csv").with_columns(
        pl.Series("part", ["test"] * 30 + ["train"] * 90),
        colour=pl.when(pl.int_range(120) < 3).then(pl.lit("green")).otherwise(pl.col("colour")),
    )
    table.write_csv("t.csv")
    code, out, err = run(capsys, *FIT, "--split", "part")
    assert code == 0
    assert 'Careful  Of the rows set apart: Column "colour" has a level unseen in training: "green" (3 rows).' in err
    assert "On rows set apart" in out


def test_the_record_of_a_run_comes_back():
    made = Run(apart={"share": 0.2, "seed": 1, "how": "30 rows"})
    assert Run.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_rows_of_the_out_of_fold_file_are_those_of_the_whole_table(folder, capsys):
    assert run(capsys, *FIT, "--holdout", "0.25", "--out-of-fold", "folds.csv")[0] == 0
    rows = pl.read_csv("folds.csv")["row"].to_numpy() - 1
    y = pl.read_csv("t.csv")["y"].to_numpy()
    apart = held_out_rows(120, 0.25, (y == "yes").astype(float), seed=0)
    assert rows.tolist() == np.setdiff1d(np.arange(120), apart).tolist()
    assert pl.read_csv("folds.csv")["observed"].to_list() == y[rows].tolist()


@pytest.mark.parametrize(("name", "n_fitted"), [("train", 30), ("held_out", 10)])
def test_one_in_a_column_called_train_is_a_row_of_the_fit(folder, capsys, name, n_fitted):
    rng = np.random.default_rng(0)
    marks = (np.arange(40) % 4 > 0).astype(int)
    pl.DataFrame({"a": rng.normal(size=40), "y": rng.normal(size=40), name: marks}).write_csv("marks.csv")
    words = ("marks.csv", "--target", "y", "--split", name, "--no-compare", "--bootstrap", "0", "--cv", "3")
    _, out, _ = run(capsys, "fit", *words, "-o", "marked")
    assert f"marks.csv: {n_fitted} rows" in out


def table_with_terms(other: bool) -> pl.DataFrame:
    """A table with every kind of column; with `other`, rows of the test hold other values, words, levels and dates."""
    rng, n = np.random.default_rng(0), 240
    table = pl.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "z": [None if k % 9 == 0 else z for k, z in enumerate(rng.normal(size=n).tolist())],
            "ward": rng.choice(["a", "b", "c", "r1", "r2"], n, p=[0.4, 0.3, 0.26, 0.02, 0.02]),
            "note": [" ".join(rng.choice(["red", "blue", "green", "old"], 3)) for _ in range(n)],
            "day": [
                f"2020-{m:02d}-{d:02d}" for m, d in zip(rng.integers(1, 13, n), rng.integers(1, 29, n), strict=True)
            ],
            "part": ["test" if k % 4 == 0 else "train" for k in range(n)],
        }
    )
    if not other:
        return table
    values = {
        "y": 9 * rng.normal(size=n),
        "x": 50 * rng.normal(size=n) + 7,
        "z": 50 * rng.normal(size=n) - 7,
        "ward": rng.choice(["a", "b", "elsewhere"], n),
        "note": ["violet ocean"] * n,
        "day": ["2024-02-03"] * n,
    }
    kept = pl.col("part") == "train"
    return table.with_columns(
        pl.when(kept).then(pl.col(name)).otherwise(pl.Series(v)).alias(name) for name, v in values.items()
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--text", "note", "--spline", "x", "--dates", "day", "--interact", "ward:z", "--min-count", "8"),
        ("--missing", "mean", "--baseline", "commonest", "--drop", "note,day"),
        ("--memory", "1GB", "--min-count", "8", "--drop", "note,day"),
    ],
)
def test_nothing_is_learned_from_rows_set_apart(words, tmp_path, monkeypatch, capsys):
    """Words, knots, levels, dates, what fills gaps and the model are, to the bit, those of the other rows."""
    monkeypatch.chdir(tmp_path)
    told = ("--missing", "impute") if "--missing" not in words else ()
    found = []
    for other in (False, True):
        table_with_terms(other).write_csv("t.csv")
        how = ("--cv", "3", "--n-lambdas", "10", "--penalty", "l1")
        assert run(capsys, "fit", "t.csv", "--target", "y", "--split", "part", *how, *told, *words)[0] == 0
        cv = nb.load("model.json")
        path = cv.path
        numbers = (path.lambdas, path.coefs, path.intercepts, path.dual_gaps, cv.fold_scores)
        found.append((path.preparation, path.feature_names, *(one.tobytes() for one in numbers)))
    assert found[0] == found[1]


def test_what_folds_learn_from_all_rows_is_said(tmp_path, capsys):
    """In the summary of Python and of the terminal, and on the page; not where there is nothing of the kind."""
    table = table_with_terms(False).drop("part", "z", "day")
    cv = nb.cv_path(table, "y", text=["note"], spline=["x"], min_count=8, cv=3, n_lambdas=10)
    told = 'words of "note"; knots of "x"; rare levels of "ward"'
    assert f"Learned from all rows of the fit, those that a fold holds out among them: {told}." in cv.summary()
    cv.report(tmp_path / "page.html")
    assert told.replace('"', "&#34;") in (tmp_path / "page.html").read_text()
    table.write_csv(tmp_path / "t.csv")
    words = (
        "fit",
        str(tmp_path / "t.csv"),
        "--target",
        "y",
        "--spline",
        "x",
        "--drop",
        "note",
        "--cv",
        "3",
        "-o",
        str(tmp_path),
    )
    out = run(capsys, *words)[1]
    assert "Learned" in out
    assert 'knots of "x".' in " ".join(out.split())
    assert "Learned" not in nb.cv_path(table, "y", drop=["note"], cv=3, n_lambdas=10).summary()
