"""Results in a notebook: small tables with their own style, light or dark as the notebook is."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normball.language import message, retold, tr
from normball.results import by_column, facts, mixes, sentences, summaries

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.messages import Finding
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.results.paths import Paths

LIGHT = "--normball-faint: #5b6570; --normball-line: #d5dbe1; --normball-strong: #0072b2; color: #1d2329"
DARK = "--normball-faint: #a3adb8; --normball-line: #3c4650; --normball-strong: #6bb8ee; color: #e6e9ec"
TITLE_OF_FEATURES = message("{0}; .plot() draws the path, .report(file) writes a page")
STYLE = f"""<style>
.normball {{ {LIGHT}; }}
@media (prefers-color-scheme: dark) {{ .normball {{ {DARK}; }} }}
[data-jp-theme-light="true"] .normball, [data-theme="light"] .normball, .vscode-light .normball {{ {LIGHT}; }}
[data-jp-theme-light="false"] .normball, [data-theme="dark"] .normball, .vscode-dark .normball {{ {DARK}; }}
.normball {{ overflow-x: auto; max-width: 100%; }}
.normball table {{ border-collapse: collapse; margin: 0 0 .8em; font-variant-numeric: tabular-nums; background: none; }}
.normball caption {{ text-align: left; color: var(--normball-faint); padding: .2em 0; white-space: nowrap; }}
.normball :is(th, td) {{ text-align: right; padding: .2em .9em .2em 0; white-space: nowrap; background: none;
  border: 0; border-bottom: 1px solid var(--normball-line); color: inherit; }}
.normball :is(th, td):first-child {{ text-align: left; }}
.normball tbody th {{ font-weight: normal; }}
.normball thead th {{ border-bottom: 2px solid var(--normball-strong); }}
.normball .in-words :is(th, td) {{ text-align: left; vertical-align: top; white-space: pre-line; }}
</style>"""


def fit_html(fit: Fit) -> str:
    """The features."""
    rows = summaries.feature_rows(facts.Point("", fit, None), tr("feature"), summaries.MOST_FEATURES, "")
    caption = tr("{0}, lambda {1}", summaries.title(fit), f"{fit.lam:.4g}")
    return _page((_with_reference(caption, fit), rows))


def path_html(path: Path) -> str:
    """Ten rows of the path."""
    rows = [
        [f"{path.lambdas[i]:.4g}", str(n), summaries.percent(ratio), f"{path.dual_gaps[i]:.1e}"]
        for i, n, ratio, _ in summaries.some_points(path)
    ]
    caption = ", ".join(filter(None, [summaries.title(path), sentences.dispersion(path)]))
    return _page((caption, [[tr("lambda"), tr("features"), tr("deviance explained"), tr("dual gap")], *rows]))


def paths_html(paths: Paths) -> str:
    """Ten problems of a batch."""
    return _page((tr("{0}, {1} problems", summaries.title(paths[0]), f"{len(paths):,}"), summaries.problem_rows(paths)))


def cv_html(cv: CVPath) -> str:
    """Both choices of strength, and the features of the one that is picked."""
    chosen = facts.points(cv, "1se")
    features = summaries.feature_rows(chosen[0], tr("feature"), summaries.MOST_FEATURES, "")
    caption = tr("{0}; .plot() draws the path, .report(file) writes a page", chosen[0].title)
    return _page(
        (f"{summaries.title(cv.path)}, {retold(cv.folds)}", facts.comparison(cv, chosen)),
        (" ".join([_with_reference(caption, chosen[0].fit), *sentences.about_no_features(cv, chosen)]), features),
        findings=facts.findings(cv, chosen[0]),
    )


def comparison_html(comparison: Comparison) -> str:
    """The mixes of the penalty."""
    caption = " ".join([tr("Comparison on the same folds."), *mixes.advice(comparison)])
    return _page((caption, mixes.comparison_rows(comparison)))


def findings_html(findings: Sequence[Finding]) -> str:
    """What is to be known about the data."""
    return _page(findings=findings) if findings else f'{STYLE}<div class="normball"><p>{tr("Nothing found.")}</p></div>'


def _page(*tables: tuple[str, Sequence[Sequence[str]]], findings: Sequence[Finding] = ()) -> str:
    content = "".join(_table(caption, rows) for caption, rows in tables)
    if findings:
        rows = [[finding.code, finding.text, finding.fix] for finding in findings]
        content += (
            f'<div class="in-words">{_table(tr("Findings"), [[tr("code"), tr("finding"), tr("fix")], *rows])}</div>'
        )
    return f'{STYLE}<div class="normball">{content}</div>'


def _table(caption: str, rows: Sequence[Sequence[str]]) -> str:
    head, *body = [[html.escape(_indented(entry)) for entry in row] for row in rows]
    titles = "".join(f'<th scope="col">{entry}</th>' if entry else "<td></td>" for entry in head)
    lines = "".join(f'<tr><th scope="row"><bdi>{row[0]}</bdi></th>{_cells(row[1:])}</tr>' for row in body)
    top = f"<caption>{html.escape(caption)}</caption><thead><tr>{titles}</tr></thead>"
    return f"<table>{top}<tbody>{lines}</tbody></table>"


def _with_reference(caption: str, fit: Fit) -> str:
    return ". ".join(filter(None, [caption, by_column.reference(fit)]))


def _indented(entry: str) -> str:
    """Without the spaces that set all names off from their title; those of levels stay."""
    return f"\u2003{entry.strip()}" if entry.startswith("    ") else entry.strip()


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{entry}</td>" for entry in row)
