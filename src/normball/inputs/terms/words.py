"""A column of text: how often each word, and each pair of neighbouring words, occurs in a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from normball.inputs.columns import Floats, Labels, Numbers
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.plan import LEAST_ROWS, SHARE_OF_ROWS, Plan
from normball.inputs.terms.term import Contents, Met, Part, Term, as_column
from normball.messages import DataError, Finding, count, words
from normball.schema import Damaged, Reader, listed, text

TOGETHER = (1, 2)  # neighbouring words that count as one


@dataclass(frozen=True)
class TextTerm(Term):
    """Words and pairs of words that were in enough rows in training; others count for nothing."""

    words: tuple[str, ...] = ()

    kind: ClassVar[str] = "text"
    readers: ClassVar[dict[str, Reader]] = {
        **Term.readers,
        "words": listed(text, distinct=True),
    }

    @classmethod
    def learn(cls, name: str, content: Labels, plan: Plan) -> TextTerm:
        """The words of a column, which is to say of all rows that are trained on."""
        import scipy.sparse as sparse

        n_rows = len(content)
        asked = plan.text[name]
        least = max(LEAST_ROWS, math.ceil(SHARE_OF_ROWS * n_rows)) if asked is None else asked
        try:
            vectorizer = _vectorizer(None)
            counts = vectorizer.fit_transform(_texts(content))
        except ValueError:  # no word at all
            counts = sparse.csr_array((len(content.values), 0))
        of_text = np.bincount(content.codes[~content.missing], minlength=len(content.values))
        with_word = (counts > 0).T @ of_text
        kept = np.flatnonzero(with_word >= least)
        if not kept.size:
            found = f'No word of column "{name}" (of text) is in {count(least)} or more of the {count(n_rows)} rows.'
            raise DataError(Finding("E12", found, f"drop={words([name])}", (name,)))
        names = vectorizer.get_feature_names_out()[kept].tolist()
        n_missing = content.n_missing if plan.imputes else 0
        n_with = (*with_word[kept].astype(int).tolist(), *([n_missing] if n_missing else []))
        return cls(name, 0.0 if plan.imputes else None, n_missing > 0, n_with, words=tuple(names))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The words, and the indicator of missing text."""
        n_rows = self.n_rows or (None,) * (len(self.words) + self.indicator)
        found = [
            Part(f"{self.name}: {word}", f"{self.name}: {word}", word, False, n)
            for word, n in zip(self.words, n_rows, strict=False)
        ]
        if self.indicator:
            gap = f"{self.name}: {MISSING_LEVEL}"
            found.append(Part(f"{self.name} is missing", gap, MISSING_LEVEL, True, n_rows[-1]))
        return tuple(found)

    @property
    def n_features(self) -> int:
        """How many they are."""
        return len(self.words) + self.indicator

    @cached_property
    def _known(self) -> Any:
        return _vectorizer(self.words)

    def encode(self, contents: Contents, met: Met) -> Any:
        """The features as a CSC matrix."""
        import scipy.sparse as sparse

        content = contents[self.name]
        assert isinstance(content, Labels | Numbers)
        labels = as_text(content)
        met.missing[self.name] = np.asarray(labels.missing & (self.fill is None))
        of_text = self._known.transform([*_texts(labels), ""]).astype(
            np.float64
        )  # code -1, a missing text, finds the ""
        counts = sparse.csc_array(of_text[labels.codes])
        if self.indicator:
            counts = sparse.hstack([counts, as_column(labels.missing)], format="csc")
        counts.sort_indices()
        return counts

    def n_filled(self, encoded: Any) -> int:
        """How many cells are not zero."""
        return int(encoded.nnz)

    def write(self, encoded: Any, out: Floats) -> None:
        """The counts as they are."""
        out[:] = encoded.toarray()

    def sparse(self, encoded: Any) -> Any:
        """The counts as they are."""
        return encoded

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """The counts belong to the words."""
        wanted = len(values["words"]) + values.get("indicator", False)
        if "n_rows" in values and len(values["n_rows"]) != wanted:
            raise Damaged(f"{where}.n_rows", f"has {len(values['n_rows'])} entries, but must have {wanted}")


def as_text(content: Numbers | Labels) -> Labels:
    """A column of text, also where all of it looks like numbers."""
    return content if isinstance(content, Labels) else content.as_labels()


def _texts(content: Labels) -> list[str]:
    return [str(value) for value in content.values]


def _vectorizer(vocabulary: Sequence[str] | None) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(ngram_range=TOGETHER, vocabulary=vocabulary)
