"""OpenCV and torch: filters of pictures, and layers of neural networks."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import numpy as np

from .race import Array, Runner, along

# Where torch has no better way it lays out every window of all the input side by side. So many
# numbers are 400 MB of float64; by then it takes ten times as long as others.
TORCH_WINDOWS = 50_000_000
# At least three times what was seen on Zen 4, 10,000 * 127: 5.6e9, 2.8e9.
TORCH_MACS_PER_S = {"float32": 20e9, "float64": 10e9}


class OpenCV:
    """filter2D: 'same', and saturated integers, so that theirs differ where ours wrap."""

    name = "OpenCV"
    package = "opencv-python-headless"

    def __init__(self, workers: int = 1) -> None:
        self.cv2 = import_module("cv2")
        self.cv2.setNumThreads(workers)

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        if mode == "same" and np.result_type(a, v).name in ("float32", "float64", "int16"):
            yield Runner(self.name, partial(self.filter, axis))

    def filter(self, axis: int | None, a: Array, v: Array, mode: str) -> Array:
        kernel = np.atleast_2d(along(v, a.ndim, axis))[::-1, ::-1]
        if kernel.dtype.kind == "i":
            kernel = kernel.astype(np.float64)  # it takes no other
        picture = np.atleast_2d(a)
        border = self.cv2.BORDER_CONSTANT
        filtered: Array = self.cv2.filter2D(picture, -1, kernel, borderType=border)
        return filtered.reshape(a.shape)


class Torch:
    """conv1d, the lines of a batch as its batch, and conv2d."""

    name = "torch"
    package = "torch"

    def __init__(self, workers: int = 1) -> None:
        self.torch = import_module("torch")
        self.torch.set_num_threads(workers)

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        macs_per_s = TORCH_MACS_PER_S.get(np.result_type(a, v).name)
        if macs_per_s and a.size * v.size <= TORCH_WINDOWS:
            yield Runner(self.name, partial(self.convolve, axis), a.size * v.size / macs_per_s)

    def convolve(self, axis: int | None, a: Array, v: Array, mode: str) -> Array:
        items = a[None] if axis is None else np.moveaxis(a, axis, -1)
        kernel = self.torch.from_numpy(v).flip(tuple(range(v.ndim)))
        padding = [{"full": m - 1, "same": m // 2, "valid": 0}[mode] for m in v.shape]
        layer = self.torch.nn.functional.conv1d if v.ndim == 1 else self.torch.nn.functional.conv2d
        out = layer(self.torch.from_numpy(items)[:, None], kernel[None, None], padding=padding)
        out = out[:, 0].numpy()
        if mode == "same":  # one more than that where the taps are even
            out = out[(slice(None), *map(slice, items.shape[1:]))]
        return out[0] if axis is None else np.moveaxis(out, -1, axis)
