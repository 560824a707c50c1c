"""The README's commands and examples."""

import doctest
import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_exactly_two_set_up_commands():
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.S)
    assert blocks == [
        "python -m pip install '.[bench]' && fastconv bench --quick\n",
        "python -m pip install '.[test]' && pytest\n",
    ]


def test_examples():
    (block,) = re.findall(r"```pycon\n(.*?)```", README.read_text(), re.S)
    examples = doctest.DocTestParser().get_doctest(block, {}, "README.md", None, None)
    report = []
    failed, tried = doctest.DocTestRunner().run(examples, out=report.append)
    assert tried >= 8
    assert failed == 0, "".join(report)


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "docs/house.md", "docs/performance.md"):
        file = README.parent / name
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / link).exists(), f"{name} links to {link}"
