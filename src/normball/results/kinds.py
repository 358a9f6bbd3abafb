"""What is asked of a model about new rows, and where these are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from normball.family import Family
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.survival.baseline import Baseline

Array = NDArray[np.float64]
Kind = Literal["link", "response", "class", "risk", "survival", "cumulative_hazard", "median"]
Unknown = Literal["error", "warn", "baseline"]

KINDS = ("link", "response", "class")
KINDS_OF_TIMES = ("link", "risk", "survival", "cumulative_hazard", "median")
CURVES = ("survival", "cumulative_hazard")


def of_kind(kind: Kind, eta: Array, family: Family, classes: tuple[Any, ...] | None) -> NDArray[Any]:
    """What linear predictors say, curves over time aside."""
    if kind == "class":
        return np.asarray(classes)[family.choice(eta)]
    return np.asarray(eta) if kind == "link" else family.mean(eta)


def in_parts(X: Any) -> bool:
    """Whether new rows are read in parts: not those of an array, wherever it lies, which are read as they stand."""
    if isinstance(X, np.ndarray | list | tuple):
        return False
    from normball.blocks.opening import array_of, comes_in_blocks

    return comes_in_blocks(X) and array_of(X) is None


def without_parts(X: Any) -> Any:
    """The array that is to be read in blocks or lies in a file, or anything else as it is."""
    if isinstance(X, np.ndarray | list | tuple):
        return X
    from normball.blocks.opening import array_of

    found = array_of(X)
    return X if found is None else found


def curves_of(
    kind: Kind, eta: Array, times: ArrayLike | None, codes: NDArray[np.intp], baselines: Sequence[Baseline]
) -> Array:
    """Curves (n, n_models, n_times), or (n, n_models) at one time; or medians (n, n_models), of rows by stratum."""
    pairs = list(zip(baselines, eta.T, strict=True))
    if kind == "median":
        return np.column_stack([baseline.quantile(0.5, one, codes) for baseline, one in pairs])
    try:
        at = np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError):  # words, ragged lists
        at = np.array(np.nan)
    if at.ndim > 1 or not np.isfinite(at).all():
        raise ValueError("times must be a finite number, or a list of them")
    hazards = [baseline.cumulative_hazard(np.atleast_1d(at), one, codes) for baseline, one in pairs]
    curves = np.stack(hazards, axis=1)
    curves = np.exp(-curves) if kind == "survival" else curves
    return curves if at.ndim else curves[:, :, 0]


def check_kind(model: Fit | Path, family: Family, kind: Kind, times: ArrayLike | None) -> None:
    """Raise where a model has no predictions of this kind, or these need what is not given."""
    known = KINDS_OF_TIMES if family.has_risk_sets else KINDS
    if not isinstance(kind, str) or kind not in known:
        words = ", ".join(f'"{one}"' for one in known[:-1])
        raise ValueError(f'kind is {kind!r}, but of {model.family} it must be {words} or "{known[-1]}"')
    if kind == "class" and model.classes is None:
        raise ValueError(f'kind="class" needs a binomial or multinomial model; this one is {model.family}')
    if kind in CURVES and times is None:
        raise ValueError(f'kind="{kind}" needs times=, at which the curve is wanted')
    if kind not in CURVES and times is not None:
        raise ValueError(f'times are given, but kind="{kind}" does not depend on them')


def check_offset(model: Fit | Path, is_given: bool) -> None:
    """Raise where a model has an offset and new rows have none, or the other way round."""
    if model.has_offset and not is_given:
        raise ValueError("The model was fitted with an offset: pass offset= for the new rows too")
    if is_given and not model.has_offset:
        raise ValueError("The model was fitted without an offset: leave offset= out")
