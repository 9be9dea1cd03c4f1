"""Archives and HDF5 files of Keras 3 and of Keras 2, read as data."""
