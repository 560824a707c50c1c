"""numpy's own tests of convolve and correlate, with fastconv's functions in their place.

    python tests/drop_in/run.py [pytest options]

The functions are swapped before any test module is imported, and every swapped call
is counted: a run that swapped nothing fails.
"""

import functools
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy._core import numeric

import fastconv

NUMPY = Path(find_spec("numpy").origin).parent

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

calls = Counter()


def counted(function):
    @functools.wraps(function)
    def swapped(*args, **kwargs):
        calls[function.__name__] += 1
        return function(*args, **kwargs)

    return swapped


def present(suite):
    """Is the test in this version of numpy?"""
    path, *names = suite.split("::")
    file = NUMPY / path
    return file.exists() and all(name in file.read_text() for name in names)


def main(options):
    for name in ("convolve", "correlate"):
        replacement = counted(getattr(fastconv, name))
        for module in (np, numeric):
            setattr(module, name, replacement)

    suites = [str(NUMPY / suite) for suite in SUITES if present(suite)]
    quiet = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        "-c",
        str(Path(__file__).with_name("pytest.ini")),
    ]
    status = pytest.main([*quiet, *options, *suites])
    print(
        f"drop-in: numpy {np.__version__}, swapped calls: "
        + ", ".join(f"{name} {calls[name]}" for name in ("convolve", "correlate"))
    )
    if not (calls["convolve"] and calls["correlate"]):
        print("drop-in: nothing was swapped")
        return 1
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
