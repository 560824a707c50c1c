"""Every example runs, and what it checks holds."""

import re
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(python, path):
    done = python(path.read_text())
    assert done.returncode == 0, done.stderr
    assert re.search(r"\S", done.stdout)
