"""`fastconv explain`, which says what `fastconv.explain` does."""

import json

import pytest

import fastconv
from fastconv import cli

LINES = {"a": (8, 1000), "v": 31, "axis": -1, "dtype": "int16", "method": "fft"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("1000000 127 --dtype float32", {"a": 1_000_000, "v": 127, "dtype": "float32"}),
        ("1,000,000 1_000 --mode same", {"a": 1_000_000, "v": 1000, "mode": "same"}),
        ("512x512 9x9", {"a": (512, 512), "v": (9, 9)}),
        ("8x1000 31 --axis -1 --dtype int16 --method fft", LINES),
        ("64x64 5x5 --boundary wrap", {"a": (64, 64), "v": (5, 5), "boundary": "wrap"}),
        ("900 800 --accuracy componentwise", {"a": 900, "v": 800, "accuracy": "componentwise"}),
        (
            "900 80 --correlate --mode valid",
            {"a": 900, "v": 80, "correlate": True, "mode": "valid"},
        ),
    ],
)
def test_it_is_explain(arguments, expected, capsys):
    told = fastconv.explain(**expected)
    assert cli.main(["explain", *arguments.split()]) == 0
    assert capsys.readouterr().out == f"{told}\n"
    assert cli.main(["explain", *arguments.split(), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["method"] == told.method
    assert record["reasons"] == list(told.reasons)
    costs = [c["predicted_ns"] for c in record["candidates"]]
    assert costs == [c.predicted_ns for c in told.candidates]


def test_the_installed_command(command):
    done = command("explain", "1000000", "127", "--dtype", "float32")
    assert done.returncode == 0
    assert "1,000,000 by 127 in float32" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("ten 3", "argument a: got 'ten', takes a length"),
        ("512x0 3x3", "argument a: got '512x0'"),
        ("10 3 --dtype float31", "--dtype: got 'float31', takes float64, int16"),
        ("10 3 --mode some", "mode"),
        ("10 3 --method magic", "got 'magic', takes 'auto', 'direct'"),
        ("10x10 3", ""),
        ("10x10 3 --axis 5", "axis 5 is out of bounds"),
        ("10 3x3x3", "v must have one or two lengths"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["explain", *arguments.split()])
    assert stop.value.code == 2
    (last,) = capsys.readouterr().err.splitlines()
    assert last.startswith("fastconv explain: error: ")
    assert complaint in last
