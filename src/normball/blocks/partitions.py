"""Columns that stand in the path of a file, as in `sales/year=2025/0.parquet`, where many programs put them."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    import polars as pl

MISSING = "__HIVE_DEFAULT_PARTITION__"
WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")


def root_of(place: str | Path) -> Path | None:
    """The folder below which names of folders may be columns; None for a single file."""
    path = Path(place)
    if path.is_dir():
        return path
    if path.exists():
        return None
    fixed = path.parts[: next(k for k, part in enumerate(path.parts) if glob.has_magic(part))]
    return Path(*fixed) if fixed else Path()


@dataclass(frozen=True)
class PathColumns:
    """What the path of each file says of its rows.

    Attributes
    ----------
    values : {file: {column: value}}
        Numbers where all files have whole ones; None where a value is missing.
    schema : {column: polars type}
        The types.
    """

    values: Mapping[Path, Mapping[str, Any]]
    schema: Mapping[str, Any]

    def of(self, file: Path) -> dict[str, Any]:
        """The columns of one file and their types."""
        return {name: self.schema[name] for name in self.values[file]}

    def added(self, file: Path, columns: Sequence[str], own: Iterable[str], parts: Any) -> Iterator[pl.DataFrame]:
        """Parts of a file with some columns, by `parts`, which reads those of them that stand in the file."""
        import polars as pl

        values = self.values[file]
        if not values.keys() & {*columns}:
            yield from parts(list(columns))
            return
        inside = [name for name in columns if name not in values] or [next(iter(own))]  # which tells how many rows
        constants = [pl.lit(value, dtype=self.schema[name]).alias(name) for name, value in values.items()]
        for frame in parts(inside):
            yield frame.with_columns(constants)[:, list(columns)]


def path_columns(
    files: Sequence[Path], root: Path | None, own: Mapping[Path, Iterable[str]], as_text: bool
) -> PathColumns:
    """The columns in the paths below `root`, but for those that stand in the files themselves (`own`)."""
    import polars as pl

    words = {file: _words(file, root) for file in files}
    words = {file: {name: word for name, word in some.items() if name not in own[file]} for file, some in words.items()}
    met: dict[str, list[str]] = {}
    for some in words.values():
        for name, word in some.items():
            met.setdefault(name, []).extend([] if word is None else [word])
    whole = {name for name, found in met.items() if not as_text and found and all(map(WHOLE.fullmatch, found))}
    values = {
        file: {name: int(word) if name in whole and word is not None else word for name, word in some.items()}
        for file, some in words.items()
    }
    return PathColumns(values, {name: pl.Int64() if name in whole else pl.String() for name in met})


def _words(file: Path, root: Path | None) -> dict[str, str | None]:
    if root is None:
        return {}
    pairs = (part.partition("=") for part in file.relative_to(root).parent.parts)
    return {unquote(name): None if word == MISSING else unquote(word) for name, sign, word in pairs if sign and name}
