"""The options about the files that commands write. Imports nothing heavy."""

from __future__ import annotations

import argparse

from normball.language import ENGLISH, languages, of_locale


def fit_files(fit: argparse.ArgumentParser) -> None:
    """Those of `normball fit`."""
    group = fit.add_argument_group("files")
    group.add_argument("-o", "--output", metavar="DIR", default=".", help="folder of the files written (default: here)")
    group.add_argument(
        "--out-of-fold",
        metavar="FILE",
        help="CSV of each row's fold, target, and prediction by the folds that did not fit it",
    )
    page(group)


def page(group: argparse._ActionsContainer, *, by_locale: bool = False) -> None:
    """Of all that write a page; in the language of the locale or in English if none is asked for."""
    in_language(group, of_locale() if by_locale else ENGLISH)
    group.add_argument("--open", action="store_true", help="open the page in the browser")


def in_language(group: argparse._ActionsContainer, language: str = ENGLISH) -> None:
    """Of all that tell results."""
    text = f"language of results and pages (default: {language})"
    group.add_argument("--lang", choices=languages(), default=language, help=text)
