"""The Python face under atheris: bytes are read as a call, whose answer is judged by the oracle.

    python tests/fuzz_python.py -atheris_runs=1000000 -max_len=80 -len_control=0

Not a test that pytest collects; `make fuzz` runs it. Arguments are those of libFuzzer. A call has
to end in the oracle's answer, or in a ValueError or TypeError: any other exception is a failure, as
is an input that changed.
"""

import sys

import atheris
import numpy as np
import oracle

with atheris.instrument_imports(include=["fastconv"]):
    import fastconv
    from fastconv import _core

DTYPES = [*oracle.FLOATS, *oracle.INTEGERS, "bool", "float16", ">i4", ">f8", "longdouble", "object"]
JUDGED = [*oracle.FLOATS, *oracle.INTEGERS, "bool"]
METHODS = ["auto", "direct", "fft", "overlap"]
MODES = ["full", "same", "valid"]
ODD = [None, -1, 0, 3, "", "sa", 1.5, (), [], np.nan, 2**63, b"full"]
LEVELS = [level["name"] for level in _core.levels() if level["available"]]
STEPS = [1, 1, 2, -1, -3]


class Choices(atheris.FuzzedDataProvider):
    def one_of(self, options):
        return options[self.ConsumeIntInRange(0, len(options) - 1)]

    def chance(self, of):
        return self.ConsumeIntInRange(0, of - 1) == 0

    def array(self, dtype, ndim, longest):
        """Whole numbers, small enough that no sum is rounded; any strides, maybe read-only."""
        rng = np.random.default_rng(self.ConsumeIntInRange(0, 2**16))
        shape = [self.ConsumeIntInRange(0 if self.chance(30) else 1, longest) for _ in range(ndim)]
        steps = [self.one_of(STEPS) for _ in shape]
        room = [n * abs(step) for n, step in zip(shape, steps, strict=True)]
        if np.dtype(dtype).kind in "fciub" and np.dtype(dtype).isnative:
            memory = oracle.draw_small(rng, room, dtype)
        else:
            memory = rng.integers(0, 9, room).astype(dtype)
        x = memory[tuple(slice(None, None, step) for step in steps)]
        x.flags.writeable = not self.chance(4)
        return x

    def odd(self, usual):
        return self.one_of(ODD) if self.chance(40) else usual


def options_of(choices):
    options = {"method": choices.odd(choices.one_of(METHODS))}
    if choices.chance(4):
        options["accuracy"] = choices.odd(choices.one_of(["auto", "normwise", "componentwise"]))
    if choices.chance(4):
        options["workers"] = choices.odd(choices.one_of([1, 2, -1]))
    return options


def call_of(choices):
    """(a function of no arguments, its two inputs, their right answer or None)."""
    dtype = choices.one_of(DTYPES)
    other = dtype if choices.chance(2) else choices.one_of(DTYPES)
    mode, options = choices.odd(choices.one_of(MODES)), options_of(choices)
    kind = choices.ConsumeIntInRange(0, 5)
    ndim = 2 if kind == 1 else 1
    longest = choices.one_of([5, 40, 300]) if ndim == 1 else choices.one_of([3, 9, 25])
    a, v = choices.array(dtype, ndim, longest), choices.array(other, ndim, longest)
    if choices.chance(60):
        a, v = choices.one_of([None, "x", 3, [1, 2], [[1], [2]], a[..., None]]), v
        return lambda: fastconv.convolve(a, v, mode, **options), (), None
    known = dtype in JUDGED and other in JUDGED and a.size and v.size and mode in MODES
    if kind == 0:
        right = oracle.correlate(a, v, mode) if known else None
        return lambda: fastconv.correlate(a, v, mode, **options), (a, v), right
    if kind == 1:
        fits = all(n >= m for n, m in zip(a.shape, v.shape, strict=True))
        known = known and (mode != "valid" or fits)
        right = oracle.convolve(a, v, mode) if known else None
        return lambda: fastconv.convolve2d(a, v, mode, **options), (a, v), right
    if kind == 2:
        boundary = choices.odd(choices.one_of(["fill", "wrap", "symm"]))
        return lambda: fastconv.convolve(a, v, mode, boundary=boundary, **options), (a, v), None
    if kind == 3:
        lag = choices.odd(choices.ConsumeIntInRange(0, 50))
        return lambda: fastconv.correlate(a, v, max_lag=lag, **options), (a, v), None
    if kind == 4:
        cut = choices.ConsumeIntInRange(0, longest)

        def streamed():
            stream = fastconv.Convolver(v, **options).stream()
            return np.concatenate([stream.push(a[:cut]), stream.push(a[cut:]), stream.flush()])

        right = oracle.convolve(a, v) if known else None
        return streamed, (a, v), right
    right = oracle.convolve(a, v, mode) if known else None
    return lambda: fastconv.convolve(a, v, mode, **options), (a, v), right


def one_input(data):
    # However short, it is a whole call: the rest is drawn from what there is.
    choices = Choices(data + np.random.default_rng(list(data)).bytes(80))
    _core.use_level(choices.one_of(LEVELS))
    call, inputs, right = call_of(choices)
    before = [x.tobytes() for x in inputs]
    try:
        with np.errstate(all="ignore"):
            got = call()
    except (ValueError, TypeError):
        return
    assert [x.tobytes() for x in inputs] == before, "an input changed"
    if right is None:
        return
    assert got.shape == right.shape, f"{got.shape}, not {right.shape}"
    if got.dtype.kind in "fc":
        # Whole numbers: what a transform leaves of them is a few roundings of the largest.
        size = 1 + abs(right).max(initial=0)
        assert (abs(got - right) <= 1e4 * np.finfo(got.dtype).eps * size).all(), abs(
            got - right
        ).max()
    else:
        oracle.assert_exact(got, right.astype(got.dtype))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
