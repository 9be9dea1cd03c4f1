"""Predictions for pictures: any PNG or JPEG file, or an image of the data set.

pictures.py      opening untrusted files
conversion.py    any picture → an image of a task, uint8 [height, width, channels]
framing.py       … cropped, padded or stretched
garment.py       … as Fashion-MNIST's own images were made, bright clothing on black
transparency.py  … what is cut out on transparency
depth.py         16 bits a color → 8
classes.py       images and artifacts → classes with probabilities
text.py          the same for people and for programs
"""

from edgefashion.prediction.classes import Guess, Prediction, Shown, classify, side_by_side, task_of
from edgefashion.prediction.conversion import Converted, convert
from edgefashion.prediction.pictures import is_picture

__all__ = [
    "Converted",
    "Guess",
    "Prediction",
    "Shown",
    "classify",
    "convert",
    "is_picture",
    "side_by_side",
    "task_of",
]
