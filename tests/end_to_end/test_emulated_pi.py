"""edgefashion on an emulated Raspberry Pi: this checkout's wheel computes there what it computes here."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from platformdirs import user_cache_path

import edgefashion
from edgefashion import bundle as bundles
from edgefashion import zoo
from edgefashion.artifacts import artifact
from edgefashion.cli import main
from edgefashion.data import Dataset
from edgefashion.evaluation import results
from edgefashion.training.runs import Run

if TYPE_CHECKING:
    from sshd import Shelf

ROOT = Path(__file__).parents[2]
TIMED = ("load_ms", "first_inference_us", "inferences_per_s", "macs_per_s")


def emulated_pi(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools/emulation/emulated_pi", *map(str, words)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module", autouse=True)
def built(wanting_downloads: Callable[[], AbstractContextManager[None]]) -> None:
    """What the boards share, so that a test that fails does so for another reason than a download."""
    with wanting_downloads():
        import_module("emulation").prepare("pi4", "bookworm")


@pytest.fixture(scope="module")
def bundle(exported: Run, sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the CNN gives in both formats, float32 and int8, with 20 images."""
    made = [artifact.read(path) for path in artifact.find(exported.artifacts)]
    return bundles.make(tmp_path_factory.mktemp("bundle") / "cnn.zip", made, sample, 20).path


def test_a_bundle_is_answered_as_here_and_nothing_is_timed(bundle: Path, tmp_path: Path) -> None:
    """On a Pi 4; a Pi 5, which has dot products, is the host below."""
    results = tmp_path / "results.json"
    words = ("bench", bundle, "--in-process", "--threads", 1, "--json", results)
    done = emulated_pi("--board", "pi4", "edgefashion", *words)
    found = json.loads(results.read_text())
    assert found["edgefashion"] == edgefashion.__version__
    device = found["device"]
    assert (device["machine"], device["cpu"]) == ("aarch64", "Cortex-A72")
    assert device["emulated"].startswith("qemu-aarch64")
    assert "emulated by qemu-aarch64" in done.stdout
    assert "p50" not in done.stdout
    with bundles.open_bundle(bundle) as host:
        for row, one in zip(found["results"], host.artifacts, strict=True):
            logits = host.logits[one.path.name]
            assert row["accuracy"] == np.mean(logits.argmax(axis=1) == host.labels)
            assert row["host"]["equal"]
            if (row["format"], row["precision"]) == ("tflite", "int8"):
                assert row["host"]["max_logit_error"] == row["host"]["tolerance"] == 0
            assert set(row["latency_us"].values()) <= {None, 0}
            assert [row[name] for name in TIMED] == [None] * len(TIMED)


def test_a_model_is_served_there() -> None:
    words = ("edgefashion", "serve", "zoo:cnn-64k-int8-qat.tflite", "--in-process", "--port", "0")
    command = [sys.executable, ROOT / "tools/emulation/emulated_pi", *words]
    variables, pipe = {**os.environ, "PYTHONPATH": str(ROOT)}, subprocess.PIPE
    sample = zoo.open_zoo().sample().test
    file = BytesIO()
    Image.fromarray(sample.images[0, ..., 0]).save(file, "PNG")
    with subprocess.Popen(command, env=variables, stdout=pipe, stderr=pipe, text=True) as server:
        try:
            assert server.stdout
            url = server.stdout.readline().strip()
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{url}predict", file.getvalue(), timeout=60) as answer:
                (found,) = json.loads(answer.read())["models"]
        finally:
            server.terminate()
        assert server.wait(30) == 143
    assert found["label"] == sample.labels[0]


def test_a_host_may_be_one(shelf: "Shelf", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf("pi")
    monkeypatch.chdir(tmp_path)
    models = [zoo.open_zoo().artifacts(f"zoo:cnn-64k-int8-qat.{format}")[0] for format in ("tflite", "onnx")]
    bundles.make(Path("zoo.zip"), models, zoo.open_zoo().sample(), 10)
    python = tmp_path / "python"
    emulated = f"exec {sys.executable} {ROOT / 'tools/emulation/emulated_pi'} --board pi5 python"
    cache = f"export XDG_CACHE_HOME={user_cache_path()} PYTHONPATH={ROOT}"
    own = f'case "$*" in *"edgefashion is"*) echo "edgefashion is {edgefashion.__version__} $0"; exit;; esac'
    python.write_text(f'#!/bin/sh\n{own}\n{cache}\n{emulated} "$@"\n')
    python.chmod(0o755)
    words = ("bench", "zoo.zip", "--in-process", "--threads", "1", "--host", "pi", "--python", str(python))
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert not ended.value.code
    found = results.read(tmp_path / "hosts/pi.json")
    assert (found.device.machine, found.device.cpu) == ("aarch64", "Cortex-A76") and found.device.emulated
    assert [row.format for row in found.rows] == ["tflite", "onnx"]
    assert all(row.host and row.host.equal for row in found.rows)


def test_the_exit_code_and_the_words_are_those_of_the_command() -> None:
    script = "import edgefashion, sys; print(edgefashion.__file__, sys.argv[1:]); sys.exit(7)"
    where, words = emulated_pi("python", "-P", "-c", script, "--board", "x", code=7).stdout.split(maxsplit=1)
    assert words == "['--board', 'x']\n"
    assert not Path(where).is_relative_to(ROOT), "it is not the wheel's"
    said = emulated_pi("edgefashion", "inspect", "gone.tflite", code=2).stderr
    assert said.startswith("edgefashion: gone.tflite")


def test_the_doctor_finds_it_unfit_to_measure() -> None:
    done = emulated_pi("--board", "pi3", "edgefashion", "doctor", code=1)
    assert "problem emulated      qemu-aarch64 -cpu cortex-a53 emulates the processor" in done.stdout
    assert "Raspberry Pi 3 Model B Plus: Cortex-A53" in done.stdout
    assert done.stdout.count("not tried: no child process can be started here") == 2
