"""The README's commands and examples, and those of the other pages."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

import fastconv
from fastconv import cli

README = Path(__file__).resolve().parent.parent / "README.md"
DOCS = README.parent / "docs"


def test_exactly_two_set_up_commands():
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.S)
    assert blocks == [
        "python -m pip install '.[bench]' && fastconv bench --quick\n",
        "python -m pip install '.[test]' && pytest\n",
    ]


@pytest.mark.parametrize(("page", "least"), [(README, 15), (DOCS / "drop-in.md", 3)])
def test_examples(page, least):
    code = "\n".join(re.findall(r"```pycon\n(.*?)```", page.read_text(), re.S))
    examples = doctest.DocTestParser().get_doctest(code, {}, page.name, None, None)
    report = []
    failed, tried = doctest.DocTestRunner().run(examples, out=report.append)
    assert tried >= least
    assert failed == 0, "".join(report)


def test_the_command_line_prints_what_its_page_shows(capsys):
    """Where that depends on neither the machine nor the clock."""
    page = (DOCS / "command-line.md").read_text()
    shown = re.findall(r"```console\n\$ fastconv (steps .*?)\n(.*?)```", page, re.S)
    assert len(shown) >= 3
    for arguments, expected in shown:
        assert cli.main(shlex.split(arguments)) == 0
        assert capsys.readouterr().out == expected


def test_every_section_of_its_page_is_a_command(capsys):
    page = (DOCS / "command-line.md").read_text()
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = capsys.readouterr().out
    for command in re.findall(r"^## (\w+)$", page, re.M):
        assert re.search(rf"^    {command} ", listed, re.M), command


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


def anchors(text):
    """GitHub's names for a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_links_lead_somewhere():
    pages = [README, README.parent / "CONTRIBUTING.md", *(README.parent / "docs").glob("*.md")]
    for page in pages:
        for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
            target = page.parent / link if link else page
            assert target.exists(), f"{page.name} links to {link}"
            assert not anchor or anchor in anchors(target.read_text()), f"{page.name}: #{anchor}"
