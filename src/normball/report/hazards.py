"""The baseline hazards of a path as a page holds them, for the survival of a row that its reader makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from normball.evidence.listed import plain
from normball.results.text import isolated

if TYPE_CHECKING:
    from normball.survival.baseline import Baselines

MOST_TIMES = 300  # of all strata together
FEWEST_TIMES = 12  # of one
MOST_STRATA = 30  # more, such as matched pairs, take room that their curves are not worth
DIGITS = 1000.0  # steps of the logarithm of a hazard that are told apart


def hazards(baselines: Baselines | None) -> dict[str, Any] | None:
    """The cumulative hazards at linear predictor 0, by stratum; None of models that have none, or very many strata.

    Their logarithms are "centres" (by stratum and lambda) plus "steps" (by stratum, lambda and time), whole numbers
    that are thousandths once each is added to that of the lambda before: little changes along a path, so they take
    little room deflated. Where a stratum has very many times some are left out, evenly by rank.
    """
    if baselines is None or len(baselines.ends) > MOST_STRATA:
        return None
    n_strata = len(baselines.ends)
    most = max(FEWEST_TIMES, MOST_TIMES // n_strata)
    told: dict[str, list[Any]] = {name: [] for name in ("times", "centres", "steps")}
    for stratum in range(n_strata):
        low, high = np.searchsorted(baselines.strata, [stratum, stratum + 1])
        kept = low + np.unique(np.linspace(0, high - low - 1, min(high - low, most)).round().astype(int))
        logs = baselines.log_hazards[:, kept]
        centres = logs[:, logs.shape[1] // 2] if kept.size else np.zeros(len(logs))
        rounded = np.round(DIGITS * (logs - centres[:, None])).astype(int)
        told["times"].append(plain(baselines.times[kept], 7))
        told["centres"].append(plain(centres, 7))
        told["steps"].append(np.diff(rounded, axis=0, prepend=0).tolist())
    names = [isolated(str(name)) for name in baselines.stratum_names]
    return {"strata": names, "ends": plain(baselines.ends, 7), **told}
