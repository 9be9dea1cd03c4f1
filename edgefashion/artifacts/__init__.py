"""Exported files: formats, metadata, and what is inside them."""
