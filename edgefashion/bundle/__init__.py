"""A bundle: one file with all that a small computer needs to measure artifacts, and to check its answers.

It is a zip file, uncompressed, whose bytes follow from what was put in, whenever and wherever it is made:

    bundle.json               below
    images.npy, labels.npy    a stratified sample of the test split: uint8 [N, height, width, channels],
                              `task.label_dtype` [N]
    artifacts/FILE            a .tflite or .onnx file,
    artifacts/FILE.json       its manifest, if it has one,
    predictions/FILE.npy      and the logits that it gave on the host, float32 [N, classes]

bundle.json:

    schema       1
    edgefashion  the version that made the bundle
    host         the computer that made the predictions: those fields of `device.describe` that last
    dataset      `Dataset.describe` without the source: name, complete, checksums, counts
    sample       split ("test"), images (how many), seed
    task         what the images are, see `edgefashion.data.Task`
    classes      names of the classes, in the order of the logits
    artifacts    one object each: file; runtime and runtime_version, of the predictions; tolerance and why,
                 see `comparing`
    members      every other member: its size_bytes and sha256
"""

from edgefashion.bundle.comparing import compare
from edgefashion.bundle.read import Bundle, open_bundle
from edgefashion.bundle.write import make

__all__ = ["Bundle", "compare", "make", "open_bundle"]
