"""Pictures that look the same."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion.data import load_dataset
from edgefashion.data.picture_sets import duplicates

Write = Callable[[Mapping[str, bytes]], Path]


def blobs(number: int) -> Image.Image:
    """A picture of 64x48 with soft shapes of its own."""
    small = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC)


def content(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def said(write: Write) -> Callable[[bytes], list[str]]:
    """The warnings of a set whose test has this picture too."""

    def warnings(other: bytes) -> list[str]:
        files = {
            f"{split}/{name}/{n}.png": content(blobs(1000 * len(split) + 100 * len(name) + n))
            for split in ("train", "test")
            for name in ("cat", "mouse")
            for n in range(6)
        }
        lines: list[str] = []
        load_dataset(
            write({**files, "train/cat/original.png": content(blobs(7)), "test/cat/b.png": other}),
            lines.append,
        )
        return [line for line in lines if "look the same" in line]

    return warnings


def test_a_copy_in_another_format_or_size_is_warned_of(said: Callable[[bytes], list[str]]) -> None:
    told = "warning: test/cat/b.png (test) and train/cat/original.png ("
    for other in (
        content(blobs(7), "JPEG", quality=70),
        content(blobs(7).resize((128, 96))),
        content(blobs(7).point(lambda value: min(255, value + 5))),
    ):
        assert [line.startswith(told) for line in said(other)] == [True]


def test_another_picture_and_one_of_other_colors_are_not(said: Callable[[bytes], list[str]]) -> None:
    red, green, blue = blobs(7).split()
    assert said(content(blobs(8))) == []
    assert said(content(Image.merge("RGB", (blue, green, red)))) == []
    assert said(content(Image.new("RGB", (64, 48), "white"))) == []


def test_look_alikes_are_searched_for_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        f"{split}/{name}/{n}.png": content(blobs(1000 * len(split) + 100 * len(name) + n))
        for split in ("train", "val", "test")
        for name in ("cat", "mouse")
        for n in range(3)
    }
    alike = {"train/cat/original.png": content(blobs(7)), "test/cat/b.jpg": content(blobs(7), "JPEG")}
    folder = write(files | alike)
    searched: list[int] = []
    search = duplicates.look_alikes
    monkeypatch.setattr(duplicates, "look_alikes", lambda given: searched.append(1) or search(given))
    told: list[list[str]] = []
    for times, new in ((1, ""), (1, ""), (2, "train/cat/new.png")):
        if new:
            (folder / new).write_bytes(content(blobs(99)))
        lines: list[str] = []
        load_dataset(folder, lines.append)
        told.append([line for line in lines if "look the same" in line])
        assert len(searched) == times
    assert "test/cat/b.jpg (test) and train/cat/original.png (train) look the same" in told[0][0]
    assert told[1] == told[2] == told[0]
