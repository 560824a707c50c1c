"""numpy's own tests of convolve and correlate, with fastconv's functions in their place.

    python tests/drop_in/numpys.py [pytest options]

The functions are swapped before any test module is imported, and every swapped call
is counted: a run in which one of them was never called fails.
"""

import sys

import numpy as np
import swap

import fastconv

FUNCTIONS = ["convolve", "correlate"]

# Whole modules of polynomials too: they multiply and divide by np.convolve.
SUITES = [
    "_core/tests/test_numeric.py::TestCorrelate",
    "_core/tests/test_numeric.py::TestConvolve",
    "_core/tests/test_regression.py::TestRegression::test_convolve_empty",
    "lib/tests/test_polynomial.py",
    "polynomial/tests/test_polynomial.py",
    "polynomial/tests/test_chebyshev.py",
    "ma/tests/test_core.py::TestMaskedArrayFunctions::test_convolve",
]

if __name__ == "__main__":
    for name in FUNCTIONS:
        swap.swap(getattr(np, name), getattr(fastconv, name), "numpy")
    sys.exit(swap.run("numpy", SUITES, FUNCTIONS, sys.argv[1:]))
