"""Pictures and classes of any name: nothing of a name is obeyed, by a terminal, JSON or SVG."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.escaping import visible

Typed = Callable[..., Any]

CLASSES = ("a b 'q' \"d\"", "<i>x|y", "=cmd|x", "מימין", "\u202eturned")
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


@pytest.mark.parametrize("name", ["new\nline", "\x1b[31mred", "\x7f"])
def test_a_class_that_cannot_be_printed_is_refused(name: str, photos: Path, typed: Typed) -> None:
    (photos / CLASSES[0]).rename(photos / name)
    said = typed("data", "--data", photos, code=2).error
    assert "characters of UTF-8 that can be printed" in said and is_plain(said)
