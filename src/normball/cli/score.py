"""`normball score`: how well a saved model predicts rows with known targets."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from normball.cli.console import Console, labelled
from normball.cli.new_rows import check_column, new_rows, offset_of, strata_of
from normball.cli.source import UsageError, named
from normball.cli.survival import LATE_ENTRY
from normball.language import message
from normball.messages import DataError, sample
from normball.run import Run

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.fit import Fit
    from normball.results.path import Path


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli.long_predictions import evaluated, opened_table, rows_of_the_fit
    from normball.cli.models import choose, load_model, mix_of
    from normball.cli.positive import with_events
    from normball.cli.source import STDIN, StandardInput, complete_values_of
    from normball.cli.values import names
    from normball.results.text import table as aligned

    saved, made = load_model(arguments.model)
    model = mix_of(saved, arguments, made)
    fit = choose(model, arguments.lam or made.select)
    of_times = fit.baseline is not None
    _check_target(arguments, made, of_times)
    asked = [name for text in arguments.target or [] for name in (text, *names(text))] or made.target_columns
    given = (arguments.event, arguments.start, arguments.strata, arguments.weights, arguments.group)
    roles = {name for name in (*asked, *given) if name}
    in_parts = _in_parts(arguments, of_times)
    table: Any = opened_table(arguments, fit, made) if in_parts else new_rows(arguments, fit, made, console, roles)
    columns = list(table.names if in_parts else table.columns)
    weights, group = (_column(table, name, option) for name, option in _roles(arguments, made, columns))
    targets = named(arguments.target, columns, "--target") if arguments.target else made.target_columns
    if of_times:
        targets = _times(targets, arguments, made)
    elif len(targets) > 1 and not fit.output_names:
        raise UsageError(f"--target names {len(targets)} columns; the model has one target: give one")
    for name in targets:
        _column(table, name, _option_of(name, targets, of_times))
    y = targets if len(targets) > 1 else targets[0]
    if in_parts:
        by_row = {"y": y, "sample_weight": weights, "offset": made.offset or None, "row_groups": group}
        found, judged = evaluated(arguments, fit, made, table, by_row, console)
        n_rows, fitted = judged.n_rows, rows_of_the_fit(arguments, _path_of(model), made, table, by_row, judged)
    else:
        with console.phase(message("Score")):
            found = fit.evaluate(
                with_events(table, targets[-1], made.positive, known=True) if of_times else table,
                y,
                sample_weight=weights,
                offset=offset_of(table, made),
                strata=strata_of(fit.baseline, table, arguments.strata, made),
                row_groups=None if group is None else complete_values_of(table, group, "row_groups"),
                n_bootstrap=arguments.bootstrap,
                random_state=arguments.seed,
                unknown=arguments.unknown,
                horizon=_horizon(arguments, made, targets) if of_times else None,
            )
        n_rows, fitted = table.height, _rows_of_the_fit(model, made, table)
    name = StandardInput.name if arguments.data in STDIN else arguments.data
    console.product(labelled(message("Scored"), f"{name}: {found.head()}"))
    if weights:
        console.product(labelled(message("Weights"), weights))
    if of_times:
        _warn_of_events(console, table, made, targets[-1])
    _warn_of_the_fit(console, fitted, n_rows)
    head, *rows = aligned(found.rows(), align="<>>>")
    console.product("\n".join(["", console.bold(head), *rows]))
    told = {"model": arguments.model, "data": name, "target": sample(targets), "rows_of_the_fit": fitted}
    console.document({**told, **found.to_dict()})
    return 0


def _in_parts(arguments: Namespace, of_times: bool) -> bool:
    """Whether the table is read in parts; raises where the model needs all rows."""
    from normball.cli.long_tables import is_long

    in_parts = is_long(arguments)
    if in_parts and of_times:
        text = "models of times to an event are scored on rows that are all in memory"
        raise UsageError(f"{text}: name one file, without --memory, or score a sample of the rows")
    return in_parts


def _warn_of_events(console: Console, table: Any, made: Run, name: str) -> None:
    """Say of labels of an event that the fit did not meet that they are taken for none."""
    from normball.cli.positive import unmet_events

    if unmet := unmet_events(table, made, name):
        text = f'Event "{name}" holds {sample(unmet, quote=True)}, unknown to the fit: counted as no event.'
        console.note(labelled(message("Careful"), text))


def _warn_of_the_fit(console: Console, fitted: int, n_rows: int) -> None:
    """Say of how many rows the model was fitted to them, where there are any."""
    if not fitted:
        return
    which = "these rows" if fitted == n_rows else f"{fitted:,} of these rows"
    warning = (
        f"The model was fitted to {which}: it will do worse on others. The cross-validated scores are those of "
        "normball show; normball fit --holdout 0.2 sets rows apart to score."
    )
    console.note(labelled(message("Careful"), warning))


def _path_of(model: Fit | Path | CVPath) -> Path | None:
    """The path, which knows the rows of its fit."""
    from normball.results.fit import Fit
    from normball.results.path import Path

    if isinstance(model, Fit):
        return None
    return model if isinstance(model, Path) else model.path


def _rows_of_the_fit(model: Fit | Path | CVPath, made: Run, table: Any) -> int:
    """How many rows of the table the model was fitted to, where those of its fit are all there; else 0."""
    from normball.cli import apart

    path = _path_of(model)
    if path is None or made == Run():
        return 0
    try:
        data = apart.fitted(path, made, table)[1]
    except DataError:  # another table
        return 0
    return data.n_rows if data.fingerprint == path.fingerprint else 0


def _check_target(arguments: Namespace, made: Run, of_times: bool) -> None:
    """A model that was saved from Python does not say what its target is called, and few have times."""
    known = "this model was saved from Python and does not know the name of its target"
    for option in ("event", "start", "strata", "horizon"):
        if getattr(arguments, option) is not None and not of_times:
            raise UsageError(f"--{option} is about models of times to an event; this one is not: leave it out")
    if not arguments.target and made == Run():
        columns = "--target TIME --event COL" if of_times else "--target COL, of several outputs --target A,B"
        raise UsageError(f"--target is missing: {known}; give {columns}")
    if of_times and not arguments.event and made == Run():
        raise UsageError(f"--event is missing: {known}; give --event COL")


def _times(targets: list[str], arguments: Namespace, made: Run) -> list[str]:
    """The columns of times to an event: those of the fit but for those that are given."""
    *starts, time, event = ["", "", "", *made.target_columns][-3:]
    if arguments.target:
        if len(targets) > 1:
            raise UsageError(f"--target names {len(targets)} columns; of times to an event it names the time alone")
        time = targets[0]
    start = arguments.start or starts[0]
    return [*([start] if start else []), time, arguments.event or event]


def _horizon(arguments: Namespace, made: Run, targets: list[str]) -> float | None:
    """The time asked for, or that of the fit, where rows that come under observation late do not forbid it."""
    if len(targets) < LATE_ENTRY:
        return made.horizon if arguments.horizon is None else arguments.horizon
    if arguments.horizon is not None:
        text = "--horizon asks for a Brier score, which rows that come under observation late have not: leave it out"
        raise UsageError(text)
    return None


def _option_of(name: str, targets: list[str], of_times: bool) -> str:
    """The option that names a column of the target."""
    return ("--event", "--target", "--start")[targets[::-1].index(name)] if of_times else "--target"


def _roles(arguments: Namespace, made: Run, columns: list[str]) -> list[tuple[str | None, str]]:
    """The columns of weights and of groups: as given, or those of the fit where the new table has them."""

    def of_the_fit(name: str) -> str | None:
        return name if name in columns else None

    return [
        (arguments.weights or of_the_fit(made.weights), "--weights"),
        (arguments.group or of_the_fit(made.group), "--group"),
    ]


def _column(table: Any, name: str | None, option: str) -> str | None:
    """The name of a column, None for none; raises where the table lacks it."""
    if name is not None:
        check_column(table, name, f" (of {option})")
    return name
