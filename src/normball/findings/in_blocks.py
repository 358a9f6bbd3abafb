"""What `check` looks at where rows come in blocks: all of them for constant columns and copies, else a sample."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Block
from normball.blocks.source import RowBlocks
from normball.findings.column_statistics import Floats
from normball.findings.design import Table
from normball.inputs.prepare import Data
from normball.inputs.sources import source_of
from normball.messages import Finding, count

MOST_ROWS = 50_000  # of the sample
MOST_CELLS = 10_000_000


@dataclass(frozen=True)
class WholeColumns:
    """What is known of the features from all rows that have a weight.

    Attributes
    ----------
    low, high : ndarray
        Their smallest and largest values.
    digests : list of bytes
        Equal ones belong to exact copies.
    """

    low: Floats
    high: Floats
    digests: list[bytes]

    def of(self, table: Table) -> Table:
        """The table with all rows in mind."""
        return replace(table, low=self.low, varies=np.flatnonzero(self.low < self.high), digests=self.digests)


def sampled(blocks: RowBlocks) -> tuple[Data, WholeColumns, list[Finding]]:
    """A sample of evenly spaced rows as data in memory, the columns of all rows, and W39 where these are more."""
    p = blocks.n_features
    most = max(2, min(MOST_ROWS, MOST_CELLS // max(p, 1)))
    low, high = np.full(p, np.inf), np.full(p, -np.inf)
    digests = [hashlib.blake2b(digest_size=16) for _ in range(p)]
    kept: list[tuple[NDArray[Any], ...]] = []
    every, n_kept, n_rows = 1, 0, 0
    for block in blocks.source.open():
        n_rows += block.n_rows
        X = block.X if (block.weights > 0).all() else block.X[block.weights > 0]
        if len(X):
            low, high = np.minimum(low, X.min(axis=0)), np.maximum(high, X.max(axis=0))
            for digest, column in zip(digests, np.ascontiguousarray(X.T, dtype=np.float64), strict=True):
                digest.update(column.tobytes())
        kept.append(_spaced(block, every))
        n_kept += len(kept[-1][0])
        while n_kept > 2 * most:
            every *= 2
            kept = [tuple(part[arrays[0] % every == 0] for part in arrays) for arrays in kept]
            n_kept = sum(len(arrays[0]) for arrays in kept)
    y, weights, offset = (np.concatenate([arrays[k] for arrays in kept]) for k in (2, 3, 4))
    design = _joined([arrays[1] for arrays in kept])
    data = Data(
        design=design,
        y=y,
        family=blocks.family,
        classes=blocks.classes,
        output_names=blocks.output_names,
        target_name=blocks.target_name,
        weights=weights,
        offset=offset,
        preparation=blocks.preparation,
        frame=source_of(design),
        rows=None,
        findings=blocks.findings,
        sample_of=n_rows,
    )
    findings = []
    if every > 1:
        text = (
            f"Looked at one row in {count(every)}, {count(len(y))} of {count(n_rows)}; "
            "constant columns and copies are those of all rows."
        )
        findings.append(Finding("W39", text))
    return data, WholeColumns(low, high, [digest.digest() for digest in digests]), findings


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The rows of all parts by columns, in one copy."""
    design = np.empty((sum(map(len, parts)), parts[0].shape[1]), np.result_type(*parts), order="F")
    return np.concatenate(parts, out=design)


def _spaced(block: Block, every: int) -> tuple[NDArray[Any], ...]:
    """The numbers of every so many rows, and what they hold."""
    rows = np.arange(-block.first_row % every, block.n_rows, every)
    return rows + block.first_row, block.X[rows], block.y[rows], block.weights[rows], block.offset[rows]
