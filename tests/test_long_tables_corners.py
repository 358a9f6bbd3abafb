"""Corners of tables in parts: columns in paths, single precision, files in another order, disks that fill, Ctrl-C."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.blocks.dask_tables import PartitionRows
from normball.cli.long_tables import UNFINISHED
from normball.messages import Interrupted, NormballWarning

N = 240
ONE_LEVEL = {"baseline": {"kind": "a"}}  # else there is more than one minimiser


@pytest.fixture
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(N, 3))
    year, kind = rng.integers(2019, 2022, N), rng.choice(["a", "b c"], N)
    y = X[:, 0] + 0.3 * (year - 2020) + (kind == "a") + rng.normal(size=N)
    return pl.DataFrame({**{f"x{j}": X[:, j] for j in range(3)}, "year": year, "kind": kind, "y": y}).sort(
        "year", "kind", maintain_order=True
    )


@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_folders_may_be_columns(frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.chdir(tmp_path)
    for (year, kind), part in frame.group_by("year", "kind", maintain_order=True):
        folder = Path(f"t/year={year}/kind={str(kind).replace(' ', '%20')}")
        folder.mkdir(parents=True)
        getattr(part.drop("year", "kind"), f"write_{end}")(folder / f"0.{end}")
    whole = nb.fit_path(frame.select("x0", "x1", "x2", "y", "year", "kind"), "y", **ONE_LEVEL)
    for place in ("t", f"t/**/*.{end}", f"t/year=20*/*/*.{end}", tmp_path / "t"):
        path = nb.fit_path(nb.Blocks(place, rows=50), "y", **ONE_LEVEL)
        assert path.feature_names == whole.feature_names
        np.testing.assert_allclose(path.coefs, whole.coefs, atol=1e-9)
    fit = whole.at(lam=whole.lambdas[20])
    np.testing.assert_allclose(fit.predict("t"), fit.predict(frame), atol=1e-12)
    other = nb.fit_path(f"t/year=2020/**/*.{end}", "y")
    assert other.feature_names[-1] == "kind = b c"
    assert "year" not in other.feature_names  # it is in front of what the pattern leaves open


@pytest.mark.parametrize("kind", ["parquet", "csv", "lazy", "dask"])
def test_names_that_polars_takes_for_patterns(frame: pl.DataFrame, tmp_path: Path, kind: str) -> None:
    whole = frame.rename({"x0": "*", "x1": "^x.*$", "kind": "^.*$"})
    places: dict[str, Any] = {"parquet": tmp_path / "t.parquet", "csv": tmp_path / "t.csv", "lazy": whole.lazy()}
    whole.write_parquet(places["parquet"])
    whole.write_csv(places["csv"])
    if kind == "dask":
        dd = pytest.importorskip("dask.dataframe")
        places["dask"] = dd.from_pandas(whole.to_pandas(), npartitions=3)
    how: dict[str, Any] = {"baseline": {"^.*$": "a"}}
    expected = nb.fit_path(whole, "y", **how)
    found = nb.fit_path(places[kind], "y", **how)
    assert found.feature_names == expected.feature_names
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-9)
    fit = expected.at(lam=expected.lambdas[20])
    np.testing.assert_allclose(fit.predict(places[kind]), fit.predict(whole), atol=1e-12)
    labels = whole.with_columns(pl.lit("u ").alias("^x.*$"))
    labels.write_parquet(tmp_path / "labels.parquet")
    assert nb.read_table(tmp_path / "labels.parquet", categorical=["^x.*$"])["^x.*$"].to_list() == ["u"] * N
    numbers = whole[["*", "^x.*$", "x2", "y"]]  # are taken as they are stored
    np.testing.assert_allclose(nb.fit_path(numbers.lazy(), "y").coefs, nb.fit_path(numbers, "y").coefs, atol=1e-9)


def test_a_file_outside_of_these_folders_is_told(frame: pl.DataFrame, tmp_path: Path) -> None:
    for name in ("year=2020", "."):
        (tmp_path / name).mkdir(exist_ok=True)
        frame.drop("year").write_parquet(tmp_path / name / "0.parquet")
    with pytest.raises(nb.DataError, match=r'columns that "0\.parquet" lacks: "year"'):
        nb.open_table(tmp_path)


def test_a_column_of_the_file_is_that_of_the_file(frame: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "year=1").mkdir()
    frame.write_parquet(tmp_path / "year=1" / "0.parquet")
    assert nb.open_table(tmp_path).names == tuple(frame.columns)
    table = nb.fit_path(tmp_path, "y", **ONE_LEVEL)
    np.testing.assert_allclose(table.coefs, nb.fit_path(frame, "y", **ONE_LEVEL).coefs, atol=1e-9)


def test_single_precision_is_kept_as_it_is(frame: pl.DataFrame, tmp_path: Path) -> None:
    single = frame.select(pl.col("x0", "x1", "x2", "y").cast(pl.Float32))
    single.write_parquet(tmp_path / "t.parquet")
    found, whole = (nb.cv_path(rows, "y", cv=4, n_lambdas=20) for rows in (tmp_path / "t.parquet", single))
    np.testing.assert_allclose(found.path.coefs, whole.path.coefs, atol=1e-9)
    X, y = single.select("x0", "x1", "x2").to_numpy(), frame["y"].to_numpy()
    np.testing.assert_allclose(nb.fit_path(nb.Blocks(X, rows=7), y).coefs, nb.fit_path(X, y).coefs, atol=1e-9)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_the_order_of_the_files_does_not_matter(frame: pl.DataFrame, tmp_path: Path, family: str) -> None:
    table = frame.with_columns(pl.col("y").abs().floor())
    paths = []
    for shift in (0, 1):
        (tmp_path / str(shift)).mkdir()
        for k in range(4):
            table[60 * k : 60 * k + 60].write_parquet(tmp_path / f"{shift}" / f"{(k + shift) % 4}.parquet")
        rows = nb.Blocks(tmp_path / f"{shift}", rows=25)
        paths.append(nb.fit_path(rows, "y", family=family, tol=1e-10, **ONE_LEVEL))
    np.testing.assert_allclose(paths[1].coefs, paths[0].coefs, atol=1e-9 if family == "gaussian" else 1e-5)


def test_a_full_disk_costs_the_file_of_what_is_solved_alone(
    frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(place: Any, content: bytes) -> None:
        raise OSError(28, "No space left on device", place)

    monkeypatch.setattr("normball.unfinished.write_bytes", full)
    drop = ["year", "kind"]
    with pytest.warns(NormballWarning, match="could not be written to .*No space left"):
        path = nb.fit_path(nb.Blocks(frame.lazy(), resume=tmp_path / UNFINISHED), "y", drop=drop)
    np.testing.assert_array_equal(path.coefs, nb.fit_path(frame.lazy(), "y", drop=drop).coefs)


def test_where_results_have_no_room_the_fit_is_kept(frame: pl.DataFrame, tmp_path: Path) -> None:
    """The limit on the size of files stands in for a full disk: what is solved fits, the page does not."""
    frame.drop("kind").write_parquet(tmp_path / "t.parquet")
    code = """
import resource, signal, sys
from normball.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[1]) or resource.RLIM_INFINITY
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.exit(main(sys.argv[2:]))
"""
    words = ["fit", "t.parquet", "--target", "y", "--memory", "100MB", "--cv", "3", "--n-lambdas", "10", "--no-compare"]

    def ended(limit: int, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(limit), *words, *more]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    first = ended(60_000)
    assert first.returncode == 5, first.stderr
    assert "The same command with --resume goes on" in " ".join(first.stderr.split())
    assert (tmp_path / UNFINISHED).exists()
    second = ended(0, "--resume")
    assert second.returncode == 0, second.stderr
    assert (tmp_path / "report.html").exists()
    assert not (tmp_path / UNFINISHED).exists()


class StopsWhenSolved:
    """A progress function that ends the first pass after all 30 lambdas are solved, in which rows are scored."""

    def __init__(self) -> None:
        self.is_solved = False

    def __call__(self, done: int, total: int) -> bool:
        self.is_solved |= done == total == 30
        return self.is_solved and total != 30


def test_a_stop_while_rows_are_scored_loses_nothing(frame: pl.DataFrame, tmp_path: Path) -> None:
    table = frame.with_columns(n=pl.col("y").abs().floor()).drop("y", "kind", "year")
    blocks = nb.Blocks(table.lazy(), rows=20, resume=tmp_path / UNFINISHED)
    how = {"family": "poisson", "n_lambdas": 30, "cv": 3}
    with pytest.raises(Interrupted, match="scored: the path of all rows is finished") as stopped:
        nb.cv_path(blocks, "n", **how, progress=StopsWhenSolved())
    calls = []
    found = nb.cv_path(blocks, "n", **how, progress=lambda done, total: calls.append((done, total)))
    assert not any(total == 30 for _, total in calls)  # nothing is solved again
    np.testing.assert_array_equal(
        found.fold_scores, nb.cv_path(nb.Blocks(table.lazy(), rows=20), "n", **how).fold_scores
    )
    np.testing.assert_array_equal(stopped.value.result.coefs, found.path.coefs)
    with pytest.raises(Interrupted, match="scored") as stopped:
        nb.compare(nb.Blocks(table.lazy(), rows=20), "n", [1.0], **how, progress=StopsWhenSolved())
    assert stopped.value.result is None  # a path without scores cannot be compared


def test_no_block_of_a_cluster_travels_to_who_predicts(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    dd = pytest.importorskip("dask.dataframe")

    def travels(self: PartitionRows) -> None:
        raise AssertionError("blocks are read where they are")

    monkeypatch.setattr(PartitionRows, "open", travels)
    monkeypatch.setattr("normball.results.judged_in_parts.SHARE_KEPT", 1 << 40)
    rows = dd.from_pandas(frame.to_pandas(), npartitions=3)
    path = nb.fit_path(frame, "y", n_lambdas=10)
    fit = path.at(lam=path.lambdas[5])
    np.testing.assert_allclose(fit.predict(rows), fit.predict(frame), atol=1e-12)
    expected = fit.evaluate(frame, "y", n_bootstrap=0).scores
    assert fit.evaluate(rows, "y").scores == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda rows: nb.fit_paths(rows, ["y"]), "fit_paths needs all rows in memory.*one target at a time"),
        (lambda rows: nb.fit_ball(rows, "y", radius=1.0), r"\.at\(l1_norm=1\)"),
        (lambda rows: nb.fit_ball(rows, "y", radius=1.0, norm="l2"), "l1_ratio=0"),
        (lambda rows: nb.GLMRegressor().fit(rows, "y"), "GLMRegressor.fit needs.*cv_path read them"),
        (lambda rows: nb.GLMClassifierCV().fit(rows, "y"), "GLMClassifierCV.fit needs"),
        (lambda rows: nb.cv_path(np.eye(30), np.arange(30.0), cv=2).bootstrap(rows, "y"), r"CVPath\.bootstrap needs"),
    ],
)
def test_who_needs_all_rows_says_what_to_do(frame: pl.DataFrame, call: Any, says: str) -> None:
    for rows in (nb.Blocks(frame), frame.lazy(), nb.Blocks("t/*.parquet")):
        with pytest.raises(TypeError, match=says):
            call(rows)


def test_an_estimator_names_what_predicts_rows_in_parts(frame: pl.DataFrame) -> None:
    features = frame.select("x0", "x1", "x2")
    model = nb.GLMRegressor(lam=0.1).fit(features, frame["y"].to_numpy())
    with pytest.raises(TypeError, match=r"path_\.predict") as told:
        model.predict(features.lazy())
    words = str(told.value).split(": ")[1].removesuffix(" reads them")
    assert words == ".path_.predict(X, lam=0.1)"
    found = model.path_.predict(features.lazy(), lam=model.lam_)
    np.testing.assert_allclose(found, model.predict(features), atol=1e-12)


def test_a_path_at_the_terminal(frame: pl.DataFrame, tmp_path: Path, capsys: Capture) -> None:
    for (year,), part in frame.drop("kind").group_by("year", maintain_order=True):
        (tmp_path / f"t/year={year}").mkdir(parents=True)
        part.drop("year").write_parquet(tmp_path / f"t/year={year}/0.parquet")
    words = ["--target", "y", "--no-compare", "--cv", "3", "--n-lambdas", "10", "-o", str(tmp_path / "out")]
    code, out, err = run(capsys, "fit", str(tmp_path / "t"), *words)
    assert (code, err) == (0, "")
    assert "240 rows x 5 columns" in out
    assert run(capsys, "score", str(tmp_path / "out/model.json"), str(tmp_path / "t"))[0] == 0
