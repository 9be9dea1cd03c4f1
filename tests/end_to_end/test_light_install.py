"""`pip install 'edgefashion[pi]'` into an empty environment: what comes, how big it is, what works."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion import runtimes, zoo
from edgefashion.data import Dataset

TFLITE, ONNX = (
    Path(__file__).parents[1] / "files/models" / name for name in ("tiny-int8.tflite", "tiny-float32.onnx")
)
LIMIT_MB = 190
"""What the extra may take on a Raspberry Pi, in MiB, as `du` counts; 20 of them are Pillow's."""
WHEEL = r"pip install '/.*/edgefashion-[0-9.]+-py3-none-any\.whl\[{}\]'"
"""How more is installed where a wheel was: from that wheel."""
TOO_MUCH = {"tensorflow", "keras", "tf_keras", "onnx", "tf2onnx", "matplotlib", "scipy", "pandas"}

Block = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Run:
    """Runs edgefashion of an environment, in a folder: run("inspect", file, code=0)."""

    environment: Path
    folder: Path

    def __call__(self, *words: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        command = [self.environment / "bin/python", "-m", "edgefashion", *map(str, words)]
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True)
        assert code in (None, done.returncode), done.stderr
        assert "Traceback" not in done.stderr
        return done


def make_environment(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wanting_downloads: Block) -> Path:
    """Folder of an environment that holds our wheel with [pi], and nothing else, not even pip."""
    with wanting_downloads():
        parts = import_module("emulation_parts")
        folder = tmp_path_factory.mktemp("light") / "venv"
        make_environment(folder)
        if shutil.which("uv"):
            words = ["uv", "pip", "install", "--python", str(folder)]
        else:
            words = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--no-compile"]
        words += ["--constraint", str(parts.CONSTRAINTS), f"edgefashion[pi] @ {parts.wheel().as_uri()}"]
        parts.run(words, "the environment cannot be filled")
        return folder


@pytest.fixture
def shoe_file(tmp_path: Path) -> Path:
    """A picture of a sandal on white."""
    with np.load(Path(zoo.__file__).parent / "sample.npz") as shipped:
        image = shipped["images"][list(shipped["labels"]).index(5)][..., 0]
    path = tmp_path / "shoe.png"
    Image.fromarray(np.kron(255 - image, np.ones((4, 4), np.uint8))).save(path)
    return path


@pytest.fixture
def light(installed: Path, tmp_path: Path) -> Run:
    return Run(installed, tmp_path)


def megabytes(folder: Path) -> float:
    """MiB in the files below a folder, but for bytecode."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc") / 2**20


def site_packages(folder: Path) -> Path:
    return next(folder.glob("lib/python*/site-packages"))


def test_nothing_for_training_comes_along(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packages = site_packages(installed)
    found = {path.name for path in packages.iterdir()}
    assert {"edgefashion", "ai_edge_litert", "onnxruntime", "numpy", "PIL", "h11"} <= found
    assert not TOO_MUCH & found
    assert "pip" not in found
    with capsys.disabled():
        print(f"\nedgefashion[pi] here: {megabytes(packages):.0f} MB, and the bytecode that pip compiles")


def test_the_models_for_the_machine_s_limit_come_along(installed: Path) -> None:
    script = (
        "from edgefashion.benchmarking.roofline import formats, matrix_product;"
        "print([matrix_product(f, i).path.is_file() for f in formats() for i in (False, True)])"
    )
    command = [installed / "bin/python", "-I", "-c", script]
    assert subprocess.check_output(command, text=True).strip() == "[True, True, True, True]"


@pytest.mark.parametrize("system", ["bookworm", "trixie"])
def test_it_is_small_on_a_raspberry_pi(
    system: str, wanting_downloads: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wheels for 64-bit Arm, unpacked as pip does."""
    with wanting_downloads():
        emulation = import_module("emulation")
        folders = emulation.packages(system)
    size = sum(megabytes(folder) for folder in folders)
    with capsys.disabled():
        print(f"\nedgefashion[pi] on Raspberry Pi OS {system}: {size:.0f} MB, at most {LIMIT_MB}")
    assert 100 < size <= LIMIT_MB


def test_files_are_inspected_evaluated_and_compared(light: Run, sample_folder: Path, sample: Dataset) -> None:
    assert light("inspect", TFLITE, ONNX).stdout.count("parameters  1,490") == 2
    options = ("--data", sample_folder, "--threads", 1, "--json", "results.json")
    light("evaluate", "--in-process", "--seconds", 0.05, TFLITE, ONNX, *options)
    rows = json.loads((light.folder / "results.json").read_text())["results"]
    for row, file in zip(rows, (TFLITE, ONNX), strict=True):
        runtime = runtimes.for_file(file)
        runtime.start()
        logits = runtime.load(file, threads=1).predict(sample.test.images)
        assert row["accuracy"] == np.mean(logits.argmax(axis=1) == sample.test.labels)
    assert " tiny-int8 " in light("compare", "results.json").stdout
    said = light("compare", "results.json", "--plot", "devices.png", code=1).stderr.splitlines()[-1]
    assert re.search(f"needs matplotlib, which is not installed: {WHEEL.format('plot')}$", said)


def test_a_bundle_and_a_lone_file_are_benched(light: Run, sample_folder: Path) -> None:
    light("bundle", ONNX, "-o", "tiny.zip", "--data", sample_folder, "--images", 20)
    options = ("--threads", 1, "--seconds", 0.01, "--json", "results.json")
    light("bench", "tiny.zip", TFLITE, *options)
    rows = json.loads((light.folder / "results.json").read_text())["results"]
    assert [row["status"] for row in rows] == ["ok"] * 2
    assert all(row["latency_us"]["p50"] > 0 for row in rows)
    assert [row["host"] and row["host"]["equal"] for row in rows] == [True, None]


def test_what_comes_along_is_measured_and_classifies_without_data(
    light: Run, along: Path, nowhere: Path, sample: Dataset
) -> None:
    light("bench", "--in-process", "--threads", 1, "--seconds", 0.01, "--json", "results.json")
    rows = json.loads((light.folder / "results.json").read_text())["results"]
    assert [row["path"] for row in rows] == ["zoo:cnn-int8.tflite", "zoo:cnn-int8.onnx"]
    assert all(row["images"] == 400 and row["latency_us"]["p50"] > 0 for row in rows)
    Image.fromarray(255 - np.kron(sample.test.images[0, ..., 0], np.ones((5, 5), np.uint8))).save(
        light.folder / "clothing.jpg"
    )
    done = light("predict", "zoo:cnn", "clothing.jpg", "--json")
    (image,) = json.loads(done.stdout)["images"]
    assert [len(each["top"]) for each in image["predictions"]] == [3, 3]
    light("card", "zoo:cnn", "results.json", "-o", "card.md")
    assert "One image at a time" in (light.folder / "card.md").read_text()


def test_a_model_is_served(light: Run, shoe_file: Path) -> None:
    command = [light.environment / "bin/python", "-m", "edgefashion", "serve", "zoo:cnn-64k", "--port", "0"]
    variables = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "EDGEFASHION_ZOO")
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=light.folder, env=variables, stdout=pipe, stderr=pipe, text=True
    ) as server:
        try:
            assert server.stdout
            url = server.stdout.readline().strip()
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{url}predict", shoe_file.read_bytes(), timeout=20) as answer:
                assert json.loads(answer.read())["models"][0]["class"] == "Sandal"
            with opener.open(url, timeout=20) as page:
                assert b"<title>edgefashion</title>" in page.read()
        finally:
            server.terminate()
        assert server.wait(20) == 143


def test_a_wheel_holds_what_the_package_has_and_nothing_that_was_deleted(
    installed: Path, wanting_downloads: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made as README says, in a checkout where another build tool left a module that is gone by now."""
    with wanting_downloads():
        parts = import_module("emulation_parts")
        for name in ("edgefashion", "export"):
            shutil.copytree(parts.CHECKOUT / name, tmp_path / "here" / name, symlinks=True)
        for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
            shutil.copy(parts.CHECKOUT / name, tmp_path / "here")
        left = tmp_path / "here/build/lib/edgefashion/deleted.py"
        left.parent.mkdir(parents=True)
        left.touch()
        (tmp_path / "wheel").mkdir()
        monkeypatch.setattr(parts, "CHECKOUT", tmp_path / "here")
        parts.make_wheel(tmp_path / "wheel", lambda line: None)
    packages = tmp_path / "wheel/unpacked"
    found = {path.relative_to(packages) for path in packages.rglob("*") if path.is_file()}
    sources = {"edgefashion": Path("edgefashion"), "export": Path("edgefashion/export")}
    there = {
        inside / path.relative_to(tmp_path / "here" / name)
        for name, inside in sources.items()
        for path in (tmp_path / "here" / name).rglob("*")
        if path.is_file()
        and path.suffix not in (".pyc", ".md", ".png")
        and path.name != "accuracy-and-latency.json"  # of the picture
    }
    assert {path for path in found if not path.parts[0].endswith(".dist-info")} == there
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "LICENSE", "README.md", "build", "constraints.txt", "edgefashion", "export", "pyproject.toml",
    ]  # fmt: skip


def test_the_shipped_models_are_in_the_wheel(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEFASHION_ZOO", raising=False)
    shipped = zoo.open_zoo()
    assert zoo.open_zoo(site_packages(installed) / "edgefashion/zoo").info == shipped.info
    for name in shipped.info.files:
        found = site_packages(installed) / "edgefashion/zoo" / name
        assert found.read_bytes() == (shipped.folder / name).read_bytes()


def test_the_doctor_runs_both_runtimes_and_knows_what_is_not_there(light: Run) -> None:
    """Its exit code depends on what else this machine does."""
    found = json.loads(light("doctor", "--json", code=None).stdout)["findings"]
    said = {finding["topic"]: finding for finding in found}
    assert [said[name]["level"] for name in ("LiteRT", "ONNX Runtime", "export")] == ["ok", "ok", "note"]
    assert re.fullmatch(WHEEL.format("train"), said["export"]["mend"])


@pytest.mark.parametrize(
    ("module", "fails", "works", "extra"),
    [("onnxruntime", ONNX, TFLITE, "onnx"), ("ai_edge_litert", TFLITE, ONNX, "litert")],
)
def test_either_runtime_alone_runs_its_own_files(
    module: str, fails: Path, works: Path, extra: str, installed: Path, sample_folder: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    make_environment(alone)
    for path in site_packages(installed).iterdir():
        if not path.name.startswith(module):
            (site_packages(alone) / path.name).symlink_to(path)
    run = Run(alone, tmp_path)
    options = ("--in-process", "--seconds", 0.05, "--threads", 1, "--data", sample_folder)
    done = run("evaluate", works, *options)
    assert f" {works.stem} " in done.stdout
    said = run("evaluate", fails, "--data", sample_folder, code=1).stderr.splitlines()[-1]
    assert re.search(f"which is not installed: {WHEEL.format(extra)}$", said)


@pytest.mark.parametrize(
    ("words", "said", "extra"),
    [
        (["train"], "Training and exporting need tensorflow, which is not installed", "train"),
        (["data", "--plot", "grid.png"], "Drawing needs matplotlib, which is not installed", "plot"),
    ],
)
def test_another_verb_names_the_extra_it_needs(
    words: list[str], said: str, extra: str, light: Run, sample_folder: Path
) -> None:
    last = light(*words, "--data", sample_folder, code=1).stderr.splitlines()[-1]
    assert re.fullmatch(f"edgefashion: {said}: {WHEEL.format(extra)}", last)
