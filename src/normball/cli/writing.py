"""The options about the files that commands write. Imports nothing heavy."""

from __future__ import annotations

import argparse


def fit_files(fit: argparse.ArgumentParser) -> None:
    """Those of `normball fit`."""
    group = fit.add_argument_group("files")
    group.add_argument("-o", "--output", metavar="DIR", default=".", help="folder of the files written (default: here)")
    group.add_argument(
        "--out-of-fold",
        metavar="FILE",
        help="CSV of each row's fold, target, and prediction by the folds that did not fit it",
    )
    open_page(group)


def open_page(group: argparse._ActionsContainer) -> None:
    """Of all that write a page."""
    group.add_argument("--open", action="store_true", help="open the page in the browser")
