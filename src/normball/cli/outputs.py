"""The files that the commands write: model, report, coefficients, path, predictions."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.cli.console import labelled
from normball.cli.source import UsageError
from normball.files import check_folder, check_writable, write_text
from normball.language import message, tr
from normball.messages import sample

if TYPE_CHECKING:
    from argparse import Namespace

    from normball.cli.console import Console

FORMULA = re.compile(r"[=@\t\r]|[+-].")
STDOUT = ("-", "/dev/stdout")
FILES_OF_FIT = ("model.json", "report.html", "coefficients.csv", "path.csv")


def check_outputs(arguments: Namespace) -> None:
    """Raise, before anything is read, where a command could not write, or would write over a file that it reads."""
    _refuse_own_inputs(arguments)
    place = getattr(arguments, "output", None)
    if place and place not in STDOUT and arguments.command != "fit":  # which looks at its files when it knows them
        check_writable(place)
    for folder in filter(None, (getattr(arguments, name, None) for name in ("svg", "png"))):
        check_folder(folder)


def _refuse_own_inputs(arguments: Namespace) -> None:
    folder = Path(arguments.output or ".") if arguments.command == "fit" else None
    outputs = {
        "-o": None if folder else getattr(arguments, "output", None),
        "--out-of-fold": getattr(arguments, "out_of_fold", None),
        **{f"{name} in the folder of -o": folder / name for name in FILES_OF_FIT if folder},
    }
    inputs = [getattr(arguments, name, None) for name in ("data", "model", "groups")]
    for option, place in outputs.items():
        for read in filter(None, inputs):
            if place and os.path.isfile(place) and os.path.isfile(read) and os.path.samefile(place, read):
                raise UsageError(f"{option} is {read}, which is read here: give the output another name")


def open_page(place: str | Path, console: Console) -> None:
    """Show a page that was written in the browser."""
    import webbrowser

    if not webbrowser.open(Path(place).resolve().as_uri()):
        console.note(f"No browser was found to open {place}.")


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
    """CSV as `CsvRows` write it."""
    written = CsvRows(header)
    text = written.header() + written.text(rows)
    written.warn(console)
    return text


class CsvRows:
    """CSV with every text as it is; missing values are empty, numbers have all their digits.

    Names and labels have to be found again in other tables, so that nothing is put before those which a spreadsheet
    takes for formulas; they are named instead.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self._header, self._formulas = header, dict.fromkeys(name for name in header if is_formula(name))

    def header(self) -> str:
        """The first line."""
        return self.text([self._header])

    def text(self, rows: Iterable[Sequence[Any]]) -> str:
        """More lines."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        for row in rows:
            writer.writerow(row)
            self._formulas.update(dict.fromkeys(cell for cell in row if is_formula(cell)))
        return buffer.getvalue()

    def warn(self, console: Console) -> None:
        """Name the formulas that were met."""
        if self._formulas:
            found = sample(list(self._formulas), quote=True)
            console.note(labelled(message("Careful"), f"a spreadsheet takes these for formulas: {found}"))


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
    """`model.json (38 KB), report.html (214 KB) in out`, folder after folder."""
    folders: dict[str, list[str]] = {}
    for place in map(Path, files):
        size = max(1, round(place.stat().st_size / 1024))
        folders.setdefault(str(place.parent), []).append(f"{place.name} ({size:,} KB)")
    here = tr(" in this folder") if len(folders) > 1 else ""
    each = [", ".join(names) + (here if folder == "." else tr(" in {0}", folder)) for folder, names in folders.items()]
    return "; ".join(each)
