"""Problems with several outputs and with groups of features: real sets of classes, made targets, made groups.

The order of the random draws is part of each definition. Columns are standardised (those of the sparse set scaled, not
centred), and grids end as is usual for the shape: at 1e-2 of the largest strength where n < p, else at 1e-4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import real_data
from benchmarks.generators import autoregressive, spread_signal, standardise

Array = NDArray[np.float64]
Built = tuple[Any, dict[str, Array]]

_WIDE, _TALL = 1e-2, 1e-4


@dataclass(frozen=True)
class OutputSet:
    """A data set and the penalty that acts on it; sets that share `data` are of the same build."""

    name: str
    says: str
    data: str
    build: Callable[[], Built]
    family: str
    lambda_min_ratio: float
    grouped: bool = False
    group_size: int = 0
    own_groups: bool = False
    is_real: bool = False


def several_targets(n: int, p: int, n_outputs: int, n_true: int, snr: float, seed: int) -> Built:
    """Linear models of several targets with the same features, each with its own coefficients and noise."""
    rng = np.random.default_rng(seed)
    X = standardise(autoregressive(n, p, 0.5, rng))
    where = np.flatnonzero(spread_signal(p, n_true, rng))
    signal = X[:, where] @ rng.standard_normal((n_true, n_outputs))
    noise = rng.standard_normal((n, n_outputs)) * np.sqrt(signal.var(0) / snr)
    return X, {"y": signal + noise + np.arange(n_outputs)}


def groups_of_features(family: str, n: int, p: int, size: int, n_true: int, scale: float, seed: int) -> Built:
    """Neighbours correlate 0.5; `n_true` whole groups of `size` matter; eta, or the signal, deviates by `scale`."""
    rng = np.random.default_rng(seed)
    X = standardise(autoregressive(n, p, 0.5, rng))
    first = size * np.linspace(0, p // size - 1, n_true).astype(int)
    where = (first[:, None] + np.arange(size)).ravel()
    eta = X[:, where] @ rng.standard_normal(where.size)
    eta *= scale / eta.std()
    if family == "binomial":
        return X, {"y": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)}
    return X, {"y": eta + rng.standard_normal(n) + 1.0}


def _digits() -> Built:
    """scikit-learn's own, without its constant pixels."""
    from sklearn.datasets import load_digits

    X, digit = load_digits(return_X_y=True)
    X = standardise(np.asfortranarray(X[:, X.std(0) > 0].astype(float)))
    return X, {"y": np.eye(10)[digit]}


def _khan() -> Built:
    return real_data.classes("khan_srbct", "y", drop=("split",))


def _cnae9() -> Built:
    return real_data.sparse_classes("cnae9")


def _sets() -> list[OutputSet]:
    plain, all_or_none = "", ", a feature for all classes or for none"
    sets = []
    for name, says, build, ratio, is_real, both in (
        ("digits", "1,797 digits of 8 × 8 pixels, 10 classes", _digits, _TALL, False, True),
        ("usps_zip", "9,298 digits of 16 × 16 pixels, 10 classes",
         lambda: real_data.classes("usps_zip", "digit", drop=("split",)), _TALL, True, False),
        ("khan_srbct", "83 tumours, 2,308 genes, 4 classes", _khan, _WIDE, True, True),
        ("cnae9", "1,080 descriptions, 856 word counts, sparse, 9 classes", _cnae9, _TALL, True, True),
        ("vowel", "990 vowels, 10 numbers each, 11 classes",
         lambda: real_data.classes("vowel", "y", drop=("split",)), _TALL, True, False),
        ("phoneme", "4,509 sounds at 256 frequencies, 5 classes",
         lambda: real_data.classes("phoneme", "phoneme", drop=("split",)), _TALL, True, False),
    ):  # fmt: skip
        made = (name, build, "multinomial", ratio)
        sets.append(OutputSet(name, says + plain, *made, is_real=is_real))
        if both:
            sets.append(OutputSet(f"{name}_grouped", says + all_or_none, *made, grouped=True, is_real=is_real))
    for shape, n, p, n_true, seed in (("tall", 20_000, 200, 30, 61), ("wide", 500, 5000, 20, 62)):
        name, ratio = f"targets_{shape}", _TALL if n > p else _WIDE
        says = f"dense, n={n:,} p={p:,}, 4 targets, a feature for all or for none"

        def targets(n: int = n, p: int = p, n_true: int = n_true, seed: int = seed) -> Built:
            return several_targets(n, p, 4, n_true, 2.0, seed)

        sets.append(OutputSet(name, says, name, targets, "multigaussian", ratio, grouped=True))
    sets.append(OutputSet("trim32", "120 rats, 20 genes of 5 columns each", "trim32",
                          lambda: real_data.table("trim32_bardet100", "y"), "gaussian", _TALL, group_size=5,
                          is_real=True))  # fmt: skip
    sets.append(OutputSet("ames_columns", "2,930 houses, 73 columns, the levels of one together", "ames_columns",
                          lambda: real_data.by_columns("ames_housing", "Sale_Price"), "gaussian", _TALL,
                          own_groups=True, is_real=True))  # fmt: skip
    for family, scale, seed in (("gaussian", 2.0, 63), ("binomial", 3.0, 64)):
        name = f"groups_{family}"

        def grouped(family: str = family, scale: float = scale, seed: int = seed) -> Built:
            return groups_of_features(family, 1000, 5000, 5, 10, scale, seed)

        sets.append(OutputSet(name, "dense, n=1,000 p=5,000 in groups of 5", name, grouped, family, _WIDE,
                              group_size=5))  # fmt: skip
    return sets


SETS = tuple(_sets())
