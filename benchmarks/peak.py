"""How far a process grows in a call beyond what it held: VmHWM, which Linux resets on request.

Nothing may be warm: memory that an earlier call left behind would hide in it. So each call has a
process of its own: a new interpreter in memory.py; in compare.py a fork of one that has imported
everything and computed nothing, which takes milliseconds.
"""

import ctypes
import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from cases import Case
from entrants import others
from ours import ours


def grown(call: Callable[[], np.ndarray]) -> tuple[int, np.ndarray]:
    """Bytes at the highest, beyond those before, and what the call gave."""
    ctypes.CDLL(None).malloc_trim(0)  # what is free is given back, or a call could take it unseen
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark falls to what is held
    result = call()
    return memory("VmHWM") - before, result


def memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise OSError(f"the system tells no {field}")


class Peaks:
    """Asks a process that is made before anything is computed here."""

    def __init__(self) -> None:
        fork = get_context("fork")
        self.end, served = fork.Pipe()
        fork.Process(target=_serve, args=(served,), daemon=True).start()

    def of(self, case: Case, function: str) -> int:
        """Bytes of a call of fastconv, or of the rival of this name."""
        self.end.send((case, function))
        peak = self.end.recv()
        if peak is None:
            raise RuntimeError(f"{case.name}: {function} ended its process")
        return peak


def _serve(end) -> None:
    while True:
        case, function = end.recv()
        child = os.fork()
        if not child:
            status = 1
            try:
                end.send(_peak(case, function))
                status = 0
            finally:
                os._exit(status)
        if os.waitpid(child, 0)[1]:
            end.send(None)


def _peak(case: Case, function: str) -> int:
    small = Case(
        tuple(min(n, 64) for n in case.a),
        tuple(min(m, 3) for m in case.v),
        *(case.mode, case.dtype, case.axis, case.order),
    )
    for size in (small, case):  # whatever is made once is made by the first
        a, v = size.arrays()
        call = _function(function, size, a, v)
        peak, _ = grown(lambda call=call, a=a, v=v, size=size: call(a, v, size.mode))
    return peak


def _function(name: str, case: Case, a: np.ndarray, v: np.ndarray) -> Callable[..., np.ndarray]:
    if name == "fastconv":
        return ours(case)
    return next(runner.call for runner in others(case, a, v) if runner.name == name)
