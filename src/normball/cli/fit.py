"""`normball fit`: check, path and cross-validation, summary, files."""

from __future__ import annotations

import warnings
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.cli import examples
from normball.cli.console import Console
from normball.cli.exits import INTERRUPTED, NOT_CONVERGED, file_problem
from normball.cli.positive import with_positive
from normball.cli.source import Task, UsageError, by_row_of, read
from normball.cli.values import MIX_OF_PENALTY
from normball.language import ENGLISH, message, retold, speaking, tr
from normball.messages import DataError, Finding, Interrupted, NotConverged, count, did_you_mean, sample

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data

MIXED = 0.5  # what stands for several mixes where it matters whether L1 or L2 is asked for
SEPARATION_SECONDS = 5.0
WHY_DROPPED = {"W11": message("constant"), "W12": message("exact copy of another column")}
MOST_RECORDED = 200  # dropped columns; the constant columns of a wide sparse table make no difference


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli import describe, fit_files, groups, judge, outputs
    from normball.cli.models import choose
    from normball.mixes import default_mixes
    from normball.results.remarks import rare_levels
    from normball.survival.horizon import check_horizon

    asked, groups_file = _l1_ratios(arguments), groups.asked(arguments)
    with console.phase(message("Read")):
        task = _task(arguments, words)
        data = task.prepare()
    judge.check_bootstrap(arguments.bootstrap, data)
    files = fit_files.places(arguments.output, arguments.out_of_fold)
    ratios = default_mixes(data) if asked is None else asked
    _check_score(arguments.score, data)
    check_horizon(arguments.horizon, data.family, data.survival, data.weights, said="--horizon ")
    grouped = _is_grouped(arguments.grouped, data)
    _check_unpenalised(arguments, task, data)
    about_groups, of_features = groups.options(arguments, groups_file, data, task.options["drop"])
    with speaking(ENGLISH):  # what a model file holds
        task.run = replace(
            task.run,
            table=describe.table_in_words(task, data),
            outcome=describe.target_in_words(data, ratios, of_features, grouped),
            select=arguments.select,
            horizon=arguments.horizon,
        )
    console.told(message("Read"), retold(task.run.table))
    console.told(message("Target"), retold(task.run.outcome))
    if task.run.example in examples.NOTES:
        console.told("", tr(examples.NOTES[task.run.example]))
    console.findings(task.findings)
    findings = task.findings + _examine(task, data, arguments, ratios[0] if len(ratios) == 1 else MIXED, console)
    options = {**_options(arguments, task, data), **about_groups}
    task.run = replace(task.run, options=_recorded(options))
    n_predictions = data.n_rows * data.n_outputs * arguments.n_lambdas * len(ratios)
    options["keep_predictions"] = data.sample_of is None and fit_files.keeps_predictions(
        n_predictions, files, compared=asked is None
    )  # of rows in blocks those of one lambda are made when they are written
    rounds = len(ratios) * (arguments.cv * arguments.repeats + 1 if data.preparation.learns_in_folds else 1)
    del data  # compare makes its own
    comparison, interrupted = _solve(task, options, ratios, arguments, console, rounds)
    comparison = _with_findings(comparison, findings, arguments.select, interrupted)
    comparison, cv = judge.judged(comparison, task, arguments, console, bool(interrupted))
    console.findings([*cv.findings[len(findings) :], *rare_levels(choose(cv, arguments.select))])
    if failure := _deliver(comparison, cv, task, files, arguments, console):
        return failure
    if arguments.open:
        outputs.open_page(files["report"], console)
    if interrupted:
        console.error(f"{interrupted}. What was finished is in {Path(arguments.output)}.{task.goes_on()}")
        return INTERRUPTED
    task.finished()
    return 0 if choose(cv, arguments.select).status == "converged" else NOT_CONVERGED


def _task(arguments: Namespace, words: list[str]) -> Task:
    """The table of the fit."""
    from normball.cli import apart, long_tables

    if long_tables.is_long(arguments):
        return long_tables.read(arguments, words)
    if arguments.resume:
        raise UsageError("--resume is about tables that are read in blocks: with --memory, of a folder or of a pattern")
    return apart.with_rows_apart(with_positive(read(arguments, words), arguments.positive), arguments)


def _deliver(
    comparison: Comparison, cv: CVPath, task: Task, files: dict[str, Path], arguments: Namespace, console: Console
) -> int:
    """Write the files and tell what was found; the exit code of a file that could not be written, or 0."""
    from normball.cli import fit_files, outputs, summary

    failure = None
    try:
        with console.phase(message("Write")) as at:
            fit_files.write_all(comparison, cv, task, files, console, at)
    except OSError as error:
        failure = error  # the summary is then all that is left of the fit
    summary.say(comparison, cv, task.run, console)
    written = {what: str(place) for what, place in files.items() if str(place) in console.written}
    document = {**summary.document(comparison, cv, task.run, written), "seconds": console.seconds}
    if failure is not None:
        if more := task.goes_on():
            console.note(f"What is solved is kept.{more}")
        return file_problem(failure, arguments, console, document)
    console.told(message("Wrote"), outputs.sizes(written.values()))
    console.took()
    page = f"   |   open {files['report']}" if "report" in files else ""
    console.told(message("Next"), f"normball predict {files['model']} new.csv{page}")
    console.document(document)
    return 0


def _l1_ratios(arguments: Namespace) -> list[float] | None:
    """The mixes asked for by --penalty, --l1-ratio and --no-compare; None for those that are compared by default."""
    ratios = arguments.l1_ratio
    if ratios is None:
        alone = arguments.no_compare or isinstance(arguments.select, float)  # a lambda belongs to one penalty
        penalty = arguments.penalty or ("l1" if alone else None)
        return None if penalty is None else [MIX_OF_PENALTY[penalty]]
    if arguments.penalty in ("l1", "l2") and ratios != [MIX_OF_PENALTY[arguments.penalty]]:
        raise UsageError(f"--penalty {arguments.penalty} has a fixed --l1-ratio; use --penalty elasticnet")
    if len(ratios) > 1 and arguments.no_compare:
        raise UsageError("--no-compare needs a single --l1-ratio")
    if len(ratios) > 1 and isinstance(arguments.select, float):
        raise UsageError("--select with a number needs a single --l1-ratio")
    return list(dict.fromkeys(ratios))


def _check_score(score: str, data: Data) -> None:
    from normball.held_out_times import check_times
    from normball.scoring import find_score

    try:
        check_times(find_score(score, data.family, data.classes), data)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _is_grouped(asked: bool | None, data: Data) -> bool:
    """Whether the penalty takes a feature for all outputs or for none; raises where --grouped has no meaning."""
    from normball.settings import Settings, grouped_of

    try:
        return grouped_of(Settings(family=data.family, grouped=asked))
    except ValueError:
        text = f"--grouped is about families with several classes or targets; {data.family} has one: leave it out"
        raise UsageError(text) from None


def _check_unpenalised(arguments: Namespace, task: Task, data: Data) -> None:
    """Every name of --keep-unpenalised is that of a column which is a feature, or of one of its levels."""
    columns = [column.name for column in data.preparation.columns]
    known = {*columns, *data.feature_names}
    for name in arguments.keep_unpenalised:
        if name in task.options["drop"]:
            raise UsageError(f'"{name}" is left out, so --keep-unpenalised has nothing to keep: name it in one place')
        if name not in known:
            text = f'Column "{name}" of --keep-unpenalised not found among the features: {sample(columns)}.'
            raise DataError(Finding("E02", text + did_you_mean(name, known), columns=(name,)))


def _examine(task: Task, data: Data, arguments: Namespace, l1_ratio: float, console: Console) -> list[Finding]:
    """Look at the data, drop the columns that carry nothing, and say so.

    Of copies those stay whose names are asked for, and all where features have groups: a copy in another one is not
    superfluous.
    """
    from normball.cli import terms

    wanted = arguments.keep_unpenalised
    reasons = {"W11"} if arguments.groups or arguments.group_columns else {*WHY_DROPPED}
    with console.phase(message("Check")):
        how = {"trial_fit": False, "seconds": SEPARATION_SECONDS, "wanted": wanted, "l1_ratio": l1_ratio}
        found = [*data.findings, *task.check(data, **how)]
    findings = []
    for finding in found:
        drops = finding.code in reasons and data.sample_of is None  # else the blocks are laid out already
        columns = _whole_columns(data, finding) if drops else []
        if columns:
            task.options = terms.without(task.options, columns)
            finding = Finding(finding.code, f"Dropped: {sample(columns)} ({WHY_DROPPED[finding.code]}).")
            console.told(message("Dropped"), f"{sample(columns)} ({tr(WHY_DROPPED[finding.code])})  {finding.code}")
        else:
            console.findings([finding])
        findings.append(finding)
    return findings


def _whole_columns(data: Data, finding: Finding) -> list[str]:
    """The columns of the table all of whose features a finding names; none if that would leave nothing."""
    named = set(finding.columns)
    columns = data.preparation.columns
    whole = [column.name for column in columns if named.issuperset(column.features)]
    products = {name for column in columns if column.kind == "interaction" for name in (column.name, *column.sources)}
    return [name for name in whole if name not in products] if len(whole) < len(columns) else []


def _options(arguments: Namespace, task: Task, data: Data) -> dict[str, Any]:
    """The options of `cv_path` that were given, less those that say nothing."""
    options: dict[str, Any] = {
        **task.options,
        "family": data.family,
        "grouped": arguments.grouped,
        "offset": task.offset,
        "penalty_factors": dict.fromkeys(arguments.keep_unpenalised, 0.0),
        "n_threads": arguments.threads,
        "score": None if arguments.score == "deviance" else arguments.score,
        **by_row_of(task.run),
    }
    options = {name: value for name, value in options.items() if not _says_nothing(name, value)}
    if arguments.no_standardize:
        options["standardize"] = False
    for name, value, default in (
        ("n_lambdas", arguments.n_lambdas, 100),
        ("lambda_min_ratio", arguments.lambda_min_ratio, None),
        ("tol", arguments.tol, 1e-6),
        ("repeats", arguments.repeats, 1),
        ("cv", arguments.cv, 10),
        ("random_state", arguments.seed, 0),
    ):
        if value != default:
            options[name] = value
    return options


def _says_nothing(name: str, value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, (list, dict)) and not value)
        or (name, value)
        in (
            ("missing", "error"),
            ("inf", "error"),
        )
    )


def _recorded(options: dict[str, Any]) -> dict[str, Any]:
    """The options that are plain data and that make a difference to the result."""
    elsewhere = ["family", "fold_groups", "time_order", "n_threads"]
    elsewhere += ["drop"] * (len(options.get("drop", ())) > MOST_RECORDED)
    return {
        name: value
        for name, value in options.items()
        if name not in elsewhere and isinstance(value, (str, int, float, list, dict))
    }


def _solve(
    task: Task, options: dict[str, Any], ratios: list[float], arguments: Namespace, console: Console, rounds: int
) -> tuple[Comparison, str]:
    """The cross-validated path of each mix, and how far they came if they were interrupted."""
    from normball.mixes import compare

    if isinstance(arguments.select, float):
        options = {**options, "lambdas": _grid_with(arguments.select, task, options, ratios[0], arguments)}
    if len(ratios) > 1:
        n_paths = len(ratios) * (arguments.cv * arguments.repeats + 1)
        n_folds = arguments.cv * arguments.repeats
        text = tr("{0} penalties on the same {1} folds, {2} paths in all", len(ratios), n_folds, n_paths)
        hint = "" if arguments.l1_ratio else tr("; --no-compare fits the lasso alone")
        console.told(message("Compare"), text + hint)
    bar = console.bar(message("Path"), message("lambdas"), rounds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotConverged)  # W31 says which
            return compare(task.table, task.run.y, ratios, **{**options, "progress": bar}), ""
    except Interrupted as stop:
        if stop.result is None:
            raise KeyboardInterrupt from None
        return stop.result, str(stop)
    finally:
        bar.close()


def _with_findings(comparison: Comparison, of_data: list[Finding], select: str | float, interrupted: str) -> Comparison:
    """Each path with what is to be known about the data, and about itself."""
    last = comparison.paths[-1]  # an interrupted one ends where it came to
    about = [_about_result(cv, select, interrupted, is_cut=bool(interrupted) and cv is last) for cv in comparison]
    found = [(cv, (*of_data, *own)) for cv, own in zip(comparison, about, strict=True)]
    return replace(comparison, paths=tuple(replace(cv, path=replace(cv.path, findings=all)) for cv, all in found))


def _grid_with(lam: float, task: Task, options: dict[str, Any], l1_ratio: float, arguments: Namespace) -> Any:
    """The usual grid with `lam` in it, so that it is solved and certified like the others."""
    import numpy as np

    from normball.path import fit_path
    from normball.settings import default_min_ratio

    own = ("cv", "repeats", "random_state", "score", "fold_groups", "time_order", "keep_predictions")
    for_path = {name: value for name, value in options.items() if name not in own}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotConverged)  # this one lends its lambda_max only
        first = fit_path(task.table, task.run.y, l1_ratio=l1_ratio, lambdas=[lam], progress=False, **for_path)
    ratio = arguments.lambda_min_ratio or default_min_ratio(first.n_rows, first.n_features)
    end = min(lam, ratio * first.lambda_max)
    return np.append(np.geomspace(max(first.lambda_max, lam), end, arguments.n_lambdas), lam)


def _about_result(cv: CVPath, select: str | float, interrupted: str, is_cut: bool) -> list[Finding]:
    """What the result itself gives to know; where its path is cut short, nothing about its end."""
    findings = [
        finding for finding in cv.findings if finding.code in ("W34", "W36", "W37")
    ]  # what is about the data was said before
    if interrupted:
        findings.append(Finding("W32", f"{interrupted}: the choices below are the best of what was finished."))
    kept = cv.path.n_nonzero
    if select == "1se" and kept[cv.index_1se] == 0:
        text = "lambda_1se keeps no feature: within one standard error, the model without features is as good."
        n_best = kept[cv.index_best]
        more = f"show, predict and report with --lam best use {n_best}" if n_best else ""
        findings.append(Finding("W03", text, more))
    unsolved = [j for j, status in enumerate(cv.path.statuses) if status != "converged"]
    if unsolved:
        worst = max(float(cv.path.dual_gaps[j]) for j in unsolved)
        touched = {cv.index_1se, cv.index_best}.intersection(unsolved)
        which = "the selected models are affected" if touched else "the selected models are not affected"
        text = (
            f"Not converged at {count(len(unsolved))} of {count(cv.lambdas.size)} lambdas (relative gap {worst:.1g} > "
            f"{cv.path.tol:g}), first at {cv.lambdas[unsolved[0]]:.3g}; {which}."
        )
        findings.append(Finding("W31", text))
    last = cv.lambdas.size - 1
    if not is_cut and cv.index_best == last and abs(cv.cv_mean[last] - cv.cv_mean[last // 2]) > cv.cv_se[last]:
        text = "lambda_best is the weakest lambda of the path: an even weaker penalty may predict better."
        findings.append(Finding("W33", text, f"lambda_min_ratio={cv.lambdas[-1] / cv.path.lambda_max / 100:.0e}"))
    return findings
