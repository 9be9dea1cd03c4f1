"""Reading the zoo: nothing is used before its checksum is verified."""

import difflib
import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact, manifest_path
from edgefashion.data import FASHION_MNIST, Dataset, Subset, Task
from edgefashion.errors import ZooError
from edgefashion.files import reading
from edgefashion.files.arrays import from_zip
from edgefashion.installation import restore
from edgefashion.task import Labels

if TYPE_CHECKING:
    from edgefashion.records.run import Story
    from edgefashion.records.values import Dataset as DatasetInfo
    from edgefashion.records.zoo import Zoo as ZooInfo

PREFIX = "zoo:"
VARIABLE = "EDGEFASHION_ZOO"
SCHEMA = 1
INFO, SAMPLE = "zoo.json", "sample.npz"
MOST_IMAGES = 100_000
_NO_SAMPLE = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, RuntimeError, EOFError)
"""What zipfile and `from_zip` raise for a file that is none, of others, or encrypted."""
SOURCE = "the sample that comes with edgefashion"


@dataclass(frozen=True, eq=False)
class SampledDataset(Dataset):
    """The data set where only a sample of its test split is there: `train` is empty."""

    described: "DatasetInfo"
    """What `describe` says of the whole data set."""

    def describe(self) -> "DatasetInfo":
        """As that of the whole data set, whose images they are."""
        return self.described


@dataclass(frozen=True)
class Zoo:
    """A folder of models."""

    folder: Path
    info: "ZooInfo"
    """zoo.json, see the package."""

    @property
    def names(self) -> list[str]:
        """The models, as they are called behind `zoo:`."""
        return list(self.info.models)

    @property
    def task(self) -> Task:
        """What its models are for; an older zoo.json names none and is of Fashion-MNIST. Raises ZooError
        for what is no task.
        """
        found = self.info.task
        where = f"the task in {self.folder / INFO}, which comes with edgefashion,"
        return Task.from_dict(found, where, ZooError) if found else FASHION_MNIST

    def artifacts(self, name: str) -> list[Artifact]:
        """The files of the model NAME, `zoo:NAME`, or the one file `zoo:FILE`, verified.

        Raises ZooError for an unknown model or a damaged file.
        """
        model, file = self.model(name), name.removeprefix(PREFIX)
        files = self.info.models[model].files
        found = []
        for path in (self.folder / each for each in ([file] if file in files else files)):
            self._verified(path.name)
            self._verified(manifest_path(path).name)
            found.append(artifact.read(path))
        return found

    def model(self, name: str) -> str:
        """The model that NAME, `zoo:NAME` or `zoo:FILE` is or is of. Raises ZooError for an unknown one."""
        name = name.removeprefix(PREFIX)
        for model, info in self.info.models.items():
            if name == model or name in info.files:
                return model
        near = difflib.get_close_matches(name, self.names, 1, cutoff=0.3)
        hint = f": did you mean {near[0]}?" if near else "."
        raise ZooError(f"unknown model {PREFIX}{name}{hint} Choose from {', '.join(self.names)}")

    def all_artifacts(self) -> list[Artifact]:
        """The files of all models, verified. Raises ZooError."""
        return [each for name in self.names for each in self.artifacts(name)]

    def best(self) -> tuple[str, str]:
        """The model to take where none is named, and why: the one that was right on the largest share of its
        validation pictures; the one of the most parameters, where some have learned from those.
        """
        last = {name: self.runs(name)[0] for name in self.names}
        if any(story.recipe.use_validation for story in last.values()):
            return max(last, key=lambda name: last[name].model.parameters), "the largest"
        name = max(last, key=lambda name: last[name].validation_accuracy)
        return name, f"the most accurate on validation images ({last[name].validation_accuracy:.2%})"

    def runs(self, name: str) -> "tuple[Story, ...]":
        """What is known of the training of the model that NAME, `zoo:NAME` or `zoo:FILE` means, the last run
        first.
        """
        return self.info.models[self.model(name)].runs

    def sample(self) -> SampledDataset:
        """The shipped test images, verified. Raises ZooError."""
        images, labels = self._arrays()
        described = structs.replace(self.info.dataset, source=SOURCE)
        nothing = Subset(images[:0], labels[:0], np.arange(0))
        test = Subset(images, labels, np.arange(len(labels)))
        return SampledDataset(
            SOURCE, self.folder, described.checksums, nothing, test, self.task, described=described
        )

    def _arrays(self) -> tuple[NDArray[np.uint8], Labels]:
        """Images uint8 [N, height, width, channels] and labels [N] of the sample. Raises ZooError."""
        count = self.info.sample.images if self.info.sample else 0
        if not 0 < count <= MOST_IMAGES:
            raise _damaged(self.folder / INFO, f"it names no sample of 1 to {MOST_IMAGES:,} images")
        task = self.task
        like = {
            "images": np.broadcast_to(np.uint8(0), (count, *task.image_shape)),
            "labels": np.broadcast_to(task.label_dtype.type(0), (count,)),
        }
        content = self._verified(SAMPLE)
        try:
            found = from_zip(content, like)
        except _NO_SAMPLE as error:
            raise _damaged(self.folder / SAMPLE, f"it is not a sample of {count} images") from error
        if found["labels"].max() >= len(task.classes):
            raise _damaged(self.folder / SAMPLE, "a label has no class")
        return found["images"], found["labels"]

    def _verified(self, name: str) -> bytes:
        """The content of a file. Raises ZooError where it is not what zoo.json says."""
        path = self.folder / name
        try:
            content = reading.read_bytes(path, "a model", ZooError, reading.RECORD_BYTES)
        except ZooError as error:
            raise _damaged(path, str(error)) from error
        if hashlib.sha256(content).hexdigest() != self.info.files.get(name):
            raise _damaged(path, "its SHA-256 is another")
        return content


def usual_folder() -> Path:
    """That of EDGEFASHION_ZOO, else that in the package."""
    return Path(os.environ.get(VARIABLE) or Path(__file__).parent)


def present() -> bool:
    """Whether there are any models in the usual folder; nothing is verified."""
    return reading.is_file(usual_folder() / INFO, ZooError)


def open_zoo(folder: Path | None = None) -> Zoo:
    """The zoo in `folder`, else in the usual one.

    Raises ZooError if there is none, or if its zoo.json is damaged.
    """
    from edgefashion.records.zoo import Zoo as Record

    path = (folder or usual_folder()) / INFO
    if not reading.is_file(path, ZooError):
        raise ZooError(
            "this edgefashion comes without models: name a file, or train one with edgefashion train"
        )
    content = reading.read_bytes(path, "a zoo", ZooError, reading.INFO_BYTES)
    name, what, mend = f"{path}, which comes with edgefashion,", "the list of models", restore(path)
    info = reading.load_json(content, name, what, ZooError, Record, newest=SCHEMA, mend=mend)
    return Zoo(path.parent, info)


def is_name(text: str | Path) -> bool:
    """Whether this is `zoo:NAME` or `zoo:FILE`."""
    return str(text).startswith(PREFIX)


def is_shipped(each: Artifact) -> bool:
    """Whether it lies in the usual folder."""
    return each.path.parent == usual_folder()


def display_name(each: Artifact) -> str:
    """What to call an artifact: `zoo:FILE` where it comes with edgefashion, else its path."""
    return f"{PREFIX}{each.path.name}" if is_shipped(each) else str(each.path)


def _damaged(path: Path, why: str) -> ZooError:
    return ZooError(f"{path}, which comes with edgefashion, is damaged ({why}): {restore(path)}")
