"""Arrays as blocks of rows: in memory, `numpy.memmap` and `.npy` files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Array, Block
from normball.blocks.fold_units import FoldUnits
from normball.blocks.source import RowBlocks
from normball.folds import make_folds, per_row
from normball.inputs.dates import moments_of
from normball.inputs.preparation import Preparation
from normball.inputs.prepare import prepare
from normball.inputs.sources import source_of
from normball.inputs.terms.numbers import NumberTerm
from normball.messages import DataError, Finding

BYTES = 2**23  # of a block, unless it is asked for otherwise: columns of a block stay in the cache of a core


OF_TABLES: dict[str, Any] = {  # options that arrays do not take, and what each is where it is not given
    "missing": "error",
    "inf": "error",
    "categorical": (),
    "drop": (),
    "min_count": 0,
    "baseline": None,
    "fill_value": None,
    "dates": (),
    "spline": (),
    "interact": (),
}


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Rows of arrays; blocks are views where the layout allows."""

    X: NDArray[Any]
    y: Array
    weights: Array
    offset: Array
    fold: NDArray[np.int32] | None
    rows: int  # of a block

    @property
    def n_blocks_hint(self) -> int:
        """How many blocks there are."""
        return int(-(-self.X.shape[0] // self.rows))

    def open(self) -> Iterator[Block]:
        """The blocks from the first one on."""
        for number, first in enumerate(range(0, self.X.shape[0], self.rows)):
            rows = slice(first, first + self.rows)
            yield Block(
                number,
                first,
                _contiguous(self.X[rows]),
                self.y[rows],
                self.weights[rows],
                self.offset[rows],
                None if self.fold is None else self.fold[rows],
            )


def _contiguous(part: NDArray[Any]) -> NDArray[Any]:
    """Floats without gaps, in the order in which they stand."""
    dtype = part.dtype if part.dtype in (np.float32, np.float64) else np.float64
    order = "F" if part.strides[0] < part.strides[1] else "C"
    return np.asarray(part, dtype=dtype, order=order)  # type: ignore[call-overload,no-any-return]


def read_arrays(
    X: Any,
    y: Any,
    *,
    family: str,
    sample_weight: Any = None,
    offset: Any = None,
    by_row: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
    **options: Any,
) -> RowBlocks | None:
    """An array, or a `.npy` file of one, with its target, weights, offset and folds as arrays; None for all else."""
    if isinstance(X, str | os.PathLike) and str(X).endswith(".npy"):
        X = opened(X)
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "fiub":
        return None
    for name in [name for name, usual in OF_TABLES.items() if options.get(name, usual) not in (usual, None, [], {})]:
        raise ValueError(f"{name} is not available for arrays that are read in blocks: give a table, or leave it out")
    vectors = {"y": y, "sample_weight": sample_weight, "offset": offset, **(by_row or {})}
    vectors = {name: opened(one) if str(one).endswith(".npy") else one for name, one in vectors.items()}
    named = [name for name, one in vectors.items() if isinstance(one, str)]
    if named:
        text = f'The rows are those of an array, whose columns have no names: there is no column "{vectors[named[0]]}".'
        raise DataError(Finding("E02", text, f"{named[0]} as an array, or the file of one"))
    target, n_rows = vectors.pop("y"), X.shape[0]
    stand_in = np.zeros((n_rows, 1))  # the columns are looked at in the first pass
    data = prepare(
        stand_in,
        target,
        family=family,
        sample_weight=vectors.pop("sample_weight"),
        offset=vectors.pop("offset"),
    )
    if len(vectors) > 1:
        raise ValueError(f"{' and '.join(vectors)} cannot be combined: choose one way to make folds")
    role, given = next(iter(vectors.items()), ("", None))
    ids, n_folds, units = _fold_numbers(role, given, n_rows)
    names = source_of(X[:1]).names
    size = block_rows or max(1, BYTES // max(1, X.itemsize * X.shape[1]))
    return RowBlocks(
        source=ArraySource(X, *_dense(data.y, data.weights, data.offset), ids, size),
        family=data.family,
        classes=data.classes,
        output_names=data.output_names,
        target_name=data.target_name,
        preparation=Preparation(tuple(NumberTerm(name) for name in names), named=False),
        findings=data.findings,
        has_offset=offset is not None,
        n_folds=n_folds,
        folds=f"{n_folds} given folds" if n_folds else "",
        units=units,
    )


def _dense(y: Array, weights: Array, offset: Array) -> tuple[Array, Array, Array]:
    """Without gaps between rows."""
    return np.ascontiguousarray(y), np.ascontiguousarray(weights), np.ascontiguousarray(offset)


def opened(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The array of a `.npy` file, read from the disk where it is used."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(Finding("E11", f"{os.fspath(path)} is no whole .npy file: {error}.")) from None
    return array


def _fold_numbers(role: str, values: Any, n_rows: int) -> tuple[NDArray[np.int32] | None, int, FoldUnits | None]:
    """The folds by number, -1 for none, and how many they are; or codes of what is to stay in one fold."""
    if not role:
        return None, 0, None
    if role == "fold_ids":
        folds = make_folds(np.zeros(n_rows), fold_ids=values)
        assert folds.fold_ids is not None
        return folds.fold_ids.astype(np.int32), len(folds), None
    of_rows = np.arange(n_rows) if values is True else values
    moments = moments_of(of_rows, role) if role == "time_order" else of_rows
    found, codes = np.unique(per_row(role, moments, n_rows), return_inverse=True)
    sizes = np.bincount(codes).astype(np.intp)
    units = FoldUnits(role, sizes, found if role == "time_order" else None)
    return codes.astype(np.int32), 0, units
