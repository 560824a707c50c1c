"""scipy's own tests of the convolutions in scipy.signal, with fastconv.signal's in their place.

    python tests/drop_in/scipys.py [pytest options]

As numpys.py does for numpy.
"""

import sys

import swap
from scipy import signal
from scipy._lib import _array_api

import fastconv.signal

FUNCTIONS = sorted(fastconv.signal.__all__)

# TestWiener and TestDeconvolve are of functions that call ours.
FILE = "signal/tests/test_signaltools.py"
SUITES = [
    f"{FILE}::{name}"
    for name in (
        "TestConvolve",
        "TestConvolve2d",
        "TestFFTConvolve",
        "TestOAConvolve",
        "TestAllFreqConvolves",
        "test_convolve_longdtype_input",
        "TestCorrelateReal",
        "TestCorrelate",
        "TestCorrelateComplex",
        "TestCorrelate2d",
        "test_correlation_lags",
        "test_correlation_lags_invalid_mode",
        "test_choose_conv_method",
        "test_choose_conv_method_2",
        "TestWiener",
        "TestDeconvolve",
    )
]

WITHOUT = [
    # Insists on a warning that a NaN has spoilt the whole result. Here it has not.
    "test_fft_nan",
]

if __name__ == "__main__":
    # Since 1.16 the tests look up what a function can do, by the function.
    capabilities = getattr(_array_api, "xp_capabilities_table", {})
    for name in FUNCTIONS:
        original = getattr(signal, name)
        replacement = swap.swap(original, getattr(fastconv.signal, name), "scipy")
        if original in capabilities:
            capabilities[replacement] = capabilities[original]
    sys.exit(swap.run("scipy", SUITES, FUNCTIONS, sys.argv[1:], WITHOUT))
