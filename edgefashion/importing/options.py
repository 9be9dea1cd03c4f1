"""What a user may say of a model, instead of having it found."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgefashion.data import Splits
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.preprocessing.preprocessing import NAMES, Tried, of_name, usual


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the user says of a model; what is not said is found.

    labels: a file with the name of each output. preprocess: one of `preprocessing.NAMES`. scale and offset
    instead: a pixel becomes pixel * scale + offset, one entry or one a channel. bgr: blue comes first.
    """

    labels: Path | None = None
    preprocess: str | None = None
    scale: tuple[float, ...] | None = None
    offset: tuple[float, ...] | None = None
    bgr: bool = False

    @property
    def names_preprocessing(self) -> bool:
        """Whether the user says how pixels are prepared."""
        return bool(self.preprocess or self.scale or self.offset)

    def check(self) -> None:
        """Raise BadInput for what excludes each other, and for a scale that is none."""
        if self.preprocess is not None and self.preprocess not in NAMES:
            raise BadInput(f"unknown preprocessing {self.preprocess!r}. Choose from {', '.join(NAMES)}")
        if self.preprocess and (self.scale or self.offset):
            raise BadInput(
                f"{setting('--preprocess')} names a scale and an offset: leave out {setting('--scale')} and "
                f"{setting('--offset')}, or {setting('--preprocess')}"
            )
        numbers = (*(self.scale or ()), *(self.offset or ()))
        if not np.isfinite(numbers).all() or 0 in (self.scale or ()):
            raise BadInput(f"{setting('--scale')} and {setting('--offset')} are numbers, and no scale is 0")

    def ways(self, channels: int, splits: Splits) -> list[Tried]:
        """What is to be tried. Raises BadInput for scales and offsets of other channels."""
        if self.preprocess:
            way = of_name(self.preprocess, channels, splits.train)
            return [Tried(self.preprocess, replace(way, bgr=way.bgr or self.bgr))]
        if self.scale or self.offset:
            scale, offset = self.scale or (1.0,), self.offset or (0.0,)
            if {len(scale), len(offset)} - {1, channels}:
                raise BadInput(
                    f"the model has {channels} channels: give one {setting('--scale')} and "
                    f"{setting('--offset')}, or one for each"
                )
            return [Tried("as given", Preprocessing(scale, offset, self.bgr))]
        ways = usual(channels, splits.train)
        return [each for each in ways if each.preprocessing.bgr] if self.bgr else ways
