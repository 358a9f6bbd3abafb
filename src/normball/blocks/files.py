"""Long tables in files: one, all that a pattern names, or all in a folder."""

from __future__ import annotations

import glob
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.blocks.long_table import LongTable, another_type, kind_of
from normball.blocks.partitions import path_columns
from normball.blocks.text_parts import TextFile, text_file
from normball.inputs.file_kinds import ARROW, PARQUET, TEXT, refuse_address
from normball.inputs.reading import Reading
from normball.inputs.tables import suffixed
from normball.inputs.text_files import missing_file, unreadable
from normball.messages import DataError, Finding, raise_errors, sample

if TYPE_CHECKING:
    import polars as pl

KNOWN = PARQUET + ARROW + TEXT
LARGE_FILE = 1 << 26  # bytes from which on a Parquet file is read page by page
PAGE = 1 << 20


def files_of(place: str | Path) -> list[Path]:
    """The files that a path names, by name: itself, what a pattern finds, or what is in a folder."""
    refuse_address(place)
    path = Path(place)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if kind_of_file(file) in KNOWN and not _is_hidden(file, path)]
        if not found:
            raise unreadable(path, "is a folder without a table", f"tables end in {sample(KNOWN)}")
        return found
    if path.exists():
        return [path]
    found = sorted(Path(file) for file in glob.glob(str(place), recursive=True) if Path(file).is_file())
    if not found:
        is_pattern = glob.has_magic(str(place))
        raise unreadable(path, "is a pattern that no file has") if is_pattern else missing_file(path)
    return found


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)


def kind_of_file(file: Path) -> str:
    """The end of its name, without `.gz`."""
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    return suffixes[-1] if suffixes else ""


def table_of_files(files: Sequence[Path], reading: Reading, root: Path | None = None) -> LongTable:
    """The table that some files make together; names of folders below `root` may be columns."""
    kinds = {kind_of_file(file) for file in files}
    if not kinds <= {*KNOWN}:
        odd = next(file for file in files if kind_of_file(file) not in KNOWN)
        raise unreadable(odd, "is no kind of table that can be read in parts", "save it as .parquet or .csv")
    empty = [file.name for file in files if not file.stat().st_size]
    if empty:
        text = f"Empty file: {sample(empty, quote=True)} of {len(files)}."
        raise DataError(Finding("E11", text, "write it again, or take it away"))
    if kinds <= {*TEXT}:
        return _text(files, reading, root)
    if kinds <= {*PARQUET}:
        return _columnar(files, "parquet", reading, root)
    if kinds <= {*ARROW}:
        return _columnar(files, "ipc", reading, root)
    names = [next(file.name for file in files if kind_of_file(file) == kind) for kind in sorted(kinds)]
    raise unreadable(
        files[0], f"is one of files of several kinds: {sample(names, quote=True)}", "name those of one kind"
    )


def _columnar(files: Sequence[Path], kind: str, reading: Reading, root: Path | None) -> LongTable:
    """Parquet or Arrow files."""
    import polars as pl
    from polars.selectors import by_name

    scan: Callable[[Path], pl.LazyFrame] = pl.scan_parquet if kind == "parquet" else pl.scan_ipc
    schemas, n_rows = dict[Path, dict[str, Any]](), 0
    for file in files:
        with _read_as(kind, file):
            schemas[file] = dict(scan(file).collect_schema())
            n_rows += int(scan(file).select(pl.len()).collect().item())  # stands in the file

    in_paths = path_columns(files, root, schemas, as_text=False)

    def parts(file: Path, n_rows: int, columns: list[str]) -> Iterator[pl.DataFrame]:
        with _read_as(kind, file):
            if kind == "parquet" and file.stat().st_size > LARGE_FILE and find_spec("pyarrow"):
                yield from _by_pages(file, columns, n_rows)
            else:
                yield from scan(file).select(by_name(columns)).collect_batches(chunk_size=n_rows, maintain_order=True)

    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        for file in files:
            yield from in_paths.added(file, columns, schemas[file], partial(parts, file, n_rows))

    schema, conflicts = common_schema({file: own | in_paths.of(file) for file, own in schemas.items()})
    return LongTable(schema, opened, reading.form, reading.categorical, conflicts=conflicts, n_rows_hint=n_rows)


def _by_pages(file: Path, columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file page by page: polars holds whole groups of rows, which may be most of the file."""
    import polars as pl
    from pyarrow import default_memory_pool
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file, pre_buffer=False, buffer_size=PAGE) as opened:
        for batch in opened.iter_batches(n_rows, columns=columns):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            default_memory_pool().release_unused()  # pages that were decoded, or they would stay until the end
            yield frame[:, columns]


def _text(files: Sequence[Path], reading: Reading, root: Path | None) -> LongTable:
    """Text files, all of whose columns are text until they are surveyed."""
    import polars as pl

    findings: list[Finding] = []
    opened_files = {}
    for file in files:
        opened_files[file] = one = text_file(file, reading, findings)
        if reading.dedupe == "suffix":
            opened_files[file] = replace(one, layout=replace(one.layout, names=tuple(suffixed(one.layout.names))))
        raise_errors(_doubles(opened_files[file]))
    names = {file: one.layout.names for file, one in opened_files.items()}
    in_paths = path_columns(files, root, names, as_text=True)
    schema, _ = common_schema(
        {file: dict.fromkeys(own, pl.String()) | in_paths.of(file) for file, own in names.items()}
    )
    checked: set[Path] = set()  # files of whose rows the lengths are known to be right

    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        for file, one in opened_files.items():
            parts = partial(one.parts, checks_lengths=file not in checked)
            yield from in_paths.added(file, columns, names[file], parts)
            checked.add(file)

    return LongTable(schema, opened, reading.form, reading.categorical, findings=tuple(findings))


def _doubles(file: TextFile) -> list[Finding]:
    """E06 for names that more than one column has."""
    twice = [name for name, times in Counter(file.layout.names).items() if times > 1]
    fix = 'rename one of them, or dedupe="suffix"'
    return [
        Finding("E06", f'"{file.path.name}" has more than one column called "{name}".', fix, (name,)) for name in twice
    ]


@contextmanager
def _read_as(kind: str, file: Path) -> Iterator[None]:
    """What goes wrong in here is wrong with the file."""
    try:
        yield
    except reading_errors() as error:
        problem = str(error).splitlines()[0][:200]
        raise unreadable(file, f"cannot be read as {kind} ({problem})", "write it again") from None


def reading_errors() -> tuple[type[Exception], ...]:
    """What the libraries raise that read tables, of those that are loaded."""
    import polars as pl

    errors: list[type[Exception]] = [OSError, pl.exceptions.PolarsError]
    for module, name in (("pyarrow", "ArrowException"), ("duckdb", "Error")):
        if module in sys.modules:
            errors.append(getattr(sys.modules[module], name))
    return tuple(errors)


def common_schema(schemas: Mapping[Path, Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Finding]]:
    """The columns of all files, and what is wrong with those of several kinds; raises where some file lacks one."""
    (first, known), *others = schemas.items()
    known = dict(known)
    conflicts: dict[str, Finding] = {}
    for file, schema in others:
        lacking, more = [name for name in known if name not in schema], [name for name in schema if name not in known]
        if lacking:
            raise unreadable(file, f'lacks columns that "{first.name}" has: {sample(lacking, quote=True)}')
        if more:
            raise unreadable(file, f'has columns that "{first.name}" lacks: {sample(more, quote=True)}')
        for name, dtype in schema.items():
            if not kind_of(known[name]):
                known[name] = dtype
            elif kind_of(dtype) not in ("", kind_of(known[name])):
                conflicts.setdefault(name, another_type(name, known[name], dtype, f'in "{file.name}"'))
    return known, conflicts
