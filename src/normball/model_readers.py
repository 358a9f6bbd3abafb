"""Readers of what a saved model holds beside plain numbers and lists of them."""

from __future__ import annotations

from statistics import mode
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball import schema
from normball.messages import Finding
from normball.packed import unpack
from normball.results.held_out import MEASURES, HeldOut
from normball.results.ranges import Ranges
from normball.results.sparse_rows import SparseRows
from normball.schema import Damaged, Reader, array, first_of, listed, number, one_of, record, text
from normball.survival.baseline import Baseline, Baselines

if TYPE_CHECKING:
    from normball.results.path import Path


def sparse_rows(n_rows: int, n_columns: int, **bounds: Any) -> Reader:
    """The rows of a `SparseRows`; the columns may lack where each row has all of them."""

    def read(value: Any, where: str) -> SparseRows:
        given = schema.fields(value, where)
        if "indptr" not in given:
            raise Damaged(f"{where}.indptr", "is missing")
        indptr = array((n_rows + 1,), 0, whole=True)(given["indptr"], f"{where}.indptr")
        falls = np.append(indptr[0] != 0, np.diff(indptr) < 0)
        if falls.any():
            raise first_of(falls, indptr, f"{where}.indptr", "must begin with 0 and never fall")
        n_stored = int(indptr[-1])
        if n_stored > n_rows * n_columns:
            raise Damaged(f"{where}.indptr", f"ends with {n_stored:,}, but there are {n_rows * n_columns:,} places")
        readers = {
            "indptr": lambda *_: indptr,
            "values": array((n_stored,), alike=True, **bounds),
            "indices": array((n_stored,), 0, n_columns - 1, whole=True),
        }
        found = record(given, where, readers, optional=("indices",))
        row_of = np.repeat(np.arange(n_rows), np.diff(indptr))
        if "indices" in found:
            places = found["indices"]
        elif (np.diff(indptr) == n_columns).all():
            places = np.tile(np.arange(n_columns), n_rows)
        else:
            raise Damaged(f"{where}.indices", "is missing")
        if np.unique(row_of * n_columns + places).size < n_stored:
            raise Damaged(f"{where}.indices", "names a column twice in one row")
        values = found["values"].astype(np.int32 if bounds.get("whole") else np.float64)
        return SparseRows(indptr, places.astype(np.int32), values, n_columns)

    return read


def finding(value: Any, where: str) -> Finding:
    """What was noticed about the data."""
    return Finding(**record(value, where, {"code": text, "text": text, "fix": text, "columns": listed(text)}))


def fold_ids(n_folds: int) -> Reader:
    """The fold of each row, or of each row in each of several rounds."""

    def read(value: Any, where: str) -> NDArray[np.int64]:
        rounds = schema.entries(value, where)
        if rounds and isinstance(rounds[0], list):
            return array((None, len(rounds[0])), -1, n_folds - 1, whole=True)(value, where)  # type: ignore[no-any-return]
        return array((None,), -1, n_folds - 1, whole=True)(value, where)  # type: ignore[no-any-return]

    return read


def per_output(*shape: int | None, n_outputs: int) -> tuple[int | None, ...]:
    """The shape of an array that has a number for each output where there are several."""
    return shape if n_outputs == 1 else (*shape, n_outputs)


def length_of(content: Any, where: str, *names: str) -> int:
    """The length that most of these lists of `content` have, by which all of its kind are measured."""
    given = schema.fields(content, where)
    for name in names:
        if name not in given:
            raise Damaged(f"{where}.{name}", "is missing")
    return mode(len(schema.entries(given[name], f"{where}.{name}")) for name in names)


def hazards(n_lambdas: int | None = None) -> Reader:
    """The baseline hazards of a path, or with `n_lambdas` None of one model."""

    def read(value: Any, where: str) -> Baselines | Baseline:
        n_times = length_of(value, where, "times", "strata")
        n_strata = length_of(value, where, "ends")
        readers: dict[str, Reader] = {
            "times": array((n_times,)),
            "strata": array((n_times,), 0, n_strata - 1, whole=True),
            "log_hazards": array((n_times,)) if n_lambdas is None else _tables(n_lambdas, n_times),
            "null": array((n_times,), finite=False),
            "ends": array((n_strata,), finite=False),
            "stratum_names": listed(label, distinct=True),
        }
        found = record(value, where, readers, optional=("null",))
        found["strata"] = found["strata"].astype(np.intp)
        next_stratum = np.diff(found["strata"]) > 0
        if not (next_stratum | (np.diff(found["times"]) > 0)).all() or (np.diff(found["strata"]) < 0).any():
            raise Damaged(f"{where}.times", "must be ascending within ascending strata")
        for name in ("log_hazards", "null"):
            if name in found and not (next_stratum | (found[name][..., 1:] >= found[name][..., :-1])).all():
                raise Damaged(f"{where}.{name}", "falls within a stratum")
        if max(1, len(found["stratum_names"])) != n_strata:
            raise Damaged(f"{where}.ends", f"are {n_strata}, but there are {len(found['stratum_names'])} stratum_names")
        return (Baseline if n_lambdas is None else Baselines)(**found)

    return read


def _tables(n_rows: int, n_columns: int) -> Reader:
    """A table of numbers, packed or as lists of them."""
    plain = array((n_rows, n_columns))

    def read(value: Any, where: str) -> Any:
        return unpack(value, where, (n_rows, n_columns)) if isinstance(value, dict) else plain(value, where)

    return read


def label(value: Any, where: str) -> Any:
    """A label of a class or a stratum."""
    return value if isinstance(value, (str, bool)) else number(whole=isinstance(value, int))(value, where)


def held_out(path: Path) -> Reader:
    """The measure of held-out rows, for each target where there are several."""
    n_classes = len(path.classes or ())

    def read(value: Any, where: str) -> HeldOut:
        measure = schema.fields(value, where).get("measure")
        of_classes = measure == "accuracy"
        per_lambda = per_output(path.lambdas.size, n_outputs=1 if of_classes else path.n_outputs)
        per_target = per_output(n_outputs=1 if of_classes else path.n_outputs)
        most = 1.0 if measure in ("accuracy", "concordance") else np.inf
        readers: dict[str, Reader] = {
            "measure": one_of(*MEASURES),
            "values": array(per_lambda, 0, most, finite=False),
            "null": array(per_target, 0, most, finite=False) if per_target else number(0, most, finite=False),
            "commonest": number(-1, n_classes - 1, whole=True),
            "errors": array(per_lambda, 0, finite=False),
        }
        found = record(value, where, readers, optional=("errors",))
        if (measure == "concordance") != ("errors" in found):
            raise Damaged(f"{where}.errors", "belong to a concordance, and to nothing else")
        return HeldOut(**{**found, "null": np.asarray(found["null"])})

    return read


def ranges(path: Path) -> Reader:
    """The ranges of coefficients at some strengths."""

    def read(value: Any, where: str) -> Ranges:
        n_rows = length_of(value, where, "lambdas") * path.n_outputs
        n_fits = record({"n_fits": schema.fields(value, where).get("n_fits")}, where, {"n_fits": number(1, whole=True)})
        coefs = sparse_rows(n_rows, path.n_features)
        readers: dict[str, Reader] = {
            "lambdas": array((n_rows // path.n_outputs,), 0, order="descending"),
            "low": coefs,
            "high": coefs,
            "counts": sparse_rows(n_rows, path.n_features, least=0, most=n_fits["n_fits"], whole=True),
            "n_fits": number(1, whole=True),
            "middle": number(0, 1),
        }
        return Ranges(**record(value, where, readers))

    return read
