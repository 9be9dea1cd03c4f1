"""What is asked of a machine that trains: the words of `edgefashion train`, and the files that they name."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgefashion.artifacts.artifact import manifest_path
from edgefashion.artifacts.inspection import external
from edgefashion.errors import BadInput
from edgefashion.hosts import sending
from edgefashion.hosts.environment import Environment
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress
from edgefashion.shelf.work import GIVEN, is_safe
from edgefashion.training import runs
from edgefashion.training.learned import FILE as LEARNED

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.training.runs import Run


@dataclass
class Errand:
    """Words, where the data is there, and folders of files to be sent: name → file's name → the file."""

    words: tuple[str, ...]
    data: str | None = None
    given: dict[str, dict[str, Path]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    """What a recipe there calls each of them → what it is called here."""

    def give_run(self, name: str, run: "Run") -> str:
        """Send a run along; gives the path that it has there."""
        files = (runs.INFO, runs.MODEL, runs.ARCHITECTURE, LEARNED)
        self.given[name] = {file: run.folder / file for file in files if (run.folder / file).is_file()}
        there = f"{GIVEN}/{name}"
        self.paths |= {there: str(run.folder), f"{there}/{runs.MODEL}": str(run.model_path)}
        return there

    def give_file(self, name: str, path: Path) -> str:
        """Send a file along; gives the path that it has there."""
        file = f"{name}{path.suffix}"
        self.given[name] = {file: path}
        there = f"{GIVEN}/{name}/{file}"
        self.paths[there] = str(path)
        return there

    def give_model(self, name: str, model: "Artifact", called: str) -> str:
        """Send a model file along, with its manifest and what weights are beside it; gives the path that it
        has there, of what is `called` so here. Raises BadInput for weights in a file of an odd name, or of
        one that is taken there.
        """
        there = self.give_file(name, model.path)
        self.paths[there] = called
        own = (PurePosixPath(there).name, manifest_path(Path(there)).name)
        if model.manifest:
            self.given[name][own[1]] = manifest_path(model.path)
        for path in external.files(model.path):
            beside = path.relative_to(model.path.parent).as_posix()
            if not is_safe(f"{name}/{beside}"):
                raise BadInput(f"the weights of {model.path} are in {beside!r}: give that a plain name")
            if beside in own:
                raise BadInput(f"the weights of {model.path} are in {beside!r}: give that another name")
            self.given[name][beside] = path
        return there

    def bring(self, remote: Remote, there: Environment, tell: Progress) -> dict[str, dict[str, str]]:
        """Send what is not there yet; gives where each file lies there. Raises BadInput and HostError."""
        return {
            name: {file: sending.send(remote, there, path, tell) for file, path in files.items()}
            for name, files in self.given.items()
        }
