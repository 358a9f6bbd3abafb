"""What comes in blocks of rows, and who reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.arrays import opened, read_arrays
from normball.blocks.dask_tables import is_dask, read_dask
from normball.blocks.data import MOST_FEATURES, BlockData
from normball.blocks.executor import Executor
from normball.blocks.local import LocalExecutor
from normball.blocks.source import RowBlocks
from normball.blocks.tables import blocks_of, is_long_table
from normball.families import family_name
from normball.settings import Progress, Settings

SHARE_KEPT = 0.4  # of the memory, for blocks that stay between passes; reading and sums take theirs


@dataclass(frozen=True)
class Blocks:
    """Data that are to be read block by block: what `fit_path`, `cv_path` and `compare` take as X.

    A `numpy.memmap` of many rows goes that way by itself; this says so of other data, and how.

    Parameters
    ----------
    X
        An array, a `numpy.memmap` or the path of a `.npy` file; a path, folder or pattern of Parquet, Arrow or text
        files, or what `open_table` gives; a polars LazyFrame, `pyarrow.dataset`, DuckDB relation or anything else that
        gives an Arrow stream each time; a dask frame or array, whose blocks are its partitions; rows that the same
        options made blocks of before (`RowBlocks`).
    rows : int, optional
        How many rows a block has; by default as many as make 8 MB.
    memory : int, optional
        Bytes that reading a table may take, and that blocks may which are kept between passes where all fit. By default
        a table is read in 1 GiB, and no block is kept, but for 1 GiB of those of dask without a cluster.
    executor : Executor, optional
        Where the blocks are and who computes; by default threads of this process, `LocalExecutor`; of dask collections
        the active client, or Dask's threads.
    resume : path-like, optional
        A file (.npz) for what is solved. Where the fit is interrupted, the same call goes on from there; the file stays
        until it is removed.

    Examples
    --------
    >>> import numpy as np, normball as nb
    >>> X = np.random.default_rng(0).normal(size=(1000, 5))
    >>> path = nb.fit_path(nb.Blocks(X, rows=100), X[:, 0] - X[:, 1])
    >>> path.n_sweeps
    1.0
    """

    X: Any
    rows: int | None = None
    memory: int | None = None
    executor: Executor | None = None
    resume: str | os.PathLike[str] | None = None


def comes_in_blocks(X: Any) -> bool:
    """Whether `X` says so, is a memory map of few columns and many rows, or a table that is not in memory."""
    if isinstance(X, np.memmap):
        return X.ndim == 2 and X.shape[1] <= MOST_FEATURES and X.shape[0] >= 10 * X.shape[1]
    if isinstance(X, np.ndarray | list | tuple):
        return False
    return isinstance(X, Blocks | str | os.PathLike) or is_dask(X) or is_long_table(X)


def refuse_blocks(X: Any, who: str, instead: str) -> None:
    """A TypeError where something that needs all rows in memory is given rows in blocks; it says what to do instead."""
    if not isinstance(X, np.ndarray) and comes_in_blocks(X):
        raise TypeError(f"{who} needs all rows in memory, and {type(X).__name__} comes in blocks: {instead}")


def array_of(X: Any) -> NDArray[Any] | None:
    """The array that is to be read in blocks, or the one in a `.npy` file; None for all else."""
    found = X.X if isinstance(X, Blocks) else X
    if isinstance(found, str | os.PathLike) and str(found).endswith(".npy"):
        found = opened(found)
    return found if isinstance(found, np.ndarray) else None


def block_data(
    X: Any, y: Any, settings: Settings, options: Mapping[str, Any], by_row: Mapping[str, Any] | None
) -> BlockData:
    """What the first reader that knows `X` makes of it; `options` and `by_row` are those of `prepare`."""
    found = row_blocks(X, y, {"family": settings.family, **options}, by_row, settings.progress)
    given = X if isinstance(X, Blocks) else Blocks(X)
    executor = given.executor or found.executor or LocalExecutor(settings.n_threads, SHARE_KEPT * (given.memory or 0))
    return BlockData(found, executor, settings.progress, given.resume)


def _without_text(options: dict[str, Any]) -> dict[str, Any]:
    """The options that readers of blocks take; a ValueError where words are to become features."""
    if options.get("text"):
        raise ValueError(
            "text: not for rows that come in blocks, whose words are not counted; leave it out, or fit a sample of the "
            "rows in memory"
        )
    return {name: value for name, value in options.items() if name != "text"}


def row_blocks(
    X: Any, y: Any, options: Mapping[str, Any], by_row: Mapping[str, Any] | None = None, progress: Progress = None
) -> RowBlocks:
    """The blocks of the first reader that knows `X`; see `block_data`."""
    given = X if isinstance(X, Blocks) else Blocks(X)
    if isinstance(given.X, RowBlocks):
        return given.X
    by_row = {name: values for name, values in (by_row or {}).items() if values is not None}
    options = dict(options)
    if options.pop("strata", None) is not None:
        raise ValueError('strata are those of family="cox", which needs all rows in memory')
    options = _without_text(options)
    local = (read_arrays, partial(blocks_of, progress=progress))
    readers = (partial(read_dask, executor=given.executor),) if is_dask(given.X) else local
    known = {**options, "family": family_name(options["family"])}
    for read in readers:
        found = read(given.X, y, by_row=by_row, memory=given.memory, block_rows=given.rows, **known)
        if found is not None:
            return found
    raise TypeError(f"{type(given.X).__name__} is nothing that can be read in blocks of rows")
