"""Read tables from files, or from frames whose cells are text."""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.inputs.column_findings import reading as reading_call
from normball.inputs.file_kinds import (
    KNOWN,
    SVMLIGHT,
    TEXT,
    kind_of,
    kind_of_name,
    read_columns_of,
    refuse_address,
    unpacked,
)
from normball.inputs.reading import Reading, TextFormat, checked
from normball.inputs.sources import SparseTable, unique_names
from normball.inputs.streams import at_hand
from normball.inputs.text import GROUPED, Cells, read_columns, to_numbers
from normball.inputs.text_files import decode, missing_file, read_text_file, unreadable
from normball.messages import OR, Finding, NormballWarning, count, raise_errors, sample, words

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SparseTable", "read_table"]

OF_FILES = ("delimiter", "encoding", "header")


def read_table(
    source: Any,
    *,
    na: Sequence[str] = (),
    thousands: str | None = None,
    decimal: str = ".",
    units: Sequence[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    header: int | str | None = None,
    categorical: Sequence[str] = (),
    dedupe: str = "error",
    findings: list[Finding] | None = None,
) -> pl.DataFrame | SparseTable:
    """Read a table from a file, or the cells of text in a frame.

    The kind of a file is told by the end of its name, with or without ``.gz``, ``.zip`` or ``.zst``. A column of text
    becomes numeric when every value in it is a number or missing; otherwise it stays text. Spaces around names and
    values are dropped.

    Parameters
    ----------
    source : str, Path, binary file, frame or dict
        CSV, TSV, Parquet, Arrow (Feather), JSON lines (``.jsonl``, ``.ndjson``), Excel (``.xlsx``, its first sheet;
        needs openpyxl or fastexcel) or svmlight. Names of svmlight columns are read from ``NAME.features.txt`` beside
        it, one a line; its target is called "label". Or a file that is open for reading bytes, whose kind is
        told by how it begins; a frame of any library; or columns by name.
    na : sequence of str
        Words that mean a missing value, besides the usual ones such as "NA", "n/a" and "NaN". A word that is a number,
        "-999", stands for that number however it is written, in numeric columns too.
    thousands, decimal : str
        Separators inside numbers, such as ``thousands=","``. A space stands for every kind of space.
    units : sequence of str
        What may stand beside numbers, ``["%", "$", "kg"]``; it is left out. A column may have one of them.
    delimiter : str, optional
        Between values; by default whichever of comma, semicolon, tab and bar the header has most of, or spaces where
        it has none of these. "tab" is a word for a tab.
    encoding : str, optional
        Of text tables; by default what the file's first bytes say, or UTF-8.
    header : int or "none", optional
        The line that holds the names, counted from 1; "none" calls the columns column_1, column_2, ...
    categorical : sequence of str
        Columns to keep as text, so that "00501" stays what it is.
    dedupe : {"error", "suffix"}
        What to do with a second column of the same name: an error, or "score_2".
    findings : list, optional
        What is worth knowing is added to it, errors in single columns too; without it they are warnings.

    Returns
    -------
    polars.DataFrame or SparseTable

    Raises
    ------
    DataError
        When the table cannot be read.
    ValueError
        When an option has no meaning.

    Examples
    --------
    >>> import normball as nb
    >>> nb.read_table({"rent": ["1,200 $", "980 $"]}, thousands=",", units=["$"])["rent"].to_list()
    [1200, 980]
    """
    reading = checked(
        na=na,
        thousands=thousands,
        decimal=decimal,
        units=units,
        delimiter=delimiter,
        encoding=encoding,
        header=header,
        categorical=categorical,
        dedupe=dedupe,
    )
    remarks: list[Finding] = []
    table = _read(source, reading, remarks)
    if findings is not None:
        findings += remarks
    else:
        for remark in remarks:
            warnings.warn(str(remark), NormballWarning, stacklevel=2)
    return table


def _read(source: Any, reading: Reading, remarks: list[Finding]) -> pl.DataFrame | SparseTable:
    """The table, by the kind of its source."""
    if hasattr(source, "read"):
        content = source.read()
        kind = kind_of(content)
        content, _ = unpacked(Path("the stream"), content)
        return _read_bytes(Path(f"{getattr(source, 'name', 'stream')}{kind}"), kind, content, reading, remarks)
    if not isinstance(source, str | Path):
        remarks += _unsuited("a frame", reading, OF_FILES)
        names, columns = _frame_columns(source)
        return _interpreted(names, columns, reading, remarks)
    refuse_address(source)
    path = Path(source)
    if path.is_dir() or not path.exists():
        raise unreadable(path, "is a folder") if path.is_dir() else missing_file(path)
    kind, content = kind_of_name(path), None
    if kind not in KNOWN and path.suffix.lower() == ".zip":  # what is in it tells
        content, inside = unpacked(path, path.read_bytes())
        kind = kind_of_name(Path(inside))
    if kind not in KNOWN:
        raise unreadable(path, "is no kind of table that is known by its name", "save it as .csv or .parquet")
    content = unpacked(path, path.read_bytes())[0] if content is None else content
    return _read_bytes(path, kind, content, reading, remarks)


def _read_bytes(
    path: Path, kind: str, content: bytes, reading: Reading, remarks: list[Finding]
) -> pl.DataFrame | SparseTable:
    """The table of some content; the path is for messages and for what may stand beside it."""
    if kind in SVMLIGHT:
        remarks += _unsuited("an svmlight file", reading, {*OF_FILES, "dedupe", "thousands", "decimal", "units"})
        return _read_svmlight(path, content, reading.form, remarks)
    if kind not in TEXT:
        remarks += _unsuited(f"a {kind[1:]} file", reading, {*OF_FILES, "dedupe"})
        table = read_columns_of(path, kind, content)
        return _interpreted(table.columns, table.get_columns(), reading, remarks)
    names, cells, delimiter = read_text_file(path, content, reading, remarks)
    table = _interpreted(names, cells.get_columns(), reading, remarks)
    if delimiter == ";" and reading.form.is_plain:
        remarks += _points(names, cells, table)
    return table


def _interpreted(
    names: Sequence[str],
    columns: Sequence[pl.Series],
    reading: Reading,
    remarks: list[Finding],
) -> pl.DataFrame:
    """Columns whose text was read, under names that differ."""
    import polars as pl

    if reading.dedupe == "suffix":
        names = suffixed(names)
    columns = [column.alias("") for column in columns]  # else "^x.*$" is a pattern to their methods
    result = list(columns)
    free = [j for j, name in enumerate(names) if columns[j].dtype == pl.String and name not in reading.categorical]
    text = pl.DataFrame([columns[j].alias(f"{j}") for j in free])
    met: set[str] = set()
    for j, cells in zip(free, read_columns(text, reading.form), strict=True):
        result[j], met = cells.values, met | cells.matched
        remarks += about_cells(names[j], columns[j], cells, reading.form)
    for j in {*range(len(columns))}.difference(free):
        column = columns[j].str.strip_chars() if columns[j].dtype == pl.String else columns[j]
        result[j], found = without_words(column, reading.form)
        met |= found
    remarks += not_met(reading.form, met)
    fix = 'rename one of them, or dedupe="suffix"'
    if 2 * np.isfinite(to_numbers(names)).sum() > len(names):
        fix += ', or header="none" if the first line holds no names'
    keep, doubles = unique_names(names, lambda i, j: int(result[i].ne_missing(result[j]).sum()), fix)
    raise_errors(doubles)
    remarks += doubles
    return pl.DataFrame([result[j].alias(names[j]) for j in keep])


def about_cells(name: str, text: pl.Series, cells: Cells, form: TextFormat) -> list[Finding]:
    """What there is to say about a column that was read."""
    if cells.n_foreign:
        bad = cells.values.filter(cells.values.str.contains(".", literal=True)).to_list()
        what = (
            f'Column "{name}" has {count(cells.n_foreign)} of {count(len(text))} values with points, which '
            f'decimal="{form.decimal}" does not explain: {sample(bad, quote=True)}.'
        )
        fix = OR.join(
            [reading_call(replace(form, thousands=".", na=())), f"categorical={words([name])}", f"drop={words([name])}"]
        )
        return [Finding("E01", what, fix, (name,))]
    if cells.is_plain:
        what = f'"{name}" has decimal points, unlike {" and ".join(_said(form))}, and is read so.'
        return [Finding("W13", what, columns=(name,))]
    if cells.n_negative:
        example = str(text.filter(text.str.contains(r"\)\s*$|\d\s*-\s*$"))[0])
        what = (
            f'"{name}" has {count(cells.n_negative)} values in parentheses or with a minus behind, such as '
            f'"{example}"; read as negative numbers.'
        )
        fix = f"if these are labels: categorical={words([name])}"
        return [Finding("W13", what, fix, (name,))]
    return []


def _points(names: Sequence[str], cells: pl.DataFrame, table: pl.DataFrame) -> list[Finding]:
    """W13: 1.234 in every cell, where the semicolons speak for a country whose numbers have points at the thousands."""
    import polars as pl

    found = []
    for name, text in zip(names, cells.get_columns(), strict=True):
        if table[name].dtype == pl.Float64 and text.str.strip_chars().str.contains(GROUPED).all():
            example = text.drop_nulls()[0]
            what = (
                f'"{name}" has a point and three digits behind it in every value, such as "{example}"; read as '
                "decimals."
            )
            fix = f"if the points separate thousands: {reading_call(TextFormat(thousands='.', decimal=','))}"
            found.append(Finding("W13", what, fix, (name,)))
    return found


def _said(form: TextFormat) -> list[str]:
    return [f'{name}="{value}"' for name, value in form.options.items() if name in ("thousands", "decimal")]


def not_met(form: TextFormat, met: Collection[str]) -> list[Finding]:
    """W10: what was said about the text and was not met in it."""
    lacking = [("na", f'no value is "{word}"') for word in form.na if word not in met]
    lacking += [("units", f'no number has "{unit}" beside it') for unit in form.units if unit not in met]
    if form.thousands and "thousands" not in met:
        lacking.append(("thousands", f'no number has "{form.thousands}" between its thousands'))
    if form.decimal != "." and "decimal" not in met and "thousands" not in met:
        lacking.append(("decimal", f'no number has "{form.decimal}" before its decimals'))
    return [_without_effect(option, why) for option, why in lacking]


def _unsuited(kind: str, reading: Reading, names: Collection[str]) -> list[Finding]:
    """W10: options that say nothing about this kind of table."""
    given = {**reading.form.options, "delimiter": reading.delimiter, "encoding": reading.encoding}
    given |= {"header": reading.header is not None, "dedupe": reading.dedupe == "suffix"}
    return [_without_effect(name, f"{kind} needs none") for name, value in given.items() if name in names and value]


def _without_effect(option: str, why: str) -> Finding:
    return Finding("W10", f"The option {option} changed nothing: {why}.")


def without_words(column: pl.Series, form: TextFormat) -> tuple[pl.Series, set[str]]:
    """A column of numbers or labels with null for the words that mean a missing value, and those that were met."""
    import polars as pl

    if not form.na or not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Categorical, pl.Enum)):
        return column, set()
    text = column.cast(pl.String)
    numbers = column if column.dtype.is_numeric() else pl.Series(to_numbers(text.to_list(), form))
    met = set()
    for word in form.na:
        same = (text == word).fill_null(False)
        value = to_numbers([word], form)[0]
        if not np.isnan(value):  # to polars NaN is NaN
            same |= (numbers == value).fill_null(False)
        if same.any():
            met.add(word)
            column = column.set(same, None)
    return column, met


def _frame_columns(source: Any) -> tuple[list[str], list[pl.Series]]:
    """Names and columns of a frame or of columns by name."""
    import narwhals as nw
    import polars as pl

    if isinstance(source, Mapping):
        return [str(name) for name in source], [pl.Series(list(values), strict=False) for values in source.values()]
    source = at_hand(source)
    if not nw.dependencies.is_into_dataframe(source):
        raise TypeError(f"the source of a table must be a path, a frame or a dict, not {type(source).__name__}")
    frame = nw.from_native(source, eager_only=True)
    return [str(name) for name in frame.columns], [_as_polars(frame[:, j]) for j in range(len(frame.columns))]


def _as_polars(series: Any) -> pl.Series:
    """One column of a frame of any library; what has several types is text."""
    import narwhals as nw
    import polars as pl

    if series.dtype == nw.Object:
        return pl.Series([None if value is None or value != value else str(value) for value in series.to_list()])
    if series.dtype == nw.String:
        return pl.Series(series.to_list(), dtype=pl.String)
    values: pl.Series = series.to_polars()
    return values


def suffixed(names: Sequence[str]) -> list[str]:
    """`score, score` as `score, score_2`, or the first number that no other column has."""
    result: list[str] = []
    taken = set(names)
    seen: set[str] = set()
    for name in names:
        new, number = name, 2
        while new in seen or (new != name and new in taken):
            new, number = f"{name}_{number}", number + 1
        seen.add(new)
        result.append(new)
    return result


def _read_svmlight(path: Path, content: bytes, form: TextFormat, remarks: list[Finding]) -> SparseTable:
    import scipy.sparse as sparse
    from sklearn.datasets import load_svmlight_file

    try:
        rows, label = load_svmlight_file(io.BytesIO(content))
    except ValueError as error:
        raise unreadable(path, f"cannot be read as svmlight ({error})") from None
    matrix: Any = sparse.csc_array(rows)
    stem = path.name.lower().removesuffix(".gz").rsplit(".", 1)[0]
    names = [f"x{j + 1}" for j in range(matrix.shape[1])]
    for names_path in (path.with_name(path.name[: len(stem)] + end) for end in (".features.txt", ".features.txt.gz")):
        if names_path.exists():
            names = decode(names_path, unpacked(names_path, names_path.read_bytes())[0], None, []).splitlines()
            break
    if len(names) < matrix.shape[1]:
        problem = f"has {count(matrix.shape[1])} columns, but {names_path.name} has {count(len(names))} names"
        raise unreadable(path, problem)
    matrix.resize((matrix.shape[0], len(names)))
    met = {word for word in form.na if _mark_missing(matrix.data, label, to_numbers([word])[0])}
    remarks += not_met(TextFormat(na=form.na), met)
    is_whole = bool((label % 1 == 0).all())
    return SparseTable(matrix, tuple(names), label.astype(np.int64) if is_whole else label)


def _mark_missing(data: Any, label: Any, value: float) -> bool:
    """Put NaN in place of a number; whether it was met."""
    places = [(array, array == value) for array in (data, label)]
    for array, same in places:
        array[same] = np.nan
    return any(same.any() for _, same in places)
