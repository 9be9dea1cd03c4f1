"""The pictures of a set that look the same in two splits: searched for once, and kept in the user's cache."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgefashion.data.picture_sets import duplicates, scanning
from edgefashion.data.picture_sets.picture import Picture

Pair = tuple[Picture, Picture]


@dataclass(frozen=True)
class Kept:
    """What was found in a set."""

    checksum: str
    """That of the set."""
    pairs: list[tuple[str, str]]
    """Digests."""


def look_alikes(pictures: Sequence[Picture], checksum: str) -> list[Pair]:
    """See `duplicates.look_alikes`; `checksum` is that of the set."""
    path = scanning.index_path(pictures[0].tree, scanning.ALIKE)
    kept = scanning.read_kept(path, Kept)
    if kept and kept.checksum == checksum:
        own = {each.digest: each for each in reversed(pictures)}
        return [(own[one], own[other]) for one, other in kept.pairs]
    found = list(duplicates.look_alikes(pictures))
    scanning.keep(path, Kept(checksum, [(one.digest, other.digest) for one, other in found]))
    return found
