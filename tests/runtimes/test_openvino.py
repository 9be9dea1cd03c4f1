"""OpenVINO, where it is installed: it answers as ONNX Runtime does, computes in what it is told, is quiet."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import runtimes, zoo
from edgefashion.data import Dataset
from edgefashion.errors import ArtifactError, RuntimeCrash
from edgefashion.runtimes.base import BATCH, FIXED_BATCH, Session
from edgefashion.runtimes.inputs import random_inputs
from edgefashion.runtimes.process import ModelProcess

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("openvino") and "EDGEFASHION_CI" not in os.environ, reason="no OpenVINO"
)
FILES = Path(__file__).parents[1] / "files"
TINY, FOREIGN = FILES / "models/tiny-float32.onnx", FILES / "foreign-models"


def session(path: Path, name: str, threads: int = 1, sizes: tuple[int, ...] = ()) -> Session:
    runtime = runtimes.for_file(path, name)
    assert runtime.start()[0].isdigit()
    return runtime.load(path, threads, sizes)


@pytest.fixture
def bfloat16() -> str:
    """The name of the runtime that computes in it, where this processor can."""
    try:
        runtimes.for_file(TINY, "OpenVINO-bf16").start()
    except RuntimeCrash as error:
        pytest.skip(str(error))
    return "OpenVINO-bf16"


@pytest.mark.parametrize("threads", [1, 3])
def test_float32_is_that_of_onnx_runtime_in_batches_and_one_by_one(threads: int, sample: Dataset) -> None:
    images = sample.test.images[: 5 * BATCH + 3]
    expected = session(TINY, "ONNX Runtime").predict(images)
    own = session(TINY, "OpenVINO", threads)
    logits = own.predict(images)
    single = np.concatenate([own.infer([images[i : i + 1]])[0] for i in range(len(images))])
    assert (own.batch, own.note, logits.dtype) == (BATCH, None, np.float32)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(single, expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_is_another_precision_and_nearly_as_right(bfloat16: str, sample: Dataset) -> None:
    images, labels = sample.test.images[:200], sample.test.labels[:200]
    exact, rounded = (session(TINY, name).predict(images) for name in ("OpenVINO", bfloat16))
    assert 1e-3 < np.abs(exact - rounded).max() < 0.3
    assert abs(int((exact.argmax(1) == labels).sum() - (rounded.argmax(1) == labels).sum())) <= 4


def test_a_processor_without_bfloat16_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Core:
        def get_property(self, *_: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setattr("edgefashion.runtimes.openvino._core", Core)
    with pytest.raises(RuntimeCrash, match=r"no instructions for bfloat16: measure with openvino$"):
        runtimes.for_file(TINY, "OpenVINO-bf16").start()


def test_int8_files_answer_nearly_as_in_onnx_runtime() -> None:
    images = zoo.open_zoo().sample().test.images[:200]
    path = next(each.path for each in zoo.open_zoo().artifacts("zoo:cnn-64k") if each.format == "onnx")
    first, second = (session(path, name).predict(images) for name in ("ONNX Runtime", "OpenVINO"))
    assert np.mean(first.argmax(1) == second.argmax(1)) > 0.97


@pytest.mark.parametrize("threads", [1, 2])
def test_it_has_the_threads_and_computes_in_what_it_was_told(threads: int) -> None:
    own: Any = session(TINY, "OpenVINO", threads)
    for compiled, streams in ((own._request.get_compiled_model(), 1), (own._compile_batch(), threads)):
        settings = {name: compiled.get_property(name) for name in ("INFERENCE_NUM_THREADS", "NUM_STREAMS")}
        assert settings == {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams}
        assert compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


@pytest.mark.parametrize(("name", "sizes"), [("two-inputs.onnx", ()), ("open-shape.onnx", (1, 5, 3))])
def test_any_model_is_run(name: str, sizes: tuple[int, ...]) -> None:
    theirs, own = (session(FOREIGN / name, each, sizes=sizes) for each in ("ONNX Runtime", "OpenVINO"))
    assert own.inputs == theirs.inputs
    (inputs,) = random_inputs(own.inputs, 1)
    for expected, found in zip(theirs.infer(inputs), own.infer(inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_open_size_is_named() -> None:
    with pytest.raises(ArtifactError, match=r"input picture has an open shape, float32 \[\?, \?, 3\]"):
        session(FOREIGN / "open-shape.onnx", "OpenVINO")


def test_a_batch_that_does_not_fit_the_model_is_one_image(sample: Dataset, tmp_path: Path) -> None:
    from onnx import load, save

    model = load(str(TINY))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    save(model, str(tmp_path / "fixed.onnx"))
    own = session(tmp_path / "fixed.onnx", "OpenVINO", 2)
    assert own.predict(sample.test.images[:5]).shape == (5, 10)
    assert (own.batch, own.note) == (1, FIXED_BATCH)


OTHERS = {
    "truncated": TINY.read_bytes()[: TINY.stat().st_size // 2],
    "empty": b"",
    "zip": b"PK\3\4 zip",
    "TFLite": (FILES / "models/tiny-float32.tflite").read_bytes(),
    "OpenVINO's own": b'<?xml version="1.0"?><net name="x" version="11"><layers/></net>',
}
"""Files that OpenVINO would read as what they are."""


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_what_is_no_onnx_is_one_line(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(
        ArtifactError, match=r"other.onnx cannot be loaded \([^)]+\): copy it again$"
    ) as caught:
        session(path, "OpenVINO")
    assert "\n" not in str(caught.value) and "src/" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_model_that_only_others_run_is_one_line(tmp_path: Path) -> None:
    from onnx import load, save

    model = load(str(TINY))
    model.graph.node[0].op_type = "Unheard"
    save(model, str(tmp_path / "odd.onnx"))
    with pytest.raises(
        ArtifactError, match=r"OpenVINO runs \(No [^)\n]+ Unheard[^)\n]*\): measure it with onnxruntime$"
    ):
        session(tmp_path / "odd.onnx", "OpenVINO")


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/na\xffme.onnx"))
    path.write_bytes(TINY.read_bytes())
    assert session(path, "OpenVINO").inputs


def test_in_a_process_of_its_own_it_is_timed_and_leaves_nothing(
    sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    with ModelProcess(TINY, 2, runtime="OpenVINO") as model:
        model.warm_up(sample.test.images[:4], seconds=0)
        assert len(model.measure(runs=5, seconds=0, at_most=60)) == 5
        assert model.runtime == "OpenVINO" and model.first_inference_us
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]
