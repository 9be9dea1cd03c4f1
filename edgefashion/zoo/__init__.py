"""The models that come with edgefashion, and a sample of test images: what `zoo:NAME` means.

The folder holds

    zoo.json      below
    FILE          one int8 .tflite and one int8 .onnx file of each model,
    FILE.json     and their manifests
    sample.npz    images uint8 [N, height, width, channels] and labels [N]: a stratified sample of the test
                  split, the same images as those of `edgefashion evaluate --limit N`

zoo.json:

    schema       1
    edgefashion  the version that made the zoo
    dataset      `Dataset.describe` without the source
    task         what the models are for: `Task.to_dict`; without it, Fashion-MNIST's
    sample       split ("test"), images (how many), seed
    models       NAME → files (names of its model files) and runs: that of the files, then those that it was
                 fine-tuned from; see `runs`, without the history and without paths
    files        name → SHA-256, of every other file; verified whenever a file is used

The folder is part of the package; EDGEFASHION_ZOO names another. tools/make_zoo fills it.
"""

from edgefashion.zoo.read import (
    PREFIX,
    SampledDataset,
    Zoo,
    display_name,
    is_name,
    is_shipped,
    open_zoo,
    present,
)

__all__ = ["PREFIX", "SampledDataset", "Zoo", "display_name", "is_name", "is_shipped", "open_zoo", "present"]
