"""The options of the commands, in groups. Imports nothing heavy, so that help comes at once."""

from __future__ import annotations

import argparse
from typing import Any

from normball.cli.parsing import Parser
from normball.cli.survival import event_options, horizon_option
from normball.cli.survival import score_options as columns_of_times
from normball.cli.terms import term_options
from normball.cli.values import (
    MIX_OF_PENALTY,
    checked,
    choice,
    column,
    columns,
    csv_file,
    family,
    file,
    folder,
    folds,
    label,
    names,
    part,
    positive,
    ratios,
    seed,
    share,
    size,
    times,
)
from normball.export.targets import DIALECTS, ENDINGS, TARGETS
from normball.inputs.reading import as_decimal, as_delimiter, as_encoding, as_header, as_thousands
from normball.language import ENGLISH, languages

EXAMPLES = ("diabetes", "breast_cancer", "wine")
FAMILIES = (
    "gaussian",
    "binomial",
    "poisson",
    "gamma",
    "tweedie",
    "negative_binomial",
    "huber",
    "multinomial",
    "multigaussian",
    "cox",
)
_COLUMNS: dict[str, Any] = {"type": columns, "action": "append", "metavar": "COL[,COL]"}
SCORES = ("deviance", "mse", "mae", "auc", "accuracy", "brier", "concordance", "uno")


def common_options() -> Parser:
    """How to tell the results, for every command."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout instead of tables")
    group.add_argument("--quiet", action="store_true", help="nothing but errors; the exit code tells the rest")
    group.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")
    group.add_argument("-v", "--verbose", action="store_true", help="say more")
    text = f"language of all that is told (default: {ENGLISH}; of lessons that of the locale)"
    group.add_argument("--lang", choices=languages(), help=text)
    return common


def reading_options() -> Parser:
    """How the text of a table is read."""
    reading = Parser(add_help=False)
    group = reading.add_argument_group("reading")
    group.add_argument(
        "--na", type=names, action="extend", default=[], metavar="A,B", help="more words that mean a missing value"
    )
    group.add_argument(
        "--units", type=names, action="extend", default=[], metavar="A,B", help="what stands beside numbers: %%,$,kg"
    )
    for option, check, explanation in (
        ("--thousands", as_thousands, "thousands separator inside numbers"),
        ("--decimal", as_decimal, "decimal separator, if it is not the point"),
        ("--delimiter", as_delimiter, "between values, tab for a tab (default: what the header has most of)"),
    ):
        group.add_argument(option, type=checked(check), metavar="CHAR", help=explanation)
    group.add_argument("--encoding", type=checked(as_encoding), help="of text files (default: utf-8)")
    group.add_argument(
        "--header", type=checked(as_header), metavar="{LINE,none}", help="line with the names (default: the first one)"
    )
    group.add_argument("--dedupe", choices=("suffix",), help="name a second column called score: score_2")
    return reading


def data_options() -> Parser:
    """The table, its target and the family."""
    options = Parser(add_help=False, parents=[reading_options()])
    group = options.add_argument_group("data")
    group.add_argument(
        "data",
        nargs="?",
        help="CSV, TSV, Parquet, Arrow, JSON lines, Excel or SVMlight file, may be .gz, .zip or .zst; - is stdin",
    )
    group.add_argument(
        "--target",
        **_COLUMNS,
        help="column to explain; several, or --target again, for a family with several targets",
    )
    group.add_argument("--example", choices=EXAMPLES, help="a data set that ships inside scikit-learn")
    group.add_argument(
        "--family",
        type=checked(family),
        metavar="NAME",
        default="auto",
        help=f"{', '.join(FAMILIES)}, or with a parameter, as 'tweedie(1.5)'; auto (default): two values are binomial, "
        "more labels multinomial, other numbers gaussian",
    )
    return options


def column_options() -> Parser:
    """What the columns are there for."""
    options = Parser(add_help=False)
    group = options.add_argument_group("columns")
    group.add_argument("--drop", type=names, action="extend", default=[], metavar="A,B", help="columns to leave out")
    group.add_argument(
        "--categorical", type=names, action="extend", default=[], metavar="A,B", help="numbers that are codes"
    )
    group.add_argument("--weights", type=column, metavar="COL", help="column with the weight of each row")
    group.add_argument("--offset", **_COLUMNS, help="added to the linear predictor: a column, or one a class or target")
    group.add_argument("--exposure", type=column, metavar="COL", help="column whose logarithm is the offset")
    event_options(group)
    group.add_argument(
        "--positive",
        type=label,
        metavar="LABEL",
        help="of a target of two labels the one whose probability is modelled (default: the second in order); of "
        "labels of an event the one that is the event",
    )
    group.add_argument("--group", type=column, metavar="COL", help="rows of one group stay in one fold")
    group.add_argument("--time-order", type=column, metavar="COL", help="train on the past, test on the future")
    term_options(group)
    group.add_argument("--inf", choices=("error", "nan"), default="error", help="infinite values: stop, or missing")
    return options


def model_options(fit: Parser) -> None:
    """The penalty, the path and the choice on it, for `normball fit`."""
    group = fit.add_argument_group("model")
    group.add_argument(
        "--penalty",
        choices=tuple(MIX_OF_PENALTY),
        help="fit this one alone (default: lasso, two elastic nets and ridge are compared on the same folds)",
    )
    mix = "mix of the elastic net, 1 = l1, 0 = l2; several are compared"
    group.add_argument("--l1-ratio", type=ratios, metavar="R[,R]", help=mix)
    group.add_argument("--no-compare", action="store_true", help="fit one penalty alone: that named, or the lasso")
    group.add_argument(
        "--keep-unpenalised", type=names, action="extend", default=[], metavar="A,B", help="columns without a penalty"
    )
    group.add_argument(
        "--grouped",
        action=argparse.BooleanOptionalAction,
        help="keep or drop a feature for all classes or targets together (default: multigaussian only)",
    )
    group.add_argument(
        "--groups",
        type=checked(file),
        metavar="FILE",
        help='features kept or dropped together: JSON {"group": ["feature", ...]}, or CSV of feature,group',
    )
    group.add_argument(
        "--group-columns", action="store_true", help="keep or drop all levels of a column of labels together"
    )
    group.add_argument(
        "--group-ratio", type=part, metavar="R", help="1 penalises whole groups (default), 0 single features"
    )
    group.add_argument("--no-standardize", action="store_true", help="penalise coefficients in the data's units")
    group.add_argument("--n-lambdas", type=positive, default=100, metavar="N", help="points on the path (default: 100)")
    group.add_argument("--lambda-min-ratio", type=share, metavar="R", help="end of the path over its start")
    group.add_argument("--tol", type=share, default=1e-6, help="relative duality gap that is solved (default: 1e-6)")
    group.add_argument("--threads", type=positive, metavar="N", help="default: all cores")
    group = fit.add_argument_group("selection")
    group.add_argument(
        "--select",
        type=choice,
        default="1se",
        metavar="{1se,best,LAM}",
        help="strongest lambda within one standard error of the best, the best, or a number; of several penalties the "
        "simplest within one standard error of the best, or the best; a number fits one alone (default: 1se)",
    )
    group.add_argument("--cv", type=folds, default=10, metavar="K", help="folds (default: 10)")
    group.add_argument("--repeats", type=positive, default=1, metavar="N", help="repeat the folds with new shuffles")
    group.add_argument(
        "--score",
        default="deviance",
        metavar="NAME",
        help=f"what the folds are judged by: {', '.join(SCORES)}, or a scorer of scikit-learn such as f1_macro "
        "(default: deviance)",
    )
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="shuffles the folds (default: 0)")


def file_options(fit: argparse.ArgumentParser) -> None:
    """The files that `normball fit` writes."""
    group = fit.add_argument_group("files")
    group.add_argument(
        "-o",
        "--output",
        type=checked(folder),
        metavar="DIR",
        default=".",
        help="folder of the files written (default: here)",
    )
    group.add_argument(
        "--out-of-fold",
        type=checked(csv_file),
        metavar="FILE",
        help="CSV of each row's fold, target, and prediction by the folds that did not fit it",
    )
    page_options(group)


def large_tables_options(command: argparse.ArgumentParser, *, fits: bool = False) -> None:
    """Of the commands that read tables in blocks."""
    group = command.add_argument_group("large tables")
    group.add_argument(
        "--memory",
        type=size,
        metavar="SIZE",
        help="read the table in blocks of rows within so much memory, as 500MB or 2GB; FILE may then be a pattern "
        "as 'data/*.parquet', or a folder",
    )
    if fits:
        group.add_argument("--resume", action="store_true", help="go on with a fit in blocks that was interrupted")


def page_options(group: argparse._ActionsContainer) -> None:
    """For every command that writes a page."""
    group.add_argument("--open", action="store_true", help="open the page in the browser")


def judging_options(fit: argparse.ArgumentParser) -> None:
    """How `normball fit` judges its model on rows that it was not fitted to."""
    group = fit.add_argument_group("judging")
    apart = group.add_mutually_exclusive_group()
    apart.add_argument(
        "--holdout",
        type=share,
        metavar="R",
        help="a share of the rows that no fit sees, as 0.2; the model is scored on them (as folds: classes evenly, "
        "groups as wholes, the latest with --time-order)",
    )
    apart.add_argument(
        "--split",
        type=column,
        metavar="COL",
        help="column that marks such rows: test, or 1 (0 in a column called train)",
    )
    group.add_argument(
        "--bootstrap",
        type=seed,
        metavar="N",
        help="bootstrap samples for the range of each coefficient, 0 for none (default: 100, of tables up to a million "
        "cells); not with several outputs",
    )
    compared_option(group)


def compared_option(group: argparse._ActionsContainer) -> None:
    """For every command that writes a page."""
    horizon_option(
        group,
        "time to an event: compare predicted and observed survival up to this time (default: the median time of the "
        "events)",
    )


def choice_options(command: Parser) -> None:
    """Which of the models that a file holds."""
    command.add_argument(
        "--lam", type=choice, metavar="{1se,best,LAM}", help="default: the one selected when the model was fitted"
    )
    command.add_argument(
        "--penalty",
        choices=("l1", "l2"),
        help="of the penalties compared the lasso (l1) or ridge (l2), not the one selected",
    )
    command.add_argument("--l1-ratio", type=part, metavar="R", help="of the penalties compared the one with this mix")


def score_options(score: argparse.ArgumentParser) -> None:
    """The model, the rows and their roles, for `normball score`."""
    score.add_argument("model", help="model.json as written by fit")
    score.add_argument("data", help="table with the target and the columns that the model uses, - for stdin")
    score.add_argument(
        "--target",
        type=columns,
        action="append",
        metavar="COL[,COL]",
        help="where it has another name than for the fit, or the model was saved from Python",
    )
    columns_of_times(score)
    score.add_argument("--weights", type=column, metavar="COL", help="default: those of the fit, if the table has them")
    score.add_argument(
        "--group",
        type=column,
        metavar="COL",
        help="rows that belong together are drawn together (default as --weights)",
    )
    score.add_argument(
        "--bootstrap", type=seed, default=500, metavar="N", help="samples for the intervals, 0 for none (default: 500)"
    )
    score.add_argument("--seed", type=seed, default=0, metavar="N", help="draws these samples (default: 0)")


def unknown_option(command: Parser) -> None:
    """Levels that the training rows lack."""
    command.add_argument(
        "--unknown",
        choices=("error", "baseline"),
        default="error",
        help="what to do with a level unseen in training: stop, or count it as none of the levels",
    )


def export_options(export: Parser) -> None:
    """The target, and what is said in it, for `normball export`."""
    export.add_argument("--to", choices=TARGETS, help="the target (default: what the ending of -o tells)")
    export.add_argument(
        "-o",
        "--output",
        type=checked(file),
        metavar="FILE",
        help=f"the file, as score{', score'.join(ENDINGS)} (default: text goes to stdout, -)",
    )
    export.add_argument(
        "--kind",
        choices=("response", "link", "class", "risk", "survival", "cumulative_hazard"),
        help="mean or probability, linear predictor, or class (default: class and probability, or the mean); of times "
        "to an event risk, survival or cumulative hazard at --times (default: risk)",
    )
    export.add_argument("--times", type=times, metavar="T[,T]", help="where survival is wanted")
    group = export.add_argument_group("SQL")
    group.add_argument("--dialect", choices=DIALECTS, help=f"of SQL (default: {DIALECTS[0]})")
    group.add_argument("--table", type=column, metavar="NAME", help="the table to score (default: data)")
    group.add_argument(
        "--keep",
        type=names,
        action="extend",
        default=[],
        metavar="A,B",
        help="columns of the table to stand beside the predictions (default: all)",
    )
