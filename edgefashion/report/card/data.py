"""What is known about a model: its training, its files, and their predictions for test images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgefashion import device, files
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import INTEGER_PRECISIONS
from edgefashion.benchmarking import BenchmarkOptions, Job, Measurement
from edgefashion.data import Dataset, Task
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.errors.arguments import PATH, takes
from edgefashion.evaluation import predictions, rows, scores
from edgefashion.evaluation.predictions import Candidate, LabeledImages, Labels, Predictions
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Row
from edgefashion.records.run import Story
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.report.card import pictures
from edgefashion.report.compare import read

if TYPE_CHECKING:
    from edgefashion.benchmarking import Progress

SUFFIX = ".md"
Matrix = NDArray[np.intp]


@dataclass(frozen=True)
class Confusion:
    """Images of one class that are taken for another."""

    label: int
    taken_for: int
    images: int
    of: int
    """How many images the class has."""


@dataclass(frozen=True, eq=False)
class Card:
    """What is known of a model."""

    name: str
    stories: list[Story]
    """run.json of its run, then of those that this was fine-tuned from."""
    artifacts: list[Artifact]
    replies: list[Predictions]
    """What each artifact says of the test images."""
    task: Task
    labels: Labels
    """[N], of the test images."""
    dataset: DatasetInfo
    """See `Dataset.describe`."""
    results: Results
    """A row for each artifact, without latency."""
    elsewhere: list[tuple[Results, Row]]
    """Rows of the same files in results files, with what they were measured on."""
    cautions: list[str]
    """How pictures were shared out, and what their number means; none of IDX files and of folds."""

    def to_markdown(self, picture: str | None = None) -> str:
        """The card; `picture` is the name of the confusion matrix's file beside it."""
        from edgefashion.report.card import page

        return page.to_markdown(self, picture)

    @takes(path=PATH)
    def save(self, path: str | Path) -> None:
        """Write the card into a .md file. Raises BadInput for another suffix, OutputError."""
        if Path(path).suffix.lower() != SUFFIX:
            raise BadInput(f"{path} is to end in {SUFFIX}: a card is written in Markdown")
        files.write_text(Path(path), self.to_markdown())

    @takes(path=PATH)
    def plot(self, path: str | Path) -> None:
        """Draw the confusion matrix of the deployed file into a .png, .svg or .pdf file.

        Raises BadInput for another suffix, MissingExtra without matplotlib, OutputError.
        """
        from edgefashion.report.card.plot import plot

        plot(self, Path(path))

    @property
    def deployed(self) -> int:
        """Which artifact the details are of: the first that computes in integers, else the first."""
        kinds = [each.precision in INTEGER_PRECISIONS for each in self.artifacts]
        return kinds.index(True) if any(kinds) else 0

    def confusion(self, number: int) -> Matrix:
        """How many images of each class (first axis) the artifact puts into which (second)."""
        classes = self.replies[number].classes
        assert classes is not None
        count = len(self.task.classes)
        found = np.zeros((count, count), np.intp)
        np.add.at(found, (self.labels, classes), 1)
        return found

    def confused(self, count: int) -> list[Confusion]:
        """The most frequent confusions of the deployed artifact, the most frequent first."""
        matrix = self.confusion(self.deployed)
        images = matrix.sum(axis=1)
        wrong = matrix - np.diag(np.diag(matrix))
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        pairs = [divmod(int(position), len(matrix)) for position in order]
        return [Confusion(a, b, int(wrong[a, b]), int(images[a])) for a, b in pairs if wrong[a, b]]


def gather(
    name: str,
    stories: Sequence[Story],
    artifacts: Sequence[Artifact],
    dataset: Dataset,
    elsewhere: Sequence[Path] = (),
    progress: "Progress | None" = None,
) -> Card:
    """Let each artifact classify the test images, and find its rows in the results files `elsewhere`.

    Raises ArtifactError and RuntimeCrash for a file that cannot be used, BadInput for a results file that
    is none, or has no row of any of the artifacts.
    """
    sample = LabeledImages.of(dataset.test, dataset.task)
    subjects = [Candidate(each, each.path.name, sample) for each in artifacts]
    described = [rows.file(each) for each in artifacts]
    known = measured(elsewhere, {file.sha256 for file in described})
    replies = [_asked(subject, progress) for subject in subjects]
    found = []
    for number, subject in enumerate(subjects):
        score = scores.score(subjects, replies, number)
        reply = replies[number]
        own, computation = subject.artifact, rows.computation(subject.artifact.path)
        common = rows.Common(own, subject.name, described[number], computation, score, None, reply.note)
        untimed = Measurement(Job(subject.artifact.path, 1), reply.runtime, reply.version)
        found.append(rows.row(common, untimed, [], BenchmarkOptions(), None))
    here = Results(device.describe(), dataset.describe(), found, "card")
    lists = (list(stories), list(artifacts), replies)
    about = dataset.describe()
    return Card(name, *lists, sample.task, sample.labels, about, here, known, pictures.cautions(dataset))


def measured(paths: Sequence[Path], digests: set[str | None]) -> list[tuple[Results, Row]]:
    """The rows of files with one of these SHA-256 in results files, with their results.

    Raises BadInput for a file that is not a results file or has no such row.
    """
    found = []
    for path in paths:
        measured = read(path)
        own = [row for row in measured.rows if row.sha256 in digests]
        if not own:
            raise BadInput(f"{path} has results of other files only (SHA-256): measure those of the card")
        found += [(measured, row) for row in own]
    return found


def _asked(subject: Candidate, progress: "Progress | None") -> Predictions:
    if subject.artifact.defect:
        raise ArtifactError(subject.artifact.defect)
    assert subject.sample is not None
    predictions.check_kind(subject.artifact, subject.sample.task)
    return predictions.predict(subject.artifact, subject.sample.images, progress)
