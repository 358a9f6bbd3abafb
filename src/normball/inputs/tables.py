"""Read tables from files: text (CSV, TSV), Parquet, Arrow and svmlight."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.inputs.sources import SparseTable, unique_names
from normball.messages import DataError, Finding, count, raise_errors, sample

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MISSING_WORDS", "SparseTable", "read_table"]

MISSING_WORDS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL")

TEXT = (".csv", ".tsv", ".txt", ".dat", ".data")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
SVMLIGHT = (".svmlight", ".svm", ".libsvm")
DELIMITERS = ",;\t|"
LARGEST_WHOLE = 2**53  # up to here a float holds whole numbers exactly


def read_table(
    path: str | Path,
    *,
    na: Sequence[str] = (),
    thousands: str | None = None,
    decimal: str = ".",
    delimiter: str | None = None,
    encoding: str = "utf-8",
    categorical: Sequence[str] = (),
    dedupe: str = "error",
    findings: list[Finding] | None = None,
) -> pl.DataFrame | SparseTable:
    """Read a table from a file; the kind of file is told by the end of its name, with or without ``.gz``.

    Text tables have a header row. A column becomes numeric when every value in it is a number or missing; otherwise it
    stays text. Spaces around names and values are dropped.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, Parquet, Arrow (Feather) or svmlight. Names of svmlight columns are read from ``NAME.features.txt``
        beside it, one a line; its target is called "label".
    na : sequence of str
        Words that mean a missing value, besides `MISSING_WORDS`.
    thousands, decimal : str
        Separators inside numbers, such as ``thousands=","``.
    delimiter : str, optional
        Between values; by default whichever of comma, semicolon, tab and bar the header has most of.
    encoding : str
        Of text tables.
    categorical : sequence of str
        Columns to keep as text, so that "00501" stays what it is.
    dedupe : {"error", "suffix"}
        What to do with a second column of the same name: an error, or "score_2".
    findings : list, optional
        Remarks are added to it.

    Returns
    -------
    polars.DataFrame or SparseTable

    Raises
    ------
    DataError
        When the file cannot be read as a table.
    """
    path = Path(path)
    if path.is_dir() or not path.exists():
        problem = "is a folder" if path.is_dir() else "does not exist"
        raise _unreadable(path, problem)
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind in SVMLIGHT:
        return _read_svmlight(path)
    if kind in PARQUET + ARROW:
        return _read_binary(path, kind)
    if kind not in TEXT:
        raise _unreadable(path, "is no kind of table that is known by its name", "save it as .csv or .parquet")
    text = _decode(path, _bytes(path), encoding)
    delimiter = delimiter or _delimiter(text)
    words = (*MISSING_WORDS, *na)
    names, table = _split(path, text, delimiter, words, categorical)
    if dedupe == "suffix":
        names = _suffixed(names)
    columns = [_numbers_if_all_are(column, words, thousands, decimal) for column in table]
    for j, name in enumerate(names):
        if name in categorical:
            columns[j] = table.to_series(j).str.strip_chars()
    keep, remarks = unique_names(
        names, lambda i, j: int(columns[i].ne_missing(columns[j]).sum()), 'rename one of them  or  dedupe="suffix"'
    )
    raise_errors(remarks)
    if findings is not None:
        findings += remarks
    return table.select(columns[j].alias(names[j]) for j in keep)


def _unreadable(path: Path, problem: str, fix: str = "") -> DataError:
    return DataError(Finding("E11", f'"{path.name}" {problem}.', fix))


def _bytes(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise _unreadable(path, f"cannot be unpacked ({error})") from None
    return content


def _decode(path: Path, content: bytes, encoding: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in content[:4096]:
        raise _unreadable(path, "is not a text table: it holds binary data")
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = f"is not {encoding} text: line {count(line)} has the byte {content[error.start]:#x}"
        raise _unreadable(path, problem, 'encoding="latin-1"  or  whatever it was written in') from None
    except LookupError:
        raise _unreadable(path, f"cannot be read: there is no encoding {encoding}") from None
    if not text.strip():
        raise _unreadable(path, "is empty")
    return re.sub(r"[\r\n]+", "\n", text.strip("\r\n"))  # blank lines are no rows


def _delimiter(text: str) -> str:
    header = text[: text.find("\n") + 1] or text
    return max(DELIMITERS, key=header.count)


def _split(
    path: Path, text: str, delimiter: str, na: Sequence[str], categorical: Sequence[str]
) -> tuple[list[str], pl.DataFrame]:
    """Names and cells of a text table. Columns that hold numbers only are numbers already, all others text."""
    import polars as pl

    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    names = [name.strip() or f"column_{j + 1}" for j, name in enumerate(header)]
    try:
        table = pl.read_csv(
            io.BytesIO(text.encode()),
            has_header=False,
            skip_rows=1,
            new_columns=[f"{j}" for j in range(len(names))],
            schema_overrides={f"{j}": pl.String for j, name in enumerate(names) if name in categorical},
            infer_schema_length=None,
            null_values=list(na),
            separator=delimiter,
        )
    except pl.exceptions.NoDataError:
        raise _unreadable(path, "has a header row but no data rows") from None
    except pl.exceptions.PolarsError as error:
        _check_lengths(path, text, delimiter)
        problem = str(error).splitlines()[0][:200]
        raise _unreadable(path, f"cannot be read as a table ({problem})", "look for quotes that do not close") from None
    if table.width != len(names) or table.to_series(-1).null_count():
        _check_lengths(path, text, delimiter)
    return names, table.cast({pl.Boolean: pl.String, pl.Int128: pl.Float64})


def _check_lengths(path: Path, text: str, delimiter: str) -> None:
    """Raise when rows have more or fewer values than the header."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        width, *widths = (len(row) for row in rows)
    except csv.Error as error:
        raise _unreadable(path, f"cannot be read as a table ({error})") from None
    wrong = [row for row, found in enumerate(widths, start=1) if found != width]
    if wrong:
        found = widths[wrong[0] - 1]
        problem = f"has {count(len(wrong))} rows with another number of values than the header, which has {width}: "
        problem += f"row{'s' * (len(wrong) > 1)} {sample(wrong)}; row {wrong[0]} has {found}"
        fix = 'put values that hold the delimiter in quotes, or name it: delimiter=";"'
        raise _unreadable(path, problem, fix)


def _suffixed(names: Sequence[str]) -> list[str]:
    """`score, score` as `score, score_2`."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result


def _numbers_if_all_are(text: pl.Series, na: Sequence[str], thousands: str | None, decimal: str) -> pl.Series:
    """The column as numbers when all its values are; values that are stay in a form that can be read."""
    import polars as pl

    if text.dtype != pl.String:
        return text
    text = text.str.strip_chars()
    text = text.set(text.is_in(na), None)
    simple = text
    if thousands:
        simple = simple.str.replace_all(thousands, "", literal=True)
    if decimal != ".":
        simple = simple.str.replace_all(decimal, ".", literal=True)
    number = simple.cast(pl.Float64, strict=False)
    if number.null_count() > text.null_count():
        return simple.zip_with(number.is_not_null(), text)
    return number.cast(pl.Int64) if _is_whole(number) else number


def _is_whole(number: pl.Series) -> bool:
    present = number.drop_nulls()
    return bool((present % 1 == 0).all() and (present.abs() < LARGEST_WHOLE).all() and len(present))


def _read_binary(path: Path, kind: str) -> pl.DataFrame:
    import polars as pl

    try:
        content = io.BytesIO(_bytes(path))
        table = pl.read_parquet(content) if kind in PARQUET else pl.read_ipc(content)
    except (pl.exceptions.PolarsError, OSError) as error:
        problem = str(error).splitlines()[0][:200]
        raise _unreadable(path, f"cannot be read as {kind[1:]} ({problem})") from None
    if not table.height:
        raise _unreadable(path, "has no rows")
    return table


def _read_svmlight(path: Path) -> SparseTable:
    import scipy.sparse as sparse
    from sklearn.datasets import load_svmlight_file

    try:
        rows, label = load_svmlight_file(io.BytesIO(_bytes(path)))
    except ValueError as error:
        raise _unreadable(path, f"cannot be read as svmlight ({error})") from None
    matrix: Any = sparse.csc_array(rows)
    stem = path.name.lower().removesuffix(".gz").rsplit(".", 1)[0]
    names = [f"x{j + 1}" for j in range(matrix.shape[1])]
    for names_path in (path.with_name(path.name[: len(stem)] + end) for end in (".features.txt", ".features.txt.gz")):
        if names_path.exists():
            names = _decode(names_path, _bytes(names_path), "utf-8").splitlines()
            break
    if len(names) < matrix.shape[1]:
        problem = f"has {count(matrix.shape[1])} columns, but {names_path.name} has {count(len(names))} names"
        raise _unreadable(path, problem)
    matrix.resize((matrix.shape[0], len(names)))
    is_whole = bool((label % 1 == 0).all())
    return SparseTable(matrix, tuple(names), label.astype(np.int64) if is_whole else label)
