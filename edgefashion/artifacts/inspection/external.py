"""Constants of a model file that are in other files, as some formats allow: beside it or in a folder below.

Nothing else is read: a place that leads out of the folder, or through a link, may be any file there is.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from edgefashion.artifacts import formats
from edgefashion.errors import ArtifactError
from edgefashion.files import reading


def files(path: Path) -> list[Path]:
    """The other files of a model file, in the order of their names; none of one that cannot be read.

    Raises ArtifactError for one that is missing, too short, or not beside the model file.
    """
    format = formats.of(path)
    if format is None or format.external is None:
        return []
    content = reading.map_model(path, ArtifactError)
    try:
        needed = format.find_external(content)
    except (ValueError, MemoryError):  # what is wrong with it is said by whoever reads it whole
        return []
    return checked(path, needed)


def checked(path: Path, needed: Mapping[str, int]) -> list[Path]:
    """The files `needed` by a model file, which must have so many bytes; one that it names in several ways
    once. Raises ArtifactError.
    """
    return list(dict.fromkeys(_checked(path, name, needed[name]) for name in sorted(needed)))


def _checked(path: Path, name: str, size: int) -> Path:
    where = PurePosixPath(name)
    if not name.isprintable() or not where.parts or where.is_absolute() or {"..", "\\"} & set(where.parts):
        raise ArtifactError(
            f"{path} keeps its weights outside its folder, in {name!r}, where they are not read: "
            "copy them beside it"
        )
    folder = path.parent
    for part in where.parts:
        folder /= part
        if folder.is_symlink():
            raise ArtifactError(f"{path} has its weights behind a link, {folder}: copy the file itself there")
    if not reading.is_file(folder, ArtifactError):
        raise ArtifactError(f"{path} has its weights in {folder}, which is missing: copy it there")
    with reading.open_file(folder, "the weights of a model", ArtifactError) as file:
        reading.refuse_pointer(folder, file.read(64), ArtifactError)
    if folder.stat().st_size < size:
        raise ArtifactError(f"{folder}, the weights of {path.name}, is truncated: copy it again")
    return folder
