"""A long table whose reader is told how far it is and may stop it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from normball.blocks.long_table import Gathered, LongTable
from normball.messages import Interrupted
from normball.progress import Poll


@dataclass(frozen=True)
class WatchedTable(LongTable):
    """The table, of which a `poll` is told the rows of each pass that are done."""

    poll: Poll | None = None
    seen: dict[str, int] = field(default_factory=dict)  # how many rows there are, once a pass was whole

    def run(self, columns: Sequence[str], n_rows: int, gathered: Gathered) -> Gathered:
        """Show all rows of some columns to what gathers, `n_rows` at once."""
        total, done = self.seen.get("rows", self.n_rows_hint), 0
        for frame in self.parts(columns, n_rows):
            gathered.add(frame, done)
            done += frame.height
            if self.poll is not None and total and self.poll(done, max(done, total)):
                raise Interrupted("Interrupted while the table was looked at")
        self.seen["rows"] = done
        return gathered


def watched(table: LongTable, poll: Poll) -> LongTable:
    """The table with an eye on it; one that reads its parts elsewhere stays as it is."""
    if type(table) is not LongTable:
        return table
    return WatchedTable(**{one.name: getattr(table, one.name) for one in fields(LongTable)}, poll=poll)
