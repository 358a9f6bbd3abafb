"""Missing and infinite values: what there is to say about them, and which rows they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from normball.inputs.column_findings import infinite_values, missing_values, per_column, values_beyond_range
from normball.inputs.places import Places
from normball.messages import OR, Finding, count, sample, words

MISSING_LEVEL = "(missing)"
MOSTLY = 0.5  # a column with a larger share of missing values says little
FEWEST_KEPT = 2
NOUNS = {  # what is given row by row, in words
    "sample_weight": "weight",
    "offset": "offset",
    "fold_groups": "group",
    "time_order": "time",
    "fold_ids": "fold",
}
_OTHER_TARGET = "choose another target"
_FIX_INFINITE = f'correct them upstream{OR}inf="nan" and missing="impute" to count them as missing'
_FIX_UNIT = "choose another unit: divide by their largest size"


@dataclass(frozen=True)
class Needed:
    """The rows without something that each needs and that nothing can stand in for: a target, a weight."""

    column: str
    role: str
    rows: Places

    @property
    def name(self) -> str:
        """Column and role; an argument that is no column tells its role itself."""
        return self.column if NOUNS.get(self.column) == self.role else f"{self.column} ({self.role})"


@dataclass(frozen=True)
class Gaps:
    """Where a table, its target and what else is given row by row lack a number.

    Attributes
    ----------
    n_rows, n_features : int
        The size of the table, in columns that are features.
    missing : {column: Places}
        The features that lack a value somewhere.
    needed : tuple of Needed
        The target, weights, offsets and whatever makes folds, as far as they lack a value somewhere.
    unusable : Places
        Rows that lack one of these.
    anywhere : Places
        Rows that lack a feature or one of these.
    n_complete : callable
        How many rows have all that they need, and a value in each of some columns.
    infinite, beyond, target_infinite, target_beyond
        Infinite values, and such that cannot be squared.
    learned : str
        In words, what imputing does.
    """

    n_rows: int
    n_features: int
    missing: Mapping[str, Places]
    needed: Sequence[Needed]
    unusable: Places
    anywhere: Places
    n_complete: Callable[[Iterable[str]], int]
    infinite: Mapping[str, Places]
    beyond: Mapping[str, Places]
    target_infinite: Places
    target_beyond: Places
    learned: str = "median + indicator, learned in each fold"

    def findings(self, policy: str, target_name: str, numbers_take: str = "the median") -> list[Finding]:
        """What there is to say about them, and what is done about them under a `policy` of `missing`."""
        key = f"{target_name} (target)"
        infinite = {**self.infinite, **({key: self.target_infinite} if self.target_infinite else {})}
        findings = infinite_values(infinite, _FIX_INFINITE)
        findings += values_beyond_range(self.beyond, f"choose another unit{OR}drop={words(list(self.beyond))}")
        findings += values_beyond_range({key: self.target_beyond} if self.target_beyond else {}, _FIX_UNIT)
        needed = {one.name: one.rows for one in self.needed}
        if not self.missing and not needed:
            return findings
        if policy == "error":
            return findings + missing_values({**self.missing, **needed}, self.anywhere, self.n_rows, self._fix())
        findings += self._too_few(policy)
        reason = {**self.missing, **needed} if policy == "drop" else needed
        if lost := self.n_rows - self.n_kept(policy):
            text = f"Left out {count(lost)} of {count(self.n_rows)} rows; missing: {per_column(reason, self.n_rows)}."
            findings.append(Finding("W04", text, columns=tuple(reason)))
        if policy == "impute" and self.missing:
            text = (
                f"Missing values imputed: {per_column(self.missing, self.n_rows)}. Numbers take {numbers_take} "
                f'and an indicator marks them; among labels "{MISSING_LEVEL}" is one.'
            )
            findings.append(Finding("W04", text, columns=tuple(self.missing)))
        return findings

    def n_kept(self, policy: str) -> int:
        """How many rows are used."""
        return self.n_rows - (self.anywhere.n if policy == "drop" else self.unusable.n)

    def _too_few(self, policy: str) -> list[Finding]:
        """E04 where nothing is left to learn from."""
        empty = [name for name, places in self.missing.items() if places.n == self.n_rows]
        if empty:
            text = f"No value in any of the {count(self.n_rows)} rows: {sample(empty)}."
            return [Finding("E04", text, f"drop={words(empty)}", tuple(empty))]
        usable = self.n_rows - self.unusable.n
        if usable < FEWEST_KEPT:
            text = f"Only {usable} of {count(self.n_rows)} rows have {' and '.join(self._nouns)}."
            return [Finding("E04", text, self._do_without, tuple(one.name for one in self.needed))]
        if (kept := self.n_kept(policy)) < FEWEST_KEPT:
            worst = max(self.missing, key=lambda name: self.missing[name].n)
            text = f"Only {kept} of {count(self.n_rows)} rows have no missing value; most are missing in {worst}."
            return [Finding("E04", text, f'missing="impute"{OR}drop={words([worst])}', (worst,))]
        return []

    def _fix(self) -> str:
        """The remedies for missing values; columns that are mostly missing may be dropped instead."""
        if self.n_rows - self.unusable.n < FEWEST_KEPT:
            return self._do_without
        remedies = []
        if (kept := self.n_rows - self.anywhere.n) >= FEWEST_KEPT:
            remedies.append(f'missing="drop" (keeps {count(kept)} rows)')
        if self.missing and not any(places.n == self.n_rows for places in self.missing.values()):
            remedies.append(f'missing="impute" ({self.learned})')
        mostly = [name for name, places in self.missing.items() if places.n > MOSTLY * self.n_rows]
        others = [name for name in self.missing if name not in set(mostly)]
        if 0 < len(mostly) < self.n_features:
            shares = sample([f"{100 * self.missing[name].n / self.n_rows:.0f} %" for name in mostly])
            drop = f' and missing="drop" (keeps {count(self.n_complete(others))} rows)'
            remedies.append(f"drop={words(mostly)} ({shares} missing){drop if others or self.needed else ''}")
        if not self.needed or not self.missing:
            return OR.join(remedies)
        which = "All of these leave" if len(remedies) > 1 else "This leaves"
        return f"{OR.join(remedies)}\n{which} out the rows without {' or '.join(self._nouns)}."

    @property
    def _nouns(self) -> list[str]:
        """What each row needs: `a target`, `an offset`."""
        return list(dict.fromkeys(f"{'an' if one.role[0] in 'aeiou' else 'a'} {one.role}" for one in self.needed))

    @property
    def _do_without(self) -> str:
        """The remedy where hardly a row has all that it needs."""
        rarest = max(self.needed, key=lambda one: one.rows.n)
        return _OTHER_TARGET if rarest.role == "target" else f"fit without the {rarest.role}s"
