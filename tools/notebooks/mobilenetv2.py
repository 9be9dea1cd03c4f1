# %% [markdown]
# # MobileNetV2: a network that has seen the world
#
# MobileNetV2 (Sandler et al. 2018) has learned from a million photos of a thousand kinds of things (ImageNet). Most
# of what it knows, edges, textures, parts of things, is of use for clothing too: you will keep that and teach it
# the rest (*transfer learning*), make an int8 file of it, and see whether it was worth it.
#
# Without a graphics card it takes its time: on two cores some ten minutes to train, and more for the rest; with
# `LIMIT = 6000` much less. The notebook `custom_cnn` explains what is taken for known here.

# %%
import matplotlib.pyplot as plt
import numpy as np

import edgefashion as ef

# %% tags=["parameters"]
EPOCHS = 2  # how often the network sees every training image
LIMIT = None  # how many training images it may see; None: all
WEIGHTS = "imagenet"  # what it starts from; "imagenet" is fetched the first time
WIDTH = 1.0  # what the number of channels is multiplied by: 0.35, 0.5, 0.75, 1.0
SECONDS = 1.0  # how long each file is timed
RUN = "runs/notebook-mobilenetv2"  # where what is trained is kept

# %% [markdown]
# ## 1. Load

# %%
data = ef.load_dataset(report=print)
splits = ef.split(data)
train, test = splits.train, splits.test
data

# %% [markdown]
# ## 2. Look
#
# One image, and as large as MobileNetV2 wants it: made for photos, it halves the image five times, and of 28 pixels
# less than one would be left. So 28×28 pixels become 96×96, without a detail more. The network itself does it, also
# in the exported files.

# %%
image, label = train.images[2], train.labels[2]
figure, (small, large) = plt.subplots(1, 2, figsize=(7, 3.5))
small.imshow(image[..., 0], cmap="gray", interpolation="nearest")
large.imshow(image[..., 0], cmap="gray", interpolation="bilinear")
small.set_title(f"28×28: {data.task.classes[label]}")
large.set_title("as if of 96×96")
small.axis("off")
large.axis("off")
plt.show()

# %%
figure, axes = plt.subplots(2, 6, figsize=(9, 3.5))
for axis, pixels, label in zip(axes.flat, train.images[:12], train.labels[:12], strict=True):
    axis.imshow(pixels[..., 0], cmap="gray_r")
    axis.set_title(data.task.classes[label], fontsize=8)
    axis.axis("off")
plt.show()

# %% [markdown]
# ## 3. Build
#
# Its blocks widen the image to many channels, look at each of these by itself with 3×3 patterns (a *depthwise*
# convolution, which is cheap), and narrow them again. A line of the table is a block.
#
# The recipe leaves all layers up to `block_5_add` as they are, *frozen*: what they give is computed once for each
# image, which saves much of the time.

# %%
recipe = ef.recipe("mobilenetv2-fast", epochs=EPOCHS, limit=LIMIT, weights=WEIGHTS, width=WIDTH)
network = ef.summarize(recipe, data.task)
network

# %% [markdown]
# ## 4. Normalize
#
# It was taught with numbers from -1 to 1, so that it must get these here too. This is inside of the exported files.

# %%
zero_point, scale = network.normalization.zero_point, network.normalization.scale
print(f"(pixel - {zero_point}) * {scale:.5f}: 0 becomes {-zero_point * scale:.3f}, 255 becomes", end=" ")
print(f"{(255 - zero_point) * scale:.3f}")

# %% [markdown]
# ## 5. Train

# %%
run = ef.train_or_reuse(recipe, data, RUN, report=print)
run

# %% [markdown]
# ## 6. Curves
#
# Two epochs do where a network of one's own needs many. The loss is not comparable with that of the other
# notebook: the labels are *smoothed*, 90 % the class and 10 % shared among all, which keeps it from being too sure.

# %%
epochs = range(1, len(run.history) + 1)
figure, (loss, accuracy) = plt.subplots(1, 2, figsize=(9, 3.2))
loss.plot(epochs, [epoch["loss"] for epoch in run.history], "o-", label="train")
loss.plot(epochs, [epoch["val_loss"] for epoch in run.history], "s--", label="validation")
accuracy.plot(epochs, [100 * epoch["accuracy"] for epoch in run.history], "o-", label="train")
accuracy.plot(epochs, [100 * epoch["val_accuracy"] for epoch in run.history], "s--", label="validation")
loss.set(xlabel="epoch", ylabel="loss", xticks=epochs)
accuracy.set(xlabel="epoch", ylabel="accuracy, %", xticks=epochs)
accuracy.legend()
plt.show()

# %% [markdown]
# ## 7. Export to int8

# %%
files = ef.export_model(run, data, ["tflite"], ["float32", "int8"], reuse=True, report=print)
files

# %% [markdown]
# ## 8. Evaluate: float, int8, and a small network
#
# `zoo:cnn-64k` comes with edgefashion: it learned from a MobileNetV2 as its teacher, and for longer.

# %%
options = ef.BenchmarkOptions().lasting(SECONDS)
results = ef.evaluate(
    [*files, "zoo:cnn-64k-int8-qat.tflite"], data, threads=[1], limit=LIMIT, options=options
)
results

# %%
figure, axis = plt.subplots(figsize=(7, 4))
for row in results.rows:
    size, (low, high) = row.size_bytes / 1000, row.accuracy_ci95
    (line,) = axis.plot([size, size], [100 * low, 100 * high], lw=2)
    axis.plot(size, 100 * row.accuracy, "o", color=line.get_color(), label=f"{row.model}, {row.precision}")
axis.set(xscale="log", xlabel="size of the file, kB", ylabel="test accuracy, %, and its 95 % interval")
axis.legend()
plt.show()

# %% [markdown]
# Was it worth it? That depends on the pictures. Of many small ones in gray a small network learns as much. Of a few
# hundred photos of your own it does not: there, start from ImageNet.
#
# ## 9. Look at the mistakes
#
# Of each class, how many are recognized (*recall*), by both files.

# %%
float32, int8 = (ef.load_model(file).predict(test.images[: LIMIT or None]) for file in files)
labels = test.labels[: len(int8.logits)]
answers = {"float32": float32.logits.argmax(axis=1), "int8": int8.logits.argmax(axis=1)}

# %%
figure, axis = plt.subplots(figsize=(8, 4))
for shift, (name, own) in zip((-0.2, 0.2), answers.items(), strict=True):
    recalls = [100 * np.mean(own[labels == label] == label) for label in range(10)]
    axis.barh(np.arange(10) + shift, recalls, 0.38, label=name)
axis.set_yticks(range(10), data.task.classes)
axis.invert_yaxis()
axis.set(xlabel="recall, %", xlim=(0, 100))
axis.legend(loc="lower left")
plt.show()

# %% [markdown]
# The images of which the two files disagree: rounding changed the answer. Most are such as either could be right.

# %%
differing = np.flatnonzero(answers["float32"] != answers["int8"])
print(f"{len(differing)} of {len(labels):,} test images")
figure, axes = plt.subplots(2, 5, figsize=(9, 5))
for axis in axes.flat:
    axis.axis("off")
for axis, position in zip(axes.flat, differing, strict=False):
    words = {name: data.task.classes[own[position]] for name, own in answers.items()}
    axis.imshow(test.images[position][..., 0], cmap="gray_r")
    true = data.task.classes[labels[position]]
    axis.set_title(f"float32: {words['float32']}\nint8: {words['int8']}\nis: {true}", fontsize=8)
plt.show()

# %% [markdown]
# ## 10. Try it
#
# In a terminal, beside this notebook:
#
#     edgefashion debug runs/notebook-mobilenetv2 --plot layers.png   # which layers rounding harms
#     edgefashion train --qat runs/notebook-mobilenetv2               # learn to live with rounding
#
# What to try next: `WIDTH = 0.5`, a third of the size; `ef.recipe("mobilenetv2")`, longer and better; photos of
# your own: `ef.load_dataset("photos/", size=96)`, and `ef.automatic_recipe("mobilenetv2", data)`, which chooses by
# how many there are.
