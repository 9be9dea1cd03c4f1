"""How much accuracy an int8 file loses on labelled pictures, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgefashion.stats import mcnemar_exact, paired_interval

CHANCE = 0.05
"""The p value from which on a difference may well be chance."""
Verdict = Literal["within", "above", "not told", "refused"]
"""How it stands to a limit: "not told" where chance may explain what is above it, "refused" where the file is
not the model.
"""


@dataclass(frozen=True)
class Drop:
    """How many of the same pictures, which are of those `splits`, only the float model gets right (`lost`),
    and only the int8 file (`won`).
    """

    lost: int
    won: int
    pictures: int
    splits: str = "validation"

    @property
    def share(self) -> float:
        """By how much int8 is right less often, as a share of the pictures."""
        return (self.lost - self.won) / self.pictures

    @property
    def p(self) -> float:
        """That of McNemar's exact test: above CHANCE, the difference may well be chance."""
        return mcnemar_exact(self.lost, self.won)

    def verdict(self, limit: float) -> Verdict:
        """Whether it is above a limit, a share of the pictures, and by more than chance."""
        if self.share <= limit + 1e-9:
            return "within"
        return "above" if self.p < CHANCE else "not told"

    def __str__(self) -> str:
        return f"{100 * self.share:.2f} points lost on {self.pictures:,} {self.splits} pictures"

    @property
    def spread(self) -> str:
        """What chance makes of it, in words."""
        low, high = (100 * end for end in paired_interval(self.lost, self.won, self.pictures))
        return f"95 % interval {low:.2f} to {high:.2f}, McNemar p = {self.p:.2g}"

    def to_dict(self, limit: float) -> dict[str, Any]:
        """What a manifest says of it."""
        low, high = paired_interval(self.lost, self.won, self.pictures)
        return {
            **asdict(self),
            "share": self.share,
            "share_ci95": [low, high],
            "mcnemar_p": self.p,
            "limit": limit,
            "verdict": self.verdict(limit),
        }


def drop_of(right: Sequence[npt.NDArray[np.bool_]], expected: Sequence[npt.NDArray[np.bool_]]) -> Drop:
    """From which pictures int8 and the float model get right, [N] each: of validation, then of training."""
    own, wanted = np.concatenate(right), np.concatenate(expected)
    splits = "validation" if len(right) == 1 else "validation and training"
    return Drop(int((wanted & ~own).sum()), int((own & ~wanted).sum()), len(own), splits)
