"""explain: which method a call would take, and why. Stops where work would begin."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import _args, _core
from ._call import Call
from ._convolve import convolve_call, correlate_call
from ._extended import extended_call
from ._lines import lines
from ._signal2d import call_2d


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to compute a call, and what it is predicted to cost."""

    method: str
    ring: str
    block: int | tuple[int, int] | None
    predicted_ns: float

    def __str__(self) -> str:
        return _way(self.method, self.ring, self.block)


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    The choice that a call makes, as data; what `explain` returns.

    Attributes
    ----------
    method : str
        'direct', 'separable' (two passes), 'fft' or 'overlap'; 'numpy' or 'sums'
        for dtypes that the engine does not compute in.
    ring : str
        'native' where the arithmetic is that of the dtype, 'rounded' for
        integers that go through float64 and are rounded back exactly.
    block : int, tuple of int or None
        The length of the transforms, in complex points: rows and columns in
        2-D, None without transforms.
    level : str
        The instruction-set level in use.
    workers : int
        How many threads share the work.
    candidates : tuple of Candidate
        What was compared, fastest first: each with its method, ring, block and
        predicted_ns.
    reasons : tuple of str
        The choice in words. Where the data is not known, those of its
        properties that would change the choice.

    Examples
    --------
    >>> import fastconv
    >>> told = fastconv.explain(8, 3)
    >>> told.method, told.ring, told.block, told.workers
    ('direct', 'native', None, 1)
    >>> told.reasons[0]
    '8 by 3 in float64, 10 outputs'
    """

    method: str
    ring: str
    block: int | tuple[int, int] | None
    level: str
    workers: int
    candidates: tuple[Candidate, ...]
    reasons: tuple[str, ...]

    def __repr__(self) -> str:
        lines = [f"{_way(self.method, self.ring, self.block)} on {self.level}"]
        lines += [f"  {_time(c.predicted_ns):>9}  {c}" for c in self.candidates]
        lines += [f"  - {reason}" for reason in self.reasons]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(str(c))}</td><td>{_time(c.predicted_ns)}</td></tr>"
            for c in self.candidates
        )
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in self.reasons)
        head = escape(f"{_way(self.method, self.ring, self.block)} on {self.level}")
        return (
            f"<p><b>{head}</b></p><table><thead><tr><th>candidate</th><th>predicted</th></tr>"
            f"</thead><tbody>{rows}</tbody></table><ul>{reasons}</ul>"
        )


def explain(
    a: int | tuple[int, ...] | NDArray[Any],
    v: int | tuple[int, ...] | NDArray[Any],
    mode: str = "full",
    *,
    dtype: DTypeLike = "float64",
    axis: SupportsIndex | None = None,
    boundary: str = "fill",
    fillvalue: Any = 0,
    method: str = "auto",
    accuracy: str = "auto",
    correlate: bool = False,
) -> Explanation:
    """
    Tell which method `convolve` and its kin would take, without convolving.

    Parameters
    ----------
    a, v : int, tuple of int or ndarray
        Shapes or data, 1-D or 2-D; of any number of dimensions with `axis`. From
        arrays the data is scanned once, as the call itself would; from shapes
        nothing is known of the data.
    mode : {'full', 'same', 'valid'}, optional
        By numpy's rules in 1-D and along an axis, by scipy's in 2-D.
    dtype : dtype_like, optional
        Of what is given as a shape.
    axis : int, optional
        As for `convolve`: explain it for lines along this axis.
    boundary, fillvalue, method, accuracy
        As for `convolve`. What lies beyond the ends of `a` is added in pieces that
        choose for themselves; told is how `a` itself is convolved.
    correlate : bool, optional
        Explain `correlate` or `correlate2d` instead.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError
        If `a` or `v` is neither an int, a tuple of ints, nor an ndarray.
    ValueError
        As the function to be explained would.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.explain(1000, 5).method
    'direct'
    >>> fastconv.explain(1_000_000, 10_000, 'same').method in ('fft', 'overlap')
    True
    >>> fastconv.explain((512, 512), (3, 3), dtype='float32').block is None
    True
    >>> fastconv.explain((8, 1000), 5, axis=-1).reasons[0]
    '8 lines of 1,000 by 5 in float64, 1,004 outputs each'
    """
    _args.check_options(method, accuracy)
    any_ndim = axis is not None
    x, y = (_args.shape_or_data(name, it, dtype, any_ndim) for name, it in (("a", a), ("v", v)))
    known = isinstance(a, np.ndarray) and isinstance(v, np.ndarray)
    call = _call(x, y, mode, axis, boundary, fillvalue, method, accuracy, correlate)
    if call is None or call.dtype.num not in _args.ENGINE_TYPES:
        way, words = ("numpy", "numpy's function") if call is None else ("sums", "plain sums")
        reason = f"the engine does not compute in {np.result_type(x, y)}: {words} in its place"
        return Explanation(way, "native", None, _core.level(), 1, (), (reason,))
    facts = call.facts() if known else None
    plan = call.job(facts).choose()
    reasons = _reasons(call, plan, facts)
    ndim = len(call.windows)
    candidates = tuple(_candidate(c, ndim) for c in plan["candidates"])
    return Explanation(
        plan["method"],
        plan["ring"],
        _block(plan, ndim),
        plan["level"],
        plan["workers"],
        candidates,
        reasons,
    )


def _call(
    x: NDArray[Any],
    y: NDArray[Any],
    mode: str,
    axis: SupportsIndex | None,
    boundary: str,
    fillvalue: Any,
    method: str,
    accuracy: str,
    correlate: bool,
) -> Call | None:
    extension = _args.extension(boundary, fillvalue)
    how: dict[str, Any] = {"method": method, "accuracy": accuracy}
    if axis is None and x.ndim == 2:
        name = "correlate2d" if correlate else "convolve2d"
        return call_2d(name, x, y, mode, **extension, **how)[0]
    if axis is None:
        _args.check_lines(x, y)
    pairs = lines(x, y, axis)
    if extension:
        how |= extension | {"correlating": correlate}
        return extended_call(pairs.a, pairs.v, _args.numpy_mode(mode), **how, **pairs.axes)[0]
    window = _core.window(_args.numpy_mode(mode), *pairs.lengths, correlate)
    make = correlate_call if correlate else convolve_call
    return make(pairs, window, **how)


def _reasons(
    call: Call, plan: Mapping[str, Any], facts: Mapping[str, Any] | None
) -> tuple[str, ...]:
    batch = call.batch
    shapes = [_by(shape[batch:]) for shape in (call.a.shape, call.v.shape, call.shape)]
    many, each = (f"{_by(call.shape[:batch])} lines of ", " each") if batch else ("", "")
    reasons = [many + "{} by {} in {dtype}, {} outputs".format(*shapes, dtype=call.dtype) + each]
    if call.method == "auto":
        others = [c for c in plan["candidates"] if c["method"] != plan["method"]]
        if others:
            ratio = others[0]["predicted_ns"] / plan["predicted_ns"]
            how = f"{ratio:.2g} times" if ratio >= 1.05 else "about"
            reasons.append(f"predicted {how} as fast as {others[0]['method']}")
        else:
            reasons.append(f"nothing but {plan['method']} comes into question")
    elif call.method == plan["method"]:
        reasons.append(f"method={call.method!r} was asked for")
    else:
        reasons.append(f"method={call.method!r} was asked for but would not be right here")
    if facts is None:
        return (*reasons, *_conditions(call, plan))
    if call.dtype.kind in "fc":
        bad = facts["a_bad"]
        reasons.append(f"a has {bad} samples that are not finite" if bad else "a is finite")
        reasons.append("v is finite" if facts["v_finite"] else "v is not finite")
        if facts["in_double"]:
            reasons.append("small values beside large ones ask for transforms in double precision")
        if facts["repair_macs"]:
            reasons.append(
                f"about {facts['repair_macs']:.2g} multiply-adds repair what a transform would lose"
            )
    else:
        reasons.append(f"magnitudes: a up to {facts['a_max']:g}, v up to {facts['v_max']:g}")
    return tuple(reasons)


def _conditions(call: Call, plan: Mapping[str, Any]) -> Iterator[str]:
    """What the choice would be if the data had this property or that: the selector is asked."""
    for words, facts in _hypotheses(call):
        other = call.job(facts).choose()
        if (other["method"], other["ring"]) != (plan["method"], plan["ring"]):
            way = _way(other["method"], other["ring"], _block(other, len(call.windows)))
            if facts["repair_macs"]:
                doubles = "in double precision, " if call.dtype.char in "fF" else ""
                way = f"transforms of parts, {doubles}or direct"
            yield f"if {words}: {way}"


def _hypotheses(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    if call.dtype.kind in "fc":
        macs = float(np.prod(call.shape)) * float(np.prod(call.v.shape[call.batch :]))
        yield "v holds a NaN or Inf", _facts(call, 1.0, v_finite=0)
        yield "most outputs lose what is small beside the loud", _facts(call, 1.0, repair=macs)
    elif call.dtype.kind in "iu":
        yield "the values are below 128", _facts(call, 127.0)
        yield "the values fill their dtype", _facts(call, float(np.iinfo(call.dtype).max))
    if len(call.windows) == 2:
        yield "v is an outer product", _facts(call, 1.0, outer=1) | {"known": 0}


def _facts(
    call: Call, peak: float, v_finite: int = 1, repair: float = 0.0, outer: int = 0
) -> dict[str, Any]:
    return {
        "known": 1,
        "v_finite": v_finite,
        "a_bad": 0,
        "a_max": peak,
        "v_max": peak,
        "a_norm": peak * call.a.size**0.5,
        "v_norm": peak * call.v.size**0.5,
        "repair_macs": repair,
        "in_double": 0,
        "outer_product": outer,
    }


def _candidate(plan: Mapping[str, Any], ndim: int) -> Candidate:
    return Candidate(plan["method"], plan["ring"], _block(plan, ndim), plan["predicted_ns"])


def _block(plan: Mapping[str, Any], ndim: int) -> int | tuple[int, int] | None:
    if plan["method"] in ("direct", "separable"):
        return None
    rows, cols = plan["block"]
    return (rows, cols) if ndim == 2 else cols


def _way(method: str, ring: str, block: int | tuple[int, int] | None) -> str:
    ring = "" if ring == "native" else f", {ring}"
    return f"{method}{ring}" + ("" if block is None else f", block {_by(block)}")


def _by(shape: int | tuple[int, ...]) -> str:
    return " x ".join(f"{n:,}" for n in np.atleast_1d(shape).tolist())


def _time(ns: float) -> str:
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= scale:
            return f"{ns / scale:.3g} {unit}"
    return f"{ns:.3g} ns"
