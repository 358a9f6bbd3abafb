"""Data and problems as files that any program can read: raw little-endian arrays and a JSON page.

A data folder holds ``X.bin`` (float64, column after column) or ``values.bin``, ``indices.bin``, ``indptr.bin``
(float64, int32, int32: compressed sparse columns), targets (float64, row after row) and ``meta.json``.
A problem is a JSON page that names them.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]


def is_survival(family: str) -> bool:
    """Whether rows of y are (time, event)."""
    return family.startswith("cox")


@dataclass(frozen=True)
class Page:
    """What a worker is told about a problem; all paths are absolute."""

    name: str
    family: str
    l1_ratio: float
    n: int
    p: int
    sparse: bool
    X: str  # folder; its columns are standardised unless `raw`
    raw: str  # folder of the columns in their own units, "" where there is none
    y: str
    offset: str  # "" where there is none
    lambdas: str
    folds: str
    n_outputs: int = 1  # of several, y has an indicator for each class, or a target each
    grouped: bool = False  # whether the penalty takes a feature for all outputs or for none
    groups: str = ""  # the group of each feature (int32), "" where the penalty knows none

    @classmethod
    def read(cls, path: str | Path) -> Page:
        return cls(**json.loads(Path(path).read_text()))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1))

    @property
    def family_name(self) -> str:
        """The family without its parameter, of which `parameter` is the number."""
        return self.family.partition("(")[0]

    @property
    def parameter(self) -> float:
        """1.5 of "tweedie(1.5)"; NaN where a family has none."""
        return float(self.family.partition("(")[2].removesuffix(")") or "nan")

    @property
    def is_plain(self) -> bool:
        """Whether there is one output, and a penalty of single coefficients."""
        return self.n_outputs == 1 and not self.groups

    def arrays(self, *, raw: bool = False) -> Arrays:
        """Read everything into memory; `raw` asks for the columns in their own units where there are such."""
        folder = Path(self.raw if raw and self.raw else self.X)
        y = np.fromfile(self.y)
        return Arrays(
            X=read_matrix(folder, self.n, self.p, self.sparse),
            y=y if y.size == self.n else y.reshape(self.n, -1),
            offset=np.fromfile(self.offset) if self.offset else None,
            lambdas=np.fromfile(self.lambdas),
            folds=np.fromfile(self.folds, np.int32),
            grouped=self.grouped,
            groups=np.fromfile(self.groups, np.int32) if self.groups else None,
        )


@dataclass(frozen=True)
class Arrays:
    """A problem in memory: X dense and column-major, or compressed sparse columns.

    y is (n,), of several outputs (n, n_outputs), of times to an event (n, 2).
    """

    X: Any
    y: Array
    offset: Array | None
    lambdas: Array
    folds: NDArray[np.int32]
    grouped: bool = False
    groups: NDArray[np.int32] | None = None

    @property
    def group_sizes(self) -> NDArray[np.int64]:
        """How many features each group has, 1 for all where there are no groups; a penalty's weight is its root."""
        return np.bincount(np.arange(self.X.shape[1]) if self.groups is None else self.groups)

    @property
    def splits(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(training rows, held-out rows) of every fold."""
        return [(np.flatnonzero(self.folds != k), np.flatnonzero(self.folds == k)) for k in range(self.folds.max() + 1)]


def read_matrix(folder: Path, n: int, p: int, sparse: bool) -> Any:
    if not sparse:
        return np.fromfile(folder / "X.bin").reshape(p, n).T
    parts = (
        np.fromfile(folder / "values.bin"),
        np.fromfile(folder / "indices.bin", np.int32),
        np.fromfile(folder / "indptr.bin", np.int32),
    )
    return sp.csc_matrix(parts, shape=(n, p))


def write_data(folder: Path, X: Any, vectors: Mapping[str, Array]) -> None:
    """Write a data folder; it appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=folder.name + "."))
    try:
        if sp.issparse(X):
            X = X.tocsc()
            X.sort_indices()
            X.data.astype(np.float64).tofile(unfinished / "values.bin")
            X.indices.astype(np.int32).tofile(unfinished / "indices.bin")
            X.indptr.astype(np.int32).tofile(unfinished / "indptr.bin")
        else:
            np.ascontiguousarray(X.T, dtype=np.float64).tofile(unfinished / "X.bin")
        for name, vector in vectors.items():
            np.asarray(vector, dtype=np.float64).tofile(unfinished / f"{name}.bin")
        size = {"n": int(X.shape[0]), "p": int(X.shape[1]), "sparse": bool(sp.issparse(X))}
        (unfinished / "meta.json").write_text(json.dumps(size))
        if folder.exists():  # another run was quicker
            shutil.rmtree(unfinished)
        else:
            os.replace(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


@dataclass(frozen=True)
class Solution:
    """A path as a solver left it: intercepts (n_lambdas,), coefficients CSR (n_lambdas, p).

    With several outputs intercepts are (n_lambdas, n_outputs), and coefficients have a row for each output of each
    strength.
    """

    intercepts: Array
    coefs: Any

    @classmethod
    def read(cls, stem: str, n_lambdas: int, p: int, n_outputs: int = 1) -> Solution:
        """Read what a worker wrote: `stem` plus four endings. A path that ended early is shorter than the grid."""
        indptr = np.fromfile(stem + ".indptr", np.int32)
        parts = (np.fromfile(stem + ".values"), np.fromfile(stem + ".indices", np.int32), indptr)
        coefs = sp.csr_matrix(parts, shape=(min(n_lambdas * n_outputs, indptr.size - 1), p))
        intercepts = np.fromfile(stem + ".intercepts")
        return cls(intercepts if n_outputs == 1 else intercepts.reshape(-1, n_outputs), coefs)

    def write(self, stem: str) -> None:
        coefs = sp.csr_matrix(self.coefs)
        np.asarray(self.intercepts, dtype=np.float64).tofile(stem + ".intercepts")
        coefs.data.astype(np.float64).tofile(stem + ".values")
        coefs.indices.astype(np.int32).tofile(stem + ".indices")
        coefs.indptr.astype(np.int32).tofile(stem + ".indptr")
