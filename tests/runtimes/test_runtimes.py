"""Runtimes and the processes they run in, on tiny real models and on the fake."""

import importlib.util
import json
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
from onnx import TensorProto, helper

from edgefashion import runtimes
from edgefashion.artifacts import artifact
from edgefashion.cli import main
from edgefashion.data import Dataset
from edgefashion.errors import ArtifactError, BadInput, MissingExtra, RuntimeCrash
from edgefashion.runtimes import base
from edgefashion.runtimes.base import BATCH, FIXED_BATCH
from edgefashion.runtimes.in_process import UNPROTECTED
from edgefashion.runtimes.inputs import TensorSpec, random_inputs
from edgefashion.runtimes.model import open_model
from edgefashion.runtimes.process import ModelProcess, peak_memory_mb
from edgefashion.runtimes.timing import random_in_turn

MODELS = Path(__file__).parents[1] / "files/models"
FOREIGN = MODELS.parent / "foreign-models"
REAL = ["tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx"]
Fake = Callable[..., Path]


@pytest.mark.parametrize("name", REAL)
def test_a_batch_says_what_single_images_say(name: str, sample: Dataset) -> None:
    images = sample.test.images[: 2 * BATCH + 3]  # the last batch is a partial one
    runtime = runtimes.for_file(MODELS / name)
    runtime.start()
    session = runtime.load(MODELS / name, threads=2)
    logits = session.predict(images)
    single = np.concatenate([session.infer([images[i : i + 1]])[0] for i in range(len(images))])
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
@pytest.mark.parametrize("in_process", [False, True])
def test_another_input_breaks_the_contract(suffix: str, in_process: bool, sample: Dataset) -> None:
    images = sample.test.images[:3]
    with open_model(MODELS / f"float-input.{suffix}", 1, in_process=in_process) as model:
        for use in (model.predict, model.warm_up):
            with pytest.raises(ArtifactError, match=r"expected uint8 \[N, height, .*\] in .*, found float"):
                use(images)


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
@pytest.mark.parametrize("in_process", [False, True])
def test_any_model_is_timed_on_random_inputs(suffix: str, in_process: bool) -> None:
    with open_model(FOREIGN / f"two-inputs.{suffix}", 1, in_process=in_process) as model:
        assert model.inputs == (TensorSpec("values", "float32", (1, 3)), TensorSpec("index", "int32", (1,)))
        model.warm_up(seconds=0)
        samples = model.measure(runs=3, seconds=0, at_most=60, loops=4)
        assert len(samples) == 3
        assert min(samples) > 0


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_an_inference_gives_all_outputs(suffix: str) -> None:
    path = FOREIGN / f"two-inputs.{suffix}"
    runtime = runtimes.for_file(path)
    runtime.start()
    values, index = np.float32([[1, 2, 3]]), np.int32([1])
    doubled, found = runtime.load(path, threads=1).infer([values, index])
    assert doubled.tolist() == [[2, 4, 6]]
    assert found.tolist() == [[7]]


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_an_open_shape_is_refused_in_one_line(suffix: str) -> None:
    with pytest.raises(ArtifactError, match=r"input picture has an open shape, float32 \[\?, \?, 3\]: "):
        ModelProcess(FOREIGN / f"open-shape.{suffix}", 1)


def test_an_input_of_text_is_refused_in_one_line(tmp_path: Path) -> None:
    text = helper.make_tensor_value_info("text", TensorProto.STRING, [1])
    copy = helper.make_tensor_value_info("copy", TensorProto.STRING, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["text"], ["copy"])], "text", [text], [copy])
    path = tmp_path / "text.onnx"
    path.write_bytes(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
        ).SerializeToString()
    )
    with pytest.raises(
        ArtifactError, match="input text is of type string, which random numbers cannot fill: "
    ):
        ModelProcess(path, 1)


def test_random_inputs_have_the_type_s_range_and_repeat() -> None:
    specs = [
        TensorSpec("a", "float32", (50,)),
        TensorSpec("b", "int8", (5000,)),
        TensorSpec("c", "uint16", ()),
        TensorSpec("d", "int64", (50,)),
        TensorSpec("e", "bool", (2, 25)),
    ]
    first, again = random_inputs(specs, 2), random_inputs(specs, 2)
    for one, other in zip(first, again, strict=True):
        assert [(a.dtype.name, a.shape) for a in one] == [(spec.dtype, spec.shape) for spec in specs]
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    floats, bytes_, _, indices, truths = first[0]
    assert 0 <= floats.min() < 0.2 < 0.8 < floats.max() <= 1
    assert (bytes_.min(), bytes_.max()) == (-128, 127)
    assert set(indices.tolist()) == {0, 1} == set(truths.ravel().tolist())
    assert any(not np.array_equal(a, b) for a, b in zip(*first, strict=True))


def test_random_inputs_are_few_where_they_are_big() -> None:
    assert len(random_in_turn([TensorSpec("big", "float32", (1, 1000, 1000))])) == 1
    assert len(random_in_turn([TensorSpec("small", "uint8", (1, 28, 28, 1))])) == 256


def test_a_model_of_other_inputs_in_the_fake_runtime(fake: Fake, sample: Dataset) -> None:
    path = fake(inputs=[["a", "float32", [None, 3]], ["b", "int8", [2]]])
    with ModelProcess(path, 1) as model:
        model.warm_up(seconds=0)
        assert len(model.measure(runs=2, seconds=0, at_most=9)) == 2
        with pytest.raises(ArtifactError, match="expected uint8"):
            model.predict(sample.test.images[:2])


def test_a_sample_is_the_mean_of_its_loops(fake: Fake, tmp_path: Path) -> None:
    trace = tmp_path / "calls.txt"
    with ModelProcess(fake(delay_us=2000, trace=str(trace)), 1) as model:
        model.warm_up(seconds=0)
        samples = model.measure(runs=3, seconds=0, at_most=60, loops=7)
    assert len(samples) == 3
    assert all(2000 < sample < 7 * 2000 for sample in samples)
    calls = len(trace.read_text().splitlines())
    with ModelProcess(fake("other", delay_us=2000, trace=str(tmp_path / "others.txt")), 1) as model:
        model.warm_up(seconds=0)
        model.measure(runs=3, seconds=0, at_most=60, loops=8)
    assert len((tmp_path / "others.txt").read_text().splitlines()) == calls + 3  # one more a sample


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_a_damaged_file_is_one_line(suffix: str, damage: str, tmp_path: Path) -> None:
    whole = (MODELS / f"tiny-float32.{suffix}").read_bytes()
    path = tmp_path / f"damaged.{suffix}"
    path.write_bytes({"truncated": whole[: len(whole) // 2], "foreign": b"PK\3\4 zip", "empty": b""}[damage])
    with pytest.raises(ArtifactError, match="cannot be loaded") as caught:
        ModelProcess(path, 1)
    assert "\n" not in str(caught.value)


def test_the_runtime_of_the_tests_is_no_part_of_the_package(tmp_path: Path) -> None:
    trace = tmp_path / "written"
    path = tmp_path / "artifacts/touch.fake"
    path.parent.mkdir()
    path.write_text(json.dumps({"trace": str(trace)}))
    with pytest.raises(ArtifactError, match=r"not a \.tflite or \.onnx file"):
        ModelProcess(path, 1)
    for verb in (["bench", str(path)], ["evaluate", str(path)], ["predict", str(path), "a.png"]):
        with pytest.raises(SystemExit) as stopped:
            main(verb)
        assert stopped.value.code == 2
    assert artifact.find(path.parent) == []
    assert not trace.exists()
    assert not importlib.util.find_spec("edgefashion.runtimes.fake")


def test_a_missing_file_and_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        ModelProcess(tmp_path / "no.tflite", 1)
    with pytest.raises(ArtifactError, match=r"not a \.tflite or \.onnx file"):
        ModelProcess(tmp_path / "model.pt", 1)


@pytest.mark.parametrize(
    ("name", "runtime", "package", "extra"),
    [
        ("tiny-int8.tflite", None, "ai-edge-litert", "litert"),
        ("tiny-float32.onnx", None, "onnxruntime", "onnx"),
        ("tiny-float32.onnx", "OpenVINO-bf16", "openvino", "openvino"),
    ],
)
def test_a_missing_package_names_its_extra(
    name: str, runtime: str | None, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = runtimes.for_file(MODELS / name, runtime)
    for module in ("ai_edge_litert", "ai_edge_litert.interpreter", "onnxruntime", "openvino"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: None)
    sys.path_importer_cache.clear()
    with pytest.raises(MissingExtra, match=rf"needs {package}.*pip install .*\[{extra}\]"):
        chosen.start()


def test_either_runtime_is_enough_for_its_own_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {"ai_edge_litert": MODELS / "tiny-int8.tflite", "onnxruntime": MODELS / "tiny-float32.onnx"}
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for gone, (lost, kept) in zip(paths, (paths.values(), reversed(paths.values())), strict=True):
        (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{gone!r}] = None\n")
        with pytest.raises(MissingExtra, match=rf"Running a {lost.suffix} file in [\w ]+ needs"):
            ModelProcess(lost, 1)
        with ModelProcess(kept, 1) as model:
            model.warm_up(seconds=0)


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
        pytest.raises(RuntimeCrash, match=r"stopped while predicting .*: no answer in the 0.5 s"),
        ModelProcess(fake(predict="hang"), 1) as model,
    ):
        model._left = model._timeout = 0.5  # a busy machine may take longer to start
        model.predict(sample.test.images[:9])


def test_a_child_killed_from_outside(fake: Fake, sample: Dataset) -> None:
    with ModelProcess(fake(), 1) as model:
        os.kill(model.pid, signal.SIGKILL)
        with pytest.raises(RuntimeCrash, match="died with SIGKILL while predicting"):
            model.predict(sample.test.images[:9])


def test_equal_seeds_agree_and_others_do_not(fake: Fake, sample: Dataset) -> None:
    answers = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        with ModelProcess(fake(name, seed=seed), 2) as model:
            answers.append(model.predict(sample.test.images).argmax(1))
    assert (answers[0] == answers[1]).all()
    assert (answers[0] != answers[2]).any()


def test_images_with_large_tensors_are_fewer_a_call(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their layers would outgrow the caches."""
    answers = []
    for large, batch in ((1 << 19, BATCH), (1, BATCH // 2)):
        monkeypatch.setattr("edgefashion.runtimes.litert.LARGE", large)
        with open_model(MODELS / "tiny-int8.tflite", 1, in_process=True) as model:
            answers.append(model.predict(sample.test.images[:35]))
            assert model.batch == batch
    np.testing.assert_array_equal(*answers)


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


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_peak_memory_in_a_run_of_its_own(fake: Fake, tmp_path: Path) -> None:
    trace = tmp_path / "calls.txt"
    peak = peak_memory_mb(fake(trace=str(trace)), 1, seconds=0)
    assert peak is not None and 5 < peak < 150
    assert trace.read_text().splitlines()


def test_a_kill_is_most_likely_for_lack_of_memory(fake: Fake, sample: Dataset) -> None:
    with pytest.raises(RuntimeCrash, match=r"out-of-memory killer: close other programs$"):
        ModelProcess(fake(load="SIGKILL"), 1)
    with pytest.raises(RuntimeCrash) as caught:
        ModelProcess(fake(load="SIGSEGV"), 1)
    assert "memory" not in str(caught.value)


def test_where_no_child_can_be_started(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "python"
    text.write_bytes(b"\x7fELF of another machine")
    text.chmod(0o755)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(sys, "executable", str(text))
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else None
    with pytest.raises(RuntimeCrash, match=r"\(Exec format error\): in_process=True is for"):
        ModelProcess(fake(), 1)
    assert before is None or len(list(descriptors.iterdir())) == before
    assert not list((tmp_path / "temporary").iterdir())


NEEDS_PINNING = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no pinning here")


@NEEDS_PINNING
def test_a_pinned_child_and_its_threads_stay_on_their_cpu() -> None:
    cpu = max(os.sched_getaffinity(0))
    with ModelProcess(MODELS / "tiny-float32.onnx", 3, pin=[cpu]) as model:
        model.warm_up(seconds=0)
        assert model.pid != os.getpid()
        assert os.sched_getaffinity(model.pid) == {cpu}
        last = max(int(task.name) for task in Path(f"/proc/{model.pid}/task").iterdir())
        assert os.sched_getaffinity(last) == {cpu}
    assert os.sched_getaffinity(0) != {cpu} or os.cpu_count() == 1


@NEEDS_PINNING
def test_pinned_in_process_until_it_is_closed(fake: Fake) -> None:
    before = os.sched_getaffinity(0)
    with open_model(fake(), 1, pin=[min(before)], in_process=True):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
    with pytest.raises(RuntimeCrash):
        open_model(fake(load="out of luck"), 1, pin=[min(before)], in_process=True)
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("in_process", [False, True])
@pytest.mark.parametrize("cpus", [[0, 9999], [-1], []])
def test_a_missing_cpu(in_process: bool, cpus: list[int], fake: Fake) -> None:
    with pytest.raises(BadInput, match="cannot pin"):
        open_model(fake(), 1, pin=cpus, in_process=in_process)


@pytest.mark.parametrize("name", REAL)
def test_in_process_says_what_a_child_says(name: str, sample: Dataset) -> None:
    images, answers = sample.test.images[:50], []
    for in_process in (False, True):
        with open_model(MODELS / name, 2, in_process=in_process) as model:
            answers.append(model.predict(images))
            model.warm_up(images, seconds=0)
            assert len(model.measure(runs=4, seconds=0, at_most=60)) == 4
            assert model.version[0].isdigit()
            assert model.load_ms > 0
            assert model.first_inference_us
            assert model.batch == BATCH
    assert np.array_equal(*answers)
    assert model.note == UNPROTECTED
    assert model.pid == os.getpid()


def test_in_process_errors_are_those_of_a_child(fake: Fake, sample: Dataset) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        open_model(Path("no.fake"), 1, in_process=True)
    for when in ("load", "predict", "infer"):
        messages = []
        for in_process in (False, True):
            with (
                pytest.raises(RuntimeCrash, match="RuntimeError: out of luck") as caught,
                open_model(fake(**{when: "out of luck"}), 1, in_process=in_process) as model,
            ):
                model.predict(sample.test.images[:2])
                model.warm_up(seconds=0)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


def test_no_process_and_no_file_is_left(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    model = ModelProcess(fake(), 1)
    model.close()
    model.close()
    assert model._child.end() == 0
    with pytest.raises(RuntimeCrash):
        ModelProcess(fake("other", load="SIGSEGV"), 1)
    assert not list((tmp_path / "temporary").iterdir())


def test_a_child_dies_with_its_parent_even_when_it_hangs(
    fake: Fake, dies_with_its_parent: Callable[..., bool]
) -> None:
    request = "predict(numpy.zeros((1, 28, 28, 1), 'uint8'))"
    assert dies_with_its_parent(fake(predict="hang"), request)


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
        "import sys, edgefashion.evaluation.evaluate, edgefashion.report;"
        "print({'ai_edge_litert', 'onnxruntime', 'tensorflow', 'rich'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_litert_in_this_process_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with open_model(MODELS / "tiny-int8.tflite", 1, in_process=True) as model:
        model.warm_up(seconds=0)
    assert capfd.readouterr().err == ""


def test_parts_that_a_coarse_clock_saw_no_time_pass_in_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 1.0)
    images = np.zeros((40, 1, 1, 1), np.uint8)
    logits = base.in_parts(images, lambda start, stop: np.zeros((stop - start, 2), np.float32), None)
    assert logits.shape == (40, 2)
