"""From what a user names to model files: paths, runs, `zoo:NAME`, or what was opened before."""

from collections.abc import Sequence
from pathlib import Path

from edgefashion import zoo
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact, is_model
from edgefashion.artifacts.formats import Variant, variants
from edgefashion.errors import RunError
from edgefashion.training import runs
from edgefashion.training.runs import Run

Named = str | Path | Artifact | Run
"""A .tflite or .onnx file, `zoo:NAME`, which edgefashion ships, or a run or its folder: all its exports."""


def artifacts_of(named: Named | Sequence[Named]) -> list[Artifact]:
    """The model files meant, each once. Raises ArtifactError, RunError or ZooError for anything else."""
    names = [named] if isinstance(named, str | Path | Artifact | Run) else named
    found = [each for name in names for each in _of(name)]
    return list({each.path: each for each in found}.values())


def exported(run: Run) -> list[Artifact]:
    """What was exported from a run, in the order of formats and precisions."""
    order = variants()

    def rank(one: Artifact) -> tuple[int, int]:
        variant = Variant(one.format, one.precision or "")
        return order.index(variant) if variant in order else len(order), len(one.kept_float)

    return sorted(map(artifact.inspect, artifact.find(run.artifacts)), key=rank)


def _of(name: Named) -> list[Artifact]:
    if isinstance(name, Artifact):
        return [name]
    if not isinstance(name, Run):
        if zoo.is_name(name):
            return zoo.open_zoo().artifacts(str(name))
        if is_model(Path(name)):
            return [artifact.inspect(Path(name))]
        name = runs.read(Path(name))
    if found := exported(name):
        return found
    raise RunError(f"{name.folder} has no exports: make them with edgefashion export {name.folder}")
