"""Reading files: what comes out, and every message about what cannot be read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from normball.inputs.prepare import prepare, prepare_new
from normball.inputs.tables import SparseTable, read_table
from normball.messages import DataError, Finding

Read = Callable[..., Any]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write content to a file of that name and read it as a table."""

    def write_and_read(content: str | bytes, name: str = "table.csv", **options: Any) -> Any:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **options)

    return write_and_read


def test_numbers_and_text(read: Read) -> None:
    table = read('whole,real,text,"with, comma",none\n1,0.5,red,"a, b",\n2,1e-3, blue ,"say ""c""",NA\n')
    assert table.columns == ["whole", "real", "text", "with, comma", "none"]
    assert table.dtypes == [pl.Int64, pl.Float64, pl.String, pl.String, pl.Float64]
    assert table["text"].to_list() == ["red", "blue"]
    assert table["with, comma"].to_list() == ["a, b", 'say "c"']
    assert table["none"].to_list() == [None, None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_line_ends(read: Read, delimiter: str, ending: str) -> None:
    rows = [["a", "b"], ["1", "x"], ["2", "y"], [""]]
    table = read(ending.join(delimiter.join(row) for row in rows) + ending, "table.txt")
    assert table.rows() == [(1, "x"), (2, "y")]


def test_the_delimiter_can_be_named(read: Read) -> None:
    assert read("a,b;c\n1,5;2\n", delimiter=";", decimal=",").rows() == [(1.5, 2)]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa,b\n1,\xc3\xa9\n", "a,b\n1,é\n".encode("utf-16")])
def test_marks_of_encodings(read: Read, content: bytes) -> None:
    table = read(content)
    assert table.columns == ["a", "b"]
    assert table["b"].to_list() == ["é"]


def test_other_encodings_and_packed_files(read: Read) -> None:
    assert read(gzip.compress("a\né\n".encode("latin-1")), "t.csv.gz", encoding="latin-1").rows() == [("é",)]


def test_words_for_missing_values(read: Read) -> None:
    table = read("a,b,c\n1,NA,x\n-,n/a,?\n3,2.5, NaN\n", na=["-", "?"])
    assert table.rows() == [(1, None, "x"), (None, None, None), (3, 2.5, None)]
    assert table["a"].dtype == pl.Int64


def test_separators_inside_numbers(read: Read) -> None:
    assert read('a\n"1,234.5"\n7\n', thousands=",").rows() == [(1234.5,), (7.0,)]
    assert read("a;b\n1.234,5;x\n7;y\n", thousands=".", decimal=",").rows() == [(1234.5, "x"), (7.0, "y")]


def test_one_bad_value_leaves_a_column_text_but_readable(read: Read) -> None:
    table = read('a,y\n"1,200",1\nlots,2\n3,3\n', thousands=",")
    assert table["a"].to_list() == ["1200", "lots", "3"]
    with pytest.raises(DataError, match=r'1 of 3 values cannot be read as numbers.\n    row 2   values "lots"'):
        prepare(table, "y", family="gaussian")


def test_codes_truth_values_and_spaced_numbers(read: Read) -> None:
    table = read("zip,flag,spaced,huge\n00501,true, 3,99999999999999999999\n10001,false,4 ,1\n", categorical=["zip"])
    assert table["zip"].to_list() == ["00501", "10001"]
    assert table["flag"].to_list() == ["true", "false"]
    assert table["spaced"].to_list() == [3, 4]
    assert table["huge"].to_list() == [1e20, 1.0]


def test_header_names_are_cleaned(read: Read) -> None:
    assert read(",  age ,größe\n1,2,3\n").columns == ["column_1", "age", "größe"]


def test_blank_lines_and_missing_last_values_are_no_ragged_rows(read: Read) -> None:
    assert read("\na,b\n\n1,\n\n2,3\n\n").rows() == [(1, None), (2, 3)]


def test_duplicated_names(read: Read) -> None:
    content = "score,x,score\n1,2,3\n1,2,1\n"
    text = r'E06 Duplicated column name: "score" \(columns 1 and 3; values differ in 1 rows\)'
    with pytest.raises(DataError, match=text):
        read(content)
    assert read(content, dedupe="suffix").columns == ["score", "x", "score_2"]


def test_exact_copies_are_dropped(read: Read) -> None:
    findings: list[Finding] = []
    table = read("x,x,y\n1,1,2\nNA,NA,3\n", findings=findings)
    assert table.columns == ["x", "y"]
    assert [str(finding) for finding in findings] == ['W12 Exact copy dropped: column 2, the second one called "x".']


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather"])
def test_binary_tables(tmp_path: Path, ending: str) -> None:
    table = pl.DataFrame({"a": [1, None], "b": pl.Series(["x", "y"], dtype=pl.Categorical)})
    path = tmp_path / f"table.{ending}"
    if ending == "parquet":
        table.write_parquet(path)
    else:
        table.write_ipc(path)
    assert read_table(path).equals(table)
    if ending == "arrow":
        table.clear().write_ipc(path)
        with pytest.raises(DataError, match=r'E11 "table\.arrow" has no rows'):
            read_table(path)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "t.csv", '"t.csv" is empty'),
        (b"\n \n", "t.csv", "is empty"),
        (b"a,b\n", "t.csv", "has a header row but no data rows"),
        (b"a,b\n\n\n", "t.csv", "has a header row but no data rows"),
        (b"a\0b", "t.csv", "is not a text table: it holds binary data"),
        (bytes(40), "t.csv", "is not a text table: it holds binary data.$"),
        (bytes(range(256)), "t.csv", "is not a text table: it holds binary data.$"),
        (b"a,b\n1,2\n3,\xe9\n", "t.csv", 'is not utf-8 text: line 3 has the byte 0xe9.\n    Fix: encoding="latin-1"'),
        (b"\x1f\x8bxxxxxxxxxxxx", "t.csv.gz", "cannot be unpacked"),
        (b"a,b\n1,2\n3\n", "t.csv", "has 1 row with another number of values than the header, which has 2: row 2; "),
        (b"a,b\n1,2,3\n4,5,6\n", "t.csv", "has 2 rows with another .* which has 2: rows 1, 2; row 1 has 3"),
        (b"a,b\n1\n2\n", "t.csv", "rows 1, 2; row 1 has 1"),
        (b'a,b\n"1,2\n3,4,5\n', "t.csv", "row 1 has 1"),
        (b'a,b\n"1,x"y",2\n3,4\n', "t.csv", "cannot be read as a table .*\n    Fix: look for quotes that do not close"),
        (b'a,b\n"' + b"1," * 100_000, "t.csv", "cannot be read as a table"),
        (b"PK", "t.xls", "is no kind of table that is known by its name.\n    Fix: save it as .csv or .parquet"),
        (b"no", "t.parquet", "cannot be read as parquet"),
        (b"no", "t.feather", "cannot be read as feather"),
        (b"1 1:2 x\n", "t.svm", "cannot be read as svmlight"),
    ],
)
def test_unreadable(read: Read, content: bytes, name: str, message: str) -> None:
    with pytest.raises(DataError, match="E11 .*" + message):
        read(content, name)


def test_no_such_file_folder_or_encoding(tmp_path: Path, read: Read) -> None:
    with pytest.raises(DataError, match=r'E11 ".*none\.csv" does not exist'):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(ValueError, match="encoding is 'klingon', but must be one that Python knows"):
        read("a\n1\n", encoding="klingon")


SVMLIGHT = "1 1:2.5 3:1\n-1 2:4\n"


def test_svmlight(read: Read, tmp_path: Path) -> None:
    table = read(SVMLIGHT, "t.svmlight")
    assert isinstance(table, SparseTable)
    assert (table.height, table.width, table.columns) == (2, 4, ("label", "x1", "x2", "x3"))
    data = prepare(table, "label", family="auto")
    assert data.classes == (-1, 1)
    assert data.y.tolist() == [1.0, 0.0]
    assert data.design[0] is table.matrix.data
    assert data.feature_names == ("x1", "x2", "x3")


def test_svmlight_with_names(read: Read, tmp_path: Path) -> None:
    (tmp_path / "t.features.txt.gz").write_bytes(gzip.compress(b"one\ntwo\nthree\nnever\n"))
    table = read(gzip.compress(SVMLIGHT.encode()), "t.svmlight.gz")
    assert table.columns == ("label", "one", "two", "three", "never")
    assert prepare(table, "label", family="binomial", drop=["two"]).feature_names == ("one", "three", "never")
    data = prepare(table, "label", family="binomial", categorical=["two"])
    assert data.feature_names == ("one", "two = 0", "two = 4", "three", "never")


def test_too_few_svmlight_names(read: Read, tmp_path: Path) -> None:
    (tmp_path / "t.features.txt").write_text("one\n")
    with pytest.raises(DataError, match=r"has 3 columns, but t\.features\.txt has 1 names"):
        read(SVMLIGHT, "t.svmlight")


def test_repeated_svmlight_names(read: Read, tmp_path: Path) -> None:
    (tmp_path / "t.features.txt").write_text("one\ntwo\none\n")
    with pytest.raises(DataError, match="E06 Duplicated column name"):
        prepare(read(SVMLIGHT, "t.svmlight"), "label", family="binomial")


def test_columns_absent_from_a_new_svmlight_file_are_zero(read: Read) -> None:
    preparation = prepare(read(SVMLIGHT, "t.svm"), "label", family="binomial").preparation
    data, indices, indptr, n_rows = prepare_new(preparation, read("0 2:7\n", "new.svm"))
    assert (data.tolist(), indices.tolist(), indptr.tolist(), n_rows) == ([7.0], [0], [0, 0, 1, 1], 1)


def test_same_numbers_as_the_standard_library(read: Read) -> None:
    values = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    table = read("a\n" + "".join(f"{value!r}\n" for value in values.tolist()))
    assert table["a"].to_list() == values.tolist()
