"""Which runtime runs a file: the default of its format, or another one by its name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import pytest

from edgefashion import runtimes
from edgefashion.api.measure import benchmark
from edgefashion.artifacts import artifact
from edgefashion.artifacts.formats import FORMATS, open_place
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.cli import main
from edgefashion.cli._options import runtime_option
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.evaluation.columns import result_tables
from edgefashion.evaluation.evaluate import assess
from edgefashion.evaluation.predictions import Candidate
from edgefashion.report.compare.devices import DeviceResults
from edgefashion.report.compare.join import compare
from edgefashion.runtimes import RUNTIMES
from edgefashion.runtimes.model import open_model

MODEL = Path(__file__).parents[1] / "files/models/tiny-float32.onnx"
QUICK = BenchmarkOptions(rounds=2, samples=4, seconds=0.01, warm_up_seconds=0)


@pytest.fixture
def second(fake_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a second runtime of `.onnx` files, which takes one entry in the registry."""
    assert fake_runtime
    monkeypatch.setitem(RUNTIMES, *import_module("fake_runtime").SECOND)
    return "Second"


def test_every_format_has_a_runtime_and_every_runtime_its_name() -> None:
    for format in FORMATS:
        assert runtimes.names(format)
    for (format, name), place in RUNTIMES.items():
        assert format in FORMATS
        assert open_place(place).name == name


def test_the_default_runtime_of_a_format_is_its_first(second: str) -> None:
    assert runtimes.names("onnx") == ["ONNX Runtime", "OpenVINO", "OpenVINO-bf16", second]
    assert runtimes.for_file(MODEL).name == "ONNX Runtime"
    assert runtimes.for_file(MODEL, second).name == second
    with pytest.raises(BadInput, match=r"Second does not run \.tflite files: choose from LiteRT"):
        runtimes.for_file(Path("model.tflite"), second)
    with pytest.raises(ArtifactError, match=r"is not a \.tflite, \.onnx or \.fake file"):
        runtimes.for_file(Path("model.pb"))


def test_a_runtime_is_called_by_its_name_in_any_spelling() -> None:
    for text in ("openvino-bf16", "OpenVINO bf16", "openvino_BF16"):
        assert runtimes.named(text) == "OpenVINO-bf16"
    assert [runtimes.named(runtimes.called(name)) for _, name in RUNTIMES] == [name for _, name in RUNTIMES]
    with pytest.raises(
        BadInput, match=r"no runtime 'open\\x1bvino': choose from litert, onnxruntime, openvino"
    ):
        runtimes.named("open\x1bvino")


def test_files_that_no_chosen_runtime_runs_keep_their_usual_one() -> None:
    assert runtimes.chosen(None, ["onnx"]) == {"onnx": []}
    assert runtimes.chosen("openvino", ["tflite", "onnx"]) == {"tflite": [], "onnx": ["OpenVINO"]}
    with pytest.raises(BadInput, match=r"OpenVINO runs none of these files: choose from litert$"):
        runtimes.chosen(["litert", "openvino"], ["tflite"])
    with pytest.raises(BadInput, match=r"a runtime has to be a str, not 3"):
        runtimes.chosen([3], ["tflite"])  # type: ignore[list-item]


@pytest.mark.parametrize("verb", ["bench", "evaluate"])
def test_what_no_runtime_is_called_is_one_line(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([verb, "zoo:cnn-64k", "--runtime", "tensorrt"])
    (line,) = (line for line in capsys.readouterr().err.splitlines() if not line.startswith("data: "))
    assert stopped.value.code == 2 and "no runtime 'tensorrt': choose from" in line


@pytest.mark.parametrize(
    "words", [["--runtime=a", "--runtime=b", "--runtime=c"], ["--runtime=a, b", "--runtime=c"]]
)
def test_runtimes_are_separated_by_commas_or_given_each(words: list[str]) -> None:
    command = click.command()(runtime_option(lambda runtime: None))
    assert command.make_context("bench", words).params == {"runtime": ("a", "b", "c")}


def test_help_names_all_runtimes() -> None:
    (option,) = runtime_option(lambda: None).__click_params__
    assert all(runtimes.called(name) in option.help for _, name in RUNTIMES)


@pytest.mark.parametrize("in_process", [False, True])
def test_another_runtime_gives_its_own_answers(second: str, in_process: bool) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    logits = {}
    for name in (None, second):
        with open_model(MODEL, 1, in_process=in_process, runtime=name) as model:
            logits[model.runtime] = model.predict(images)
    assert [*logits] == ["ONNX Runtime", second]
    assert not np.allclose(*logits.values())


def test_one_file_is_measured_with_two_runtimes_and_compared_by_runtime(
    second: str, fake: Callable[..., Path]
) -> None:
    results = benchmark(MODEL, threads=[1], options=QUICK, runtime=["onnxruntime", "SECOND", second])
    assert [(row.runtime, row.status) for row in results.rows] == [
        ("ONNX Runtime", "ok"),
        (second, "ok"),
    ]
    (latency,) = result_tables(results)
    names = [column.title for column in latency.columns]
    assert [cells[names.index("Runtime")] for cells in latency.cells] == ["ONNX Runtime", second]
    sources = [DeviceResults(number, str(number), (), results) for number in (1, 2)]
    joined = compare(sources, None)
    assert [line.key.runtime for line in joined.lines] == ["ONNX Runtime", second]
    assert [len(line.cells) for line in joined.lines] == [2, 2]
    assert not joined.repeated


def test_a_row_that_did_not_start_has_the_runtime_that_was_asked_for(second: str, tmp_path: Path) -> None:
    broken = artifact.Artifact(tmp_path / "gone.onnx", None, defect="it is gone")
    results = assess([Candidate(broken, "gone", runtime=second)], None, [1], QUICK)
    assert [(row.runtime, row.status) for row in results.rows] == [(second, "failed")]
