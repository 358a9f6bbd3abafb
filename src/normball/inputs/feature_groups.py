"""Groups of features under a common penalty: by name, by the columns of the table, or as a label for each feature."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball import schema
from normball.inputs.columns import Floats
from normball.inputs.per_feature import names_of, places_of, repeated
from normball.inputs.preparation import Preparation
from normball.inputs.text import label_text
from normball.messages import DataError, Finding, count, did_you_mean, sample
from normball.settings import BY_COLUMNS, Settings, number

_OF_ROWS = "Rows that stay together in cross-validation are fold_groups of cv_path."
_WANTED = f'{{name: [features]}}, "{BY_COLUMNS}" or an array with a label for each feature'


@dataclass(frozen=True, eq=False)
class FeatureGroups:
    """Groups of features that the penalty keeps or drops as a whole.

    Attributes
    ----------
    names : tuple of str
        What the groups are called.
    of_feature : ndarray of int32, shape (n_features,)
        The group of each feature, by its place in `names`; -1 for none.
    weights : ndarray, shape (n_groups,)
        What the penalty of each group is multiplied by; NaN for the root of its rank if it is orthonormalised, of its
        size if not.
    ratio : float
        1 is the penalty of whole groups, 0 that of single features; in between both act.
    orthonormalize : bool
        Whether the penalty acts on the coefficients of an orthonormal basis of each group.
    """

    names: tuple[str, ...]
    of_feature: NDArray[np.int32]
    weights: Floats
    ratio: float
    orthonormalize: bool

    def __post_init__(self) -> None:
        for values in (self.of_feature, self.weights):
            values.setflags(write=False)

    def __len__(self) -> int:
        return len(self.names)

    def by_feature(self) -> list[str | None]:
        """The name of the group of each feature; None for those in none."""
        return [None if g < 0 else self.names[g] for g in self.of_feature.tolist()]

    def n_kept(
        self, row_of_value: NDArray[np.integer], features: NDArray[np.integer], n_rows: int
    ) -> NDArray[np.int64]:
        """In each of `n_rows` models, how many groups hold one of its nonzero features."""
        groups = self.of_feature[features]
        pairs = np.unique(row_of_value[groups >= 0].astype(np.int64) * len(self) + groups[groups >= 0])
        return np.bincount(pairs // len(self), minlength=n_rows).astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """As JSON data; no weights where all are left to the default."""
        weights = [None if np.isnan(weight) else weight for weight in self.weights.tolist()]
        return {
            "names": list(self.names),
            "of_feature": self.of_feature.tolist(),
            "weights": weights if any(weight is not None for weight in weights) else None,
            "ratio": self.ratio,
            "orthonormalize": self.orthonormalize,
        }

    @classmethod
    def from_dict(cls, data: Any, where: str, n_features: int) -> FeatureGroups:
        """What `to_dict` wrote; raises Damaged where it cannot be that."""
        n_groups = len(schema.entries(schema.fields(data, where).get("names"), f"{where}.names"))
        readers: dict[str, schema.Reader] = {
            "names": schema.listed(schema.text, distinct=True),
            "of_feature": schema.array((n_features,), -1, n_groups - 1, whole=True),
            "weights": schema.optional(schema.listed(schema.optional(schema.number(0)), length=n_groups)),
            "ratio": schema.number(0, 1),
            "orthonormalize": schema.truth,
        }
        values = schema.record(data, where, readers)
        held = np.bincount(values["of_feature"] + 1, minlength=n_groups + 1)[1:]
        if not n_groups or not held.all():
            raise schema.Damaged(f"{where}.of_feature", "leaves a group without features")
        given = values["weights"] or [None] * n_groups
        values["weights"] = np.array([np.nan if weight is None else weight for weight in given], dtype=np.float64)
        values["of_feature"] = values["of_feature"].astype(np.int32)
        return cls(**values)

    def for_native(self) -> dict[str, Any]:
        """The options of the native call."""
        return {
            "groups": self.of_feature,
            "group_weights": self.weights,
            "group_ratio": self.ratio,
            "orthonormalize": self.orthonormalize,
        }


def feature_groups(
    settings: Settings, preparation: Preparation, factors: Floats, left_out: Collection[str] = ()
) -> FeatureGroups | None:
    """The groups that `settings` ask for; None where there are none.

    `factors` are the penalty factors, which have to agree within a group. Names in `left_out` are of columns that are
    no features; a group of such alone is none.
    """
    if settings.groups is None:
        return None
    members = _members(settings.groups, preparation, left_out)
    of_feature = np.full(len(preparation.feature_names), -1, dtype=np.int32)
    names = tuple(name for name, features in members.items() if features)
    for g, name in enumerate(names):
        for feature in members[name]:
            if of_feature[feature] >= 0:
                text = (
                    f'Feature "{preparation.feature_names[feature]}" is in two groups, '
                    f'"{names[of_feature[feature]]}" and "{name}"; groups must not overlap.'
                )
                raise _error(text)
            of_feature[feature] = g
    weights = _weights(settings.group_weights, names, members)
    if not names:
        return None
    ratio, orthonormalize = settings.group_ratio, settings.orthonormalize
    groups = FeatureGroups(
        names, of_feature, weights, ratio, ratio == 1.0 if orthonormalize is None else orthonormalize
    )
    _check_factors(groups, factors, preparation.feature_names)
    return groups


def _members(groups: Any, preparation: Preparation, left_out: Collection[str]) -> dict[str, list[int]]:
    """The features of each group, by position."""
    if isinstance(groups, str):
        if groups != BY_COLUMNS:
            raise _error(f'groups is "{groups}", but must be {_WANTED}. {_OF_ROWS}')
        places = np.split(np.arange(len(preparation.feature_names)), _ends(preparation))
        return {
            column.name: place.tolist()
            for column, place in zip(preparation.columns, places, strict=True)
            if place.size > 1
        }
    if isinstance(groups, Mapping):
        return _by_name(groups, preparation, left_out)
    return _by_label(groups, preparation, left_out)


def _ends(preparation: Preparation) -> NDArray[np.intp]:
    """Where the features of each column but the last end."""
    return np.cumsum([column.n_features for column in preparation.columns])[:-1]


def _by_name(groups: Mapping[Any, Any], preparation: Preparation, left_out: Collection[str]) -> dict[str, list[int]]:
    """A column of labels names all its indicators; whole numbers that name nothing are positions."""
    places, found = places_of(preparation), {}
    if twice := repeated(str(name) for name in groups):
        raise _error(f"groups holds names twice: {sample(twice, quote=True)}.")
    for name, given in groups.items():
        members = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
        if not members:
            raise _error(f'Group "{name}" of groups is empty.')
        unknown = [one for one in members if not _is_known(one, places, preparation) and str(one) not in left_out]
        if unknown:
            raise _unknown(str(name), unknown, places, preparation)
        here = [place for one in members for place in _positions(one, places, preparation)]
        if twice := repeated(preparation.feature_names[place] for place in here):
            raise _error(f'Group "{name}" of groups names features more than once: {sample(twice, quote=True)}.')
        found[str(name)] = here
    return found


def _is_known(member: Any, places: Mapping[str, slice], preparation: Preparation) -> bool:
    return str(member) in places or _is_position(member, preparation)


def _is_position(member: Any, preparation: Preparation) -> bool:
    """Whether a whole number is that of a feature, which it is only where features are columns."""
    is_number = isinstance(member, int | np.integer) and not isinstance(member, bool)
    one_each = len(preparation.columns) == len(preparation.feature_names)
    return is_number and one_each and 0 <= member < len(preparation.feature_names)


def _positions(member: Any, places: Mapping[str, slice], preparation: Preparation) -> Sequence[int]:
    if (place := places.get(str(member))) is not None:
        return range(place.start, place.stop)
    return [int(member)] if _is_position(member, preparation) else []


def _unknown(name: str, unknown: list[Any], places: Mapping[str, slice], preparation: Preparation) -> DataError:
    n_columns, n_features = len(preparation.columns), len(preparation.feature_names)
    text = f'Group "{name}" of groups names features that do not exist: {sample(unknown, quote=True)}.'
    if all(isinstance(one, int | np.integer) for one in unknown):
        if n_columns < n_features:
            text += f" The {count(n_columns)} columns give {count(n_features)} features: name them, or the columns."
        else:
            text += f" Positions go from 0 to {count(n_features - 1)}."
        return _error(text)
    return _error(text + did_you_mean(str(unknown[0]), places))


def _by_label(labels: Any, preparation: Preparation, left_out: Collection[str]) -> dict[str, list[int]]:
    """A label for each feature; features whose label is missing are in no group."""
    n_features = len(preparation.feature_names)
    try:
        values = np.asarray(labels if hasattr(labels, "__array__") else list(labels), dtype=object)
    except TypeError:
        raise _error(f"groups is {labels!r}, but must be {_WANTED}.") from None
    if values.ndim != 1:
        raise _error(f"groups has shape {values.shape}, but must be {_WANTED}.")
    if values.size != n_features:
        text = (
            f"groups has {count(values.size)} labels; one for each of the {count(n_features)} features is wanted "
            f"(each level of a column is one). {_OF_ROWS}"
        )
        raise _error(text)
    found: dict[str, list[int]] = {}
    keys = names_of(labels, preparation, "groups")
    named = {preparation.feature_names[j]: j for j in range(n_features)}
    if keys is not None and (repeated(keys) or {*keys} != {*named}):
        raise _error(f"The index of groups does not hold each feature once: {sample(keys, quote=True)}.")
    for j, label in enumerate(values.tolist()):
        if label is not None and label == label:
            found.setdefault(label_text(label), []).append(j if keys is None else named[keys[j]])
    return found


def _weights(given: Any, names: Sequence[str], members: Collection[str]) -> Floats:
    """The weight of each group by name; `members` names those that were left out, too."""
    weights = np.full(len(names), np.nan)
    if given is None:
        return weights
    if not isinstance(given, Mapping):
        raise TypeError(f"group_weights is {given!r}, but must be {{name: weight}}")
    unknown = [str(name) for name in given if str(name) not in members]
    if unknown:
        text = f"group_weights names groups that do not exist: {sample(unknown, quote=True)}."
        raise _error(text + did_you_mean(unknown[0], members))
    where = {name: g for g, name in enumerate(names)}
    for name, weight in given.items():
        checked = number(f'group_weights of "{name}"', weight, minimum=0.0)
        if str(name) in where:
            weights[where[str(name)]] = checked
    return weights


def _check_factors(groups: FeatureGroups, factors: Floats, feature_names: Sequence[str]) -> None:
    """The penalty factors of a group agree, but for those that exclude a feature."""
    counted = np.flatnonzero((groups.of_feature >= 0) & np.isfinite(factors))
    group = groups.of_feature[counted]
    low, high = np.full(len(groups), np.inf), np.full(len(groups), -np.inf)
    np.minimum.at(low, group, factors[counted])
    np.maximum.at(high, group, factors[counted])
    if (low < high).any():
        g = int(np.argmax(low < high))
        shown = sample([f"{feature_names[j]} {factors[j]:g}" for j in counted[group == g].tolist()])
        raise _error(f'penalty_factors must agree within a group; not so in "{groups.names[g]}": {shown}.')


def _error(text: str) -> DataError:
    return DataError(Finding("E16", text))
