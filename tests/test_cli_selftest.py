"""`fastconv selftest`: right where all is right, and able to find what is wrong."""

import json
import signal
import subprocess

import numpy as np
import oracle
import pytest

import fastconv
from fastconv import cli
from fastconv.cli import checks, selfcheck

LEVELS = fastconv.show_config("dict")["levels_available"]


@pytest.fixture
def few_checks(monkeypatch):
    monkeypatch.setattr(checks, "all_checks", lambda: checks.lines("float64", 67, 33))


def found():
    return [wrong for wrong in checks.all_checks() if wrong]


# --- the command ------------------------------------------------------------------------------


def test_every_level_is_checked_and_right(command):
    done = command("selftest")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == LEVELS
    counts = [int(line.split()[1].replace(",", "")) for line in lines]
    assert all(line.split()[-1] == "right" for line in lines)
    assert min(counts) > 2000
    assert last.startswith(f"fastconv {fastconv.__version__}: {sum(counts):,} checks in ")


def test_json_and_numpy_alone(command, tmp_path):
    """Also where nothing but numpy can be imported."""
    for name in ("scipy", "rich", "matplotlib", "pytest"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    done = command("selftest", "--json", PYTHONPATH=str(tmp_path), FASTCONV_ISA=LEVELS[0])
    record = json.loads(done.stdout)
    assert done.returncode == 0
    assert record["right"]
    assert [level["level"] for level in record["levels"]] == LEVELS
    assert all(level["checks"] > 2000 and level["wrong"] == "" for level in record["levels"])


def failing(monkeypatch, returncode, stdout="", stderr=""):
    def run(command, **options):
        return subprocess.CompletedProcess(command, returncode, stdout, stderr)

    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.parametrize(
    ("outcome", "complaint"),
    [
        ((-signal.SIGILL, "", ""), "WRONG: the process was ended by SIGILL"),
        ((1, "", "Traceback\nImportError: no such thing"), "WRONG: ImportError: no such thing"),
        ((3, "", ""), "WRONG: exit status 3"),
        (
            (0, '{"level": "other", "checks": 5, "seconds": 0.1, "wrong": ""}', ""),
            "WRONG: ran on other in its place",
        ),
        (
            (0, '{"level": "other", "checks": 5, "seconds": 0.1, "wrong": "1 is 2"}', ""),
            "WRONG: 1 is 2",
        ),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_status_1(outcome, complaint, monkeypatch, capsys):
    failing(monkeypatch, *outcome)
    assert cli.main(["selftest"]) == 1
    printed = capsys.readouterr()
    for level, line in zip(LEVELS, printed.out.splitlines(), strict=False):
        assert line.startswith(level)
        assert line.endswith(complaint)
    assert printed.err.startswith("fastconv: selftest failed; please report")
    assert printed.err.count("\n") == 1
    assert cli.main(["selftest", "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["right"]


def test_checks_end_at_the_first_that_fails(few_checks, monkeypatch):
    right = selfcheck.check_here()
    assert right["wrong"] == ""
    assert right["level"] == fastconv.explain(8, 3).level
    monkeypatch.setattr(fastconv, "convolve", lambda a, v, **how: np.zeros(3))
    wrong = selfcheck.check_here()
    assert wrong["checks"] == 1 < right["checks"]
    assert wrong["wrong"].startswith("convolve of 67 by 33 in float64, mode='full', method='auto'")


# --- the checks find errors ------------------------------------------------------------------

SPOILT = [
    ("convolve", "int64", lambda x: x + (np.arange(x.size).reshape(x.shape) == x.size // 2)),
    ("convolve", "bool", lambda x: ~x),
    ("convolve", "float32", lambda x: x * np.float32(1.001)),
    ("convolve", "complex128", lambda x: x.conj()),
    ("convolve", "float64", lambda x: x.astype(np.float32)),
    ("convolve", "float64", lambda x: np.where(x == x.max(), np.nan, x)),
    ("convolve", "float16", lambda x: x + np.float16(2) ** -1),
    ("correlate", "complex64", lambda x: x.conj()),
    ("correlate", "int8", lambda x: x[::-1]),
    ("convolve2d", "uint16", lambda x: np.roll(x, 1)),
    ("correlate2d", "float64", lambda x: x[::-1]),
]


@pytest.mark.parametrize(("name", "dtype", "spoil"), SPOILT)
def test_a_spoilt_function_is_found(name, dtype, spoil, monkeypatch):
    good = getattr(fastconv, name)
    monkeypatch.setattr(fastconv, name, lambda *args, **how: spoil(good(*args, **how)))
    few = [*checks.lines(dtype, 67, 33), *checks.planes(dtype, (40, 50), (5, 3))]
    wrong = [line for line in few if line]
    assert wrong
    assert all(line.startswith(f"{name} of ") and dtype in line for line in wrong)


def test_a_spoilt_block_is_found(monkeypatch):
    assert not any(checks.prepared("float32"))
    monkeypatch.setattr(np, "split", lambda a, at: [a[:1], a[1:700] * 2, a[700:]])
    assert [bool(wrong) for wrong in checks.prepared("float32")] == [False, True]


def test_a_lost_tap_is_found(monkeypatch):
    """Of 700, in every float."""
    good = fastconv.convolve

    def losing(a, v, *args, **how):
        return good(a, np.where(np.arange(v.size) == 350, 0, v).astype(v.dtype), *args, **how)

    monkeypatch.setattr(fastconv, "convolve", losing)
    for dtype in ("float16", "float32", "float64", "complex64", "complex128"):
        assert next(checks.lines(dtype, 5000, 700)), dtype


def test_a_nan_that_spreads_is_found(monkeypatch):
    def spread(a, v, **how):
        return np.fft.irfft(np.fft.rfft(a, 4000) * np.fft.rfft(v, 4000))[: a.size + v.size - 1]

    assert not any(checks.not_finite("float64"))
    monkeypatch.setattr(fastconv, "convolve", spread)
    with np.errstate(all="ignore"):
        assert any(checks.not_finite("float64"))


@pytest.mark.parametrize("dtype", checks.INTEGERS + checks.FLOATS)
def test_their_judge_agrees_with_the_oracle(dtype):
    """The definition, twice: the command's and that of these tests."""
    for a_shape, v_shape in ((40, 7), ((6, 5), (3, 4))):
        a, v = checks.drawn(dtype, a_shape), checks.drawn(dtype, v_shape)
        right, expected = checks.full(a, v), oracle.full(a, v)
        if a.dtype.kind in "biu":
            oracle.assert_exact(right, expected)
        else:
            np.testing.assert_array_equal(right, expected)


def test_kinds_of_checks_are_all_there():
    """Each of the functions is called, in every dtype and method."""
    names, dtypes = set(), set()
    good = checks.called

    def noting(name, a, v, how):
        names.add(name)
        dtypes.add(a.dtype.name)
        return good(name, a, v, how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "called", noting)
        assert found() == []
    assert dtypes == set(checks.INTEGERS + checks.FLOATS)
    spaces = ("signal.", "")
    public = {f"{s}{n}" for s in spaces for n in ("convolve", "correlate")}
    public |= {
        "Convolver",
        "Convolver.stream",
        "convolve2d",
        "correlate2d",
        "signal.fftconvolve",
        "signal.oaconvolve",
    }
    assert names == public
