"""What is inside a model file, however it is named, and what a machine is fit for."""

from pathlib import Path

from edgefashion import diagnosis
from edgefashion.api.names import KINDS, Named, find_one
from edgefashion.artifacts import inspection
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.inspection import Inspection
from edgefashion.diagnosis import DoctorReport
from edgefashion.errors import ArtifactError
from edgefashion.errors.arguments import OPTIONAL_PATH, takes
from edgefashion.files import reading
from edgefashion.training.runs import Run
from edgefashion.zoo import is_name


@takes(named=KINDS)
def inspect(named: Named) -> Inspection:
    """Read a model file, whoever made it, without running it; of several, the one that `load_model` takes.

    Raises ArtifactError for a file that is missing or damaged, MissingExtra, and of names what `load_model`
    raises.
    """
    if isinstance(named, Artifact | Run) or is_name(named) or reading.is_folder(Path(named), ArtifactError):
        return inspection.inspect(find_one(named).path)
    return inspection.inspect(named)


@takes(data_folder=OPTIONAL_PATH)
def doctor(data_folder: str | Path | None = None) -> DoctorReport:
    """Look whether this machine is fit to measure and to export, in about a second; nothing is changed.

    `data_folder` is where the data set is looked for first.
    """
    return diagnosis.examine(data_folder)
