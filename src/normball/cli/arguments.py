"""The commands of the command line. Imports nothing heavy, so that help comes at once."""

from __future__ import annotations

from normball.cli.options import (
    EXAMPLES,
    choice_options,
    column_options,
    common_options,
    compared_option,
    data_options,
    export_options,
    file_options,
    judging_options,
    large_tables_options,
    model_options,
    page_options,
    reading_options,
    score_options,
    unknown_option,
)
from normball.cli.parsing import Commands, HelpAsItStands, Parser
from normball.cli.survival import kind_options
from normball.cli.values import checked, column, file, folder, lesson, names, page, positive, table_file
from normball.version import __version__

SHELLS = ("bash", "zsh", "fish")

FIT_EPILOG = """\
examples:
  normball fit wine.csv --target quality -o out
  normball fit churn.parquet --target churned --drop id,date --missing impute
  normball fit claims.csv --target n --family poisson --exposure years
  normball fit iris.csv --target species
  normball fit body.csv --target weight,waist --family multigaussian
  normball fit trial.csv --target days --event died --strata centre
  zcat visits.csv.gz | normball fit - --target cost    (CSV, JSON lines, Excel, Parquet, ...)
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

EXPORT_EPILOG = """\
examples:
  normball export model.json -o score.sql --dialect duckdb --table visits --keep id
  normball export model.json -o score.py --kind response
  normball export model.json -o score.onnx      (needs: pip install "normball[onnx]")
  normball export model.json --to c --lam best > score.c
"""

CHECK_EPILOG = """\
examples:
  normball check churn.csv --target churned
  normball check 'sales/*.parquet' --target units --memory 2GB
"""

PREDICT_EPILOG = """\
examples:
  normball predict model.json new.csv -o predictions.csv --keep id
  normball predict model.json new.csv --lam best --kind class
  normball predict survival.json new.csv --kind survival --times 365,730
  zcat new.csv.gz | normball predict model.json - > predictions.csv
"""

SCORE_EPILOG = """\
examples:
  normball score model.json test.csv
  normball score model.json test.csv --lam best --group patient
  normball score model.json 'test/*.parquet' --memory 2GB
"""

SHOW_EPILOG = """\
examples:
  normball show model.json
  normball show model.json --lam best
  normball show model.json --penalty l2 --path
"""

REPORT_EPILOG = """\
examples:
  normball report model.json --data wine.csv --open
  normball report model.json --lam best -o best.html
"""

LEARN_EPILOG = """\
lessons:
  a  the same line, with small and with large weights
  b  when large weights hurt: slopes and held-out rows
  c  the bargain: error plus lambda times penalty
  d  two features that say the same
  e  why L1 gives zeros: the ellipse meets the diamond
  f  few weights, or all weights small
  g  why one valley: a bowl plus a V
  h  a budget and a price are the same thing
  i  L1, L2 or a mix: which one

examples:
  normball learn                                     all of them, as learn.html
  normball learn --quiz -o predict_first.html
  normball learn e --data wine.csv --target quality --x alcohol,sulphates --svg .
"""


def parser() -> Parser:
    """The parser of `normball` with all its commands."""
    common = common_options()
    top = Parser(
        prog="normball",
        parents=[common],
        description="L1- and L2-regularised models: the whole path, cross-validated, each point with a certificate.",
        epilog="Exit codes: 0 done, 2 wrong usage, 3 problem in the data, 4 not converged, 5 file or format, "
        "130 interrupted, 141 the reader of stdout left and no file was written.",
    )
    top.add_argument("--version", action="version", version=f"normball {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command", required=True)
    for add in (_fit, _check, _predict, _score, _export, _show, _report, _learn, _completion):
        add(commands, common)
    return top


def _fit(commands: Commands, common: Parser) -> None:
    fit = commands.add_parser(
        "fit",
        parents=[common, data_options(), column_options()],
        usage="normball fit FILE --target COL [options]\n       normball fit --example NAME [options]",
        help="check a table, solve the path with cross-validation, write model and report",
        description="Check the data, solve the whole path with cross-validation for lasso, elastic nets and ridge\n"
        "on the same folds, say which to take, and write model.json, report.html, coefficients.csv and path.csv.",
        epilog=FIT_EPILOG,
        formatter_class=HelpAsItStands,
    )
    model_options(fit)
    file_options(fit)
    judging_options(fit)
    large_tables_options(fit, fits=True)


def _check(commands: Commands, common: Parser) -> None:
    check = commands.add_parser(
        "check",
        parents=[common, data_options(), column_options()],
        usage="normball check FILE --target COL [options]\n       normball check --example NAME [options]",
        help="check the data only, fit nothing",
        description="Look for what would spoil a fit: constant and copied columns,\nseparation, leaks, rare classes.",
        epilog=CHECK_EPILOG,
        formatter_class=HelpAsItStands,
    )
    check.add_argument(
        "--seconds", type=positive, default=10, metavar="N", help="time to decide whether classes can be separated"
    )
    large_tables_options(check)


def _predict(commands: Commands, common: Parser) -> None:
    predict = commands.add_parser(
        "predict",
        parents=[common, reading_options()],
        help="predict new rows with a saved model",
        description="Predict new rows. The model file holds the whole path,\nso any lambda can be chosen now.",
        epilog=PREDICT_EPILOG,
        formatter_class=HelpAsItStands,
    )
    predict.add_argument("model", help="model.json as written by fit")
    predict.add_argument("data", help="table with the columns that the model uses, - for stdin; others are ignored")
    predict.add_argument(
        "-o",
        "--output",
        type=checked(table_file),
        metavar="FILE",
        help="write NAME.csv or NAME.parquet instead of CSV to stdout (-)",
    )
    predict.add_argument(
        "--keep",
        type=names,
        action="extend",
        default=[],
        metavar="A,B",
        help="columns of the table to stand beside the predictions, such as an id",
    )
    choice_options(predict)
    kind_options(predict)
    unknown_option(predict)
    large_tables_options(predict)


def _export(commands: Commands, common: Parser) -> None:
    export = commands.add_parser(
        "export",
        parents=[common],
        help="a saved model for SQL, Python, JavaScript, C, ONNX, PMML or Excel",
        description="Write a saved model for another program, which then predicts without normball.",
        epilog=EXPORT_EPILOG,
        formatter_class=HelpAsItStands,
    )
    export.add_argument("model", help="model.json as written by fit")
    export_options(export)
    choice_options(export)
    unknown_option(export)


def _score(commands: Commands, common: Parser) -> None:
    score = commands.add_parser(
        "score",
        parents=[common, reading_options()],
        help="how well a saved model predicts rows with known targets",
        description="Score a saved model on rows that it was not fitted to,\nbeside the model without features.",
        epilog=SCORE_EPILOG,
        formatter_class=HelpAsItStands,
    )
    choice_options(score)
    score_options(score)
    unknown_option(score)
    large_tables_options(score)


def _show(commands: Commands, common: Parser) -> None:
    show = commands.add_parser(
        "show",
        parents=[common],
        help="the summary of a saved model",
        description="The summary of a saved model, at any lambda of its path.",
        epilog=SHOW_EPILOG,
        formatter_class=HelpAsItStands,
    )
    show.add_argument("model", help="model.json as written by fit")
    show.add_argument("--path", action="store_true", help="where each feature enters or leaves, with the error there")
    choice_options(show)


def _report(commands: Commands, common: Parser) -> None:
    report = commands.add_parser(
        "report",
        parents=[common],
        help="write the report of a saved model again",
        description="Write the page of a saved model: one HTML file that needs no network.",
        epilog=REPORT_EPILOG,
        formatter_class=HelpAsItStands,
    )
    report.add_argument("model", help="model.json as written by fit")
    report.add_argument(
        "--data", type=checked(file), metavar="FILE", help="the table of the fit, for the charts that need it"
    )
    report.add_argument(
        "--embed",
        choices=("none", "stats"),
        default="stats",
        help="what the page holds about the data: nothing, or statistics, never a row (default: stats)",
    )
    report.add_argument(
        "-o",
        "--output",
        type=checked(page),
        metavar="FILE",
        help="NAME.html (default: report.html beside the model); - is stdout",
    )
    compared_option(report)
    page_options(report)
    choice_options(report)


def _completion(commands: Commands, common: Parser) -> None:
    completion = commands.add_parser(
        "completion",
        parents=[common],
        help="what your shell needs to complete commands and options at the tab key",
        description="Print a script that lets your shell complete commands, options and file names.",
        epilog=COMPLETION_EPILOG,
        formatter_class=HelpAsItStands,
    )
    completion.add_argument("shell", choices=SHELLS, help="your shell; `echo $SHELL` tells")


def _learn(commands: Commands, common: Parser) -> None:
    learn = commands.add_parser(
        "learn",
        parents=[common, reading_options()],
        usage="normball learn [a ... i|all] [options]",
        help="nine lessons on why models are penalised, on built-in data or your own",
        description="Write a page with nine lessons on penalties, or their drawings. They use data made for\n"
        "them, or your own table.",
        epilog=LEARN_EPILOG,
        formatter_class=HelpAsItStands,
    )
    learn.add_argument("lessons", nargs="*", type=lesson, metavar="a ... i|all", help="which lessons (default: all)")
    group = learn.add_argument_group("data")
    group.add_argument("--data", type=checked(file), metavar="FILE", help="your own table instead of the built-in data")
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
        "-o",
        "--output",
        "--html",
        type=checked(page),
        metavar="FILE",
        help="the page, NAME.html, - for stdout (default, without another file: learn.html)",
    )
    group.add_argument("--svg", type=checked(folder), metavar="DIR", help="one drawing for each lesson, as SVG")
    group.add_argument(
        "--png", type=checked(folder), metavar="DIR", help="the same as PNG (needs: pip install normball[png])"
    )
    group.add_argument("--quiz", action="store_true", help="first predict, then see")
    page_options(group)
