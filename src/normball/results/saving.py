"""Models written as JSON with a schema number; `normball.model_file` reads them back.

Numbers are written so that they come back bit for bit, but for the hazards of a path of survival models. JSON knows no
NaN and no infinity: these are the strings "nan", "inf" and "-inf". An array of equal values is written as that value,
and rows that store every column (ridge) without their column numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.files import write_text
from normball.packed import pack
from normball.results.sparse_rows import SparseRows
from normball.version import __version__

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.results.fit import Fit
    from normball.results.held_out import HeldOut
    from normball.results.path import Path
    from normball.results.ranges import Ranges
    from normball.survival.baseline import Baseline, Baselines

SCHEMA = 1
_OF_OUTPUTS = ("n_outputs", "output_names", "grouped")  # not written where there is one output
_OF_RECORDS = ("held_out", "fold_ranges", "bootstrap_ranges")  # parts of a cross-validation that are records themselves
_OF_TIMES = ("baseline", "baselines")  # written of models of survival alone
_PER_FEATURE = ("penalty_factors", "lower_bounds", "upper_bounds", "scales")


def save(
    result: Fit | Path | CVPath | Comparison, path: str | os.PathLike[str], run: Mapping[str, Any] | None = None
) -> None:
    """Write a `Fit`, `Path`, `CVPath` or `Comparison` to a file, and with it where it came from (`run`)."""
    if getattr(result, "saved_as", None) not in _RECORDS:
        raise TypeError(f"save() takes a Fit, a Path, a CVPath or a Comparison, not {type(result).__name__}")
    content = to_dict(result)
    if run is not None:
        content["run"] = run
    content["checksum"] = checksum(content)
    write_text(path, json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n")


def checksum(content: Mapping[str, Any]) -> str:
    """A digest of everything else in the file, whatever its layout and the order of its fields."""
    rest = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def to_dict(result: Fit | Path | CVPath | Comparison) -> dict[str, Any]:
    """A result as JSON data."""
    head = {"format": "normball", "schema": SCHEMA, "version": __version__, "kind": result.saved_as}
    return {**head, **_RECORDS[result.saved_as](result)}


def _fields(model: Fit | Path) -> dict[str, Any]:
    names = [field.name for field in fields(model) if model.output_names or field.name not in _OF_OUTPUTS]
    content = {name: _encode(getattr(model, name)) for name in names if name not in _OF_TIMES}
    hazards = {name: part for name in _OF_TIMES if (part := getattr(model, name, None)) is not None}
    return content | {name: _encode_hazards(part) for name, part in hazards.items()}


def _encode_hazards(part: Baseline | Baselines) -> dict[str, Any]:
    """One hazard to the last bit; the many of a path, which would be most of the file, rounded to 2**-40."""
    content = {name: _encode(value) for name, value in vars(part).items() if name != "null" or value is not None}
    packed = pack(part.log_hazards) if part.log_hazards.ndim == 2 else None
    return content if packed is None else {**content, "log_hazards": packed}


def _fit(fit: Fit) -> dict[str, Any]:
    content = _fields(fit)
    content["coef"] = _encode_rows(SparseRows.from_rows(np.atleast_2d(fit.coef), len(fit.feature_names)))
    content["scales"] = _encode(_alike(fit.scales))
    content["preparation"] = fit.preparation.to_dict()
    content["groups"] = None if fit.groups is None else fit.groups.to_dict()
    return {"fit": content}


def _path(path: Path) -> dict[str, Any]:
    content = _fields(path)
    content |= {name: _encode(_alike(getattr(path, name))) for name in _PER_FEATURE}
    content["preparation"] = path.preparation.to_dict()
    content["groups"] = None if path.groups is None else path.groups.to_dict()
    content["findings"] = [vars(finding) for finding in path.findings]
    return {"path": content}


def _cv_path(result: CVPath) -> dict[str, Any]:
    own = [field.name for field in fields(result) if field.name not in ("path", "fold_models", *_OF_RECORDS)]
    cv = {name: _encode(getattr(result, name)) for name in own}
    cv |= {name: None if (part := getattr(result, name)) is None else _part(part) for name in _OF_RECORDS}
    # read by people and by other programs; loading computes them anew
    cv |= {"lambda_best": result.lambda_best, "lambda_1se": result.lambda_1se}
    return {**_path(result.path), "cv": cv}


def _part(part: HeldOut | Ranges) -> dict[str, Any]:
    return {name: _encode(value) for name, value in vars(part).items() if value is not None}


def _comparison(result: Comparison) -> dict[str, Any]:
    return {"paths": [_cv_path(cv) for cv in result]}


def _encode(value: Any) -> Any:
    """A value in JSON's types, with the strings for what JSON has no number for."""
    if isinstance(value, SparseRows):
        return _encode_rows(value)
    if isinstance(value, np.ndarray):
        plain = value.dtype.kind != "f" or np.isfinite(value).all()
        return value.tolist() if plain else _encode(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, Mapping):
        return {key: _encode(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(entry) for entry in value]
    return value


def _alike(values: NDArray[Any]) -> Any:
    """One value for an array of equal ones, else the array."""
    return values[0].item() if values.size and (values == values[0]).all() else values


def _encode_rows(rows: SparseRows) -> dict[str, Any]:
    content = {"indptr": _encode(rows.indptr), "values": _encode(_alike(rows.values))}
    n_rows, n_columns = rows.shape
    if not np.array_equal(rows.indices, np.tile(np.arange(n_columns), n_rows)):
        content["indices"] = _encode(rows.indices)
    return content


_RECORDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "fit": _fit,
    "path": _path,
    "cv_path": _cv_path,
    "comparison": _comparison,
}
