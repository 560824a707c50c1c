"""The libraries beyond numpy and scipy that fastconv is timed beside: which are here, which not.

A peer is made by loading its library, which fails as an import does where that is not installed.
Its `runners(a, v, mode, axis)` are like those of fastconv/cli/rivals.py: one for each way it has
to the answer, none where it declines. Their names begin with the library's. Each runs on one
thread. Plans, buffers and tasks are made by `runners`, before anything is timed.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from peers_fft import FFTW, Ducc0
from peers_filter import OpenCV, Torch
from peers_intel import IPP, MKL
from summary import version_of

from fastconv.cli.race import Array, Runner


class Peer(Protocol):
    name: str
    package: str  # what pip calls it

    def runners(
        self, a: Array, v: Array, mode: str, axis: int | None = None
    ) -> Iterator[Runner]: ...


LIBRARIES: tuple[type[Peer], ...] = (FFTW, Ducc0, IPP, MKL, OpenCV, Torch)


def load() -> tuple[list[Peer], dict[str, str]]:
    """Those that are here, and by name why the others are not."""
    here, missing = [], {}
    for library in LIBRARIES:
        try:
            here.append(library())
        except (ImportError, OSError, AttributeError) as reason:
            missing[library.name] = f"not loaded: {reason}"
    return here, missing


def stamp(here: Iterable[Peer], missing: dict[str, str]) -> list[str]:
    """Versions, and what is missing, as lines below those of summary.stamp."""
    versions = ", ".join(f"{peer.package} {version_of(peer.package)}" for peer in here)
    return [
        f"peers     {versions or 'none'}",
        *(f"missing   {name}, {reason}" for name, reason in missing.items()),
    ]


def too_few(required: int, answered: Iterable[str], missing: dict[str, str]) -> str:
    """A complaint that names who is missing, or '' where as many as required are among the names
    of the runners that `answered`."""
    libraries = {name.split()[0] for name in answered}
    silent = [library.name for library in LIBRARIES if library.name not in libraries]
    if len(LIBRARIES) - len(silent) >= required:
        return ""
    reasons = (f"{name} ({missing.get(name, 'gave no right answer')})" for name in silent)
    return (
        f"{len(LIBRARIES) - len(silent)} peers answered, {required} are required; "
        f"without: {', '.join(reasons)}"
    )
