"""`export`: a fitted model as a file that another program scores with, without normball."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from normball.export.program import program_of
from normball.export.targets import DIALECTS, TARGETS, target_of
from normball.export.tree import Program
from normball.files import write_bytes

if TYPE_CHECKING:
    from normball.results.fit import Fit


class ExportOptions(TypedDict, total=False):
    """What can be said about an export.

    Attributes
    ----------
    to : str
        The target; by default the ending of the file tells.
    kind : str
        As in `Fit.predict`: "link", "response" or "class", of survival "link", "risk", "survival" or
        "cumulative_hazard". By default what `normball predict` gives: the mean, or class and probabilities; of survival
        the risk.
    times : sequence of float
        Where survival is wanted.
    unknown : str
        "error" (default) or "baseline": whether a level unseen in training is refused, or counts as none of them.
    offset : str or list of str
        The column of the offset, or one for each of several outputs; required exactly when the model has one.
    exposure : str
        In its place the column whose logarithm the offset is.
    dialect : str
        Of SQL: "postgres" (default), "duckdb", "sqlite" or "bigquery".
    table : str
        Of SQL: the table to score, "data" by default.
    keep : sequence of str
        Of SQL: columns beside the predictions; by default all.
    """

    to: str
    kind: str
    times: Sequence[float]
    unknown: str
    offset: str | Sequence[str]
    exposure: str
    dialect: str
    table: str
    keep: Sequence[str]


OF_SQL = ("dialect", "table", "keep")
OF_ALL = ("kind", "times", "unknown", "offset", "exposure")


def export(fit: Fit, path: str | os.PathLike[str] | None = None, **options: Unpack[ExportOptions]) -> str | bytes:
    """Write a model for another language; see `Fit.export`."""
    target = options.get("to") or target_of(path)
    content = exported(fit, target, options)
    if path is not None:
        write_bytes(path, content.encode() if isinstance(content, str) else content)
    return content


def exported(fit: Fit, target: str, options: ExportOptions) -> str | bytes:
    """The content of the file."""
    _check_options(target, options)
    program = program_of(fit, **{name: value for name, value in options.items() if name in OF_ALL})  # type: ignore[arg-type]
    if target == "sql":
        from normball.export.sql import write_sql

        dialect = options.get("dialect", DIALECTS[0])
        return write_sql(program, dialect, options.get("table", "data"), options.get("keep", ()))
    return _WRITERS[target](program)


def _check_options(target: str, options: ExportOptions) -> None:
    given: Mapping[str, Any] = dict(options)
    for name in given:
        if name not in ExportOptions.__annotations__:
            raise TypeError(f"export() has no argument {name!r}")
    if target not in TARGETS:
        raise ValueError(f"to is {target!r}, but must be one of {', '.join(TARGETS)}")
    for name in OF_SQL:
        if name in given and target != "sql":
            raise ValueError(f"{name}={json.dumps(given[name])} is about SQL, but the export is to {target}")
    for name, value, known in (
        ("dialect", options.get("dialect", DIALECTS[0]), DIALECTS),
        ("unknown", options.get("unknown", "error"), ("error", "baseline")),
    ):
        if value not in known:
            raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(known)}")


def _to_python(program: Program) -> str:
    from normball.export.python import write_python

    return write_python(program)


def _to_javascript(program: Program) -> str:
    from normball.export.javascript import write_javascript

    return write_javascript(program)


def _to_c(program: Program) -> str:
    from normball.export.c import write_c

    return write_c(program)


def _to_onnx(program: Program) -> bytes:
    from normball.export.onnx import write_onnx

    return write_onnx(program)


def _to_pmml(program: Program) -> str:
    from normball.export.pmml import write_pmml

    return write_pmml(program)


def _to_excel(program: Program) -> bytes:
    from normball.export.excel import write_excel

    return write_excel(program)


_WRITERS: dict[str, Callable[[Program], str | bytes]] = {
    "python": _to_python,
    "javascript": _to_javascript,
    "c": _to_c,
    "onnx": _to_onnx,
    "pmml": _to_pmml,
    "excel": _to_excel,
}
