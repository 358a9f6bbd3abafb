"""A PostgreSQL server for the tests, where one is installed: a folder of its own, reached by a socket in it alone."""

import atexit
import csv
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

OWNER = "postgres"  # whom root lends the server to, which does not run as root
TYPES = {pl.String: "TEXT", pl.Date: "DATE", pl.Datetime: "TIMESTAMP"}


@cache
def programs() -> Path | None:
    """The folder of its programs; None where they are not here."""
    places = [*map(Path, sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))), Path("/usr/local/pgsql/bin")]
    found = shutil.which("initdb")
    return (
        Path(found).resolve().parent
        if found
        else next((one for one in places[::-1] if (one / "initdb").exists()), None)
    )


def _run(*words: Any, text: str = "") -> str:
    who: dict[str, Any] = {"user": OWNER, "cwd": "/"} if os.geteuid() == 0 else {}
    ran = subprocess.run(words, check=False, capture_output=True, text=True, input=text, **who)
    if ran.returncode:
        raise RuntimeError(f"{words[0]}: {ran.stderr}")
    return ran.stdout


@cache
def _socket() -> Path:
    """The folder of the socket of a server that runs until the tests end."""
    folder, bin = Path(tempfile.mkdtemp(prefix="pg")), programs()
    assert bin is not None
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER)
    data = folder / "data"
    _run(bin / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    _run(bin / "pg_ctl", "-D", data, "-o", settings, "-w", "-l", folder / "log", "start")

    def end() -> None:
        _run(bin / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return folder


def rows_of(query: str, table: pl.DataFrame) -> Iterator[list[str]]:
    """What a query over a table called `data` gives, each cell as text; "" is nothing."""
    columns = ['"{}" {}'.format(name.replace('"', '""'), _type(kind)) for name, kind in table.schema.items()]
    script = "\n".join(
        [
            f"DROP TABLE IF EXISTS data; CREATE TABLE data ({', '.join(columns)});",
            "COPY data FROM STDIN WITH (FORMAT csv);",
            *(",".join(map(_cell, row)) for row in table.rows()),
            "\\.",
            f"COPY ({query.strip().removesuffix(';')}\n) TO STDOUT WITH (FORMAT csv);",
        ]
    )
    bin = programs()
    if bin is None:
        pytest.skip("PostgreSQL is not here")
    words = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(_socket()), "-d", "postgres")
    yield from csv.reader(io.StringIO(_run(bin / "psql", *words, text=script), newline=""))


def _type(kind: Any) -> str:
    return next((name for known, name in TYPES.items() if kind == known), "DOUBLE PRECISION")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return '"{}"'.format(value.replace('"', '""')) if isinstance(value, str) else str(value)
