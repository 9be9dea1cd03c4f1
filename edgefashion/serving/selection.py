"""Which model files are served: one, or a float32 and an integer one of a run, side by side."""

from collections.abc import Sequence

from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import INTEGER_PRECISIONS
from edgefashion.artifacts.targets import ANY
from edgefashion.errors import ArtifactError
from edgefashion.task import Task


def choose(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """A file alone as it is. Of several, of those for any processor without layers in float, and of their
    first format: the first float32 file and the first integer one, or else the first of all.

    Raises ArtifactError for one that cannot be used.
    """
    plain = [each for each in artifacts if each.target == ANY and not each.kept_float] or list(artifacts)
    own = [each for each in plain if each.format == plain[0].format]
    pair = [next((each for each in own if each.precision in kinds), None) for kinds in _KINDS]
    found = [each for each in pair if each] or own[:1]
    for each in found:
        if each.defect:
            raise ArtifactError(each.defect)
    return found


def task_of(artifacts: Sequence[Artifact]) -> Task:
    """What the models are for. Raises ArtifactError where one does not say so."""
    for each in artifacts:
        if each.task is None:
            raise ArtifactError(
                f"{each.path} does not say how a picture becomes its input, nor what its classes are called: "
                "serve what edgefashion export has made, or edgefashion quantize of a model of yours"
            )
    tasks = [each.task for each in artifacts if each.task]
    return tasks[0]


_KINDS = (("float32",), INTEGER_PRECISIONS)
