from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, SupportsIndex, TypeAlias, TypedDict, TypeVar, final, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from typing_extensions import disjoint_base

_Array = TypeVar("_Array", bound=NDArray[Any])
_Window: TypeAlias = tuple[int, int]
_Facts: TypeAlias = dict[str, Any]

class _Candidate(TypedDict):
    method: str
    ring: str
    block: tuple[int, int]
    lanes: int
    digits: tuple[int, int]
    predicted_ns: float

class _Plan(_Candidate):
    level: str
    workers: int
    candidates: list[_Candidate]

class _Level(TypedDict):
    name: str
    available: bool

METHODS: dict[str, int]
SEPARABLE: dict[str | bool, int]
RINGS: dict[str, int]
ACCURACIES: dict[str, int]
BOUNDARIES: dict[str, int]
MOST_SAMPLES: int

@overload
def convolve(
    a: ArrayLike,
    v: ArrayLike,
    mode: str | SupportsIndex = "full",
    *,
    axis: SupportsIndex | None = None,
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    method: str = "auto",
    accuracy: str = "auto",
    out: _Array,
    workers: SupportsIndex | None = None,
) -> _Array: ...
@overload
def convolve(
    a: ArrayLike,
    v: ArrayLike,
    mode: str | SupportsIndex = "full",
    *,
    axis: SupportsIndex | None = None,
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    method: str = "auto",
    accuracy: str = "auto",
    out: None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
@overload
def correlate(
    a: ArrayLike,
    v: ArrayLike,
    mode: str | SupportsIndex = "valid",
    *,
    axis: SupportsIndex | None = None,
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    max_lag: SupportsIndex | None = None,
    method: str = "auto",
    accuracy: str = "auto",
    out: _Array,
    workers: SupportsIndex | None = None,
) -> _Array: ...
@overload
def correlate(
    a: ArrayLike,
    v: ArrayLike,
    mode: str | SupportsIndex = "valid",
    *,
    axis: SupportsIndex | None = None,
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    max_lag: SupportsIndex | None = None,
    method: str = "auto",
    accuracy: str = "auto",
    out: None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def take_over(convolve: Callable[..., Any], correlate: Callable[..., Any]) -> None: ...
def is_default_mode(mode: object) -> bool: ...
def plain_nd(
    in1: Any,
    in2: Any,
    mode: Any,
    boundary: Any,
    fillvalue: Any,
    method: Any,
    accuracy: Any,
    out: Any,
    *,
    correlating: bool,
    of_2d: bool,
) -> NDArray[Any] | None: ...
def window(mode: str, n: int, m: int, correlating: bool) -> _Window: ...

@final
class Spectra:
    def __new__(cls, taps: NDArray[Any]) -> Self: ...
    @property
    def nbytes(self) -> int: ...

@disjoint_base
class Prepared:
    def __init__(
        self,
        taps: NDArray[Any],
        mode: str,
        method: str,
        accuracy: str,
        *,
        axes: tuple[int, ...],
        boundary: str,
        fillvalue: Any,
        ahead: bool,
        plain: bool,
        separable: str | bool,
        workers: int,
    ) -> None: ...
    @overload
    def __call__(self, x: ArrayLike, out: _Array) -> _Array: ...
    @overload
    def __call__(self, x: ArrayLike, out: None = None) -> NDArray[Any]: ...
    def general(self, x: Any, out: NDArray[Any] | None) -> NDArray[Any]: ...
    @property
    def spectra(self) -> Spectra: ...
    @property
    def last(self) -> tuple[int, ...]: ...

@final
class LineStream:
    @property
    def samples(self) -> int: ...
    def __new__(
        cls, job: Job, v: NDArray[Any], dtype: np.dtype[Any], axis: int, workers: int
    ) -> LineStream: ...
    def push(self, x: NDArray[Any], out: NDArray[Any]) -> None: ...
    def push_plain(self, x: Any) -> NDArray[Any] | None: ...
    def tail(self, lo: int, hi: int, out: NDArray[Any]) -> None: ...

@final
class Job:
    @property
    def shape(self) -> tuple[int, ...]: ...
    def __init__(
        self,
        a_shape: Sequence[int],
        v_shape: Sequence[int],
        a_dtype: DTypeLike,
        v_dtype: DTypeLike,
        windows: Sequence[_Window],
        *,
        batch: int = 0,
        after: int = 0,
        boundary: str = "fill",
        fill: complex = 0,
        conjugate: bool = False,
        method: str = "auto",
        accuracy: str = "auto",
        separable: str | bool = "auto",
        spectra: Spectra | None = None,
        facts: _Facts | None = None,
    ) -> None: ...
    def is_separable(self, v: NDArray[Any]) -> bool: ...
    def scan(self, a: NDArray[Any], v: NDArray[Any]) -> _Facts: ...
    def choose(self) -> _Plan: ...
    def plans(self, most: int = 4096) -> list[_Candidate]: ...
    def choosing_ns(self, times: int) -> float: ...
    def run(
        self,
        a: NDArray[Any],
        v: NDArray[Any],
        out: NDArray[Any],
        plan: Mapping[str, Any] | None = None,
    ) -> None: ...
    def time_ns(
        self,
        a: NDArray[Any],
        v: NDArray[Any],
        out: NDArray[Any],
        plan: Mapping[str, Any] | None = None,
        times: int = 1,
    ) -> float: ...

def run(
    a: NDArray[Any],
    v: NDArray[Any],
    windows: Sequence[_Window],
    out: NDArray[Any] | None = None,
    *,
    plan: Mapping[str, Any] | None = None,
    **options: Any,
) -> NDArray[Any]: ...
def choose(
    shapes: Sequence[Sequence[int]],
    dtypes: Sequence[DTypeLike],
    windows: Sequence[_Window],
    method: str = "auto",
    accuracy: str = "auto",
    facts: _Facts | None = None,
    **options: Any,
) -> _Plan: ...

MOST_WORKERS: int

def workers() -> int: ...
def default_workers() -> int: ...
def set_default_workers(number: int) -> None: ...
def set_thread_workers(number: int) -> int: ...
def limit_workers(number: int) -> None: ...
def levels() -> list[_Level]: ...
def level() -> str: ...
def use_level(level: str | int) -> None: ...
def costs(level: str | int) -> dict[str, list[float]]: ...
def set_costs(level: str | int, costs: Mapping[str, Sequence[float]] | None) -> None: ...
def peak(level: str | int, dtype: DTypeLike) -> float: ...
def compiler() -> str: ...
