"""The target of a long table that a fitted model is judged on: what `inputs.new_targets` is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.blocks.long_table import LongTable
from normball.blocks.passes import Where
from normball.blocks.readers import ItemReader, Reader
from normball.blocks.survey import Survey
from normball.blocks.surveyed import SurveyedLabels
from normball.blocks.target import TargetColumns, decide_target, target_of_one, too_many_classes
from normball.families import find_family
from normball.inputs.columns import Floats, Mask, Unusable
from normball.inputs.new_targets import class_of_values, one_target, other_targets, unknown_classes
from normball.inputs.places import Places
from normball.inputs.targets import unusable_target
from normball.messages import DataError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Terms:
    """What a model says of its target.

    Attributes
    ----------
    family : str
        With its parameter.
    classes, output_names
        As in `RowBlocks`.
    """

    family: str
    classes: tuple[Any, ...] | None
    output_names: tuple[str, ...]


def target_in_terms(
    names: Sequence[str], terms: Terms, table: LongTable, found: Survey, readers: dict[str, Reader], n_rows: int
) -> TargetColumns:
    """How the columns become the target of the model; the readers take numbers for the classes that they are.

    Raises
    ------
    DataError
        If the model does not know such a target.
    """
    if len(names) > 1:
        return _several(names, terms, found)
    (name,) = names
    content = found.contents[name]
    if isinstance(content, Unusable):
        raise DataError(unusable_target(name, content, terms.family))
    if terms.classes is None:
        if terms.output_names:
            raise DataError(one_target(name, terms.output_names))
        return target_of_one(content, name, terms.family)
    if isinstance(content, SurveyedLabels):
        classes = class_of_values(terms.classes, content.values)
        _refuse_unknown(name, content, classes, terms.classes, content.places_of)
        numbers = {name: np.where(classes < 0, np.nan, classes)}
        return TargetColumns((name,), numbers, None, terms.classes, terms.output_names)
    if not terms.output_names and {*terms.classes} == {0, 1} and content.low >= 0.0 and content.high <= 1.0:
        return TargetColumns((name,), {}, None, terms.classes)
    labels = content.as_labels()
    if labels is None:
        raise DataError(too_many_classes(name))
    classes = class_of_values(terms.classes, labels.values)
    values, reader = np.array(labels.values, dtype=np.float64), readers[name]

    def places_of(which: Mask) -> Places:
        return table.run([name], n_rows, Where(partial(_is_among, name, reader, values[which]))).places

    _refuse_unknown(name, labels, classes, terms.classes, places_of)
    translation = dict(zip(labels.values, classes.tolist(), strict=False))
    readers[name] = ItemReader(translation, np.nan, np.float64, reader)
    return TargetColumns((name,), {}, None, terms.classes, terms.output_names)


def _several(names: Sequence[str], terms: Terms, found: Survey) -> TargetColumns:
    if {*names} == {*terms.output_names}:
        names = terms.output_names
    elif not terms.output_names or not find_family(terms.family).has_outputs:
        raise ValueError(f"y names {len(names)} columns; the model has one target")
    else:
        raise DataError(other_targets(names, terms.output_names))
    return decide_target(names, found.contents, terms.family, _no_median)[1]


def _no_median(name: str) -> float:
    raise AssertionError("several targets are not guessed at")


def _is_among(name: str, reader: Reader, values: Floats, frame: pl.DataFrame) -> Mask:
    return np.isin(reader.read(frame[name]), values)


def _refuse_unknown(name: str, labels: SurveyedLabels, found: Any, classes: tuple[Any, ...], places_of: Any) -> None:
    """E09 where some rows hold labels that are no class."""
    unknown = (found[:-1] < 0) & (labels.n_rows > 0)
    if unknown.any():
        counted = {labels.values[k]: int(labels.n_rows[k]) for k in np.flatnonzero(unknown)}
        raise DataError(unknown_classes(name, counted, classes, places_of(unknown)))
