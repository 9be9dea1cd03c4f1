"""Pictures, classes and runs of any name: nothing of one is obeyed, by a terminal, JSON, CSV, Markdown, HTML
or SVG, on the whole way from pictures to a bundle.
"""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgefashion as ef
from edgefashion.escaping import visible

Typed = Callable[..., Any]

CLASSES = (
    *("a b 'q' \"d\"", "<i>x|y", "=cmd|x", "מימין", "\u202eturned"),
    *("--><script>,{}", "$\\frac$ `id` $(id)", "-e 😀", "[a](b) *c*"),
)
RUN = "=r '\u202e\x1b[31m<b>|$x,[a](b)😀"
FILE = "p '\u202e\x1b[31m\n<b>,=1 {}.png"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pictures, drawn at random."""
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for name in CLASSES:
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 255, (8, 8, 3), np.uint8)
            image.fromarray(pixels).save(folder / FILE.format(number), "PNG")
    return tmp_path / "photos"


def is_plain(text: str) -> bool:
    """Whether a terminal prints all of a text, and obeys none of it."""
    return all(line.isprintable() for line in text.splitlines())


def test_data_are_told_whatever_they_are_called(photos: Path, tmp_path: Path, typed: Typed) -> None:
    picture = tmp_path / "grid.svg"
    (photos / CLASSES[0] / FILE.format("bad")).write_bytes(b"no picture")
    done = typed("data", "--data", photos, "--plot", picture, code=2)
    assert is_plain(done.stdout) and is_plain(done.stderr)
    assert all(f" {visible(name)} " in done.stdout for name in CLASSES)
    assert "\\u202e\\x1b[31m\\n<b>" in done.stderr
    assert "<i>" not in picture.read_text()
    done = typed("data", "--data", photos, "--json", code=2)
    assert is_plain(done.stdout)
    assert list(json.loads(done.stdout)["classes"]) == sorted(CLASSES)


def test_pictures_are_classified_whatever_they_are_called(photos: Path, typed: Typed) -> None:
    path = photos / CLASSES[1] / FILE.format(1)
    done = typed("predict", "zoo:cnn-64k", path)
    assert is_plain(done.stdout) and is_plain(done.stderr)
    done = typed("predict", "zoo:cnn-64k", path, "--json")
    assert is_plain(done.stdout)
    assert json.loads(done.stdout)["images"][0]["image"] == str(path)


def test_from_pictures_to_a_bundle_nothing_of_a_name_is_obeyed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> None:
    monkeypatch.chdir(tmp_path)

    def told(*words: object) -> Any:
        done = typed(*words)
        assert is_plain(done.stdout) and is_plain(done.stderr), words
        return done

    told("train", "--data", photos, "--name", RUN, "--size", 12, "--epochs", 1, "--learning-rate", 1e-4)
    run = Path("runs") / RUN
    told("export", run, "--precision", "float32")
    for path in (run / "artifacts").glob("*.[to]*x"):
        path.with_name(f"{path.name}.json").rename("manifest.json")
        assert list(ef.read_artifact(path).labels or ()) == sorted(CLASSES)
        Path("manifest.json").rename(path.with_name(f"{path.name}.json"))
    quick = ("--threads", 1, "--seconds", 0.01, "--in-process")
    told(*("evaluate", run, *quick, "--json", "r.json", "--csv", "r.csv", "--markdown", "r.md"))
    told("card", run, "r.json", "-o", "CARD.md", "--plot", "confusion.svg")
    told("compare", "r.json", "--plot", "points.svg", "--csv", "c.csv", "--markdown", "c.md")
    told("inspect", run)
    (model, *_) = (run / "artifacts").glob("*.tflite")
    assert told("predict", model, photos / CLASSES[1] / FILE.format(1)).stdout
    said = typed("bundle", run, "-o", "b.zip", code=2).error
    assert "give it a plain name" in said and is_plain(said)
    shutil.copy(model, "plain.tflite")
    told("bundle", "plain.tflite", "-o", "b.zip", "--data", photos)
    told("bench", "b.zip", *quick, "--json", "b.json", "--csv", "b.csv", "--markdown", "b.md")
    with ef.open_bundle("b.zip") as bundle:
        assert list(bundle.task.classes) == sorted(CLASSES)
    Path("r.html").write_text(ef.read_results("r.json")._repr_html_())
    for name in ("r.csv", "c.csv", "b.csv"):
        text = Path(name).read_text()
        assert is_plain(text), name
        cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
        assert not [cell for cell in cells if cell[:1] in ("=", "@")], name
    for name in ("r.md", "c.md", "b.md", "CARD.md", "confusion.svg", "points.svg", "r.html"):
        text = Path(name).read_text()
        assert is_plain(text), name
        assert not re.search("<(script|i|b)>", text), name
        assert not (name.endswith(".md") and re.search(r"(?<!\\)\]\(b", text)), name


@pytest.mark.parametrize("name", ["new\nline", "\x1b[31mred", "\x7f"])
def test_a_class_that_cannot_be_printed_is_refused(name: str, photos: Path, typed: Typed) -> None:
    (photos / CLASSES[0]).rename(photos / name)
    said = typed("data", "--data", photos, code=2).error
    assert "characters of UTF-8 that can be printed" in said and is_plain(said)
