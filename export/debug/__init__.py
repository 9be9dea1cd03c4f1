"""Which layers of a run's int8 models are far from the float model, and how much that matters."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion import device
from edgefashion.artifacts import artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.benchmarking import Progress
from edgefashion.data import Subset
from edgefashion.errors import ArtifactError
from edgefashion.export import exporter
from edgefashion.export.converters import converters_of
from edgefashion.export.debug.error import LayerError, Tally, measure
from edgefashion.export.graph.fused_layers import steps_of
from edgefashion.export.graph.layers import MULTIPLYING
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import quantization_aware
from edgefashion.files import reading
from edgefashion.files.stored import ImageSet
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.process import ModelProcess
from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable
from edgefashion.training.runs import Run

SCHEMA = 1
WEIGHTED = {kind.__name__ for kind in MULTIPLYING}


@dataclass(frozen=True)
class ModelError:
    """The errors of one int8 model.

    runtime: what computed it.
    kernels_differ: by how much the logits found layer by layer are from those of the file as it is run
        everywhere else, at most; 0 where the same kernels computed them.
    snr_db: of the logits. agreement: part of the images given the same class as by the float model.
    explained: see `edgefashion.export.debug.error`.
    layers: in the order of the model.
    unranked: those whose output the file does not have, since a converter made them one with others.
    """

    file: str
    runtime: str
    kernels_differ: float
    snr_db: float | None
    agreement: float
    explained: float | None
    layers: list[LayerError]
    unranked: list[str] = field(default_factory=list)

    @property
    def ranked(self) -> list[LayerError]:
        """The layers by their share of the error, the largest first."""
        return sorted(self.layers, key=lambda layer: layer.share, reverse=True)


@dataclass(frozen=True)
class DebugReport(Presentable):
    """The errors of a run's int8 models, by format, on `images` images of the validation split, which are
    training images to a model that learned from it; on which machine and when (ISO 8601) they were found.
    """

    run: str
    run_id: str
    precision: str
    images: int
    models: dict[str, ModelError]
    machine: str | None = None
    date: str | None = None
    split: str = "validation"

    @property
    def costliest(self) -> str:
        """The layer whose rounded weights cause the largest share of the error of a model."""
        layers = [layer for model in self.models.values() for layer in model.layers if layer.kind in WEIGHTED]
        return max(layers, key=lambda layer: layer.share_weights).layer

    def page(self) -> Page:
        """A table for each format, of the layers that cause the most of the error."""
        from edgefashion.export.debug import text

        return text.page(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {"schema": SCHEMA, **asdict(self)}


def debug_run(
    run: Run,
    precision: str,
    formats: Sequence[str],
    sample: Subset,
    progress: Progress | None = None,
) -> DebugReport:
    """Compare the int8 models exported from `run` with its float model, layer by layer.

    `sample` are images of the validation split. Of a run trained quantization-aware the float model is the
    one without rounding of activations, its kernels rounded as in training. Raises BadInput for a precision
    that the run does not have, ArtifactError for a file that is missing, damaged, of another run or of
    other layers, RunError, RuntimeCrash.
    """
    exporter.check_precision(run, precision)
    paths = {format: _checked(run, format, precision) for format in formats}
    deployed = {format: _deployed(path, sample.images) for format, path in paths.items()}
    model = quantization_aware.float_graph(run)
    steps = steps_of(model)
    probes = {format: converters_of(format).probe(path, steps) for format, path in paths.items()}
    tallies = measure(steps, model.normalization, probes, sample.images, progress)
    models = {
        format: _model_error(paths[format], *deployed[format], tally) for format, tally in tallies.items()
    }
    here = device.describe()
    split = "training" if run.recipe.use_validation else "validation"
    return DebugReport(run.name, run.id, precision, len(sample), models, here.name, here.date, split)


def path_of(run: Run, format: str, precision: str) -> Path:
    """The file to look into, which need not be there."""
    return run.artifacts / exporter.file_name(run, Variant(format, precision), ExportOptions())


def _checked(run: Run, format: str, precision: str) -> Path:
    """The file to look into, checked against its manifest and the run."""
    path = path_of(run, format, precision)
    command = f"edgefashion export {run.folder} --format {format} --precision {precision}"
    if not reading.is_file(path, ArtifactError):
        raise ArtifactError(f"{path} does not exist: make it with {command}")
    found = artifact.read(path)
    if not found.manifest or (found.run_id, found.precision) != (run.id, precision):
        raise ArtifactError(f"{path} was not exported from this run as {precision}: make it with {command}")
    return path


def _deployed(path: Path, images: ImageSet) -> tuple[Logits, str]:
    """The logits of the file as it is run everywhere else, and by what. A damaged file ends here."""
    with ModelProcess(path, threads=1) as process:
        return process.predict(images), f"{process.runtime} {process.version}"


def _model_error(path: Path, deployed: Logits, runtime: str, tally: Tally) -> ModelError:
    layers = tally.layers()
    logits = np.concatenate(tally.logits)
    return ModelError(
        file=path.name,
        runtime=runtime,
        kernels_differ=float(np.abs(logits - deployed).max()),
        snr_db=layers[-1].snr_db,
        agreement=tally.agreeing / len(logits),
        explained=tally.explained,
        layers=layers,
        unranked=tally.unranked,
    )
