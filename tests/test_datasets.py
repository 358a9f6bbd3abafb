"""Every open data set with a target of numbers, counts or classes goes through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from normball.cli import main

# how each data set is asked for, beyond its response: columns that are no predictors, families, missing values
SHORT = ["--n-lambdas", "20", "--lambda-min-ratio", "0.02"]
OPTIONS = {
    "glmnet_poisson": ["--family", "poisson"],
    "glmnet_multigaussian": ["--target", "y2,y3,y4", "--family", "multigaussian"],
    "prostate_esl": ["--drop", "train"],
    "golub_leukemia": ["--drop", "split"],
    "adult": ["--drop", "split", "--missing", "impute"],
    "california_housing": ["--missing", "drop"],
    "titanic": ["--missing", "impute"],
    "higgs_7500": ["--drop", "split"],
    "beMTPL97": ["--family", "poisson", "--exposure", "expo", "--drop", "id,claim,amount,average", *SHORT],
    "hockey_goals": SHORT,
    "we8there": SHORT,
    "bikeshare": ["--family", "poisson", "--drop", "casual,registered"],
    "glmnet_multinomial": ["--family", "multinomial"],
    "vowel": ["--family", "multinomial", "--drop", "split"],
    "digits": ["--family", "multinomial", *SHORT],
    "cnae9": ["--family", "multinomial", *SHORT],
    "khan_srbct": ["--drop", "split"],
    "phoneme": ["--drop", "split", *SHORT],
    "usps_zip": ["--family", "multinomial", "--drop", "split", *SHORT],
}
TASKS = ("regression", "binary", "count", "multiclass")
NAMES = [
    "glmnet_quickstart",
    "glmnet_binomial",
    "glmnet_poisson",
    "glmnet_sparse",
    "glmnet_multigaussian",
    "prostate_esl",
    "saheart",
    "spambase",
    "diabetes10",
    "diabetes64",
    "trim32_eye200",
    "trim32_bardet100",
    "german_credit",
    "wine_quality",
    "california_housing",
    "titanic",
    "concrete",
    "higgs_7500",
    "wdbc",
    "bikeshare",
    "glmnet_multinomial",
    "vowel",
    "khan_srbct",
    "tcga_breast",
]
LARGE = [
    "riboflavin",
    "golub_leukemia",
    "alon_colon",
    "singh_prostate6033",
    "gordon_lung",
    "sms_spam",
    "basehock",
    "we8there",
    "rcv1_1000",
    "hockey_goals",
    "adult",
    "a9a",
    "a9a_test",
    "ames_housing",
    "caravan",
    "beMTPL97",
    "digits",
    "cnae9",
    "phoneme",
    "usps_zip",
]


def facts(shared_data: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((shared_data / "index.json").read_text())
    return {entry["name"]: entry for entry in entries}


def test_every_data_set_of_our_families_is_here(shared_data: Path) -> None:
    ours = {name for name, entry in facts(shared_data).items() if entry["task"].startswith(TASKS)}
    assert ours == {*NAMES, *LARGE}


@pytest.mark.parametrize("name", [*NAMES, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_certified_or_said_why_not(
    name: str, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = facts(shared_data)[name]
    target = "label" if entry["response"].startswith("label") else entry["response"].split(",")[0]
    arguments = ["fit", str(shared_data / entry["files"][0]), "--target", target, "--json", "-o", str(tmp_path)]
    arguments += (
        ["--cv", "5", *OPTIONS.get(name, [])]
        if name in NAMES
        else ["--cv", "3", "--no-compare", *OPTIONS.get(name, [])]
    )
    code = main(arguments)
    output = capsys.readouterr()
    assert code in (0, 4), output.err
    path = json.loads(output.out)["path"]
    for gap, status in zip(path["dual_gaps"], path["statuses"], strict=True):
        assert gap <= 1e-6 or status != "converged"
    assert all((tmp_path / file).stat().st_size for file in ("model.json", "coefficients.csv", "path.csv"))
    assert (tmp_path / "report.html").stat().st_size < 900_000
