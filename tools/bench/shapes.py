"""Shapes of residual CNNs that a search tries: drawn by chance, and the file of each before it is trained."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path
from random import Random

from edgefashion import files
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Subset
from edgefashion.errors import BadInput
from edgefashion.export import embed
from edgefashion.export.converters import method_of
from edgefashion.export.exporter import manifest_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.graph.unread_pixels import crop_unread
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import representative_dataset
from edgefashion.export.source import Source
from edgefashion.models import ARCHITECTURES, check_size, residual
from edgefashion.models.residual import MOST_ROWS, SHAPES, Shape
from edgefashion.models.summary import summarize
from edgefashion.task import Task

INT8 = Variant("tflite", "int8")
FIRST, NEXT, BLOCKS = (6, 32), (0.75, 3), (0, 1, 2, 3)
"""How many channels there are at first, and how many times as many each time the image is halved; how many
blocks there are each time.
"""
LEAST = 0.8
"""The share of the bytes that what is drawn uses at least."""
MOST_DRAWS = 100_000
"""In vain, after which none is expected to fit."""


@dataclass(frozen=True)
class Candidate:
    """A shape that the trainer and the exporter know by its name, and the file of its initial weights."""

    name: str
    shape: Shape
    path: Path
    size: int
    macs: int


def name_of(shape: Shape) -> str:
    """`cnn-8-16-14-010-weighted`; that which it is shipped under, where it is."""
    shipped = {own: name for name, own in SHAPES.items()}
    flags = [name for name, value in asdict(shape).items() if value is True]
    parts = ["cnn", *map(str, shape.channels), "".join(map(str, shape.blocks)), *flags]
    return shipped.get(shape) or "-".join(parts)


def draws(task: Task, size: float, macs: float, seed: int) -> Iterator[Shape]:
    """Shapes of nearly so many bytes and at most so many multiply-accumulates, none twice and none that is
    shipped. Raises BadInput where there are no more.
    """
    random, seen = Random(seed), set(SHAPES.values())
    while True:
        for _ in range(MOST_DRAWS):
            shape = drawn(random)
            own_size, own_macs = cost(shape, task)
            if shape not in seen and LEAST * size <= own_size <= size and own_macs <= macs:
                break
        else:
            raise BadInput(
                f"hardly a shape more has {LEAST * size:,.0f} to {size:,.0f} bytes and so few "
                "multiply-accumulates: allow more, or fewer candidates"
            )
        seen.add(shape)
        yield shape


def drawn(random: Random) -> Shape:
    """Any shape; twice as many channels are as likely as half as many."""
    width, channels = 1.0, []
    for low, high in (FIRST, NEXT, NEXT):
        width *= exp(random.uniform(log(low), log(high)))
        channels.append(2 * round(width / 2))
    one, two, three = channels
    blocks = (random.choice(BLOCKS), random.choice(BLOCKS), random.choice(BLOCKS))
    residual, weighted, branches = (random.random() < 0.5 for _ in range(3))
    return Shape((one, two, three), blocks, residual and any(blocks), weighted, branches)


def cost(shape: Shape, task: Task) -> tuple[int, int]:
    """Bytes of the int8 TFLite file, about, and multiply-accumulates for an image: by arithmetic, to draw by.
    Bytes beyond those of the weights are a fit to 31 measured files, the worst of which is 1.3 % off.
    """
    found = list(convolutions(shape, task))
    last, places = found[-1][1:]
    head = last * len(task.classes) + last * places * shape.weighted
    channels = sum(out for _, out, _ in found) + last * shape.weighted
    fixed = 450 * (len(found) + shape.weighted) + 160 * sum(shape.blocks) * shape.residual + 3800
    size = sum(9 * into * out for into, out, _ in found) + head + 14 * channels + fixed
    return size, sum(9 * into * out * at for into, out, at in found) + head


def convolutions(shape: Shape, task: Task) -> Iterator[tuple[int, int, int]]:
    """Channels in and out of each that is deployed, and the places that it computes: see `residual.build`."""
    height, width, before = task.image_shape
    edge = min(height, width)
    for stage, (channels, blocks) in enumerate(zip(shape.channels, shape.blocks, strict=True)):
        if stage or edge > MOST_ROWS:
            height, width = -(-height // 2), -(-width // 2)
        yield before, channels, height * width
        if not stage and edge > 2 * MOST_ROWS:
            height, width = height // 2, width // 2
        yield from [(channels, channels, height * width)] * (2 * blocks)
        before = channels


def candidate(shape: Shape, task: Task, images: Subset, folder: Path) -> Candidate:
    """Make a shape known in this process, and its file of initial weights in a folder, calibrated with some
    of the training images. It has as many bytes, and computes as much, as after any training.
    """
    name, options = name_of(shape), ExportOptions()
    known = ARCHITECTURES[name] = residual.architecture(name, shape)
    check_size(known, task)
    model = known.build(task, None)
    graph = Graph(task, model, known, crop_unread(known.fold(model, task)), known.resize)
    count = options.representative_size(len(images))
    source = Source(graph, representative_dataset(images, task, known.normalization, count))
    (method,) = INT8.calibrations
    told = {
        **{"run": name, "run_id": "untrained", "base_run_id": None, "small_run": False},
        **{"precision": INT8.precision, "target": None, "kept_float": []},
        **{"task": task.to_dict(), "labels": list(task.classes)},
        **manifest_of(graph, source.representative.manifest | {"method": method}),
    }
    content = method_of(INT8).converter(source, options)(method)
    content = embed.embed(content, INT8.format, embed.describe(told).to_dict())
    path = folder / f"{name}.tflite"
    files.write_bytes(path, content)
    return Candidate(name, shape, path, len(content), sum(layer.macs for layer in summarize(graph.deployed)))
