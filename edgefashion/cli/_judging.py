"""The data set that model files are judged on: one that all of them are for."""

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from edgefashion.artifacts.artifact import Artifact
from edgefashion.cli._data import Chosen, load, say_fold
from edgefashion.cli._output import say
from edgefashion.errors import ArtifactError, BadInput, RunError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.records.values import Dataset as DatasetInfo
    from edgefashion.task import Task


def for_artifacts(artifacts: "Iterable[Artifact]", chosen: Chosen) -> "Dataset":
    """The data set of what model files are for, or, for shipped models, the shipped sample if no data set is
    at hand. Raises BadInput where no data set is that of all.
    """
    from edgefashion import zoo
    from edgefashion.api.unseen import unseen
    from edgefashion.data import FASHION_MNIST, locate

    found = list(artifacts)
    _check_of_one_set(found, chosen)
    task = next((task for each in found if (task := _task_of(each))), None)
    named = locate.named(chosen.folder)
    other = task not in (None, FASHION_MNIST)
    if other or named or locate.at_hand() or not all(map(zoo.is_shipped, found)):
        dataset = unseen(load(chosen, task, recorded_by(found) if other else None), found)
        say_fold(dataset)
        for line in dataset.describe().told():
            say(f"warning: {line}")
        return dataset
    sample = zoo.open_zoo().sample()
    say(f"data: no data set is at hand: taking {sample.source}, {len(sample.test)} test images")
    return sample


def recorded_by(artifacts: Iterable[Artifact]) -> "DatasetInfo | None":
    """The data that a run beside one of these files was trained with."""
    return next(filter(None, map(_data_of, artifacts)), None)


def _check_of_one_set(artifacts: Iterable[Artifact], chosen: Chosen) -> None:
    """Raise BadInput for models that take different images, or whose runs know different data, where the user
    names none.
    """
    from edgefashion.zoo import display_name

    tasks: dict[Hashable, str] = {}
    kinds = set()
    folders: dict[str, str] = {}
    for each in artifacts:
        if not (task := _task_of(each)):
            continue
        kinds.add((task.name, task.classes))
        tasks.setdefault(made_by(task), f"{display_name(each)} is for {_told(task)}")
        data = None if chosen.folder else _data_of(each)
        if data and data.folder:
            folders.setdefault(data.folder, f"{display_name(each)} was trained with {data.folder}")
    one = "name the models of one data set at a time"
    if len(tasks) > 1:
        made = ", made images in one way (--size, --fit, --gray or --rgb, --background)"
        same = made if len(kinds) == 1 else ""
        raise BadInput(f"{', and '.join(list(tasks.values())[:2])}: {one}{same}")
    if len(folders) > 1:
        raise BadInput(
            f"{', and '.join(list(folders.values())[:2])}: {one}, or a data set for all with --data"
        )


def made_by(task: "Task") -> Hashable:
    """What makes images of pictures, and their labels: without the name of the data set."""
    return task.image_shape, task.classes, task.picture


def _told(task: "Task") -> str:
    return f"{task.name} ({task.made}, {len(task.classes)} classes)"


def _task_of(artifact: Artifact) -> "Task | None":
    try:
        return artifact.task
    except ArtifactError:
        return None  # which is said of this file where it is measured


def _data_of(artifact: Artifact) -> "DatasetInfo | None":
    """The data that the run beside an exported file was trained with."""
    from edgefashion.training import runs

    info = artifact.path.absolute().parent.parent / runs.INFO
    try:
        return runs.read_info(info).data if reading.is_file(info, RunError) else None
    except RunError:
        return None
