"""What TensorFlow computes on."""

import contextlib
import re
from typing import Any

from edgefashion import device
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.installation import pip_install
from edgefashion.tensorflow import tf


def select_hardware(wanted: str | None, mixed_precision: bool = False) -> str:
    """Choose where TensorFlow computes and say it in words: on the "cpu", on the "gpu" or all that there
    are, or on one of them, "gpu:1"; None for GPUs where there are any. Raises BadInput for a GPU that is not
    there.
    """
    if not (wanted is None or re.fullmatch(r"cpu|gpu(:\d+)?", str(wanted))):
        raise BadInput(f"hardware is one of cpu, gpu, gpu:0 and None, not {wanted!r}")
    gpus = tf.config.list_physical_devices("GPU")
    if mixed_precision and (wanted == "cpu" or not gpus):
        raise BadInput(f"{setting('--mixed-precision')} needs a GPU, and none is used here: leave it out")
    if wanted in (None, "cpu") and (wanted or not gpus):
        return _select_cpu()
    if not gpus:
        raise BadInput(
            f"TensorFlow sees no GPU: install its CUDA packages with {pip_install('gpu')}, "
            f"or train with {setting('--device cpu')}"
        )
    if wanted and ":" in wanted:
        number = int(wanted.partition(":")[2])
        if number >= len(gpus):
            raise BadInput(f"TensorFlow sees no GPU {number}, but 0 to {len(gpus) - 1}: name one of these")
        gpus = gpus[number : number + 1]
        _show(gpus)
    return _select_gpus(gpus)


def replicated_devices() -> list[str]:
    """The GPUs that a training is to be shared by; none where it is on one, or on the processor."""
    gpus = tf.config.get_visible_devices("GPU")
    return [f"GPU:{number}" for number in range(len(gpus))] if len(gpus) > 1 else []


def _select_gpus(gpus: list[Any]) -> str:
    with contextlib.suppress(RuntimeError):  # too late after an export in this process, and no matter
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return f"GPU: {names[0]}" if len(gpus) == 1 else f"{len(gpus)} GPUs: {', '.join(names)}"


def _select_cpu() -> str:
    _show([])
    machine = device.describe()
    return f"CPU: {machine.cpu}, {machine.cores} cores"


def _show(gpus: list[Any]) -> None:
    """Let TensorFlow see no other GPUs. Raises BadInput where it uses others already."""
    try:
        tf.config.set_visible_devices(gpus, "GPU")
    except RuntimeError as error:
        raise BadInput(
            "the GPU is in use already: train on its own with edgefashion train --device cpu"
        ) from error
