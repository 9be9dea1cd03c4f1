"""From a picture, a file or its bytes, to an image of a task: one way, for whatever is done with pictures.

decoding.py      opening untrusted files
conversion.py    any picture → an image of a task, uint8 [height, width, channels]
framing.py       … cropped, padded or stretched
garment.py       … as Fashion-MNIST's own images were made, bright clothing on black
transparency.py  … what is cut out on transparency
depth.py         16 bits a color → 8
"""

from edgefashion.pictures.conversion import UNNAMED, Converted, convert, convert_bytes, image_of
from edgefashion.pictures.decoding import is_picture, thumbnail

__all__ = ["UNNAMED", "Converted", "convert", "convert_bytes", "image_of", "is_picture", "thumbnail"]
