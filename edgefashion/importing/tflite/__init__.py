"""TFLite files in float, read as data."""
