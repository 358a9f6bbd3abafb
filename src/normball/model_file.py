"""Saved models read back, without running any code; `results/saving.py` wrote them.

A file is checked when it is read: field by field, by the tables below, so that what is wrong is said by its name; and
as a whole by its checksum, since no table can tell a coefficient from another one that somebody typed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Never

import numpy as np

from normball import schema
from normball.comparison import Comparison
from normball.cv_result import CVPath
from normball.families import find_family
from normball.messages import DataError, Finding
from normball.model_readers import (
    finding,
    fold_ids,
    hazards,
    held_out,
    label,
    length_of,
    per_output,
    ranges,
    sparse_rows,
)
from normball.results.fit import Fit
from normball.results.path import STATUSES, Path
from normball.results.saving import SCHEMA, checksum
from normball.schema import Damaged, Reader, array, listed, number, one_of, optional, record, text, truth

_SAVE_AGAIN = "take a copy that is not damaged, or fit and save the model again"


Model = Fit | Path | CVPath | Comparison


def load(path: str | os.PathLike[str]) -> Model:
    """Read the `Fit`, `Path`, `CVPath` or `Comparison` that was saved in a file.

    Parameters
    ----------
    path : path-like
        A file that `Fit.save`, `Path.save`, `CVPath.save`, `Comparison.save` or `normball fit` wrote.

    Returns
    -------
    Fit, Path, CVPath or Comparison
        Equal to what was saved, to the last bit.

    Raises
    ------
    DataError
        If the file is no model, was written by a newer normball, or was damaged or changed since it was written (E10).

    Examples
    --------
    >>> import os, tempfile, numpy as np, normball as nb
    >>> path = nb.fit_path(np.eye(4)[:, :2], np.array([1.0, 2.0, 3.0, 4.0]), n_lambdas=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "model.json")
    ...     path.save(file)
    ...     (nb.load(file).coefs == path.coefs).all()
    np.True_
    """
    return load_with_run(path, schema.fields)[0]


def load_with_run(path: str | os.PathLike[str], run: Reader) -> tuple[Model, Any]:
    """Read what was saved in a file, and where it came from by the reader `run` (None if that was not saved)."""
    path = os.fspath(path)
    content = _json(path)
    try:
        result = from_dict(content)
        made = run(content["run"], "run") if "run" in content else None
    except Damaged as damage:
        found = f'"{path}" is a damaged normball model: {damage}.'
        raise DataError(Finding("E10", found, _SAVE_AGAIN)) from None
    if "checksum" in content and content["checksum"] != checksum(content):
        found = f'"{path}" was changed since it was written, or damaged: its content does not match its "checksum".'
        raise DataError(Finding("E10", found, _SAVE_AGAIN))
    return result, made


def _json(path: str) -> dict[str, Any]:
    """The content of a file that says it is a model of a schema that can be read."""

    def refuse(constant: str) -> Never:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file, parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        found = f'"{path}" is not a normball model, or was cut off: it is no JSON ({error}).'
        raise DataError(Finding("E10", found, _SAVE_AGAIN)) from None
    if not isinstance(content, dict) or content.get("format") != "normball":
        raise DataError(Finding("E10", f'"{path}" is JSON, but not a normball model.', "write one with .save()"))
    number_of_schema = content.get("schema")
    if type(number_of_schema) is int and number_of_schema > SCHEMA:
        found = f'"{path}" was written by schema {number_of_schema}; this normball reads {SCHEMA}.'
        raise DataError(Finding("E10", found, "pip install -U normball"))
    return content


def from_dict(content: Mapping[str, Any]) -> Model:
    """The result that `to_dict` wrote; raises Damaged where it cannot be that."""
    parts: dict[str, dict[str, Reader]] = {
        "fit": {"fit": _decode_fit},
        "path": {"path": _decode_path},
        "cv_path": {"path": _decode_path, "cv": schema.fields},
        "comparison": {"paths": listed(_decode_mix)},
    }
    head: dict[str, Reader] = {
        "format": text,
        "schema": number(1, SCHEMA, whole=True),
        "version": text,
        "kind": one_of(*parts),
        "run": schema.fields,
        "checksum": text,
    }
    if "kind" not in content:
        raise Damaged("kind", "is missing")
    kind = head["kind"](content["kind"], "kind")
    read = record(content, "", head | parts[kind], optional=("run", "checksum"))
    if kind == "comparison":
        return _decode_comparison(read["paths"])
    return _decode_cv(read["cv"], read["path"]) if kind == "cv_path" else read[kind]


def _family(value: Any, where: str) -> str:
    written = text(value, where)
    try:
        family = find_family(written)
    except ValueError as error:
        raise Damaged(where, str(error).removeprefix("family ")) from None
    if family.is_open:
        raise Damaged(where, f"is {written!r}, but lacks its {family.parameter_name}")
    return str(family)


_MODEL: dict[str, Reader] = {  # of a path and of a single model
    "family": _family,
    "l1_ratio": number(0, 1),
    "standardize": truth,
    "feature_names": listed(text, distinct=True),
    "has_offset": truth,
    "null_loss": number(finite=False),
}
_OF_OUTPUTS: dict[str, Reader] = {  # there where a model has several
    "n_outputs": number(2, whole=True),
    "output_names": listed(text, distinct=True),
    "grouped": truth,
}


def _decode_fit(content: Any, where: str) -> Fit:
    n_features = length_of(content, where, "feature_names")
    n_outputs, of_outputs = _outputs(content, where)
    readers: dict[str, Reader] = {
        **_MODEL,
        **of_outputs,
        "classes": _classes(n_outputs),
        "preparation": _preparation,
        "lam": number(0),
        "coef": sparse_rows(n_outputs, n_features),
        "intercept": number() if n_outputs == 1 else array((n_outputs,)),
        "scales": array((n_features,), 0, alike=True),
        "loss": number(finite=False),
        "dual_gap": number(0, finite=False),
        "kkt_violation": number(0, finite=False),
        "status": one_of(*STATUSES.tolist(), "interpolated"),
        "n_iters": number(0, whole=True),
        "radius": optional(number(0)),
        "groups": optional(_groups(n_features)),
        "null_intercept": optional(number() if n_outputs == 1 else array((n_outputs,))),
        "baseline": hazards(),
    }
    # earlier files have none of these, and other models no hazards
    values = record(content, where, readers, optional=("groups", "null_intercept", "baseline"))
    values["coef"] = values["coef"][0] if n_outputs == 1 else values["coef"].toarray()
    fit = Fit(**values)
    _check_agreement(fit, where)
    return fit


def _decode_path(content: Any, where: str) -> Path:
    n_features = length_of(content, where, "feature_names")
    n_lambdas = length_of(content, where, "lambdas", "intercepts", "statuses")
    if n_lambdas == 0:
        raise Damaged(f"{where}.lambdas", "is empty")
    n_outputs, of_outputs = _outputs(content, where)
    readers: dict[str, Reader] = {
        **_MODEL,
        **of_outputs,
        "classes": _classes(n_outputs),
        "preparation": _preparation,
        "fit_intercept": truth,
        "tol": number(0),
        "n_rows": number(1, whole=True),
        "n_features": number(0, whole=True),
        "sum_weights": number(0),
        "penalty_factors": array((n_features,), 0, finite=False, alike=True),
        "lower_bounds": array((n_features,), most=0, finite=False, alike=True),
        "upper_bounds": array((n_features,), 0, finite=False, alike=True),
        "scales": array((n_features,), 0, alike=True),
        "lambdas": array((n_lambdas,), 0, order="descending"),
        "lambda_max": number(0),
        "intercepts": array(per_output(n_lambdas, n_outputs=n_outputs)),
        "coef_rows": sparse_rows(n_lambdas * n_outputs, n_features),
        "loss": array((n_lambdas,), finite=False),
        "dual_gaps": array((n_lambdas,), 0, finite=False),
        "kkt_violations": array((n_lambdas,), 0, finite=False),
        "statuses": listed(one_of(*STATUSES.tolist()), length=n_lambdas),
        "n_iters": array((n_lambdas,), 0, np.iinfo(np.int32).max, whole=True),
        "n_sweeps": number(0),
        "fingerprint": text,
        "findings": listed(finding),
        "dispersion": optional(number(0)),
        "groups": optional(_groups(n_features)),
        "null_intercept": optional(number() if n_outputs == 1 else array((n_outputs,))),
        "baselines": hazards(n_lambdas),
    }
    # earlier files have none of these, and other models no hazards
    values = record(content, where, readers, optional=("dispersion", "groups", "null_intercept", "baselines"))
    values["statuses"] = np.array(values["statuses"], dtype=STATUSES.dtype)
    values["n_iters"] = values["n_iters"].astype(np.int32)
    path = Path(**values)
    _check_agreement(path, where)
    return path


_LATER = ("null_fold_scores", "held_out", "fold_ranges", "bootstrap_ranges")  # earlier files have none


def _decode_mix(content: Any, where: str) -> CVPath:
    read = record(content, where, {"path": _decode_path, "cv": schema.fields})
    return _decode_cv(read["cv"], read["path"], f"{where}.cv")


def _decode_comparison(paths: tuple[CVPath, ...]) -> Comparison:
    if not paths:
        raise Damaged("paths", "is empty")
    first = paths[0]
    for j, cv in enumerate(paths):
        if cv.path.l1_ratio in [one.path.l1_ratio for one in paths[:j]]:
            raise Damaged(f"paths[{j}].path.l1_ratio", f"is {cv.path.l1_ratio!r}, which another path has")
        for name in ("family", "n_rows", "fingerprint", "feature_names"):
            if getattr(cv.path, name) != getattr(first.path, name):
                raise Damaged(f"paths[{j}].path.{name}", "is not that of the first path")
        if cv.score != first.score or not np.array_equal(cv.fold_weights, first.fold_weights):
            raise Damaged(f"paths[{j}].cv", "is of other folds, or of another score, than that of the first path")
    return Comparison(paths)


def _decode_cv(content: dict[str, Any], path: Path, where: str = "cv") -> CVPath:
    n_lambdas, n_folds = path.lambdas.size, length_of(content, where, "fold_weights", "fold_sizes", "fold_scores")
    readers: dict[str, Reader] = {
        "score": text,
        "greater_is_better": truth,
        "fold_scores": array((n_folds, n_lambdas), finite=False),
        "fold_weights": array((n_folds,), 0),
        "fold_sizes": array((n_folds,), 0, whole=True),
        "fold_dual_gaps": array((n_folds, n_lambdas), 0, finite=False),
        "fold_ids": optional(fold_ids(n_folds)),
        "folds": text,
        "train_mean": array((n_lambdas,), finite=False),
        "selection_counts": sparse_rows(n_lambdas, path.n_features, least=0, most=n_folds, whole=True),
        "counts_by_column": optional(
            sparse_rows(n_lambdas, len(path.preparation.columns), least=0, most=n_folds, whole=True)
        ),
        "predictions": optional(array(per_output(None, n_lambdas, n_outputs=path.n_outputs), finite=False)),
        "diagnostics": schema.mapping(schema.mapping(number(finite=False))),
        "null_fold_scores": optional(array((n_folds,), finite=False)),
        "held_out": optional(held_out(path)),
        "fold_ranges": optional(ranges(path)),
        "bootstrap_ranges": optional(ranges(path)),
        "lambda_best": number(),
        "lambda_1se": number(),
    }
    values = record(content, where, readers, optional=_LATER)
    chosen = {name: values.pop(name) for name in ("lambda_best", "lambda_1se")}
    cv = CVPath(path=path, **values)
    if np.isnan(cv.cv_mean).all():
        raise Damaged(f"{where}.fold_scores", "hold no score")
    for name, lam in chosen.items():
        if lam != getattr(cv, name):
            raise Damaged(f"{where}.{name}", f"is {lam!r}, but by the scores of the folds it is {getattr(cv, name)!r}")
    return cv


def _outputs(content: Any, where: str) -> tuple[int, dict[str, Reader]]:
    """How many outputs a model says that it has, and the readers of what it says of them."""
    given = schema.fields(content, where)
    if not given.keys() & _OF_OUTPUTS.keys():
        return 1, {}
    found = record({name: given[name] for name in _OF_OUTPUTS if name in given}, where, _OF_OUTPUTS)
    n_outputs, n_names = int(found["n_outputs"]), len(found["output_names"])
    if n_names != n_outputs:
        raise Damaged(f"{where}.n_outputs", f"is {n_outputs}, but there are {n_names} output_names")
    return n_outputs, _OF_OUTPUTS


def _check_agreement(model: Fit | Path, where: str) -> None:
    """What several fields say together."""
    if isinstance(model, Path) and model.n_features != len(model.feature_names):
        raise Damaged(f"{where}.n_features", f"is {model.n_features}, but there are {len(model.feature_names)} names")
    names = model.preparation.feature_names
    if names != model.feature_names:
        raise Damaged(f"{where}.feature_names", "are not those that the columns of the preparation give")
    family = find_family(model.family)
    if model.classes is not None and not family.has_classes:
        raise Damaged(f"{where}.classes", f"are given, but the family is {model.family}")
    if family.has_risk_sets != ((model.baselines if isinstance(model, Path) else model.baseline) is not None):
        name = "baselines" if isinstance(model, Path) else "baseline"
        raise Damaged(f"{where}.{name}", f"are the part of a model of survival alone; the family is {model.family}")
    if family.has_outputs != (model.n_outputs > 1):
        raise Damaged(f"{where}.n_outputs", f"is {model.n_outputs}, but the family is {model.family}")
    if family.has_outputs and family.has_classes:
        if model.classes is None:
            raise Damaged(f"{where}.classes", f"is null, but the family is {model.family}")
        if tuple(map(str, model.classes)) != model.output_names:
            raise Damaged(f"{where}.output_names", "are not those of the classes")


def _classes(n_outputs: int) -> Reader:
    """The labels of two classes, or of one for each output."""
    return optional(listed(label, distinct=True, length=max(n_outputs, 2)))


def _preparation(value: Any, where: str) -> Any:
    from normball.inputs.preparation import Preparation

    return Preparation.from_dict(value, where)


def _groups(n_features: int) -> Reader:
    def read(value: Any, where: str) -> Any:
        from normball.inputs.feature_groups import FeatureGroups

        return FeatureGroups.from_dict(value, where, n_features)

    return read
