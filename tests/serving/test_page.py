"""The page, opened in a browser: as people use it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from browser import Windows
    from conftest import Served


@pytest.fixture
def picture(tmp_path: Path, shoe: bytes) -> Path:
    path = tmp_path / "shoe.png"
    path.write_bytes(shoe)
    return path


def answered(page: Any, words: str) -> None:
    """Wait until the page says so."""
    page.get_by_role("status").filter(has_text=words).wait_for()


def test_a_picture_is_chosen_and_every_class_shown(
    served: "Served", windows: "Windows", picture: Path
) -> None:
    page = windows(served.url)
    assert page.title() == "cnn-64k-qat – edgefashion"
    page.get_by_label("Choose a picture").set_input_files(picture)
    answered(page, "Sandal, ")
    rows = page.locator("tbody tr").all_inner_texts()
    assert len(rows) == 10 and rows[0].startswith("Sandal")
    assert "fitted into 28x28" in page.locator("#steps").inner_text()
    times = page.locator("#times").inner_text()
    assert "inference" in times and "the whole way" in times
    size = page.evaluate("[document.querySelector('#seen').width, document.querySelector('#seen').height]")
    assert size == [28, 28]
    assert f"curl --data-binary @picture.jpg {served.url}predict" == page.locator("#curl").inner_text()
    windows.look(page, "serve")


def test_what_is_drawn_is_answered_after_the_stroke(served: "Served", windows: "Windows") -> None:
    page = windows(served.url)
    box = page.locator("#paper").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 150, steps=4)
    page.mouse.move(box["x"] + 240, box["y"] + 220, steps=4)
    page.mouse.up()
    answered(page, " %")
    assert "not inverted (dark border)" in page.locator("#steps").inner_text()
    page.get_by_role("button", name="Clear the paper").click()


def test_a_file_that_is_no_picture_is_refused_in_words(
    served: "Served", windows: "Windows", tmp_path: Path, picture: Path
) -> None:
    page = windows(served.url)
    wrong = tmp_path / "wrong.png"
    wrong.write_text("<b>no picture</b>")
    page.get_by_label("Choose a picture").set_input_files(wrong)
    answered(page, "is not a JPEG, PNG, WebP, BMP or TIFF picture")
    assert page.locator("#result").is_hidden()
    (error,) = windows.errors  # of the browser itself, that the answer was 415
    assert "415" in error
    windows.errors.clear()
    page.get_by_label("Choose a picture").set_input_files(picture)
    answered(page, "Sandal, ")


def test_two_people_at_once_get_their_own_answers(
    served: "Served", windows: "Windows", picture: Path, tmp_path: Path
) -> None:
    pages = [windows(served.url), windows(served.url, width=390, has_touch=True)]
    for page in pages:
        page.get_by_label("Choose a picture").set_input_files(picture)
    for page in pages:
        answered(page, "Sandal, ")


def test_the_keyboard_is_enough(served: "Served", windows: "Windows") -> None:
    page = windows(served.url)
    page.locator("#about").filter(has_text="10 classes").wait_for()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert [name for name in reached if name][:3] == ["file", "camera", "clear"]
