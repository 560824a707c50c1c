"""Small calls: the plain case gives what the general path gives, without Python.

What they cost beside numpy's is for benchmarks/test_small.py to say.
"""

import numpy as np
import pytest

import fastconv
from fastconv import _convolve, _core

DTYPES = ["float64", "float32", "int64", "int32", "uint8", "complex128"]
MODES = ["full", "same", "valid"]
GENERAL = {
    "convolve": lambda a, v, mode: _convolve.any_convolve(
        a, v, mode, None, "fill", 0, "auto", "auto", None, None
    ),
    "correlate": lambda a, v, mode: _convolve.any_correlate(
        a, v, mode, None, "fill", 0, None, "auto", "auto", None, None
    ),
}


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_plain_and_general_agree_bit_for_bit(name, mode, dtype):
    rng = np.random.default_rng(3)
    for n, m in [(1, 1), (8, 3), (3, 8), (64, 8), (8, 8), (7, 64), (300, 40), (2000, 300)]:
        a, v = ((rng.standard_normal(k) * 50 + 60).astype(dtype) for k in (n, m))
        plain = getattr(fastconv, name)(a, v, mode)
        general = GENERAL[name](a, v, mode)
        assert plain.dtype == general.dtype
        assert plain.tobytes() == general.tobytes()


@pytest.mark.parametrize("name", GENERAL)
def test_the_plain_case_needs_no_python(name, monkeypatch):
    """With the general path taken away, plain calls of any size are still answered."""
    try:
        _core.take_over(None, None)
        call = getattr(fastconv, name)
        for n, m in [(8, 3), (3, 8), (64, 8), (5000, 400)]:
            assert call(np.ones(n), np.ones(m), "same").size == max(n, m)
            assert call(np.ones(n, int), [0.5] * m, "same").dtype == float
        with pytest.raises(TypeError):
            call(np.ones((1, 1)), np.ones(1))
    finally:
        _core.take_over(_convolve.any_convolve, _convolve.any_correlate)
