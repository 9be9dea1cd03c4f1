"""A run in, verified artifacts out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from msgspec import UNSET, json, to_builtins

from edgefashion import files
from edgefashion.artifacts import artifact, targets
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import AUTO, CALIBRATION_IMAGES, QAT_PRECISIONS, Variant
from edgefashion.data import Splits, Subset
from edgefashion.errors import ArtifactError, BadInput, RunError, VerificationError
from edgefashion.export import converters, embed
from edgefashion.export import verify as verifying
from edgefashion.export.graph import graph
from edgefashion.export.graph.graph import Graph
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import calibration_search, keep_float
from edgefashion.export.quantization.calibration import representative_dataset
from edgefashion.export.selection import check_task
from edgefashion.export.source import Source
from edgefashion.export.verify import verification_images, verify
from edgefashion.records.manifest import Calibration
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.reporting import Report, silent
from edgefashion.runtimes.base import Logits
from edgefashion.training.runs import Run

OnFailure = Callable[[Variant, VerificationError], None]
"""Told of a file that is not kept."""
TRAIN = "train"
"""The split that the representative dataset is from where it is not given."""
MOST_LOGIT = 1e6
"""Larger ones come of a training that diverged."""


def file_name(run: Run, variant: Variant, options: ExportOptions) -> str:
    """`cnn-int8.tflite`, `cnn-int8-x86-vnni.onnx`; `cnn-int8-qat.tflite` of the run `cnn-qat`, which need
    not say it twice.
    """
    format, precision = variant
    return f"{run.name.removesuffix('-qat')}-{precision}{converters.suffix_of(variant, options)}.{format}"


def export_run(
    run: Run,
    splits: Splits,
    variants: Sequence[Variant],
    options: ExportOptions | None = None,
    *,
    calibrate_with: Subset | None = None,
    data: DatasetInfo | None = None,
    beside_full: bool = True,
    report: Report = silent,
    on_failure: OnFailure | None = None,
) -> list[Artifact]:
    """Make the `variants` from a run, into its folder `artifacts/`.

    The representative dataset is drawn out of `calibrate_with`, or the training split. Each artifact is
    verified against the Keras model before it is kept, and one with layers in float is measured against the
    one without, which is made first where that can be kept, unless `beside_full` says no. `data` are those of
    the splits, where the run learned from others: the manifest says so. Raises VerificationError, unless
    `on_failure` is told instead, or RuntimeCrash for one that is not kept (those before it stay), BadInput
    for a precision that the run does not have and for images that cannot calibrate, RunError for a model that
    cannot be read, OutputError.
    """
    drawn_from, split = (splits.train, TRAIN) if calibrate_with is None else (calibrate_with, "given")
    options = options or ExportOptions()
    size = options.representative_size(len(drawn_from))
    options = replace(options, calibration_images=size)
    _check(run, splits, variants, options)
    model = graph.build(run)
    representative = representative_dataset(drawn_from, model.task, model.normalization, size, split=split)
    unseen, seen_in = verification_images(splits, run.quantized, run.recipe.use_validation)
    expected = model.predict(unseen.images)
    check_learned(run, expected)
    source = Source(model, representative)
    job = _Job(run, source, options, splits.validation, unseen, seen_in, expected, data, report)
    if beside_full and (missing := _full_missing(run, variants, options, data)):
        full = replace(job, options=replace(options, keep_float=()))
        list(
            _made(full, missing, lambda _, error: report(f"what layers in float cost is not known: {error}"))
        )
    return list(_made(job, variants, on_failure))


def _check(run: Run, splits: Splits, variants: Sequence[Variant], options: ExportOptions) -> None:
    """Raise what is wrong before anything is made."""
    check_task(run, splits.task)
    for _, precision in variants:
        check_precision(run, precision)
    if run.artifacts.is_symlink():
        raise RunError(f"{run.artifacts} is a link, and nothing is written through it: put a folder there")
    existing = run.artifacts if run.artifacts.exists() else run.folder
    for variant in variants:
        files.check_writable(existing / file_name(run, variant, options))


def _made(job: "_Job", variants: Sequence[Variant], on_failure: OnFailure | None) -> Iterator[Artifact]:
    for variant in variants:
        try:
            yield job.make(variant)
        except VerificationError as error:
            if on_failure is None:
                raise
            on_failure(variant, error)


def check_learned(run: Run, logits: Logits) -> None:
    """Raise RunError where logits, float32 [N, classes], tell no two images apart, or are beyond all use."""
    largest = float(np.abs(logits).max())
    if not largest < MOST_LOGIT:
        reason = f"logits of up to {largest:.3g}"
    elif not np.ptp(logits, axis=0).any():
        reason = "the same logits for every image"
    else:
        return
    raise RunError(f"the model of {run.folder} gives {reason}: train it again with a lower learning_rate")


@dataclass(frozen=True)
class _Job:
    """What all artifacts that are made at a time have in common. `expected` are the logits of `unseen`, which
    is of the split `seen_in`.
    """

    run: Run
    source: Source
    options: ExportOptions
    validation: Subset
    unseen: Subset
    seen_in: str
    expected: Logits
    data: DatasetInfo | None
    report: Report

    def make(self, variant: Variant) -> Artifact:
        """Convert, verify, keep, and say so."""
        run, options = self.run, self.options
        name = file_name(run, variant, options)
        content, calibration = calibration_search.convert(
            variant, self.source, options, self.validation, self.report
        )
        manifest = _origin(run, variant, options, self.data) | manifest_of(self.source.graph, calibration)
        content = embed.embed(content, variant.format, embed.describe(manifest).to_dict())
        layers = manifest["kept_float"]
        full = layers and find_reusable(run, variant, replace(options, keep_float=()), self.data)
        if full:
            manifest["cost"] = keep_float.measure_cost(full.path, name, content, self.unseen.images)
        compared = (self.unseen, self.expected, self.seen_in, bool(run.info.imported))
        manifest |= verify(content, name, variant.precision, *compared)
        made = artifact.save(run.artifacts / name, content, manifest)
        self.report(_line(made, content))
        self.report(f"  {verifying.describe(manifest['verification'])}")
        if "cost" in manifest:
            self.report(keep_float.describe(name, layers, manifest["cost"]))
        return made


def _full_missing(
    run: Run, variants: Sequence[Variant], options: ExportOptions, data: DatasetInfo | None
) -> list[Variant]:
    """Of which variants the file is missing or out of date that one with layers in float is compared with."""
    full = replace(options, keep_float=())
    mixed = [variant for variant in variants if converters.float_layers(variant, options)]
    return [variant for variant in mixed if not find_reusable(run, variant, full, data)]


def _line(made: Artifact, content: bytes) -> str:
    """What was made, and how large it is."""
    size = f"{len(content) / 1000:.0f} kB, {files.gzip_size([content]) / 1000:.0f} kB in gzip"
    misfit = targets.misfit(made.target, targets.of_this_machine())
    return f"{made.path}: {size}{f'; {misfit}' if misfit else ''}"


def check_precision(run: Run, precision: str) -> None:
    """Raise BadInput for a precision that `run` was not trained for."""
    if precision in QAT_PRECISIONS and not run.quantized:
        raise BadInput(
            f"{run.folder} was not trained quantization-aware: make a run that has {precision} with "
            f"edgefashion train --qat {run.folder}"
        )
    if precision not in QAT_PRECISIONS and run.quantized:
        raise BadInput(
            f"{run.folder} was trained for {', '.join(QAT_PRECISIONS)}: export {precision} from the "
            f"run it was made from, {run.recipe.weights}"
        )


def _origin(run: Run, variant: Variant, options: ExportOptions, data: DatasetInfo | None) -> dict[str, Any]:
    """What a manifest says of what its file was made from and how: all that is known before it is made."""
    format, precision = variant
    return {
        "run": run.name,
        "run_id": run.id,
        "base_run_id": run.base_run_id,
        "small_run": run.small_run,
        "format": format,
        "precision": precision,
        "method": converters.describe(variant, options),
        "target": converters.target_of(variant, options),
        "kept_float": converters.float_layers(variant, options),
        "task": run.task.to_dict(),
        "labels": list(run.task.classes),
        "data": _named(run.info.data),
        **({"exported_with": _named(data)} if data else {}),
        **({"folds": to_builtins(run.info.folds)} if run.info.folds else {}),
        **({"width": run.recipe.width} if run.recipe.width != 1 else {}),
        "versions": _versions(format),
    }


def manifest_of(model: Graph, calibration: dict[str, Any] | None) -> dict[str, Any]:
    """What it says of the file itself."""
    normalization, task = model.normalization, model.task
    return {
        "architecture": model.architecture.name,
        "input": {
            "name": graph.INPUT,
            "dtype": "uint8",
            "shape": ["N", *task.image_shape],
            "layout": "NHWC",
            "values": "raw pixels, 0 to 255",
        },
        "output": {"name": graph.OUTPUT, "shape": ["N", len(task.classes)], "values": "logits"},
        "preprocessing": {
            "where": "inside the model",
            "scale": normalization.scale,
            "zero_point": normalization.zero_point,
            "model_input": list(model.model.input_shape[1:]),
        },
        "calibration": calibration,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _named(data: DatasetInfo) -> dict[str, Any]:
    """By what data are told from others."""
    return {key: getattr(data, key) for key in ("name", "complete", "checksums")}


def _versions(format: str) -> dict[str, str]:
    """Those of all that makes a file of this format."""
    return {package: version(package) for package in converters.converters_of(format).packages}


def find_reusable(
    run: Run, variant: Variant, options: ExportOptions, data: DatasetInfo | None = None
) -> Artifact | None:
    """A run's artifact when it is sound and was made from this very model, in this way, by what is installed
    here, and with these data, where the run learned from others; else None.
    """
    try:
        found = artifact.read(run.artifacts / file_name(run, variant, options))
    except ArtifactError:
        return None
    if found.manifest is None:
        return None
    told, wanted = found.manifest.to_dict(), _origin(run, variant, options, data)
    wanted = json.decode(json.encode(wanted))
    if any(told.get(key) != wanted.get(key) for key in (*wanted, "exported_with", "folds", "width")):
        return None
    return found if _same_calibration(found.manifest.calibration or None, options) else None


def _same_calibration(made_with: Calibration | None, wanted: ExportOptions) -> bool:
    """Whether an artifact, calibrated as its manifest says, would be calibrated so again."""
    if made_with is None:
        return True
    if made_with.split not in (TRAIN, UNSET) or made_with.count != wanted.representative_size(
        CALIBRATION_IMAGES
    ):
        return False
    why = made_with.chosen
    if wanted.calibration == AUTO:
        return why in ("measured", "the only one")
    return why == "the only one" or made_with.method == wanted.calibration
