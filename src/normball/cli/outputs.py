"""The files that the commands write: model, report, coefficients, path, predictions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.report.files import write_text

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.report.run import Run
    from normball.results.cv import CVPath

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_all(cv: CVPath, run: Run, folder: Path, data: Data) -> dict[str, str]:
    """Write the four files; returns their places by what they are.

    The predictions of held-out rows serve the report; the model file does without.
    """
    from normball.cli.models import choose
    from normball.report import write_report

    files = {
        "model": folder / "model.json",
        "report": folder / "report.html",
        "coefficients": folder / "coefficients.csv",
        "path": folder / "path.csv",
    }
    save_model(replace(cv, predictions=None), run, files["model"])
    write_report(cv, files["report"], run, data)
    write_csv(files["coefficients"], choose(cv, run.select).to_frame())
    write_csv(files["path"], cv.to_frame())
    return {what: str(place) for what, place in files.items()}


def save_model(cv: CVPath, run: Run, place: Path) -> None:
    """Write the model with where it came from."""
    from normball.results.model_file import to_dict

    content = {**to_dict(cv), "run": run.to_dict()}
    write_text(place, json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_csv(place: Path, frame: Any) -> None:
    """Write a frame whose text no spreadsheet takes for a formula."""
    write_text(place, csv_text(frame.columns, frame.iter_rows()))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """CSV; missing values are empty, numbers have all their digits."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([guarded(name) for name in header])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def guarded(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA_STARTS):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def sizes(files: Iterable[str]) -> str:
    """`out: model.json (38 KB)  report.html (214 KB)` for files of one folder."""
    places = [Path(name) for name in files]
    each = [f"{place.name} ({max(1, round(place.stat().st_size / 1024)):,} KB)" for place in places]
    return f"{places[0].parent}: {'  '.join(each)}"
