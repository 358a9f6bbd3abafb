"""One number for each feature: penalty factors and bounds, by name or by position."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from normball.inputs.columns import Floats
from normball.inputs.preparation import Preparation
from normball.messages import DataError, Finding, count, did_you_mean, sample

FEATURE_OPTIONS = ("penalty_factors", "lower_bounds", "upper_bounds")
LEAST_FACTOR = 1e-100  # a smaller one asks for strengths that are no numbers; 0 says it


def feature_columns(value: Any) -> list[Any]:
    """The values of each problem where they come a column a problem; else the one value that all problems share."""
    if isinstance(value, Mapping) or getattr(value, "ndim", 2) < 2:
        return [value]
    if hasattr(value, "iloc"):  # its index names features
        return [value.iloc[:, k] for k in range(value.shape[1])]
    try:
        array = np.asarray(value)
    except ValueError:  # ragged, which the reader of one column explains
        return [value]
    return list(array.T) if array.ndim == 2 else [value]


def per_feature(
    value: Any, name: str, preparation: Preparation, default: float, left_out: Collection[str] = ()
) -> Floats:
    """One number a feature from a scalar, an array, {name: value} or a Series that is indexed by names.

    A column of levels names all its indicators; names in `left_out` are of columns that are no features.
    `name` is "penalty_factors", "lower_bounds" or "upper_bounds" and says which values are allowed.
    """
    n_features = len(preparation.feature_names)
    values = np.full(n_features, default)
    if value is None:
        return values
    keys = names_of(value, preparation, name)
    items = list(value.values()) if isinstance(value, Mapping) else value
    try:
        given = np.asarray(items, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, an array of numbers or {{name: number}}") from None
    if keys is not None:
        _by_name(values, keys, given, name, preparation, left_out)
    elif given.shape in ((), (n_features,)):
        values[:] = given
    else:
        text = (
            f"{name} has shape {given.shape}; it must be one number or one for each of the "
            f"{count(n_features)} features (each level of a column is one)."
        )
        raise DataError(
            Finding("E16", text, f'{name}={{"{preparation.feature_names[0]}": {default:g}}} names the few that differ')
        )
    wanted, allowed = {
        "penalty_factors": ("0 or more (infinity leaves a feature out)", (values == 0) | (values >= LEAST_FACTOR)),
        "lower_bounds": ("0 or less: coefficients of 0 must be allowed", values <= 0),
        "upper_bounds": ("0 or more: coefficients of 0 must be allowed", values >= 0),
    }[name]
    wrong = np.flatnonzero(~allowed)  # NaN is among them
    if len(wrong):
        shown = sample([f"{preparation.feature_names[j]} {values[j]:g}" for j in wrong.tolist()])
        if name == "penalty_factors" and (values[wrong] > 0).all():
            wanted = f"0, or {LEAST_FACTOR:g} or more"
        raise DataError(Finding("E16", f"{name} must be {wanted}; not so for {shown}."))
    return values


def names_of(value: Any, preparation: Preparation, name: str) -> list[str] | None:
    """The names that `value` carries; None where it goes by position, as a Series with the index 0, 1, 2, ... does."""
    if isinstance(value, Mapping):
        return [str(key) for key in value]
    index = getattr(value, "index", None)
    if index is None or callable(index):
        return None
    keys = [str(key) for key in index]
    known = places_of(preparation)
    if all(key in known for key in keys) or not all(isinstance(key, int | np.integer) for key in index):
        return keys
    if keys == [f"{j}" for j in range(len(preparation.feature_names))]:
        return None
    last = count(len(preparation.feature_names) - 1)
    text = f"The index of {name} holds neither names of features nor 0 to {last}: {sample(keys)}."
    fix = f"{name}={name}.to_numpy() where the values are in the order of the features"
    raise DataError(Finding("E16", text, fix))


def places_of(preparation: Preparation) -> dict[str, slice]:
    """Where the features of each name are; a column of levels stands for all of them."""
    places: dict[str, slice] = {}
    start = 0
    for column in preparation.columns:
        features = column.features
        if column.features[0] != column.name:  # the name of a number is that of its first feature
            places[column.name] = slice(start, start + len(features))
        places.update({feature: slice(start + k, start + k + 1) for k, feature in enumerate(features)})
        start += len(features)
    return places


def _by_name(
    values: Floats, keys: list[str], given: Floats, name: str, preparation: Preparation, left_out: Collection[str]
) -> None:
    """Put the numbers where their names belong."""
    places, left_out = places_of(preparation), set(left_out)
    twice = repeated(keys)
    if twice:
        raise DataError(Finding("E16", f"{name} names features more than once: {sample(twice, quote=True)}."))
    if given.shape != (len(keys),):
        raise TypeError(f"{name} must hold one number for each name")
    unknown = [key for key in keys if key not in places and key not in left_out]
    if unknown:
        text = f"{name} names features that do not exist: {sample(unknown, quote=True)}."
        raise DataError(Finding("E16", text + did_you_mean(unknown[0], places)))
    for key, number in zip(keys, given, strict=True):
        if key in places:
            values[places[key]] = number


def repeated(keys: Iterable[str]) -> list[str]:
    """What is there more than once."""
    seen: set[str] = set()
    return list(dict.fromkeys(key for key in keys if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
