"""How many threads a fit may use, and the BLAS library's share of them."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Any


def available_cpus() -> int:
    """The number of processors that this process may run on."""
    return len(os.sched_getaffinity(0))


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
            if self._controller is None:
                from threadpoolctl import ThreadpoolController  # looks through every loaded library

                self._controller = ThreadpoolController()
            if self._running == 0:
                self._limit = self._controller.limit(limits=1, user_api="blas")
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
                self._limit.restore_original_limits()


single_threaded_blas = _SingleThreadedBlas()
