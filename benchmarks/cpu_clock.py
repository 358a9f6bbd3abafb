"""CPU seconds of a process and all that it has started: some programs share out their work among children."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """Of this process with its threads, of children that have ended, and of those that live with their own (Linux)."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + _living(os.getpid())


def _living(ancestor: int) -> float:
    parents, seconds = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:  # fields after the name: 1 the parent, 11 to 14 the ticks of itself and of its ended children
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(entry.name)] = int(fields[1])
        seconds[int(entry.name)] = sum(map(int, fields[11:15])) / _TICKS
    found, newest = set[int](), {ancestor}
    while newest:
        newest = {child for child, parent in parents.items() if parent in newest} - found
        found |= newest
    return sum(seconds[child] for child in found)
