"""The options about judging a model on rows that it was not fitted to. Imports nothing heavy."""

from __future__ import annotations

import argparse

from normball.cli.values import column, columns, seed, share


def score_options(score: argparse.ArgumentParser) -> None:
    """Those of `normball score`."""
    score.add_argument("model", help="model.json as written by fit")
    score.add_argument("data", help="table with the target and the columns that the model uses, - for stdin")
    score.add_argument(
        "--target",
        type=columns,
        action="append",
        metavar="COL[,COL]",
        help="where it has another name than for the fit, or the model was saved from Python",
    )
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


def fit_options(fit: argparse.ArgumentParser) -> None:
    """Those of `normball fit`."""
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
        "--positive",
        metavar="LABEL",
        help="of a target of two labels the one whose probability is modelled (default: the second in order)",
    )
    group.add_argument(
        "--bootstrap",
        type=seed,
        metavar="N",
        help="bootstrap samples for the range of each coefficient, 0 for none (default: 100, of tables up to a million "
        "cells); not with several outputs",
    )
