"""The studies of golden/cox.R, laid out as there: target, features, strata."""

import json
from pathlib import Path

import numpy as np
import polars as pl

from test_glmnet import Generator

GOLDEN = json.loads((Path(__file__).parent / "golden" / "cox.json").read_text())
_NEEDED = {"lung": ["ph.ecog", "ph.karno", "pat.karno", "wt.loss"], "pbc": ["protime", "stage"]}


def _is(column, value):
    return (pl.col(column) == value).cast(pl.Float64).alias(f"{column} = {value}")


_DESIGNS = {
    "veteran": (["time", "status"], ["trt", "karno", "diagtime", "age", "prior"]),
    "lung": (["time", "status"], ["age", "sex", "ph.ecog", "ph.karno", "pat.karno", "wt.loss"]),
    "pbc": (["time", "event"], ["age", _is("sex", "f"), "edema", "bili", "albumin", "protime", "stage"]),
    "gbsg2": (
        ["time", "event"],
        [_is("horTh", "yes"), "age", _is("menostat", "Post"), "tsize", _is("tgrade", "II"), _is("tgrade", "III"),
         "pnodes", "progrec", "estrec"],
    ),
}  # fmt: skip


def load(study, read_shared):
    """Target (n, 2) or (n, 3), features (n, p), and the stratum of each row or None."""
    if study in GOLDEN["rows"]:
        rows = GOLDEN["rows"][study]
        strata = rows.get("strata")
        return np.array(rows["y"], float), np.array(rows["x"], float), None if strata is None else np.array(strata)
    if study == "glmnet_cox":
        table = read_shared(study).to_numpy()
        return table[:, :2], table[:, 2:].copy(), None
    table = read_shared(study).drop_nulls(_NEEDED.get(study, []))
    y, x = (table.select(names).to_numpy().astype(float) for names in _DESIGNS[study])
    return y, x, table["celltype"].to_numpy() if study == "veteran" else None


def draw_weights(frozen, n):
    """The weights of a frozen fit."""
    return 1 + np.floor(3 * Generator(frozen["seed"]).draw(n)) if frozen["seed"] else np.ones(n)
