"""The operators that model files share, as layers of a plan: windows, products, sums, and what lies between.

Everything takes and gives curves: functions of one number over a tensor of the plan, channels last, which
become layers when something reads them that is more than that.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgefashion.importing.network import curves
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.plan import Array, Plan, Shape, Tensor, Unsupported
from edgefashion.importing.network.windows import NONE, Margins, added, is_positive, same_margins

EXACT = 2e-6
"""Below this a factor is 1, written in single precision."""


class Network(Plan):
    """A plan with the operators of model files."""

    def conv(
        self,
        read: Curve,
        kernel: Array,
        bias: Array | None,
        strides: tuple[int, int],
        margins: Margins,
        dilations: tuple[int, int] = (1, 1),
        groups: int = 1,
        name: str = "",
    ) -> Curve:
        """A convolution with kernel float32 [height, width, inputs / groups, outputs]."""
        tensor = self.image_of(read)
        inputs, outputs = tensor.shape[-1], kernel.shape[3]
        if kernel.shape[2] * groups != inputs or outputs % groups:
            raise Unsupported("whose kernel does not fit its input")
        if max(strides) > 1 and max(dilations) > 1:
            raise Unsupported("with strides and dilations at once")
        window = (kernel.shape[0], kernel.shape[1])
        if tensor.maker is not None and tensor.maker.kind == "ZeroPadding2D":
            margins = added(margins, tensor.maker.config["padding"])
            (tensor,) = tensor.maker.read
        tensor, padding, size = self._window(tensor, window, strides, margins, dilations)
        config: dict[str, Any] = {
            "kernel_size": window,
            "strides": strides,
            "padding": padding,
            "dilation_rate": dilations,
        }
        bias = np.zeros(outputs) if bias is None else np.broadcast_to(bias.reshape(-1), (outputs,))
        depthwise = groups == inputs and (groups > 1 or outputs == 1) and strides[0] == strides[1]
        if depthwise and inputs > 1:
            config["depth_multiplier"] = outputs // inputs
            kernel = kernel.reshape(*window, inputs, outputs // inputs)
            kind = "DepthwiseConv2D"
        else:
            kind, config["filters"], config["groups"] = "Conv2D", outputs, groups
        return Curve.of(self.add(kind, [tensor], (*size, outputs), config, [kernel, bias], name))

    def dense(self, read: Curve, kernel: Array, bias: Array | None, name: str = "") -> Curve:
        """A matrix float32 [inputs, outputs] times each row."""
        tensor = self.tensor_of(read)
        if len(tensor.shape) != 1 or kernel.ndim != 2 or kernel.shape[0] != tensor.shape[0]:
            raise Unsupported("of other than a row and a constant matrix")
        outputs = kernel.shape[1]
        bias = np.zeros(outputs) if bias is None else np.broadcast_to(bias.reshape(-1), (outputs,))
        return Curve.of(self.add("Dense", [tensor], (outputs,), {"units": outputs}, [kernel, bias], name))

    def batch_norm(self, read: Curve, four: Sequence[Array], epsilon: float, name: str = "") -> Curve:
        """Batch normalization with gamma, beta, mean and variance, float32 [channels] each."""
        tensor = self.tensor_of(read)
        if any(one.shape != (tensor.shape[-1],) for one in four):
            raise Unsupported("whose constants do not fit its input")
        if tensor is self.image or len(tensor.shape) != 3:
            gamma, beta, mean, variance = (one.astype(np.float64) for one in four)
            scale = gamma / np.sqrt(variance + epsilon)
            return Curve.of(self.affine(tensor, scale, beta - mean * scale, name))
        config = {"epsilon": epsilon}
        return Curve.of(self.add("BatchNormalization", [tensor], tensor.shape, config, four, name))

    def pool(
        self,
        kind: str,
        read: Curve,
        window: tuple[int, int],
        strides: tuple[int, int],
        margins: Margins,
        counts_padding: bool = False,
        name: str = "",
    ) -> Curve:
        """`MaxPooling2D`, or `AveragePooling2D`, which counts what is padded or not."""
        tensor = self.image_of(read)
        padded, padding, size = self._window(tensor, window, strides, margins)
        if padded is not tensor and kind == "MaxPooling2D" and not is_positive(tensor):
            raise Unsupported("with padding before what may be negative")
        if kind == "AveragePooling2D" and padding == "same" and margins != NONE and counts_padding:
            padded, padding = self._padded(tensor, margins), "valid"
        if kind == "AveragePooling2D" and padded is not tensor and not counts_padding:
            raise Unsupported("with padding that is not counted")
        config = {"pool_size": window, "strides": strides, "padding": padding}
        return Curve.of(self.add(kind, [padded], (*size, tensor.shape[2]), config, (), name))

    def global_pool(self, kind: str, read: Curve, name: str = "") -> Curve:
        """`GlobalAveragePooling2D` or `GlobalMaxPooling2D`, height and width being 1 behind it."""
        tensor = self.image_of(read)
        shape = (1, 1, tensor.shape[2])
        return Curve.of(self.add(kind, [tensor], shape, {"keepdims": True}, (), name))

    def pad(self, read: Curve, margins: Margins) -> Curve:
        """Zeros around an image."""
        return Curve.of(self._padded(self.image_of(read), margins)) if margins != NONE else read

    def crop(self, read: Curve, cropping: Margins, name: str = "") -> Curve:
        """An image without its margins."""
        tensor = self.image_of(read)
        edges = zip(tensor.shape[:2], cropping, strict=True)
        shape = (*(edge - sum(margin) for edge, margin in edges), tensor.shape[2])
        return Curve.of(self.add("Cropping2D", [tensor], shape, {"cropping": cropping}, (), name))

    def reshape(self, read: Curve, shape: Shape, name: str = "") -> Curve:
        """The same numbers in the same order."""
        tensor = self.tensor_of(read)
        if math.prod(shape) != math.prod(tensor.shape):
            raise Unsupported("to another number of values")
        if shape == tensor.shape:
            return read
        while tensor.maker is not None and tensor.maker.kind in ("Reshape", "Flatten"):
            (tensor,) = tensor.maker.read  # there and back is nowhere
        if shape == tensor.shape:
            return Curve.of(tensor)
        if len(shape) == 1:
            return Curve.of(self.add("Flatten", [tensor], shape, {}, (), name))
        return Curve.of(self.add("Reshape", [tensor], shape, {"target_shape": shape}, (), name))

    def concatenate(self, read: Sequence[Curve], axis: int, name: str = "") -> Curve:
        """Tensors side by side; `axis` counts the batch."""
        tensors = [self.tensor_of(each) for each in read]
        shapes = [list(tensor.shape) for tensor in tensors]
        if not 1 <= axis <= len(shapes[0]):
            raise Unsupported("along the batch")
        total = sum(shape[axis - 1] for shape in shapes if len(shape) == len(shapes[0]))
        shapes = [[*shape[: axis - 1], total, *shape[axis:]] for shape in shapes]
        if any(shape != shapes[0] for shape in shapes):
            raise Unsupported("of shapes that do not fit")
        if len(tensors) == 1:
            return read[0]
        return Curve.of(self.add("Concatenate", tensors, tuple(shapes[0]), {"axis": axis}, (), name))

    def combine(self, kind: str, left: Curve, right: Curve, name: str = "") -> Curve:
        """`add`, `multiply` or `subtract` of two tensors, or of two functions of the same one."""
        if left.base is right.base:
            return curves.apply(kind, left, right)
        return self._joined(
            {"add": "Add", "multiply": "Multiply", "subtract": "Subtract"}[kind], left, right, name
        )

    def maximum(self, kind: str, left: Curve, right: Curve, name: str = "") -> Curve:
        """`Maximum` or `Minimum`."""
        return self._joined(kind, left, right, name)

    def scaled(self, read: Curve, scale: Array, shift: Array, name: str = "") -> Curve:
        """Each channel times its scale, plus its shift: float [channels], or one for all."""
        if scale.size == 1 and shift.size == 1:
            return curves.apply("affine", read, numbers=(float(scale.item()), float(shift.item())))
        tensor = self.tensor_of(read)
        for each in (scale, shift):
            if each.size not in (1, tensor.shape[-1]):
                raise Unsupported("with a constant that is not one a channel")
        return Curve.of(self.affine(tensor, scale.reshape(-1), shift.reshape(-1), name))

    def prelu(self, read: Curve, slopes: Array, name: str = "") -> Curve:
        """x where it is positive, else x times its channel's slope."""
        tensor = self.tensor_of(read)
        if slopes.size == 1:
            return curves.apply("leaky", read, numbers=(float(slopes.item()),))
        if len(tensor.shape) != 3 or slopes.size != tensor.shape[2]:
            raise Unsupported("with other than one slope a channel")
        alpha = slopes.reshape(1, 1, -1)
        config = {"shared_axes": (1, 2)}
        return Curve.of(self.add("PReLU", [tensor], tensor.shape, config, [alpha], name))

    def image_of(self, read: Curve) -> Tensor:
        """The tensor of a curve, which must be an image: height, width, channels."""
        tensor = self.tensor_of(read)
        if len(tensor.shape) != 3:
            raise Unsupported(f"of {len(tensor.shape) + 1} axes")
        return tensor

    def tensor_of(self, curve: Curve) -> Tensor:
        """The tensor that a curve gives, by the layer that computes it, or by one for each operator."""
        if curve.made is None:
            try:
                curve.made = self._computed(curve)
            except Unsupported as reason:
                reason.curves.append(curve)
                raise
        return curve.made

    def _computed(self, curve: Curve) -> Tensor:
        straight = curves.line(curve)
        if straight == (1.0, 0.0):
            return curve.base
        if straight is not None:
            return self.affine(curve.base, *straight, curve.name)
        if layer := curves.activation(curve):
            kind, config = layer
            return self.add(kind, [curve.base], curve.base.shape, config, (), curve.name or kind)
        if rising := curves.ramp(curve):
            scale, shift, top = rising
            moved = self.affine(curve.base, 6 * scale, 6 * shift - 3)
            made = self.add("HardSigmoid", [moved], moved.shape, {}, (), curve.name)
            return made if abs(top - 1) < EXACT else self.affine(made, top, 0.0, curve.name)
        if curve.kind not in curves.FUNCTIONS:
            raise Unsupported
        if len(curve.read) == 2:
            joined = {"add": "Add", "multiply": "Multiply", "subtract": "Subtract"}[curve.kind]
            return self.tensor_of(self._joined(joined, *curve.read, curve.name))
        before = Curve.of(self.tensor_of(curve.read[0]))
        return self.tensor_of(self._alone(curve, before))

    def _alone(self, curve: Curve, before: Curve) -> Curve:
        """The last operator of a curve, over a tensor of its own, by what layers there are."""
        again = curves.apply(curve.kind, before, numbers=curve.numbers)
        if curves.line(again) or curves.activation(again):
            return again
        if curve.kind == "clip":
            low, high = curve.numbers
            moved = Curve.of(self.affine(before.base, 1.0, -low))
            cut = Curve.of(self.tensor_of(curves.apply("clip", moved, numbers=(0.0, high - low))))
            return curves.apply("affine", cut, numbers=(1.0, low))
        raise Unsupported

    def _joined(self, kind: str, left: Curve, right: Curve, name: str) -> Curve:
        tensors = [self.tensor_of(each) for each in (left, right)]
        shapes = [tensor.shape for tensor in tensors]
        if len(shapes[0]) != len(shapes[1]):
            raise Unsupported("of tensors with different numbers of axes")
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            raise Unsupported("of shapes that do not fit") from None
        return Curve.of(self.add(kind, tensors, shape, {}, (), name))

    def _window(
        self,
        tensor: Tensor,
        window: tuple[int, int],
        strides: tuple[int, int],
        margins: Margins,
        dilations: tuple[int, int] = (1, 1),
    ) -> tuple[Tensor, str, tuple[int, int]]:
        """What a window slides over, with which padding of Keras, and the size of what comes out."""
        if min(*window, *strides, *dilations) < 1 or min(*margins[0], *margins[1]) < 0:
            raise Unsupported("with a window, strides or padding that cannot be")
        reach = [(side - 1) * step + 1 for side, step in zip(window, dilations, strict=True)]
        edges = tensor.shape[:2]
        each = list(zip(edges, reach, strides, margins, strict=True))
        height, width = ((edge + sum(margin) - side) // step + 1 for edge, side, step, margin in each)
        if min(height, width) < 1:
            raise Unsupported("with a window larger than its image")
        if margins == NONE:
            return tensor, "valid", (height, width)
        if margins == tuple(same_margins(edge, side, step) for edge, side, step, _ in each):
            return tensor, "same", (height, width)
        return self._padded(tensor, margins), "valid", (height, width)

    def _padded(self, tensor: Tensor, margins: Margins) -> Tensor:
        """One padding serves all that want the same of a tensor."""
        for layer in self.layers:
            if (
                layer.kind == "ZeroPadding2D"
                and layer.read == [tensor]
                and layer.config["padding"] == margins
            ):
                return layer.made
        edges = (edge + sum(margin) for edge, margin in zip(tensor.shape[:2], margins, strict=True))
        shape = (*edges, tensor.shape[2])
        return self.add("ZeroPadding2D", [tensor], shape, {"padding": margins})
