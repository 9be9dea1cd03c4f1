"""An export in a process of its own: what it opens, what it leaves, and that it gives the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgefashion.artifacts.formats import Variant
from edgefashion.data import Splits
from edgefashion.export import exporter
from edgefashion.export.options import ExportOptions
from edgefashion.training import runs
from edgefashion.training.runs import Run

EXPORT = """
import sys
from edgefashion.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    print(stopped.code or 0, *({"tensorflow_model_optimization", "keras", "matplotlib"} & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def fresh(
    exported: Run, sample_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, Path, str]:
    """The run `exported` exported again, the temporary folder then, and what the process said at its end."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copytree(exported.folder, folder / "runs/cnn", ignore=shutil.ignore_patterns(runs.ARTIFACTS))
    (folder / "temporary").mkdir()
    options = ["--calibration", "min-max", "--calibration-images", "100", "--data", sample_folder]
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, "export", "cnn", "--runs", folder / "runs", *options],
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
        capture_output=True,
        text=True,
    )
    return runs.read(folder / "runs/cnn"), folder / "temporary", done.stdout.splitlines()[-1]


def test_what_only_quantization_aware_training_needs_is_not_opened(fresh: tuple[Run, Path, str]) -> None:
    assert fresh[2] == "0"


def test_nothing_is_left_in_the_temporary_folder(fresh: tuple[Run, Path, str]) -> None:
    assert list(fresh[1].iterdir()) == []


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_process_that_has_trained_gives_the_same_bytes(
    exported: Run, fresh: tuple[Run, Path, str], format: str, precision: str
) -> None:
    """Counters of Keras, TensorFlow and tf2onnx would tell where a file comes from."""
    made, again = (run.artifacts / f"cnn-{precision}.{format}" for run in (exported, fresh[0]))
    assert made.read_bytes() == again.read_bytes()


def test_a_second_export_gives_the_same_bytes(exported: Run, splits: Splits, tmp_path: Path) -> None:
    shutil.copytree(exported.folder, tmp_path / "cnn", ignore=shutil.ignore_patterns(runs.ARTIFACTS))
    kinds = [Variant("tflite", "int8"), Variant("onnx", "int8")]
    settings = ExportOptions(calibration_images=100, calibration="min-max")
    for made in exporter.export_run(runs.read(tmp_path / "cnn"), splits, kinds, settings):
        assert made.path.read_bytes() == (exported.artifacts / made.path.name).read_bytes()
