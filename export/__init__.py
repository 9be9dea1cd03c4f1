"""Keras model and representative dataset in; int8 TFLite and ONNX, verified, out."""

import edgefashion  # noqa: F401 - what it tells the runtimes, it tells before any is imported
