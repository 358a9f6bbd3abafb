"""The options about times to an event. Imports nothing heavy."""

from __future__ import annotations

import argparse

from normball.cli.values import a_time, column, times

LATE_ENTRY = 3  # columns of a target: start, time, event


def event_options(group: argparse._ActionsContainer) -> None:
    """Those of all that read a target."""
    group.add_argument("--event", type=column, metavar="COL", help="whether the time ended with it (Cox model)")
    group.add_argument("--start", type=column, metavar="COL", help="when a row came under observation (Cox)")
    group.add_argument("--strata", type=column, metavar="COL", help="strata with hazards of their own (Cox)")


def horizon_option(group: argparse._ActionsContainer, told: str) -> None:
    """The time up to which a model is judged."""
    group.add_argument("--horizon", type=a_time, metavar="T", help=told)


def score_options(group: argparse._ActionsContainer) -> None:
    """The columns of times to an event in a table that is scored."""
    told = "where it has another name than for the fit"
    group.add_argument("--event", type=column, metavar="COL", help=f"whether the time ended with it, {told}")
    group.add_argument("--start", type=column, metavar="COL", help="when a row came under observation (as --event)")
    group.add_argument("--strata", type=column, metavar="COL", help="the strata (as --event)")
    horizon_option(group, "time to an event: the Brier score at this time, too (default: at that of the fit)")


def kind_options(predict: argparse.ArgumentParser) -> None:
    """What `normball predict` says of new rows."""
    predict.add_argument(
        "--kind",
        choices=("response", "link", "class", "risk", "survival", "cumulative_hazard", "median"),
        help="mean or probability, linear predictor, or class (default: class and probability, or the mean); of times "
        "to an event risk, median, survival or cumulative hazard at --times (default: risk and median, or survival)",
    )
    predict.add_argument("--proba", action="store_const", dest="kind", const="response", help="same as --kind response")
    predict.add_argument("--times", type=times, metavar="T[,T]", help="where survival is wanted")
    predict.add_argument(
        "--strata", type=column, metavar="COL", help="the strata, where they have another name than for the fit"
    )
