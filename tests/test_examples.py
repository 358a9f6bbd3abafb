"""`--example`: the data sets that are read from the files inside scikit-learn."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets

from normball.cli import examples
from normball.cli.options import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("files", ["there", "elsewhere"])
def test_an_example_is_the_data_set_of_scikit_learn(name: str, files: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if files == "elsewhere":
        monkeypatch.setattr(examples, "find_spec", lambda package: None)
    wanted = getattr(datasets, f"load_{name}")()
    table = examples.example(name)
    target, *features = table.columns
    assert target == examples.TARGETS[name]
    assert features == [str(feature).replace(" ", "_") for feature in wanted.feature_names]
    np.testing.assert_array_equal(table.select(features).to_numpy(), wanted.data)
    np.testing.assert_array_equal(table[target], wanted.target == 0 if name == "wine" else wanted.target)


def test_an_example_does_not_wait_for_scikit_learn() -> None:
    code = "import sys; from normball.cli import main; main(['check', '--example', 'diabetes'])"
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}; print('sklearn' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "False"
