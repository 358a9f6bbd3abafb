"""The files that the commands write: model, report, coefficients, path, predictions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.cli.source import UsageError
from normball.files import write_text
from normball.messages import sample

if TYPE_CHECKING:
    from normball.cli.console import Console
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.run import Run

FORMULA = re.compile(r"[=@\t\r]|[+-].")
STDOUT = ("-", "/dev/stdout")


def write_all(
    comparison: Comparison,
    cv: CVPath,
    run: Run,
    files: Mapping[str, Path],
    data: Callable[[], Data],
    console: Console,
    at: Callable[[str], None],
) -> None:
    """Write the files of a fit, the model first, for the others can be made of it; `at` is told which is in work.

    `cv` is the mix that was picked.

    The predictions of held-out rows serve the report; the model file does without.
    """
    from normball.cli.models import choose
    from normball.comparison import Comparison
    from normball.report import write_report
    from normball.results.saving import save

    console.planned = [str(place) for place in files.values()]
    at(files["model"].name)
    paths = tuple(replace(one, predictions=None) for one in comparison)
    save(Comparison(paths) if len(paths) > 1 else paths[0], files["model"], run.to_dict())
    console.written.append(str(files["model"]))
    for what, frame in (("coefficients", choose(cv, run.select).to_frame()), ("path", cv.to_frame())):
        write(files[what], csv_text(frame.columns, frame.iter_rows(), console), console)
    at(files["report"].name)
    write_report(cv, files["report"], run, data())
    console.written.append(str(files["report"]))


def write(place: str | Path, text: str, console: Console) -> None:
    """Write a file, or print where its name is that of stdout."""
    if str(place) in STDOUT:
        if console.machine:
            raise UsageError(f"--json and {place} both want stdout: name a file")
        console.product(text.removesuffix("\n"))
    else:
        write_text(place, text)
        console.written.append(str(place))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]], console: Console) -> str:
    """CSV with every text as it is; missing values are empty, numbers have all their digits.

    Names and labels have to be found again in other tables, so that nothing is put before those which a spreadsheet
    takes for formulas; they are named instead.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    formulas = dict.fromkeys(name for name in header if is_formula(name))
    for row in rows:
        writer.writerow(row)
        formulas.update(dict.fromkeys(cell for cell in row if is_formula(cell)))
    if formulas:
        console.note(f"Careful  a spreadsheet takes these for formulas: {sample(list(formulas), quote=True)}")
    return buffer.getvalue()


def is_formula(cell: Any) -> bool:
    """Whether a spreadsheet would calculate a text; a lone sign and a number it would not."""
    if not isinstance(cell, str) or not FORMULA.match(cell):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def sizes(files: Iterable[str]) -> str:
    """`model.json (38 KB), report.html (214 KB) in out` for files of one folder."""
    places = [Path(name) for name in files]
    each = [f"{place.name} ({max(1, round(place.stat().st_size / 1024)):,} KB)" for place in places]
    folder = str(places[0].parent)
    return ", ".join(each) + (f" in {folder}" if folder != "." else "")
