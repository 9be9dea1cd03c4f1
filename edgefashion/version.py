"""The version, for whoever writes it into a file: the package itself stands above all of them."""

__version__ = "0.1.0"
