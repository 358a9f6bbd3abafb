"""Measurements as JSON lines: appended one by one as they are finished, so that an interrupted run keeps them.

Kinds of line, told by `kind`: "run" (machine, versions, command), "attempt" (one solution of a path, judged),
"comparison" (two programs in turn), "timing" (normball alone), "failure" (why there is nothing to compare).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Recorder:
    """Appends to a file; every line is written by one call and is on the disk when `add` returns."""

    def __init__(self, path: Path, run: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._run = path, run

    def add(self, kind: str, **facts: Any) -> Record:
        record = {"kind": kind, "run": self._run, **facts}
        line = json.dumps(record, default=float) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        return record


def read(path: Path) -> list[Record]:
    """All records of a file; a last line that was cut off is left out."""
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def latest(records: Iterable[Record], kind: str, *keys: str) -> list[Record]:
    """The last record for every combination of the keys, in the order in which these first appear."""
    found: dict[tuple[Any, ...], Record] = {}
    for record in records:
        if record["kind"] == kind:
            found[tuple(record.get(key) for key in keys)] = record
    return list(found.values())
