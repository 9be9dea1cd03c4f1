"""Ranges of activations, corrected biases, and layers that stay in float."""
