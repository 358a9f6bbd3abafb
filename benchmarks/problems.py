"""Every problem by name: what it is, and its files under build/ on first use."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import generators as make
from benchmarks import output_data, real_data
from benchmarks import sparse_generators as sparse
from benchmarks.judge import largest_strength
from benchmarks.store import Arrays, Page, is_survival, write_data

Array = NDArray[np.float64]
Built = tuple[Any, dict[str, Array]]  # the columns in their own units, and vectors by name: y..., offset

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("NORMBALL_BENCHMARK_CACHE") or ROOT / "build" / "benchmarks")
N_FOLDS = 10
_FOLD_SEED = 0
_OUTPUT_PEERS = ("glmnet", "adelie", "scikit-learn", "skglm", "celer")


@dataclass(frozen=True)
class Problem:
    """One data set, one family, one grid.

    The grid has `n_lambdas` strengths, evenly spaced in the logarithm, from `top` times the smallest strength at which
    the lasso's coefficients are all zero, divided by the l1_ratio unless that is 0, down to `lambda_min_ratio` of it.
    """

    name: str
    says: str
    data: str  # problems may share their data
    build: Callable[[], Built]
    family: str
    group: str  # "workload", "families", "survival", "sparse", "classes", "hard", "growth" or "real"
    l1_ratio: float = 1.0
    lambda_min_ratio: float = 1e-2
    top: float = 1.0
    target: str = "y"
    leaders: tuple[str, ...] = ("glmnet", "adelie")  # the solvers that a quick run compares with
    cv: bool = False  # whether a run of everything cross-validates it
    keeps_units: bool = False  # whether programs get the columns in their own units, to standardise themselves
    n_lambdas: int = 100
    n_folds: int = N_FOLDS
    grouped: bool = False  # with several outputs: whether a feature is taken for all of them or for none
    group_size: int = 0  # the penalty takes so many neighbours at a time; 0: single features
    own_groups: bool = False  # the penalty takes the groups that come with the data, neighbours of various sizes
    is_real: bool = False  # whether it takes the folder of real data sets

    @property
    def has_groups(self) -> bool:
        return self.group_size > 0 or self.own_groups

    def page(self) -> Path:
        """The problem's JSON page; makes it and its data if they are not there."""
        page = CACHE / "problems" / f"{self.name}.json"
        page.parent.mkdir(parents=True, exist_ok=True)
        with _locked(CACHE / "lock"):
            if not page.exists():
                folder = self._data_folder()
                page.with_suffix(".bound.bin").unlink(missing_ok=True)  # of an earlier problem of this name
                self._write_page(page, folder)
        return page

    def _data_folder(self) -> Path:
        folder = CACHE / "data" / self.data
        if not folder.exists():
            X, vectors = self.build()
            if self.keeps_units:
                standard, units = _standardised(X)
                write_data(folder.with_name(self.data + "-raw"), X, units)
                X = standard
            write_data(folder, X, vectors)
        return folder

    def _write_page(self, page: Path, folder: Path) -> None:
        size = json.loads((folder / "meta.json").read_text())
        stem = page.parent / self.name
        offset, target, groups = folder / "offset.bin", folder / f"{self.target}.bin", Path(f"{stem}.groups.bin")
        if self.group_size:
            (np.arange(size["p"], dtype=np.int32) // self.group_size).tofile(groups)
        elif self.own_groups:
            np.fromfile(folder / "groups.bin").astype(np.int32).tofile(groups)
        made = Page(
            name=self.name,
            family=self.family,
            l1_ratio=self.l1_ratio,
            **size,
            X=str(folder),
            raw=str(folder.with_name(self.data + "-raw")) if self.keeps_units else "",
            y=str(target),
            offset=str(offset) if offset.exists() else "",
            lambdas=f"{stem}.lambdas.bin",
            folds=f"{stem}.folds.bin",
            n_outputs=1 if is_survival(self.family) else target.stat().st_size // (8 * size["n"]),
            grouped=self.grouped,
            groups=str(groups) if self.has_groups else "",
        )
        np.zeros(0).tofile(made.lambdas)
        folds(made.n, self.n_folds).tofile(made.folds)
        self.grid(made.arrays()).tofile(made.lambdas)
        unfinished = page.with_suffix(".part")
        made.write(unfinished)
        os.replace(unfinished, page)

    def grid(self, data: Arrays) -> Array:
        largest = largest_strength(data, self.family) / (self.l1_ratio if self.l1_ratio > 0 else 1)
        return np.asarray(largest * self.top * np.logspace(0, np.log10(self.lambda_min_ratio), self.n_lambdas))


def _standardised(X: Any) -> tuple[Any, dict[str, Array]]:
    """The columns that the judge sees, and with which means and scales they were made: sparse ones are not centred."""
    if not hasattr(X, "toarray"):
        return make.standardise(np.array(X, order="F")), {"means": X.mean(0), "scales": X.std(0)}
    return sparse.unit_deviation(X), {"means": np.zeros(X.shape[1]), "scales": sparse.deviations(X)}


def folds(n: int, n_folds: int) -> NDArray[np.int32]:
    """The fold that holds each row out. These are the folds that adelie draws (it takes no others) with seed 0."""
    order = np.random.RandomState(_FOLD_SEED).choice(n, n, replace=False)
    ids = np.empty(n, np.int32)
    for fold, rows in enumerate(np.array_split(order, n_folds)):
        ids[rows] = fold
    return ids


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _one(made: tuple[Array, Array]) -> Built:
    return made[0], {"y": made[1]}


def _text() -> Built:
    X, targets = make.text()
    return X, {f"y_{family}": y for family, y in targets.items()}


def _bundled(loader: str) -> Built:
    """A data set that comes with scikit-learn, without its constant columns."""
    import sklearn.datasets

    X, y = getattr(sklearn.datasets, loader)(return_X_y=True)
    X = make.standardise(np.asfortranarray(X[:, X.std(0) > 0].astype(float)))
    return X, {"y": y.astype(float)}


def _workloads() -> list[Problem]:
    def a() -> Built:
        return _one(make.gaussian(100_000, 500, 0.5, 50, 4, 1))

    def b() -> Built:
        return _one(make.gaussian(1000, 20_000, 0.5, 40, 5, 3))

    tall = 1e-4
    rows: list[tuple[str, str, str, Callable[[], Built], str, dict[str, Any]]] = [
        ("A", "dense, n=100,000 p=500, correlation 0.5", "A", a, "gaussian",
         {"lambda_min_ratio": tall, "leaders": ("scikit-learn", "adelie-cov", "gram"), "cv": True}),
        ("A9", "as A, correlation 0.9", "A9", lambda: _one(make.gaussian(100_000, 500, 0.9, 50, 4, 2)), "gaussian",
         {"lambda_min_ratio": tall, "leaders": ("scikit-learn", "adelie-cov")}),
        ("B", "dense, n=1,000 p=20,000, correlation 0.5", "B", b, "gaussian",
         {"leaders": ("adelie", "glmnet"), "cv": True}),
        ("B9", "dense, n=1,000 p=20,000, any two columns correlate 0.9", "B9",
         lambda: _one(make.gaussian(1000, 20_000, 0.9, 40, 5, 4, equal=True)), "gaussian", {}),
        ("C", "dense, n=200 p=200,000, correlation 0.5", "C",
         lambda: _one(make.gaussian(200, 200_000, 0.5, 20, 5, 5)), "gaussian", {}),
        ("D", "dense, n=50,000 p=200, correlation 0.5", "D",
         lambda: _one(make.logistic(50_000, 200, 0.5, 40, 2.0, 6)), "binomial",
         {"lambda_min_ratio": 1e-3, "leaders": ("adelie", "glmnet", "gram"), "cv": True}),
        ("E", "dense, n=500 p=20,000, correlation 0.5", "E",
         lambda: _one(make.logistic(500, 20_000, 0.5, 20, 3.0, 8)), "binomial", {"cv": True}),
        ("F", "sparse, n=20,000 p=50,000, 112 nonzeros a row", "F", _text, "binomial",
         {"target": "y_binomial", "cv": True}),
        ("Fg", "the matrix of F", "F", _text, "gaussian", {"target": "y_gaussian", "cv": True}),
        ("G", "elastic net, l1_ratio 0.5, on B", "B", b, "gaussian", {"l1_ratio": 0.5}),
        ("HA", "ridge on A", "A", a, "gaussian", {"l1_ratio": 0.0, "lambda_min_ratio": tall, "top": 1e3}),
        ("HB", "ridge on B", "B", b, "gaussian", {"l1_ratio": 0.0, "top": 1e3}),
        ("I_diab", "diabetes, n=442 p=10", "I_diab", lambda: _bundled("load_diabetes"), "gaussian",
         {"lambda_min_ratio": tall, "leaders": ("scikit-learn-lars", "glmnet", "adelie")}),
        ("I_bc", "breast cancer, n=569 p=30", "I_bc", lambda: _bundled("load_breast_cancer"), "binomial",
         {"lambda_min_ratio": tall, "leaders": ("adelie", "glum", "glmnet")}),
        ("J", "dense, n=50,000 p=100, partly indicators", "J", lambda: _one(make.poisson()), "poisson",
         {"lambda_min_ratio": tall, "leaders": ("glmnet", "adelie", "gram"), "cv": True}),
    ]  # fmt: skip
    return [Problem(*row[:5], group="workload", **row[5]) for row in rows]


def _families() -> list[Problem]:
    """The families beyond the three of the workloads: tall and wide, each on the grid that is usual for its shape."""

    def build(family: str, n: int, p: int, scale: float, seed: int) -> Callable[[], Built]:
        return lambda: _one(make.of_family(family, n, p, 20, scale, seed))

    peers = ("glmnet", "glum", "adelie", "skglm")
    shapes = {"tall": (100_000, 100, 0.7, 1e-4), "wide": (500, 10_000, 1.0, 1e-2)}
    problems = []
    for seed, family in enumerate(make.FAMILIES, 41):
        for shape, (n, p, scale, ratio) in shapes.items():
            name = f"{family.partition('(')[0]}_{shape}"
            says, made = f"dense, n={n:,} p={p:,}, correlation 0.5", build(family, n, p, scale, seed)
            problems.append(Problem(name, says, name, made, family, "families", lambda_min_ratio=ratio, leaders=peers))
    return problems


def _survival() -> list[Problem]:
    """Cox models with Breslow's ties, which all peers have."""

    def build(n: int, p: int, n_true: int, scale: float, seed: int, *, days: int = 0) -> Callable[[], Built]:
        return lambda: _one(make.survival(n, p, n_true, scale, seed, days=days))

    peers = ("glmnet", "glmstar", "adelie", "scikit-survival")
    rows: list[tuple[str, str, Callable[[], Built], dict[str, Any]]] = [
        ("cox_tall", "dense, n=50,000 p=100, correlation 0.5", build(50_000, 100, 20, 1.0, 61),
         {"lambda_min_ratio": 1e-3}),
        ("cox_trial", "a trial's size: n=700 p=10, times in days", build(700, 10, 5, 0.8, 62, days=2500),
         {"lambda_min_ratio": 1e-4}),
        ("cox_wide", "dense, n=500 p=20,000, correlation 0.5", build(500, 20_000, 20, 1.5, 63), {}),
        ("cox_genes", "dense, n=2,000 p=20,000, correlation 0.5", build(2000, 20_000, 20, 1.5, 64), {}),
        ("metabric9", "1,904 patients, 9 clinical and genetic columns",
         lambda: real_data.survival("metabric9", drop=("split",)), {"lambda_min_ratio": 1e-4, "is_real": True}),
    ]  # fmt: skip
    return [
        Problem(name, says, name, made, "cox(breslow)", "survival", leaders=peers, cv=True, **options)
        for name, says, made, options in rows
    ]


def _sparse() -> list[Problem]:
    """Rows short and long, columns even and of Zipf's law, counts, 0/1 and amounts; columns few and many."""

    def build(
        design: Callable[..., Any],
        sizes: tuple[int, int, int],
        target: tuple[str, int, float],
        seed: int,
        *,
        unit: bool,
    ) -> Callable[[], Built]:
        def made() -> Built:
            rng = np.random.default_rng(seed)
            X = design(*sizes, rng)
            X = sparse.unit_deviation(X) if unit else X
            return X, {"y": sparse.target(X, *target, rng)}

        return made

    even, counts, present = sparse.even_rows, sparse.word_counts, sparse.words_present
    short = build(even, (15_000, 30_000, 40), ("binomial", 300, 2.0), 51, unit=False)
    logistic = ("binomial", 200, 2.0)
    rows: list[tuple[str, str, Callable[[], Built], dict[str, Any]]] = [
        ("text_short_rows", "n=15,000 p=30,000, 40 normal entries a row, columns alike", short,
         {"lambda_min_ratio": 2e-2, "cv": True}),
        ("text_own_units", "as before, standardised by the program", short,
         {"lambda_min_ratio": 2e-2, "keeps_units": True}),
        ("text_many_columns", "n=8,000 p=50,000, 60 normal entries a row, columns alike",
         build(even, (8000, 50_000, 60), ("binomial", 100, 4.0), 52, unit=False), {}),
        ("text_counts", "n=5,000 p=39,000, counts of 140 words a row, by Zipf's law",
         build(counts, (5000, 40_000, 155), ("binomial", 200, 3.0), 53, unit=False), {}),
        ("text_counts_scaled", "as before, columns of unit deviation",
         build(counts, (5000, 40_000, 155), ("binomial", 200, 3.0), 53, unit=True), {"cv": True}),
        ("text_present", "n=12,000 p=55,000, 60 words a row, 0 or 1",
         build(present, (12_000, 59_000, 60), logistic, 54, unit=False), {}),
        ("text_many_rows", "n=40,000 p=20,000, 31 words a row, unit deviation",
         build(present, (40_000, 20_000, 30), logistic, 55, unit=True), {}),
        ("text_tall", "n=100,000 p=2,000, 20 words a row, unit deviation",
         build(present, (100_000, 2000, 20), logistic, 56, unit=True), {"lambda_min_ratio": 1e-3}),
        ("amounts", "n=10,000 p=10,000, 50 amounts a row, columns heavy-tailed and of unit deviation",
         build(sparse.amounts, (10_000, 10_000, 50), ("binomial", 100, 2.0), 57, unit=True), {}),
        ("text_gaussian", "n=12,000 p=20,000, 60 words a row, unit deviation",
         build(present, (12_000, 20_000, 60), ("gaussian", 200, 1.5), 58, unit=True), {"family": "gaussian"}),
        ("text_poisson", "n=12,000 p=15,000, 50 words a row, unit deviation",
         build(present, (12_000, 15_000, 50), ("poisson", 200, 0.8), 59, unit=True), {"family": "poisson"}),
    ]  # fmt: skip
    return [
        Problem(name, f"sparse, {says}", name, made, group="sparse", **{"family": "binomial", **options})
        for name, says, made, options in rows
    ]


def _hard() -> list[Problem]:
    """Small enough that accuracy, not patience, decides; each for a linear and a logistic target."""
    n, p = 300, 600

    def designs(family: str) -> list[tuple[str, str, Callable[[], Built], dict[str, Any]]]:
        def plain(n: int, p: int, correlation: float, seed: int) -> tuple[Array, Array]:
            if family == "gaussian":
                return make.gaussian(n, p, correlation, 20, 4, seed)
            return make.logistic(n, p, correlation, 20, 2.0, seed)

        def scaled() -> Built:
            X, y = plain(n, p, 0.5, 22)
            return make.badly_scaled(X, 22), {"y": y}

        def duplicated() -> Built:
            X, y = plain(n, p // 2, 0.5, 23)
            return make.with_duplicates(X, 23), {"y": y}

        tall = {"lambda_min_ratio": 1e-4}
        return [
            ("correlated", "neighbours correlate 0.99", lambda: _one(plain(n, p, 0.99, 21)), {}),
            ("correlated_tall", "as before, n=2,000 p=100", lambda: _one(plain(2000, 100, 0.99, 25)), tall),
            ("scales", "columns in units from 1e-6 to 1e6, standardised by the program", scaled, {"keeps_units": True}),
            ("duplicates", "every column twice, some with the other sign", duplicated, {}),
            ("wide", "n=300 p=3,000", lambda: _one(plain(n, 10 * n, 0.5, 24)), {}),
            ("saturated", "down to 1e-4 of lambda_max with n < p", lambda: _one(plain(n, p, 0.5, 26)), tall),
        ]

    return [
        Problem(f"{name}_{family}", says, f"{name}_{family}", build, family, group="hard", **options)
        for family in ("gaussian", "binomial")
        for name, says, build, options in designs(family)
    ]


def _growth() -> list[Problem]:
    """One size varied at a time around a base; the number of folds is varied on the base."""

    def gaussian(n: int, p: int) -> Callable[[], Built]:
        return lambda: _one(make.gaussian(n, p, 0.5, 40, 4, 31))

    def logistic(n: int, p: int) -> Callable[[], Built]:
        return lambda: _one(make.logistic(n, p, 0.5, 40, 2.0, 32))

    kinds = {
        "tall": ("gaussian", gaussian, (40_000, 200), (10_000, 20_000, 80_000, 160_000), (50, 100, 400, 800)),
        "wide": ("gaussian", gaussian, (500, 10_000), (125, 250, 1000, 2000), (2500, 5000, 20_000, 40_000)),
        "logistic": ("binomial", logistic, (20_000, 100), (5000, 10_000, 40_000, 80_000), (25, 50, 200, 400)),
    }
    problems = []
    for kind, (family, build, (n0, p0), ns, ps) in kinds.items():
        sizes = [(n0, p0), *((n, p0) for n in ns), *((n0, p) for p in ps)]
        ratio = 1e-2 if kind == "wide" else 1e-3
        for n, p in sizes:
            name = f"grow_{kind}_{n}_{p}"
            problems.append(
                Problem(name, f"{kind}, n={n:,} p={p:,}", name, build(n, p), family, "growth", lambda_min_ratio=ratio)
            )
        for k in (2, 5, 10, 20, 50):
            name = f"grow_{kind}_{n0}_{p0}"
            problems.append(
                Problem(f"{name}_folds{k}", f"{kind}, {k} folds", name, build(n0, p0), family, "growth",
                        lambda_min_ratio=ratio, cv=True, n_folds=k)
            )  # fmt: skip
    return problems


def _real() -> list[Problem]:
    return [
        Problem(one.name, one.says, one.name, one.build, one.family, "real",
                lambda_min_ratio=one.lambda_min_ratio, cv=one.cv, is_real=True)
        for one in real_data.SETS
    ]  # fmt: skip


def _classes() -> list[Problem]:
    """Classes, several targets, and groups of features."""
    return [
        Problem(one.name, one.says, one.data, one.build, one.family, "classes", lambda_min_ratio=one.lambda_min_ratio,
                leaders=_OUTPUT_PEERS, cv=True, grouped=one.grouped, group_size=one.group_size,
                own_groups=one.own_groups, is_real=one.is_real)
        for one in output_data.SETS
    ]  # fmt: skip


PROBLEMS = {
    problem.name: problem
    for make_group in (_workloads, _families, _survival, _sparse, _classes, _hard, _growth, _real)
    for problem in make_group()
}
