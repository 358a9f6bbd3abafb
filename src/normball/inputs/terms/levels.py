"""A column of labels: one indicator a level, but for a baseline; rare levels may stand together as one."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from normball.inputs.columns import AnyLabels, Floats, Labels, Numbers
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.plan import COMMONEST, Plan
from normball.inputs.terms.term import Contents, Met, Part, Term
from normball.inputs.text import TRUTH, label_key, label_text, to_numbers
from normball.messages import DataError, Finding, NormballWarning, count, count_rows, did_you_mean, sample
from normball.schema import Damaged, Reader, listed, number, text, truth

RARE_LEVEL = "(rare)"


@dataclass(frozen=True)
class LevelTerm(Term):
    """Levels, an indicator each but for the baseline.

    Attributes
    ----------
    levels : tuple of str
        Those with an indicator, in the order of these.
    baseline : str or None
        A level that has no indicator: the others are measured against it.
    rare : bool
        Whether the last level stands for all that are none of the others, those unseen in training among them.
    n_baseline : int
        How many rows had the baseline.
    """

    levels: tuple[str, ...] = ()
    baseline: str | None = None
    rare: bool = False
    n_baseline: int = 0

    kind: ClassVar[str] = "levels"
    readers: ClassVar[dict[str, Reader]] = {
        **Term.readers,
        "levels": listed(text, distinct=True),
        "baseline": text,
        "rare": truth,
        "n_baseline": number(0, whole=True),
    }

    @classmethod
    def learn(cls, name: str, content: AnyLabels, plan: Plan) -> LevelTerm:
        """What a column of labels gives."""
        n_missing = content.n_missing if plan.imputes else 0
        counts: Counter[str] = Counter()
        for value, n_rows in zip(content.values, content.n_rows.tolist(), strict=True):
            if n_rows:
                counts[label_text(value)] += n_rows
        kept, n_rare = _kept(name, counts, plan)
        if n_missing:
            kept[MISSING_LEVEL] = n_missing
        if n_rare:
            kept[RARE_LEVEL] = n_rare
        baseline = _baseline(name, kept, counts, plan)
        n_baseline = 0 if baseline is None else kept.pop(baseline)
        fill = -1.0 if plan.imputes and not n_missing else None
        return cls(name, fill, False, tuple(kept.values()), tuple(kept), baseline, n_rare > 0, n_baseline)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """An indicator for each level."""
        n_rows = self.n_rows or (None,) * len(self.levels)
        return tuple(
            Part(f"{self.name} = {level}", f"{self.name}: {level}", level, True, n)
            for level, n in zip(self.levels, n_rows, strict=True)
        )

    @property
    def n_features(self) -> int:
        """How many they are."""
        return len(self.levels)

    @property
    def n_all(self) -> int:
        """How many rows had any level."""
        return sum(self.n_rows or ()) + self.n_baseline

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return self.fill is not None or MISSING_LEVEL in self.levels

    @cached_property
    def places(self) -> dict[str, int]:
        """The code of each label, by its key; -1 that of the baseline."""
        found = {label_key(level): j for j, level in enumerate(self.levels)}
        return found if self.baseline is None else {**found, label_key(self.baseline): -1}

    @property
    def code_of_gaps(self) -> int:
        """The level of missing labels; -1 where they have none."""
        return self.places.get(MISSING_LEVEL, -1)

    @property
    def takes_gaps(self) -> bool:
        """Whether rows may lack a label."""
        return self.fill is not None or MISSING_LEVEL in self.places

    def encode(self, contents: Contents, met: Met) -> Any:
        """The level of each row, -1 for none; E09 for labels that are no level."""
        content = contents[self.name]
        assert isinstance(content, Labels | Numbers)
        labels = content if isinstance(content, Labels) else content.as_labels()
        codes, is_known = self.codes(labels.values)
        rows = np.append(codes, self.code_of_gaps)[labels.codes].astype(np.int32)
        is_gap = labels.missing & (not self.takes_gaps)
        met.missing[self.name] = is_gap & (met.unknown != "baseline")
        strange = {labels.values[k]: n for k in np.flatnonzero(~is_known) if (n := int(labels.n_rows[k]))}
        met.findings += self.about_unseen(strange, met.unknown)
        return rows

    def codes(self, values: Sequence[Any]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The level of each label, -1 for none, and whether it was known in training or is taken for a rare one."""
        places = [self.places.get(label_key(value)) for value in values]
        known = np.array([place is not None for place in places], dtype=bool)
        codes = np.array([-1 if place is None else place for place in places], dtype=np.int32)
        if not known.all():
            all_levels = self.levels if self.baseline is None else (*self.levels, self.baseline)
            same = same_number(values, all_levels)
            found = ~known & (same >= 0)
            codes[found] = np.where(same < len(self.levels), same, -1)[found]
            known |= found
        if self.rare:
            codes[~known] = len(self.levels) - 1 if self.baseline != RARE_LEVEL else -1
            known[:] = True
        return codes, known

    def about_unseen(self, n_rows: Mapping[Any, int], unknown: str) -> list[Finding]:
        """E09 for labels that are no level, each of so many rows, or a warning."""
        if unknown == "baseline" or not n_rows:
            return []
        told = [f'"{label_text(value)}" ({count_rows(n)})' for value, n in n_rows.items()]
        what = "a level" if len(told) == 1 else f"{count(len(told))} levels"
        text = f'Column "{self.name}" has {what} unseen in training: {sample(told)}.'
        if unknown == "error":
            return [Finding("E09", text, 'unknown="baseline"', (self.name,))]
        fix = 'unknown="error" to refuse such rows, unknown="baseline" to say nothing'
        warnings.warn(f"{text} Taken for none of the levels.\nFix: {fix}", NormballWarning, stacklevel=2)
        return []

    def n_filled(self, encoded: NDArray[np.int32]) -> int:
        """One cell a row at most."""
        return len(encoded)

    def write(self, encoded: NDArray[np.int32], out: Floats) -> None:
        """A one in the column of the row's level."""
        rows = np.flatnonzero(encoded >= 0)
        out[rows, encoded[rows]] = 1.0

    def sparse(self, encoded: NDArray[np.int32]) -> Any:
        """The same as a CSC matrix."""
        import scipy.sparse as sparse

        n_with = np.bincount(encoded + 1, minlength=len(self.levels) + 1)  # the first of these have no level
        rows = np.argsort(encoded, kind="stable")[n_with[0] :].astype(np.int32)
        ends = np.concatenate([[0], np.cumsum(n_with[1:])])
        return sparse.csc_array((np.ones(len(rows)), rows, ends), shape=(len(encoded), len(self.levels)))

    def to_dict(self) -> dict[str, Any]:
        """As models have had it before there were other kinds."""
        found = super().to_dict()
        del found["kind"]
        return {"name": found.pop("name"), "levels": self.levels, **found}

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """The counts belong to the levels."""
        if "indicator" in values or values.get("fill", -1.0) != -1.0:
            raise Damaged(where, "has levels, and what only numbers have")
        if "n_rows" in values and len(values["n_rows"]) != len(values["levels"]):
            n_given, n_levels = len(values["n_rows"]), len(values["levels"])
            raise Damaged(f"{where}.n_rows", f"has {n_given} entries, but must have {n_levels}")
        if values.get("baseline") in values["levels"]:
            raise Damaged(f"{where}.baseline", "is among the levels")
        if values.get("rare") and RARE_LEVEL not in (*values["levels"][-1:], values.get("baseline")):
            raise Damaged(f"{where}.rare", f"is true, but {RARE_LEVEL} is not the last level")


def _kept(name: str, counts: Mapping[str, int], plan: Plan) -> tuple[dict[str, int], int]:
    """The levels that stay by themselves, and how many rows have the others."""
    asked = plan.baseline.get(name) if isinstance(plan.baseline, Mapping) else None
    rare = {level for level, n in counts.items() if n < plan.min_count and label_key(level) != label_key(asked)}
    return {level: n for level, n in counts.items() if level not in rare}, sum(counts[level] for level in rare)


def taken_together(terms: Sequence[Term], contents: Mapping[str, Any], min_count: int) -> list[Finding]:
    """W06: which levels stand together as rare ones."""
    told, names = [], []
    for term in terms:
        if not isinstance(term, LevelTerm) or not term.rare:
            continue
        labels: AnyLabels = contents[term.name]
        own = {label_key(level) for level in (*term.levels, term.baseline) if level is not None}
        n_rows = {value: int(n) for value, n in zip(labels.values, labels.n_rows, strict=True) if n}
        rare = {label_text(value): n for value, n in n_rows.items() if label_key(value) not in own}
        n_rare = sum(rare.values())
        told.append(f'"{term.name}" {count(len(rare))} of {count(len(n_rows))} levels ({count_rows(n_rare)})')
        names.append(term.name)
    if not told:
        return []
    if len(told) == 1:
        most = sorted(rare, key=lambda level: -rare[level])
        told[0] = f"{told[0]}: {sample([f'{level} {count(rare[level])}' for level in most])}"
    text = f'Levels with fewer than {count(min_count)} rows stand together as "{RARE_LEVEL}": {sample(told)}.'
    return [Finding("W06", text, columns=tuple(names))]


def _baseline(name: str, kept: Mapping[str, int], counts: Mapping[str, int], plan: Plan) -> str | None:
    """The level without an indicator, if there is to be one."""
    if plan.baseline == COMMONEST:
        common = [level for level in kept if level != MISSING_LEVEL]
        return max(common, key=lambda level: kept[level]) if len(kept) > 1 and common else None
    asked = plan.baseline.get(name) if isinstance(plan.baseline, Mapping) else None
    if asked is None:
        return None
    found = {label_key(level): level for level in kept}.get(label_key(asked))
    if found is None:
        text = f'Column "{name}" has no level "{asked}" to be the baseline; it has {sample([*kept], quote=True)}.'
        raise DataError(Finding("E16", text + did_you_mean(asked, kept), columns=(name,)))
    return found


def same_number(values: Sequence[Any], levels: Sequence[str]) -> NDArray[np.int32]:
    """For each value the only level that is the same number, 7 for "007" and 1 for "true"; -1 where there is none."""
    numbers = _as_numbers(levels)
    times = Counter(numbers)
    where = {number: j for j, number in enumerate(numbers) if times[number] == 1}
    return np.array([where.get(number, -1) for number in _as_numbers(values)], dtype=np.int32)


def _as_numbers(values: Sequence[Any]) -> list[float]:
    return [
        TRUTH.get(label_key(value), number) for value, number in zip(values, to_numbers(values).tolist(), strict=True)
    ]
