"""Where a result came from: what its arrays do not say, kept beside them in the model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import PurePath
from typing import Any


@dataclass(frozen=True)
class Run:
    """What was read and what was asked for.

    Attributes
    ----------
    source : str
        The name of the file, without its folder, or "" for arrays and examples.
    example : str
        The example data set, if it was one.
    target : str
        Name of the target.
    command : str
        The command line, files without their folders.
    table, outcome : str
        The table and its target in words.
    select : str or float
        The choice of strength: "1se", "best", or a number.
    reading : dict
        The options of `read_table`.
    options : dict
        The options of `cv_path` that are plain data; columns with a role are named.
    exposure, group, time_order : str
        Columns that become the offset (their logarithm), the groups and the times; "" for none.
    """

    source: str = ""
    example: str = ""
    target: str = "y"
    command: str = ""
    table: str = ""
    outcome: str = ""
    select: str | float = "1se"
    reading: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    exposure: str = ""
    group: str = ""
    time_order: str = ""

    def __post_init__(self) -> None:
        """Forget the folder of the file: model and page are handed on to people who need not know it."""
        name = PurePath(self.source).name
        object.__setattr__(self, "table", name + self.table.removeprefix(self.source))
        object.__setattr__(self, "source", name)

    @property
    def weights(self) -> str:
        """The column of weights, "" for none."""
        return str(self.options.get("sample_weight") or "")

    @property
    def offset(self) -> str:
        """The column of offsets, "" for none."""
        return str(self.options.get("offset") or "")

    @property
    def not_features(self) -> list[str]:
        """Columns of the table that are no features."""
        roles = (self.target, self.weights, self.offset, *self.options.get("drop", ()))
        return list(dict.fromkeys(name for name in roles if name))

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Run:
        """What `to_dict` wrote; what is unknown is ignored, what lacks takes its default."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})
