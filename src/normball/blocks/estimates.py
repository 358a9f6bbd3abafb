"""The parameter of a family where it is to be estimated: from the target of all rows, or of evenly spaced ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from normball.blocks.encoding import RowReader
from normball.blocks.long_table import LongTable
from normball.families import find_family
from normball.inputs.columns import Floats
from normball.inputs.targets import settled
from normball.messages import Finding, count

if TYPE_CHECKING:
    import polars as pl

SAMPLED = 200_000  # rows from which a parameter is estimated at most


@dataclass
class SpacedRows:
    """Target, weights and offset of every so many rows, as far as these are used."""

    reader: RowReader
    every: int
    parts: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        chosen = frame[-first_row % self.every :: self.every]
        if chosen.height:
            _, y, weights, offset = self.reader.read(chosen).kept()
            self.parts.append((y, weights, offset))

    def join(self, later: SpacedRows) -> None:
        """Take what was found in later rows."""
        self.parts += later.parts


def settled_family(
    family: str, table: LongTable, reader: RowReader, n_rows: int, part_rows: int
) -> tuple[str, list[Finding]]:
    """The family with its parameter, and from how many of the `n_rows` rows that was estimated where not from all."""
    if not find_family(family).is_open:
        return family, []
    every = -(-n_rows // SAMPLED)
    found = table.run(reader.roles.columns, part_rows, SpacedRows(reader, every))
    y, weights, offset = (np.concatenate(arrays) for arrays in zip(*found.parts, strict=True))
    assert reader.target is not None
    known = settled(family, y, weights, offset, reader.target.title)
    if every == 1:
        return known, []
    text = f"{known}: the parameter was estimated from {count(len(y))} evenly spaced rows of {count(n_rows)}."
    fix = f'family="{known}" to fix it, or another value'
    return known, [Finding("W38", text, fix, reader.target.names)]
