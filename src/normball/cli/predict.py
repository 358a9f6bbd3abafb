"""`normball predict`: predictions of a saved model for the rows of a table."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from normball.cli.console import Console, labelled
from normball.cli.new_rows import beside, by_name, check_columns, new_rows, offset_of, strata_of
from normball.cli.source import UsageError
from normball.language import message
from normball.messages import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from normball.results.fit import Fit
    from normball.run import Run
    from normball.survival.baseline import Baseline


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli.long_tables import is_long
    from normball.cli.models import choose, load_model, mix_of
    from normball.cli.outputs import STDOUT
    from normball.cli.prediction_file import PredictionFile

    model, made = load_model(arguments.model)
    fit = choose(mix_of(model, arguments, made), arguments.lam or made.select)
    if is_long(arguments):
        from normball.cli.long_predictions import predict

        return predict(arguments, fit, made, console)
    with console.phase(message("Read")):
        table = new_rows(arguments, fit, made, console, arguments.keep, arguments.keep)
    with console.phase(message("Predict")):
        columns = beside(_kept(table, arguments.keep), _predictions(fit, table, made, arguments))
    if arguments.output or not console.machine:
        place = arguments.output or STDOUT[0]
        with PredictionFile(place, console) as file:
            file.add(columns)
        if place not in STDOUT:
            told = f"{count(table.height)} predictions at lambda {fit.lam:.4g} to {place}"
            console.note(labelled(message("Wrote"), told))
    own = {"predictions": columns} if fit.output_names else columns  # which may be called anything
    console.document({"model": arguments.model, "lam": fit.lam, **own})
    return 0


def _kept(table: Any, names: list[str]) -> dict[str, list[Any]]:
    """Columns of the table as they stand there, missing values as None."""
    from normball.inputs.sources import source_of

    check_columns(table, names, " (of --keep)")
    source = source_of(table)
    return {name: [None if x != x else x for x in source.values(name).tolist()] for name in names}


def _predictions(fit: Fit, table: Any, made: Run, arguments: Namespace) -> dict[str, list[Any]]:
    """The columns of the answer by name; of several outputs one each, by its own."""

    def predicted(kind: Any, **more: Any) -> NDArray[Any]:
        return fit.predict(table, kind=kind, offset=offset_of(table, made), unknown=arguments.unknown, **more)

    if fit.baseline is not None:
        return _of_times(fit.baseline, table, made, arguments, predicted)
    for option in ("times", "strata"):
        if getattr(arguments, option):
            raise UsageError(f"--{option} is about models of times to an event; this one is {fit.family}")
    return by_name(fit, predicted, arguments.kind)


def _of_times(
    baseline: Baseline, table: Any, made: Run, arguments: Namespace, predicted: Callable[..., NDArray[Any]]
) -> dict[str, list[Any]]:
    """Curves at --times as columns, one each; without times risk and median, or the kind that is asked for."""
    from normball.results.kinds import CURVES

    kinds = [arguments.kind] if arguments.kind else ["survival"] if arguments.times else ["risk", "median"]
    of_strata = {"median", *CURVES}.intersection(kinds)
    strata = strata_of(baseline, table, arguments.strata, made) if of_strata else None
    if arguments.times:
        curves = predicted(kinds[0], times=arguments.times, strata=strata)
        names = [f"{kinds[0].replace('_', ' ')} at {time:g}" for time in arguments.times]
        return dict(zip(names, curves.T.tolist(), strict=True))
    if arguments.kind in CURVES:
        raise UsageError(f"--kind {arguments.kind} needs --times, at which the curve is wanted")
    return {
        "prediction" if arguments.kind else kind: predicted(kind, strata=strata if kind in of_strata else None).tolist()
        for kind in kinds
    }
