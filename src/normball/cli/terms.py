"""The options about how columns become features: what they say, once the columns are known."""

from __future__ import annotations

from argparse import Namespace, _ActionsContainer
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from normball.cli.values import a_number, names, seed

COMMONEST = "commonest"
MISSING = ("error", "drop", "impute", "median", "mean", "constant")
READ_AS_TEXT = ("dates", "text")
ABOUT_SINGLE = {"categorical", "baseline", "dates", "text", "spline"}  # options of columns one by one


def term_options(group: _ActionsContainer) -> None:
    """How columns become features."""
    several: dict[str, Any] = {"type": names, "action": "extend", "default": []}
    group.add_argument(
        "--missing",
        choices=MISSING,
        default="error",
        help="missing values: stop, drop the rows, or fill in median (impute is the same), mean or a constant, with an "
        "indicator; learned in each fold",
    )
    group.add_argument("--fill-value", type=a_number, metavar="X", help="of --missing constant (default: 0)")
    group.add_argument(
        "--min-count", type=seed, default=0, metavar="N", help="levels in fewer rows stand together as one"
    )
    group.add_argument(
        "--baseline",
        **several,
        metavar="COL=LEVEL",
        help=f"level without an indicator, which the others are measured against; {COMMONEST} for all columns",
    )
    group.add_argument("--dates", **several, metavar="A,B", help="dates: year, month, weekday, days since the first")
    group.add_argument(
        "--text",
        **several,
        metavar="COL[=N]",
        help="text: counts of words, and of pairs of neighbours, that N rows have (default: 3, and one in 1,000)",
    )
    group.add_argument(
        "--spline",
        **several,
        metavar="COL[=N]",
        help="numbers as a cubic spline with N knots at quantiles (default: 5)",
    )
    group.add_argument("--interact", **several, metavar="A:B", help="products of two columns, numbers or levels")


def read_as_text(arguments: Namespace) -> list[str]:
    """The columns that may be meant whose text has to stay as it is."""
    given = [name for option in READ_AS_TEXT for name in getattr(arguments, option)]
    return list(dict.fromkeys([*given, *(name.rpartition("=")[0] for name in given if "=" in name)]))


def options_of(arguments: Namespace, columns: Sequence[str]) -> dict[str, Any]:
    """The arguments of `fit_path` that were given; a ValueError where a word cannot be understood."""
    known = set(columns)
    given = {
        "fill_value": arguments.fill_value,
        "min_count": arguments.min_count,
        "baseline": _baseline(arguments.baseline, known),
        "dates": arguments.dates,
        "text": _numbered("--text", arguments.text, known),
        "spline": _numbered("--spline", arguments.spline, known),
        "interact": arguments.interact,
    }
    return {name: value for name, value in given.items() if value or (name == "fill_value" and value is not None)}


def without(options: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """The options of a fit, where these columns are to be left out, which nothing can be said about then."""
    kept = dict(options)
    for name in ABOUT_SINGLE & options.keys():
        given = options[name]
        if isinstance(given, dict):
            kept[name] = {column: value for column, value in given.items() if column not in columns}
        elif not isinstance(given, str):
            kept[name] = [column for column in given if column not in columns]
    return {**kept, "drop": [*options["drop"], *columns]}


def _numbered(option: str, given: Sequence[str], columns: Collection[str]) -> dict[str, int | None]:
    """Columns with a number each, or None; a column may have the sign between them in its name."""
    found: dict[str, int | None] = {}
    for word in given:
        name, sign, number = word.rpartition("=")
        if word in columns or not sign:
            found[word] = None
        elif number.strip().isdecimal():
            found[name.strip()] = int(number)
        else:
            raise ValueError(f'{option} "{word}": write {option} COL, or {option} COL=N with a whole number')
    return found


def _baseline(given: Sequence[str], columns: Collection[str]) -> dict[str, str] | str | None:
    """Levels by columns; the first sign with a column before it stands between them."""
    if COMMONEST in given:
        if len(given) > 1:
            raise ValueError(f"--baseline {COMMONEST} is about all columns: leave the others out")
        return COMMONEST
    found: dict[str, str] = {}
    for word in given:
        places = [place for place, sign in enumerate(word) if sign == "="]
        if not places:
            raise ValueError(f'--baseline "{word}": write --baseline COL=LEVEL, or --baseline {COMMONEST}')
        place = next((place for place in places if word[:place].strip() in columns), places[0])
        found[word[:place].strip()] = word[place + 1 :].strip()
    return found or None
