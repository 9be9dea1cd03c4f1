"""What is served, for who looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from edgefashion import runtimes
from edgefashion.artifacts.artifact import Artifact
from edgefashion.serving.selection import task_of
from edgefashion.task import Task

MOST_DRAWN = 64
"""Pixels of an edge, up to which a gray image can be drawn with a finger."""


@dataclass(frozen=True)
class About:
    """The models that are served, and what they are for."""

    model: str
    task: Task
    models: Sequence[dict[str, Any]]
    """Of each file its name, format, precision, size, runtime and the version of that."""

    @classmethod
    def of(cls, artifacts: Sequence[Artifact], versions: Sequence[str]) -> Self:
        """Artifacts, and the versions of the runtimes that run them."""
        models = [
            {
                "file": each.path.name,
                "format": each.format,
                "precision": each.precision,
                "bytes": each.path.stat().st_size,
                "runtime": runtimes.for_file(each.path).name,
                "runtime_version": version,
            }
            for each, version in zip(artifacts, versions, strict=True)
        ]
        return cls(artifacts[0].model, task_of(artifacts), models)

    @property
    def paper(self) -> int | None:
        """The gray, 0 to 255, that one draws on; None where no drawing is such a picture."""
        small = max(self.task.height, self.task.width) <= MOST_DRAWN
        return self.task.picture.fill[0] if small and self.task.channels == 1 else None

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        task = {
            "name": self.task.name,
            "classes": list(self.task.classes),
            "image_shape": list(self.task.image_shape),
            "made": self.task.made,
        }
        return {"model": self.model, "task": task, "models": list(self.models), "paper": self.paper}
