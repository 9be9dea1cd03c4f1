"""The page as people use it: opened from disk, without a network, light and dark, on a phone, by keyboard."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edgefashion import make_report
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Latency
from edgefashion.report.page import Report

if TYPE_CHECKING:
    from browser import Windows

RATIO = "Accuracy %, 60 images"


@pytest.fixture(scope="module")
def file(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "a report.html"
    path.write_text(html)
    return path


def column(page: Any, title: str) -> list[str]:
    """The texts of a column of the first table that has it."""
    found: list[str] = page.evaluate(
        """title => {
            const table = [...document.querySelectorAll("table.sortable")].find(
                each => [...each.tHead.rows[0].cells].some(cell => cell.textContent === title));
            const place = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === title);
            return [...table.tBodies[0].rows].map(row => row.cells[place].textContent.trim());
        }""",
        title,
    )
    return found


def test_it_is_for_everybody_in_every_width_light_and_dark(windows: "Windows", file: Path) -> None:
    page = windows(file)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    page.locator("button[data-cell]").first.click()
    windows.look(page, "report")
    assert windows.requests == [file.as_uri()]


def test_names_without_a_space_make_no_window_scroll(
    windows: "Windows", build: ModuleType, tmp_path: Path
) -> None:
    classes = tuple(letter * 200 for letter in "abc")
    long = build.Task("t" * 200, build.PETS.image_shape, classes, build.PICTURE)
    build.report(long, "w" * 200).save(tmp_path / "long.html")
    page = windows(tmp_path / "long.html")
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        windows.assert_fits(page)


def test_captions_are_whole_on_a_phone_and_one_chart_has_its_legend_beside_it(
    windows: "Windows", whole: Report, tmp_path: Path
) -> None:
    assert whole.comparison is not None
    own = whole.comparison.sources[0].results
    rows = [msgspec.structs.replace(row, latency_us=Latency()) for row in own.rows]
    make_report(Results(own.device, own.dataset, rows)).save(tmp_path / "one.html")
    page = windows(tmp_path / "one.html")
    chart, legend = page.locator("#cost figure").bounding_box(), page.locator("#cost .legend").bounding_box()
    assert legend["x"] > chart["x"] + 300 and legend["y"] < chart["y"] + chart["height"]
    page.set_viewport_size({"width": 390, "height": 800})
    ends = page.locator("caption span").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().right)"
    )
    assert ends and max(ends) <= 390


def test_it_is_dark_where_the_system_is(windows: "Windows", file: Path) -> None:
    page = windows(file)

    def brightness(scheme: str) -> list[int]:
        """Of the page's ground and of a chart's words: their red."""
        page.emulate_media(color_scheme=scheme)
        colors = page.evaluate(
            """[getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector("svg.chart text")).fill]"""
        )
        return [int(color.removeprefix("rgb(").split(",")[0]) for color in colors]

    (ground, words), (dark_ground, dark_words) = brightness("light"), brightness("dark")
    assert min(ground, dark_words) > 200 and max(words, dark_ground) < 60


def test_tables_are_sorted_with_the_keyboard_alone(windows: "Windows", file: Path) -> None:
    page = windows(file)
    before = column(page, RATIO)
    assert before == ["80.00", "75.00"]
    button = page.get_by_role("button", name=RATIO).first
    button.focus()
    page.keyboard.press("Enter")
    assert column(page, RATIO) == before
    page.keyboard.press("Space")
    assert column(page, RATIO) == before[::-1]
    assert page.locator("th[aria-sort=ascending]").count() == 1
    assert page.locator("#live").text_content() == f"sorted by {RATIO}, ascending"


def test_a_mark_tells_its_figures_when_it_is_pointed_at_or_reached_by_keyboard(
    windows: "Windows", file: Path
) -> None:
    page = windows(file)
    marks = page.locator("#cost svg.chart").first.locator(".point")
    tip = page.locator("#tip")
    assert marks.count() == 2 and tip.is_hidden()
    marks.first.hover()
    told = tip.text_content()
    assert told == marks.first.get_attribute("aria-label")
    assert "pets tflite float32: 80.00 %" in told and "90.0 µs, p90 108 µs; flagged: throttled" in told
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.locator("#cost svg.chart").first.locator(".point[tabindex='0']").focus()
    assert "int8: 75.00 % (62.77 to 84.22), 40.0 µs" in (tip.text_content() or "")
    page.keyboard.press("ArrowRight")
    assert tip.text_content() == told
    page.keyboard.press("Tab")
    assert "400 µs" in (tip.text_content() or "")


def test_a_cell_of_the_confusion_matrix_opens_what_was_confused_and_closes_again(
    windows: "Windows", file: Path
) -> None:
    page = windows(file)
    cell = page.get_by_role("button", name="cat taken for dog")
    gallery = page.locator("#gallery")
    assert gallery.is_hidden()
    cell.focus()
    page.keyboard.press("Enter")
    assert gallery.is_visible()
    assert (page.locator("#gallery-title").text_content() or "").startswith("cat taken for dog: ")
    shown = gallery.locator("img")
    assert str(shown.count()) == cell.text_content()
    assert page.evaluate(
        "[...document.querySelectorAll('#gallery img')].every(each => each.naturalWidth > 0)"
    )
    assert "% sure, test image" in (gallery.locator("span").first.text_content() or "")
    page.keyboard.press("Escape")
    assert gallery.is_hidden() and page.evaluate("document.activeElement.dataset.cell") == "0-1"


def test_nothing_hides_behind_a_fold_on_paper(windows: "Windows", file: Path) -> None:
    page = windows(file)
    folded = page.locator("details:not([open])")
    assert folded.count() == 3
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert folded.count() == 3


def test_it_is_read_without_scripts_too(windows: "Windows", file: Path) -> None:
    page = windows(file, java_script_enabled=False)
    assert page.locator("h2:visible").all_text_contents()[:3] == ["Summary", "Results", "Accuracy and cost"]
    assert (
        page.locator("svg.chart:visible").count() == 8 and page.locator("#mistakes img:visible").count() == 15
    )
