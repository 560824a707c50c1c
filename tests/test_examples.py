"""Every example runs, and what it checks holds."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


def missing(code):
    """Packages that an example imports and that are not installed."""
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt)]
    names = [a.name for node in imports if isinstance(node, ast.Import) for a in node.names]
    names += [node.module for node in imports if isinstance(node, ast.ImportFrom)]
    names += re.findall(r'find_spec\("(\w+)"\)', code)  # read from, not imported
    return [name for name in {name.split(".")[0] for name in names} if not find_spec(name)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(python, path):
    code = path.read_text()
    if missing(code):
        pytest.skip(f"{missing(code)} not installed")
    done = python(code, MPLBACKEND="Agg")
    assert done.returncode == 0, done.stderr
    assert re.search(r"\S", done.stdout)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_page_of_the_gallery(path):
    """A title, fastconv beside the usual way, a check that can fail, and a figure."""
    code = path.read_text()
    title, underline = ast.get_docstring(ast.parse(code)).splitlines()[:2]
    assert underline == "=" * len(title)
    assert re.search(r"fastconv\.\w+", code)
    assert re.search(r"usual way", code)
    assert re.search(r"^ *(assert |np\.testing\.assert_)", code, re.M)
    assert code.endswith("plt.show()\n")
