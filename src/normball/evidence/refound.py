"""The rows of a fitted model found again in the data that it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.results.path import Path


def refound(
    path: Path,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    offset: Any = None,
    strata: Any = None,
    inf: str = "nan",
    by_row: Mapping[str, Any] | None = None,
) -> Data:
    """Prepare data as they were for the fit of `path`: its columns only, and the rows that it could use.

    Parameters
    ----------
    path : Path
        The fitted path.
    X, y, sample_weight, offset, strata
        As they were given to `cv_path`, names of columns included.
    inf : {"error", "nan"}
        As in `cv_path`.
    by_row : {role: values}, optional
        What made the folds, as in `prepare`: rows without it were left out.

    Raises
    ------
    DataError
        If columns lack, or the data cannot be used.
    """
    from normball.inputs.prepare import prepare
    from normball.inputs.sources import source_of
    from normball.inputs.streams import at_hand

    X = at_hand(X)
    preparation = path.preparation
    names = set(source_of(X).names)
    roles: dict[str, Any] = {
        role: [one for one in named if isinstance(one, tuple) or one in names]
        for role, named in preparation.roles.items()
    }
    return prepare(
        X,
        y,
        family=path.family,
        sample_weight=sample_weight,
        offset=offset,
        strata=strata,
        missing="impute" if preparation.imputes else "drop",
        inf=inf,
        drop=superfluous(path, X, [y, sample_weight, offset, strata]),
        by_row=by_row,
        fitted=preparation,
        **roles,
    )


def superfluous(path: Path, X: Any, roles: list[Any]) -> list[str]:
    """The columns of `X` that are neither features of the model nor named in `roles`, by a name or by a list of them.

    The columns of an array go by position, so only those between its features are.
    """
    from normball.inputs.several import names_in
    from normball.inputs.sources import source_of

    source = source_of(X)
    used = {*path.preparation.sources}
    used.update(name for role in roles for name in names_in(source, role))
    names = list(source.names)
    if not source.named:
        last = max((place for place, name in enumerate(names) if name in used), default=-1)
        names = names[: last + 1]
    return [name for name in names if name not in used]
