"""From a part of a long table to a `Block`: columns read, rows left out, levels and gaps made features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Block
from normball.blocks.long_table import LongTable, changed
from normball.blocks.passes import lacking
from normball.blocks.readers import NumberReader, Reader, read_frame
from normball.blocks.target import TargetColumns
from normball.blocks.terms import Encoder
from normball.inputs.class_targets import any_output
from normball.inputs.columns import Floats, Mask
from normball.inputs.gaps import NOUNS
from normball.inputs.preparation import Preparation, dense_design
from normball.inputs.terms.numbers import NumberTerm
from normball.messages import count

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Roles:
    """Which columns are what.

    Attributes
    ----------
    features, target : tuple of str
        Features, and the target: several columns where it has several outputs.
    weights, exposure, fold : str
        Weights of the rows, what the logarithm of is an offset, and what makes the folds; "" for none.
    offsets : tuple of str
        Offsets, one for each output.
    fold_role : str
        "fold_ids", "fold_groups" or "time_order"; "" where the column is something else.
    """

    features: tuple[str, ...]
    target: tuple[str, ...]
    weights: str = ""
    offsets: tuple[str, ...] = ()
    exposure: str = ""
    fold: str = ""
    fold_role: str = ""

    @property
    def needed(self) -> dict[str, str]:
        """The columns without which a row is not used, and the role of each in a word."""
        roles = [(name, "target") for name in self.target]
        roles += [(name, NOUNS["sample_weight"]) for name in [self.weights] if name]
        roles += [(name, NOUNS["offset"]) for name in (*self.offsets, self.exposure) if name]
        roles += [(self.fold, NOUNS[role]) for role in [self.fold_role] if role]
        return dict(roles)

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.features, *self.others)))

    @property
    def others(self) -> tuple[str, ...]:
        """Those that are no features."""
        names = (*self.target, self.weights, *self.offsets, self.exposure, self.fold)
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class Rows:
    """Some rows as they were read: the columns, and which of them a model uses.

    Attributes
    ----------
    columns : {name: ndarray}
        Numbers with NaN, or codes with -1, where a value is missing.
    y, weights, offset : ndarray
        As in `Block`.
    used : ndarray of bool or None
        The rows that are not left out; None: all.
    """

    columns: Mapping[str, NDArray[Any]]
    y: Floats
    weights: Floats
    offset: Floats
    used: Mask | None

    def kept(self) -> tuple[Mapping[str, NDArray[Any]], Floats, Floats, Floats]:
        """Columns, target, weights and offset of the rows that are used."""
        used = self.used
        if used is None:
            return self.columns, self.y, self.weights, self.offset
        columns = {name: values[used] for name, values in self.columns.items()}
        return columns, self.y[used], self.weights[used], self.offset[used]


@dataclass(frozen=True)
class RowReader:
    """Reads the rows of a part of the table.

    Attributes
    ----------
    roles, readers, target
        Which columns are what and how they are read.
    weight_divisor : float
        What weights are divided by.
    drops_gaps : bool
        Whether rows that lack a feature are left out.
    folds : tuple or None
        What stands in the column that makes the folds: the names of these, groups, or times.
    n_outputs : int
        How many outputs there are, where there is no target.
    """

    roles: Roles
    readers: Mapping[str, Reader]
    target: TargetColumns | None
    weight_divisor: float
    drops_gaps: bool
    folds: tuple[Any, ...] | None = None
    n_outputs: int = 1

    def read(self, frame: pl.DataFrame, with_features: bool = True) -> Rows:
        """All rows of a frame; features may be left out where none of them decides which rows are used."""
        names = self.roles.columns if with_features else self.roles.others
        columns = read_frame({name: self.readers[name] for name in names}, frame)
        y = self._no_target(frame.height) if self.target is None else self.target.values(columns)
        used = ~any_output(np.isnan(y))
        for name in self.roles.needed:
            used &= ~lacking(columns[name])
        if self.drops_gaps:
            for name in self.roles.features:
                used &= ~lacking(columns[name])
        weights = np.ones(len(y)) if not self.roles.weights else columns[self.roles.weights] / self.weight_divisor
        return Rows(columns, y, weights, self._offset(columns, y.shape), None if used.all() else used)

    def _no_target(self, n_rows: int) -> Floats:
        return np.zeros((n_rows, self.n_outputs) if self.n_outputs > 1 else n_rows)

    def fold_numbers(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.int32] | None:
        """Which of the `folds` each row has, -1 for none."""
        if self.folds is None:
            return None
        named = columns[self.roles.fold]
        if named.dtype.kind != "f":
            return named.astype(np.int32)  # codes of labels
        known = np.array(self.folds, dtype=np.float64)
        place = np.minimum(np.searchsorted(known, named), len(known) - 1)
        return np.where(known[place] == named, place, -1).astype(np.int32)

    def _offset(self, columns: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Floats:
        offsets = [columns[name] for name in self.roles.offsets]
        if self.roles.exposure:
            offsets.append(np.log(columns[self.roles.exposure]))
        if not offsets:
            return np.zeros(shape)
        return np.column_stack(offsets) if len(shape) == 2 else np.asarray(sum(offsets))


@dataclass(frozen=True)
class TableRows:
    """The `RowSource` of a long table.

    Attributes
    ----------
    table : LongTable
        Where rows come from.
    reader : RowReader
        How they are read.
    preparation : Preparation
        How they become features.
    n_table_rows, block_rows : int
        Rows of the table, and how many of them make a block.
    levels : {column: ndarray}
        For columns of labels the level that each code is, and -1 or the level of gaps at the end.
    """

    table: LongTable
    reader: RowReader
    preparation: Preparation
    n_table_rows: int
    block_rows: int
    levels: Mapping[str, NDArray[np.int32]]

    @property
    def n_blocks_hint(self) -> int:
        """How many blocks there are."""
        return -(-self.n_table_rows // self.block_rows)

    def open(self) -> Iterator[Block]:
        """The blocks from the first one on."""
        return (block for _, block in self.beside([]))

    def beside(self, names: Sequence[str]) -> Iterator[tuple[pl.DataFrame, Block]]:
        """The blocks from the first one on, beside each of them some columns of its rows as they stand in the table."""
        import polars as pl

        first_row = 0
        columns = list(dict.fromkeys([*self.reader.roles.columns, *names]))
        for number, frame in enumerate(self.table.parts(columns, self.block_rows)):
            block, used = self._block(frame, number, first_row)
            rows = frame if used is None else frame.filter(pl.Series(used))
            yield rows[:, list(names)], block
            first_row += block.n_rows

    def block(self, frame: pl.DataFrame, number: int, first_row: int) -> Block:
        """The block that a part of the table gives."""
        return self._block(frame, number, first_row)[0]

    def _block(self, frame: pl.DataFrame, number: int, first_row: int) -> tuple[Block, Mask | None]:
        """A block, and which of the rows are in it."""
        as_it_is = self._is_stored_so and not self.reader.drops_gaps
        rows = self.reader.read(frame, with_features=not as_it_is)
        columns, y, weights, offset = rows.kept()
        fold = self.reader.fold_numbers(columns)
        X = self._stored(frame if rows.used is None else frame.filter(rows.used)) if as_it_is else self._design(columns)
        if not np.isfinite(X.sum(dtype=np.float64)):
            raise changed(f"a feature is missing or infinite in rows {count(first_row + 1)} and following")
        return Block(number, first_row, X, y, weights, offset, fold), rows.used

    @cached_property
    def _is_stored_so(self) -> bool:
        """Whether all features are stored as the solver takes them."""
        return all(
            isinstance(column, NumberTerm)
            and isinstance(reader := self.reader.readers[column.name], NumberReader)
            and not reader.na
            and not column.indicator
            and column.fill is None
            for column in self.preparation.columns
        )

    def _stored(self, frame: pl.DataFrame) -> NDArray[Any]:
        """The features, without a copy where the frame has them together."""
        matrix = frame[:, list(self.reader.roles.features)].to_numpy(order="fortran")
        return matrix if matrix.dtype in (np.dtype(np.float32), np.dtype(np.float64)) else matrix.astype(np.float64)

    def _design(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        encoder, terms = Encoder(self.levels), self.preparation.columns
        encoded = [encoder.encoded(term, columns) for term in terms]
        return dense_design(terms, encoded, len(columns[self.reader.roles.features[0]]))
