"""Train, quantize, export and measure small image classifiers for edge devices.

Importing this package imports no framework: TensorFlow, LiteRT and ONNX Runtime are opened by the
module that needs them. Nothing that it opens reports to anybody: ONNX Runtime would, to its maker and
while it is measured, unless the environment says no before it is imported, here and in child processes.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
