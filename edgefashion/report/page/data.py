"""What a report knows."""

from dataclasses import dataclass
from pathlib import Path

from edgefashion import files
from edgefashion.artifacts.artifact import Artifact
from edgefashion.data import Subset, Task
from edgefashion.errors import BadInput
from edgefashion.errors.arguments import PATH, takes
from edgefashion.records.debug import Debug
from edgefashion.records.run import Story
from edgefashion.report.card import Card
from edgefashion.report.compare import Comparison

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, eq=False)
class Model:
    """A model of a report: a run, or one of those that come with edgefashion."""

    name: str
    stories: tuple[Story, ...]
    """run.json of its run, then of those that this was made from."""
    artifacts: tuple[Artifact, ...]
    task: Task
    card: Card | None
    """What its files say of the test images; None where nothing could be asked, see `missing`."""
    images: Subset | None
    """The test images, where there is a card."""
    missing: str | None
    """Why nothing could be asked."""


@dataclass(frozen=True, eq=False)
class Report:
    """What the page shows."""

    models: tuple[Model, ...]
    comparison: Comparison | None
    """Results of several devices, of one, or of none."""
    layers: tuple[Debug, ...]
    left_out: tuple[str, ...]
    """What could not be read, and why."""
    repeated: tuple[str, ...] = ()
    """Files that are the same to the byte as another."""

    def __repr__(self) -> str:
        sources = len(self.comparison.sources) if self.comparison else 0
        return f"<Report of {len(self.models)} models and {sources} results; .save(PATH) writes it>"

    @property
    def task(self) -> str | None:
        """What all of it is about; None where only latencies are known."""
        names = [model.task.name for model in self.models]
        names += [source.task for source in self.comparison.sources if source.task] if self.comparison else []
        return names[0] if names else None

    def to_html(self) -> str:
        """The page. Raises MissingExtra without Jinja2, matplotlib or Pillow."""
        from edgefashion.report.page.document import to_html

        return to_html(self)

    @takes(path=PATH)
    def save(self, path: str | Path) -> None:
        """Write the page into a .html file, whole or not at all.

        Raises BadInput for another suffix, OutputError, and MissingExtra as `to_html`.
        """
        check_suffix(Path(path))
        files.write_text(Path(path), self.to_html())


def check_suffix(path: Path) -> None:
    """Raise BadInput for a file that no browser would open as a page."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path} is to end in {SUFFIXES[0]}: a report is a page for a browser")
