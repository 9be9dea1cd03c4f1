"""Fashion-MNIST, the built-in data set: everything that is specific to it."""

from pathlib import Path

from edgefashion.task import Picture, Task

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FASHION_MNIST = Task(
    "Fashion-MNIST", (28, 28, 1), CLASS_NAMES, Picture("garment", background=(255,), fill=(0,))
)

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
# SHA-256 of the bytes inside the .gz files; every distributor compresses them in its own way. Small files
# first: whoever cannot serve them is found out at once.
CHECKSUMS = {
    TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
}
FILES = tuple(CHECKSUMS)
MOST_IMAGES = 70_000

MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
PACKAGE = "dataset-fashion-mnist"
"""Of Debian."""
PACKAGE_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where that puts it."""


def most_bytes(name: str) -> int:
    """The size that the IDX file `name` has at most: all 70,000 images, or their labels."""
    if name in (TRAIN_LABELS, TEST_LABELS):
        return 8 + MOST_IMAGES
    return 16 + MOST_IMAGES * FASHION_MNIST.pixels
