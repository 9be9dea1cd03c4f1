"""Ranges of activations, clipped weights, corrected biases, and layers that stay in float."""
