"""What was made before, read again from its file or folder, and checked."""

from pathlib import Path

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.errors.arguments import PATH, takes
from edgefashion.evaluation import results
from edgefashion.evaluation.results import Results
from edgefashion.training import runs
from edgefashion.training.runs import Run


@takes(folder=PATH)
def read_run(folder: str | Path) -> Run:
    """The run in a folder. Raises RunError where it is missing or damaged."""
    return runs.read(folder)


@takes(path=PATH)
def read_artifact(path: str | Path) -> Artifact:
    """A .tflite or .onnx file: what its manifest says, checked against the file, or what it says itself.

    Raises ArtifactError where it is missing, of an unknown kind or not what its manifest says.
    """
    return artifact.read(path)


@takes(path=PATH)
def read_results(path: str | Path) -> Results:
    """The results in a file that `save`, `evaluate --json` or `bench --json` wrote, of any release.

    Raises BadInput for any other file, and for one with a field that makes no sense.
    """
    return results.read(path)
