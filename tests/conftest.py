"""What several test files share."""

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from filelock import FileLock

from edgefashion import runtimes
from edgefashion.artifacts.formats import FORMATS, Variant
from edgefashion.data import Dataset, Picture, Task, fashion_mnist, idx, load_dataset, locate
from edgefashion.device import RecordedMachine
from edgefashion.runtimes.in_process import InProcessModel
from edgefashion.runtimes.process import ModelProcess

if TYPE_CHECKING:
    from browser import Windows
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from playwright.sync_api import Browser
    from sshd import Shelf

    from edgefashion.training.runs import Run

LONGEST = (
    "test_train",
    "test_emulated_pi",
    "test_any_task",
    "test_hosts",
    "test_environment",
    "test_other_task",
    "test_main_job",
    "test_light_install",
    "test_rounds",
    "test_replicas",
    "test_bench_tools",
    "test_outputs",
    "test_loop",
    "test_qat",
    "test_folds_measured",
    "test_versions",
    "test_compression",
    "test_quantize",
    "test_notebooks",
    "test_training",
    "test_verb",
    "test_any_model",
    "test_keep_float",
    "test_other_release",
    "test_serve",
    "test_models",
    "test_runtimes",
    "test_quantization_aware",
    "test_debug",
    "test_small_set",
    "test_zoo",
    "test_probe",
    "test_exporter",
)
"""The files of more than 15 s, longest first: no process is left with one when the others are done."""
MadeOnce = Callable[[str, Callable[[Path], object]], Path]

OTHER_TASK = Task(
    "wardrobe", (40, 24, 3), ("shoe", "top", "bag"), Picture("pad", (250, 250, 250), (230, 230, 230))
)


def pytest_configure() -> None:
    """Ctrl-C works in tests, also where a shell has started them in the background. No garbage is looked for
    while all is imported.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files; of each its tests stay in order."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish() -> None:
    """Python looks for garbage in what tests make, not again and again in all that they import."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def brief_looks() -> Iterator[None]:
    """No model runs for longer than it takes to look at the machine once; what is measured stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgefashion.benchmarking.watch.LOOK_S", 0.01)
        patch.setattr("edgefashion.benchmarking.watch.RAMP_S", 0.005)
        yield


@pytest.fixture(scope="session", autouse=True)
def in_this_process() -> Iterator[None]:
    """Exports run what they made in this process: a child for each takes longer than to run it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgefashion.runtimes.content.ModelProcess", InProcessModel)
        yield


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """A declared subset of Fashion-MNIST: 1,200 training and 400 test images."""
    return Path(__file__).parent / "files/fashion-mnist-sample"


@pytest.fixture(scope="session")
def sample(sample_folder: Path) -> Dataset:
    return load_dataset(sample_folder)


@pytest.fixture(scope="session")
def other_folder(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of another task: RGB images of 40x24, of three classes, 240 to learn from and 60 to test.

    They are pictures of the sample, cut to 24 columns, set into 40 rows and dyed.
    """
    folder = tmp_path_factory.mktemp("other") / "wardrobe"
    folder.mkdir()
    (folder / "task.json").write_text(json.dumps(OTHER_TASK.to_dict()))
    for images, labels, subset, each in (
        (fashion_mnist.TRAIN_IMAGES, fashion_mnist.TRAIN_LABELS, sample.train, 80),
        (fashion_mnist.TEST_IMAGES, fashion_mnist.TEST_LABELS, sample.test, 20),
    ):
        kinds = [np.isin(subset.labels, members) for members in ((5, 7, 9), (0, 2, 4, 6), (8,))]
        chosen = np.concatenate([np.flatnonzero(kind)[:each] for kind in kinds])
        mixed = np.random.default_rng(7).permutation(len(chosen))
        classes = np.repeat(np.arange(3, dtype=np.uint8), each)[mixed]
        (folder / images).write_bytes(idx.pack(_dyed(subset.images[chosen[mixed]])))
        (folder / labels).write_bytes(idx.pack(classes))
    return folder


def _dyed(images: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """uint8 [N, 28, 28, 1] → [N, 40, 24, 3]: each of a color of its own, on one nearly white."""
    random = np.random.default_rng(len(images))
    ground = random.integers(200, 256, (len(images), 1, 1, 3))
    color = random.integers(0, 160, (len(images), 1, 1, 3))
    shares = np.pad(images[:, :, 2:26] / 255, ((0, 0), (6, 6), (0, 0), (0, 0)))
    dyed: NDArray[np.uint8] = np.round(ground + shares * (color - ground)).astype(np.uint8)
    return dyed


@pytest.fixture(scope="session")
def other(other_folder: Path) -> Dataset:
    """What `other_folder` holds."""
    return load_dataset(other_folder)


@pytest.fixture(scope="session")
def wanting_downloads() -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """A block that skips the test where something cannot be had on this machine; in CI that is a failure.

    It finds the modules in tools/emulation whose errors these are.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "tools/emulation")
        unavailable = import_module("debian_packages").Unavailable

        @contextlib.contextmanager
        def block() -> Iterator[None]:
            try:
                yield
            except unavailable as error:
                if "EDGEFASHION_CI" in os.environ:
                    raise
                pytest.skip(str(error))

        yield block


@pytest.fixture
def unprivileged(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """unprivileged("-m", "edgefashion", …): exit code and output of a Python in `tmp_path` that, also
    where root runs the tests, may only do what the modes of files allow.
    """
    privileged = os.geteuid() == 0
    setpriv = shutil.which("setpriv")
    if privileged and not setpriv:
        pytest.skip("root may read everything, and there is no setpriv to take that away")
    dropped = [str(setpriv), "--bounding-set=-dac_override,-dac_read_search"] if privileged else []

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [*dropped, sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )
        return done.returncode, done.stdout

    return run


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample: Dataset) -> Path:
    """A machine without the data set, where the sample counts as all of it. Gives the cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache home"))
    monkeypatch.delenv(locate.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(locate, "PACKAGE_FOLDER", tmp_path / "not installed")
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ())
    for name, checksum in sample.checksums.items():
        monkeypatch.setitem(fashion_mnist.CHECKSUMS, name, checksum)
    return locate.cache_folder()


@pytest.fixture(scope="session")
def short_mobilenetv2() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """A block in which MobileNetV2 is its first four blocks, one of which adds; narrow, of 48x48 pixels."""
    from edgefashion.models import mobilenetv2
    from edgefashion.tensorflow import keras

    builder = keras.applications.MobileNetV2.__globals__
    block_of = builder["_inverted_res_block"]

    def no_more(tensor: Any, *, block_id: int, **options: Any) -> Any:
        return block_of(tensor, block_id=block_id, **options) if block_id < 3 else tensor

    @cache
    def first_blocks(size: tuple[int, int]) -> keras.Model:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(builder, "_inverted_res_block", no_more)
            model = keras.applications.MobileNetV2(
                input_shape=(*size, 3), include_top=False, weights=None, alpha=0.35
            )
        return keras.Model(model.input, model.get_layer("block_2_add").output)

    def untrained(_: float, size: tuple[int, int]) -> keras.Model:
        return keras.models.clone_model(first_blocks(size))

    @contextlib.contextmanager
    def block() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mobilenetv2, "SIZE", 48)
            patch.setattr(mobilenetv2, "_untrained", untrained)
            yield

    return block


@pytest.fixture
def short(short_mobilenetv2: Callable[[], contextlib.AbstractContextManager[None]]) -> Iterator[None]:
    """The same for a test."""
    with short_mobilenetv2():
        yield


@pytest.fixture
def fake_runtime(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the runtime of `.fake` files, which is known in this test, and to its child processes."""
    path = Path(__file__).with_name("fake_runtime.py")
    monkeypatch.syspath_prepend(path.parent)
    fakes = import_module("fake_runtime")
    monkeypatch.setitem(runtimes.RUNTIMES, *fakes.RUNTIME)
    monkeypatch.setitem(FORMATS, "fake", fakes.FORMAT)
    monkeypatch.setattr("edgefashion.runtimes.child.WORKER", (str(path),))
    monkeypatch.setattr("edgefashion.runtimes.content.ModelProcess", ModelProcess)
    return path


@pytest.fixture
def fake(tmp_path: Path, fake_runtime: Path) -> Callable[..., Path]:
    """Writes a `.fake` model file that behaves as told: fake("name", infer="SIGSEGV")."""

    def write(name: str = "model", **behavior: object) -> Path:
        path = tmp_path / f"{name}.fake"
        path.write_text(json.dumps(behavior))
        return path

    return write


@pytest.fixture
def machine() -> Callable[[str], RecordedMachine]:
    """machine("pi4"): the sources of a machine that is a folder; see tests/files/machines/README.md."""
    return lambda name: RecordedMachine(Path(__file__).parent / "files/machines" / name)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Shelf"]:
    """a, b = shelf("a", "b"): hosts on loopback, which the ssh of this test knows by these names."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    with import_module("sshd").shelf(tmp_path / "shelf") as made:
        monkeypatch.setenv("EDGEFASHION_SSH", made.ssh)
        yield made


@pytest.fixture
def figure_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Path], object]], "Figure"]:
    """figure_of(lambda path: plot(…, path)): the figure it saves, which passes what `figure_checks` asks of
    every picture.
    """
    monkeypatch.syspath_prepend(Path(__file__).parent)
    checks = import_module("figure_checks")

    def found(draw: Callable[[Path], object]) -> "Figure":
        with monkeypatch.context() as patch:
            figure: Figure = checks.figure_of(draw, tmp_path / "picture.png", patch)
            return figure

    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A headless browser. It ends with the file of tests: while it is there asyncio runs nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        with import_module("browser").chromium() as made:
            yield made


@pytest.fixture
def windows(chromium: "Browser") -> Iterator["Windows"]:
    """windows(path or URL): the page in a window of its own, which has no network but this machine's."""
    made = sys.modules["browser"].Windows(chromium)
    yield made
    made.end()


@pytest.fixture(scope="session")
def stopped() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """A block in which a training ends as by Ctrl-C when its first epoch is finished."""
    from edgefashion.training.checkpoints import TrainingState

    add_epoch = TrainingState.add_epoch

    def then_stop(state: TrainingState, *arguments: Any) -> None:
        add_epoch(state, *arguments)
        if state.epoch == 1:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def block() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TrainingState, "add_epoch", then_stop)
            with pytest.raises(KeyboardInterrupt):
                yield

    return block


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """made_once("name", make): a folder that `make` has filled, once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, made = shared / "shared" / name, shared / f"shared/{name}.made"
        folder.parent.mkdir(exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                made.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def trained(sample: Dataset, made_once: MadeOnce) -> "Run":
    """The CNN, trained for two epochs on the sample. Do not change its folder."""
    from edgefashion.recipes import RECIPES
    from edgefashion.training import runs
    from edgefashion.training.train import train

    recipe = replace(RECIPES["cnn"], epochs=2, batch_size=16)
    return runs.read(made_once("trained", lambda folder: train(recipe, sample, folder / "cnn")) / "cnn")


@pytest.fixture(scope="session")
def quantized_run(trained: "Run", sample: Dataset, made_once: MadeOnce) -> "Run":
    """`trained`, fine-tuned with the rounding of int8 in it on 100 images. Do not change its folder."""
    from edgefashion.training import fine_tuning, runs
    from edgefashion.training.train import train

    recipe = fine_tuning.recipe_from(trained, "qat", sample.checksums, batch_size=20, limit=100)
    return runs.read(made_once("quantized", lambda folder: train(recipe, sample, folder / "cnn")) / "cnn")


@pytest.fixture(scope="session")
def exported(trained: "Run", sample: Dataset, made_once: MadeOnce) -> "Run":
    """A copy of `trained` with float32 and int8 files in both formats. Do not change its folder."""
    from edgefashion.data import split
    from edgefashion.export.exporter import export_run
    from edgefashion.export.options import ExportOptions
    from edgefashion.training import runs

    def make(folder: Path) -> None:
        shutil.copytree(trained.folder, folder / "cnn")
        kinds = [
            Variant(format, precision) for format in ("tflite", "onnx") for precision in ("float32", "int8")
        ]
        options = ExportOptions(calibration_images=100, calibration="min-max")
        export_run(runs.read(folder / "cnn"), split(sample), kinds, options)

    return runs.read(made_once("exported", make) / "cnn")


@pytest.fixture(scope="session")
def zoo_folder(exported: "Run", sample: Dataset, made_once: MadeOnce) -> Path:
    """A zoo of that run, made as the shipped one is. Do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "tools")
        make = import_module("zoo_making").make
    return made_once("zoo", lambda folder: make(folder, [exported], sample))


@pytest.fixture
def along(zoo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose edgefashion comes with `zoo_folder`."""
    monkeypatch.setenv("EDGEFASHION_ZOO", str(zoo_folder))
    return zoo_folder


@pytest.fixture
def nothing_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose edgefashion comes without models."""
    monkeypatch.setenv("EDGEFASHION_ZOO", str(tmp_path / "no zoo"))
