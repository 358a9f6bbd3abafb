"""`normball report`: the page of a saved model."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.cli.console import Console, labelled
from normball.cli.source import UsageError
from normball.language import message

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.run import Run

OF_THE_GRID = ("n_lambdas", "lambda_min_ratio")


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli import summary
    from normball.cli.models import choose, load_model, mix_of
    from normball.cli.outputs import STDOUT, open_page, sizes, write
    from normball.cv_result import CVPath
    from normball.report import page_text
    from normball.survival.horizon import check_horizon

    saved, made = load_model(arguments.model)
    model = mix_of(saved, arguments, made)
    comparison = summary.several(saved)
    if not isinstance(model, CVPath):
        raise ValueError(
            f"{arguments.model} holds a model without cross-validation; the report needs one, as normball fit makes it"
        )
    horizon = made.horizon if arguments.horizon is None else arguments.horizon
    made = replace(made, select=arguments.lam or made.select, horizon=horizon)
    choose(model, made.select)
    if arguments.open and arguments.output in STDOUT:
        raise UsageError("--open needs a file: -o names one")
    place = Path(arguments.output) if arguments.output else Path(arguments.model).with_name("report.html")
    data = None
    if arguments.data and arguments.embed != "none":
        with console.phase(message("Data")):
            paths, data = _with_data([model] if comparison is None else [*comparison], made, arguments.data)
            model = next(one for one in paths if one.path.l1_ratio == model.path.l1_ratio)
            comparison = None if comparison is None else replace(comparison, paths=tuple(paths))
            check_horizon(horizon, data.family, data.survival, data.weights, said="--horizon ")
    elif arguments.horizon is not None:
        raise UsageError(
            "--horizon needs the rows of the fit, for what happened by then: give --data, and no --embed none"
        )
    with console.phase(message("Page")):
        page = page_text(model, made, data, comparison)
    write(place, page, console)
    if console.written:
        console.result(labelled(message("Wrote"), sizes(console.written)))
        console.took()
    console.document({"files": {"report": str(place)}})
    if arguments.open:
        open_page(place, console)
    return 0


def _with_data(paths: list[CVPath], made: Run, file: str) -> tuple[list[CVPath], Data]:
    """The data of the fit, read as they were then, and the models with the predictions of their folds."""
    from normball.cli import apart
    from normball.cli.source import opened
    from normball.inputs.tables import read_table
    from normball.report import MOST_PREDICTIONS

    table = read_table(opened(file)[0], findings=[], **made.reading)
    table, data = apart.fitted(paths[0].path, made, table)
    n_predictions = data.n_rows * max(one.path.intercepts.size for one in paths) * len(paths)
    if n_predictions <= MOST_PREDICTIONS:
        paths = [_with_predictions(one, made, table, data) for one in paths]
    return paths, data


def _with_predictions(model: CVPath, made: Run, table: Any, data: Data) -> CVPath:
    """The model with the predictions of its folds, fitted once more; without where the folds are not these."""
    import numpy as np

    from normball.cli.source import by_row_of, fitted_offset
    from normball.cv import cv_path
    from normball.evidence.refound import superfluous

    path = model.path
    if model.fold_ids is None or data.n_rows != path.n_rows:
        return model
    options = {name: value for name, value in made.options.items() if name not in OF_THE_GRID}
    options["drop"] = superfluous(path, table, [*made.target_columns, made.weights, made.strata, *made.offset_columns])
    again = cv_path(
        table,
        made.y,
        family=path.family,
        l1_ratio=path.l1_ratio,
        lambdas=path.lambdas,
        keep_predictions=True,
        progress=False,
        **{**options, **by_row_of(made), "offset": fitted_offset(table, made)},
    )
    same = again.fold_ids is not None and np.array_equal(again.fold_ids, model.fold_ids)
    return replace(model, predictions=again.predictions) if same else model
