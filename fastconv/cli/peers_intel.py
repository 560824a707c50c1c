"""Intel's IPP and MKL, by their C symbols: their wheels hold libraries, and no Python.

Each convolves one line, in 'full'; other modes are slices of it, which cost nothing, and a batch
is a loop over its lines. They run on one thread, whatever they are told.
"""

import ctypes
from collections.abc import Callable, Iterator
from ctypes import byref, c_int, c_void_p
from fnmatch import fnmatch
from functools import cache, lru_cache, partial
from importlib.metadata import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np

from .race import Array, Runner
from .rivals import window

ALGORITHMS = {"auto": 0, "direct": 1, "fft": 2}  # ippAlg..., VSL_CONV_MODE_...
MKL_LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
IPP_TYPES = {"float32": 13, "float64": 19}  # ipp32f, ipp64f
TASKS_KEPT = 8
STRIDED: list[Any] = [c_void_p, c_int]  # an address, and a length or a step
# At least three times what was seen on Zen 4, 10,000 * 1,000: 38.6e9, 19.4e9, -, 1.4e9.
DIRECT_MACS_PER_S = {"float32": 120e9, "float64": 60e9, "complex64": 12e9, "complex128": 6e9}


Line: TypeAlias = Callable[[int, int, int], int]  # addresses of a, v and full; a status


class Declined(Exception):
    """The library has no such convolution."""


class IPP:
    name = "IPP"
    package = "ipp"

    def __init__(self, workers: int = 1) -> None:
        self.ipps = _ipp()
        self.buffer_size = self.ipps.ippsConvolveGetBufferSize
        self.buffer_size.argtypes = [c_int, c_int, c_int, c_int, c_void_p]
        self.functions = {
            "float32": self.ipps.ippsConvolve_32f,
            "float64": self.ipps.ippsConvolve_64f,
        }
        for function in self.functions.values():
            function.argtypes = [*2 * STRIDED, *STRIDED, c_void_p]
        self.prepared = lru_cache(TASKS_KEPT)(self.line)

    def line(self, n: int, m: int, dtype: str, algorithm: int) -> Line:
        if dtype not in IPP_TYPES:
            raise Declined
        convolve = self.functions[dtype]
        size = c_int()
        if self.buffer_size(n, m, IPP_TYPES[dtype], algorithm, byref(size)):
            raise Declined
        buffer = ctypes.create_string_buffer(size.value)
        return lambda a, v, out: convolve(a, n, v, m, out, algorithm, buffer)

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        return _runners(self, a, v, mode, axis)


class MKL:
    name = "MKL"
    package = "mkl"

    def __init__(self, workers: int = 1) -> None:
        (path,) = _libraries(self.package, "libmkl_rt.so*")
        self.mkl = ctypes.CDLL(str(path))
        # Without threads it needs no OpenMP runtime, of which torch brings another one.
        self.mkl.MKL_Set_Threading_Layer(1)
        self.delete = self.mkl.vslConvDeleteTask
        self.prepared = lru_cache(TASKS_KEPT)(self.line)

    def line(self, n: int, m: int, dtype: str, algorithm: int) -> Line:
        if dtype not in MKL_LETTERS:
            raise Declined
        letter = MKL_LETTERS[dtype]
        new_task = self.mkl[f"vsl{letter}ConvNewTask1D"]
        new_task.argtypes = [c_void_p, c_int, c_int, c_int, c_int]
        convolve = self.mkl[f"vsl{letter}ConvExec1D"]
        convolve.argtypes = [c_void_p, *3 * STRIDED]
        task = Task(self.delete)
        if new_task(byref(task.handle), algorithm, n, m, n + m - 1):
            raise Declined
        return lambda a, v, out: convolve(task.handle, a, 1, v, 1, out, 1)

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        return _runners(self, a, v, mode, axis)


class Task:
    """MKL's plan, given back when nothing needs it any more."""

    def __init__(self, delete: Callable[..., object]) -> None:
        self.handle = c_void_p()
        self.delete = delete

    def __del__(self) -> None:
        if self.handle:
            self.delete(byref(self.handle))


def _load_ipp() -> ctypes.CDLL:
    """libipps, with the part of it for this processor.

    That part it looks for beside itself, as libippsk0.so.12.1, and ends the process if it is not
    there. The wheel has libippsk0.so.12 only, since a wheel holds no links. So the names are
    made in a folder of their own, which the environment does not notice, and which can go once
    all is loaded.
    """
    found = _libraries(IPP.package, "libipp*.so.12")
    with TemporaryDirectory() as folder:
        for file in found:
            for name in (file.name, f"{file.name}.1"):
                (Path(folder) / name).symlink_to(file)
        core = ctypes.CDLL(f"{folder}/libippcore.so.12", mode=ctypes.RTLD_GLOBAL)
        core.ippInit()
        return ctypes.CDLL(f"{folder}/libipps.so.12")


# Once in a process: ippInit drops what is loaded and looks again for what is gone.
_ipp = cache(_load_ipp)


def _libraries(package: str, pattern: str) -> list[Path]:
    """Those of a wheel, wherever it is installed."""
    found = [Path(str(file.locate())).resolve() for file in files(package) or []]
    named = [file for file in found if fnmatch(file.name, pattern)]
    if not named:
        raise ImportError(f"no {pattern} in the package {package}")
    return named


def _runners(
    library: IPP | MKL, a: Array, v: Array, mode: str, axis: int | None
) -> Iterator[Runner]:
    if a.ndim > 1 and axis is None:
        return
    dtype = np.result_type(a, v).name
    (kept,) = window(_lines(a, axis)[0], v, mode)
    for algorithm, number in ALGORITHMS.items():
        try:
            line = library.prepared(a.shape[axis or 0], v.size, dtype, number)
        except Declined:
            continue
        call = partial(_convolve, line, dtype, kept, axis)
        direct_s = a.size * v.size / DIRECT_MACS_PER_S[dtype]
        floor_s = direct_s if algorithm == "direct" else 0.0
        yield Runner(f"{library.name} {algorithm}", call, floor_s)


def _lines(a: Array, axis: int | None) -> Array:
    return a[None] if axis is None else np.moveaxis(a, axis, -1)


def _convolve(
    line: Line, dtype: str, kept: slice, axis: int | None, a: Array, v: Array, mode: str
) -> Array:
    lines, v = np.ascontiguousarray(_lines(a, axis), dtype), np.ascontiguousarray(v, dtype)
    out = np.empty((len(lines), lines.shape[1] + v.size - 1), dtype)
    a_at, v_at, out_at = lines.ctypes.data, v.ctypes.data, out.ctypes.data
    a_step, out_step = lines.strides[0], out.strides[0]
    for i in range(len(lines)):
        if line(a_at + i * a_step, v_at, out_at + i * out_step):
            return out[:0]  # no answer differs from every answer
    return out[0, kept] if axis is None else np.moveaxis(out[:, kept], -1, axis)
