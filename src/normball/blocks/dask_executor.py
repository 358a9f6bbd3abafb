"""`DaskExecutor`: blocks stay on the workers of a Dask cluster, and what they give is added up there.

A pass is one graph: the request (a task of its own, so that it is sent once and can be had again when a worker is
lost), a task for each block, and the merges in the order of `Tree`. Blocks are tasks too: whatever a lost worker held
is computed again from the collection. No block travels to the client.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, TypeVar, cast

from normball.blocks.block import Block
from normball.blocks.executor import Tree
from normball.blocks.source import DividedRows, MappedRows, RowSource
from normball.messages import count
from normball.threads import single_threaded_blas

Value = TypeVar("Value")
OnBlock = Callable[[int], None]  # told how many blocks of a pass are done

ATTEMPTS = 3  # at a pass whose blocks are lost, because somebody restarts the cluster, say
FINISHED = "finished"


@dataclass
class Placed:
    """Blocks of rows that can be made anywhere.

    Attributes
    ----------
    rows : DividedRows
        Makes them.
    changes : tuple of callable
        What becomes of each of them in a pass, from the first to the last.
    blocks : list of Delayed or None
        Stand for the blocks: the workers hold them, or each pass makes them anew. None: they are to be made.
    first_rows : list of int
        The number of the first row of each.
    """

    rows: DividedRows
    changes: tuple[Callable[[Block], Block], ...]
    blocks: list[Any] | None = None
    first_rows: list[int] = field(default_factory=list)


class DaskExecutor:
    """Runs functions over blocks by Dask.

    Parameters
    ----------
    client : distributed.Client, optional
        The cluster. Without one the blocks are computed by the threads of this process.
    memory : int, default 2**30
        How many bytes of blocks the threads may keep between passes; the others are made anew each time. The workers
        of a cluster have limits of their own, beyond which they use their disks.

    Examples
    --------
    >>> from normball.blocks.dask_executor import DaskExecutor
    >>> executor = DaskExecutor()  # doctest: +SKIP
    """

    def __init__(self, client: Any = None, memory: int = 1 << 30) -> None:
        self._scheduler: _Threads | _Cluster = _Threads(memory) if client is None else _Cluster(client)

    @classmethod
    def active(cls, memory: int = 1 << 30) -> DaskExecutor:
        """On the cluster that this thread or task has a client of, or else on threads."""
        try:
            from distributed import get_client

            return cls(get_client(), memory)
        except (ImportError, ValueError):
            return cls(None, memory)

    def place(self, source: RowSource) -> Placed:
        """Nothing is computed yet: the first pass makes the blocks.

        Parameters
        ----------
        source : DividedRows
            Gives the blocks; or a `MappedRows` of one.

        Raises
        ------
        TypeError
            When the source can only be read from its first row on.
        """
        changes: tuple[Callable[[Block], Block], ...] = ()
        while isinstance(source, MappedRows):
            changes = (source.function, *changes)
            source = source.source
        if not hasattr(source, "pieces"):
            what = f"Dask needs rows each block of which can be made by itself, which {type(source).__name__} has not"
            raise TypeError(f"{what}: give a dask collection, dask.dataframe.read_parquet(...) for instance")
        return Placed(cast(DividedRows, source), changes)

    def map_reduce(
        self,
        handle: Placed,
        function: Callable[[Block], Value],
        merge: Callable[[Value, Value], Value],
        on_block: OnBlock,
    ) -> Value:
        """See `Executor`. While the blocks are made, `on_block` is told that none is done.

        Raises
        ------
        ValueError
            When there is no block.
        RuntimeError
            When workers end again and again, or their cluster drops the blocks.
        """
        for _ in range(ATTEMPTS):
            try:
                if handle.blocks is None:
                    self._make(handle, on_block)
                return cast(Value, self._pass(handle, function, merge, on_block))
            except CancelledError:  # somebody restarted the cluster, or cancelled all that it does
                handle.blocks = None
        raise RuntimeError(f"the cluster dropped the blocks {ATTEMPTS} times; nothing else may restart or cancel them")

    def _make(self, placed: Placed, on_block: OnBlock) -> None:
        from dask import delayed

        if not len(placed.rows.pieces):
            raise ValueError("there are no blocks")
        make = delayed(placed.rows.block_of, pure=False, traverse=False)
        task = delayed(_made, pure=False)
        blocks = [task(make, piece, number) for number, piece in enumerate(placed.rows.pieces)]
        blocks, n_rows = self._scheduler.keep(blocks, lambda _: on_block(0))
        placed.first_rows = [0, *accumulate(n_rows[:-1])]
        placed.blocks = blocks

    def _pass(self, placed: Placed, function: Any, merge: Any, on_block: OnBlock) -> Any:
        from dask import delayed

        request = delayed((function, placed.changes), pure=False, traverse=False)
        task = delayed(_value, pure=False)
        assert placed.blocks is not None
        values = [task(request, *block) for block in zip(placed.blocks, placed.first_rows, strict=True)]
        return self.joined(values, merge, on_block)

    def joined(self, values: Sequence[Any], merge: Callable[[Any, Any], Any], on_block: OnBlock) -> Any:
        """Values that stand for those of tasks (Delayed), joined on the workers in the order of `Tree`."""
        from dask import delayed

        how, join = delayed(merge, pure=False, traverse=False), delayed(_joined, pure=False)
        tree = Tree(lambda earlier, later: join(how, earlier, later))
        for value in values:
            tree.add(value)
        return self._scheduler.total(values, tree.total(), on_block)

    def together(self, values: Sequence[Any], on_block: OnBlock) -> list[Any]:
        """The small values of some tasks."""
        from dask import delayed

        return list(self._scheduler.total(values, delayed(list, pure=False)(values), on_block))


class _Threads:
    """Dask's scheduler of threads in this process."""

    def __init__(self, memory: int) -> None:
        self._free = memory
        self._lock = threading.Lock()

    def keep(self, blocks: list[Any], on_block: OnBlock) -> tuple[list[Any], list[int]]:
        """Make the blocks, and keep as many as there is room for; returns what stands for them, and their rows."""
        import dask
        from dask import delayed

        kept: dict[int, Block] = {}

        def sized(block: Block) -> int:
            with self._lock:
                if block.n_bytes <= self._free:
                    self._free -= block.n_bytes
                    kept[block.number] = block
            return block.n_rows

        sizes = [delayed(sized, pure=False)(block) for block in blocks]
        with _told_by_threads(sizes, on_block):
            n_rows = dask.compute(*sizes, scheduler="threads")
        for number, block in kept.items():
            blocks[number] = delayed(block, pure=False, traverse=False)
        return blocks, list(n_rows)

    def total(self, values: Sequence[Any], total: Any, on_block: OnBlock) -> Any:
        """Compute the total of some values."""
        with _told_by_threads(values, on_block):
            return total.compute(scheduler="threads")


def _told_by_threads(tasks: Sequence[Any], on_block: OnBlock) -> Any:
    """Tells how many of these tasks are done while Dask's threads compute."""
    from dask.callbacks import Callback

    keys = {task.key for task in tasks}
    done = 0

    def after(key: Any, *_: Any) -> None:
        nonlocal done
        if key in keys:
            done += 1
            on_block(done)

    return Callback(posttask=after)


class _Cluster:
    """The workers of a cluster."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def keep(self, blocks: list[Any], on_block: OnBlock) -> tuple[list[Any], list[int]]:
        """Make the blocks on the workers; returns what stands for them, and their rows."""
        from dask import delayed

        blocks = list(self._client.persist(blocks))
        sizes = [delayed(_size, pure=False)(block) for block in blocks]
        n_rows = self.total(sizes, delayed(list, pure=False)(sizes), on_block)
        return blocks, n_rows

    def total(self, values: Sequence[Any], total: Any, on_block: OnBlock) -> Any:
        """Compute the total of some values."""
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        *futures, whole = self._client.compute([*values, total])
        waiting = {future.key: future for future in futures}
        del futures
        try:
            for done, future in enumerate(as_completed(list(waiting.values()), loop=self._client.loop), 1):
                if future.status != FINISHED:
                    break
                del waiting[future.key]  # or the worker would keep the value until the pass is over
                on_block(done)
            return whole.result()
        except BaseException as error:
            self._client.cancel([*waiting.values(), whole])
            if isinstance(error, KilledWorker):
                what = f"{count(error.allowed_failures + 1)} workers ended, one after the other, at one block"
                fix = "give them more memory or make smaller blocks, frame.repartition(...) or array.rechunk(...)"
                raise RuntimeError(f"{what} ({error.task}): {fix}") from error
            raise


def _made(make: Callable[[Any, int], Block], piece: Any, number: int) -> Block:
    return make(piece, number)


def _size(block: Block) -> int:
    return block.n_rows


def _value(request: tuple[Callable[[Block], Any], tuple[Any, ...]], block: Block, first_row: int) -> Any:
    """What a block adds to a pass. The tasks of a worker run side by side: each of them on one thread."""
    function, changes = request
    block = replace(block, first_row=first_row)
    for change in changes:
        block = change(block)
    with single_threaded_blas:
        return function(block)


def _joined(merge: Callable[[Any, Any], Any], earlier: Any, later: Any) -> Any:
    return merge(earlier, later)
