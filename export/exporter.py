"""A run in, verified artifacts out."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgefashion import artifact, files
from edgefashion.artifact import CALIBRATION_IMAGES, QAT_PRECISIONS, Artifact
from edgefashion.data import CLASS_NAMES, Splits
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.runs import Run
from export import graph, metadata, onnx, ptq, qat, tflite
from export.calibration import RepresentativeDataset, representative_dataset
from export.graph import Graph
from export.verify import verification_images, verify

Converter = Callable[[Graph, RepresentativeDataset], bytes]

CONVERTERS: dict[tuple[str, str], Converter] = {
    ("tflite", "float32"): lambda model, _: tflite.float32(model),
    ("tflite", "float16"): lambda model, _: tflite.float16(model),
    ("tflite", "dynamic"): lambda model, _: tflite.dynamic(model),
    ("tflite", "int8"): partial(ptq.quantize, tflite.int8, ".tflite", ptq.eight_bits),
    ("tflite", "int8-qat"): lambda model, _: tflite.int8_qat(model),
    ("onnx", "float32"): lambda model, _: onnx.float32(model),
    ("onnx", "int8-qat"): qat.to_onnx,
    ("onnx", "int8"): partial(ptq.quantize, onnx.int8, ".onnx", ptq.seven_bits_but_depthwise),
}
METHODS = {
    ("tflite", "float32"): "conversion without quantization",
    ("tflite", "float16"): "float16 weights, float32 arithmetic",
    ("tflite", "dynamic"): "dynamic-range quantization: int8 weights, activations quantized while running",
    ("tflite", "int8"): "post-training quantization: full integer, per-channel weights, min-max calibration, "
    "bias correction",
    ("tflite", "int8-qat"): "quantization-aware training: full integer, per-channel weights, "
    "ranges from training",
    ("onnx", "float32"): "conversion without quantization",
    ("onnx", "int8-qat"): "quantization-aware training: static QDQ, uint8 activations, per-channel int8 "
    "weights, 7-bit except in depthwise layers (reduce_range), ranges from training, bias correction",
    ("onnx", "int8"): "post-training quantization: static QDQ, uint8 activations, "
    "per-channel int8 weights, 7-bit except in depthwise layers (reduce_range), min-max calibration, "
    "bias correction",
}
CALIBRATED = {("tflite", "int8"), ("onnx", "int8"), ("onnx", "int8-qat")}
PACKAGES = {
    "tflite": ("edgefashion", "tensorflow", "tf_keras", "ai-edge-litert"),
    "onnx": ("edgefashion", "tensorflow", "tf_keras", "tf2onnx", "onnx", "onnxruntime"),
}


def file_name(run: Run, format: str, precision: str) -> str:
    """`cnn-int8.tflite`; `cnn-int8-qat.tflite` of the run `cnn-qat`, which need not say it twice."""
    return f"{run.name.removesuffix('-qat')}-{precision}.{format}"


def export_run(
    run: Run,
    splits: Splits,
    kinds: Sequence[tuple[str, str]],
    *,
    calibration_images: int = CALIBRATION_IMAGES,
    report: Callable[[str], None] = print,
) -> list[Artifact]:
    """Make the (format, precision) pairs of `kinds` from a run, into its folder `artifacts/`.

    Each is verified against the Keras model before it is kept. Raises VerificationError or RuntimeCrash
    for one that is not kept (those before it stay), BadInput for a precision that the run does not have,
    RunError for a model that cannot be read, OutputError.
    """
    for _, precision in kinds:
        check_precision(run, precision)
    model = graph.build(run)
    representative = representative_dataset(splits, model.normalisation, calibration_images)
    unseen = verification_images(splits.validation, run.base_run_id is not None)
    expected = model.predict(unseen.images)
    exported = []
    for format, precision in kinds:
        name = file_name(run, format, precision)
        uses = representative if (format, precision) in CALIBRATED else None
        manifest = _manifest(run, model, format, precision, uses)
        content = CONVERTERS[format, precision](model, representative)
        content = metadata.embed(content, format, metadata.describe(manifest))
        verification = verify(content, name, precision, unseen, expected)
        manifest["verification"] = verification
        exported.append(artifact.save(run.artifacts / name, content, manifest))
        agreement = f"{verification['agreement']:.2%} of {verification['images']} images"
        size = f"{len(content) / 1000:.0f} kB, {files.gzip_size(content) / 1000:.0f} kB in gzip"
        report(f"{exported[-1].path}: {size}; agrees with Keras on {agreement}")
    return exported


def check_precision(run: Run, precision: str) -> None:
    """Raise BadInput for a precision that `run` was not trained for."""
    if precision in QAT_PRECISIONS and not run.base_run_id:
        raise BadInput(
            f"{run.folder} was not trained quantization-aware: make a run that has {precision} with "
            f"edgefashion train --qat {run.folder}"
        )
    if precision not in QAT_PRECISIONS and run.base_run_id:
        raise BadInput(
            f"{run.folder} was trained for {', '.join(QAT_PRECISIONS)}: export {precision} from the "
            f"run it was made from, {run.info['recipe']['weights']}"
        )


def _manifest(
    run: Run,
    model: Graph,
    format: str,
    precision: str,
    representative: RepresentativeDataset | None,
) -> dict[str, Any]:
    normalisation = model.normalisation
    return {
        "run": run.name,
        "run_id": run.id,
        "base_run_id": run.base_run_id,
        "small_run": run.small_run,
        "architecture": model.architecture.name,
        "format": format,
        "precision": precision,
        "method": METHODS[format, precision],
        "input": {
            "name": graph.INPUT,
            "dtype": "uint8",
            "shape": ["N", *graph.IMAGE_SHAPE],
            "layout": "NHWC",
            "values": "raw pixels, 0 to 255",
        },
        "output": {"name": graph.OUTPUT, "shape": ["N", len(CLASS_NAMES)], "values": "logits"},
        "preprocessing": {
            "where": "inside the model",
            "scale": normalisation.scale,
            "zero_point": normalisation.zero_point,
            "model_input": list(model.model.input_shape[1:]),
        },
        "labels": list(CLASS_NAMES),
        "calibration": representative.manifest if representative else None,
        "data": {key: run.info["data"][key] for key in ("name", "complete", "checksums")},
        "versions": {package: version(package) for package in PACKAGES[format]},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def reusable(path: Path, run: Run, calibration_images: int = CALIBRATION_IMAGES) -> Artifact | None:
    """The artifact at `path` when it is sound and was made from this very model, else None."""
    try:
        found = artifact.read(path)
    except ArtifactError:
        return None
    if found.manifest is None or found.run_id != run.id:
        return None
    made_with = found.manifest.get("calibration")
    same = made_with is None or made_with["count"] == calibration_images
    return found if same else None
