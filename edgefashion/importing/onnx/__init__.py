"""ONNX files in float, read as data."""
