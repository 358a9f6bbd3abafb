"""The charts of the report: pure functions, arrays in, SVG text out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from normball.report.svg import (
    FAINT,
    INK,
    Scale,
    apart,
    clipped,
    drawing,
    line,
    number,
    padded,
    path,
    points,
    words,
)
from normball.results.text import shortened

# Okabe and Ito's palette without its yellow, which vanishes on white; each colour comes with its own dash.
COLOURS = (
    "var(--c1, #0072b2)",
    "var(--c2, #d55e00)",
    "var(--c3, #009e73)",
    "var(--c4, #cc79a7)",
    "var(--c5, #56b4e9)",
    "var(--c6, #e69f00)",
)
DASHES = ("", "7 3", "2 3", "9 3 2 3")
LABELLED, DRAWN = 12, 60  # curves with a name and colour; curves drawn at all
WIDTH, HEIGHT = 820, 400
LEFT, TOP, BOTTOM = 64, 40, 348

Floats = NDArray[np.float64]


def coefficient_path(
    lambdas: Floats,
    coefs: Floats,
    names: Sequence[str],
    *,
    marks: Mapping[str, float],
    n_nonzero: NDArray[np.int64],
    identity: str = "path",
) -> str:
    """Every coefficient along the path, those that count most at the weakest mark named at the end of their curve.

    The frame fits the coefficients down to a tenth of that strength: where the path goes on into overfitting, curves
    leave it.

    Parameters
    ----------
    lambdas : array of shape (n_lambdas,)
        Strengths, descending.
    coefs : array of shape (n_lambdas, n_features)
        Coefficients per standard deviation.
    names : sequence of str
        Feature names.
    marks : mapping of str to float
        Strengths to mark by a vertical line, with their label.
    n_nonzero : array of shape (n_lambdas,)
        Number of features kept, written along the top.
    identity : str
        Prefix of the ids in the drawing; unique within a page.

    Returns
    -------
    str
        An `<svg>` element.
    """
    focus = min(marks.values(), default=float(lambdas[-1]))
    at_focus = np.abs(coefs[int(np.argmin(np.abs(lambdas - focus)))])
    largest = np.max(np.abs(coefs), axis=0)
    order = [int(j) for j in np.lexsort((-largest, -at_focus))[:DRAWN] if largest[j] > 0]
    x = _strength_scale(lambdas, WIDTH - 200)
    y = padded(np.append(coefs[lambdas >= focus / 10][:, order].ravel(), 0.0), BOTTOM, TOP)
    across = x(_log10(lambdas))
    named = order[:LABELLED]
    curves = [
        path(points(across, y(coefs[:, j])), stroke=FAINT, width=0.7, title=names[j])
        for j in reversed(order[LABELLED:])
    ]
    ends = [min(max(float(y(coefs[-1, j])), TOP), BOTTOM) for j in named]
    labels = []
    for k, (j, end, height) in enumerate(zip(named, ends, apart(ends, 14, TOP + 6, BOTTOM), strict=True)):
        colour, dash = COLOURS[k % len(COLOURS)], DASHES[k // len(COLOURS) % len(DASHES)]
        curves.append(path(points(across, y(coefs[:, j])), stroke=colour, width=2, dash=dash, title=names[j]))
        labels += [
            line(x.end + 2, end, x.end + 14, height, stroke=colour),
            line(x.end + 14, height, x.end + 32, height, stroke=colour, width=2, dash=dash),
            words(x.end + 36, height + 4, shortened(names[j], 22)),
        ]
    hidden = int(np.count_nonzero(largest)) - len(order)
    note = f" {hidden} smaller curves are not drawn." if hidden else ""
    return drawing(
        [
            *_frame(x, y, "coefficient per SD", lambdas, n_nonzero),
            line(x.start, float(y(0)), x.end, float(y(0)), stroke=FAINT),
            clipped(curves, f"{identity}-frame", (x.start, TOP - 2, x.end + 1, BOTTOM + 2)),
            *labels,
            *_marks(x, marks),
        ],
        width=WIDTH,
        height=HEIGHT,
        identity=identity,
        title="Coefficient path",
        description=f"Coefficients of {len(names)} features over {len(lambdas)} strengths; the largest: "
        f"{', '.join(names[j] for j in named[:5])}.{note}",
    )


def cv_curve(
    lambdas: Floats,
    mean: Floats,
    se: Floats,
    train: Floats,
    *,
    marks: Mapping[str, float],
    n_nonzero: NDArray[np.int64],
    label: str = "deviance",
    identity: str = "cv",
) -> str:
    """Cross-validated score with its band of one standard error, and the score on the training rows.

    The frame fits both down to a tenth of the weakest mark.

    Parameters
    ----------
    lambdas : array of shape (n_lambdas,)
        Strengths, descending.
    mean, se, train : arrays of shape (n_lambdas,)
        Mean and standard error over the folds, and the mean score on the rows that were fitted.
    marks : mapping of str to float
        Strengths to mark by a vertical line, with their label.
    n_nonzero : array of shape (n_lambdas,)
        Number of features kept, written along the top.
    label : str
        Name of the score.
    identity : str
        Prefix of the ids in the drawing; unique within a page.

    Returns
    -------
    str
        An `<svg>` element.
    """
    x = _strength_scale(lambdas, WIDTH - 110)
    seen = lambdas >= min(marks.values(), default=0.0) / 10
    y = padded(np.concatenate([(mean - se)[seen], (mean + se)[seen], train[seen]]), BOTTOM, TOP)
    across, middle, fitted = x(_log10(lambdas)), y(mean), y(train)
    upper, lower = y(mean + se), y(mean - se)
    known = np.isfinite(upper) & np.isfinite(lower)
    band = points(np.append(across[known], across[known][::-1]), np.append(upper[known], lower[known][::-1]))
    curves = [
        path(f"{band}Z", stroke="none", fill="var(--band, #0072b233)"),
        path(points(across, middle), stroke=COLOURS[0], width=2.5),
        path(points(across, fitted), stroke=COLOURS[1], width=2, dash="7 3"),
    ]
    heights = np.clip(np.nan_to_num([middle[-1], fitted[-1]], nan=BOTTOM), TOP, BOTTOM)
    ends = apart(heights.tolist(), 14, TOP + 6, BOTTOM)
    body = [
        *_frame(x, y, f"CV {label}", lambdas, n_nonzero),
        clipped(curves, f"{identity}-frame", (x.start, TOP - 2, x.end + 1, BOTTOM + 2)),
        *_marks(x, marks),
        words(x.end + 6, ends[0] + 4, "left-out rows"),
        words(x.end + 6, ends[1] + 4, "fitted rows"),
    ]
    best = int(np.argmin(np.abs(lambdas - next(iter(marks.values()), lambdas[-1]))))
    return drawing(
        body,
        width=WIDTH,
        height=HEIGHT,
        identity=identity,
        title="Cross-validation curve",
        description=f"CV {label} on left-out rows (solid, with a band of one standard error) and on fitted rows "
        f"(dashed) over {len(lambdas)} strengths; {mean[best]:.4g} at lambda {lambdas[best]:.3g}.",
    )


def _strength_scale(lambdas: Floats, end: float) -> Scale:
    """Strong on the left, weak on the right, logarithmic."""
    logs = _log10(lambdas)
    high, low = float(logs[0]), float(logs[-1])
    return Scale(high, low if low < high else high - 1.0, LEFT, end)


def _log10(lambdas: Floats) -> Floats:
    """Logarithms; an unpenalised end (zero) is put half a decade beyond the last positive strength."""
    positive = lambdas[lambdas > 0]
    floor = positive.min() / math.sqrt(10) if positive.size else 1.0
    return np.asarray(np.log10(np.maximum(lambdas, floor)))


def _frame(x: Scale, y: Scale, label: str, lambdas: Floats, n_nonzero: NDArray[np.int64]) -> list[str]:
    """Axes: strength below, number of kept features above, `label` on the left."""
    body = []
    for tick in y.ticks():
        height = float(y(tick))
        body += [
            line(x.start, height, x.end, height),
            words(x.start - 6, height + 4, number(tick), anchor="end", colour=FAINT),
        ]
    for tick in (tick for tick in x.ticks(5) if abs(tick - round(tick)) < 1e-9 or abs(x.low - x.high) < 2):
        across = float(x(tick))
        body += [
            line(across, BOTTOM, across, BOTTOM + 5, stroke=FAINT),
            words(across, BOTTOM + 18, number(float(f"{10.0**tick:.3g}")), anchor="middle", colour=FAINT),
        ]
    for share in np.linspace(0, len(lambdas) - 1, min(6, len(lambdas))):
        at = round(share)
        across = float(x(_log10(lambdas)[at]))
        body.append(words(across, TOP - 24, str(int(n_nonzero[at])), anchor="middle", colour=FAINT, size=11))
    middle = (x.start + x.end) / 2
    body += [
        line(x.start, BOTTOM, x.end, BOTTOM, stroke=FAINT),
        words(x.start - 6, TOP - 24, "kept", anchor="end", colour=FAINT, size=11),
        words(middle, BOTTOM + 38, "lambda: strong on the left, weak on the right", anchor="middle"),
        f'<g transform="rotate(-90 14 {(TOP + BOTTOM) / 2})">'
        f"{words(14, (TOP + BOTTOM) / 2, label, anchor='middle')}</g>",
    ]
    return body


def _marks(x: Scale, marks: Mapping[str, float]) -> list[str]:
    """Vertical lines with a label at the top; labels of near lines go to either side."""
    body = []
    placed = sorted((float(x(math.log10(lam))), label) for label, lam in marks.items() if lam > 0)
    for k, (across, label) in enumerate(placed):
        near = k + 1 < len(placed) and placed[k + 1][0] - across < 60
        body += [
            line(across, TOP - 2, across, BOTTOM, stroke=INK, dash="4 3"),
            words(across, TOP - 7, label, anchor="end" if near else "start" if k else "middle", size=11),
        ]
    return body
