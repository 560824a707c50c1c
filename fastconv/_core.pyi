from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex, TypeAlias, TypedDict, TypeVar, final, overload

from numpy.typing import ArrayLike, DTypeLike, NDArray

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
RINGS: dict[str, int]
ACCURACIES: dict[str, int]
BOUNDARIES: dict[str, int]

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
def plain_2d(
    in1: Any, in2: Any, mode: Any, correlating: bool, method: Any, out: Any
) -> NDArray[Any] | None: ...
def window(mode: str, n: int, m: int, correlating: bool) -> _Window: ...

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
        facts: _Facts | None = None,
    ) -> None: ...
    def scan(self, a: NDArray[Any], v: NDArray[Any]) -> _Facts: ...
    def choose(self) -> _Plan: ...
    def run(
        self,
        a: NDArray[Any],
        v: NDArray[Any],
        out: NDArray[Any],
        plan: Mapping[str, Any] | None = None,
    ) -> None: ...

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
def peak(level: str | int, dtype: DTypeLike) -> float: ...
def compiler() -> str: ...
