"""The pairs of input and kernel that `fastconv bench` runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from typing import TypeAlias

import numpy as np

from . import filters, inputs, rivals
from .inputs import Input
from .race import Array, Runner
from .shapes import Shape

Load: TypeAlias = Callable[[], Input]
Design: TypeAlias = Callable[[Array], Array]  # a kernel, from the input


@dataclass(frozen=True)
class Job:
    load: Load
    kernel: str
    dtype: str
    design: Design
    mode: str = "same"
    own: Runner | None = None  # a function made for this one kernel

    def arrays(self) -> tuple[Input, Array, Array]:
        source = self.load()
        v = np.asarray(self.design(source.data)).astype(self.dtype)
        return source, np.ascontiguousarray(source.data.astype(self.dtype)), v


def jobs(quick: bool) -> Iterator[Job]:
    """From a second's ECG to a minute of sound; the last few only where there is time."""
    ecg = cache(inputs.ecg)
    yield Job(ecg, "Savitzky-Golay", "float64", _fixed(filters.savitzky_golay, 21, 3))
    yield Job(ecg, "low-pass", "float64", _fixed(filters.low_pass, 101, 0.1))
    yield Job(ecg, "matched to a beat", "int64", _beat)
    yield Job(inputs.nino, "running mean", "float64", _fixed(filters.running_mean, 5))
    yield Job(inputs.membrane, "Savitzky-Golay", "float32", _fixed(filters.savitzky_golay, 31, 3))
    yield Job(inputs.membrane, "low-pass", "float32", _fixed(filters.low_pass, 255, 0.02))
    yield Job(inputs.membrane, "low-pass", "float64", _fixed(filters.low_pass, 1023, 0.005))

    sweep = cache(partial(inputs.sweep, 10))
    reverb = partial(Job, kernel="reverberation (synthetic)", mode="full")
    yield Job(_as_int16(sweep), "low-pass, 12 bits", "int32", _low_pass_12_bits)
    yield reverb(sweep, dtype="float32", design=_fixed(filters.reverberation, 0.5))

    china, rings = cache(inputs.china), cache(partial(inputs.rings, 512, 512))
    sobel = partial(Job, kernel="Sobel", design=_fixed(filters.sobel), own=_own(rivals.sobel, 1))
    yield sobel(inputs.camera, dtype="int16")
    yield sobel(inputs.terrain, dtype="int32")
    yield sobel(china, dtype="float32")
    yield _blur(inputs.ascent, 1.0, "float64")
    yield _blur(inputs.camera, 2.0, "float32")
    yield _blur(china, 3.0, "float32")
    yield _blur(rings, 1.5, "float64")
    if quick:
        return
    yield _blur(china, 8.0, "float64")
    yield _blur(cache(partial(inputs.rings, 2160, 3840)), 2.0, "float32")
    yield reverb(sweep, dtype="float64", design=_fixed(filters.reverberation, 2.0))
    long_sweep = cache(partial(inputs.sweep, 60))
    yield Job(long_sweep, "low-pass", "float32", _fixed(filters.low_pass, 127, 0.1))
    yield reverb(long_sweep, dtype="float32", design=_fixed(filters.reverberation, 2.0))


def sized(sizes: list[tuple[Shape, Shape]], dtypes: list[str]) -> Iterator[Job]:
    """Noise of these shapes."""
    for (a, v), dtype in product(sizes, dtypes):
        yield Job(partial(inputs.noise, a, dtype), "noise", dtype, _noise(v, dtype))


def _noise(shape: Shape, dtype: str) -> Design:
    return lambda data: inputs.noise(shape, dtype).data


def _blur(load: Load, sigma: float, dtype: str) -> Job:
    radius = round(4 * sigma)  # 6e-5 of the peak
    return Job(
        load,
        "Gaussian blur",
        dtype,
        _fixed(filters.gaussian, sigma, radius),
        own=_own(rivals.gaussian_filter, sigma, radius),
    )


def _fixed(design: Callable[..., Array], *arguments: float) -> Design:
    """A kernel that does not depend on the input."""
    return lambda data: design(*arguments)


def _own(runner: Callable[..., Runner], *arguments: float) -> Runner | None:
    return runner(*arguments) if rivals.HAVE_SCIPY else None


def _beat(data: Array) -> Array:
    return filters.matched(filters.heartbeat(data))


def _low_pass_12_bits(data: Array) -> Array:
    return filters.quantised(filters.low_pass(127, 0.1), 12)


def _as_int16(load: Load) -> Load:
    def scaled() -> Input:
        source = load()
        return Input(source.name, source.source + ", as int16", np.rint(source.data * 2**15))

    return scaled
