"""Distillation: learning from the logits of a trained model, the teacher, too (Hinton et al. 2015).

    loss = (1 - w) CE(labels, z) + w T^2 KL(softmax(t / T) || softmax(z / T))

t are the teacher's logits, z the model's, w the recipe's `distillation` and T its `temperature`. The teacher
sees each image as it is and mirrored, once; an image that is shifted or partly erased is learned with what
the teacher said of it whole.
"""

from typing import Any

from edgefashion.tensorflow import tf


def divergence(taught: Any, logits: Any, temperature: float) -> Any:
    """T^2 KL(softmax(taught / T) || softmax(logits / T)), a mean over logits float32 [N, classes]."""
    wanted = tf.nn.log_softmax(taught / temperature)
    found = tf.nn.log_softmax(logits / temperature)
    each = tf.reduce_sum(tf.exp(wanted) * (wanted - found), axis=1)
    return temperature**2 * tf.reduce_mean(each)
