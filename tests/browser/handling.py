"""What the tests of a page do to it."""

import pytest

from .conftest import Browser

CHARTS = "[data-view] [data-live]"
SET = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }));"

framed = pytest.mark.parametrize("framed", [False, True], ids=["file", "frame"])
themes = pytest.mark.parametrize("theme", ["light", "dark"])


def find(browser: Browser, selector: str):  # type: ignore[no-untyped-def]
    """An element of the page as it stands once what was changed before is drawn: the page draws with the next frame."""
    browser.frames()
    return browser.driver.find_element("css selector", selector)


def click(browser: Browser, selector: str) -> None:
    """Bring a button to the middle of the window, where nothing stands before it, and click it."""
    button = find(browser, selector)
    browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", button)
    button.click()


def drawn(browser: Browser) -> dict[str, str]:
    """What every view shows now."""
    browser.frames()
    shown = browser.run(
        f"return [...document.querySelectorAll('{CHARTS}')].map((e) =>"
        " [e.closest('[data-view]').dataset.view, e.innerHTML + e.closest('[data-view]').innerText]);"
    )
    return dict(shown)


def at(browser: Browser, index: int) -> None:
    """Move the slider, and unfold the views of what happens inside."""
    browser.run("document.querySelectorAll('.folded').forEach((one) => (one.open = true))")
    browser.run(SET, find(browser, "[data-slider]"), str(index))
    browser.frames()
