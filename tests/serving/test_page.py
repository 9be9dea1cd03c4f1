"""The page, opened in a browser: as people use it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edgefashion.artifacts import artifact
from edgefashion.task import Picture, Task

if TYPE_CHECKING:
    from browser import Windows
    from conftest import Serve, Served

HOSTILE = ("<img src=x onerror=alert(1)>", "\u202e</td><script>alert(2)</script>", "W" * 80)
PHOTOS = Task("<b>photos</b>", (20, 30, 3), HOSTILE, Picture("crop", (255, 255, 255), (255, 255, 255)))


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
    page.get_by_label("Choose a picture").set_input_files(picture)
    answered(page, "Sandal, ")
    assert page.title() == "cnn-64k-qat – edgefashion"
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
    answered(page, "wrong.png is not a JPEG, PNG, WebP, BMP or TIFF picture: convert it to one of these")
    assert page.locator("#result").is_hidden()
    (error,) = windows.errors  # of the browser itself, that the answer was 415
    assert "415" in error
    windows.errors.clear()
    page.get_by_label("Choose a picture").set_input_files(picture)
    answered(page, "Sandal, ")


def test_two_people_at_once_get_their_own_answers(
    served: "Served", windows: "Windows", picture: Path, tmp_path: Path
) -> None:
    desk, phone = windows(served.url), windows(served.url, width=390, has_touch=True, is_mobile=True)
    assert desk.get_by_text("Photograph").is_hidden() and phone.get_by_text("Photograph").is_visible()
    assert phone.locator("#photo").get_attribute("capture") == "environment"
    pages = [desk, phone]
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


@pytest.fixture
def pair(fake: Callable[..., Path], serve: "Serve") -> Iterator["Served"]:
    """A float32 and an int8 model of one run, of color pictures, whose classes have hostile names."""
    said = {"schema": 1, "run": "<i>run</i>", "run_id": "1", "small_run": False, "task": PHOTOS.to_dict()}
    inputs = [["image", "uint8", [None, 20, 30, 3]]]
    files = [
        fake(name, seed=seed, inputs=inputs, classes=3, edgefashion={**said, "precision": name})
        for seed, name in enumerate(("float32", "int8"))
    ]
    with serve([artifact.read(file) for file in files]) as served:
        yield served


def test_two_precisions_stand_side_by_side_and_no_name_is_markup(
    pair: "Served", windows: "Windows", picture: Path
) -> None:
    page = windows(pair.url)
    page.on("dialog", lambda dialog: windows.errors.append(dialog.message))
    page.get_by_label("Choose a picture").set_input_files(picture)
    answered(page, "float32: ")
    assert " · int8: " in page.get_by_role("status").inner_text()
    assert page.locator("#names").inner_text().split() == ["Class", "float32", "int8"]
    rows = page.locator("tbody th").all_inner_texts()
    assert sorted(rows) == sorted([HOSTILE[0], "\\u{202e}" + HOSTILE[1][1:], HOSTILE[2]])
    assert "\u202e" not in page.locator("body").inner_text()
    assert (
        page.locator("h1").inner_text() == "<i>run</i>"
        and page.locator("main img, main script, h1 i").count() == 0
    )
    assert page.evaluate("document.querySelector('#seen').width") == 30
    assert page.locator("#drawing").is_hidden()
    windows.look(page, "serve-pair")


def test_the_camera_takes_a_picture(served: "Served", windows: "Windows") -> None:
    page = windows(served.url)
    page.evaluate(
        """() => {
            const canvas = document.createElement("canvas");
            const paint = canvas.getContext("2d");
            setInterval(() => { paint.fillStyle = "white"; paint.fillRect(0, 0, 300, 150);
                paint.fillStyle = "black"; paint.fillRect(90, 30, 80, 90); }, 20);
            navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
        }"""
    )
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("document.querySelector('video').videoWidth > 0")
    page.get_by_role("button", name="Take it").click()
    answered(page, " %")
    assert "300x150, " in page.locator("#steps").inner_text()
    page.get_by_role("button", name="Stop the camera").click()
    assert page.locator("#live").is_hidden()
    assert page.evaluate("document.activeElement.id") == "camera"


def test_where_browsers_give_no_camera_the_page_says_so(served: "Served", windows: "Windows") -> None:
    page = windows(served.url)
    page.evaluate(
        """async () => {
            document.querySelector("#camera").hidden = true;
            Object.defineProperty(navigator, "mediaDevices", { value: undefined });
            (await import("/camera.js")).offerCamera(() => {}, () => {});
        }"""
    )
    assert "on https or localhost only" in page.locator("#camera-hint").inner_text()
    assert page.locator("#camera").is_hidden()


def test_a_server_that_has_gone_is_said(serve: "Serve", windows: "Windows", picture: Path) -> None:
    from edgefashion import zoo

    with serve(zoo.open_zoo().artifacts("zoo:cnn-64k")) as served:
        page = windows(served.url)
        page.locator("#about").filter(has_text="10 classes").wait_for()
    page.get_by_label("Choose a picture").set_input_files(picture)
    answered(page, "the server does not answer: is it still running?")
    windows.errors.clear()
