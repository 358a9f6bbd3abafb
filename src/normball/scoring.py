"""Which score is meant: one of ours by name, or whatever scikit-learn and the user have."""

from __future__ import annotations

from typing import Any

from normball.families import find_family
from normball.scores import OF_TIMES, SCORES, Score

_OF_CLASSES = ("auc", "accuracy", "brier")


def find_score(score: Any, family: str, classes: tuple[Any, ...] | None = None) -> Score:
    """The score that is meant by a name of ours or of scikit-learn's, a scorer, a metric or a function of one's own."""
    if score is None:
        return SCORES["deviance"]
    if not isinstance(score, str) and not callable(score):
        raise TypeError(f"score is {score!r}, but must be the name of one score, or a callable")
    if find_family(family).has_risk_sets:
        if isinstance(score, str) and score in OF_TIMES:
            return OF_TIMES[score]
        known = ", ".join(f'"{name}"' for name in OF_TIMES)
        raise ValueError(f'score={score!r} judges rows one by one; family="{family}" has {known}')
    if isinstance(score, str) and score in OF_TIMES and score not in SCORES:
        raise ValueError(f'score="{score}" needs family="cox", not "{family}"')
    if isinstance(score, str) and score in SCORES:
        if score in _OF_CLASSES and not find_family(family).has_classes:
            raise ValueError(
                f'score="{score}" is about classes, and {family} models have none: use deviance, mse or mae'
            )
        return SCORES[score]
    from normball import scorers  # imports scikit-learn

    return (scorers.named if isinstance(score, str) else scorers.from_callable)(score, family, classes)
