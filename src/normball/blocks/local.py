"""`LocalExecutor`: blocks on this machine, shared out over threads, the next ones read meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from normball.blocks.block import Block
from normball.blocks.executor import Tree, Value
from normball.blocks.source import RowSource
from normball.threads import default_threads

AHEAD = 2  # blocks that are read before a thread is free for them


@dataclass
class Placed:
    """The blocks of a source: kept where they fit, else read anew in each pass."""

    source: RowSource
    memory: float  # bytes that may be kept
    _kept: list[Block] = field(default_factory=list)
    _is_whole: bool = False

    def blocks(self) -> Iterator[Block]:
        """The blocks in their order."""
        if self._is_whole:
            yield from self._kept
            return
        self._kept, room = [], self.memory
        for block in self.source.open():
            if block.number == 0 and block.n_bytes * (self.source.n_blocks_hint or 1) > room:
                room = 0.0  # known before many of them are held in vain
            room -= block.n_bytes
            if room >= 0:
                self._kept.append(block)
            else:
                self._kept.clear()
            yield block
        self._is_whole = room >= 0


class LocalExecutor:
    """Runs passes over blocks by threads of this process.

    Parameters
    ----------
    n_threads : int, optional
        Threads to use; by default as many as there are processors for this process, or OMP_NUM_THREADS if that is
        fewer. What comes out does not depend on it.
    memory : float
        Bytes of blocks that are kept between the passes where all fit, 0 by default: arrays and memory maps need none,
        since their blocks are views. What does not fit is read anew in each pass, and takes the memory of as many
        blocks as there are threads, and two.
    """

    def __init__(self, n_threads: int | None = None, memory: float = 0.0) -> None:
        self.n_threads = n_threads or default_threads()
        self.memory = memory

    def place(self, source: RowSource) -> Placed:
        """Nothing is read yet."""
        return Placed(source, self.memory)

    def map_reduce(
        self,
        handle: Placed,
        function: Callable[[Block], Value],
        merge: Callable[[Value, Value], Value],
        on_block: Callable[[int], None],
    ) -> Value:
        """See `Executor`; the blocks are read by the calling thread."""
        tree, n_done = Tree(merge), 0
        if self.n_threads == 1:
            for block in handle.blocks():
                tree.add(function(block))
                n_done += 1
                on_block(n_done)
            return tree.total()  # type: ignore[no-any-return]
        waiting: deque[Future[Value]] = deque()
        pool = ThreadPoolExecutor(self.n_threads, thread_name_prefix="normball")
        try:
            for block in handle.blocks():
                waiting.append(pool.submit(function, block))
                if len(waiting) >= self.n_threads + AHEAD:
                    tree.add(waiting.popleft().result())
                    n_done += 1
                    on_block(n_done)
            while waiting:
                tree.add(waiting.popleft().result())
                n_done += 1
                on_block(n_done)
        finally:
            pool.shutdown(cancel_futures=True)
        return tree.total()  # type: ignore[no-any-return]
