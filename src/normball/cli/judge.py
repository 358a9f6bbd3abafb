"""What `fit` does to judge its model: scores on rows set apart, ranges of coefficients over bootstrap samples."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from normball.cli.console import Console
from normball.cli.source import Task, UsageError
from normball.language import message
from normball.messages import Interrupted, count

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data

SAMPLES = 100
MOST_CELLS = 1_000_000  # of a table whose bootstrap samples are drawn unasked


def check_bootstrap(n_samples: int | None, data: Data) -> None:
    """Ranges over bootstrap samples are shown of a single output."""
    if n_samples and data.output_names:
        text = (
            f"--bootstrap is about models of one output; this one has {data.n_outputs} (classes or targets)"
            ": leave it out"
        )
        raise UsageError(text)


def judged(
    comparison: Comparison, task: Task, arguments: Namespace, console: Console, hurried: bool
) -> tuple[Comparison, CVPath]:
    """The path that was picked, scored on rows set apart, with ranges of its coefficients over bootstrap samples.

    Ctrl-C ends the drawing and keeps what was finished; where it ended the fit, none are drawn (`hurried`).
    """
    from normball.bootstrap import bootstrap_ranges
    from normball.cli import apart
    from normball.cli.models import choose, picked

    cv = picked(comparison, arguments.select)
    apart.score(choose(cv, arguments.select), task, console)
    path = cv.path
    n_samples = 0 if hurried or task.prepares_sample else arguments.bootstrap
    if n_samples is None:
        n_samples = SAMPLES if path.n_rows * path.n_features <= MOST_CELLS and not path.output_names else 0
        if not n_samples and not path.output_names:
            size = f"{count(path.n_rows * path.n_features)} cells"
            text = f"none drawn of so large a table ({size}); --bootstrap {SAMPLES} draws them"
            console.told(message("Samples"), text)
    if n_samples == 0:
        return comparison, cv
    select = [arguments.select] if isinstance(arguments.select, float) else []
    bar = console.bar(message("Samples"), message("samples"))
    try:
        ranges = bootstrap_ranges(
            path,
            task.prepare(),
            [*select, cv.lambda_1se, cv.lambda_best],
            n_samples,
            row_groups=task.column(task.run.group),
            random_state=arguments.seed,
            progress=bar,
        )
    except Interrupted as stop:
        console.note(f"{stop}; the fit goes on without the others.")
        ranges = stop.result
    finally:
        bar.close()
    with_ranges = replace(cv, bootstrap_ranges=ranges)
    return replace(comparison, paths=tuple(with_ranges if one is cv else one for one in comparison)), with_ranges
