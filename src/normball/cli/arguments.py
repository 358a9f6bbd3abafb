"""The command line's words. Imports nothing heavy, so that help comes at once."""

from __future__ import annotations

import argparse
from typing import Any

from normball.cli.judging import fit_options, score_options
from normball.cli.parsing import Commands, Parser
from normball.cli.values import (
    MIX_OF_PENALTY,
    checked,
    choice,
    column,
    columns,
    family,
    folds,
    lesson,
    names,
    part,
    positive,
    ratios,
    seed,
    share,
)
from normball.cli.writing import fit_files, in_language, page
from normball.inputs.reading import as_decimal, as_delimiter, as_encoding, as_header, as_thousands
from normball.version import __version__

EXAMPLES = ("diabetes", "breast_cancer", "wine")
SHELLS = ("bash", "zsh", "fish")
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
)
_COLUMNS: dict[str, Any] = {"type": columns, "action": "append", "metavar": "COL[,COL]"}
SCORES = ("deviance", "mse", "mae", "auc", "accuracy", "brier")

FIT_EPILOG = """\
examples:
  normball fit wine.csv --target quality -o out
  normball fit churn.parquet --target churned --drop id,date --missing impute
  normball fit claims.csv --target n --family poisson --exposure years
  normball fit iris.csv --target species
  normball fit body.csv --target weight,waist --family multigaussian
  zcat visits.csv.gz | normball fit - --target cost    (CSV, TSV, SVMlight, Parquet or Arrow)
  normball fit --example diabetes --open
"""

COMPLETION_EPILOG = """\
install it for yourself, then open a new terminal:
  bash   normball completion bash > ~/.local/share/bash-completion/completions/normball
         (make the folder first: mkdir -p ~/.local/share/bash-completion/completions)
  zsh    normball completion zsh > ~/.zfunc/_normball
         (in ~/.zshrc, before compinit: fpath+=~/.zfunc)
  fish   normball completion fish > ~/.config/fish/completions/normball.fish
"""

LEARN_EPILOG = """\
lessons:
  a  the same line, with small and with large weights
  b  when large weights hurt: slopes and rows not seen
  c  the bargain: error plus lambda times penalty
  d  two features that say the same
  e  why L1 gives zeros: the ellipse meets the diamond
  f  few weights, or all weights small
  g  why one valley: a bowl plus a V
  h  a budget and a price are the same thing
  i  L1, L2 or a mix: which one

examples:
  normball learn                                     all of them, as learn.html
  normball learn --quiz --html predict_first.html
  normball learn e --data wine.csv --target quality --x alcohol,sulphates --svg .
"""


def parser() -> Parser:
    """The parser of `normball` with all its commands."""
    common = _common()
    top = Parser(
        prog="normball",
        parents=[common],
        description="L1- and L2-regularised models: the whole path, cross-validated, each point with a certificate.",
        epilog="Exit codes: 0 done, 2 wrong usage, 3 problem in the data, 4 not converged, 5 file or format, "
        "130 interrupted, 141 the reader of stdout left and no file was written.",
    )
    top.add_argument("--version", action="version", version=f"normball {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command", required=True)
    for add in (_fit, _check, _predict, _score, _show, _report, _learn, _completion):
        add(commands, common)
    return top


def _fit(commands: Commands, common: Parser) -> None:
    fit = commands.add_parser(
        "fit",
        parents=[common, _data_options(), _column_options()],
        usage="normball fit FILE --target COL [options]\n       normball fit --example NAME [options]",
        help="check a table, solve the path with cross-validation, write model and report",
        description="Check the data, solve the whole path with cross-validation for lasso, elastic nets and ridge\n"
        "on the same folds, say which to take, and write model.json, report.html, coefficients.csv and path.csv.",
        epilog=FIT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _model_options(fit)
    fit_options(fit)


def _check(commands: Commands, common: Parser) -> None:
    check = commands.add_parser(
        "check",
        parents=[common, _data_options(), _column_options()],
        usage="normball check FILE --target COL [options]\n       normball check --example NAME [options]",
        help="check the data only, fit nothing",
        description="Look for what would spoil a fit: constant and copied columns, separation, leaks, rare classes.",
    )
    check.add_argument(
        "--seconds", type=positive, default=10, metavar="N", help="time to decide whether classes can be separated"
    )


def _predict(commands: Commands, common: Parser) -> None:
    predict = commands.add_parser(
        "predict",
        parents=[common, _reading_options()],
        help="predict new rows with a saved model",
        description="Predict new rows. The model file holds the whole path, so any lambda can be chosen now.",
    )
    predict.add_argument("model", help="model.json as written by fit")
    predict.add_argument("data", help="table with the columns that the model uses, - for stdin; others are ignored")
    predict.add_argument("-o", "--output", metavar="FILE", help="write a CSV there instead of to stdout (-)")
    predict.add_argument(
        "--keep",
        type=names,
        action="extend",
        default=[],
        metavar="A,B",
        help="columns of the table to stand beside the predictions, such as an id",
    )
    _choice_options(predict)
    predict.add_argument(
        "--kind",
        choices=("response", "link", "class"),
        help="mean or probability, linear predictor, or class (default: class and probability, or the mean)",
    )
    predict.add_argument("--proba", action="store_const", dest="kind", const="response", help="same as --kind response")
    _unknown_option(predict)


def _score(commands: Commands, common: Parser) -> None:
    score = commands.add_parser(
        "score",
        parents=[common, _reading_options()],
        help="how well a saved model predicts rows with known targets",
        description="Score a saved model on rows that it was not fitted to, beside the model without features.",
    )
    _choice_options(score)
    score_options(score)
    _unknown_option(score)


def _show(commands: Commands, common: Parser) -> None:
    show = commands.add_parser(
        "show",
        parents=[common],
        help="the summary of a saved model",
        description="The summary of a saved model, at any lambda of its path.",
    )
    show.add_argument("model", help="model.json as written by fit")
    show.add_argument("--path", action="store_true", help="where each feature enters or leaves, with the error there")
    in_language(show)
    _choice_options(show)


def _report(commands: Commands, common: Parser) -> None:
    report = commands.add_parser(
        "report",
        parents=[common],
        help="write the report of a saved model again",
        description="Write the page of a saved model: one HTML file that needs no network.",
    )
    report.add_argument("model", help="model.json as written by fit")
    report.add_argument("--data", metavar="FILE", help="the table of the fit, for the charts that need it")
    report.add_argument(
        "--embed",
        choices=("none", "stats"),
        default="stats",
        help="what the page holds about the data: nothing, or statistics, never a row (default: stats)",
    )
    report.add_argument("-o", "--output", metavar="FILE", help="default: report.html beside the model; - is stdout")
    page(report)
    _choice_options(report)


def _completion(commands: Commands, common: Parser) -> None:
    completion = commands.add_parser(
        "completion",
        parents=[common],
        help="what your shell needs to complete commands and options at the tab key",
        description="Print a script that lets your shell complete commands, options and file names.",
        epilog=COMPLETION_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completion.add_argument("shell", choices=SHELLS, help="your shell; `echo $SHELL` tells")


def _common() -> Parser:
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout instead of tables")
    group.add_argument("--quiet", action="store_true", help="nothing but errors; the exit code tells the rest")
    group.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")
    group.add_argument("-v", "--verbose", action="store_true", help="say more")
    return common


def _reading_options() -> Parser:
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


def _data_options() -> Parser:
    options = Parser(add_help=False, parents=[_reading_options()])
    group = options.add_argument_group("data")
    group.add_argument("data", nargs="?", help="CSV, TSV, Parquet, Arrow or SVMlight file, may be .gz; - is stdin")
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


def _column_options() -> Parser:
    options = Parser(add_help=False)
    group = options.add_argument_group("columns")
    group.add_argument("--drop", type=names, action="extend", default=[], metavar="A,B", help="columns to leave out")
    group.add_argument(
        "--categorical", type=names, action="extend", default=[], metavar="A,B", help="numbers that are codes"
    )
    group.add_argument("--weights", type=column, metavar="COL", help="column with the weight of each row")
    group.add_argument("--offset", **_COLUMNS, help="added to the linear predictor: a column, or one a class or target")
    group.add_argument("--exposure", type=column, metavar="COL", help="column whose logarithm is the offset")
    group.add_argument("--group", type=column, metavar="COL", help="rows of one group stay in one fold")
    group.add_argument("--time-order", type=column, metavar="COL", help="train on the past, test on the future")
    group.add_argument(
        "--missing",
        choices=("error", "drop", "impute"),
        default="error",
        help="missing values: stop, drop the rows, or median and indicator learned in each fold",
    )
    group.add_argument("--inf", choices=("error", "nan"), default="error", help="infinite values: stop, or missing")
    return options


def _learn(commands: Commands, common: Parser) -> None:
    learn = commands.add_parser(
        "learn",
        parents=[common, _reading_options()],
        usage="normball learn [a ... i|all] [options]",
        help="nine lessons on why models are penalised, on built-in data or your own",
        description="Write a page with nine lessons on penalties, or their drawings. They use data made for\n"
        "them, or your own table.",
        epilog=LEARN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    learn.add_argument("lessons", nargs="*", type=lesson, metavar="a ... i|all", help="which lessons (default: all)")
    group = learn.add_argument_group("data")
    group.add_argument("--data", metavar="FILE", help="your own table instead of the built-in data")
    group.add_argument("--target", type=column, metavar="COL", help="column to explain")
    group.add_argument("--example", choices=EXAMPLES, help="a data set that ships inside scikit-learn")
    group.add_argument("--x", type=names, default=[], metavar="A,B", help="the two columns whose weights are drawn")
    group.add_argument("--drop", type=names, action="extend", default=[], metavar="A,B", help="columns to leave out")
    group.add_argument(
        "--missing",
        choices=("error", "drop", "impute"),
        default="error",
        help="missing values: stop, drop the rows, or fill in the median",
    )
    group = learn.add_argument_group("files")
    group.add_argument(
        "--html", metavar="FILE", help="the page, - for stdout (default, without another file: learn.html)"
    )
    group.add_argument("--svg", metavar="DIR", help="one drawing for each lesson, as SVG")
    group.add_argument("--png", metavar="DIR", help="the same as PNG (needs: pip install normball[png])")
    group.add_argument("--quiz", action="store_true", help="first predict, then see")
    page(group, by_locale=True)


def _model_options(fit: Parser) -> None:
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
    fit_files(fit)


def _unknown_option(command: Parser) -> None:
    command.add_argument(
        "--unknown",
        choices=("error", "baseline"),
        default="error",
        help="what to do with a level unseen in training: stop, or count it as none of the levels",
    )


def _choice_options(command: Parser) -> None:
    """Which of the models that a file holds."""
    command.add_argument(
        "--lam", type=choice, metavar="{1se,best,LAM}", help="default: the one picked when the model was fitted"
    )
    command.add_argument(
        "--penalty",
        choices=("l1", "l2"),
        help="of the penalties compared the lasso (l1) or ridge (l2), not the one picked",
    )
    command.add_argument("--l1-ratio", type=part, metavar="R", help="of the penalties compared the one with this mix")
