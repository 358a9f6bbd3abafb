"""What a notebook shows of a result."""

from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb

NASTY = "</td><script>alert(1)</script>"


class Tags(HTMLParser):
    """The tags of a piece of HTML, each closed where it has to be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = X @ [2.0, -1.0, 0.0, 0.0] + rng.normal(size=80)
    table = pl.DataFrame(X, schema=[NASTY, "b", "c", "d"])
    cv = nb.cv_path(table, y, cv=4)
    paths = nb.fit_paths(table, np.column_stack([y, -y]))
    return {
        "cv": cv,
        "path": cv.path,
        "fit": cv.at("best"),
        "paths": paths,
        "comparison": nb.compare(table, y, cv=4),
        "findings": nb.check(table.with_columns(pl.lit(1.0).alias("a constant column")), y),
    }


@pytest.mark.parametrize("name", ["cv", "path", "fit", "paths", "comparison", "findings"])
def test_tables_are_small_whole_and_carry_their_style(name: str, results: dict[str, Any]) -> None:
    text = results[name]._repr_html_()
    tags = Tags(text)
    assert "table" in tags.seen
    assert "script" not in tags.seen
    assert len(text) < 20_000
    assert "http" not in text
    style = text[text.index("<style>") : text.index("</style>")]
    for line in style.splitlines()[1:]:
        assert ".normball" in line or line.startswith("  "), line  # nothing else in the notebook changes
    assert 'data-jp-theme-light="false"' in style
    assert "prefers-color-scheme: dark" in style


def test_names_are_text(results: dict[str, Any]) -> None:
    for name in ("cv", "fit"):
        assert NASTY in Tags(results[name]._repr_html_()).text


def test_the_picked_features_are_there(results: dict[str, Any]) -> None:
    text = Tags(results["cv"]._repr_html_()).text
    assert "lambda_1se (selected)" in text
    assert "Selected at lambda_1se" in text
    assert "kept in folds" in text
