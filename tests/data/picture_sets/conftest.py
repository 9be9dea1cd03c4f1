"""Tiny sets of pictures."""

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """A file with noise of its own, by number."""

    def drawn(number: int, kind: str = "PNG", size: tuple[int, int] = (12, 10), channels: int = 3) -> bytes:
        shape = (size[1], size[0], channels)
        pixels = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
        content = io.BytesIO()
        how = {"compress_level": 0} if kind == "PNG" else {}  # the same bytes, whatever compresses
        Image.fromarray(pixels.squeeze()).save(content, kind, **how)
        return content.getvalue()

    return drawn


@pytest.fixture
def classes(picture: Callable[..., bytes]) -> Callable[..., dict[str, bytes]]:
    """Class folders with so many pictures each, from number `start` on."""

    def made(*names: str, each: int = 4, start: int = 0) -> dict[str, bytes]:
        return {
            f"{name}/{number}.png": picture(start + 1000 * place + number)
            for place, name in enumerate(names)
            for number in range(each)
        }

    return made


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, bytes]], Path]:
    """Writes files into `photos`, a new folder, and gives that."""

    def written(files: Mapping[str, bytes]) -> Path:
        folder = tmp_path / "photos"
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return written


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[[Mapping[str, bytes]], Path]:
    """Writes files into a .zip file, and gives that."""

    def written(files: Mapping[str, bytes]) -> Path:
        path = tmp_path / "photos.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name, content in files.items():
                file.writestr(name, content)
        return path

    return written
