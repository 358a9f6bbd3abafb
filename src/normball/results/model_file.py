"""Saved models: JSON with a schema number, read back without running any code.

Numbers are written so that they come back bit for bit. JSON knows no NaN and no infinity: these are the strings "nan",
"inf" and "-inf". An array of equal values is written as that value, and rows that store every column (ridge) without
their column numbers.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.messages import DataError, Finding
from normball.results.cv import CVPath
from normball.results.fit import Fit
from normball.results.path import STATUSES, Path
from normball.results.sparse_rows import SparseRows

SCHEMA = 1
_PER_FEATURE = ("penalty_factors", "lower_bounds", "upper_bounds", "scales")


def save(result: Fit | Path | CVPath, path: str | os.PathLike[str]) -> None:
    """Write a `Fit`, `Path` or `CVPath` to a file; an existing file is replaced only once all is written."""
    if not isinstance(result, (Fit, Path, CVPath)):
        raise TypeError(f"save() takes a Fit, a Path or a CVPath, not {type(result).__name__}")
    text = json.dumps(to_dict(result), allow_nan=False, ensure_ascii=False, indent=None, separators=(",", ":"))
    path = os.fspath(path)
    folder, name = os.path.split(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder or ".")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load(path: str | os.PathLike[str]) -> Fit | Path | CVPath:
    """Read the `Fit`, `Path` or `CVPath` that was saved in a file.

    Parameters
    ----------
    path : path-like
        A file that `Fit.save`, `Path.save` or `CVPath.save` wrote.

    Returns
    -------
    Fit, Path or CVPath
        Equal to what was saved, to the last bit.

    Raises
    ------
    DataError
        If the file is no model, or was written by a newer normball (E10).
    """
    path = os.fspath(path)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(Finding("E10", f'"{path}" is not a normball model: it is no JSON ({error}).')) from None
    if not isinstance(content, dict) or content.get("format") != "normball":
        raise DataError(Finding("E10", f'"{path}" is JSON, but not a normball model.', "write one with .save()"))
    try:
        if content["schema"] > SCHEMA:
            text = f'"{path}" was written by schema {content["schema"]}; this normball reads {SCHEMA}.'
            raise DataError(Finding("E10", text, "pip install -U normball"))
        return from_dict(content)
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        text = f'"{path}" is a damaged normball model ({type(error).__name__}: {error}).'
        raise DataError(Finding("E10", text, "save the model again")) from error


def to_dict(result: Fit | Path | CVPath) -> dict[str, Any]:
    """A result as JSON data."""
    from normball import __version__

    head = {"format": "normball", "schema": SCHEMA, "version": __version__}
    if isinstance(result, Fit):
        return {**head, "kind": "fit", "fit": _encode_fit(result)}
    if isinstance(result, Path):
        return {**head, "kind": "path", "path": _encode_path(result)}
    cv = {field.name: _encode(getattr(result, field.name)) for field in fields(result) if field.name != "path"}
    # read by people and by other programs; loading computes them anew
    cv |= {"lambda_best": result.lambda_best, "lambda_1se": result.lambda_1se}
    return {**head, "kind": "cv_path", "path": _encode_path(result.path), "cv": cv}


def from_dict(content: Mapping[str, Any]) -> Fit | Path | CVPath:
    """The result that `to_dict` wrote."""
    if content["kind"] == "fit":
        return _decode_fit(content["fit"])
    path = _decode_path(content["path"])
    if content["kind"] == "path":
        return path
    given = dict(content["cv"])
    arrays = ("fold_scores", "fold_weights", "fold_dual_gaps", "train_mean")
    values: dict[str, Any] = {name: _floats(given[name]) for name in arrays}
    return CVPath(
        path=path,
        score=given["score"],
        greater_is_better=given["greater_is_better"],
        fold_sizes=np.array(given["fold_sizes"], dtype=np.int64),
        fold_ids=None if given["fold_ids"] is None else np.array(given["fold_ids"], dtype=np.int64),
        folds=given["folds"],
        selection_counts=_decode_rows(given["selection_counts"], path.n_features, np.int32),
        counts_by_column=None
        if given["counts_by_column"] is None
        else _decode_rows(given["counts_by_column"], len(path.preparation.columns), np.int32),
        predictions=None if given["predictions"] is None else _floats(given["predictions"]),
        diagnostics={
            which: {name: float(value) for name, value in numbers.items()}
            for which, numbers in given["diagnostics"].items()
        },
        **values,
    )


def _encode_fit(fit: Fit) -> dict[str, Any]:
    content = {field.name: _encode(getattr(fit, field.name)) for field in fields(fit)}
    content["coef"] = _encode_rows(SparseRows.from_rows([fit.coef], fit.coef.size))
    content["scales"] = _encode(_alike(fit.scales))
    content["preparation"] = fit.preparation.to_dict()
    return content


def _decode_fit(content: Mapping[str, Any]) -> Fit:
    values = dict(content)
    n_features = len(values["feature_names"])
    values["coef"] = _decode_rows(values["coef"], n_features, np.float64)[0]
    values["scales"] = np.array(np.broadcast_to(_floats(values["scales"]), (n_features,)))
    for name in ("lam", "l1_ratio", "intercept", "loss", "null_loss", "dual_gap", "kkt_violation"):
        values[name] = float(values[name])
    values["radius"] = None if values["radius"] is None else float(values["radius"])
    return Fit(**_decode_features(values))


def _encode_path(path: Path) -> dict[str, Any]:
    content = {field.name: _encode(getattr(path, field.name)) for field in fields(path)}
    content |= {name: _encode(_alike(getattr(path, name))) for name in _PER_FEATURE}
    content["preparation"] = path.preparation.to_dict()
    content["findings"] = [vars(finding) for finding in path.findings]
    return content


def _decode_path(content: Mapping[str, Any]) -> Path:
    values = dict(content)
    n_features = values["n_features"]
    for name in ("lambdas", "intercepts", "loss", "dual_gaps", "kkt_violations"):
        values[name] = _floats(values[name])
    for name in _PER_FEATURE:
        values[name] = np.array(np.broadcast_to(_floats(values[name]), (n_features,)))
    for name in ("l1_ratio", "tol", "sum_weights", "lambda_max", "null_loss", "n_sweeps"):
        values[name] = float(values[name])
    values["statuses"] = np.array(values["statuses"], dtype=STATUSES.dtype)
    values["n_iters"] = np.array(values["n_iters"], dtype=np.int32)
    values["coef_rows"] = _decode_rows(values["coef_rows"], n_features, np.float64)
    values["findings"] = tuple(
        Finding(entry["code"], entry["text"], entry["fix"], tuple(entry["columns"])) for entry in values["findings"]
    )
    return Path(**_decode_features(values))


def _decode_features(values: dict[str, Any]) -> dict[str, Any]:
    """What a model knows about its data, decoded in place."""
    from normball.inputs.preparation import Preparation

    values["feature_names"] = tuple(values["feature_names"])
    values["classes"] = None if values["classes"] is None else tuple(values["classes"])
    values["preparation"] = Preparation.from_dict(values["preparation"])
    return values


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


def _floats(value: Any) -> NDArray[np.float64]:
    return np.array(value, dtype=np.float64)  # reads "nan", "inf" and "-inf" too


def _alike(values: NDArray[Any]) -> Any:
    """One value for an array of equal ones, else the array."""
    return values[0].item() if values.size and (values == values[0]).all() else values


def _encode_rows(rows: SparseRows) -> dict[str, Any]:
    content = {"indptr": _encode(rows.indptr), "values": _encode(_alike(rows.values))}
    n_rows, n_columns = rows.shape
    if not np.array_equal(rows.indices, np.tile(np.arange(n_columns), n_rows)):
        content["indices"] = _encode(rows.indices)
    return content


def _decode_rows(content: Mapping[str, Any], n_columns: int, dtype: Any) -> SparseRows:
    indptr = np.array(content["indptr"], dtype=np.int64)
    places = content["indices"] if "indices" in content else np.tile(np.arange(n_columns), indptr.size - 1)
    values = np.array(np.broadcast_to(np.array(content["values"], dtype), (indptr[-1],)))
    return SparseRows(indptr, np.array(places, dtype=np.int32), values, n_columns)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
