"""What a page holds of the mixes beside the one that it opens with: fewer lambdas, and the parts in other words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball import charts
from normball.evidence.listed import picked
from normball.report.page import outline
from normball.report.payload import payload

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.run import Run

Evidence = Callable[["CVPath"], "dict[str, Any] | None"]

PLACE = '<script type="application/zlib" id="others">'
MOST_BYTES = ((100, 490_000), (np.inf, 880_000))  # of a page, by its features
MOST_LAMBDAS = 33
LEAST_LAMBDAS = 8
OVERHEAD = 10_000  # bytes that another mix takes with few lambdas
PART = re.compile(r'<(section|nav)[^>]* aria-labelledby="([^"]+)".*?</\1>', re.DOTALL)
ANSWER = re.compile(r'<div id="answer".*?(?=\s*<section)', re.DOTALL)


def with_others(
    page: str, content: dict[str, Any], comparison: Comparison, cv: CVPath, run: Run, evidence: Evidence
) -> str:
    """The page of `cv`, drawn from `content`, and with it all other mixes, at as many lambdas as there is room for."""
    most = next(size for n_features, size in MOST_BYTES if cv.path.n_features <= n_features)
    room = most - len(page.encode())
    others = len(comparison) - 1
    of_one_lambda = len(charts.packed(content)) / cv.lambdas.size
    wanted = (room / others - OVERHEAD) / of_one_lambda
    n_lambdas = int(np.clip(wanted, LEAST_LAMBDAS, MOST_LAMBDAS))
    own = parts(outline(cv, cv, run, content, comparison))
    held: list[tuple[dict[str, Any], dict[str, str]] | None] = []
    run = replace(run, select=run.rule)  # a number is a lambda of the mix that the page opens with
    for one in comparison:
        if one is cv:
            held.append(None)
            continue
        shown = thinned(one, some_lambdas(one, run, n_lambdas))
        data = payload(shown, run, evidence(shown), comparison)
        its = parts(outline(one, shown, run, data, comparison))
        differ = {name: its.get(name, "") for name in {**own, **its} if its.get(name, "") != own.get(name, "")}
        held.append(({**data, "comparison": None}, differ))
    return page.replace(PLACE, PLACE + charts.packed(_side_by_side(held)))


def _side_by_side(held: Sequence[tuple[dict[str, Any], dict[str, str]] | None]) -> dict[str, Any]:
    """What all mixes hold, by name: deflation looks 32 KB back, so what is alike has to stand close together."""
    data = _by_name([None if one is None else one[0] for one in held])
    evidence = data.pop("evidence")
    return {
        "data": data,
        "evidence": _by_name(evidence) if any(evidence) else None,
        "sections": _by_name([None if one is None else one[1] for one in held]),
    }


def _by_name(several: Sequence[dict[str, Any] | None]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for one in several for name in one or ())
    return {name: [None if one is None else one.get(name) for one in several] for name in names}


def parts(page: str) -> dict[str, str]:
    """The answer, the sections and the contents of a page by name."""
    found = {match[2]: match[0] for match in PART.finditer(page)}
    answer = ANSWER.search(page)
    return {**({} if answer is None else {"answer": answer[0]}), **found}


def some_lambdas(cv: CVPath, run: Run, most: int) -> NDArray[np.intp]:
    """About so many positions, spread over the grid; both rules, the choice and the ends are among them."""
    n_lambdas = cv.lambdas.size
    spread = np.linspace(0, n_lambdas - 1, min(most, n_lambdas)).round().astype(int)
    return np.unique([*spread.tolist(), cv.index_best, cv.index_1se, picked(cv, run)])


def thinned(cv: CVPath, keep: NDArray[np.intp]) -> CVPath:
    """A cross-validated path at some of its lambdas; its choices have to be among them."""
    path = cv.path
    few = replace(
        path,
        **{name: getattr(path, name)[keep] for name in ("lambdas", "intercepts", "loss", "dual_gaps")},
        **{name: getattr(path, name)[keep] for name in ("kkt_violations", "statuses", "n_iters")},
        coef_rows=path.coef_rows.select(keep, path.n_outputs),
        baselines=None if path.baselines is None else path.baselines.take(keep),
    )
    return replace(
        cv,
        path=few,
        fold_scores=cv.fold_scores[:, keep],
        fold_dual_gaps=cv.fold_dual_gaps[:, keep],
        train_mean=cv.train_mean[keep],
        selection_counts=cv.selection_counts.select(keep),
        counts_by_column=None if cv.counts_by_column is None else cv.counts_by_column.select(keep),
        predictions=None if cv.predictions is None else cv.predictions[:, keep],
        held_out=None if cv.held_out is None else cv.held_out.take(keep),
    )
