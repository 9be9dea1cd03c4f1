"""Ranges of activations, clipped and rounded weights, corrected biases, and layers that stay in float."""
