"""The sums that the project began with, worked by hand."""

import numpy as np
import pytest

import fastconv

METHODS = pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap"])


@METHODS
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "float32", "float64", "complex128"])
def test_flip_and_slide(method, dtype):
    got = fastconv.convolve(np.array([1, 2, 3], dtype), np.array([2, 3, 4], dtype), method=method)
    np.testing.assert_allclose(got, [2, 7, 16, 17, 12], rtol=1e-6)
    assert got.dtype == dtype


def test_lists():
    assert fastconv.convolve([1, 2, 3], [2, 3, 4]).tolist() == [2, 7, 16, 17, 12]


@METHODS
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_matrix(method, dtype):
    image = np.array([[1, 2, 0, 3], [4, 1, 0, 2], [3, 2, 1, 0], [0, 1, 2, 4]], dtype)
    kernel = np.array([[0, 1, 2], [2, 2, 0], [1, 0, 1]], dtype)
    got = fastconv.convolve2d(image, kernel, "valid", method=method)
    np.testing.assert_allclose(got, [[11, 14], [11, 9]], rtol=1e-12)
    assert got.dtype == dtype


def test_smoothing_is_numpys():
    a, v = [1, 2, 3, 4, 1, 2, 3, 4], [0.1, 0.5]
    np.testing.assert_allclose(fastconv.convolve(a, v), np.convolve(a, v), rtol=1e-15)
    np.testing.assert_allclose(
        fastconv.convolve(a, v), [0.1, 0.7, 1.3, 1.9, 2.1, 0.7, 1.3, 1.9, 2.0], rtol=1e-15
    )
