"""The report: one HTML file that needs no network, made from result objects alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from normball.report.run import Run
    from normball.results.cv import CVPath

__all__ = ["write_report"]


def write_report(cv: CVPath, path: str | os.PathLike[str], run: Run | None = None) -> None:
    """Write the page about a cross-validated path.

    Parameters
    ----------
    cv : CVPath
        The result.
    path : path-like
        The file to write; an existing one is replaced once the new one is complete.
    run : Run, optional
        Where the data came from, for the title and the code that makes the model again.
    """
    from normball.report.files import write_text
    from normball.report.page import render
    from normball.report.run import Run

    write_text(path, render(cv, run or Run()))
