"""Keras model and representative dataset in; int8 TFLite and ONNX, verified, out."""
