"""A model card: what a model is, how it was made, how good and how fast it is, and where it is weak.

Everything in it is generated from a run, its files, results files and predictions for the test images.
"""

from edgefashion.report.card.data import Card, gather, measured
from edgefashion.report.card.page import to_markdown

__all__ = ["Card", "gather", "measured", "to_markdown"]
