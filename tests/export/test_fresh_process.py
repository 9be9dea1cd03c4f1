"""An export in a process of its own: what it opens, what it leaves, and that it gives the same bytes."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from edgefashion.artifacts.formats import Variant
from edgefashion.data import Dataset, Splits
from edgefashion.export import exporter
from edgefashion.export.options import ExportOptions
from edgefashion.recipes import NAMED_RECIPES
from edgefashion.tensorflow import keras
from edgefashion.training import runs
from edgefashion.training.runs import Run
from edgefashion.training.trained import architecture_for

EXPORT = """
import sys
from edgefashion.cli import main
try:
    main(sys.argv[4:])
except SystemExit as stopped:
    print(stopped.code or 0, *({"tensorflow_model_optimization", "keras", "matplotlib"} & sys.modules.keys()))
import numpy
from pathlib import Path
from edgefashion.training import runs
from edgefashion.export.graph import graph
numpy.save(sys.argv[3], graph.build(runs.read(Path(sys.argv[1]))).predict(numpy.load(sys.argv[2])))
"""
"""Exports what is named behind a run, images and a file: that one gets the run's logits of those."""


class Fresh(NamedTuple):
    """The run `exported` exported again, the temporary folder then, what the process said, and what it then
    made of `quantized_run` and 50 images.
    """

    run: Run
    temporary: Path
    said: str
    logits: np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def fresh(
    exported: Run,
    quantized_run: Run,
    sample: Dataset,
    sample_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Fresh:
    folder = tmp_path_factory.mktemp("fresh")
    images, logits = folder / "images.npy", folder / "logits.npy"
    np.save(images, sample.test.images[:50])
    shutil.copytree(exported.folder, folder / "runs/cnn", ignore=shutil.ignore_patterns(runs.ARTIFACTS))
    (folder / "temporary").mkdir()
    options = ["--calibration", "min-max", "--calibration-images", "100", "--data", sample_folder]
    done = subprocess.run(
        [
            *(sys.executable, "-c", EXPORT, quantized_run.folder, images, logits),
            *("export", "cnn", "--runs", folder / "runs", *options),
        ],
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()[-1]
    return Fresh(runs.read(folder / "runs/cnn"), folder / "temporary", said, np.load(logits))


def test_what_only_quantization_aware_training_needs_is_not_opened(fresh: Fresh) -> None:
    assert fresh.said == "0"


def test_nothing_is_left_in_the_temporary_folder(fresh: Fresh) -> None:
    assert list(fresh.temporary.iterdir()) == []


def test_a_quantization_aware_run_is_loaded(fresh: Fresh, quantized_run: Run, sample: Dataset) -> None:
    model = keras.models.load_model(quantized_run.model_path, compile=False)
    prepare = architecture_for(replace(NAMED_RECIPES["cnn"], fine_tuning="qat")).prepare
    np.testing.assert_allclose(fresh.logits, model(prepare(sample.test.images[:50])), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_process_that_has_trained_gives_the_same_bytes(
    exported: Run, fresh: Fresh, format: str, precision: str
) -> None:
    """Counters of Keras, TensorFlow and tf2onnx would tell where a file comes from."""
    made, again = (run.artifacts / f"cnn-{precision}.{format}" for run in (exported, fresh.run))
    assert made.read_bytes() == again.read_bytes()


def test_a_second_export_gives_the_same_bytes(exported: Run, splits: Splits, tmp_path: Path) -> None:
    shutil.copytree(exported.folder, tmp_path / "cnn", ignore=shutil.ignore_patterns(runs.ARTIFACTS))
    kinds = [Variant("tflite", "int8"), Variant("onnx", "int8")]
    settings = ExportOptions(calibration_images=100, calibration="min-max")
    for made in exporter.export_run(runs.read(tmp_path / "cnn"), splits, kinds, settings):
        assert made.path.read_bytes() == (exported.artifacts / made.path.name).read_bytes()
