"""Convolution and correlation of numpy arrays, fast and exact.

>>> import fastconv
>>> fastconv.convolve([1, 2, 3], [2, 3, 4])
array([ 2,  7, 16, 17, 12])
"""

from importlib.util import find_spec as _find_spec

if not _find_spec("fastconv._core"):
    raise ImportError(
        f"no compiled part for this Python in {__path__[0]}: if that is fastconv's source folder, "
        "install it (python -m pip install .) and start Python elsewhere, or with -P"
    )

from . import signal
from ._config import show_config
from ._convolve import convolve, correlate
from ._convolver import Convolver
from ._explain import Explanation, explain
from ._patch import is_patched, patch, patched, unpatch
from ._tune import Tuning, tune
from ._version import __version__
from ._workers import get_workers, set_workers
from .signal import convolve2d, correlate2d

__all__ = [
    "Convolver",
    "Explanation",
    "Tuning",
    "__version__",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "explain",
    "get_workers",
    "is_patched",
    "patch",
    "patched",
    "set_workers",
    "show_config",
    "signal",
    "tune",
    "unpatch",
]
