"""A model that was trained elsewhere and pictures in, a run folder out: as if it had been trained here."""

import shutil
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import structs

from edgefashion import device, files
from edgefashion.data import Splits
from edgefashion.errors import BadInput, RunError
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.importing.network.imported import Imported
from edgefashion.importing.options import ImportOptions
from edgefashion.importing.preprocessing.finding import Finding, Load, find_out
from edgefashion.importing.preprocessing.normalization import normalized
from edgefashion.importing.preprocessing.preprocessing import composed
from edgefashion.models.architecture import Normalization
from edgefashion.models.imported import NAME
from edgefashion.models.summary import summarize
from edgefashion.recipes import Recipe
from edgefashion.records import imported as records
from edgefashion.records import run as run_records
from edgefashion.reporting import Progress, Report, silent
from edgefashion.tensorflow import keras, tf
from edgefashion.training import checkpoints, learned, runs
from edgefashion.training.runs import Run

RECIPE = Recipe(
    model=NAME,
    epochs=0,
    batch_size=0,
    learning_rate=0.0,
    schedule="constant",
    loss="sparse_categorical_crossentropy",
)
"""Of a run that nobody trained here."""
PACKAGES = ("edgefashion", "tensorflow", "tf_keras", "numpy")
SAVED_MODEL = "saved_model.pb"
BATCH = 50


def import_run(
    path: Path,
    imported: Imported,
    load: Load,
    folder: Path,
    said: ImportOptions | None = None,
    *,
    unsaid: Collection[str] = (),
    force: bool = False,
    report: Report = silent,
    progress: Progress | None = None,
) -> Run:
    """Keep a model, which was read from the file `path`, as the run `folder`, with what is found out about it
    on labelled pictures that `load` gives; `unsaid`, and what is raised: see `find_out`.

    Raises RunError where a run is there already and is not to be replaced,
    OutputError.
    """
    said = said or ImportOptions()
    finding = find_out(imported, load, said, unsaid, report, progress)
    way = composed(finding.best.preprocessing, imported.preprocessing)
    model, normalization = normalized(imported.model, way)
    told = _record(path, imported, said, finding, normalization)
    with runs.lock(folder):
        check_free(folder, force)
        staging = runs.staging(folder)
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _write(staging, folder.name, model, finding, told)
            return runs.publish(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def check_free(folder: Path, force: bool) -> None:
    """Raise RunError where another run would be lost."""
    mend = f"choose another folder, or replace it with {setting('--force')}"
    if not force and reading.exists(folder, RunError):
        raise RunError(f"{folder} exists: {mend}")
    if not force and checkpoints.has_checkpoint(runs.staging(folder)):
        raise RunError(f"a training of {folder} was interrupted, and would be lost: {mend}")


def _write(folder: Path, name: str, model: keras.Model, finding: Finding, told: records.Imported) -> None:
    """All files of the run."""
    files.make_folder(folder)
    files.write_json(folder / runs.ARCHITECTURE, model.get_config())
    told = structs.replace(told, layers_sha256=files.sha256(folder / runs.ARCHITECTURE))
    with files.replacing(folder / runs.MODEL) as temporary:
        model.save(temporary)
    learned.save(folder, finding.dataset)
    info = _info(name, files.sha256(folder / runs.MODEL), model, finding, told)
    files.write_json(folder / runs.INFO, info.to_dict())


def _info(
    name: str, digest: str, model: keras.Model, finding: Finding, told: records.Imported
) -> run_records.Run:
    layers, splits = summarize(model), finding.splits
    return run_records.Run(
        schema=runs.SCHEMA,
        name=name,
        id=digest[: runs.ID_DIGITS],
        small_run=not finding.dataset.complete,
        validation_accuracy=_accuracy(model, Normalization(told.scale, told.zero_point), splits),
        task=splits.task.to_record(),
        recipe=RECIPE,
        imported=told,
        model=run_records.Model(
            file=runs.MODEL,
            sha256=digest,
            parameters=sum(layer.parameters for layer in layers),
            macs=sum(layer.macs for layer in layers),
        ),
        data=finding.dataset.describe(),
        splits=run_records.Splits(
            train=len(splits.train), validation=len(splits.validation), test=len(splits.test)
        ),
        device=device.describe(),
        versions={package: version(package) for package in PACKAGES},
    )


def _record(
    path: Path, imported: Imported, said: ImportOptions, finding: Finding, normalization: Normalization
) -> records.Imported:
    way = composed(finding.best.preprocessing, imported.preprocessing)
    chosen: Literal["measured", "in the file", "given"] = "given" if said.names_preprocessing else "measured"
    if imported.preprocessing and finding.best.name == "none":
        chosen = "in the file"
    tried = [
        records.Tried(name=each.name, right=int(each.right.sum()), pictures=len(each.labels))
        for each in finding.ways
    ]
    return records.Imported(
        file=path.resolve().name,
        sha256=_digest(path),
        format=imported.format,
        ending=imported.ending,
        preprocessing=records.Preprocessing(
            name=finding.best.name,
            scale=way.scale,
            offset=way.offset,
            bgr=way.bgr,
            chosen=chosen,
            tried=tuple(tried),
        ),
        order=finding.order,
        scale=normalization.scale,
        zero_point=normalization.zero_point,
        notes=imported.notes,
    )


def _accuracy(model: keras.Model, normalization: Normalization, splits: Splits) -> float:
    """On validation, of the model as it is kept."""
    call = tf.function(lambda pixels: model(normalization(pixels), training=False), reduce_retracing=True)
    images, labels = splits.validation.images, splits.validation.labels
    parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    found = [np.asarray(call(tf.constant(part))).argmax(axis=1) for part in parts]
    return float(np.mean(np.concatenate(found) == labels))


def _digest(path: Path) -> str:
    """SHA-256 of a file; of the folder of a SavedModel that of its graph."""
    graph = path / SAVED_MODEL
    return reading.sha256(graph if graph.exists() else path, "a model file", BadInput)
