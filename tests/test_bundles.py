"""The committed JavaScript is the build of the committed source; this needs no node."""

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
PACKAGE = ROOT / "src" / "normball"
BUNDLES = ["charts/charts.js", "report/page.js", "report/boot.js", "learn/page.js"]


def fingerprint() -> str:
    """As `fingerprint` in web/build.mjs."""
    names = [file.relative_to(WEB).as_posix() for file in (WEB / "src").rglob("*.js")]
    hashed = hashlib.sha256()
    for name in sorted([*names, "build.mjs", "package-lock.json"]):
        hashed.update(name.encode() + b"\0" + (WEB / name).read_bytes() + b"\0")
    return hashed.hexdigest()


@pytest.mark.parametrize("bundle", BUNDLES)
def test_bundles_are_fresh(bundle: str) -> None:
    text = (PACKAGE / bundle).read_text("utf-8")
    banner = text.splitlines()[0]
    assert f"source {fingerprint()}" in banner, "run `make web` and commit the bundles"
    assert "</script" not in text
    assert text.isascii()


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text("utf-8")


def test_licences_of_what_is_bundled() -> None:
    text = (PACKAGE / "charts" / "LICENSES.txt").read_text("utf-8")
    for name in ("d3-array", "d3-contour", "d3-scale", "fflate"):
        assert f"{name} " in text
    assert "ISC" in text or "Permission to use, copy, modify" in text
