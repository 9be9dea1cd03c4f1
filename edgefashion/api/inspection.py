"""What is inside a model file, however it is named."""

from pathlib import Path

from edgefashion.api.names import Named, find_one
from edgefashion.artifacts import inspection
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.inspection import Inspection
from edgefashion.errors import ArtifactError
from edgefashion.files import reading
from edgefashion.training.runs import Run
from edgefashion.zoo import is_name


def inspect(named: Named) -> Inspection:
    """Read a model file, whoever made it, without running it; of several, the one that `load_model` takes.

    Raises ArtifactError for a file that is missing or damaged, MissingExtra, and of names what `load_model`
    raises.
    """
    if isinstance(named, Artifact | Run) or is_name(named) or reading.is_folder(Path(named), ArtifactError):
        return inspection.inspect(find_one(named).path)
    return inspection.inspect(named)
