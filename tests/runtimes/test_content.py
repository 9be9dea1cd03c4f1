"""A model that is not a file yet, run once."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from edgefashion.errors import ArtifactError, RuntimeCrash
from edgefashion.files.stored import without_name
from edgefashion.runtimes.content import run_content

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)


@pytest.fixture(autouse=True)
def folder(fake_runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_its_logits_and_what_gave_them(folder: Path) -> None:
    logits, runtime = run_content(b'{"seed": 3}', "a.fake", IMAGES)
    assert (logits.shape, logits.dtype, runtime) == ((3, 10), np.float32, "Fake 1.0")
    assert list(folder.iterdir()) == []


def test_images_in_a_file_get_the_logits_of_those_in_memory(folder: Path) -> None:
    images = np.tile(IMAGES, (10, 1, 1, 1))
    stored = without_name(folder, images.dtype, images.shape[1:], [images])
    found, _ = run_content(b'{"seed": 3}', "a.fake", stored)
    assert np.array_equal(found, run_content(b'{"seed": 3}', "a.fake", images)[0])


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b'{"predict": "SIGSEGV"}', RuntimeCrash, "SIGSEGV"),
        (b"[]", ArtifactError, r"a\.fake cannot be loaded"),
    ],
)
def test_one_that_cannot_run_is_an_error_and_leaves_nothing(
    content: bytes, error: type[Exception], words: str, folder: Path
) -> None:
    with pytest.raises(error, match=words):
        run_content(content, "a.fake", IMAGES)
    assert list(folder.iterdir()) == []
