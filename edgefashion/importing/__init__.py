"""Models that were trained elsewhere, read as data into one flat Keras model."""
