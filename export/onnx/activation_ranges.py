"""Which values occur inside a float ONNX model: ONNX Runtime's calibrators, by name.

    min-max      from the lowest value to the highest
    percentile   all but 0.001 % of the values, half of that cut from either end
    entropy      the range, around 0, whose 128 steps say most of the distribution of values: that with the
                 least Kullback-Leibler divergence (Migacz 2017, "8-bit Inference with TensorRT")

The numbers are ONNX Runtime's own defaults. It would make the range of percentile symmetric around 0, of
which unsigned activations have no need.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime.quantization as ort
from onnxruntime.quantization.calibrate import TensorsData

from edgefashion.export.graph.graph import INPUT
from edgefashion.files import temporary
from edgefashion.tensorflow import quiet

CALIBRATORS: dict[str, tuple[ort.CalibrationMethod, dict[str, Any]]] = {
    "min-max": (ort.CalibrationMethod.MinMax, {}),
    "percentile": (ort.CalibrationMethod.Percentile, {"symmetric": False}),
    "entropy": (ort.CalibrationMethod.Entropy, {}),
}
BATCH = 50


def measure_ranges(model: onnx.ModelProto, images: npt.NDArray[np.float32], method: str) -> TensorsData:
    """The range of each activation of `model` over its inputs `images`, float32 [N, height, width,
    channels], by its name.

    `method` is one of `CALIBRATORS`. Histograms are built up batch by batch: all values of all images would
    not fit into memory.
    """
    kind, options = CALIBRATORS[method]
    with temporary.Folder() as folder, quiet(), _silent():
        path = Path(folder, "float.onnx")
        onnx.save(model, path)
        augmented = str(Path(folder, "augmented.onnx"))
        calibrator = ort.create_calibrator(
            path, augmented_model_path=augmented, calibrate_method=kind, extra_options=options
        )
        for batch in np.array_split(images, max(1, len(images) // BATCH)):
            calibrator.collect_data(_Reader(batch))
        return calibrator.compute_data()


class _Reader(ort.CalibrationDataReader):
    """One batch, once."""

    def __init__(self, batch: npt.NDArray[np.float32]) -> None:
        self.batches = iter([{INPUT: batch}])

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        return next(self.batches, None)


@contextlib.contextmanager
def _silent() -> Any:
    """The calibrators print what they do."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
