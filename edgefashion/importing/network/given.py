"""What the readers of files that are not of Keras share: what they find, and how they refuse."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from edgefashion.errors import ArtifactError, BadInput
from edgefashion.errors.wording import setting
from edgefashion.escaping import visible
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.imported import Ending, Format, Preprocessing
from edgefashion.importing.network.layout import Data
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.plan import Tensor

T = TypeVar("T")
CHANNELS = (1, 3)
INPUTS = ("float32", "float16", "float64", "uint8", "int8", "int32", "int64")
LARGEST = 1024
"""The longest edge of pictures, in pixels."""
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


@contextmanager
def naming(path: Path, format: str) -> Iterator[None]:
    """Name the file in what is said of it: ArtifactError where it is damaged, BadInput for any other that
    cannot be taken over.
    """
    try:
        with np.errstate(all="ignore"):  # numbers are checked where they are taken
            yield
    except ArtifactError:
        raise
    except Refused as error:
        raise BadInput(f"{path} {error}") from error
    except BadInput as error:
        raise BadInput(f"{path} cannot be taken over: {error}") from error
    except (ValueError, KeyError, MemoryError) as error:
        why = visible(str(error)) or "it needs more memory than there is"
        raise ArtifactError(f"{path} is damaged or not a model of {format} ({why}): copy it again") from error


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


def single(ports: Sequence[T], what: str) -> T:
    """The one input or output that a classifier has."""
    if len(ports) != 1:
        raise Refused(f"has {len(ports)} {what}s, and a classifier of pictures has one")
    return ports[0]


def image_of(
    shape: Sequence[int | str | None], dtype: str, size: tuple[int, int] | None, channels_last: bool
) -> Image:
    """What a file takes; `channels_last` decides where either end of the shape may be channels, and `size` is
    height and width where it leaves them open. Raises Refused for what is no picture.
    """
    if len(shape) != 4 or dtype not in INPUTS:
        raise Refused(f"takes {visible(dtype)} {shown(shape)}, not pictures: it is no classifier of them")
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if not first and not last:
        raise Refused(f"takes {shown(shape)}, not pictures of 1 or 3 channels")
    if first and last:
        first = not channels_last
    channels, *edges = (shape[1], *shape[2:]) if first else (shape[3], *shape[1:3])
    fixed = tuple(edge for edge in edges if isinstance(edge, int) and edge > 0)
    if len(fixed) != 2 and size is None:
        raise Refused(f"leaves the height and width of its pictures open: say them with {setting('--size')}")
    if len(fixed) == 2 and size is not None and fixed != tuple(size):
        raise Refused(f"takes pictures of {fixed[0]}x{fixed[1]}, not {size[0]}x{size[1]}")
    height, width = fixed if len(fixed) == 2 else size or (0, 0)
    if max(height, width) > LARGEST:
        raise Refused(f"takes pictures of {height}x{width}, larger than {LARGEST} pixels")
    batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
    assert isinstance(channels, int)
    return Image((height, width, channels), dtype, first, batch, len(fixed) != 2)


def shown(shape: Sequence[int | str | None]) -> str:
    """A shape, for people."""
    return visible("[" + ", ".join("?" if edge in (None, -1) else str(edge) for edge in shape) + "]")


def row_of(network: Network, output: object, image: Image, format: Format) -> Given:
    """The classifier whose output this is. Raises Refused where that is no row of one number a class."""
    row = isinstance(output, Data) and output.order is None and output.rank in (2, 4)
    if not isinstance(output, Data) or not row or len(output.curve.base.shape) != output.rank - 1:
        raise Refused("gives no row of one number a class: it is no classifier")
    if max(output.shape) != math.prod(output.shape):
        raise Refused(f"gives {shown(('N', *output.shape))} for a picture, not a row of one number a class")
    return _ended(network, output.curve, output.ending, image, format)


def _ended(network: Network, output: Curve, softmax: str | None, image: Image, format: Format) -> Given:
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
