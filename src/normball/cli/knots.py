"""`normball show --path`: the path as a table of its knots, where a feature enters or leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normball.cv_result import CVPath
from normball.families import find_family
from normball.language import message, tr
from normball.results import facts
from normball.results.text import display_width, printable, shortened, table

if TYPE_CHECKING:
    from normball.cli.console import Console
    from normball.results.path import Path

LEAST_ROOM = 24  # for names
RIDGE = message("L2 keeps every feature at every lambda: none enters or leaves.")


@dataclass(frozen=True)
class Knot:
    """A strength, and the features that are kept there and not at the one before it, or the other way round."""

    index: int
    entered: tuple[str, ...]
    left: tuple[str, ...]

    def changes(self, room: int | None) -> str:
        """`+bmi, +s5, -age`, in so much room as many as there is room for."""
        each = [f"+{printable(name)}" for name in self.entered] + [f"-{printable(name)}" for name in self.left]
        for shown in range(len(each), 0, -1):
            more = tr(" and {0} more", f"{len(each) - shown:,}") if shown < len(each) else ""
            text = ", ".join(each[:shown]) + more
            if room is None or display_width(text) <= room:
                return text
        return "" if not each or room is None else shortened(each[0], room - display_width(more)) + more


def knots(path: Path, names: Sequence[str]) -> list[Knot]:
    """Each strength of the path, the strongest first; a feature of several outputs counts as one."""
    rows = path.coef_rows.any_output(path.n_outputs)
    found: list[Knot] = []
    before: set[int] = set()
    for index in range(path.lambdas.size):
        at = rows.take(slice(index, index + 1))
        kept = set(at.indices[at.values != 0].tolist())
        entered, left = (tuple(names[j] for j in sorted(one)) for one in (kept - before, before - kept))
        found.append(Knot(index, entered, left))
        before = kept
    return found


def lines(result: Path | CVPath, console: Console) -> list[str]:
    """The table: lambda, features kept, the error of held-out rows, and which features enter (+) or leave (-)."""
    path, cv = (result.path, result) if isinstance(result, CVPath) else (result, None)
    if path.l1_ratio == 0:
        return [tr(RIDGE)]
    marks = {} if cv is None else _marks(cv)
    shown = [
        one
        for one in knots(path, path.preparation.shown_names)
        if one.entered or one.left or one.index in marks or one.index == 0
    ]
    titles = [tr("lambda"), tr("features"), *([] if cv is None else [tr("CV {0}", tr(_score(cv)[0])), ""])]
    rows = [titles]
    for one in shown:
        of_folds = [] if cv is None else [facts.figures(_score(cv)[1][one.index], 4), marks.get(one.index, "")]
        rows.append([facts.figures(path.lambdas[one.index]), f"{path.n_nonzero[one.index]:,}", *of_folds])
    width = max(map(display_width, table(rows, align=">" * len(titles)))) + 3
    room = None if console.verbose else max(LEAST_ROOM, console.width - width)
    changes = [tr("enters (+) or leaves (-)"), *(one.changes(room) for one in shown)]
    align = ">>" + ("" if cv is None else "><") + "<"
    head, *rest = table([[*row, change] for row, change in zip(rows, changes, strict=True)], align=align)
    return [console.bold(head), *rest]


def document(result: Path | CVPath) -> list[dict[str, Any]]:
    """Every strength as plain data, for `--json`."""
    numbers = result.to_frame().to_dicts()
    path = result.path if isinstance(result, CVPath) else result
    return [
        {**row, "entered": one.entered, "left": one.left}
        for row, one in zip(numbers, knots(path, path.feature_names), strict=True)
    ]


def _marks(cv: CVPath) -> dict[int, str]:
    """What stands beside the strengths of the two rules."""
    if cv.index_1se == cv.index_best:
        return {cv.index_best: tr("1-SE, best")}
    return {cv.index_1se: tr("1-SE"), cv.index_best: tr("best")}


def _score(cv: CVPath) -> tuple[str, Sequence[float]]:
    """Name and means of the score; an error in squared units by its root."""
    if cv.score in find_family(cv.path.family).root_scores:
        return "RMSE", [math.sqrt(mean) for mean in cv.cv_mean]
    return cv.score, cv.cv_mean.tolist()
