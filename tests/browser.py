"""Headless Chromium for pages that edgefashion makes: what a test opens has no network but that of this
machine, and ends with it.

Its `look` shows pages as people see them: with EDGEFASHION_SCREENSHOTS=FOLDER set they are kept there.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE, DESK, WIDE = 390, 1280, 1920
WIDTHS = {PHONE: 844, DESK: 800, WIDE: 1080}
"""Of windows, in CSS pixels, and their heights."""
SCHEMES = ("light", "dark")
SCREENSHOTS = "EDGEFASHION_SCREENSHOTS"
WAIT_MS = 10_000
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_ARGUMENTS = (
    "--proxy-server=127.0.0.1:9",  # where nobody listens; not asked for what is on this machine
    "--disable-gpu",
    "--disable-dev-shm-usage",
)


class Windows:
    """The browser windows of one test: `windows(PATH or URL)` opens a page in one of its own."""

    def __init__(self, browser: "Browser") -> None:
        self.browser = browser
        self.errors = list[str]()
        """What pages wrote to the console as an error, or raised; a test that expects some clears it."""
        self.requests = list[str]()
        """Every URL that was asked for."""

    def __call__(self, place: Path | str, width: int = DESK, scheme: str = "light", **options: Any) -> "Page":
        """The page, loaded. Options are those of playwright's `Browser.new_context`."""
        context = self.browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme=scheme,
            reduced_motion="reduce",
            service_workers="block",
            **options,
        )
        context.set_default_timeout(WAIT_MS)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._hear)
        page = context.new_page()
        page.goto(place.resolve().as_uri() if isinstance(place, Path) else place)
        return page

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def assert_accessible(self, page: "Page") -> None:
        """Fail for what axe-core finds against the page as it is now."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(page)
        assert not found.violations_count, found.generate_report()

    def look(self, page: "Page", name: str) -> None:
        """Fail unless the page fits each width and is accessible in both color schemes; `name` is of the
        pictures of it, see SCREENSHOTS.
        """
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                self.assert_fits(page)
                keep(page, f"{name}-{width}-{scheme}")
            self.assert_accessible(page)
        page.emulate_media(color_scheme="light", media="print")
        keep(page, f"{name}-print")
        page.emulate_media(color_scheme="light", media="screen")
        page.set_viewport_size({"width": DESK, "height": WIDTHS[DESK]})

    def assert_fits(self, page: "Page") -> None:
        """Fail where the page as a whole has to be scrolled sideways."""
        needed, there = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert needed <= there, f"a window {there} pixels wide has to be scrolled to {needed}"

    def end(self) -> None:
        """Close the windows. Fails for an error in a console, or a request to another machine."""
        for context in self.browser.contexts:
            context.close()
        assert not self.errors, self.errors
        away = [url for url in self.requests if not _is_local(url)]
        assert not away, away


def keep(page: "Page", name: str) -> None:
    """Keep a picture of the whole page, where a person wants them."""
    if folder := os.environ.get(SCREENSHOTS):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("file", "data", "blob", "about") or parts.hostname in LOCAL_HOSTS


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser that ends with the block. Where there is none the test is skipped; in CI it fails, but for a
    user who cannot install one.
    """
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    privileged = os.geteuid() == 0
    if not program or not sync_playwright:
        why = "needs Chromium and playwright: apt install chromium; pip install -e '.[dev]'"
        if "EDGEFASHION_CI" in os.environ and (privileged or program):
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=_ARGUMENTS, chromium_sandbox=not privileged
        )
        try:
            yield browser
        finally:
            browser.close()
