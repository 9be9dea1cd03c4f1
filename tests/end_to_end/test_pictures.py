"""The whole way of a user with a .zip file of pictures: each verb finds them and their classes again."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Typed = Callable[..., Any]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """60 pictures of 40x30: bright ones and dark ones, in folders with odd names."""
    path = tmp_path / "my photos.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(60):
            name, middle = ("it's bright", 190) if number % 2 else ("dark & odd", 60)
            noise = np.random.default_rng(number).integers(-50, 50, (30, 40, 3))
            Image.fromarray((middle + noise).astype(np.uint8)).save(tmp_path / "one.png")
            file.write(tmp_path / "one.png", f"photos/{name}/{number}.png")
    return path


def test_from_a_zip_file_to_a_bundle(
    archive: Path, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    said = typed(
        "train", "--data", str(archive), "--size", "28", "--epochs", "3", "--learning-rate", "0.003"
    ).stderr
    assert "taken from the folder inside: photos" in said
    assert "warning: the class " in said
    assert "for so few pictures --model mobilenetv2 is advised" in said
    exported = typed("export", "--format", "tflite", "--precision", "int8").stderr
    assert f"data: file {archive}, which the run was made with" in exported
    model = "runs/cnn/artifacts/cnn-int8.tflite"
    typed("evaluate", model, "--threads", "1", "--seconds", "0.01", "--in-process", "--json", "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["dataset"]["name"] == "my photos"
    assert found["dataset"]["counts"]["validation"] > 0
    picture = tmp_path / "new.webp"
    Image.new("RGB", (90, 50), (200, 200, 200)).save(picture)
    answer = json.loads(typed("predict", model, str(picture), "--in-process", "--json").stdout)
    assert answer["classes"] == ["dark & odd", "it's bright"]
    assert answer["images"][0]["predictions"][0]["top"][0]["class"] == "it's bright"
    lone = tmp_path / "lone.tflite"
    lone.write_bytes((tmp_path / model).read_bytes())
    said = typed("predict", lone, str(picture), "--in-process").stderr.splitlines()[-1]
    assert said == f"next: edgefashion evaluate {lone} --data PICTURES  # how often it is right"
    done = typed("evaluate", lone, code=2)
    assert done.stderr.splitlines() == [
        "edgefashion: the model is of my photos, and where that is, is not known here: name it with --data"
    ]
    assert "test images" in typed("bundle", "runs/cnn", "-o", "photos.zip").stdout
