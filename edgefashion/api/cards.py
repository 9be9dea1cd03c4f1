"""Model cards."""

from collections.abc import Sequence
from pathlib import Path

from edgefashion import zoo
from edgefashion.api.names import artifacts_of
from edgefashion.api.unseen import unseen
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.data import Dataset
from edgefashion.errors.arguments import PATH, takes
from edgefashion.records.run import Story
from edgefashion.report.card import Card, gather
from edgefashion.reporting import Progress
from edgefashion.training import lineage, runs
from edgefashion.training.runs import Run


@takes(model=(*PATH, Run), dataset=Dataset, results=(list, tuple))
def make_card(
    model: str | Path | Run,
    dataset: Dataset,
    results: Sequence[str | Path] = (),
    *,
    progress: Progress | None = None,
) -> Card:
    """What is known of a run, or of `zoo:NAME`: its training, its files and what they say of the test images.

    `results` are files of results on other machines, of the same model files. Raises RunError, ArtifactError
    and RuntimeCrash for what cannot be used, BadInput for a results file of none of the files.
    """
    stories, artifacts = known_of(model)
    seen = unseen(dataset, artifacts)
    return gather(stories[0].name, stories, artifacts, seen, list(map(Path, results)), progress)


def known_of(model: str | Path | Run) -> tuple[Sequence[Story], list[Artifact]]:
    """What is known of the trainings behind a model, the last first, and its files.

    With them, the float32 files of the runs that it was fine-tuned from: what quantization is to be compared
    with.
    """
    if not isinstance(model, Run) and zoo.is_name(model):
        return zoo.open_zoo().runs(str(model)), artifacts_of(model)
    run = model if isinstance(model, Run) else runs.read(model)
    trained = lineage.lineage(run)
    bases = [artifact.inspect(path) for each in trained[1:] for path in artifact.find(each.artifacts)]
    return lineage.stories(trained), [
        *artifacts_of(run),
        *(each for each in bases if each.precision == "float32"),
    ]
