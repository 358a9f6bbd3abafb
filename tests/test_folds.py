"""Folds: which rows are held out together, and which requests cannot be met."""

import numpy as np
import pytest
from sklearn import model_selection

import normball as nb
from normball.folds import make_folds


def assert_partition(folds, n_rows):
    assert sorted(np.concatenate(folds.test)) == list(range(n_rows))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(n_rows))


@pytest.mark.parametrize("n_folds", [2, 7, 10])
def test_random_folds_are_of_equal_size_in_each_class(n_folds):
    y = np.repeat([0.0, 1.0], [61, 42])
    folds = make_folds(y, cv=n_folds, classes=("a", "b"))
    assert_partition(folds, 103)
    for count in ([test.size for test in folds.test], [int(y[test].sum()) for test in folds.test]):
        assert max(count) - min(count) <= 1
    assert folds.how == f"{n_folds} stratified folds at random"
    for fold, test in enumerate(folds.test):
        assert (folds.fold_ids[test] == fold).all()


def test_the_seed_decides_the_folds():
    y = np.arange(50.0)
    first, again, other = (make_folds(y, random_state=seed).fold_ids for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    legacy = [make_folds(y, random_state=np.random.RandomState(3)).fold_ids for _ in range(2)]
    np.testing.assert_array_equal(*legacy)


def test_repeated_folds_are_numbered_through():
    folds = make_folds(np.arange(30.0), cv=5, repeats=3)
    assert len(folds) == 15
    assert folds.fold_ids.shape == (3, 30)
    assert folds.fold_ids[2].min() == 10
    assert folds.how == "5 folds at random, 3 times"
    for repeat in range(3):
        assert sorted(np.concatenate(folds.test[5 * repeat : 5 * repeat + 5])) == list(range(30))
        np.testing.assert_array_equal(np.flatnonzero(folds.fold_ids[repeat] == 5 * repeat), folds.test[5 * repeat])


def test_no_group_is_split():
    groups = np.random.default_rng(0).choice(list("abcdefghij"), size=100)
    folds = make_folds(np.arange(100.0), cv=4, fold_groups=groups)
    assert_partition(folds, 100)
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
    assert folds.how == "4 grouped folds at random"


def test_time_order_trains_on_the_past_only():
    times = np.repeat(np.datetime64("2020-01-01") + np.arange(20), 3)
    shuffled = np.random.default_rng(0).permutation(60)
    folds = make_folds(np.arange(60.0), cv=4, time_order=times[shuffled])
    assert len(folds) == 4
    for train, test in folds:
        assert times[shuffled][train].max() < times[shuffled][test].min()
    assert [train.size for train in folds.train] == [12, 24, 36, 48]
    assert folds.how == "4 folds in time order"
    assert (folds.fold_ids == -1).sum() == 12
    in_order = make_folds(np.arange(10.0), cv=4, time_order=True)
    assert [test.tolist() for test in in_order.test] == [[2, 3], [4, 5], [6, 7], [8, 9]]


@pytest.mark.parametrize("times", [[0, 1, *[2] * 9, 3], [*[0] * 9, 1, 2, 3], [0, 1, 2, *[3] * 9], [3, 2, 1, 0] * 3])
def test_crowded_times_leave_rows_for_every_fold(times):
    folds = make_folds(np.arange(12.0), cv=3, time_order=times)
    assert len(folds) == 3
    for train, test in folds:
        assert max(np.take(times, train)) < min(np.take(times, test))


def test_explicit_folds():
    folds = make_folds(np.arange(6.0), fold_ids=[5, 2, 2, -1, 5, 5])
    assert [test.tolist() for test in folds.test] == [[1, 2], [0, 4, 5]]
    assert [train.tolist() for train in folds.train] == [[0, 3, 4, 5], [1, 2, 3]]
    assert folds.fold_ids.tolist() == [1, 0, 0, -1, 1, 1]
    named = make_folds(np.arange(4.0), fold_ids=["a", "b", "b", "a"])
    assert [test.tolist() for test in named.test] == [[0, 3], [1, 2]]


def test_splitters_and_pairs():
    y = np.repeat([0.0, 1.0], 10)
    splitter = model_selection.StratifiedKFold(4)
    folds = make_folds(y, cv=splitter)
    for (train, test), (expected_train, expected_test) in zip(folds, splitter.split(y, y), strict=True):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(test, expected_test)
    assert folds.how == "4 folds of StratifiedKFold"
    assert (folds.fold_ids >= 0).all()
    assert make_folds(y, cv=model_selection.ShuffleSplit(8, random_state=0)).fold_ids is None
    groups = np.tile(np.arange(5), 4)
    by_group = make_folds(y, cv=model_selection.GroupKFold(5), fold_groups=groups)
    assert all(np.unique(groups[test]).size == 1 for test in by_group.test)
    masks = make_folds(y, cv=[(np.arange(20) < 10, np.arange(20) >= 10)])
    assert masks.test[0].tolist() == list(range(10, 20))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cv": 1}, ValueError, "cv is 1, but needs at least 2 folds"),
        ({"cv": 21}, nb.DataError, "E05 20 rows cannot make 21 folds"),
        ({"cv": "ten"}, TypeError, "cv is 'ten', but must be a number of folds, a splitter"),
        ({"cv": True}, TypeError, "cv is True"),
        ({"cv": []}, ValueError, "cv gave no fold"),
        ({"repeats": 0}, ValueError, "repeats is 0"),
        ({"repeats": 2, "time_order": True}, ValueError, "repeats needs folds that are drawn at random"),
        (
            {"fold_groups": np.zeros(20), "time_order": True},
            ValueError,
            "time_order and fold_groups cannot be combined",
        ),
        ({"fold_groups": np.zeros(19)}, ValueError, r"fold_groups has shape \(19,\), but there are 20 rows"),
        ({"fold_groups": [np.nan] * 20}, ValueError, "fold_groups has missing values, first in row 1"),
        ({"fold_groups": [None, *"abcdefghijklmnopqrs"]}, ValueError, "fold_groups has missing values, first in row 1"),
        ({"fold_groups": np.arange(20) % 3}, nb.DataError, "E05 3 groups cannot make 10 folds"),
        ({"time_order": np.arange(20) % 3}, nb.DataError, "E05 time_order has 3 distinct times, too few for 10"),
        ({"fold_ids": np.zeros(20)}, ValueError, "fold_ids must name at least 2 folds, not 1"),
        ({"fold_ids": np.arange(20) / 7}, ValueError, "whole numbers or labels"),
        ({"fold_ids": np.full(20, -1)}, ValueError, "fold_ids must name at least 2 folds, not 0"),
    ],
)
def test_folds_that_cannot_be_made(options, error, message):
    with pytest.raises(error, match=message):
        make_folds(np.arange(20.0), **options)


def test_a_class_rarer_than_the_folds():
    y = np.repeat([0.0, 1.0], [40, 4])
    with pytest.raises(nb.DataError, match='E05 Class "gold" has 4 rows; each of 10 folds needs one') as error:
        make_folds(y, classes=("lead", "gold"))
    assert "Fix: cv=4" in str(error.value)
    with pytest.raises(nb.DataError, match='Class "gold" is absent from the training rows of fold 1 of 2'):
        make_folds(y, fold_ids=(y == 0).astype(int), classes=("lead", "gold"))
    weights = np.where(np.arange(44) == 43, 1.0, y == 0)
    with pytest.raises(nb.DataError, match='"gold" has 1 row;'):
        make_folds(y, classes=("lead", "gold"), weights=weights, cv=2)


def test_proportions_are_not_stratified():
    folds = make_folds(np.linspace(0.0, 1.0, 20), cv=4, classes=(0, 1))
    assert folds.how == "4 folds at random"
