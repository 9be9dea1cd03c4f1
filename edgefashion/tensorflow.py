"""The one place where TensorFlow and Keras are opened.

Keras is `tf_keras`: quantization-aware training refuses the models of Keras 3. The environment has to
say so before TensorFlow is imported, hence no other module imports either of them.
"""

import gc
import os
import tempfile
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import MissingExtra
from edgefashion.files import temporary
from edgefashion.files.stored import StoredArray
from edgefashion.system.descriptors import quiet

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# They make a million objects and hardly any garbage: looking for it meanwhile takes a fourth of the time.
_collects = gc.isenabled()
gc.disable()
try:
    with quiet():
        import tensorflow as tf
        import tf_keras as keras
        from tensorflow.python.autograph.pyct import loader

        # TensorFlow's complaint about a missing GPU driver comes with the first look at the devices.
        tf.config.list_physical_devices()
except ModuleNotFoundError as error:
    raise MissingExtra(f"Training and exporting need {error.name}", "train") from error
finally:
    if _collects:
        gc.enable()

gc.freeze()  # nor does anybody look through these objects later, or at the end, which takes as long again
tf.get_logger().setLevel("ERROR")
# TensorFlow writes a module for each function it traces, and Python its bytecode, which nobody would remove.
_traced = temporary.Folder()
loader.tempfile = SimpleNamespace(
    NamedTemporaryFile=partial(tempfile.NamedTemporaryFile, dir=str(_traced.path))
)


def gather(array: NDArray[Any] | StoredArray, rows: Any) -> Any:
    """A tensor of those rows, int64 [M], of an array that stays where it is: no graph holds a copy of it."""
    read = array.__getitem__ if isinstance(array, StoredArray) else partial(np.take, array, axis=0)
    found = tf.numpy_function(read, [rows], array.dtype, stateful=False)
    return tf.ensure_shape(found, [*rows.shape, *array.shape[1:]])


__all__ = ["gather", "keras", "quiet", "tf"]
