"""A plugin of pytest: scikit-learn's tests, with its linear models replaced by those of normball.drop_in.

What is left out is marked as an expected failure; an entry that no test answers to, or whose test passes, is an error.
"""

import re

import pytest
import sklearn.linear_model
from left_out import ABOVE_ZERO, LEFT_OUT, NINE_DIGITS, NOT_OURS, SHORTEST

from normball import drop_in

for name in drop_in.__all__:
    setattr(sklearn.linear_model, name, getattr(drop_in, name))

PASSING_IS_FINE = (SHORTEST, ABOVE_ZERO, NINE_DIGITS)  # that depends on rounding


def is_meant(entry, item):
    name, *pieces = entry.split()
    test, *parameters = re.split(r"[\[\]-]", item.name)
    return test == name and set(pieces) <= set(parameters)


def module_of(item):
    return item.module.__name__.rpartition(".")[2]


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if item.originalname not in NOT_OURS.get(module_of(item), ())]
    seen = set()
    for item in items:
        module = module_of(item)
        replaced = [name for name in drop_in.__all__ if hasattr(item.module, name)]
        assert replaced
        assert all(getattr(item.module, name) is getattr(drop_in, name) for name in replaced)
        for reason, entries in LEFT_OUT[module].items():
            for entry in (entry for entry in entries if is_meant(entry, item)):
                seen.add((module, entry))
                item.add_marker(pytest.mark.xfail(reason=reason, strict=reason not in PASSING_IS_FINE))
    listed = {(module, e) for module, _ in seen for entries in LEFT_OUT[module].values() for e in entries}
    if listed != seen:
        raise pytest.UsageError(f"no test answers to {sorted(listed - seen)}")
