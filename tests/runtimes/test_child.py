"""What may become of a model's process: how it ends, how much it takes, and that it outlives nobody."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgefashion.errors import OutOfMemory, OutOfTime, RuntimeCrash
from edgefashion.runtimes import allowance, endings
from edgefashion.runtimes.inputs import TensorSpec, random_inputs
from edgefashion.runtimes.model import open_model
from edgefashion.runtimes.process import ModelProcess

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests/files/models"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
Fake = Callable[..., Path]


def greedy(path: Path, megabytes: int) -> Path:
    """An ONNX file of 100 bytes whose one layer makes so many MiB out of a number."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [megabytes, 1 << 18])
    node = helper.make_node("Expand", ["x", "shape"], ["y"])
    graph = helper.make_graph([node], "greedy", [x], [y], [shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_every_exit_status_is_a_sentence() -> None:
    for code in (*range(256), *range(-1, -65, -1)):
        assert endings.how(code).startswith(("ended with exit code", "died with"))
    assert endings.how(-signal.SIGRTMIN - 3) == f"died with signal {signal.SIGRTMIN + 3}"
    assert endings.how(-11) == "died with SIGSEGV"


def test_a_real_time_signal_is_an_error_of_one_line(fake: Fake) -> None:
    with ModelProcess(fake(), 1) as model:
        os.kill(model.pid, signal.SIGRTMIN + 5)
        with pytest.raises(RuntimeCrash, match=f"died with signal {signal.SIGRTMIN + 5} while warming up"):
            model.warm_up(seconds=0)


@LINUX
def test_a_file_that_asks_for_gigabytes_gets_no_more_than_it_may(tmp_path: Path) -> None:
    path = greedy(tmp_path / "greedy.onnx", 3000)
    with ModelProcess(path, 1) as model:
        with pytest.raises(OutOfMemory, match=r"needs more than the \d+ MiB of memory that it may use"):
            model.warm_up(seconds=0)
        assert (model.peak_rss_mb() or 0) < 300
    with ModelProcess(greedy(path, 200), 1, memory_mb=300) as model:
        model.warm_up(seconds=0)
    with ModelProcess(path, 1, memory_mb=100) as model, pytest.raises(OutOfMemory, match="the 100 MiB"):
        model.warm_up(seconds=0)


@pytest.mark.parametrize("in_process", [False, True])
def test_an_input_larger_than_the_memory_is_never_made(fake: Fake, in_process: bool) -> None:
    for shape in ([1, 250_000_000], [2**40, 2**40]):
        with (
            pytest.raises(OutOfMemory, match=r"needs [\d,]+ MiB for its inputs, more than the"),
            open_model(fake(inputs=[["x", "float32", shape]]), 1, in_process=in_process) as model,
        ):
            model.warm_up(seconds=0)


def test_random_inputs_take_no_more_than_themselves_to_be_made() -> None:
    import tracemalloc

    for dtype in ("float32", "int8", "uint16", "bool", "int64", "float64"):
        spec = TensorSpec("x", dtype, (1 << 20,))
        tracemalloc.start()
        [[values]] = random_inputs([spec], 1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert values.dtype == dtype
        assert peak < 1.2 * spec.size_bytes + 100_000


def test_what_a_model_may_take_grows_with_its_file_and_ends_at_what_is_free(
    tmp_path: Path, machine: Callable[[str], object]
) -> None:
    small, large = MODELS / "tiny-int8.tflite", tmp_path / "large.tflite"
    with large.open("wb") as file:
        file.truncate(100 << 20)
    usual = allowance.usual_mb(small, 1, machine("missing"))
    assert usual < 700
    assert allowance.usual_mb(large, 1, machine("missing")) == pytest.approx(usual + 800, abs=1)
    assert allowance.usual_mb(small, 4, machine("missing")) == pytest.approx(usual + 192, abs=1)
    assert allowance.usual_mb(small, 1, machine("pi3")) == int(0.75 * 576)


@LINUX
@pytest.mark.parametrize("name", ["tiny-int8.tflite", "tiny-float32.onnx"])
def test_an_ordinary_model_runs_with_many_threads_in_a_tenth_of_it(name: str) -> None:
    images = np.zeros((40, 28, 28, 1), np.uint8)
    with ModelProcess(MODELS / name, 16, memory_mb=64) as model:
        assert len(model.predict(images)) == 40
        model.warm_up(images, seconds=0)
        assert model.measure(3, 0, 9)
        limit, _ = resource.prlimit(model.pid, resource.RLIMIT_DATA)
        assert limit != resource.RLIM_INFINITY


def test_the_time_of_loading_counts_for_the_first_answer(fake: Fake) -> None:
    begin = time.monotonic()
    with (
        pytest.raises(OutOfTime, match=r"stopped while warming up .*: no answer in the 1.5 s"),
        ModelProcess(fake(load_s=1.0, infer="hang"), 1, timeout=1.5) as model,
    ):
        model.warm_up(seconds=0)
    with pytest.raises(OutOfTime, match=r"stopped while loading .*: no answer in the 0.2 s"):
        ModelProcess(fake(load="hang"), 1, timeout=0.2)
    assert time.monotonic() - begin < 60


@LINUX
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_models_run_whatever_descriptor_is_closed(closed: str) -> None:
    script = (
        "from pathlib import Path; from edgefashion.runtimes.process import ModelProcess;"
        f"model = ModelProcess(Path({str(MODELS / 'tiny-int8.tflite')!r}), 1);"
        "model.warm_up(seconds=0); model.close(); raise SystemExit(7)"
    )
    command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, script]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == 7


@LINUX
def test_a_child_that_holds_python_s_lock_dies_with_its_parent(
    fake: Fake, dies_with_its_parent: Callable[..., bool]
) -> None:
    assert dies_with_its_parent(fake(infer="lock"), "warm_up(seconds=0)", seconds=0.5)
