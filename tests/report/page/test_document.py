"""The page: one file that asks for nothing, whatever a stranger wrote into what it shows."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest

from edgefashion.data import Task
from edgefashion.errors import BadInput, MissingExtra
from edgefashion.report.page import Model, Report, charts, document, facts, results, svg
from edgefashion.report.page.charts import Chart

SECTIONS = (
    "summary",
    "results",
    "cost",
    "quantization",
    "mistakes",
    "layers",
    "training",
    "devices",
    "provenance",
)


@pytest.fixture(scope="module")
def page(build: ModuleType, html: str) -> Any:
    return build.read(html)


def sections(page: Any) -> list[str]:
    return [str(told["id"]) for tag, told in page.elements if tag == "section"]


def outside_charts(page: Any) -> Counter[str]:
    """How often each element is there; of a chart only that it is one: how many ticks it has is its own."""
    inside = {"g", "use", "path", "text", "tspan", "defs", "clippath", "rect", "circle"}
    return Counter(tag for tag, _ in page.elements if tag not in inside)


def test_every_section_is_there_where_all_was_measured(page: Any) -> None:
    assert sections(page) == list(SECTIONS)
    for words in (
        "Architecture: cnn, 225,034 parameters",
        "epoch 6 of 6 is kept, the best on validation: 75.00 %",
        "throttled: all 2 rows: held back by heat at 82 °C",
        "75.0 % 62.8 to 84.2 % (95 % interval), 60 test images",
        "McNemar p",
        "As pets-int8.tflite answers for 60 test images: 15 of them get another class than their own",
        "Recall of each class",
        "50 validation images, against the float model: the same class for 98.0 % of them",
        "LiteRT 2.3.0, AMD EPYC, 2026-11-20",
        "(2) Raspberry Pi 4",
        "80 images of train, seed 0; ranges by entropy, the best of those tried",
        "Left out: lost.json is damaged",
    ):
        assert words in page.text
    assert "b" * 64 in page.text


def test_it_asks_for_nothing_and_a_browser_may_not(html: str, page: Any) -> None:
    assert not re.findall(r"(?:https?|ftp|ws)://", html)
    linked = [told[key] or "" for _, told in page.elements for key in ("src", "href") if key in told]
    assert linked and all(each.startswith(("data:image/", "#")) for each in linked)
    assert not {tag for tag, _ in page.elements} & {
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "foreignobject",
    }
    policies = [
        told["content"] for _, told in page.elements if told.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    allowed = dict(part.split(" ", 1) for part in str(policies[0]).split("; "))
    assert {name for name, value in allowed.items() if value == "'none'"} == {
        "default-src",
        "base-uri",
        "form-action",
    }
    assert allowed["img-src"] == "data:"
    style, _, script = page.scripts
    for name, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed[name] == f"'sha256-{digest}'"
    acting = [key for _, told in page.elements for key in told if key == "style" or key.startswith("on")]
    assert not acting


def test_what_a_stranger_wrote_adds_nothing_to_the_page(build: ModuleType, page: Any) -> None:
    machine = msgspec.structs.replace(build.MACHINE, board="<script>\u2028</script>", os="\x1b[31m")
    task = Task("</title><script>alert(1)</script>", build.PETS.image_shape, build.EVIL, build.PICTURE)
    found = build.report(task, "--><svg onload=alert(1)>")
    assert found.comparison is not None
    rows = [source.results for source in found.comparison.sources]
    evil = replace(found, comparison=build.compared(replace(rows[0], device=machine), rows[1])).to_html()
    read = build.read(evil)
    assert outside_charts(read) == outside_charts(page)
    assert not set("\u2028\u202e\x1b") & set(evil)
    assert "{{ 7 * 7 }}" in read.text
    cells = json.loads(read.scripts[1])["m0"]
    assert any("test image" in caption for pictures in cells.values() for _, caption in pictures)


def test_mistakes_are_called_by_their_files_whatever_these_are_called(build: ModuleType) -> None:
    (own,) = build.report().models
    files = np.array([f"cat/<b>\u202e{number}\udcff.png" for number in range(len(own.images))], object)
    text = Report((replace(own, images=replace(own.images, files=files)),), None, (), ()).to_html()
    text.encode()
    read = build.read(text)
    assert re.search(r"% sure, cat/<b>\S+[0-9]\S+\.png", read.text) and "\u202e" not in text
    captions = [told for cell in json.loads(read.scripts[1])["m0"].values() for _, told in cell]
    assert captions and all("% sure, cat/<b>" in told for told in captions)


def test_images_take_what_room_there_is_and_the_page_says_so(build: ModuleType) -> None:
    noisy = replace(build.PETS, image_shape=(96, 96, 3))
    own = build.model("noisy", noisy)
    assert own.card is not None and own.images is not None
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, own.images.images.shape, np.uint8)
    shown = replace(own, images=replace(own.images, images=pixels))
    few = len(Report((shown,), None, (), ()).to_html())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "MOST_BYTES", few - 40_000)
        text = Report((shown,), None, (), ()).to_html()
    assert few - 60_000 < len(text.encode()) <= few - 40_000
    assert "The page has no room for more images." in build.read(text).text


def test_forty_runs_have_room(monkeypatch: pytest.MonkeyPatch, build: ModuleType) -> None:
    drawn = Chart(f"<svg>{13_000 * ' '}</svg>", "a chart of the usual size")
    monkeypatch.setattr(charts, "curves", lambda *_: [drawn, drawn])
    monkeypatch.setattr(charts, "recalls", lambda *_: drawn)
    models = [build.model(f"run-{number}", build.PETS) for number in range(40)]
    results = [each.card.results for each in models if each.card]
    together = replace(results[0], rows=[row for each in results for row in each.rows])
    text = Report(tuple(models), build.compared(together), (), ()).to_html()
    assert len(text.encode()) <= document.MOST_BYTES
    page = build.read(text)
    assert "40 models on pets" in page.text and "The most accurate 6 of 40 models." in page.text
    folded = [told for tag, told in page.elements if tag == "details"]
    assert len(folded) == 120 and not any("open" in told for told in folded)


def test_what_was_not_measured_is_absent(build: ModuleType) -> None:
    own = build.model("pets", build.PETS)
    bare = Model(own.name, own.stories, (), build.PETS, None, None, "pets has no exports")
    page = build.read(Report((bare,), None, (), ()).to_html())
    assert sections(page) == ["training", "provenance"]
    assert "pets without answers to test images: pets has no exports" in page.text
    assert own.card is not None
    unknown = dict.fromkeys(("accuracy", "images", "mcnemar_p", "accuracy_delta", "accuracy_ci95"))
    rows = [build.timed(row, 10.0, **unknown) for row in own.card.results.rows]
    speed = replace(own.card.results, rows=rows, dataset=None)
    page = build.read(Report((), build.compared(speed), (), ()).to_html())
    assert sections(page) == ["results", "devices"]
    assert "Accuracy" not in page.text and "10.0" in page.text
    untimed = build.compared(own.card.results, replace(own.card.results, verb="evaluate"))
    page = build.read(Report((), untimed, (), ()).to_html())
    assert "Accuracy %, 60 images" in page.text and "p50" not in page.text


def test_a_file_has_one_accuracy_that_on_the_most_images(build: ModuleType) -> None:
    own = build.model("pets", build.PETS)
    assert own.card is not None
    for images, models, accuracy, most in (
        (30, (own,), "75.0 %", 60),
        (30, (), "90.0 %", 30),
        (90, (own,), "90.0 %", 90),
    ):
        told = {"images": images, "accuracy": 0.9, "accuracy_ci95": [0.7, 0.97]}
        rows = [
            build.timed(row, 10.0, **told, mcnemar_p=row.mcnemar_p and 0.123) for row in own.card.results.rows
        ]
        found = Report(models, build.compared(replace(own.card.results, rows=rows)), (), ())
        (headline,) = results.headlines(found)
        assert headline.accuracy == accuracy and f"{most} test images" in headline.interval
        assert any("10.0 µs" in fact for fact in headline.facts)
        assert ("(p 0.12)" in headline.facts[-1]) is (most != 60)
        beside = results.beside_float(found)
        assert beside is not None and [each.row.images for each in beside[0].rows] == [most]


def test_the_same_answers_are_called_so(build: ModuleType) -> None:
    own = build.model("pets", build.PETS).card.results
    rows = [build.timed(row, 10.0, agreement=1.0, mcnemar_p=1.0, accuracy_delta=0.0) for row in own.rows]
    text = build.read(Report((), build.compared(replace(own, rows=rows)), (), ()).to_html()).text
    assert "same answers" in text and "may be chance" not in text


def test_devices_are_told_in_words_and_round_figures(build: ModuleType) -> None:
    machine = msgspec.structs.replace(build.MACHINE, virtual="unnamed", memory_mb=24_105)
    own = replace(build.model("pets", build.PETS).card.results, device=machine)
    table = facts.devices(build.compared(own).sources)
    assert ["Virtual machine", "yes"] in table.cells and ["Memory", "24,105 MiB"] in table.cells


def test_a_model_without_mistakes_shows_no_confusion_and_says_what_that_means(build: ModuleType) -> None:
    own = build.model("pets", build.PETS)
    assert own.card is not None
    own.card.replies[own.card.deployed].logits = np.eye(3, dtype=np.float32)[own.card.labels]
    page = build.read(Report((own,), None, (), ()).to_html())
    assert "no confusion among 60 images, which says little" in page.text
    assert not [told for tag, told in page.elements if tag == "img" or told.get("class") == "confusion"]


def test_of_hundreds_of_classes_the_most_frequent_confusions_are_listed(build: ModuleType) -> None:
    task = replace(build.PETS, classes=tuple(f"class {number}" for number in range(120)))
    page = build.read(Report((build.model("many", task),), None, (), ()).to_html())
    assert "Most frequent confusions, many-int8.tflite" in page.text
    assert not [told for _, told in page.elements if told.get("class") == "confusion"]
    assert [tag for tag, _ in page.elements].count("img") == 15


def test_tables_charts_and_regions_have_names(page: Any) -> None:
    for tag, told in page.elements:
        if tag == "th":
            assert told["scope"] in ("col", "row")
        if tag == "svg":
            assert told.get("aria-label") or told.get("aria-hidden") == "true"
        if told.get("role") == "group":
            assert told.get("aria-label") or told.get("aria-labelledby")
    ids = [told["id"] for _, told in page.elements if "id" in told]
    assert len(ids) == len(set(ids))
    assert {"lang": "en"} in [told for tag, told in page.elements if tag == "html"]


def test_its_colors_are_those_of_the_page(html: str) -> None:
    charts = re.findall(r"(?s)<svg[^>]*class=\"chart\".*?</svg>", html)
    assert len(charts) == 8
    for chart in charts:
        assert not re.findall(r"#[0-9a-f]{6}\b", re.sub(r'(href|id)="[^"]*"|url\([^)]*\)', "", chart))
        assert "var(--ink)" in chart
    known = set(re.findall(r"--([\w-]+):", document._text("page.css")))
    assert set(svg.COLORS.values()) <= known


def test_only_pages_are_saved_and_whole(whole: Report, tmp_path: object) -> None:
    with pytest.raises(BadInput, match=r"is to end in \.html"):
        whole.save("report.md")


def test_what_is_lacking_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "is_installed", lambda package: package != "jinja2")
    with pytest.raises(MissingExtra, match=r"A report needs Jinja2.*\[report\]"):
        document.check()


def test_a_confused_image_is_the_one_that_was_confused(whole: Report, page: Any, build: ModuleType) -> None:
    (own,) = whole.models
    assert own.card is not None
    pixels = build.images(build.PETS).test.images
    cells = json.loads(page.scripts[1])["m0"]
    matrix = own.card.confusion(own.card.deployed)
    for key, pictures in cells.items():
        label, given = map(int, key.split("-"))
        assert label != given and len(pictures) == min(12, matrix[label, given])
        for source, caption in pictures:
            position = int(caption.rpartition(" ")[2])
            assert own.card.labels[position] == label
            assert np.abs(_pixel(source) - pixels[position, 0, 0]).max() < 12


def _pixel(source: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """The middle of an image of one color."""
    import io

    from PIL import Image

    content = base64.b64decode(source.removeprefix("data:image/webp;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)[20, 16]
