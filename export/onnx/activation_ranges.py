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
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import onnxruntime.quantization as ort
from onnxruntime.quantization.calibrate import HistogramCollector, TensorsData

from edgefashion.export.graph.graph import INPUT
from edgefashion.files import temporary
from edgefashion.tensorflow import quiet

METHODS = {
    "min-max": ort.CalibrationMethod.MinMax,
    "percentile": ort.CalibrationMethod.Percentile,
    "entropy": ort.CalibrationMethod.Entropy,
}
BINS = {"percentile": 2048, "entropy": 128}
PERCENT = 99.999
BATCH = 50
"""As many images decide together by how much a histogram grows."""
PART = 10
"""As many are computed at a time: what they are inside a model is in memory at once."""
ACTIVATIONS = ("Clip", "Relu")
Images = npt.NDArray[np.float32]


def measure_ranges(model: onnx.ModelProto, images: Images, methods: Sequence[str]) -> dict[str, TensorsData]:
    """By method, the range of each activation of `model` over its inputs `images`, float32 [N, height,
    width, channels], by its name.

    `methods` are some of `METHODS`. The model is run once for min-max, and once more for all others.
    """
    batches = np.array_split(images, max(1, len(images) // BATCH))
    with temporary.Folder() as folder, quiet(), _silent():
        path = Path(folder, "float.onnx")
        onnx.save(model, path)
        calibrator = ort.create_calibrator(path, augmented_model_path=str(Path(folder, "reduced.onnx")))
        seen = []
        for batch in batches:
            for part in _parts(batch):
                calibrator.collect_data(_Reader(part))
            seen.append(calibrator.compute_data())
        collectors = {method: _Histograms(method) for method in methods if method in BINS}
        fused = _fused(model)
        if collectors:
            content = _showing(model, [name for name in seen[-1] if name not in fused])
            _collect(content, batches, seen, list(collectors.values()))
        found = {name: each.compute_collection_result() for name, each in collectors.items()}
    for ranges in found.values():
        ranges.update({name: ranges[after] for name, after in fused.items() if after in ranges})
        ranges[INPUT] = seen[-1][INPUT]  # the normalization, whatever is found
    return {
        method: TensorsData(METHODS[method], found[method]) if method in found else seen[-1]
        for method in methods
    }


class _Histograms(HistogramCollector):
    """ONNX Runtime's histograms of tensors, filled with a part of a batch at a time."""

    def __init__(self, method: str) -> None:
        super().__init__(method, False, BINS[method], BINS[method], PERCENT, "same")

    def add(self, name: str, values: Images, low: Any, high: Any) -> None:
        """Count values of a tensor that are from `low` to `high` in their batch and those before."""
        threshold = np.array(max(abs(low), abs(high)), values.dtype)
        if name in self.histogram_dict:
            known = self.histogram_dict[name]
            self.histogram_dict[name] = self.merge_histogram(known, values, low, high, threshold)
        else:
            counts, edges = np.histogram(values, self.num_bins, range=(-float(threshold), float(threshold)))
            self.histogram_dict[name] = (counts, edges, low, high, threshold)


def _collect(
    content: bytes, batches: list[Images], seen: list[TensorsData], collectors: list[_Histograms]
) -> None:
    """Fill the histograms with the tensors that a model gives beside its output. What is `seen` are the
    ranges up to the end of each batch.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for batch, ranges in zip(batches, seen, strict=True):
        for part in _parts(batch):
            for name, values in zip(names, session.run(None, {INPUT: part}), strict=True):
                low, high = (bound[0] for bound in ranges[name].range_value)
                for collector in collectors:
                    collector.add(name, values.ravel(), low, high)


def _fused(model: onnx.ModelProto) -> dict[str, str]:
    """The name of what an activation gives by that of what it reads, where nothing else reads that: the
    quantizer makes it one with the layer before, and gives both the range of the former.
    """
    read = Counter(name for node in model.graph.node for name in node.input)
    activations = [node for node in model.graph.node if node.op_type in ACTIVATIONS]
    return {node.input[0]: node.output[0] for node in activations if read[node.input[0]] == 1}


def _showing(model: onnx.ModelProto, names: Sequence[str]) -> bytes:
    """The model with the tensors of these names as outputs, but for its input."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    own = {output.name for output in model.graph.output} | {INPUT}
    shown.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in own
    )
    return bytes(shown.SerializeToString())


def _parts(batch: Images) -> list[Images]:
    return np.array_split(batch, max(1, len(batch) // PART))


class _Reader(ort.CalibrationDataReader):
    """Some images, once."""

    def __init__(self, images: Images) -> None:
        self.batches = iter([{INPUT: images}])

    def get_next(self) -> dict[str, Images] | None:
        return next(self.batches, None)


@contextlib.contextmanager
def _silent() -> Any:
    """The calibrators print what they do."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
