# %% [markdown]
# # A convolutional network of your own, in 8-bit integers
#
# You will teach a small network to tell ten kinds of clothing apart, look at what it learned and at what it gets
# wrong, and make a file of 8-bit integers of it that runs on a computer as small as a Raspberry Pi.
#
# It takes a few minutes on a laptop, without a graphics card. Run the cells from top to bottom with Shift+Enter;
# change what you like, and run them again.

# %%
import matplotlib.pyplot as plt
import numpy as np

import edgefashion as ef

# %% [markdown]
# What can be changed first: with fewer images (`LIMIT = 6000`, say) everything is quicker, and the network worse.

# %% tags=["parameters"]
EPOCHS = 5  # how often the network sees every training image
LIMIT = None  # how many training images it may see; None: all
SECONDS = 1.0  # how long each file is timed
RUN = "runs/notebook-cnn"  # where what is trained is kept

# %% [markdown]
# ## 1. Load
#
# Fashion-MNIST: 70,000 pictures of clothing by Zalando, 28×28 pixels, in shades of gray. The first time they are
# fetched, and then kept.

# %%
data = ef.load_dataset(report=print)
data

# %% [markdown]
# The images are shared out. The network learns from **train**. **Validation** tells how well it does on images
# that it did not learn from, and we may look at that as often as we like, and choose by it. **Test** is for the
# very end: whoever chooses by it fools himself.

# %%
splits = ef.split(data)
train, validation, test = splits.train, splits.validation, splits.test
len(train), len(validation), len(test)

# %% [markdown]
# ## 2. Look
#
# An image is a table of numbers from 0 (black) to 255 (white). Here is a part of one, and the whole as a picture.

# %%
image, label = train.images[7], train.labels[7]
print(image.shape, image.dtype)
print(image[8:16, 8:18, 0])

# %%
plt.figure(figsize=(3, 3))
plt.imshow(image[..., 0], cmap="gray")
plt.title(f"class {label}: {data.task.classes[label]}")
plt.axis("off")
plt.show()

# %% [markdown]
# The ten classes, a row each. Could you tell a shirt from a coat in every one of them?

# %%
rows = []
for label in range(10):
    some = train.images[np.flatnonzero(train.labels == label)[:12]]
    rows.append(np.hstack(some[..., 0]))
plt.figure(figsize=(8.5, 7))
plt.imshow(np.vstack(rows), cmap="gray_r")
plt.yticks(14 + 28 * np.arange(10), data.task.classes)
plt.xticks([])
plt.show()

# %% [markdown]
# ## 3. Build
#
# The network looks for small patterns of 3×3 pixels (a convolution), keeps the strongest answer of four neighbors
# (pooling), looks for patterns of these patterns, and so on. Two dense layers at the end make ten numbers, the
# *logits*: the class with the largest one is the answer.
#
# *Parameters* are the numbers that it learns, *MACs* the multiplications and additions for one image.

# %%
recipe = ef.recipe("cnn", epochs=EPOCHS, limit=LIMIT)
network = ef.summarize(recipe, data.task)
network

# %% [markdown]
# ## 4. Normalize
#
# Networks learn best from small numbers, so that every pixel is changed first: `(pixel - zero_point) * scale`.
# You need not do it yourself, neither here nor on the Pi: it is inside of every model that is trained and of every
# file that is exported. These take the pixels as they are.

# %%
zero_point, scale = network.normalization.zero_point, network.normalization.scale
normalized = (image.astype(np.float32) - zero_point) * scale
print(f"(pixel - {zero_point}) * {scale:.5f}")
print(f"pixels from {image.min()} to {image.max()} become {normalized.min()} to {normalized.max()}")

# %% [markdown]
# ## 5. Train
#
# An *epoch* shows it every training image once. After each it is tried on the validation images, and what is kept
# in the end is the network of the best epoch. What was trained before is not trained again: change the recipe, or
# `RUN`, to have another one.

# %%
run = ef.train_or_reuse(recipe, data, RUN, report=print)
run

# %% [markdown]
# ## 6. Curves
#
# The loss is what training makes small: how surprised the network is by the right answers. Where the training
# curves get better and those of validation do not, it begins to learn its images by heart (*overfitting*).

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
#
# A float32 number takes 4 bytes, an int8 number one, and small computers multiply integers faster. *Quantization*
# writes every weight, and every number between the layers, as an integer times a scale. Which scales are good is
# found out with a few hundred training images (*calibration*). Each file is run and compared with the network
# before it is kept.

# %%
files = ef.export_model(run, data, ["tflite"], ["float32", "int8"], reuse=True, report=print)
files

# %% [markdown]
# ## 8. Evaluate: float against int8
#
# Now, once, on the test images. Look at *Accuracy*, with the interval that chance leaves open, and at *Δ*, by how
# much int8 differs from float: it means something only where *p* is small (below 0.05). And look at the size. The
# latencies are those of this computer, as busy as it is now; a mark says which figures not to trust.

# %%
options = ef.BenchmarkOptions().lasting(SECONDS)
results = ef.evaluate(files, data, threads=[1], limit=LIMIT, options=options)
results

# %%
figure, axis = plt.subplots(figsize=(7, 1.8))
for row in results.rows:
    low, high = row.accuracy_ci95
    axis.plot([100 * low, 100 * high], [row.precision, row.precision], lw=2)
    axis.plot(100 * row.accuracy, row.precision, "ko")
    axis.text(100 * row.accuracy, row.precision, f"{row.size_bytes / 1000:.0f} kB\n", ha="center")
axis.set(xlabel="test accuracy, %, and its 95 % interval", ylim=(-0.6, 1.9))
plt.show()

# %% [markdown]
# Rounding moves every logit a little. Each point here is one logit of one test image: on the line, int8 says what
# float says.

# %%
float32, int8 = (ef.load_model(file).predict(test.images[: LIMIT or None]) for file in files)
plt.figure(figsize=(4, 4))
plt.plot(float32.logits[:300].ravel(), int8.logits[:300].ravel(), ".", ms=2)
plt.axline((0, 0), slope=1, color="black", lw=0.8)
plt.gca().set(xlabel="logit of the float32 file", ylabel="logit of the int8 file")
plt.show()

# %% [markdown]
# ## 9. Look at the mistakes
#
# Which class is taken for which? Rows are what an image is, columns what the int8 file says. What is right stands
# on the diagonal, which is left white.

# %%
labels, answers = test.labels[: len(int8.logits)], int8.logits.argmax(axis=1)
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (labels, answers), 1)
mistakes = confusion.copy()
np.fill_diagonal(mistakes, 0)

# %%
plt.figure(figsize=(6, 6))
plt.imshow(mistakes, cmap="Oranges")
for (row, column), count in np.ndenumerate(confusion):
    color = "white" if mistakes[row, column] > mistakes.max() / 2 else "black"
    plt.text(column, row, count or "", ha="center", va="center", fontsize=8, color=color)
plt.xticks(range(10), data.task.classes, rotation=90)
plt.yticks(range(10), data.task.classes)
plt.xlabel("what int8 says")
plt.ylabel("what it is")
plt.show()

# %% [markdown]
# And the mistakes that it is most sure of. Some you would make yourself; some labels are wrong.

# %%
logits = int8.logits.astype(float)
probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
probabilities /= probabilities.sum(axis=1, keepdims=True)
wrong = np.flatnonzero(answers != labels)
surest = wrong[np.argsort(-probabilities[wrong, answers[wrong]])][:12]

# %%
figure, axes = plt.subplots(3, 4, figsize=(8, 7.5))
for axis in axes.flat:
    axis.axis("off")
for axis, position in zip(axes.flat, surest, strict=False):
    said, true = answers[position], labels[position]
    axis.imshow(test.images[position][..., 0], cmap="gray_r")
    share = probabilities[position, said]
    words = f"says {data.task.classes[said]}, {share:.0%}\nis {data.task.classes[true]}"
    axis.set_title(words, fontsize=9)
plt.show()

# %% [markdown]
# ## 10. Try it
#
# The files are in the folder `artifacts` of the run. In a terminal, beside this notebook:
#
#     edgefashion predict runs/notebook-cnn/artifacts/notebook-cnn-int8.tflite shoe.jpg --plot seen.png
#     edgefashion bundle runs/notebook-cnn -o fashion.zip   # the file, test images, the answers: for the Pi
#
# What to try next: more epochs; `ef.recipe("cnn-64k")`, a quarter of the size and much better, and it trains for
# longer; pictures of your own, `ef.load_dataset("photos/")`; and the other notebook, in which a network does not
# start from nothing.
