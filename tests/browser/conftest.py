"""A real browser for the pages. All tests of this folder are skipped, in a line, where there is none."""

import html
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import alone_unless
from normball.cli import main
from normball.model_file import load

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-features=IsolateSandboxedIframes",  # what the system prefers reaches a frame of the same process alone
    "--window-size=1280,900",
]
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NASTY = ["</script><b>", '<img src=x onerror="alert(1)">', "=cmd()", "a & 'b'", "\u202eright to left", "😀 smile"]


class Browser:
    """What the tests ask of a browser."""

    def __init__(self, folder: Path) -> None:
        from selenium.webdriver import Chrome, ChromeOptions, ChromeService

        self.folder = folder
        options = ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for word in [*OPTIONS, f"--user-data-dir={folder / 'profile'}"]:
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
        self.driver = Chrome(options, ChromeService(DRIVER))
        self.driver.set_script_timeout(60)

    def open(self, page: Path, *, framed: bool = False, media: dict[str, str] | None = None) -> None:
        """Open a page by its file, or inside a frame that may run scripts and nothing else."""
        self.driver.switch_to.default_content()
        self.driver.get("about:blank")
        # the theme that a test before has chosen
        self.cdp("Storage.clearDataForOrigin", origin="file://", storageTypes="local_storage")
        self.media(**(media or {}))
        self.size(1280, 900)
        self.log("browser"), self.log("performance")
        if framed:
            frame = self.folder / "frame.html"
            text = html.escape(page.read_text("utf-8"))
            style = "position:fixed;inset:0;width:100%;height:100%;border:0"
            start = '<!doctype html><html lang="en"><meta charset="utf-8"><title>frame</title>'
            frame.write_text(
                f'{start}<iframe title="page" sandbox="allow-scripts" style="{style}" srcdoc="{text}"></iframe>',
                "utf-8",
            )
            self.driver.get(frame.as_uri())
            self.driver.switch_to.frame(0)
        else:
            self.driver.get(page.as_uri())
        if media:
            self.media(**media)  # the page may have come with a process of its own

    def cdp(self, command: str, **options: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, options)

    def media(self, **features: str) -> None:
        """Pretend that the system prefers something, as `prefers-color-scheme` = dark."""
        wanted = {name.replace("_", "-"): value for name, value in features.items()}
        queries = [f"({name}: {value})" for name, value in wanted.items()]
        end = time.monotonic() + 20
        while True:  # a page that has just come may not have heard of it
            self.cdp("Emulation.setEmulatedMedia", features=[{"name": n, "value": v} for n, v in wanted.items()])
            if not queries or self.run("return arguments[0].every((query) => matchMedia(query).matches)", queries):
                return
            assert time.monotonic() < end, f"the browser does not take {queries}"
            time.sleep(0.05)

    def size(self, width: int, height: int) -> None:
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a function's body in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """The value of a function's body that may await."""
        body = f"const done = arguments[arguments.length - 1]; (async (...given) => {{ {script} }})"
        return self.driver.execute_async_script(f"{body}(...arguments).then(done, (e) => done('' + e))", *arguments)

    def frames(self) -> None:
        """Let the page draw what has changed."""
        self.wait("for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);")

    def log(self, kind: str) -> list[dict[str, Any]]:
        return list(self.driver.get_log(kind))

    def errors(self) -> list[str]:
        """What the console complains about."""
        return [entry["message"] for entry in self.log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """Every address that was asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def accessibility(self) -> list[str]:
        """Violations of WCAG 2.2 AA that axe-core finds."""
        if not AXE.exists():
            pytest.skip("axe-core is not here: run `npm ci` in web/")
        self.run(AXE.read_text("utf-8"))
        found = self.wait(
            "const { violations } = await axe.run(document, { runOnly: { type: 'tag', values: given[0] } });"
            "return violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)"
            " + ' ' + (n.any[0]?.message ?? '')).join(' | '));",
            WCAG,
        )
        return list(found)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium and chromedriver here")
    pytest.importorskip("selenium")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.driver.quit()


class Report:
    """A report, the model behind it, and the table it was fitted to."""

    def __init__(self, folder: Path, table: pl.DataFrame, *more: str) -> None:
        table.write_csv(folder / "t.csv")
        words = ["fit", str(folder / "t.csv"), "--target", table.columns[0], "--cv", "5", "--quiet", *more]
        words += alone_unless(more)
        assert main([*words, "-o", str(folder / "out")]) == 0
        self.table = table
        self.page = folder / "out" / "report.html"
        model = load(folder / "out" / "model.json")
        assert isinstance(model, nb.CVPath)
        self.cv = model


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A logistic model of columns with names that a page must escape."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, len(NASTY)))
    y = np.where(X @ (np.arange(len(NASTY)) - 1.5) + 3 * rng.logistic(size=300) > 0, "yes", "no")
    return Report(tmp_path_factory.mktemp("report"), pl.DataFrame({"bought": y}).hstack(pl.DataFrame(X, schema=NASTY)))


@pytest.fixture(scope="session")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A linear model of few columns."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 6))
    y = X @ np.arange(6) + rng.normal(size=200)
    table = pl.DataFrame(X, schema=[f"x{j}" for j in range(6)])
    return Report(tmp_path_factory.mktemp("numeric"), table.insert_column(0, pl.Series("y", y)))


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A linear model of a thousand columns."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(120, 1000))
    y = X[:, :10].sum(axis=1) + rng.normal(size=120)
    table = pl.DataFrame(X.round(4), schema=[f"x{j}" for j in range(1000)])
    return Report(tmp_path_factory.mktemp("wide"), table.insert_column(0, pl.Series("y", y)))
