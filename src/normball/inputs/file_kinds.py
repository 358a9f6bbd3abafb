"""Kinds of files that hold tables: how they are told apart, unpacked, and, where they are no text, read."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from normball.inputs.text_files import unreadable
from normball.messages import sample

if TYPE_CHECKING:
    import polars as pl

TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
JSON_LINES = (".jsonl", ".ndjson")
EXCEL = (".xlsx", ".xlsm")
SVMLIGHT = (".svmlight", ".svm", ".libsvm")
KNOWN = (*TEXT, *PARQUET, *ARROW, *JSON_LINES, *EXCEL, *SVMLIGHT)
PACKED_NAMES = (".gz", ".zip", ".zst", ".zstd")
GZIP, ZIP, ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"  # what packed files begin with
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:/")
BEGINNINGS = (  # of the first line, for what has no name
    (re.compile(rb"PAR1"), PARQUET[0]),
    (re.compile(rb"ARROW1"), ARROW[0]),
    (re.compile(rb"\s*\{"), JSON_LINES[0]),
    (re.compile(rb"[-+.\deE]+( +qid:\d+)?( +\d+:[-+.\deE]+)+ *(#.*)?\r?(\n|$)"), SVMLIGHT[0]),
)


def refuse_address(place: str | Path) -> None:
    """Raise where this is an address of the web and no file."""
    address = str(place)
    if ADDRESS.match(address):
        name = address.rstrip("/").rpartition("/")[2].partition("?")[0] or "table.csv"
        problem = f"is an address ({address}), and tables are read from this machine alone"
        raise unreadable(Path(name), problem, "download it first, and name the file")


def kind_of_name(path: Path) -> str:
    """The end of a file's name that tells its kind, in small letters; "" where it has none."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in PACKED_NAMES]
    return suffixes[-1] if suffixes else ""


def kind_of(content: bytes) -> str:
    """The end of the name that a table of this content would have, by how it begins; what is nothing else is text."""
    if _is_excel(content):
        return EXCEL[0]
    content, name = unpacked(Path("the stream"), content)
    if (kind := kind_of_name(Path(name))) in KNOWN:
        return kind
    return next((kind for beginning, kind in BEGINNINGS if beginning.match(content)), TEXT[0])


def _is_excel(content: bytes) -> bool:
    if not content.startswith(ZIP):
        return False
    try:
        return "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    except zipfile.BadZipFile:
        return False


def unpacked(path: Path, content: bytes) -> tuple[bytes, str]:
    """Content without gzip, zip or Zstandard around it, and the name of what was in a zip file, else ""."""
    try:
        if content.startswith(GZIP):
            return gzip.decompress(content), ""
        if content.startswith(ZSTD):
            return _decompress(path)(content), ""
        if content.startswith(ZIP) and not _is_excel(content):
            return _from_zip(path, zipfile.ZipFile(io.BytesIO(content)))
    except (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise unreadable(path, f"cannot be unpacked ({error})") from None
    return content, ""


def _from_zip(path: Path, archive: zipfile.ZipFile) -> tuple[bytes, str]:
    """The only table in a zip file, and its name."""
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    tables = [name for name in names if kind_of_name(Path(name)) in KNOWN] or names
    if len(tables) != 1:
        held = f"holds {len(tables)} files: {sample(tables, quote=True)}" if tables else "holds no file"
        raise unreadable(path, f"{held}; one table is needed", "unpack it, and name one of its files")
    return archive.read(tables[0]), tables[0]


def _decompress(path: Path) -> Callable[[bytes], bytes]:
    """What unpacks Zstandard: Python from 3.14 on, or the package for it."""
    if find_spec("compression") and find_spec("compression.zstd"):
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]

        return zstd.decompress  # type: ignore[no-any-return, unused-ignore]
    if find_spec("zstandard") is None:
        raise unreadable(path, "is packed with Zstandard", "pip install zstandard  or  unpack it: zstd -d")
    import zstandard  # type: ignore[import-not-found, unused-ignore]

    def decompress(content: bytes) -> bytes:
        found = []
        while content:  # one frame after another
            frame = zstandard.ZstdDecompressor().decompressobj()
            try:
                found.append(frame.decompress(content))
            except zstandard.ZstdError as error:
                raise OSError(str(error)) from None
            if not frame.eof:
                raise EOFError("it ends too early")
            content = frame.unused_data
        return b"".join(found)

    return decompress


def read_columns_of(path: Path, kind: str, content: bytes) -> pl.DataFrame:
    """A table of a file whose columns have types: Parquet, Arrow, JSON lines or Excel."""
    import polars as pl

    read = _reader(path, kind)
    try:
        table = read(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise unreadable(path, f"cannot be read as {kind[1:]} ({problem})") from None
    if not table.height:
        raise unreadable(path, "has no rows")
    return table


def _reader(path: Path, kind: str) -> Callable[[io.BytesIO], pl.DataFrame]:
    import polars as pl

    if kind in PARQUET:
        return pl.read_parquet
    if kind in ARROW:
        return pl.read_ipc
    if kind in JSON_LINES:
        return _read_json_lines
    engine = next((engine for engine, package in _ENGINES.items() if find_spec(package)), None)
    if engine is None:
        raise unreadable(path, "is an Excel file", "pip install openpyxl  or  save it as .csv")
    return lambda file: pl.read_excel(file, engine=engine, infer_schema_length=None)  # type: ignore[call-overload]


_ENGINES = {"calamine": "fastexcel", "openpyxl": "openpyxl"}


def _read_json_lines(file: io.BytesIO) -> pl.DataFrame:
    """Columns by the names in any of the lines; values of several types are told as text."""
    import polars as pl

    rows = [json.loads(line) for line in io.TextIOWrapper(file, encoding="utf-8-sig") if line.strip()]
    if odd := next((row for row in rows if not isinstance(row, dict)), None):
        raise ValueError(f"a line is no object, but {json.dumps(odd)[:40]}")
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[object]) -> pl.Series:
    import polars as pl

    if any(isinstance(value, dict | list) for value in values):
        raise ValueError("a value is a list or an object, and a cell holds one number or text")
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        return pl.Series(values, dtype=pl.Int64 if kinds == {int} else pl.Float64, strict=False)
    if len(kinds) == 1:
        return pl.Series(values)
    return pl.Series([value if value is None or isinstance(value, str) else json.dumps(value) for value in values])
