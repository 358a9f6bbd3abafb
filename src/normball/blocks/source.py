"""`RowSource` gives the rows of a table block by block, as often as it is asked; `RowBlocks`: what is known of it.

`DividedRows` is a source whose blocks can be made one by one, in any place; `MappedRows` one whose blocks are changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from normball.blocks.block import Block
from normball.inputs.preparation import Preparation
from normball.messages import Finding

if TYPE_CHECKING:
    from normball.blocks.executor import Executor
    from normball.blocks.fold_units import FoldUnits


class RowSource(Protocol):
    """Rows that can be read again: each `open` gives the same blocks in the same order."""

    @property
    def n_blocks_hint(self) -> int | None:
        """How many blocks there are, for progress; None where that is not known beforehand."""

    def open(self) -> Iterator[Block]:
        """The blocks from the first one on; a DataError where the data cannot be read or have changed."""


class DividedRows(RowSource, Protocol):
    """A source each block of which can be made without those before it, so that workers can share them out."""

    @property
    def pieces(self) -> Sequence[Any]:
        """What each block is made of, in order: something small, or what a cluster knows a value of its own by."""

    @property
    def block_of(self) -> Callable[[Any, int], Block]:
        """Makes a block of a piece and its number; picklable. `first_row` is 0: who makes it knows not those before."""


@dataclass(frozen=True, eq=False)
class MappedRows:
    """The blocks of a source, each of them changed by a function.

    Attributes
    ----------
    source : RowSource
        Gives the blocks.
    function : callable
        Takes a Block, returns one of the same number, first row and number of rows; picklable.
    """

    source: RowSource
    function: Callable[[Block], Block]

    @property
    def n_blocks_hint(self) -> int | None:
        """As many as the source has."""
        return self.source.n_blocks_hint

    def open(self) -> Iterator[Block]:
        """The changed blocks from the first one on."""
        return map(self.function, self.source.open())


@dataclass(frozen=True, eq=False)
class RowBlocks:
    """Data that come in blocks of rows: what `inputs.prepare.Data` is to a table in memory.

    Attributes
    ----------
    source : RowSource
        Gives the rows.
    family : str
        The family, also where "auto" was asked for, with its parameter.
    classes : tuple or None
        The two labels of a binomial target, of which the second one is y = 1; of a multinomial one all labels.
    output_names : tuple of str
        Names of the outputs, where there are several: of classes, or of targets.
    target_name : str
        Name of the target.
    preparation : Preparation
        How the table becomes the design.
    findings : list of Finding
        What is worth knowing.
    has_offset : bool
        Whether an offset was given.
    n_folds : int
        How many folds the blocks name, 0 for none.
    n_repeats : int
        How often these deal out all rows; they are numbered through all repeats.
    folds : str
        These folds in words.
    executor : Executor or None
        Runs passes where the rows are, where that is not here.
    units : FoldUnits or None
        What folds are to keep together, by the codes that stand in place of folds in the blocks.
    in_time : bool
        Whether the folds follow each other in time, so that each is predicted from those before it.
    """

    source: RowSource
    family: str
    classes: tuple[Any, ...] | None
    output_names: tuple[str, ...]
    target_name: str
    preparation: Preparation
    findings: list[Finding]
    has_offset: bool = False
    n_folds: int = 0
    n_repeats: int = 1
    folds: str = ""
    executor: Executor | None = None
    units: FoldUnits | None = None
    in_time: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the design."""
        return self.preparation.feature_names

    @property
    def n_features(self) -> int:
        """Number of columns of the design."""
        return len(self.feature_names)

    @property
    def n_outputs(self) -> int:
        """Number of linear predictors of a row."""
        return len(self.output_names) or 1
