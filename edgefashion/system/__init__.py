"""This process and its system: descriptors and signals."""
