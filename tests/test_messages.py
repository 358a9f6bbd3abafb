"""The shape of what is said."""

from __future__ import annotations

import pickle

from normball.messages import DataError, Finding, Interrupted, command_line_words, did_you_mean, sample, words


def test_layout() -> None:
    finding = Finding("E01", "What, where.\nrows 1, 2", 'missing="drop" (keeps 3 rows)', ("a",))
    assert str(finding) == 'E01 What, where.\n    rows 1, 2\n    Fix: missing="drop" (keeps 3 rows)'
    assert str(finding.in_command_line_words()).endswith("Fix: --missing drop (keeps 3 rows)")
    assert str(Finding("W11", "Constant.")) == "W11 Constant."
    assert (finding.is_error, Finding("W11", "").is_error) == (True, False)


def test_command_line_words() -> None:
    fix = 'thousands="," and na=["n/a", "1,2"]  or  categorical=["a b", "c\\"d"], l1_ratio=0.5, cv=4; missing="drop"'
    assert command_line_words(fix) == (
        "--thousands , and --na 'n/a,1\\,2'  or  --categorical 'a b,c\"d', --l1-ratio 0.5, --cv 4; --missing drop"
    )
    assert command_line_words("a correlation of 1 == 1") == "a correlation of 1 == 1"
    assert command_line_words(f"drop={words(['größe'])}") == "--drop 'größe'"


def test_errors_can_be_pickled() -> None:
    error = DataError(Finding("E01", "one"), Finding("E02", "two"))
    again = pickle.loads(pickle.dumps(error))
    assert again.findings == error.findings
    assert str(again) == "E01 one\nE02 two"
    assert isinstance(error, ValueError)
    assert Interrupted("stopped", 3).result == 3


def test_samples_and_hints() -> None:
    assert sample([1, 2, 3]) == "1, 2, 3"
    assert sample([*range(1005)]) == "0, 1, 2, 3, 4 and 1,000 more"
    assert did_you_mean("Quality ", ["quality", "age"]) == ' Did you mean "quality"?'
    assert did_you_mean("zzz", ["quality"]) == ""


def test_the_command_line_has_no_arguments_of_functions() -> None:
    lacking = Finding(
        "E08", "X lacks 2 columns that the model uses: x, X lacks.", "a larger lam, chosen by cv_path(X, y, cv=5)"
    )
    told = lacking.in_command_line_words()
    assert told.text == "The table lacks 2 columns that the model uses: x, X lacks."
    assert told.fix == "a larger lambda, chosen by normball fit --cv 5"
    assert command_line_words("X has one row only (n_samples = 1); nothing") == "The table has one row only; nothing"
    assert command_line_words('10 values of sample_weight; "sample_weight=1, X"') == (
        '10 values of --weights; "sample_weight=1, X"'  # what stands in quotes is the user's
    )
    assert command_line_words("Column (of drop) must fit fold_groups") == "Column (of --drop) must fit --group"
    assert command_line_words("give --lam a number, or lam=0.5") == "give --lam a number, or --lam 0.5"
