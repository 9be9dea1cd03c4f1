"""What `debug --json` writes: the errors of layers, see `edgefashion.export.debug`."""

from edgefashion.records.values import Amount, Count, Id, Name, Record, Share


class LayerError(Record, frozen=True, kw_only=True):
    """A layer of an int8 file, in the order of the model."""

    layer: Name
    kind: Name
    shape: tuple[Count, ...]
    snr_db: float | None
    """Of its output, with all that the layers before it have done; null where nothing is wrong."""
    own_snr_db: float | None
    """Of what it adds itself."""
    share: Amount
    """Of the error of the logits; all layers' come to 1."""
    share_weights: Amount
    """The part of it that rounded weights do."""
    share_output: Amount
    """The part that the grid of its output does."""


class ModelError(Record, frozen=True, kw_only=True):
    """An int8 file against the float model."""

    file: Name
    runtime: Name
    kernels_differ: Amount
    snr_db: float | None
    agreement: Share
    """Part of the images given the same class."""
    explained: Amount | None
    layers: tuple[LayerError, ...]
    unranked: tuple[Name, ...] = ()


class Debug(Record, frozen=True, kw_only=True):
    """All of it: `models` by their format."""

    schema: int
    split: Name
    run: Name
    run_id: Id
    precision: Name
    images: Count
    models: dict[Name, ModelError]
    machine: Name | None = None
    """Its name; null, like the next, in files that older versions wrote."""
    date: Name | None = None
    """ISO 8601, UTC."""
