"""What the README and the pages show is so: examples, output of commands, links, names."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

import fastconv
from fastconv import cli

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


def fenced(page, *languages):
    """The code blocks of a page in these languages."""
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```", page.read_text(), re.M | re.S)


def examples(page):
    code = "\n".join(b for b in fenced(page, "pycon", "python") if b.startswith(">>>"))
    return doctest.DocTestParser().get_doctest(code, {}, page.name, None, None)


def test_pages_with_examples():
    shown = {page.name: len(examples(page).examples) for page in PAGES}
    assert shown["README.md"] >= 15
    assert shown["what-is-a-convolution.md"] >= 15
    for name in ("index.md", "install.md", "drop-in.md", "convolver.md", "threads.md"):
        assert shown[name], f"{name} shows none"


@pytest.mark.parametrize("page", [p for p in PAGES if ">>>" in p.read_text()], ids=lambda p: p.name)
def test_examples(page):
    assert page.read_text().count("\n>>>") == len(
        re.findall(r"^>>>", examples(page).docstring, re.M)
    )
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed, _ = runner.run(examples(page), out=report.append)
    assert failed == 0, "".join(report)


def test_the_plot_of_ones_own_data(python, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    (tmp_path / "data.txt").write_text("\n".join(map(str, range(100))))
    monkeypatch.chdir(tmp_path)
    (program,) = fenced(DOCS / "install.md", "python")
    done = python(program, MPLBACKEND="Agg")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "smooth.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("page", "least"), [("command-line.md", 3), ("what-is-a-convolution.md", 2)]
)
def test_the_command_line_prints_what_is_shown(page, least, capsys):
    """Where that depends on neither the machine nor the clock."""
    blocks = "".join(fenced(DOCS / page, "console"))
    shown = re.findall(r"^\$ fastconv (steps .*?)\n(.*?)(?=^\$|\Z)", blocks, re.M | re.S)
    assert len(shown) >= least
    for arguments, expected in shown:
        assert cli.main(shlex.split(arguments)) == 0
        assert capsys.readouterr().out == expected


def test_every_section_of_the_command_line_is_a_command(capsys):
    page = (DOCS / "command-line.md").read_text()
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = capsys.readouterr().out
    for command in re.findall(r"^## (\w+)$", page, re.M):
        assert re.search(rf"^    {command} ", listed, re.M), command


@pytest.mark.parametrize(
    ("page", "space"), [("reference.md", fastconv), ("reference-signal.md", fastconv.signal)]
)
def test_the_reference_has_every_public_name(page, space):
    text = (DOCS / page).read_text()
    described = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", text, re.M)
    elsewhere = {"signal", "__version__"} if space is fastconv else {"convolve2d", "correlate2d"}
    assert sorted(described) == sorted(set(space.__all__) - elsewhere)


def test_every_page_is_in_the_tree():
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", (DOCS / "index.md").read_text(), re.M | re.S)
    listed = {name for tree in trees for name in tree.split("\n") if name and name[0] != ":"}
    assert listed == {page.stem for page in DOCS.glob("*.md")} - {"index"} | {"gallery/index"}


def anchors(text):
    """GitHub's names for a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        target = page.parent / link if link else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target.read_text()), f"{page.name}: #{anchor}"
