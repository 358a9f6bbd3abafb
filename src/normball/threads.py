"""How many threads a fit may use, and the BLAS library's share of them."""

from __future__ import annotations

import math
import os
import threading
from importlib import import_module
from types import TracebackType
from typing import Any

_SMALL = 2**16  # 512 kB of matrix: each piece of work on it takes microseconds


def default_threads(size: float = math.inf) -> int:
    """As many threads as this process may run on processors, or fewer where OMP_NUM_THREADS says so.

    joblib and batch systems set that variable in their workers, so that threads are not nested in processes. Where
    `size`, the entries of the matrix times the number of problems, is small, waiting for a second thread costs more
    than it saves, and many times more on a busy machine.
    """
    if size < _SMALL:
        return 1
    # macOS and Windows bind no process to processors
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(processors, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else processors


class _SingleThreadedBlas:
    """Hold BLAS at one thread while any fit is running, since the native code makes threads of its own.

    The limit belongs to the whole process. Fits may overlap, so the first one in sets it and the last one out
    restores what was there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._controller: Any = None
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._running == 0:
                self._controller = self._controller or _blas_controller()
                self._take_over()
                self._limit = self._controller.limit(limits=1)
            self._running += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0:
                self._take_over()
                self._limit.restore_original_limits()
                self._take_over()

    def _take_over(self) -> None:
        """Let this thread set the number of threads, and afterwards any other.

        From version 3.8 on threadpoolctl obeys only the first thread that sets OpenBLAS; here the last fit out, which
        restores, may run in another thread than the first one in.
        """
        for library in self._controller.lib_controllers:
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread(force=True)


def _blas_controller() -> Any:
    import_module("scipy.linalg.cython_blas")  # the native code calls this BLAS: load it before looking for it
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


single_threaded_blas = _SingleThreadedBlas()
