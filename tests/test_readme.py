"""The README's set-up commands and its table; all else that it shows is in test_docs.py."""

import re
from pathlib import Path

import fastconv

README = Path(__file__).resolve().parent.parent / "README.md"


def test_exactly_two_set_up_commands():
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.S)
    assert blocks == [
        "python -m pip install '.[bench]' && fastconv bench --quick\n",
        "python -m pip install '.[test]' && pytest -n auto\n",
    ]


def test_every_function_replaced_is_named():
    row = r"^\| `(numpy|scipy\.signal)\.(\w+)` \| `(\w+)\.(\w+)` \|"
    rows = re.findall(row, README.read_text(), re.M)
    spaces = {"fastconv": fastconv, "signal": fastconv.signal}
    for _, theirs, space, ours in rows:
        assert theirs == ours
        assert ours in spaces[space].__all__
    named = {ours for _, _, space, ours in rows if space == "signal"}
    assert named == set(fastconv.signal.__all__)
    assert {ours for theirs, _, _, ours in rows if theirs == "numpy"} == {"convolve", "correlate"}
