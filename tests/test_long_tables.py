"""A table that is read in parts is prepared as the same table in memory: the same preparation, blocks, words."""

import pickle
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import sparse

import normball as nb
from normball.blocks.long_table import LongTable
from normball.blocks.prepare import prepare_long_table
from normball.blocks.source import RowBlocks
from normball.blocks.tables import long_table_of
from normball.inputs.prepare import Data, prepare
from normball.messages import Finding

N = 61
LENGTHS = (6, 25, 1000)


def mixed(seed: int = 0) -> pl.DataFrame:
    """A table with a column of every kind."""
    rng = np.random.default_rng(seed)

    def with_gaps(values: Any) -> pl.Series:
        return pl.Series([None if gap else value for gap, value in zip(rng.random(N) < 0.15, values, strict=True)])

    return pl.DataFrame(
        {
            "number": rng.standard_normal(N),
            "count": rng.integers(0, 5, N),
            "text": rng.choice(["u", "v", "w", " u"], N),
            "truth": rng.random(N) < 0.3,
            "category": pl.Series(rng.choice(["late", "early"], N), dtype=pl.Categorical),
            "rank": pl.Series(rng.choice(["low", "mid"], N), dtype=pl.Enum(["low", "mid", "high"])),
            "gaps": with_gaps(rng.random(N)),
            "level gaps": with_gaps(rng.choice(["k", "l"], N)),
            "whole gaps": with_gaps(rng.integers(0, 9, N).tolist()),
            "weight": rng.integers(0, 3, N),
            "offset": rng.random(N),
            "y": rng.standard_normal(N),
            "class": rng.choice(["no", "yes"], N),
            "kind": with_gaps(rng.choice(["a", "b", "c"], N)),
            "code": rng.integers(1, 4, N),
            "share": rng.random(N),
            "hits": rng.integers(0, 3, N),
        }
    )


def in_memory(path: Path, y: Any, **options: Any) -> Data:
    findings: list[Finding] = []
    data = prepare(nb.read_table(path, findings=findings), y, **options)
    return replace(data, findings=findings + data.findings)


def in_parts(source: Any, y: Any, block_rows: int | None = None, **options: Any) -> RowBlocks:
    table = long_table_of(source)
    assert table is not None
    return prepare_long_table(table, y, block_rows=block_rows, **options)


def check_equal(data: Data, blocks: RowBlocks) -> None:
    assert blocks.preparation == data.preparation
    for name in ("family", "classes", "output_names", "target_name", "findings"):
        assert getattr(blocks, name) == getattr(data, name), name
    design = data.design
    if isinstance(design, tuple):
        design = sparse.csc_array(design[:3], shape=(design[3], data.n_features)).toarray()
    found = list(blocks.source.open())
    assert [block.number for block in found] == [*range(len(found))]
    assert [block.first_row for block in found] == np.cumsum([0, *(block.n_rows for block in found)])[:-1].tolist()
    np.testing.assert_array_equal(np.concatenate([block.X for block in found]), design)
    for name in ("y", "weights", "offset"):
        np.testing.assert_array_equal(np.concatenate([getattr(block, name) for block in found]), getattr(data, name))


TARGETS = [
    ("y", "gaussian"),
    ("y", "auto"),
    ("class", "binomial"),
    ("class", "auto"),
    ("truth", "auto"),
    ("share", "binomial"),
    ("rank", "binomial"),
    ("kind", "multinomial"),
    ("kind", "auto"),
    ("code", "multinomial"),
    ("code", "gaussian"),
    ("hits", "poisson"),
    (["y", "number"], "multigaussian"),
]


@pytest.mark.parametrize("missing", ["drop", "impute"])
@pytest.mark.parametrize(("y", "family"), TARGETS)
def test_the_same_preparation_from_parquet(tmp_path: Path, y: Any, family: str, missing: str) -> None:
    mixed().write_parquet(tmp_path / "t.parquet", row_group_size=20)
    options = {"family": family, "missing": missing, "categorical": ["count"], "sample_weight": "weight"}
    if family not in ("multinomial", "multigaussian") and y != "kind":  # whose outputs have an offset each
        options["offset"] = "offset"
    data = in_memory(tmp_path / "t.parquet", y, **options)
    for length in LENGTHS:
        check_equal(data, in_parts(tmp_path / "t.parquet", y, length, **options))


@pytest.mark.parametrize(("y", "family"), TARGETS[::3])
def test_a_large_file_is_read_page_by_page(tmp_path: Path, monkeypatch: Any, y: Any, family: str) -> None:
    monkeypatch.setattr("normball.blocks.files.LARGE_FILE", 0)
    mixed().rename({"number": "a.b", "text": "[c] d"}).write_parquet(tmp_path / "t.parquet", row_group_size=20)
    y = [{"number": "a.b"}.get(name, name) for name in y] if isinstance(y, list) else y
    data = in_memory(tmp_path / "t.parquet", y, family=family, missing="impute")
    check_equal(data, in_parts(tmp_path / "t.parquet", y, 7, family=family, missing="impute"))


@pytest.mark.parametrize("missing", ["drop", "impute"])
@pytest.mark.parametrize(("y", "family"), TARGETS)
def test_the_same_preparation_from_text(tmp_path: Path, y: Any, family: str, missing: str) -> None:
    mixed().write_csv(tmp_path / "t.csv")
    data = in_memory(tmp_path / "t.csv", y, family=family, missing=missing, sample_weight="weight")
    for length in LENGTHS:
        found = in_parts(tmp_path / "t.csv", y, length, family=family, missing=missing, sample_weight="weight")
        check_equal(data, found)


@pytest.mark.parametrize(("y", "family"), TARGETS[::5])
@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_row_a_block(tmp_path: Path, y: Any, family: str, end: str) -> None:
    getattr(mixed(), f"write_{end}")(tmp_path / f"t.{end}")
    data = in_memory(tmp_path / f"t.{end}", y, family=family, missing="impute")
    check_equal(data, in_parts(tmp_path / f"t.{end}", y, 1, family=family, missing="impute"))


@pytest.mark.parametrize("y", ["time", "status"])
def test_survival_data_are_told(y: str) -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"time": rng.random(N), "status": rng.integers(0, 2, N), "age": rng.random(N)})
    data = prepare(table, y, family="auto")
    assert "W27" in [finding.code for finding in data.findings]
    check_equal(data, in_parts(table.lazy(), y, 9, family="auto"))


def in_parts_words(text: str) -> str:
    """What is said of rows in memory, in the words for a table in parts, whose folds learn no medians of their own."""
    here, there = "median + indicator, learned in each fold", "median of all rows + indicator"
    assert here in text
    return text.replace(here, there)


def test_what_is_said_of_gaps_is_the_same(tmp_path: Path) -> None:
    mixed().write_parquet(tmp_path / "t.parquet")
    with pytest.raises(nb.DataError) as expected:
        in_memory(tmp_path / "t.parquet", "kind", family="auto")
    with pytest.raises(nb.DataError) as found:
        in_parts(tmp_path / "t.parquet", "kind", 7, family="auto")
    assert str(found.value) == in_parts_words(str(expected.value))


@pytest.mark.parametrize("place", ["data", "data/*.parquet", "data/t0.parquet"])
def test_files_are_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    table = mixed()
    (tmp_path / "data").mkdir()
    n_files = 1 if place.endswith("t0.parquet") else 4
    bounds = np.linspace(0, N, n_files + 1).astype(int)
    for k, (start, stop) in enumerate(pairwise(bounds)):
        table[int(start) : int(stop)].write_parquet(tmp_path / "data" / f"t{k}.parquet")
    data = prepare(table, "class", family="binomial", missing="impute")
    for length in LENGTHS:
        check_equal(data, in_parts(place, "class", length, family="binomial", missing="impute"))


class Divided(LongTable):
    """A table whose parts are each shown to a copy of what gathers, as on machines of a cluster."""

    def run(self, columns: Any, n_rows: int, gathered: Any) -> Any:
        begun, first_row = pickle.dumps(gathered), 0
        found = []
        for frame in self.parts(columns, n_rows):
            found.append(pickle.loads(begun))
            found[-1].add(frame, first_row)
            first_row += frame.height
        found = pickle.loads(pickle.dumps(found))
        for later in found[1:]:
            found[0].join(later)
        return found[0]


@pytest.mark.parametrize("end", ["csv", "parquet"])
@pytest.mark.parametrize(("y", "family"), TARGETS)
def test_parts_that_are_gathered_apart(tmp_path: Path, y: Any, family: str, end: str) -> None:
    path = tmp_path / f"t.{end}"
    getattr(mixed(), f"write_{end}")(path)
    options = {"family": family, "missing": "impute", "sample_weight": "weight", "categorical": ["count"]}
    table = long_table_of(path)
    assert table is not None
    divided = Divided(**{field.name: getattr(table, field.name) for field in fields(table)})
    check_equal(in_memory(path, y, **options), in_parts(divided, y, 9, **options))


class Stream:
    """Gives an Arrow stream each time it is asked."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def sources(table: pl.DataFrame, folder: Path) -> dict[str, Any]:
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    (folder / "parts").mkdir()
    for k, start in enumerate(range(0, N, 20)):
        table[start : start + 20].write_parquet(folder / "parts" / f"{k}.parquet")
    batches = table.to_arrow().to_batches(max_chunksize=13)
    return {
        "lazy": pl.scan_parquet(folder / "parts" / "*.parquet"),
        "lazy frame": table.lazy(),
        "dataset": ds.dataset(folder / "parts"),
        "dataset in memory": ds.dataset(pa.Table.from_batches(batches)),
        "relation": duckdb.connect().sql(
            f"select * from '{folder}/parts/*.parquet' order by filename, file_row_number"
        ),
        "stream": Stream(pa.Table.from_batches(batches)),
    }


@pytest.mark.parametrize("kind", ["lazy", "lazy frame", "dataset", "dataset in memory", "relation", "stream"])
@pytest.mark.parametrize(("y", "family"), [("y", "gaussian"), ("class", "auto"), ("kind", "multinomial")])
def test_other_tables(tmp_path: Path, kind: str, y: str, family: str) -> None:
    """Text of frames is what it is: not read as that of files."""
    table = mixed()
    source = sources(table, tmp_path)[kind]
    options = {"family": family, "missing": "impute", "categorical": ["count"], "sample_weight": "weight"}
    if kind == "relation":  # knows no categories but in an order of its own
        table = table.with_columns(pl.col("category").cast(pl.String))
    check_equal(prepare(table, y, **options), in_parts(source, y, 9, **options))


def test_a_stream_that_opens_once(tmp_path: Path) -> None:
    import pyarrow as pa

    batches = mixed().to_arrow().to_batches(max_chunksize=13)
    once = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    with pytest.raises(nb.DataError, match="read once"):
        long_table_of(once)  # `nb.fit_path` reads it into memory


@pytest.mark.parametrize("missing", ["drop", "impute"])
@pytest.mark.parametrize("end", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("name", "y", "family"),
    [
        ("titanic", "survived", "auto"),
        ("german_credit", "class", "auto"),
        ("wine_quality", "quality", "auto"),
        ("glmnet_multinomial", "y", "multinomial"),
        ("glmnet_poisson", "y", "poisson"),
        ("glmnet_quickstart", "y", "gaussian"),
        ("ames_housing", "Sale_Price", "auto"),
    ],
)
def test_data_sets(
    shared_data: Path, tmp_path: Path, monkeypatch: Any, name: str, y: str, family: str, end: str, missing: str
) -> None:
    table = nb.read_table(shared_data / f"{name}.csv.gz", findings=[])
    assert isinstance(table, pl.DataFrame)
    monkeypatch.chdir(tmp_path)
    height = table.height
    for k, (start, stop) in enumerate(pairwise([0, height // 5, height // 2, height])):
        getattr(table[start:stop], f"write_{end}")(f"{k}.{end}")
    getattr(table, f"write_{end}")(f"whole.{end}")
    data = in_memory(Path(f"whole.{end}"), y, family=family, missing=missing)
    for length in (height // 7, height):
        check_equal(data, in_parts(f"[0-2].{end}", y, length, family=family, missing=missing))
