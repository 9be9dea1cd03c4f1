"""Train, quantize, export and measure small image classifiers for edge devices.

Importing this package imports no framework: TensorFlow, LiteRT and ONNX Runtime are opened by the
module that needs them.
"""

__version__ = "0.1.0"
