"""What a model can be exported to. Imports nothing heavy, so that help comes at once."""

from __future__ import annotations

import os
from pathlib import PurePath

DIALECTS = ("postgres", "duckdb", "sqlite", "bigquery")
ENDINGS = {
    ".sql": "sql",
    ".py": "python",
    ".js": "javascript",
    ".c": "c",
    ".onnx": "onnx",
    ".pmml": "pmml",
    ".xlsx": "excel",
}
TARGETS = tuple(ENDINGS.values())
BINARY = ("onnx", "excel")


def target_of(path: str | os.PathLike[str] | None) -> str:
    """The target that the ending of a file tells."""
    ending = "" if path is None else PurePath(os.fspath(path)).suffix.lower()
    if ending not in ENDINGS:
        named = "no file is named" if path is None else f'the name "{os.fspath(path)}" does not tell what it is'
        raise ValueError(f"{named}: give to= one of {', '.join(TARGETS)}")
    return ENDINGS[ending]
