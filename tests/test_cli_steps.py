"""`fastconv steps`: what it shows is what fastconv, numpy and scipy compute."""

import json
import re
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import oracle
import pytest

import fastconv
from fastconv import cli
from fastconv.cli.slides import MOST_OUTPUTS, MOST_TAPS, Sliding, parsed, shown

MODES = ["full", "same", "valid"]
LENGTHS = [1, 2, 3, 4, 5]


def words(x):
    return ";".join(" ".join(map(str, row)) for row in np.atleast_2d(x).tolist())


def result(a, v, mode, correlate):
    return np.array([[int(x) for x in row] for row in sliding(a, v, mode, correlate).result])


def sliding(a, v, mode="full", correlate=False):
    return Sliding.parse(
        *(words(x) + (";" if x.ndim == 2 else "") for x in (a, v)), mode, correlate
    )


def steps(capsys, *arguments):
    assert cli.main(["steps", *arguments]) == 0
    return capsys.readouterr().out


# --- the numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_lines_are_by_numpys_rules(mode, correlate, rng):
    name = "correlate" if correlate else "convolve"
    for n, m in product(LENGTHS, LENGTHS):
        a, v = rng.integers(-9, 10, n), rng.integers(-9, 10, m)
        (shown,) = result(a, v, mode, correlate)
        oracle.assert_exact(shown, getattr(np, name)(a, v, mode))
        oracle.assert_exact(shown, getattr(fastconv, name)(a, v, mode))


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_matrices_are_by_scipys_rules(mode, correlate, rng):
    theirs = pytest.importorskip("scipy.signal")
    name = "correlate2d" if correlate else "convolve2d"
    for n, m in product(product([1, 2, 4], [2, 3]), product([1, 2, 3], [1, 2, 5])):
        a, v = rng.integers(-9, 10, n), rng.integers(-9, 10, m)
        try:
            expected = getattr(theirs, name)(a, v, mode)
        except ValueError:
            with pytest.raises(ValueError, match="hold the other"):
                sliding(a, v, mode, correlate)
            continue
        oracle.assert_exact(result(a, v, mode, correlate), expected)
        oracle.assert_exact(result(a, v, mode, correlate), getattr(fastconv, name)(a, v, mode))


def test_products_are_what_meets():
    slides = sliding(np.array([1, 2, 3]), np.array([2, 3, 4])).slides
    assert [[(int(x), int(y)) for x, y in slide.pairs] for slide in slides] == [
        [(1, 2)],
        [(1, 3), (2, 2)],
        [(1, 4), (2, 3), (3, 2)],
        [(2, 4), (3, 3)],
        [(3, 4)],
    ]
    assert [slide.hangs_over for slide in slides] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("word", "exact"),
    [("3", 3), ("-0.5", -0.5), ("+2.", 2), (".25", 0.25), ("3/4", 0.75), ("-0.5/2", -0.25)],
)
def test_numbers_are_exact(word, exact):
    assert parsed("a", word) == [[Fraction(exact)]]


def test_decimals_stay_decimals_and_fractions_fractions():
    for text in ("0.1", "-0.25", "12.000001", "-3", "0.003"):
        assert shown(Fraction(text), False) == text
    assert shown(Fraction(1, 3), True) == "1/3"
    assert shown(Fraction(-1, 2), True) == "-1/2"
    most = Fraction("999999999.999999")
    assert shown(most * most, False) == "999999999999998000.000000000001"


# --- what is printed -----------------------------------------------------------------------

LINE = """\
signal            1 2 3
kernel            2 3 4
kernel, flipped   4 3 2
beyond its ends (.) the signal is 0

signal  . . 1 2 3 . .
out[0]  4 3 2           1*2 = 2
out[1]    4 3 2         1*3 + 2*2 = 7
out[2]      4 3 2       1*4 + 2*3 + 3*2 = 16
out[3]        4 3 2     2*4 + 3*3 = 17
out[4]          4 3 2   3*4 = 12

result  2 7 16 17 12
"""

PICTURE = """\
signal
  1 2 0
  4 1 0
kernel
   1  0
   0 -1
kernel, flipped
  -1  0
   0  1

out[0, 0] = 1*(-1) + 2*0 + 4*0 + 1*1 = 0
 [1 2]0
 [4 1]0

out[0, 1] = 2*(-1) + 0*0 + 1*0 + 0*1 = -2
  1[2 0]
  4[1 0]

result
   0 -2
"""

OVER_THE_EDGE = """\
out[0, 0] = 5*3 = 15
 [. .].
 [. 5].
  . . .
"""


def test_a_line(capsys, command):
    assert steps(capsys, "1 2 3", "2 3 4") == LINE
    done = command("steps", "1,2,3", "2, 3, 4")
    assert (done.returncode, done.stdout, done.stderr) == (0, LINE, "")


def test_matrices(capsys):
    assert steps(capsys, "1 2 0; 4 1 0", "1 0; 0 -1", "--mode", "valid") == PICTURE


def test_a_window_that_hangs_over(capsys):
    printed = steps(capsys, "5", "3 0; 0 0;")
    assert OVER_THE_EDGE in printed
    assert "beyond its ends (.) the signal is 0" in printed


def test_a_correlation_is_not_flipped(capsys):
    printed = steps(capsys, "1 2 3", "0 1/2", "--correlate", "--mode", "valid")
    assert "kernel, as it is  0 1/2\n" in printed
    assert "1*0 + 2*(1/2) = 1\n" in printed
    assert "beyond" not in printed


def test_negative_numbers_stand_in_columns(capsys):
    lines = steps(capsys, "-1.5 2", "0.25 -3 7").splitlines()
    assert "out[1]          7   -3 0.25             (-1.5)*(-3) + 2*0.25 = 5" in lines


@pytest.mark.parametrize("how", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_the_window_is_bold(how, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in how.items():
        monkeypatch.setenv(name, value)
    printed = steps(capsys, "1 2 0; 4 1 0", "1 0; 0 -1", "--mode", "valid")
    plain = re.sub("\x1b\\[[0-9]+m", "", printed)
    assert plain == PICTURE
    assert (printed == plain) == bool(how)
    assert how or " [\x1b[1m1\x1b[0m \x1b[1m2\x1b[0m]0\n" in printed


def test_json(capsys):
    record = json.loads(steps(capsys, "1 2 3", "0.5 1", "--mode", "valid", "--json"))
    assert record == {
        "a": [1, 2, 3],
        "v": ["0.5", 1],
        "mode": "valid",
        "slid": [1, "0.5"],
        "steps": [
            {"output": [0], "products": [[1, 1], [2, "0.5"]], "sum": 2},
            {"output": [1], "products": [[2, 1], [3, "0.5"]], "sum": "3.5"},
        ],
        "result": [2, "3.5"],
    }


@pytest.mark.parametrize("arguments", [("1 2 3", "2 3 4"), ("1 2; 3 4", "1 0; 0 -1")])
def test_it_is_drawn(arguments, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "steps.png"
    steps(capsys, *arguments, "--plot", str(file))
    assert file.read_bytes()[:4] == b"\x89PNG"


# --- what is refused -----------------------------------------------------------------------

LONG = " ".join("1" * (MOST_TAPS + 1))
WIDE = ";".join([" ".join("1" * 9)] * 9)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["1 two", "3"], "a: got 'two', takes numbers like 3, -0.5 or 1/2"),
        (["1", "1e9"], "v: got '1e9'"),
        (["1", "1/0"], "v: got '1/0'"),
        (["1", "1234567890"], "v: got '1234567890'"),
        (["1", "nan"], "v: got 'nan'"),
        (["", "1"], "a: got an empty row in ''"),
        (["1;;2", "1"], "a: got an empty row"),
        (["1 2; 3", "1"], "a: got rows of [1, 2] numbers"),
        ([LONG, "1"], f"a: got 1 by {MOST_TAPS + 1} numbers, takes {MOST_TAPS} at most"),
        ([WIDE, WIDE], f"17 by 17 outputs, shows {MOST_OUTPUTS} at most"),
        (["1 2; 3 4", "1 2 3", "--mode", "valid"], "hold the other"),
        (["1", "1", "--mode", "some"], "invalid choice: 'some'"),
        (["1", "2", "3"], "got 3 arguments, takes the signal and the kernel, each in quotes"),
        (["1", "1", "--plot", "no/such/folder/x.png"], "no folder no/such/folder"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["steps", *arguments])
    assert stop.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("fastconv steps: error: ")
    assert complaint in last
