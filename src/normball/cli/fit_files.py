"""The files that `normball fit` writes: model, report, coefficients, path and, on request, held-out predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.cli.outputs import STDOUT, csv_text, write
from normball.cli.source import Task, UsageError
from normball.files import check_folder, check_writable

if TYPE_CHECKING:
    from normball.cli.console import Console
    from normball.comparison import Comparison
    from normball.cv_result import CVPath

MOST_COLUMNS = 1000  # of coefficients in a table of the path
MOST_HELD_OUT = 250_000_000  # predictions in memory, 2 GB


def places(output: str, out_of_fold: str | None) -> dict[str, Path]:
    """Where the files go; raises before anything is fitted where they cannot."""
    if output in STDOUT:
        raise UsageError(f"fit writes four files: -o names their folder, and {output} is none")
    folder = Path(output)
    check_folder(folder)
    files = {
        "model": folder / "model.json",
        "report": folder / "report.html",
        "coefficients": folder / "coefficients.csv",
        "path": folder / "path.csv",
    }
    if out_of_fold in STDOUT:
        raise UsageError("the summary goes to stdout: --out-of-fold names a file")
    if out_of_fold:
        files["out_of_fold"] = Path(out_of_fold)
    for place in files.values():
        if place.parent != folder or folder.is_dir():  # else it is made when there is something to write
            check_writable(place)
    return files


def keeps_predictions(number: int, files: Mapping[str, Path], compared: bool) -> bool:
    """Whether so many predictions of held-out rows are kept; raises where a file wants more than there is room for.

    `compared` says that they are of penalties that are compared by default.
    """
    from normball.report import MOST_PREDICTIONS

    if "out_of_fold" in files and number > MOST_HELD_OUT:
        text = (
            f"--out-of-fold needs {number:,} predictions in memory, one for each row, lambda and penalty"
            f": make it fewer with {'--no-compare or ' if compared else ''}--n-lambdas 20"
        )
        raise UsageError(text)
    return number <= MOST_PREDICTIONS or "out_of_fold" in files


def write_all(
    comparison: Comparison,
    cv: CVPath,
    task: Task,
    files: Mapping[str, Path],
    console: Console,
    at: Callable[[str], None],
) -> None:
    """Write the files of a fit, the model first, for the others can be made of it; `at` is told which is in work.

    `cv` is the mix that was picked; the model file holds all of them.
    The predictions of held-out rows serve their own file and the report; the model file does without.
    """
    from normball.cli import apart, out_of_fold_file
    from normball.cli.long_tables import LongTask
    from normball.cli.models import choose
    from normball.cli.prediction_file import PredictionFile
    from normball.comparison import Comparison
    from normball.report import write_report
    from normball.results.saving import save

    def write_table(what: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        write(files[what], csv_text(header, rows, console), console)

    run = task.run
    console.planned = [str(place) for place in files.values()]
    files["model"].parent.mkdir(parents=True, exist_ok=True)
    at(files["model"].name)
    paths = tuple(replace(one, predictions=None) for one in comparison)
    save(Comparison(paths) if len(paths) > 1 else paths[0], files["model"], run.to_dict())
    console.written.append(str(files["model"]))
    coefficients = choose(cv, run.select).to_frame()
    write_table("coefficients", coefficients.columns, coefficients.iter_rows())
    path = path_table(cv, console)
    write_table("path", list(path), zip(*path.values(), strict=True))
    if "report" in files:
        at(files["report"].name)
    prepared = apart.prepared(task)
    if "out_of_fold" in files:
        at(files["out_of_fold"].name)
        with PredictionFile(str(files["out_of_fold"]), console, parts=True) as file:
            for columns in (
                task.held_out(cv) if isinstance(task, LongTask) else [out_of_fold_file.columns(cv, run, prepared)]
            ):
                file.add(columns)
    if "report" in files:
        write_report(cv, files["report"], run, prepared, comparison if len(paths) > 1 else None)
        console.written.append(str(files["report"]))


def path_table(cv: CVPath, console: Console) -> dict[str, list[Any]]:
    """The path by columns: a row for each lambda, with the coefficients of the features that are kept anywhere."""
    from normball.evidence.listed import listed_coefs

    path = cv.path
    table: dict[str, list[Any]] = cv.to_frame().to_dict(as_series=False)
    kept = np.unique(path.coef_rows.indices[path.coef_rows.values != 0])
    if kept.size * path.n_outputs > MOST_COLUMNS:
        least = f"{kept.size * path.n_outputs:,} coefficients at some lambda, more than {MOST_COLUMNS:,} columns"
        console.note(f"Left out the coefficients in path.csv: {least}; the model file holds them all.")
        return table
    coefs = listed_coefs(path, kept)
    for k, j in enumerate(kept):
        name = f"coef of {path.feature_names[j]}"
        if not path.output_names:
            table[name] = coefs[:, k].tolist()
        for output, each in enumerate(path.output_names):
            table[f"{name} for {each}"] = coefs[:, output, k].tolist()
    return table
