"""`normball fit --out-of-fold FILE`: what each row was predicted to be by the folds that held it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normball.block_scores import held_out_links
from normball.blocks.long_table import changed
from normball.blocks.sums import seen_of
from normball.evidence.listed import picked
from normball.families import find_family
from normball.inputs.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from normball.blocks.block import Block
    from normball.blocks.encoding import TableRows
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.results.path import Path
    from normball.run import Run
    from normball.survival.target import SurvivalTarget

WithFolds: TypeAlias = "Callable[[Block], Block]"


def columns(cv: CVPath, run: Run, data: Data) -> dict[str, list[Any]]:
    """The columns of the file: the row of the table, its fold, the target and the predictions at the chosen lambda."""
    assert cv.predictions is not None
    index = picked(cv, run)
    eta = cv.predictions[:, index]
    rows = np.arange(data.n_rows) if data.rows is None else data.rows
    folds = {} if cv.fold_ids is None else _folds(cv.fold_ids)  # none of another program's making, that may overlap
    told = {"row": (rows + 1).tolist(), **folds}
    if data.survival is not None:
        return {**told, **_times(data.survival), **_of_times(cv.path, index, data.survival, eta)}
    return {**told, **_observed(cv, data.y), **_predicted(cv.path, eta)}


def columns_of_parts(
    cv: CVPath, run: Run, rows: TableRows, folds: WithFolds, row: str
) -> Iterator[dict[str, list[Any]]]:
    """The same of rows that are read in parts, part by part; `row` is the column that numbers the rows of the table.

    Raises
    ------
    DataError
        Where these are not the rows of the fit.
    """
    assert cv.fold_models is not None
    models = cv.fold_models.select(np.array([picked(cv, run)]))
    digests = []
    for numbers, block in rows.beside([row]):
        links = held_out_links(models, folds(block))
        digests.append(seen_of(block).digest)
        told = {"row": numbers[row].to_list(), **_folds(links.fold)}
        yield {**told, **_observed(cv, block.y), **_predicted(cv.path, links.eta[:, 0])}
    if fingerprint_of(*digests) != cv.path.fingerprint:
        raise changed("the rows are not those of the fit")


def _predicted(path: Path, eta: NDArray[np.float64]) -> dict[str, list[Any]]:
    """What linear predictors say, nothing where there is none."""
    from normball.cli.new_rows import by_name

    family = find_family(path.family)
    known = np.isfinite(eta.reshape(len(eta), -1)).all(axis=1)

    def predicted(kind: str) -> NDArray[Any]:
        labels = np.asarray(path.classes, dtype=object)
        told = (labels[family.choice(eta)] if kind == "class" else family.mean(eta)).astype(object)
        told[~known] = None
        return np.asarray(told)

    return by_name(path, predicted)


def _times(target: SurvivalTarget) -> dict[str, list[Any]]:
    """The target of a model of survival, as it was read."""
    start = {} if target.start is None else {"start": target.start.tolist()}
    stratum = {} if target.strata is None else {"stratum": [target.stratum_names[code] for code in target.codes]}
    return {**start, "time": target.stop.tolist(), "event": target.event.astype(int).tolist(), **stratum}


def _of_times(path: Path, index: int, target: SurvivalTarget, eta: NDArray[np.float64]) -> dict[str, list[Any]]:
    """What `normball predict` says, by the hazard of all rows; the folds' linear predictors are on its scale."""
    assert path.baselines is not None
    with np.errstate(over="ignore"):
        told = {"risk": np.exp(eta), "median": path.baselines[index].quantile(0.5, eta, target.codes)}
    known = np.isfinite(eta)
    return {
        name: [float(x) if k else None for x, k in zip(values, known, strict=True)] for name, values in told.items()
    }


def _folds(fold_ids: NDArray[Any]) -> dict[str, list[Any]]:
    """The fold of each row, from 1 on, and of each repeat; none for a row that no fold holds out."""
    repeats = np.atleast_2d(fold_ids)
    names = ["fold"] if len(repeats) == 1 else [f"fold of repeat {k + 1}" for k in range(len(repeats))]
    return {name: _named(folds) for name, folds in zip(names, repeats, strict=True)}


def _named(folds: NDArray[Any]) -> list[int | None]:
    return [None if fold < 0 else fold + 1 for fold in folds.tolist()]


def _observed(cv: CVPath, y: NDArray[np.float64]) -> dict[str, list[Any]]:
    """The target: labels of classes, numbers, or a column for each of several; shares of classes are no labels."""
    path = cv.path
    if path.classes is not None and cv.held_out is not None and cv.held_out.measure == "accuracy":
        places = y.argmax(axis=1) if path.output_names else y.astype(int)
        return {"observed": np.asarray(path.classes, dtype=object)[places].tolist()}
    if path.output_names:
        return {f"observed {name}": y[:, k].tolist() for k, name in enumerate(path.output_names)}
    return {"observed": y.tolist()}
