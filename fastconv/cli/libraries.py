"""The libraries that fastconv is timed beside: which are here, which not.

A library is made for a number of threads by loading it, which fails as an import does where it is
not installed. Its `runners(a, v, mode, axis)` are the ways it has to the answer, none where it
declines; with an `axis` they take every line of `a` along it. Plans, buffers and tasks are made by
`runners`, before anything is timed. What runners of a peer are called begins with its name.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from .peers_fft import FFTW, Ducc0
from .peers_filter import OpenCV, Torch
from .peers_intel import IPP, MKL
from .race import Array, Runner
from .rivals import Numpy, Scipy


class Library(Protocol):
    name: str
    package: str  # what pip calls it

    def runners(
        self, a: Array, v: Array, mode: str, axis: int | None = None
    ) -> Iterator[Runner]: ...


class Loads(Protocol):
    """What makes a library."""

    name: str
    package: str

    def __call__(self, workers: int) -> Library: ...


class NotHere(Exception):
    """A library that was asked for is unknown or not installed."""


PEERS: tuple[Loads, ...] = (FFTW, Ducc0, IPP, MKL, OpenCV, Torch)
LIBRARIES: tuple[Loads, ...] = (Numpy, Scipy, *PEERS)


def load(libraries: Iterable[Loads], workers: int = 1) -> tuple[list[Library], dict[str, str]]:
    """Those that are here, and by name why the others are not."""
    here, missing = [], {}
    for library in libraries:
        try:
            here.append(library(workers))
        except (ImportError, OSError, AttributeError) as reason:
            missing[library.name] = f"not loaded: {reason}"
    return here, missing


def chosen(names: Sequence[str], workers: int) -> list[Library]:
    """The libraries of these names, in any case of letters; all have to be here."""
    known = {library.name.lower(): library for library in LIBRARIES}
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise NotHere(f"--vs: got {', '.join(unknown)!r}, takes {', '.join(known)}")
    here, missing = load([known[name] for name in dict.fromkeys(map(str.lower, names))], workers)
    if missing:
        reasons = "; ".join(f"{name} {reason}" for name, reason in missing.items())
        to_be_had = ", ".join(library.name.lower() for library in load(LIBRARIES)[0])
        raise NotHere(f"--vs: {reasons}; here are {to_be_had}, the extra 'peers' brings the others")
    return here


def library_of(runner: str) -> str:
    """The library whose runner has this name."""
    first = runner.replace(".", " ").split()[0].rstrip(",")
    return first if first in {library.name for library in LIBRARIES} else Scipy.name
