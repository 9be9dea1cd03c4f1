"""From what a user names to model files: paths, runs, `zoo:NAME`, or what was opened before."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from edgefashion import zoo
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact, is_model
from edgefashion.artifacts.formats import INTEGER_PRECISIONS, Variant, variants
from edgefashion.artifacts.targets import ANY
from edgefashion.errors import BadInput, RunError
from edgefashion.errors.arguments import check
from edgefashion.training import runs
from edgefashion.training.runs import Run

Named = str | Path | Artifact | Run
"""A .tflite or .onnx file, `zoo:NAME`, which edgefashion ships, or a run or its folder: all its exports."""
KINDS = (str, Path, Artifact, Run)


def artifacts_of(named: Named | Sequence[Named]) -> list[Artifact]:
    """The model files meant, each once. Raises ArtifactError, RunError or ZooError for anything else,
    BadInput where nothing is named.
    """
    names = [named] if isinstance(named, KINDS) else named
    check("what is named", names, (*KINDS, Iterable))
    if not names:
        raise BadInput("no model is named: name a .tflite or .onnx file, zoo:NAME, or a run")
    found = [each for name in names for each in _of(name)]
    return list({each.path: each for each in found}.values())


def find_one(named: Named) -> Artifact:
    """The model file meant; of several, the first int8 one for any processor, TFLite first."""
    found = artifacts_of(named)
    return next(filter(is_usual, found), found[0])


def is_usual(artifact: Artifact) -> bool:
    """Whether it is an int8 file for any processor, without layers in float."""
    plain = artifact.target == ANY and not artifact.kept_float
    return artifact.precision in INTEGER_PRECISIONS and plain


def exported(run: Run) -> list[Artifact]:
    """What was exported from a run, in the order of formats and precisions."""
    order = variants()

    def rank(one: Artifact) -> tuple[int, int]:
        variant = Variant(one.format, one.precision or "")
        return order.index(variant) if variant in order else len(order), len(one.kept_float)

    return sorted(map(artifact.inspect, artifact.find(run.artifacts)), key=rank)


def _of(name: Named) -> list[Artifact]:
    check("what is named", name, KINDS)
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
