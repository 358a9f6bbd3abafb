"""Dask's executor against the tree on paper: the same bits for any workers, through lost ones, and no block here."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

from normball.blocks.block import Block  # noqa: E402
from normball.blocks.dask_executor import DaskExecutor  # noqa: E402
from normball.blocks.executor import Tree  # noqa: E402
from normball.blocks.source import MappedRows  # noqa: E402

N_BLOCKS = 13


class Watched(Block):
    """A block that must not come to where the test runs."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        assert os.environ["CLIENT_OF_THE_TEST"] != str(os.getpid()), "a block came to the client"
        super().__setstate__(state)


def make(seed: Any, number: int, watched: bool = False) -> Block:
    """A block of random numbers, the third without rows."""
    rng = np.random.default_rng([number, int(seed)])
    n = 0 if number == 3 else int(rng.integers(1, 40))
    X = rng.standard_normal((n, 5)) * 10.0 ** rng.integers(-6, 6, 5)
    return (Watched if watched else Block)(number, 0, X, X @ np.ones(5), np.ones(n), np.zeros(n))


@dataclass(frozen=True)
class Rows:
    """Blocks, each made of a number."""

    block_of: Any = make
    pieces: tuple[Any, ...] = tuple(range(N_BLOCKS))

    @property
    def n_blocks_hint(self) -> int:
        return len(self.pieces)

    def open(self) -> Iterator[Block]:
        first_row = 0
        for number, piece in enumerate(self.pieces):
            block = replace(self.block_of(piece, number), first_row=first_row)
            first_row += block.n_rows
            yield block


def products(scale: float, block: Block) -> Any:
    """X'X and X'y, weighted by the rows' numbers."""
    rows = np.arange(block.first_row, block.first_row + block.n_rows)
    X = block.X * np.cos(scale * rows)[:, None]
    return X.T @ np.column_stack([X, block.y])


def add(earlier: Any, later: Any) -> Any:
    """The sum."""
    return earlier + later


def halved(block: Block) -> Block:
    """The same rows, half as large."""
    return replace(block, X=block.X / 2)


def on_paper(rows: Any, function: Any, merge: Any = add) -> Any:
    tree = Tree(merge)
    for block in rows.open():
        tree.add(function(block))
    return tree.total()


def map_reduce(executor: DaskExecutor, handle: Any, function: Any, merge: Any) -> Any:
    """A pass that tells nobody."""
    return executor.map_reduce(handle, function, merge, lambda _: None)


@contextmanager
def cluster(n_workers: int) -> Iterator[Any]:
    """A client of so many processes; it is not the one that `get_client` gives."""
    os.environ["CLIENT_OF_THE_TEST"] = str(os.getpid())  # the workers have it from here
    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "memory_limit": 0}
    with (
        distributed.LocalCluster(n_workers=n_workers, silence_logs=50, **options) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module", params=["threads", 1, 2, 4])
def executor(request: pytest.FixtureRequest) -> Iterator[DaskExecutor]:
    """On so many workers, or on threads."""
    if request.param == "threads":
        yield DaskExecutor()
        return
    with cluster(request.param) as client:
        yield DaskExecutor(client)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers."""
    with cluster(2) as one:
        yield one


@pytest.fixture
def own_client() -> Iterator[Any]:
    """Two workers for a test that harms them."""
    with cluster(2) as one:
        yield one


def test_bits_are_those_of_the_tree(executor: DaskExecutor) -> None:
    told: list[int] = []
    rows = MappedRows(MappedRows(Rows(), halved), partial(set_apart, 3))
    handle = executor.place(rows)
    for scale in (0.0, 0.3):
        told.clear()
        found = executor.map_reduce(handle, partial(products, scale), add, told.append)
        np.testing.assert_array_equal(found, on_paper(rows, partial(products, scale)))
        assert [one for one in told if one] == [*range(1, N_BLOCKS + 1)]


def test_merges_are_those_of_the_tree(executor: DaskExecutor) -> None:
    handle = executor.place(Rows(pieces=tuple(range(11))))
    assert map_reduce(executor, handle, name, in_brackets) == on_paper(Rows(pieces=tuple(range(11))), name, in_brackets)


def test_one_block_and_none(executor: DaskExecutor) -> None:
    assert map_reduce(executor, executor.place(Rows(pieces=(7,))), name, in_brackets) == "0"
    with pytest.raises(ValueError, match="no blocks"):
        map_reduce(executor, executor.place(Rows(pieces=())), name, in_brackets)


def test_what_a_function_raises_comes_up(executor: DaskExecutor) -> None:
    handle = executor.place(Rows())
    with pytest.raises(ZeroDivisionError, match="block 5"):
        map_reduce(executor, handle, fails_at_five, add)
    assert map_reduce(executor, handle, name, in_brackets).count("(") == N_BLOCKS - 1


def test_progress_can_stop_a_pass(executor: DaskExecutor) -> None:
    handle = executor.place(Rows())

    def stop(done: int) -> None:
        if done == 2:
            raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        executor.map_reduce(handle, name, in_brackets, stop)
    assert map_reduce(executor, handle, name, in_brackets).count("(") == N_BLOCKS - 1


def test_no_block_comes_to_the_client(client: Any) -> None:
    executor, rows = DaskExecutor(client), Rows(partial(make, watched=True))
    handle = executor.place(rows)
    found = map_reduce(executor, handle, partial(products, 0.3), add)
    np.testing.assert_array_equal(found, on_paper(rows, partial(products, 0.3)))
    with pytest.raises(AssertionError, match="came to the client"):  # the watch works
        client.gather(client.compute(handle.blocks[0]))


def test_blocks_that_travel_between_workers_keep_their_bits() -> None:
    """NumPy adds up arrays that begin at an odd byte in another order."""
    block, buffers = make(1, 0), []
    block = replace(block, X=np.asfortranarray(np.tile(block.X, (40, 1))))
    stored = pickle.dumps(block, protocol=5, buffer_callback=buffers.append)
    moved = [memoryview(bytearray(3) + bytearray(buffer.raw()))[3:] for buffer in buffers]
    assert not pickle.loads(
        pickle.dumps(block.X, protocol=5, buffer_callback=lambda _: None), buffers=moved
    ).flags.aligned
    found = pickle.loads(stored, buffers=moved)
    assert found.X.flags.aligned
    assert found.X.flags.f_contiguous
    for name in ("X", "y", "weights", "offset"):
        np.testing.assert_array_equal(getattr(found, name), getattr(block, name))
    assert found.X.sum() == block.X.sum()


def test_a_request_is_sent_once_a_pass(client: Any) -> None:
    executor = DaskExecutor(client)
    handle = executor.place(Rows())
    candidates = Counted()
    assert map_reduce(executor, handle, partial(with_candidates, candidates), add) == N_BLOCKS
    assert 1 <= Counted.pickled <= 2


@pytest.mark.parametrize("at", [0, N_BLOCKS - 1])
def test_a_killed_worker_changes_nothing(own_client: Any, tmp_path: Path, at: int) -> None:
    executor = DaskExecutor(own_client)
    handle = executor.place(Rows())
    found = map_reduce(executor, handle, partial(killed_once, tmp_path, at), add)
    assert (tmp_path / f"{at}").exists()
    np.testing.assert_array_equal(found, on_paper(Rows(), partial(products, 0.3)))


def test_a_restarted_cluster_changes_nothing(own_client: Any, tmp_path: Path) -> None:
    executor = DaskExecutor(own_client)
    handle = executor.place(Rows())
    restarts: list[int] = []

    def restart(done: int) -> None:
        if done == 3 and not restarts:
            restarts.append(done)
            own_client.restart()

    found = executor.map_reduce(handle, partial(products, 0.3), add, restart)
    assert restarts == [3]
    np.testing.assert_array_equal(found, on_paper(Rows(), partial(products, 0.3)))
    again = map_reduce(executor, handle, partial(products, 0.3), add)
    np.testing.assert_array_equal(again, found)


def test_a_block_that_kills_every_worker_is_told(own_client: Any) -> None:
    own_client.run_on_scheduler(allow_failures, 1)
    executor = DaskExecutor(own_client)
    with pytest.raises(RuntimeError, match=r"2 workers ended.*at one block.*repartition"):
        map_reduce(executor, executor.place(Rows()), kills, add)


@pytest.mark.parametrize(("memory", "made"), [(0, 4), (2000, 3), (1 << 30, 1)])
def test_threads_keep_what_there_is_room_for(tmp_path: Path, memory: int, made: int) -> None:
    """Each block has 10 rows of 8 numbers, 640 bytes."""
    (tmp_path / "rows").write_text("10")
    executor = DaskExecutor(memory=memory)
    handle = executor.place(Rows(partial(as_many_as, tmp_path / "rows"), pieces=(0, 1, 2, 3)))
    for _ in range(3):
        assert map_reduce(executor, handle, size, add) == 40
    n_kept = min(4, memory // 640)
    n_made = sum(len(path.read_text()) for path in tmp_path.glob("made-*"))
    assert n_made == 4 + 3 * (4 - n_kept)
    assert made == max(len(path.read_text()) for path in tmp_path.glob("made-*")) or n_kept


def test_control_c_cancels_the_tasks(client: Any, tmp_path: Path, control_c: None) -> None:
    executor = DaskExecutor(client)
    handle = executor.place(Rows())
    watch = threading.Thread(target=interrupt_when, args=(tmp_path / "0",))
    watch.start()
    with pytest.raises(KeyboardInterrupt):
        map_reduce(executor, handle, partial(slow, tmp_path), add)
    watch.join()
    deadline = time.monotonic() + 20
    while any(client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(client.processing().values())
    assert len([*tmp_path.iterdir()]) < N_BLOCKS
    assert map_reduce(executor, handle, name, in_brackets).count("(") == N_BLOCKS - 1


def test_rows_that_open_only_at_the_first_are_refused() -> None:
    class InOrder:
        n_blocks_hint = 1

        def open(self) -> Iterator[Block]:
            raise AssertionError

    with pytest.raises(TypeError, match="InOrder has not: give a dask collection"):
        DaskExecutor().place(InOrder())


def test_the_active_client_is_taken(client: Any) -> None:
    """Threads without one."""
    assert not on_cluster(DaskExecutor.active())
    with client.as_current():
        assert on_cluster(DaskExecutor.active())


def on_cluster(executor: DaskExecutor) -> bool:
    return "client" in "".join(vars(executor._scheduler))


# what is computed on the workers


def set_apart(n_folds: int, block: Block) -> Block:
    """Folds by the rows' numbers; their rows count half."""
    fold = (np.arange(block.first_row, block.first_row + block.n_rows) % n_folds).astype(np.int32)
    return replace(block, fold=fold, X=block.X * np.where(fold == 1, 0.5, 1.0)[:, None])


def name(block: Block) -> str:
    return str(block.number)


def in_brackets(earlier: str, later: str) -> str:
    return f"({earlier} {later})"


def size(block: Block) -> int:
    return block.n_rows


def fails_at_five(block: Block) -> int:
    if block.number == 5:
        raise ZeroDivisionError("in block 5")
    return 1


class Counted:
    """Counts how often it is pickled."""

    pickled = 0

    def __reduce__(self) -> Any:
        Counted.pickled += 1
        return Counted, ()


def with_candidates(candidates: Counted, block: Block) -> int:
    assert isinstance(candidates, Counted)
    return 1


def killed_once(folder: Path, at: int, block: Block) -> Any:
    """The products; the first worker that comes to this block is killed."""
    mark = folder / f"{at}"
    if block.number == at and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return products(0.3, block)


def kills(block: Block) -> int:
    if block.number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1


def allow_failures(n: int, dask_scheduler: Any = None) -> None:
    dask_scheduler.allowed_failures = n


def as_many_as(file: Path, piece: Any, number: int) -> Block:
    """A block of so many rows as a file says; a mark for each time that it is made."""
    with (file.parent / f"made-{number}").open("a") as marks:
        marks.write("x")
    n = int(file.read_text())
    return Block(number, 0, np.ones((n, 5)), np.ones(n), np.ones(n), np.ones(n))


def slow(folder: Path, block: Block) -> int:
    (folder / f"{block.number}").touch()
    time.sleep(0.5)
    return 1


def interrupt_when(mark: Path) -> None:
    """Ctrl-C as soon as a file is there."""
    deadline = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
