"""The options about judging a model on rows that it was not fitted to. Imports nothing heavy."""

from __future__ import annotations

import argparse

from normball.cli.values import column, seed


def score_options(score: argparse.ArgumentParser) -> None:
    """Those of `normball score`."""
    score.add_argument("model", help="model.json as written by fit")
    score.add_argument("data", help="table with the target and the columns that the model uses")
    score.add_argument("--target", type=column, metavar="COL", help="where it has another name than for the fit")
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
    group.add_argument(
        "--bootstrap",
        type=seed,
        metavar="N",
        help="bootstrap samples for the range of each coefficient, 0 for none (default: 100, of tables up to a million "
        "cells)",
    )
