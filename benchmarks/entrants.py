"""Who takes part in a case: fastconv's function for it, and all others that may have its answer."""

from collections.abc import Iterable, Iterator
from functools import partial

from cases import Case
from peers import Peer

import fastconv
from fastconv.cli.race import Array, Function, Runner
from fastconv.cli.rivals import rivals, rivals_along


def ours(case: Case) -> Function:
    if case.axis is not None:
        return partial(fastconv.convolve, axis=case.axis)
    return fastconv.convolve if len(case.a) == 1 else fastconv.convolve2d


def others(case: Case, a: Array, v: Array, peers: Iterable[Peer] = ()) -> Iterator[Runner]:
    if case.axis is None:
        yield from rivals(a, v, case.mode)
    else:
        yield from rivals_along(a, v, case.mode, case.axis)
    for peer in peers:
        yield from peer.runners(a, v, case.mode, case.axis)
