"""A model that is not a file yet, run once."""

from pathlib import Path

from edgefashion.files import temporary
from edgefashion.files.stored import ImageSet
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.process import ModelProcess


def run_content(content: bytes, name: str, images: ImageSet) -> tuple[Logits, str]:
    """Logits float32 [N, classes] for images uint8 [N, height, width, channels], and the runtime that gave
    them, with its version. `content` is that of a file called `name`, whose suffix says of what format.

    Raises ArtifactError for a model that cannot be loaded, RuntimeCrash where its runtime dies.
    """
    with temporary.Folder() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with ModelProcess(path, threads=1) as process:
            return process.predict(images), f"{process.runtime} {process.version}"
