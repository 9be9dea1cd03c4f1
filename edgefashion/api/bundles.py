"""Packing model files for another computer."""

from collections.abc import Sequence
from pathlib import Path

from edgefashion import bundle
from edgefashion.api.names import Named, artifacts_of
from edgefashion.api.unseen import unseen
from edgefashion.benchmarking import Progress
from edgefashion.bundle.layout import SUFFIX
from edgefashion.bundle.write import Made
from edgefashion.data import Dataset
from edgefashion.errors import BadInput
from edgefashion.errors.arguments import OPTIONAL_NUMBER, PATH, takes

USUAL_IMAGES = 1000


@takes(dataset=Dataset, path=PATH, images=OPTIONAL_NUMBER)
def make_bundle(
    models: Named | Sequence[Named],
    dataset: Dataset,
    path: str | Path,
    *,
    images: int | None = None,
    progress: Progress | None = None,
) -> Made:
    """Write a .zip file of model files, test images, and the predictions that each model makes for them here.

    `images` says how many; 1,000 by default, or all if there are fewer. Raises BadInput for another suffix
    and for more images than there are, ArtifactError for a file that cannot be run, OutputError.
    """
    path = Path(path)
    check_name(path)
    artifacts = artifacts_of(models)
    dataset = unseen(dataset, artifacts)
    count = min(USUAL_IMAGES, len(dataset.test)) if images is None else images
    return bundle.make(path, artifacts, dataset, count, progress)


def check_name(path: Path) -> None:
    """Raise BadInput for a name that is not a bundle's."""
    if path.suffix.lower() != SUFFIX:
        raise BadInput(f"{path} is not a .zip file: call it {path.with_suffix(SUFFIX)}")
