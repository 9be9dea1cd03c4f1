"""Which files travel for what the user names, and what they are called on another machine.

What comes with edgefashion stays here: the same version is there. A model file takes its manifest and its
weights along, and everything is called there as here, so that results say the same names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from edgefashion import bundle, zoo
from edgefashion.api.names import artifacts_of
from edgefashion.artifacts.artifact import manifest_path
from edgefashion.artifacts.inspection import external
from edgefashion.bundle.layout import SUFFIX
from edgefashion.errors import ArtifactError, BundleError
from edgefashion.files import reading
from edgefashion.shelf import expected
from edgefashion.shelf.expected import Expected


@dataclass
class Payload:
    """Models by the names that they have there, and the files of these names."""

    models: list[str] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)
    """Of each model file, by the path that its rows have."""

    def add(self, path: Path, companions: Iterable[Path] = ()) -> str:
        """Take a file to measure along, with the files beside and below it that belong to it; gives the
        file's name there.
        """
        name = self._name(path)
        if name not in self.files:
            self.models.append(name)
        for each in (path, *companions):
            self.files[str(PurePath(name).parent / each.relative_to(path.parent))] = each
        return name

    def _name(self, path: Path) -> str:
        """The path where it leads down from the current folder, else the file's name, in a folder of its own
        where there is another file of that name.
        """
        below = not path.is_absolute() and ".." not in path.parts
        name, number = PurePath(path if below else path.name), 1
        while self.files.get(str(name), path) != path:
            number += 1
            name = PurePath(str(number), path.name)
        return str(name)


def payload(names: Sequence[str]) -> Payload:
    """What travels for bundles, model files, runs and zoo:NAME, each of which is opened here first: what is
    wrong with it is said before anything is sent.

    Raises BundleError, ArtifactError, RunError and ZooError.
    """
    found = Payload()
    for name in names:
        path = Path(name)
        if zoo.is_name(name):
            opened = zoo.open_zoo()
            images = len(opened.sample().test)
            for artifact in opened.artifacts(name):
                found.expected[zoo.display_name(artifact)] = expected.of(artifact, images)
            found.models.append(name)
        elif path.suffix.lower() == SUFFIX and not reading.is_folder(path, BundleError):
            _add_bundle(found, path)
        else:
            for artifact in artifacts_of(name):
                if artifact.defect:
                    raise ArtifactError(artifact.defect)
                manifest = manifest_path(artifact.path)
                beside = [manifest] if reading.is_file(manifest, ArtifactError) else []
                there = found.add(artifact.path, [*beside, *external.files(artifact.path)])
                found.expected[there] = expected.of(artifact)
    found.models = list(dict.fromkeys(found.models))
    return found


def _add_bundle(found: Payload, path: Path) -> None:
    with bundle.open_bundle(path) as opened:
        there, labels = found.add(path), opened.labels
        tolerances = {entry.file: entry.tolerance for entry in opened.info.artifacts}
        for artifact in opened.artifacts:
            name = artifact.path.name
            right = int((opened.logits[name].argmax(axis=1) == labels).sum())
            answers = expected.Answers(right, tolerances[name])
            found.expected[f"{there}:{name}"] = expected.of(artifact, len(labels), answers)
