"""Results in plain text."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from normball.language import message, tr
from normball.results import by_column, facts, sentences
from normball.results.remarks import rare_levels
from normball.results.text import display_width, printable, shortened, table
from normball.weighted_scores import score_name

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.cross_validated import Choice
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.results.paths import Paths

MOST_FEATURES = 30
PATH_TITLES = (
    message("lambda"),
    message("features"),
    message("deviance explained"),
    message("L1 norm"),
    message("dual gap"),
    message("status"),
)
NARROWEST_NAME = 18
LEFT_OUT = message("No room here for {0}; a terminal of {1} columns shows all.")
FEWEST_LETTERS = 8  # of a name before what stands in brackets behind it


def fit_summary(fit: Fit) -> str:
    """One model: its strength, certificate and features."""
    rows = [
        [tr("lambda"), f"{fit.lam:.4g}"],
        *facts.kept_rows([fit]),
        [tr("deviance explained"), percent(fit.deviance_ratio)],
        [tr("certificate"), _certificate(fit)],
    ]
    if kept := facts.groups_kept(fit):
        rows.insert(2, [tr("groups kept"), kept])
    if fit.radius is not None:
        rows.insert(1, [tr("radius"), f"{fit.radius:.6g}"])
    features = feature_lines(facts.Point("", fit, None), tr("Features"))
    findings = (str(finding.retold()) for finding in rare_levels(fit))
    return "\n".join([title(fit), *table(rows, align="<<"), "", *features, *findings])


def path_summary(path: Path) -> str:
    """The whole path in ten rows."""
    head = [tr(one) for one in PATH_TITLES]
    rows = [
        [f"{path.lambdas[i]:.4g}", str(n), percent(ratio), f"{norm:.4g}", f"{path.dual_gaps[i]:.1e}", path.statuses[i]]
        for i, n, ratio, norm in some_points(path)
    ]
    if path.n_groups_nonzero is not None:
        head.insert(2, tr("groups"))
        for row, (i, *_) in zip(rows, some_points(path), strict=True):
            row.insert(2, str(path.n_groups_nonzero[i]))
    solved = int(np.sum(path.statuses == "converged"))
    text = "{0} of {1} lambdas certified to a relative duality gap of {2}"
    closing = tr(text, solved, path.lambdas.size, f"{path.tol:g}")
    lines = [title(path), *table([head, *rows], align="<" * len(head)), f"{closing}; {sentences.reads(path)}"]
    return "\n".join([*lines, *filter(None, [sentences.dispersion(path)])])


def paths_summary(paths: Paths) -> str:
    """A batch, a row for each of ten problems."""
    rows = problem_rows(paths)
    solved = int(np.sum(paths.statuses == "converged"))
    text = "{0} of {1} solutions certified to a relative duality gap of {2}"
    closing = tr(text, f"{solved:,}", f"{paths.statuses.size:,}", f"{paths[0].tol:g}")
    lines = [title(paths[0]), *table(rows, align="<" * len(rows[0])), f"{closing}; {sentences.reads(paths)}"]
    if len(rows) <= len(paths):
        lines.insert(-1, tr("({0} problems in all)", f"{len(paths):,}"))
    return "\n".join(lines)


def cv_summary(cv: CVPath, select: Choice) -> str:
    """Both choices of strength side by side, the features of the one selected, and what is to be known about it."""
    chosen = facts.points(cv, select)
    features = feature_lines(chosen[0], chosen[0].title)
    if alone := sentences.about_no_features(cv, chosen):
        features = [*alone, *(features if len(features) > 1 else ())]  # the intercept, where there is one
    closing = tr("Solved: {0}; {1} for path and folds", sentences.certificate(cv.path), sentences.reads(cv))
    findings = (str(finding.retold()) for finding in facts.findings(cv, chosen[0]))
    learned = [tr("Learned {0}.", text) for text in sentences.about_all_rows(cv.path.preparation)]
    return "\n".join([title(cv.path), *choice_lines(cv, chosen), "", *features, *learned, closing, *findings])


def choice_lines(cv: CVPath, chosen: list[facts.Point], *, width: int | None = None) -> list[str]:
    """The choices of strength side by side, or one below the other where `width` is too small; the titles first."""
    rows = facts.comparison(cv, chosen)
    if (null := facts.null_score(cv)) is not None:
        by_root = rows[2][0] == facts.RMSE
        told = facts.figures(math.sqrt(null)) if by_root else facts.of_score(cv, null)
        rows.insert(3, ["  " + tr("without features"), told, *[""] * (len(chosen) - 1)])
    lines = table(rows, align="<" * len(rows[0]))
    if width is not None and max(map(display_width, lines)) > width:
        pairs = [[[row[0], row[k]] for row in rows[1:] if row[k]] for k in range(1, len(rows[0]))]
        blocks = [[rows[0][k], *table(pair, align="<<")] for k, pair in enumerate(pairs, 1)]
        under = " " * (max(display_width(row[0]) for row in rows) + 3)
        lines = [textwrap.fill(line, width, subsequent_indent=under) for block in blocks for line in block]
    undefined = int(np.isnan(cv.fold_scores).all(axis=1).sum())
    if undefined:
        text = "({0} is undefined in {1} of {2} folds, which do not count)"
        lines.append(tr(text, score_name(cv.score, cv.path.family), undefined, cv.n_folds))
    lacking = int(np.isnan(cv.cv_mean).sum())
    if lacking:
        text = "({0} is undefined in some fold at {1} of {2} lambdas, never chosen)"
        lines.append(tr(text, score_name(cv.score, cv.path.family), lacking, cv.lambdas.size))
    return lines


def feature_lines(
    point: facts.Point, title: str, *, most: int = MOST_FEATURES, more: str = "", width: int | None = None
) -> list[str]:
    """The features kept, the titles first; where `width` is too small, columns are left out and names are cut."""
    rows = feature_rows(point, title, most, more)
    left_out: list[str] = []  # of columns
    if width is not None:
        if point.fit.output_names and _room(rows, width) < NARROWEST_NAME:
            rows = feature_rows(point, title, most, more, short=True)
        enough, titles = width - _room(rows, width) + NARROWEST_NAME, rows[0]
        while len(rows[0]) > 2 and _room(rows, width) < NARROWEST_NAME:
            least = _least(rows[0])
            rows = [[*row[:least], *row[least + 1 :]] for row in rows]
        if lacking := [f'"{one}"' for one in titles if one not in rows[0]]:
            left_out = textwrap.wrap(tr(LEFT_OUT, ", ".join(lacking), enough), width)
        room = max(NARROWEST_NAME, _room(rows, width))
        rows = [[shortened(rows[0][0], room), *rows[0][1:]], *([cut(row[0], room), *row[1:]] for row in rows[1:])]
    last = "<" if rows[0][-1] == tr("kept in folds") else ">"
    note = textwrap.wrap(by_column.reference(point.fit), width or 120)
    return table(rows, align="<" + ">" * (len(rows[0]) - 2) + last) + note + left_out


def _room(rows: list[list[str]], width: int) -> int:
    """What is left for names."""
    widths = [max(display_width(row[k]) for row in rows) for k in range(1, len(rows[0]))]
    return width - sum(widths) - 3 * len(widths)


def _least(titles: list[str]) -> int:
    """The column that is missed least: it follows from another, is that of rows, or the last."""
    factors = [k for k, one in enumerate(titles) if tr(facts.FACTOR) in one]
    if len(factors) > 1:
        return factors[-1]
    ends = (tr(facts.RANGE), tr(facts.FACTOR), tr(by_column.ROWS))
    missed = (k for end in ends for k in reversed(range(len(titles))) if end in titles[k])
    return next(missed, len(titles) - 1)


def cut(name: str, room: int) -> str:
    """An indented name in at most `room` columns; how many features a column has stays behind it, as it stands."""
    indent = len(name) - len(name.lstrip())
    front, bracket, rest = name.rpartition(" (")
    tail = bracket + rest if front.strip() and name.endswith(")") else ""
    if display_width(name) <= room or room - indent - display_width(tail) < FEWEST_LETTERS:
        tail = ""
    return name[:indent] + shortened(name.removesuffix(tail), room - indent - display_width(tail)) + tail


def title(result: Fit | Path) -> str:
    """Family and penalty."""
    scale = "" if result.standardize else tr(", not standardised")
    outputs = across = ""
    if result.output_names:
        outputs = tr(" of {0} classes" if result.classes else " of {0} targets", result.n_outputs)
    if result.grouped:
        across = tr(" across classes" if result.classes else " across targets")
    return f"{result.family}{outputs}, {facts.penalty(result.l1_ratio, result.groups)}{across}{scale}"


def _certificate(fit: Fit) -> str:
    if math.isnan(fit.dual_gap):
        return tr("none (interpolated between two certified strengths)")
    return tr("relative duality gap {0}, {1}", f"{fit.dual_gap:.1e}", tr(fit.status))


def some_points(path: Path) -> list[tuple[int, int, float, float]]:
    """Ten strengths spread over the path: position, number of features, deviance explained, L1 norm."""
    places = np.unique(np.linspace(0, path.lambdas.size - 1, 10).round().astype(int))
    n_nonzero, ratio, norms = path.n_nonzero, path.deviance_ratio, path.l1_norms
    return [(int(i), int(n_nonzero[i]), float(ratio[i]), float(norms[i])) for i in places]


def problem_rows(paths: Paths) -> list[list[str]]:
    """Titles, and ten problems: where each begins to keep features, and what it reaches at the end of the grid."""
    rows = [[tr("problem"), "lambda_max", tr("features at the end"), tr("deviance explained"), tr("largest dual gap")]]
    for k in np.unique(np.linspace(0, len(paths) - 1, min(10, len(paths))).round().astype(int)):
        path = paths[int(k)]
        last = [str(path.n_nonzero[-1]), percent(float(path.deviance_ratio[-1])), f"{path.dual_gaps.max():.1e}"]
        rows.append([printable(paths.names[k]), f"{path.lambda_max:.4g}", *last])
    return rows


def feature_rows(point: facts.Point, title: str, most: int, more: str, short: bool = False) -> list[list[str]]:
    """Titles, the largest coefficients, a line for those left out, and the intercept.

    Several outputs have a column each; `short` tells of each feature the largest coefficient alone.
    """
    fit, features = point.fit, facts.selected(point)
    blocks = by_column.blocks(fit, features, most)
    shown = [feature for block in blocks for feature in block.features]
    counted = any(feature.n_rows is not None for feature in shown)
    titles = [tr(by_column.ROWS)] * counted + facts.feature_titles(point, short)
    rows = [[title, *titles]]
    for block in blocks:
        rows += _block_rows(block, point, titles, short)
    if len(features) > len(shown):
        rows.append(["  " + tr("... and {0} more{1}", f"{len(features) - len(shown):,}", more)])
    rows += [
        ["  " + tr("(intercept)"), *[""] * counted, *cells] for cells in [facts.intercept_cells(fit, short)] if cells
    ]
    return [row + [""] * (len(rows[0]) - len(row)) for row in rows]


def _block_rows(block: by_column.Block, point: facts.Point, titles: list[str], short: bool) -> list[list[str]]:
    """A column of the table with its levels below it."""
    rows = []
    names = dict(zip(point.fit.feature_names, point.fit.preparation.shown_names, strict=True))
    if block.title:
        told = (
            ""
            if block.folds is None or titles[-1] != tr("kept in folds")
            else facts.in_folds(block.folds, point.n_folds)
        )
        rows.append([f"  {printable(block.title)}", *[""] * (len(titles) - 1), told])
    alone = len(block.features) == 1 or block.title == tr(by_column.RARE)
    for feature in block.features:
        name = names[feature.name] if alone or feature.level is None else feature.level
        indent = "    " if block.title or (feature.level is not None and not alone) else "  "
        few = f" ({feature.few_rows})" if feature.few_rows else ""
        of_level = ["" if feature.n_rows is None else f"{feature.n_rows:,}"] * (titles[0] == tr(by_column.ROWS))
        rows.append([f"{indent}{printable(name)}{few}", *of_level, *facts.feature_cells(point, feature, short)])
    return rows


def percent(share: float) -> str:
    """0.123 as `12.3 %`."""
    return tr("{0} %", f"{100.0 * share:.1f}")
