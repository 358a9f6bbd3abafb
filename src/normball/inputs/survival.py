"""Survival data in a table: a time, and beside it whether it ended with the event or was cut short (censored)."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from normball.inputs.columns import Content, Floats, Labels, Numbers, Several, Unusable
from normball.inputs.sources import Source
from normball.messages import OR, Finding, sample, words

TIME_NAME = re.compile(
    r"surv|follow|(^|[^a-z])((fu|s|life)?time|days|weeks|months|years|duration|t|os|pfs|dfs|rfs|efs|los)($|[^a-z])",
    re.IGNORECASE,
)
EVENT_NAME = re.compile(r"event|status|death|dead|died|deceas|cens|relaps|recur", re.IGNORECASE)
EVENT_CODES = {0.0, 1.0, 2.0}  # two of these, or all where an end has two reasons
FEWEST_TIMES = 10  # different ones


def survival(source: Source, target: Content | Several, target_name: str, left_out: Collection[str]) -> list[Finding]:
    """W27: the target is a survival time beside a column of events among the features, or the other way round."""
    features = [j for j, name in enumerate(source.names) if name not in left_out and name != target_name]
    if not source.named or isinstance(target, Several):
        return []
    if TIME_NAME.search(target_name) and _is_time(target):
        name, kind = EVENT_NAME, _is_event
        consequence = (
            "a plain regression takes the time of a row without the event for the full time, and the event "
            "itself for a feature."
        )
        harmless = "every time is a full one"
    elif EVENT_NAME.search(target_name) and _is_event(target):
        name, kind = TIME_NAME, _is_time
        consequence = "how long a row was followed is then a feature, though it is known only afterwards."
        harmless = "all rows were followed equally long"
    else:
        return []
    others = [source.names[j] for j in features if name.search(source.names[j]) and kind(source.read(j))]
    if not others:
        return []
    text = f'"{target_name}" beside {sample(others, quote=True)} looks like survival data: {consequence}'
    both = [others[0], target_name] if name is TIME_NAME else [target_name, others[0]]
    fix = f'y={words(both)}, family="cox"{OR}drop={words(others)} if {harmless}'
    return [Finding("W27", text, fix, (target_name, *others))]


def _is_time(column: Numbers | Labels | Unusable) -> bool:
    if not isinstance(column, Numbers):
        return False
    values = _known(column)
    return len(values) > 0 and values.min() >= 0 and len(np.unique(values)) >= FEWEST_TIMES


def _is_event(column: Numbers | Labels | Unusable) -> bool:
    if isinstance(column, Numbers):
        codes = set(np.unique(_known(column)).tolist())
        return len(codes) > 1 and codes <= EVENT_CODES
    return isinstance(column, Labels) and len(column.values) == 2


def _known(column: Numbers) -> Floats:
    return column.values[np.isfinite(column.values)]
