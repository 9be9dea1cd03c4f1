"""What a model file is for, from its manifest or what it says inside."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion.errors import ArtifactError

if TYPE_CHECKING:
    from edgefashion.records.manifest import Manifest, Metadata
    from edgefashion.task import Task


def of(origin: "Manifest | Metadata | None", path: Path) -> "Task | None":
    """The task of the file `path`, whose manifest or metadata is `origin`; None where nothing says so.

    Raises ArtifactError for anything that is not a task.
    """
    from edgefashion.task import Task

    if origin is None:
        return None
    if origin.task:
        return Task.from_dict(origin.task, f"the task of {path}", ArtifactError)
    with contextlib.suppress(ArtifactError):
        return Task.from_dict(_of_old(origin.to_dict()), f"the task of {path}", ArtifactError)
    return None


def _of_old(origin: dict[str, Any]) -> dict[str, Any]:
    """What an older version wrote of a task: it knew no pictures but those of clothing."""
    from edgefashion.data import FASHION_MNIST

    told = {"image_shape": origin.get("input", {}).get("shape", [])[1:], "classes": origin.get("labels")}
    whole = FASHION_MNIST.to_dict()
    if told == {name: whole[name] for name in told}:
        return whole
    return {**whole, **told, "name": origin.get("data", {}).get("name")}
