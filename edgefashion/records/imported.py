"""In run.json, of a model that was trained elsewhere: what its file was, and how it is read here."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from edgefashion.records.values import Count, Digest, Name, Positive, Record

Factor = Annotated[float, Meta(ge=-1e9, le=1e9)]


class Tried(Record, frozen=True, kw_only=True):
    """A way to prepare pixels, and how often the model was right under it."""

    name: Name
    right: Count
    pictures: Positive


class Preprocessing(Record, frozen=True, kw_only=True):
    """How a pixel became the number that the file's model computed with: pixel * scale + offset, one for all
    channels or one each, in the order of that model's.
    """

    name: Name
    scale: tuple[Factor, ...]
    offset: tuple[Factor, ...]
    bgr: bool
    """Whether its first channel was blue."""
    chosen: Literal["measured", "in the file", "given"]
    tried: tuple[Tried, ...]
    """On pictures of validation and, where these did not tell, of training."""


class Imported(Record, frozen=True, kw_only=True):
    """Where an imported model is from, and what was found out about it."""

    file: Name
    """Its name, without the folder."""
    sha256: Digest
    format: Name
    ending: Name
    """What it did with its logits: softmax, sigmoid or nothing."""
    preprocessing: Preprocessing
    order: Literal["sorted", "given", "found"]
    """How it is known which class an output is of; `found` by pictures."""
    scale: Annotated[float, Meta(gt=0, le=1e9)]
    """Of the run's own normalization: (pixel - zero_point) * scale."""
    zero_point: Annotated[int, Meta(ge=0, le=255)]
    layers_sha256: Digest | UnsetType = UNSET
    """Of architecture.json."""
    notes: tuple[Name, ...] = ()
    """What reading it had to say."""
