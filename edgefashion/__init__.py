"""Train, quantize, export and measure small image classifiers for edge devices.

Importing this package imports no framework: TensorFlow, LiteRT and ONNX Runtime are opened by the
module that needs them. ONNX Runtime would send reports to its maker while it is measured; the
environment forbids that before it is imported, here and in child processes.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
