"""The report: one HTML file that needs no network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.results.path import Path
    from normball.run import Run

__all__ = ["MOST_PREDICTIONS", "data_of_page", "page_text", "write_report"]

MOST_PREDICTIONS = 20_000_000  # of held-out rows, kept for the page; with more of them it goes without


def write_report(
    cv: CVPath,
    path: str | os.PathLike[str],
    run: Run | None = None,
    data: Data | None = None,
    comparison: Comparison | None = None,
) -> None:
    """Write the page about a cross-validated path.

    Parameters
    ----------
    cv : CVPath
        The result. Calibration and the like need its `predictions`.
    path : path-like
        The file to write; an existing one is replaced once the new one is complete.
    run : Run, optional
        Where the data came from, for the title and the code that makes the model again.
    data : Data, optional
        The data that the result was fitted to. The page then says more about them, in statistics; it never holds
        a row of them.
    comparison : Comparison, optional
        Several mixes, of which `cv` is one. The page opens with `cv`, and its reader can choose another one.

    Raises
    ------
    DataError
        If `data` are not those of the result.
    """
    from normball.files import write_text
    from normball.run import Run

    write_text(path, page_text(cv, run or Run(), data, comparison))


def data_of_page(path: Path, X: Any, y: Any, horizon: float | None, **by_row: Any) -> Data | None:
    """The data of the fit of `path` as Python gives them for a page, None for none.

    Parameters
    ----------
    path : Path
        The path that was fitted to them.
    X, y, by_row
        As `cv_path` got them; None, both, for a page without data.
    horizon : float or None
        Up to when survival is to be compared.

    Raises
    ------
    TypeError
        If one of X and y lacks, or both do and there is a horizon.
    ValueError
        If nothing can be compared up to the horizon.
    DataError
        If the data are not those of the fit.
    """
    from normball.evidence.refound import refound
    from normball.settings import number
    from normball.survival.horizon import check_horizon

    if (X is None) != (y is None):
        raise TypeError("report() takes both X and y, or neither")
    if X is None:
        if horizon is not None:
            raise TypeError("report() takes horizon= with X and y, in which it looks up what happened by then")
        return None
    if horizon is not None:
        horizon = number("horizon", horizon, minimum=0, exclusive=True)
    data = refound(path, X, y, **by_row)
    check_horizon(horizon, path.family, data.survival, data.weights)
    return data


def page_text(cv: CVPath, run: Run, data: Data | None = None, comparison: Comparison | None = None) -> str:
    """The page that `write_report` writes."""
    from normball.evidence.evidence import evidence
    from normball.report.other_mixes import with_others
    from normball.report.page import drawn, render
    from normball.report.payload import payload

    def known(one: CVPath, landscapes: bool = False) -> dict[str, Any] | None:
        return None if data is None else evidence(one, run, data, landscapes=landscapes)

    if comparison is None:
        return render(cv, run, known(cv, landscapes=True))
    content = payload(cv, run, known(cv, landscapes=True), comparison)
    return with_others(drawn(cv, run, content, comparison), content, comparison, cv, run, known)
