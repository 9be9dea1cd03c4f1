"""The browser that tests open pages in: what it lets pass, and what it does not."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browser import Windows

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<style>:root {{ color-scheme: light dark }}</style></head><body><main><h1>A page</h1>{}</main>"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "a page.html"
    path.write_text(PAGE.format("<p>of words</p>"))
    return path


def _with(path: Path, more: str) -> Path:
    path.write_text(PAGE.format(more))
    return path


def test_a_page_from_disk_is_looked_at_in_every_width_and_scheme(
    windows: "Windows", page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFASHION_SCREENSHOTS", str(tmp_path))
    opened = windows(page)
    assert opened.title() == "A page"
    windows.look(opened, "page")
    names = {f"page-{width}-{scheme}.png" for width in (390, 1280, 1920) for scheme in ("light", "dark")}
    assert {path.name for path in tmp_path.glob("*.png")} == {*names, "page-print.png"}
    assert windows.requests == [page.as_uri()]


def test_a_request_to_another_machine_fails_and_goes_nowhere(windows: "Windows", page: Path) -> None:
    windows(_with(page, '<img alt="" src="http://192.0.2.1/away.png">'))
    (error,) = windows.errors
    assert "ERR_PROXY_CONNECTION_FAILED" in error
    windows.errors.clear()
    with pytest.raises(AssertionError, match=re.escape("http://192.0.2.1/away.png")):
        windows.end()
    windows.requests.clear()


def test_an_error_in_the_console_fails(windows: "Windows", page: Path) -> None:
    windows(_with(page, "<script>console.error('said'); throw Error('raised')</script>"))
    with pytest.raises(AssertionError, match=r"said.*raised"):
        windows.end()
    windows.errors.clear()


def test_what_is_too_wide_or_cannot_be_read_is_found(windows: "Windows", page: Path) -> None:
    opened = windows(_with(page, '<div style="width: 1000px; color: #ccc; background: #fff">pale</div>'))
    windows.assert_fits(opened)
    opened.set_viewport_size({"width": 390, "height": 844})
    with pytest.raises(AssertionError, match="390 pixels wide has to be scrolled to"):
        windows.assert_fits(opened)
    with pytest.raises(AssertionError, match="color-contrast"):
        windows.assert_accessible(opened)
