"""What the readers of files that are not of Keras share: what they find, and how they refuse."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.importing.curves import Curve
from edgefashion.importing.imported import Ending, Format, Preprocessing
from edgefashion.importing.network import Network
from edgefashion.importing.plan import Tensor

MOST_NAMED = 12


class Refused(Exception):
    """A sound file of what is not imported; the message says what it is, behind its name."""

    @classmethod
    def operators(cls, names: Sequence[str]) -> "Refused":
        """One that has operators in the way, named as often as there are such."""
        found = Counter(names).most_common()
        shown = [f"{visible(name)} ({number})" for name, number in found[:MOST_NAMED]]
        more = f" and {len(found) - MOST_NAMED} others" if len(found) > MOST_NAMED else ""
        return cls(f"has operators that cannot be taken over: {', '.join(shown)}{more}")


@dataclass(frozen=True)
class Image:
    """What a file takes: `shape` is height, width and channels, `batch` None where it is open."""

    shape: tuple[int, int, int]
    dtype: str
    channels_first: bool
    batch: int | None
    open: bool


@dataclass
class Given:
    """A classifier as it was read: the plan of its layers, and what is before and behind them."""

    network: Network
    logits: Tensor
    ending: Ending
    log: bool
    """Whether the file gives the logarithms of a softmax."""
    preprocessing: Preprocessing | None
    image: Image
    format: Format
    notes: list[str] = field(default_factory=list)


def check_image(
    edges: Sequence[object],
    channels: object,
    size: tuple[int, int] | None,
    dtype: str,
    *,
    channels_first: bool,
    batch: object,
) -> Image:
    """What a file takes. Raises Refused where height and width are open and not told, or told otherwise."""
    fixed = tuple(edge for edge in edges if isinstance(edge, int) and edge > 0)
    if len(fixed) != 2 and size is None:
        raise Refused("leaves the height and width of its pictures open: say them with --size")
    if len(fixed) == 2 and size is not None and fixed != tuple(size):
        raise Refused(f"takes pictures of {fixed[0]}x{fixed[1]}, not {size[0]}x{size[1]}")
    height, width = size if size is not None else (fixed[0], fixed[1])
    assert isinstance(channels, int)
    known = batch if isinstance(batch, int) and batch > 0 else None
    return Image((height, width, channels), dtype, channels_first, known, len(fixed) != 2)


def ended(network: Network, output: Curve, softmax: str | None, image: Image, format: Format) -> Given:
    """The classifier whose output this is: the logits before a softmax or sigmoid."""
    notes: list[str] = []
    ending: Ending = "softmax" if softmax else "logits"
    if not softmax and output.kind == "sigmoid":
        ending, output = "sigmoid", output.read[0]
    logits = network.tensor_of(output)
    logits = network.tensor_of(network.reshape(Curve.of(logits), (int(np.prod(logits.shape)),)))
    if logits is network.image:
        raise BadInput("it computes nothing")
    if logits.shape == (1,):
        if ending == "softmax":
            raise Refused("gives one number behind a softmax, which is always 1: it is no classifier")
        if ending == "logits":
            notes.append("its one output is taken for the logit of the second of two classes")
        logits = _two_logits(network, logits)
    logits, preprocessing = network.settle(logits)
    return Given(network, logits, ending, softmax == "log_softmax", preprocessing, image, format, notes)


def _two_logits(network: Network, logit: Tensor) -> Tensor:
    """-z/2 and z/2, of which a softmax makes what a sigmoid makes of z."""
    kernel, bias = np.asarray([[-0.5, 0.5]]), np.zeros(2)
    maker = logit.maker
    if maker is not None and maker.kind == "Dense":
        kernel, bias = maker.weights[0] @ kernel, maker.weights[1] @ kernel
        logit = maker.read[0]
        return network.add("Dense", [logit], (2,), {"units": 2}, [kernel, bias], maker.name)
    return network.add("Dense", [logit], (2,), {"units": 2}, [kernel, bias], "two_logits")
