"""What pictures tell of a model: how it wants its pixels, and which output is of which class."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from edgefashion.data import Dataset, Splits, Task, split
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.importing.answers import check_reading
from edgefashion.importing.network.imported import Imported, Preprocessing
from edgefashion.importing.options import ImportOptions
from edgefashion.importing.preprocessing.framing import better_framed
from edgefashion.importing.preprocessing.labels import CHANCE, check_count, listed, read_labels
from edgefashion.importing.preprocessing.pool import pool_of
from edgefashion.importing.preprocessing.preprocessing import (
    MATTERS,
    NAMES,
    Answer,
    Tried,
    composed,
    page,
    race,
    usual,
)
from edgefashion.reporting import Progress, Report, silent
from edgefashion.tables import to_text
from edgefashion.tensorflow import keras, tf

COMPARED = 20
"""Pictures on which what was read of a file is held against the file itself."""
Load = Callable[[Task | None], Dataset]
"""The pictures as images of the model: of this task, or of one made of them."""
Order = Literal["sorted", "given", "found"]
"""How it is known which class an output is of."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What was found out: the pictures, their classes in the order of the outputs; all ways to prepare pixels
    that were tried, and the one that is taken.
    """

    dataset: Dataset
    splits: Splits
    ways: Sequence[Tried]
    best: Tried
    order: Order


def find_out(
    imported: Imported,
    load: Load,
    said: ImportOptions,
    unsaid: Collection[str] = (),
    report: Report = silent,
    progress: Progress | None = None,
) -> Finding:
    """Ask a model about the labelled pictures that `load` gives; `report` gets what was tried. `unsaid` are
    those of "fit" and "background" that may be found, too.

    Raises BadInput where its outputs are not the classes of the pictures, or nothing can be told, and
    VerificationError where what was read of the file does not answer as the file does.
    """
    said.check()
    outputs = imported.model.output_shape[-1]
    dataset = _loaded(load, said.labels, outputs)
    order: Order = "given" if said.labels else "sorted"
    _warn_of_test(dataset, report)
    splits = split(dataset)
    ways = said.ways(dataset.task.channels, splits)
    answer = _answer(imported.model, imported.preprocessing)
    pool = pool_of(splits)
    asked = partial(race, answer=answer, classes=outputs, find_order=not said.labels, progress=progress)
    left = asked(ways, pool=pool)
    for line in to_text(page(ways)).splitlines() if len(ways) > 1 else ():
        report(line)
    left, picture = better_framed(left, ways, asked, pool, dataset, unsaid, report)
    best = _decided(
        left, imported, said, lambda: asked(usual(dataset.task.channels, splits.train), pool=pool)
    )
    report(_sentence(best, left, ways, imported))
    compared, _ = pool.drawn(0, min(COMPARED, len(pool)))
    check_reading(imported, _in_form(compared, composed(best.preprocessing, imported.preprocessing)))
    if picture != dataset.task.picture:
        dataset = load(replace(dataset.task, picture=picture))
    if best.order is not None:
        names, order = tuple(dataset.task.classes[place] for place in best.order), "found"
        report(
            f"warning: the outputs are not in the order of the classes' names: the pictures say that they "
            f"are {', '.join(names)}; {setting('--labels')} FILE says it otherwise"
        )
        dataset = _of_classes(dataset, names, load)
    return Finding(dataset, split(dataset), ways, best, order)


def _loaded(load: Load, labels: Path | None, outputs: int) -> Dataset:
    """The pictures, their classes in the order of the outputs as far as the user says that."""
    dataset = load(None)
    if labels:
        names = read_labels(labels)
        check_count(outputs, names, labels)
        dataset = _of_classes(dataset, names, load)
    check_count(outputs, dataset.task.classes, None)
    return dataset


def _warn_of_test(dataset: Dataset, report: Report) -> None:
    if dataset.left_out is not None and not dataset.own_test:
        report(
            "warning: the test pictures were drawn here, out of all; where the model learned from these its "
            "accuracy is too high, and what quantizing costs is right all the same: put pictures that it "
            "has not seen into test/"
        )


def _of_classes(dataset: Dataset, names: Sequence[str], load: Load) -> Dataset:
    """The same pictures, the classes in this order. Raises BadInput where one of theirs has no name there, or
    the data set says the order itself.
    """
    if others := sorted(set(dataset.task.classes) - set(names)):
        raise BadInput(
            f"the labels do not have {listed(others)}, of which there are pictures: the names have "
            "to be those of the folders"
        )
    task = replace(dataset.task, classes=tuple(names))
    if task == dataset.task:
        return dataset
    Task.from_dict(task.to_dict(), "the list of labels", BadInput)
    found = load(task)
    if found.task != task:
        raise BadInput(
            f"the labels of {dataset.task.name} are numbers in the order {', '.join(dataset.task.classes)}, "
            f"and the model's outputs are {', '.join(names)}: name its pictures, a folder a class"
        )
    return found


def _in_form(pixels: npt.NDArray[np.uint8], way: Preprocessing) -> npt.NDArray[np.float32]:
    scale, offset = (np.asarray(each, np.float32) for each in (way.scale, way.offset))
    return np.asarray((pixels[..., ::-1] if way.bgr else pixels) * scale + offset, np.float32)


def _answer(model: keras.Model, inner: Preprocessing | None) -> Answer:
    """What the model says, for raw pixels."""
    call = tf.function(lambda images: model(images, training=False), reduce_retracing=True)

    def answer(pixels: npt.NDArray[np.uint8], way: Preprocessing) -> npt.NDArray[np.float32]:
        return np.asarray(call(tf.constant(_in_form(pixels, composed(way, inner)))))

    return answer


def _decided(
    left: Sequence[Tried], imported: Imported, said: ImportOptions, others_of: Callable[[], list[Tried]]
) -> Tried:
    """The way to take of those that are left, the best first; `others_of` tries the usual ones. Raises
    BadInput where the model is right by chance only, or another, under which it answers otherwise, may be the
    better one.
    """
    best, *others = left
    if best.by_chance >= CHANCE:
        raise BadInput(_at_chance(best, others_of()[0] if said.names_preprocessing else best, said))
    own = next((each for each in left if imported.preprocessing and each.name == "none"), None)
    if own:
        return own
    for other in others:
        if other.could_gain(best) > MATTERS:
            raise BadInput(
                f"{len(best.labels):,} pictures do not tell two ways to prepare pixels apart: with "
                f"{best.name} the model is {_rightness(best)}, with {other.name} {_rightness(other)}: say "
                f"the one it was trained with, {_option(best)} or {_option(other)}, or name more pictures"
            )
    return best


def _at_chance(tried: Tried, usual: Tried, said: ImportOptions) -> str:
    """What is said of a model that guesses under what was `tried`; `usual` is the best of the usual ways."""
    same = " (it takes all of them for one class)" if len(np.unique(tried.outputs)) == 1 else ""
    if usual.by_chance < CHANCE:
        return (
            f"prepared as you said, pictures give chance: the model is {_rightness(tried)}{same}; with "
            f"{usual.name} it is {_rightness(usual)}: say {_option(usual)}, or nothing, and it is found"
        )
    return (
        f"the model is {_rightness(tried)} at best{same}, which is chance, however pixels are prepared: it "
        f"is not trained, or on other pictures or classes than these{_left_to_say(said)}"
    )


def _left_to_say(said: ImportOptions) -> str:
    """What a user who said so much may do yet."""
    labels, ways = setting("--labels"), []
    if not said.names_preprocessing:
        ways.append(
            f"say how it wants its pixels with {setting('--preprocess')}, or {setting('--scale')} and "
            f"{setting('--offset')}, and {setting('--bgr')}"
        )
    if said.labels:
        ways.append(f"leave out {labels}, and the order is looked for")
        return f", or the names in {labels} are in another order than its outputs; else {' or '.join(ways)}"
    ways.append(f"{'' if ways else 'say '}with {labels} FILE what its outputs are for")
    return f"; else {', and '.join(ways)}"


def _rightness(tried: Tried) -> str:
    right, n = int(tried.right.sum()), len(tried.labels)
    return f"right on {right:,} of {n:,} pictures ({right / n:.1%})"


def _option(tried: Tried) -> str:
    name = tried.name.replace(", BGR", f" {setting('--bgr')}")
    return f"{setting('--preprocess')} {name} ({NAMES[tried.name.removesuffix(', BGR')]})"


def _sentence(best: Tried, left: Sequence[Tried], ways: Sequence[Tried], imported: Imported) -> str:
    """What was taken, and why."""
    said = f"preprocessing: {best.name}"
    if imported.preprocessing and best.name == "none":
        said += ", the file's own layers do what is more"
    elif len(ways) == 1:
        said += ", as given"
    elif len(left) > 1:
        others = ", ".join(each.name for each in left if each is not best)
        said += f", under which it answers as under {others}, or nearly so"
    return (
        f"{said}; the model is {_rightness(best)}; if it should be more, pictures may be made otherwise than "
        f"for its training: {setting('--fit')}, {setting('--background')}"
    )
