"""What `fastconv bench` filters: recordings and pictures that installed packages carry.

Nothing is downloaded. A recording whose package is missing raises Missing, and the bench names
it; a signal made here says so in its name.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Missing(Exception):
    """The package that carries an input is not installed, or no longer carries it."""


@dataclass(frozen=True)
class Input:
    name: str
    source: str
    data: NDArray[Any]


def ecg() -> Input:
    data = _pywt().ecg()
    return Input("ECG", "PyWavelets pywt.data.ecg()", data)


def nino() -> Input:
    data = _pywt().nino()[1]
    return Input("El Nino index", "PyWavelets pywt.data.nino(): sea temperature, quarterly", data)


def camera() -> Input:
    return Input("camera", "PyWavelets pywt.data.camera()", _pywt().camera())


def ascent() -> Input:
    return Input("ascent", "PyWavelets pywt.data.ascent()", _pywt().ascent())


def membrane() -> Input:
    with _matplotlib_sample("membrane.dat") as file:
        data = np.frombuffer(file.read(), np.float32)
    return Input("membrane", "matplotlib membrane.dat: patch-clamp current", data)


def terrain() -> Input:
    sample = _matplotlib_sample("jacksboro_fault_dem.npz")
    return Input("terrain", "matplotlib jacksboro_fault_dem.npz: elevation", sample["elevation"])


def china() -> Input:
    """Grey by the luma of ITU-R BT.601."""
    try:
        from sklearn.datasets import load_sample_image
    except ImportError as error:
        raise Missing("scikit-learn is not installed") from error
    data = load_sample_image("china.jpg") @ np.array([0.299, 0.587, 0.114])
    return Input("china, grey", "scikit-learn china.jpg, by danielbuechele, CC BY 2.0", data)


def sweep(seconds: float) -> Input:
    """Rises from 50 Hz to 8 kHz at 48 kHz, in 20 dB weaker noise."""
    rate, low, high = 48_000, 50.0, 8_000.0
    t = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (low * t + (high - low) * t**2 / (2 * seconds)))
    noise = np.random.default_rng(1).standard_normal(t.size)
    source = f"made here, {seconds:g} s at 48 kHz, 50 Hz to 8 kHz, with noise"
    return Input("sweep (made)", source, (tone + 0.1 * noise) / 2)


def rings(rows: int, cols: int) -> Input:
    """A zone plate: its frequency grows with the distance from the middle."""
    y, x = np.mgrid[:rows, :cols]
    squared = (y - rows / 2) ** 2 + (x - cols / 2) ** 2
    data = 127.5 * (1 + np.cos(np.pi * squared / max(rows, cols)))
    return Input("zone plate (made)", f"made here, {rows}x{cols} rings", data)


def noise(shape: tuple[int, ...], dtype: str) -> Input:
    """Standard normal, as near to it as the dtype comes."""
    rng = np.random.default_rng(3)
    data: NDArray[Any] = rng.standard_normal(shape)
    kind, what = np.dtype(dtype).kind, "standard normal"
    if kind == "c":
        data = data + 1j * rng.standard_normal(shape)
    if kind == "b":
        data, what = data > 0, "true and false at random"
    if kind in "iu":
        data = np.rint(20 * (abs(data) if kind == "u" else data))
        what = "normal, rounded to whole numbers of rms 20"
    return Input("noise (made)", f"made here, {what}", data)


def _pywt() -> Any:
    try:
        import pywt.data
    except ImportError as error:
        raise Missing("PyWavelets is not installed") from error
    return pywt.data


def _matplotlib_sample(name: str) -> Any:
    try:
        from matplotlib.cbook import get_sample_data
    except ImportError as error:
        raise Missing("matplotlib is not installed") from error
    try:
        return get_sample_data(name)
    except OSError as error:
        raise Missing(f"this matplotlib does not carry {name}") from error
