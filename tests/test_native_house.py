"""The house of native/: which way its files include each other, and how large its rooms and files are.

docs/architecture.md draws it; functions are measured by clang-tidy.
"""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[1] / "native"
FILES = {
    str(file.relative_to(NATIVE)): file for suffix in ("hpp", "cpp") for file in sorted(NATIVE.rglob(f"*.{suffix}"))
}
INCLUDES = {name: set(re.findall(r'^#include "(.+)"', file.read_text(), re.MULTILINE)) for name, file in FILES.items()}
LINES = {name: len(file.read_text().splitlines()) for name, file in FILES.items()}
# from the ground up: a room knows those before it only
FLOORS = [
    "core", "kernels", "design", "losses", "families", "penalties", "problem", "quadratic", "screening", "paths",
    "paths/blocks", "paths/moments", "paths/working_set", "paths/windows",
    "paths/row_blocks", "python",
]  # fmt: skip

pytestmark = pytest.mark.skipif(not FILES, reason="the sources are not here")


def room_of(name: str) -> str:
    return str(Path(name).parent)


def test_every_include_is_a_file_of_the_house() -> None:
    assert {one for found in INCLUDES.values() for one in found} <= FILES.keys()


def test_no_circle_among_files() -> None:
    try:
        TopologicalSorter(INCLUDES).prepare()
    except CycleError as circle:
        pytest.fail(f"these include one another: {' <- '.join(circle.args[1])}")


def test_no_arrow_upwards() -> None:
    floor = {room: number for number, room in enumerate(FLOORS)}
    assert {
        (name, one) for name, found in INCLUDES.items() for one in found if floor[room_of(one)] > floor[room_of(name)]
    } == set()


def test_no_room_holds_more_than_a_third() -> None:
    rooms = {room: sum(lines for name, lines in LINES.items() if room_of(name) == room) for room in FLOORS}
    assert max(rooms.values()) <= sum(rooms.values()) / 3, rooms


def test_no_long_file() -> None:
    assert {name: lines for name, lines in LINES.items() if lines > 400} == {}


def test_only_the_penalty_reads_factors_and_bounds() -> None:
    """They belong to a problem; who reads the specification's arrays takes them for the batch's."""
    pattern = re.compile(r"\b(penalty_factors|lower_bounds|upper_bounds|offsets)\.(of|data)\b")
    readers = {name for name, file in FILES.items() if pattern.search(file.read_text())}
    assert readers <= {
        "problem/specification.hpp",
        "problem/problem.hpp",
        "problem/duplicates.cpp",
        "problem/centred_targets.hpp",
    }
