"""Races beside rivals: who is left out, who is blamed, and that every rival gives the answer."""

from functools import partial

import numpy as np
import pytest

import fastconv
from fastconv.cli import race, rivals
from fastconv.cli.race import Runner, WrongAnswer

A = np.random.default_rng(3).standard_normal(400)
V = np.hanning(15)
LINES = A.reshape(20, 20)


def runner(name, change=lambda x: x, floor_s=0.0):
    return Runner(name, lambda a, v, mode: change(np.convolve(a, v, mode)), floor_s)


def runners(a, v, mode, axis=None):
    for library in (rivals.Numpy(), rivals.Scipy()):
        yield from library.runners(a, v, mode, axis)


def by_lines(a, v, mode, axis):
    return np.apply_along_axis(np.convolve, axis, a, v, mode)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "complex128"])
def test_the_definition(dtype, mode):
    a, v = (30 * A).astype(dtype), (30 * V).astype(dtype)
    right = np.convolve(a, v, mode)
    for i in (0, 7, right.size // 2, right.size - 1):
        np.testing.assert_allclose(race.defined(a, v, mode, (i,)), right[i], rtol=1e-4, atol=1e-4)


def test_a_race():
    result = race.race(np.convolve, [runner("numpy")], A, V, "same", 0.01)
    assert result.best == "numpy"
    assert 0.2 < result.ratio < 5
    assert result.difference == 0
    assert not result.left_out


def test_rivals_are_left_out_by_name():
    def never(a, v, mode):
        raise AssertionError("called")

    others = [
        runner("good"),
        runner("single", lambda x: x.astype(np.float32)),
        runner("off", lambda x: x + 1e-6),
        runner("short", lambda x: x[1:]),
        runner("nan", lambda x: np.where(x == x.max(), np.nan, x)),
        Runner("slow", never, 1e3),
    ]
    result = race.race(np.convolve, others, A, V, "full", 0.01)
    assert list(result.times) == ["good"]
    why = {name: reason.split(":")[0] for name, reason in result.left_out.items()}
    differs = dict.fromkeys(["single", "off", "short", "nan"], "differs")
    assert why == {**differs, "slow": "hopeless"}


@pytest.mark.parametrize("error", [TypeError, ValueError, RuntimeError])
def test_a_rival_that_refuses_is_left_out(error):
    def refuse(a, v, mode):
        raise error("not for such")

    result = race.race(np.convolve, [Runner("shy", refuse), runner("good")], A, V, "full", 0.01)
    assert list(result.times) == ["good"]
    assert result.left_out == {"shy": "refuses: not for such"}


def test_where_all_are_hopeless_the_floor_is_the_ratio():
    result = race.race(np.convolve, [Runner("slow", np.convolve, 1e3)], A, V, "full", 0.01)
    assert result.best == ""
    assert result.ratio == 1e3 / result.ours_s


def test_integers_are_not_forgiven():
    a, v = np.arange(100), np.array([1, 2, 3])
    with pytest.raises(WrongAnswer, match="by definition"):
        race.race(lambda a, v, m: np.convolve(a, v, m) + 1, [], a, v, "same", 0.01)


@pytest.mark.parametrize("error", [1, np.nan, np.inf])
def test_fastconv_is_blamed_wherever_it_is_wrong(error):
    def wrong_at_one_place(a, v, mode):
        out = np.convolve(a, v, mode)
        out[137] += error
        return out

    with pytest.raises(WrongAnswer, match=r"\(137,\)"):
        race.race(wrong_at_one_place, [runner("numpy")], A, V, "full", 0.01)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_definition_along_an_axis(axis, mode):
    right = by_lines(LINES, V, mode, axis)
    race.check_some(right, LINES, V, mode, axis, count=50)
    for error_at in ((0, 0), (-1, -1)):
        wrong = right.copy()
        wrong[error_at] += 1e-6
        with pytest.raises(WrongAnswer):
            race.check_some(wrong, LINES, V, mode, axis)


def test_a_race_along_an_axis():
    """The other axis is another answer."""
    others = [
        Runner("loop", partial(by_lines, axis=0)),
        Runner("rows", partial(by_lines, axis=1)),
        Runner("off", lambda a, v, mode: by_lines(a, v, mode, 0) + 1e-6),
    ]
    ours = partial(by_lines, axis=0)
    result = race.race(ours, others, LINES, V, "same", 0.01, axis=0)
    assert list(result.times) == ["loop"]
    assert [why.split(":")[0] for why in result.left_out.values()] == ["differs"] * 2
    with pytest.raises(WrongAnswer, match="by definition"):
        race.race(ours, [], LINES, V, "same", 0.01, axis=1)


def test_a_loud_line_excuses_no_other_axis():
    """An error is held against the norm of one line, not of all together."""
    many = np.ones((10_000, 3))
    alone = race.tolerance(many[:1], np.ones(3), axis=1)
    assert race.tolerance(many, np.ones(3), axis=1) == alone
    assert race.tolerance(many, np.ones(3)) == pytest.approx(100 * alone)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["int32", "float32", "complex128"])
def test_every_rival_along_an_axis_gives_the_answer(dtype, axis, mode):
    pytest.importorskip("scipy")
    a, v = (30 * LINES).astype(dtype), (30 * V).astype(dtype)
    right = by_lines(a, v, mode, axis)
    names = set()
    for rival in runners(a, v, mode, axis):
        names.add(rival.name)
        assert not race.disagreement(right, rival.call(a, v, mode), a, v, mode, axis), rival.name
    floating = {"fftconvolve", "oaconvolve"} | ({"upfirdn"} if mode == "full" else set())
    expected = {"numpy.convolve loop"} | (floating if dtype != "int32" else set())
    assert names == expected | ({"ndimage.convolve1d"} if mode == "same" else set())


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("shape", [(40,), (24, 31)], ids=["1-D", "2-D"])
@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "complex128"])
def test_every_rival_gives_the_answer(dtype, shape, mode):
    """Floors are for real sizes; here all are called."""
    pytest.importorskip("scipy")
    rng = np.random.default_rng(1)
    a = rng.integers(-50, 50, shape).astype(dtype)
    v = rng.integers(-50, 50, (5, 3)[: len(shape)]).astype(dtype)
    ours = fastconv.convolve if a.ndim == 1 else fastconv.convolve2d
    names = set()
    for rival in [*runners(a, v, mode), *rivals.numpy_recipes(a, v)]:
        names.add(rival.name)
        theirs = rival.call(a, v, mode)
        assert not race.disagreement(ours(a, v, mode), theirs, a, v, mode), rival.name
    assert {"signal.convolve", "signal.convolve fft"} < names
    assert ("ndimage.convolve" in names) == (a.ndim == 2 and mode == "same")
