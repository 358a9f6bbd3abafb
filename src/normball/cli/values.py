"""What a word of the command line means: types for `argparse`, which says what is wrong with one."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from typing import Any

MIX_OF_PENALTY = {"l1": 1.0, "l2": 0.0, "elasticnet": 0.5}


def names(text: str) -> list[str]:
    """`a,b` as a list; a backslash before a comma keeps it inside a name."""
    found = [name.replace("\0", ",").strip() for name in text.replace("\\,", "\0").split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("nothing is given")
    return found


def column(text: str) -> str:
    """The name of a column."""
    if not text.strip():
        raise argparse.ArgumentTypeError("no column is named")
    return text


def label(text: str) -> str:
    """A label of a target or an event."""
    if not text.strip():
        raise argparse.ArgumentTypeError("no label is named")
    return text


def columns(text: str) -> str:
    """The names of one or more columns, as they were given: a table may have a comma in one."""
    names(text)
    return text


def checked(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """A type of `argparse` from a function that raises a ValueError."""

    def convert(text: str) -> Any:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def page(text: str) -> str:
    """A file for a page: its name says that it is one, or it is stdout or a device."""
    return _file(text, (".html", ".htm"), "a page")


def csv_file(text: str) -> str:
    """A file for a table, as `page`."""
    return _file(text, (".csv",), "a CSV file")


def table_file(text: str) -> str:
    """A file for a table that may be long, as `page`."""
    return _file(text, (".csv", ".parquet"), "a CSV or Parquet file")


def file(text: str) -> str:
    """A file of any name."""
    if not text.strip():
        raise ValueError("no file is named")
    return text


def _file(text: str, endings: tuple[str, ...], what: str) -> str:
    file(text)
    is_stream = text == "-" or text.startswith(("/dev/", "/proc/"))
    if is_stream or text.lower().endswith(endings):
        return text
    if os.path.isdir(text):
        raise ValueError(f'"{text}" is a folder: name a file in it, {os.path.join(text, "NAME" + endings[0])}')
    raise ValueError(f'"{text}" is no name of {what}: name it {os.path.splitext(text)[0]}{endings[0]}')


def folder(text: str) -> str:
    """A folder for several files, which is not called like one of them."""
    if not text.strip():
        raise ValueError("no folder is named")
    if os.path.splitext(text)[1].lower() in (".html", ".htm", ".csv", ".json") and not os.path.isdir(text):
        raise ValueError(
            f'"{text}" looks like a file; several are written, so name a folder: {os.path.splitext(text)[0]}'
        )
    return text


def lesson(text: str) -> str:
    """A letter of a lesson, or all."""
    if text != "all" and text not in tuple("abcdefghi"):
        hint = f"; a page is named by -o {text}" if text.lower().endswith((".html", ".htm")) else ""
        raise argparse.ArgumentTypeError(f'"{text}" is no lesson; they are called a to i{hint}')
    return text


def choice(text: str) -> str | float:
    """A choice of lambda by name, or a positive number."""
    if text in ("1se", "best"):
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f'"{text}" is neither 1se, best nor a positive number')
    return value


def ratios(text: str) -> list[float]:
    """Mixes of the penalty."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [-1.0]
    if not all(0 <= ratio <= 1 for ratio in found):
        raise argparse.ArgumentTypeError(f'"{text}": numbers from 0 to 1, separated by commas')
    return found


def times(text: str) -> list[float]:
    """Times at which curves are wanted."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise argparse.ArgumentTypeError(f'"{text}": numbers, separated by commas')
    return found


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f'"{text}" is no whole number of {least} or more')
    return value


def positive(text: str) -> int:
    """A whole number from 1 on."""
    return _whole(text, 1)


def folds(text: str) -> int:
    """A number of folds."""
    return _whole(text, 2)


def a_time(text: str) -> float:
    """A time after 0."""
    value = a_number(text)
    if value <= 0.0:
        raise argparse.ArgumentTypeError(f'"{text}" is no time after 0')
    return value


def a_number(text: str) -> float:
    """A number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f'"{text}" is no number')
    return value


def seed(text: str) -> int:
    """A whole number from 0 on."""
    return _whole(text, 0)


def share(text: str) -> float:
    """A number between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is no number between 0 and 1')
    return value


UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
LEAST_MEMORY = 50_000_000


def size(text: str) -> int:
    """Bytes, as 500MB or 2GB."""
    unit = text.strip().lstrip("0123456789.")
    try:
        value = float(text.strip().removesuffix(unit)) * UNITS[unit.strip().upper()]
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f'"{text}" is no amount of memory: write it as 500MB or 2GB') from None
    if not LEAST_MEMORY <= value < float("inf"):
        raise argparse.ArgumentTypeError(f'"{text}" is too little: give {LEAST_MEMORY // 10**6}MB or more')
    return int(value)


def part(text: str) -> float:
    """A number from 0 to 1, ends included."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'"{text}" is no number from 0 to 1')
    return value


def family(text: str) -> str:
    """The name of a family as it is written everywhere."""
    from normball.families import family_name

    return family_name(text)
