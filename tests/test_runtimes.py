"""Runtimes and the processes they run in, on tiny real models and on the fake."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path

import numpy as np
import pytest

from edgefashion import runtimes
from edgefashion.data import Dataset
from edgefashion.errors import ArtifactError, MissingExtra, RuntimeCrash
from edgefashion.runtimes.base import BATCH, FIXED_BATCH
from edgefashion.runtimes.process import ModelProcess

MODELS = Path(__file__).parent / "data/models"
REAL = ["tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx"]
Fake = Callable[..., Path]


@pytest.mark.parametrize("name", REAL)
def test_a_batch_says_what_single_images_say(name: str, sample: Dataset) -> None:
    images = sample.test.images[: 2 * BATCH + 3]  # the last batch is a partial one
    runtime = runtimes.for_file(MODELS / name)
    runtime.start()
    session = runtime.load(MODELS / name, threads=2)
    logits = session.predict(images)
    single = np.concatenate([session.infer(images[i : i + 1]) for i in range(len(images))])
    assert logits.dtype == np.float32
    assert logits.shape == (len(images), 10)
    assert (logits.argmax(1) == single.argmax(1)).all()
    if single.dtype == np.float32:
        np.testing.assert_allclose(logits, single, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", REAL)
def test_predictions_do_not_depend_on_threads(name: str, sample: Dataset) -> None:
    answers = []
    for threads in (1, 3):
        with ModelProcess(MODELS / name, threads) as model:
            answers.append(model.predict(sample.test.images).argmax(1))
            assert (model.batch, model.note) == (BATCH, None)
    assert (answers[0] == answers[1]).all()
    assert np.mean(answers[0] == sample.test.labels) > 0.7


def test_int8_logits_come_back_on_the_scale_of_float32(sample: Dataset) -> None:
    logits = {}
    for precision in ("float32", "int8"):
        with ModelProcess(MODELS / f"tiny-{precision}.tflite", 1) as model:
            logits[precision] = model.predict(sample.test.images[:50])
    difference = np.abs(logits["int8"] - logits["float32"])
    assert difference.mean() < 0.05 * np.abs(logits["float32"]).max()


def test_a_fixed_batch_is_run_one_by_one_and_says_so(sample: Dataset) -> None:
    images = sample.test.images[:5]
    with ModelProcess(MODELS / "fixed-batch.tflite", 2) as model:
        logits = model.predict(images)
        assert (model.batch, model.note) == (1, FIXED_BATCH)
    with ModelProcess(MODELS / "tiny-float32.tflite", 2) as model:
        np.testing.assert_allclose(logits, model.predict(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_another_input_breaks_the_contract(suffix: str) -> None:
    with pytest.raises(ArtifactError, match=r"expected uint8 \[N, 28, 28, 1\] in .*, found float"):
        ModelProcess(MODELS / f"float-input.{suffix}", 1)


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_a_damaged_file_is_one_line(suffix: str, damage: str, tmp_path: Path) -> None:
    whole = (MODELS / f"tiny-float32.{suffix}").read_bytes()
    path = tmp_path / f"damaged.{suffix}"
    path.write_bytes({"truncated": whole[: len(whole) // 2], "foreign": b"PK\3\4 zip", "empty": b""}[damage])
    with pytest.raises(ArtifactError, match="cannot be loaded") as caught:
        ModelProcess(path, 1)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        ModelProcess(tmp_path / "no.tflite", 1)
    with pytest.raises(ArtifactError, match=r"not a \.tflite or \.onnx file"):
        ModelProcess(tmp_path / "model.pt", 1)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("tiny-int8.tflite", "ai-edge-litert", "litert"), ("tiny-float32.onnx", "onnxruntime", "onnx")],
)
def test_a_missing_package_names_its_extra(
    name: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ai_edge_litert", "ai_edge_litert.interpreter", "onnxruntime"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: None)
    sys.path_importer_cache.clear()
    runtime = runtimes.for_file(MODELS / name)
    with pytest.raises(MissingExtra, match=rf"needs {package}.*edgefashion\[{extra}\]"):
        runtime.start()


@pytest.mark.parametrize("when", ["load", "predict", "infer"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("SIGSEGV", "died with SIGSEGV while"),
        ("SIGILL", "died with SIGILL while"),
        ("SIGKILL", "died with SIGKILL while"),
        ("exit", "ended with exit code 3 while"),
        ("out of luck", "RuntimeError: out of luck"),
    ],
)
def test_a_crash_is_an_error_of_one_line(
    when: str, what: str, said: str, fake: Fake, sample: Dataset
) -> None:
    with pytest.raises(RuntimeCrash, match=said) as caught, ModelProcess(fake(**{when: what}), 1) as model:
        model.predict(sample.test.images[:9])
        model.warm_up(sample.test.images[:9], seconds=0)
    assert str(caught.value).startswith("Fake")
    assert "\n" not in str(caught.value)


def test_a_child_that_hangs_is_stopped(fake: Fake, sample: Dataset) -> None:
    with (
        pytest.raises(RuntimeCrash, match=r"after 0.5 s of silence while predicting"),
        ModelProcess(fake(predict="hang"), 1, timeout=0.5) as model,
    ):
        model.predict(sample.test.images[:9])


def test_a_child_killed_from_outside(fake: Fake, sample: Dataset) -> None:
    with ModelProcess(fake(), 1) as model:
        os.kill(model._child.pid, signal.SIGKILL)
        with pytest.raises(RuntimeCrash, match="died with SIGKILL while predicting"):
            model.predict(sample.test.images[:9])


def test_equal_seeds_agree_and_others_do_not(fake: Fake, sample: Dataset) -> None:
    answers = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        with ModelProcess(fake(name, seed=seed), 2) as model:
            answers.append(model.predict(sample.test.images).argmax(1))
    assert (answers[0] == answers[1]).all()
    assert (answers[0] != answers[2]).any()


@pytest.mark.parametrize("name", REAL)
def test_measuring(name: str, sample: Dataset) -> None:
    with ModelProcess(MODELS / name, 1) as model:
        model.warm_up(sample.test.images[:4], seconds=0)
        samples = model.measure(runs=7, seconds=0, at_most=60)
        assert len(samples) == 7
        assert all(sample > 0 for sample in samples)
        assert model.first_inference_us is not None and model.first_inference_us > 0
        assert model.load_ms > 0
        assert model.version[0].isdigit()


def test_a_block_ends_when_its_time_is_up(fake: Fake, sample: Dataset) -> None:
    with ModelProcess(fake(delay_us=20_000), 1) as model:
        model.warm_up(sample.test.images[:4], seconds=0)
        assert len(model.measure(runs=1000, seconds=9, at_most=0.05)) < 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_peak_memory_is_the_child_s_own(fake: Fake) -> None:
    ballast = np.ones(300_000_000, np.uint8)
    with ModelProcess(fake(), 1) as model:
        peak = model.peak_rss_mb()
    assert peak is not None and 5 < peak < 150
    assert ballast.all()


def test_no_process_and_no_file_is_left(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    model = ModelProcess(fake(), 1)
    model.close()
    model.close()
    assert model._child.returncode == 0
    with pytest.raises(RuntimeCrash):
        ModelProcess(fake("other", load="SIGSEGV"), 1)
    assert not list((tmp_path / "temporary").iterdir())


def test_a_child_dies_with_its_parent_even_when_it_hangs(fake: Fake) -> None:
    path = fake(predict="hang")
    script = (
        "import numpy, sys; from pathlib import Path; from edgefashion.runtimes.process import ModelProcess;"
        f"model = ModelProcess(Path({str(path)!r}), 1); print(model._child.pid, flush=True);"
        "model.predict(numpy.zeros((1, 28, 28, 1), 'uint8'))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    assert ended(pid)


def ended(pid: int) -> bool:
    """Whether a process is gone, or a zombie that its new parent has yet to bury, within ten seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_chatter_on_stdout_harms_nothing(
    tmp_path: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos.write(1, b'hello\\n')\nprint('{}')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ModelProcess(MODELS / "tiny-float32.tflite", 1) as model:
        assert len(model.predict(sample.test.images[:3])) == 3


def test_a_module_in_the_current_folder_is_not_imported(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('wrong numpy')\n")
    monkeypatch.chdir(tmp_path)
    with ModelProcess(fake(), 1) as model:
        assert model.runtime == "Fake"


def test_importing_the_parent_s_side_imports_no_runtime() -> None:
    script = (
        "import sys, edgefashion.evaluate, edgefashion.report;"
        "print({'ai_edge_litert', 'onnxruntime', 'tensorflow', 'rich'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
