"""`normball fit` and `check` of tables that are read in blocks, and fits that go on where they were interrupted."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.blocks.data import bytes_of_a_fit
from normball.blocks.folds import are_apart
from normball.blocks.prepare import prepare_long_table
from normball.cli import long_tables
from normball.cli.long_tables import NEED_ROWS, UNFINISHED
from normball.cli.options import column_options
from normball.findings import in_blocks
from normball.messages import DataError, Interrupted
from normball.model_file import load

N = 1_200


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, 4))
    colour = rng.choice(["red", "blue", "green"], N)
    frame = pl.DataFrame(
        {
            **{f"x{j}": X[:, j] for j in range(4)},
            "colour": colour,
            "days": rng.integers(1, 9, N),
            "w": rng.integers(1, 4, N),
            "y": X[:, 0] - 0.5 * X[:, 1] + (colour == "red") + rng.normal(size=N),
            "n": rng.poisson(np.exp(0.3 * X[:, 0])),
            "class": np.where(X[:, 2] + rng.normal(size=N) > 0.0, "yes", "no"),
        }
    )
    monkeypatch.chdir(tmp_path)
    Path("parts").mkdir()
    for part in range(3):
        frame.slice(part * N // 3, N // 3).write_parquet(f"parts/{part}.parquet")
    frame.write_parquet("whole.parquet")
    frame.write_csv("whole.csv")
    return frame


def others(target: str) -> str:
    return ",".join({"y", "n", "class"} - {target})


@pytest.mark.parametrize("place", ["parts", "parts/*.parquet", "whole.parquet", "whole.csv"])
@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("y", ["--weights", "w", "--drop", "days"]),
        ("n", ["--family", "poisson", "--exposure", "days", "--drop", "w"]),
        ("class", ["--drop", "w,days"]),
    ],
)
def test_the_model_is_that_of_the_table_in_memory(
    table: pl.DataFrame, capsys: Capture, place: str, target: str, more: list[str]
) -> None:
    words = ["--target", target, "--drop", others(target), *more, "--no-compare", "--n-lambdas", "20", "--cv", "4"]
    words += ["--bootstrap", "0"]
    assert run(capsys, "fit", "whole.parquet", *words, "-o", "in_memory")[0] == 0
    code, out, err = run(capsys, "fit", place, *words, "-o", "in_blocks", "--memory", "200MB")
    assert (code, err) == (0, "")
    first, second = load("in_memory/model.json"), load("in_blocks/model.json")
    assert "1,200 rows x 10 columns" in out
    assert first.path.preparation == second.path.preparation
    np.testing.assert_allclose(second.lambdas, first.lambdas, rtol=1e-9)
    size = np.abs(first.path.coefs).max()
    tolerance = 1e-9 if target == "y" else 1e-4  # both within tol of the optimum
    np.testing.assert_allclose(second.path.coefs, first.path.coefs, atol=tolerance * size)
    assert second.path.dual_gaps.max() <= 1e-6
    assert Path("in_blocks/report.html").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("y", ["--missing", "drop", "--weights", "w", "--drop", "days"]),
        ("n", ["--missing", "impute", "--family", "poisson", "--exposure", "days", "--holdout", "0.2", "--drop", "w"]),
        ("class", ["--missing", "drop", "--time-order", "days", "--drop", "w"]),
        ("class", ["--missing", "drop", "--group", "days", "--drop", "w", "--select", "best", "--seed", "4"]),
    ],
)
def test_out_of_fold_predictions_are_those_of_the_other_folds(
    table: pl.DataFrame, capsys: Capture, monkeypatch: pytest.MonkeyPatch, target: str, more: list[str]
) -> None:
    monkeypatch.setattr("normball.blocks.long_table.LARGEST_BLOCK", 1 << 12)
    rows = pl.int_range(pl.len())
    gappy = table.with_columns(x1=pl.when(rows % 17 == 3).then(None).otherwise("x1"))
    gappy.write_csv("gappy.csv")
    words = ["--target", target, "--drop", others(target), *more, "--no-compare", "--n-lambdas", "12", "--cv", "4"]
    code, _, err = run(capsys, "fit", "gappy.csv", *words, "--memory", "100MB", "--out-of-fold", "o.csv", "-o", "out")
    assert code == 0, err
    told, cv = pl.read_csv("o.csv"), load("out/model.json")
    used = [k for k in range(N) if k % 17 != 3 or "impute" in more]
    if "--holdout" in more:
        used = [k for k in used if not are_apart(k, 1, 0.2)[0]]
    assert told["row"].to_list() == [k + 1 for k in used]
    own = gappy[used]
    assert told["observed"].to_list() == own[target].to_list()
    path = cv.path
    numbers = own.select("x0", "x1", "x2", "x3").to_numpy()
    fill = np.nanmedian(numbers[:, 1])
    gaps = np.isnan(numbers[:, 1]).astype(float)
    numbers[:, 1] = np.where(gaps > 0, fill, numbers[:, 1])
    levels = [(own["colour"] == name).to_numpy().astype(float) for name in ("blue", "green", "red")]
    extra = [gaps] if "impute" in more else []
    X = np.column_stack([numbers[:, :2], *extra, numbers[:, 2:], *levels])
    assert X.shape[1] == path.n_features
    y = (own[target] == "yes").to_numpy().astype(float) if target == "class" else own[target].to_numpy()
    weights = own["w"].to_numpy() if "--weights" in more else np.ones(len(y))
    offset = np.log(own["days"].to_numpy()) if "--exposure" in more else np.zeros(len(y))
    lam = cv.lambda_best if "best" in more else cv.lambda_1se
    shown = "probability of yes" if target == "class" else "prediction"
    assert {*told["fold"].drop_nulls().unique()} == {1, 2, 3, 4}
    if "--time-order" not in more:
        assert not told["fold"].null_count()
    days = own["days"].to_numpy()
    for fold in range(1, 5):
        test = (told["fold"] == fold).fill_null(False).to_numpy()
        train = days < days[test].min() if "--time-order" in more else ~test
        how = {"family": path.family, "lambdas": cv.lambdas, "tol": 1e-9, "sample_weight": weights[train]}
        one = nb.fit_path(X[train], y[train], **how, offset=offset[train])
        eta = one.predict(X[test], lam=lam, offset=offset[test])
        mean = {"gaussian": eta, "poisson": np.exp(eta), "binomial": 1 / (1 + np.exp(-eta))}[path.family]
        np.testing.assert_allclose(told[shown].to_numpy()[test], mean, rtol=2e-3, atol=2e-4)
    never = told["fold"].is_null()
    assert (told[shown].is_null() == never).all()


def test_a_table_that_changes_before_predictions_are_written_is_told(
    table: pl.DataFrame, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from normball.cli import judge

    def judged(*arguments: Any) -> Any:
        table.with_columns(y=pl.col("y") + 1).write_parquet("whole.parquet")
        return known(*arguments)

    known = judge.judged
    monkeypatch.setattr(judge, "judged", judged)
    words = ["--target", "y", "--drop", others("y"), "--no-compare", "--n-lambdas", "5", "--cv", "3", "-o", "out"]
    code, _, err = run(capsys, "fit", "whole.parquet", *words, "--memory", "100MB", "--out-of-fold", "o.csv")
    assert code == 5
    assert "The table changed while it was read" in " ".join(err.split())
    assert not Path("o.csv").exists()


@pytest.mark.parametrize(("memory", "kept"), [(200_000_000, 0.0), (400_000_000, 5e7), (2_000_000_000, 8e8)])
def test_blocks_stay_between_passes_in_what_the_rest_leaves(memory: int, kept: float) -> None:
    assert long_tables._room_kept(memory) == pytest.approx(kept)


def test_the_sample_is_held_once(table: pl.DataFrame) -> None:
    found = nb.open_table("whole.parquet")
    blocks = prepare_long_table(found, "y", family="gaussian", drop=["n", "class"], block_rows=100)
    data, *_ = in_blocks.sampled(blocks)
    assert data.design.flags.f_contiguous
    assert np.shares_memory(data.frame.block([*range(data.n_features)]), data.design)
    rows = np.concatenate([block.X for block in blocks.source.open()])
    np.testing.assert_array_equal(data.design, rows)


def test_what_is_drawn_and_found_in_a_sample_is_said_to_be(
    table: pl.DataFrame, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_blocks, "MOST_ROWS", 100)
    table.with_columns(copy=pl.col("x0")).write_parquet("whole.parquet")
    words = ["whole.parquet", "--target", "class", "--drop", others("class"), "--memory", "200MB"]
    code, out, err = run(capsys, "fit", *words, "--cv", "3", "-o", "out")
    said = " ".join((out + err).split())
    assert code == 0
    assert "read in blocks, pictures show 150 evenly spaced rows" in said
    assert "in 150 evenly spaced rows" in said
    assert "Looked at one row in 8, 150 of 1,200" in said
    assert "W12" in said
    assert "evenly spaced rows" in Path("out/report.html").read_text()
    assert load("out/model.json")[0].path.n_rows == N
    code, out, _ = run(capsys, "check", *words)
    assert code == 0
    assert "W12" in out
    assert "Looked at one row in 8" in " ".join(out.split())


# options about columns that the blocks are made by
TAKEN = {"drop", "categorical", "weights", "offset", "exposure", "missing", "inf", "group", "time_order"}
TAKEN |= {"min_count", "baseline", "holdout", "split", "fill_value", "dates", "spline", "interact"}


def test_every_option_about_columns_is_taken_or_refused() -> None:
    known = {action.dest for action in column_options()._actions} - {"help"}
    assert known <= TAKEN | {*NEED_ROWS}
    assert not TAKEN.intersection(NEED_ROWS)


VALUES = {
    "event": ["class"],
    "start": ["w"],
    "strata": ["colour"],
    "positive": ["yes"],
    "bootstrap": ["10"],
    "text": ["colour"],
}


@pytest.mark.parametrize("asked", [["--group-columns"], ["--groups", "g.json"]])
def test_groups_of_features(table: pl.DataFrame, capsys: Capture, asked: list[str]) -> None:
    Path("g.json").write_text('{"a": ["x0", "x1"]}')
    words = ["--target", "class", "--drop", others("class"), "--cv", "3", "--n-lambdas", "9", "--l1-ratio", "1", *asked]
    assert run(capsys, "fit", "parts", *words, "-o", "out")[0] == 0
    assert load("out/model.json").path.groups is not None


@pytest.mark.parametrize("name", NEED_ROWS)
def test_options_that_need_all_rows_say_so(table: pl.DataFrame, capsys: Capture, name: str) -> None:
    option = "--" + name.replace("_", "-")
    words = ["fit", "parts", "--target", "class", "-o", "out", option, *VALUES[name]]
    code, _, err = run(capsys, *words)
    assert code == 2
    assert f"{option}: not for a table that is read in blocks of rows" in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fit", "--example", "wine", "--memory", "1GB"], "--memory is about a file"),
        (["fit", "-", "--target", "y", "--memory", "1GB"], "can be read once"),
        (["fit", "parts", "--target", "y", "--memory", "1"], "is too little"),
        (["fit", "parts", "--target", "y", "--memory", "1TB"], "no amount of memory"),
        (["fit", "parts", "--target", "y", "--memory", "1MB"], "is too little"),
        (["fit", "whole.csv", "--target", "y", "--resume"], "--resume is about tables that are read in blocks"),
        (["fit", "parts", "--target", "none", "--resume"], "--resume has nothing to go on with"),
        (["fit", "parts", "--target", "y", "--resume"], "--resume has nothing to go on with"),
        (["fit", "parts"], "--target is missing"),
    ],
)
def test_what_makes_no_sense_is_told(table: pl.DataFrame, capsys: Capture, words: list[str], says: str) -> None:
    try:
        code, _, err = run(capsys, *words)
    except SystemExit as stop:
        code, err = stop.code, capsys.readouterr().err
    assert code == 2
    assert says in " ".join(err.split())


def test_columns_are_kept_whatever_they_are_called(capsys: Capture, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, label = rng.normal(size=90), rng.choice(["u", "v"], 90)
    table = pl.DataFrame({"^x.*$": label, "*": x, "day": [f"{k % 27 + 1}.05.2021" for k in range(90)], "y": x + 1})
    table.write_csv("t.csv")
    memory = ["--memory", "100MB"]
    code, _, err = run(capsys, "fit", "t.csv", "--target", "y", *memory)
    assert code == 3
    assert "--drop day" in err
    assert "--dates day" in err
    code, _, err = run(capsys, "fit", "t.csv", "--target", "y", "--drop", "day", "--no-compare", "-o", "o", *memory)
    assert code == 0, err
    code, out, err = run(capsys, "predict", "o/model.json", "t.csv", "--keep", "*,^x.*$", *memory)
    assert code == 0, err
    kept = pl.read_csv(out.encode())
    assert kept.columns == ["*", "^x.*$", "prediction"]
    code, out, err = run(capsys, "predict", "o/model.json", "t.csv", *memory)
    assert code == 0, err
    assert pl.read_csv(out.encode()).equals(kept.select("prediction"))
    assert kept["^x.*$"].to_list() == label.tolist()


def test_a_column_that_is_not_there_is_told_with_its_option(table: pl.DataFrame, capsys: Capture) -> None:
    code, _, err = run(capsys, "fit", "parts", "--target", "yy", "--weights", "ww")
    assert code == 3
    assert 'Column "yy" of --target not found' in " ".join(err.split())
    assert 'Column "ww" of --weights not found' in " ".join(err.split())


class StopsAfter:
    """A progress function that stops the fit in its so-manieth call after the first of 60 lambdas."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self, done: int, total: int) -> bool:
        self.left -= total == 60 and done > 0  # other totals are rows and blocks
        return self.left < 0


@pytest.mark.parametrize(
    ("target", "family"), [("y", "gaussian"), ("n", "poisson"), ("class", "binomial"), ("y", "huber(1)")]
)
@pytest.mark.parametrize("fit", [nb.fit_path, nb.cv_path])
def test_a_fit_goes_on_where_it_was_interrupted(
    table: pl.DataFrame, target: str, family: str, fit: Callable[..., Any]
) -> None:
    place = Path(UNFINISHED)
    drop = [name for name in table.columns if not name.startswith("x") and name != target]
    options = {"family": family, "drop": drop, "n_lambdas": 60}
    blocks = nb.Blocks("whole.parquet", rows=100, resume=place)
    whole = fit(nb.Blocks("whole.parquet", rows=100), target, **options)
    for n in (0, 3, 20):
        try:
            fit(blocks, target, **options, progress=StopsAfter(n))
        except Interrupted:
            assert place.exists()
    found = fit(blocks, target, **options)
    np.testing.assert_array_equal(found.lambdas, whole.lambdas)
    first, second = (getattr(one, "path", one) for one in (whole, found))
    assert (second.statuses == "converged").all()
    np.testing.assert_allclose(second.coefs, first.coefs, atol=1e-3 * np.abs(first.coefs).max())
    if fit is nb.cv_path:
        np.testing.assert_allclose(found.fold_scores, whole.fold_scores, rtol=1e-4)
    again = fit(blocks, target, **options)  # all of it is in the file
    np.testing.assert_array_equal(getattr(again, "path", again).coefs, second.coefs)


def test_the_file_of_another_fit_is_refused_and_kept(table: pl.DataFrame) -> None:
    place = Path(UNFINISHED)
    drop = ["colour", "days", "w", "n", "class"]
    nb.fit_path(nb.Blocks("whole.parquet", resume=place), "y", drop=drop)
    before = place.read_bytes()
    with pytest.raises(DataError, match="is of other data or other options"):
        nb.fit_path(nb.Blocks("whole.parquet", resume=place), "y", drop=drop, standardize=False)
    with pytest.raises(DataError, match="is of other data or other options"):
        nb.cv_path(nb.Blocks("whole.parquet", resume=place), "y", drop=drop, random_state=1)
    table.with_columns(x0=pl.col("x0") + 1e-9).write_parquet("whole.parquet")
    with pytest.raises(DataError, match="is of other data or other options"):
        nb.fit_path(nb.Blocks("whole.parquet", resume=place), "y", drop=drop)
    assert place.read_bytes() == before
    place.write_bytes(before[:100])
    with pytest.raises(DataError, match="was cut off, or is another file"):
        nb.fit_path(nb.Blocks("whole.parquet", resume=place), "y", drop=drop)


def test_another_grid_is_solved_anew(table: pl.DataFrame) -> None:
    drop = ["colour", "days", "w", "n", "class"]
    blocks = nb.Blocks("whole.parquet", resume=UNFINISHED)
    assert nb.fit_path(blocks, "y", drop=drop).lambdas.size == 100
    assert nb.fit_path(blocks, "y", drop=drop, n_lambdas=7).lambdas.size == 7
    assert nb.fit_path(blocks, "y", drop=drop, l1_ratio=0.5).l1_ratio == 0.5


@pytest.mark.parametrize(
    ("target", "family", "need", "what"),
    [
        ("y", "gaussian", 106, "550 features"),
        ("class", "binomial", 99, "550 features"),
        ("kind", "multinomial", 893, "1,650 coefficients"),
    ],
)
def test_memory_that_a_fit_exceeds_is_told_before_the_fit_and_the_remedy_holds(
    target: str, family: str, need: int, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 550)).round(2)
    y = X[:, 0] + rng.normal(size=120)
    wide = pl.DataFrame(X, schema=[f"x{j}" for j in range(550)])
    labels = {"class": np.where(y > 0, "yes", "no"), "kind": np.digitize(y, [-0.5, 0.5]).astype(str)}
    wide.with_columns(y=y, **labels).write_parquet("wide.parquet")
    drop = ("--drop", ",".join({"y", *labels} - {target}))
    words = ("fit", "wide.parquet", "--target", target, *drop, "--no-compare", "--n-lambdas", "2", "--bootstrap", "0")
    assert round(bytes_of_a_fit(family, 550, 3 if target == "kind" else 1, 11) / 1e6) == need
    code, _, err = run(capsys, *words, "--memory", "50MB", *(("--family", family) if target == "kind" else ()))
    assert (code, f"{what} in 10 folds take about {need} MB, and --memory allows 50 MB" in err) == (2, True)
    remedy = re.findall(r"--memory (\d+MB), or", err)
    assert int(remedy[0].removesuffix("MB")) >= need
    if target == "y":
        assert run(capsys, *words, "--memory", *remedy)[0] == 0


@pytest.mark.parametrize("command", ["fit", "check"])
def test_more_features_than_blocks_take_are_told_before_the_rows_are_read(
    command: str, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("normball.blocks.data.MOST_FEATURES", 5)
    monkeypatch.setattr("normball.blocks.tables.blocks_of", None)
    code, _, err = run(capsys, command, "parts", "--target", "y")
    assert (code, "9 features are too many" in err, "--drop" in err) == (2, True, True)
