"""Predictions for images, and for pictures made into such.

classes.py       images and artifacts → classes with probabilities
text.py          the same for people and for programs
plot.py          the same as a picture: photo, image, classes
"""

from edgefashion.prediction.classes import Guess, Prediction, Shown, classify, side_by_side, task_of

__all__ = [
    "Guess",
    "Prediction",
    "Shown",
    "classify",
    "side_by_side",
    "task_of",
]
