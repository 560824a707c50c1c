"""Recordings and pictures that installable packages carry, against numpy and scipy."""

from pathlib import Path

import numpy as np
import oracle
import pytest

import fastconv

signal = pytest.importorskip("scipy.signal")


def ecg():
    return pytest.importorskip("pywt").data.ecg()


def nino():
    return pytest.importorskip("pywt").data.nino()[1]


def camera():
    return pytest.importorskip("pywt").data.camera()


def ascent():
    return pytest.importorskip("pywt").data.ascent()


def china():
    datasets = pytest.importorskip("sklearn.datasets")
    pytest.importorskip("PIL")
    return datasets.load_sample_image("china.jpg")[..., 1]


def membrane():
    matplotlib = pytest.importorskip("matplotlib")
    file = Path(matplotlib.get_data_path()) / "sample_data" / "membrane.dat"
    return np.fromfile(file, np.float32)


@pytest.mark.parametrize("recording", [ecg, nino, membrane])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_filtering_a_recording(level, recording, dtype):
    x = np.asarray(recording(), dtype)
    kernels = {
        "low-pass": signal.firwin(101, 0.1),
        "Savitzky-Golay": signal.savgol_coeffs(31, 3),
        "matched": x[200:500][::-1] - x[200:500].mean(),
        "difference": np.array([1.0, -1.0]),
    }
    for v in kernels.values():
        v = v.astype(dtype)
        for mode in ("full", "same", "valid"):
            got = level.convolve(x, v, mode)
            oracle.assert_within(got, x, v, mode)
            close = 1e-5 if dtype == "float32" else 1e-12
            expected = np.convolve(x, v, mode)
            np.testing.assert_allclose(got, expected, rtol=0, atol=close * abs(expected).max())


def test_counts_of_a_recording_are_exact(level):
    x = np.asarray(ecg())
    assert x.dtype.kind in "iu"
    v = np.array([1, 2, 4, 8, 4, 2, 1], x.dtype)
    oracle.assert_exact(level.convolve(x, v), np.convolve(x, v))
    oracle.assert_exact(level.correlate(x, x, "full", method="fft"), np.correlate(x, x, "full"))


@pytest.mark.parametrize("picture", [camera, ascent, china])
def test_filtering_a_picture(level, picture):
    x = np.asarray(picture())
    gauss = signal.windows.gaussian(15, 2.5)
    kernels = {
        "Gaussian": np.outer(gauss, gauss) / gauss.sum() ** 2,
        "Sobel": np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]),
        "sharpen": np.array([[0, -1.0, 0], [-1, 5, -1], [0, -1, 0]]),
    }
    image = x.astype(float)
    for v in kernels.values():
        got = level.convolve2d(image, v, "same")
        expected = signal.convolve2d(image, v, "same")
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11 * abs(expected).max())


@pytest.mark.parametrize("picture", [camera, ascent, china])
def test_whole_pixels_are_exact(level, picture):
    x = np.asarray(picture()).astype(np.int32)
    sobel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.int32)
    oracle.assert_exact(level.convolve2d(x, sobel, "same"), signal.convolve2d(x, sobel, "same"))
    patch = x[100:140, 200:240]
    got = level.correlate2d(x, patch, "valid", method="fft")
    oracle.assert_exact(got, signal.correlate2d(x, patch, "valid"))


def test_a_coin_is_where_it_was_cut_out():
    x = camera().astype(float)
    patch = x[60:100, 210:260]
    score = fastconv.correlate2d(x - x.mean(), patch - patch.mean(), "valid")
    energy = np.sqrt(fastconv.convolve2d((x - x.mean()) ** 2, np.ones(patch.shape), "valid"))
    assert np.unravel_index(np.argmax(score / energy), score.shape) == (60, 210)
