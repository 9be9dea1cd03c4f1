"""What teachers say: of every image, once, in numbers; and how far a pupil is from that."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import files
from edgefashion.data import Dataset, split
from edgefashion.errors import BadInput
from edgefashion.models import ARCHITECTURES
from edgefashion.reporting import silent
from edgefashion.tensorflow import keras
from edgefashion.training import taught
from edgefashion.training.distillation import divergence
from edgefashion.training.runs import Run
from edgefashion.training.teacher import Answer, RunTeacher


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return taught.cache_folder()


def test_the_divergence_is_that_of_the_softened_distributions() -> None:
    generator = np.random.default_rng(0)
    taught, logits = generator.normal(size=(2, 5, 10)).astype(np.float32)

    def softened(values: Any) -> Any:
        powers = np.exp(values / 3)
        return powers / powers.sum(axis=1, keepdims=True)

    p, q = softened(taught), softened(logits)
    expected = 9 * (p * np.log(p / q)).sum(axis=1).mean()
    assert float(divergence(taught, logits, 3.0)) == pytest.approx(expected, rel=1e-5)
    assert float(divergence(taught, taught, 3.0)) == pytest.approx(0, abs=1e-6)


def test_a_teacher_speaks_of_every_image_and_its_mirror_image_once(
    trained: Run, sample: Dataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits, lines = split(sample, 60), []
    found = taught.logits(RunTeacher("trained", trained), splits, cache, lines.append)
    digest = sha256(np.asarray(splits.train.images).tobytes()).hexdigest()[:12]
    assert [path.name for path in cache.iterdir()] == [f"{files.sha256(trained.model_path)}-{digest}.npy"]
    model = keras.models.load_model(trained.model_path, compile=False)
    prepare = ARCHITECTURES["cnn"].prepare
    images = splits.train.images
    for side, pixels in zip(found, (images, images[:, :, ::-1]), strict=True):
        np.testing.assert_allclose(side, model(prepare(pixels)), atol=1e-4)
    monkeypatch.delattr(taught, "_ask")
    assert np.array_equal(taught.logits(RunTeacher("trained", trained), splits, cache, lines.append), found)
    assert "asked about 60 images" in lines[0]
    assert str(cache) in lines[1]


def test_a_damaged_cache_is_asked_for_again(trained: Run, sample: Dataset, cache: Path) -> None:
    splits = split(sample, 20)
    found = taught.logits(RunTeacher("trained", trained), splits, cache, silent)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    assert np.array_equal(taught.logits(RunTeacher("trained", trained), splits, cache, silent), found)


def test_it_is_said_how_far_the_asking_is(
    trained: Run, sample: Dataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taught, "TELL_S", -1.0)
    monkeypatch.setattr(taught, "BATCH_SIZE", 20)
    lines: list[str] = []
    taught.logits(RunTeacher("trained", trained), split(sample, 60), cache, lines.append)
    assert lines[1:] == [f"teacher trained: {count} of 60 images" for count in (20, 40, 60)]


def test_a_teacher_that_says_nothing(trained: Run, sample: Dataset, cache: Path) -> None:
    class Broken(RunTeacher):
        @contextmanager
        def answering(self, classes: int) -> Iterator[Answer]:
            yield lambda images: np.full((len(images), classes), np.nan, np.float32)

    with pytest.raises(BadInput, match="the teacher trained gives logits that are no numbers: take another"):
        taught.logits(Broken("trained", trained), split(sample, 20), cache, silent)
    assert not cache.exists()
