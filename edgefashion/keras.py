"""The one place where TensorFlow and Keras are opened.

Keras is `tf_keras`: quantization-aware training refuses the models of Keras 3. The environment has to
say so before TensorFlow is imported, hence no other module imports either of them.
"""

import os

from edgefashion.errors import MissingExtra

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    import tensorflow as tf
    import tf_keras as keras
except ModuleNotFoundError as error:
    raise MissingExtra(f"Training and exporting need {error.name}", "train") from error

tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "tf"]
