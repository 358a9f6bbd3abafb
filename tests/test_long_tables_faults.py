"""What can be wrong with a table that is read in parts: a clear error, or the right answer."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.blocks import text_parts
from normball.blocks.prepare import prepare_long_table
from normball.blocks.source import RowBlocks
from normball.blocks.tables import long_table_of, open_table
from normball.inputs.prepare import prepare

N = 90


def frame(**more: Any) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame({"a": rng.standard_normal(N), "b": rng.integers(0, 9, N), "y": rng.random(N), **more})


def thirds(table: pl.DataFrame, folder: Path, end: str = "parquet") -> Path:
    folder.mkdir(exist_ok=True)
    for k in range(3):
        getattr(table[30 * k : 30 * k + 30], f"write_{end}")(folder / f"{k}.{end}")
    return folder


def in_parts(source: Any, y: Any = "y", block_rows: int = 7, family: str = "gaussian", **options: Any) -> RowBlocks:
    table = long_table_of(source)
    assert table is not None
    return prepare_long_table(table, y, block_rows=block_rows, family=family, **options)


def error_of(source: Any, **options: Any) -> str:
    with pytest.raises(nb.DataError) as error:
        for _ in in_parts(source, **options).source.open():
            pass
    return str(error.value)


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_a_truncated_file(tmp_path: Path, keep: float) -> None:
    folder = thirds(frame(), tmp_path / "t")
    content = (folder / "1.parquet").read_bytes()
    (folder / "1.parquet").write_bytes(content[: int(keep * len(content))])
    assert '"1.parquet" cannot be read as parquet' in error_of(folder)


@pytest.mark.parametrize("large", [0, 1 << 26])
def test_a_file_whose_middle_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr("normball.blocks.files.LARGE_FILE", large)
    folder = thirds(frame(), tmp_path / "t")
    content = bytearray((folder / "2.parquet").read_bytes())
    content[8:200] = bytes(192)
    (folder / "2.parquet").write_bytes(content)
    assert '"2.parquet" cannot be read as parquet' in error_of(folder)


def test_a_file_without_a_byte(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    (folder / "3.parquet").write_bytes(b"")
    assert 'Empty file: "3.parquet"' in error_of(folder)


def test_a_file_without_a_row_changes_nothing(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    expected = in_parts(folder).preparation
    frame().head(0).write_parquet(folder / "1b.parquet")
    blocks = in_parts(folder)
    assert blocks.preparation == expected
    assert sum(block.n_rows for block in blocks.source.open()) == N


def test_text_of_a_file_without_a_row(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t", "csv")
    (folder / "3.csv").write_text("a,b,y\n")
    assert '"3.csv" has a header row but no data rows' in error_of(folder)


def test_a_column_that_changes_its_type_in_the_third_file(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    text = pl.read_parquet(folder / "2.parquet").with_columns(pl.col("b").cast(pl.String))
    text.write_parquet(folder / "2.parquet")
    found = error_of(folder)
    assert 'Column "b" holds numbers (Int64), but text (String) in "2.parquet".' in found
    assert "as one type" in found
    in_parts(folder, drop=["b"])  # the remedy


def test_whole_numbers_may_become_others(tmp_path: Path) -> None:
    table = frame().with_columns(
        pl.when(pl.int_range(N) < 60).then(pl.col("b")).otherwise(pl.col("b") + 0.5).alias("b")
    )
    folder = thirds(table, tmp_path / "t")
    first = pl.read_parquet(folder / "0.parquet").with_columns(pl.col("b").cast(pl.Int32))
    first.write_parquet(folder / "0.parquet")
    blocks = list(in_parts(folder).source.open())
    np.testing.assert_array_equal(np.concatenate([block.X for block in blocks])[:, 1], table["b"].to_numpy())


def test_a_column_of_gaps_in_the_first_file(tmp_path: Path) -> None:
    table = frame(c=[None] * 30 + ["u", "v"] * 30)
    folder = thirds(table, tmp_path / "t")
    pl.read_parquet(folder / "0.parquet").with_columns(pl.lit(None).alias("c")).write_parquet(folder / "0.parquet")
    assert (
        in_parts(folder, missing="impute").preparation
        == prepare(table, "y", family="gaussian", missing="impute").preparation
    )


@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_a_category_first_seen_in_the_last_row(tmp_path: Path, end: str) -> None:
    table = frame(c=["u", "v"] * 44 + ["u", "w"])
    blocks = in_parts(thirds(table, tmp_path / "t", end))
    assert blocks.preparation == prepare(table, "y", family="gaussian").preparation
    assert list(blocks.source.open())[-1].X[-1, 2:].tolist() == [0, 0, 1]


def test_numbers_that_are_text_in_the_last_row(tmp_path: Path) -> None:
    table = frame(c=["1.5"] * 89 + ["many"])
    folder = thirds(table, tmp_path / "t", "csv")
    with pytest.raises(nb.DataError) as expected:
        prepare(table, "y", family="gaussian")
    assert error_of(folder) == str(expected.value)
    assert "row 90" in error_of(folder)


def test_more_texts_than_are_kept_before_one_is_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("normball.blocks.column_survey.FEW_TEXTS", 3)
    table = frame(c=[f"{k}" for k in range(80)] + ["many"] * 10)
    folder = thirds(table, tmp_path / "t", "csv")
    with pytest.raises(nb.DataError) as expected:
        prepare(table, "y", family="gaussian")
    assert error_of(folder) == str(expected.value)
    table = frame(c=[f"{k}" for k in range(40)] + ["many"] * 50)
    folder = thirds(table, tmp_path / "t", "csv")
    data = prepare(table, "y", family="gaussian", categorical=["c"])
    assert in_parts(folder, categorical=["c"]).preparation == data.preparation


def test_files_with_other_columns(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    pl.read_parquet(folder / "2.parquet").drop("b").write_parquet(folder / "2.parquet")
    assert '"2.parquet" lacks columns that "0.parquet" has: "b"' in error_of(folder)
    frame().with_columns(z=pl.lit(1)).write_parquet(folder / "2.parquet")
    assert '"2.parquet" has columns that "0.parquet" lacks: "z"' in error_of(folder)


def test_columns_in_another_order(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    expected = [block.X for block in in_parts(folder).source.open()]
    pl.read_parquet(folder / "1.parquet").select("y", "b", "a").write_parquet(folder / "1.parquet")
    found = [block.X for block in in_parts(folder).source.open()]
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))


def test_files_of_two_kinds(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    frame().write_csv(folder / "3.csv")
    assert "files of several kinds" in error_of(folder)


def test_places_without_a_table(tmp_path: Path) -> None:
    assert "does not exist" in error_of(tmp_path / "none.parquet")
    assert "is a pattern that no file has" in error_of(str(tmp_path / "*.parquet"))
    assert "is a folder without a table" in error_of(tmp_path)


@pytest.mark.parametrize("column", ["a", "c"])
def test_a_file_that_changes_between_passes(tmp_path: Path, column: str) -> None:
    folder = thirds(frame(c=["u", "v"] * 45), tmp_path / "t")
    blocks = in_parts(folder)
    other = pl.lit(None, dtype=pl.Float64) if column == "a" else pl.lit("w")
    pl.read_parquet(folder / "2.parquet").with_columns(other.alias(column)).write_parquet(folder / "2.parquet")
    with pytest.raises(nb.DataError, match="The table changed while it was read"):
        list(blocks.source.open())


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    folder = thirds(frame(), tmp_path / "t")
    blocks = in_parts(folder)
    (folder / "1.parquet").unlink()
    with pytest.raises(nb.DataError, match=r'"1\.parquet" cannot be read'):
        list(blocks.source.open())


@pytest.mark.parametrize("role", ["y", "sample_weight", "offset"])
def test_values_that_are_no_column(tmp_path: Path, role: str) -> None:
    options = {"y": "y", role: np.ones(N)}
    assert "has to be the name of a column" in error_of(thirds(frame(), tmp_path / "t"), **options)


def test_names_of_no_column(tmp_path: Path) -> None:
    found = error_of(thirds(frame(), tmp_path / "t"), y="Y", drop=["bb"], sample_weight="w")
    assert 'Target "Y" not found. Columns: a, b, y. Did you mean "y"?' in found
    assert 'Column (of drop) "bb" not found' in found
    assert 'Column (of sample_weight) "w" not found' in found


@pytest.mark.parametrize("bad", ["1,2", "1,2,3,4"])
def test_a_row_of_another_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setattr(text_parts, "PIECE", 100)
    lines = ["a,b,y", *["1,2,3", "4,5,6"] * 20]
    lines[20] = bad
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert "with another number of values than the header, which has 3: row 20" in error_of(tmp_path / "t.csv")


def test_a_byte_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_parts, "PIECE", 100)
    content = b"a,b,y\n" + b"1,u,2\n3,v,5\n" * 3000 + b"1,\xfc,3\n"
    (tmp_path / "t.csv").write_bytes(content)
    found = error_of(tmp_path / "t.csv")
    assert "is not utf-8 text: line 6,002 has the byte 0xfc" in found
    table = open_table(tmp_path / "t.csv", encoding="latin-1")
    assert "b = ü" in prepare_long_table(table, "y", family="gaussian").preparation.feature_names


def test_a_packed_file_that_is_cut(tmp_path: Path) -> None:
    content = gzip.compress(b"a,b,y\n" + b"".join(f"{k},{k % 7},{k % 5}\n".encode() for k in range(5000)))
    (tmp_path / "t.csv.gz").write_bytes(content[:-100])
    assert '"t.csv.gz" cannot be unpacked' in error_of(tmp_path / "t.csv.gz")


def test_a_quote_that_does_not_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_parts, "PIECE", 100)
    monkeypatch.setattr(text_parts, "LONGEST", 1000)
    lines = ["a,b,y", *["1,u,3", "4,v,6"] * 500]
    lines[20] = '1,"u,3'
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert "look for a quote that does not close" in error_of(tmp_path / "t.csv")


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 22])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n,,\n,,\n"])
def test_pieces_end_where_rows_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, ending: str) -> None:
    monkeypatch.setattr(text_parts, "PIECE", max(piece, 30))
    rows = ["a;text;y", '1,5;"one\nline ""and"" more";2', "", "2,5;x;3", ' 3,5;"y;z";4', "-;x;1"] + ["4,5;x;2"] * 20
    content = (ending if ending == "\r\n" else "\n").join(rows) + ending.replace(",", ";")
    (tmp_path / "t.csv").write_bytes(content.encode())
    table = open_table(tmp_path / "t.csv", decimal=",", na=["-"])
    options: dict[str, Any] = {"family": "gaussian", "missing": "drop"}
    data = prepare(nb.read_table(tmp_path / "t.csv", decimal=",", na=["-"], findings=[]), "y", **options)
    blocks = prepare_long_table(table, "y", block_rows=3, **options)
    assert blocks.preparation == data.preparation
    np.testing.assert_array_equal(np.concatenate([block.X for block in blocks.source.open()]), data.design)


def test_remedies_are_of_rows_in_blocks() -> None:
    table = pl.DataFrame({"y": np.arange(60.0) % 2, "x": [None, *np.arange(59.0)], "z": np.arange(60.0) % 7}).lazy()
    with pytest.raises(nb.DataError, match=r"E04.*") as caught:
        nb.fit_path(table, "y")
    assert 'missing="impute" (median of all rows + indicator)' in str(caught.value)  # folds share what is filled in
    with pytest.raises(ValueError, match="read the table, or a sample of its rows, into memory"):
        nb.cv_path(table, ["x", "y"], family="cox")
