"""The names of a bundle's members, and how many and how large they may be."""

from pathlib import Path

from edgefashion.artifacts.artifact import manifest_path

SCHEMA = 1
SUFFIX = ".zip"
INFO, IMAGES, LABELS = "bundle.json", "images.npy", "labels.npy"

MOST_MEMBERS = 1000
MOST_IMAGES = 100_000
MEMBER_BYTES = 256 << 20
TOTAL_BYTES = 1 << 30
INFO_BYTES = 4 << 20
_NAME_BYTES = 200


def artifact(file: str) -> str:
    """Where the model file called `file` is."""
    return f"artifacts/{file}"


def manifest(file: str) -> str:
    """Where the manifest of the model file called `file` is."""
    return f"artifacts/{manifest_path(Path(file)).name}"


def predictions(file: str) -> str:
    """Where the logits of the model file called `file` are."""
    return f"predictions/{file}.npy"


def is_file_name(name: str) -> bool:
    """Whether a file may be called so on every computer: visible, printable, no path and no way out."""
    return (
        name.isprintable()
        and not set(name) & set('/\\:*?"<>|')
        and name[:1] not in ("", ".")
        and name[-1:] not in (" ", ".")
        and len(name.encode()) <= _NAME_BYTES
    )


def is_member_name(name: str) -> bool:
    """Whether a member may be called so."""
    folder, slash, file = name.rpartition("/")
    return is_file_name(file) and (folder in ("artifacts", "predictions") if slash else True)
