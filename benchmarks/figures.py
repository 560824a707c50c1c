"""Every table and plot of the README and of docs/ anew, each by the command that stands over it.

    python benchmarks/figures.py                        all, hours
    python benchmarks/figures.py integers.py README.md  those whose command or page has such a word
    python benchmarks/figures.py --list                 the commands, and where they stand

In a page a figure lies between

    <!-- figure: python benchmarks/integers.py -->
    <!-- end of figure -->

What the command prints replaces what is there, under the machine, the versions, the commit and the
command: tables of markdown as they are, other text as text. A command that prints nothing has drawn
a file, which the page shows, and its place is left alone. So is that of one that fails, as --level
avx512 does on a CPU without it; the others go on.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from summary import COMMIT, commit, stamp

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
END = "<!-- end of figure -->"
FIGURE = re.compile(rf"<!-- figure: (?P<command>(?:python|fastconv) .*?) -->\n.*?{END}", re.DOTALL)


class Failed(Exception):
    """A command that printed no figure: the level is not this CPU's, or a peer is missing."""


@dataclass(frozen=True)
class Figure:
    page: Path
    command: str

    def print_again(self) -> str:
        name, *words = shlex.split(self.command)
        python = Path(sys.executable)
        program = python if name == "python" else python.with_name(name)
        done = subprocess.run(
            [program, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        # 1 is also the status of scripts that hold promises; whether they are kept is a figure.
        if done.returncode not in (0, 1) or "Traceback (most recent call last)" in done.stderr:
            raise Failed(f"{done.stderr}figures.py: {self.command}: status {done.returncode}")
        return done.stdout

    def put(self, printed: str, stamps: list[str]) -> None:
        """Into the page as it is by now."""
        shown = block(self.command, printed, stamps)
        mine = f"<!-- figure: {self.command} -->\n\n{shown}\n{END}"
        text = self.page.read_text()
        self.page.write_text(
            FIGURE.sub(lambda found: mine if found["command"] == self.command else found[0], text)
        )


def figures(pages: list[Path]) -> list[Figure]:
    return [
        Figure(page, found["command"])
        for page in pages
        for found in FIGURE.finditer(page.read_text())
    ]


def block(command: str, printed: str, stamps: list[str]) -> str:
    if asked := re.search(r"--level (\w+)", command):
        stamps = [re.sub(r"at level \w+", f"at level {asked[1]}", line) for line in stamps]
    printed = "\n".join(line.rstrip() for line in printed.strip("\n").split("\n"))
    head = "\n".join(("```", *stamps, f"command   {command}"))
    if "\n|--" in printed:
        return f"{head}\n```\n\n{printed.strip()}\n"
    return f"{head}\n\n{printed}\n```\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="part of a command or of a page's name")
    parser.add_argument("--list", action="store_true", help="print the commands")
    options = parser.parse_args()
    chosen = [
        figure
        for figure in figures(PAGES)
        if not options.words
        or any(word in figure.command or word in figure.page.name for word in options.words)
    ]
    if not chosen:
        parser.error("no figure has such a word")
    os.environ[COMMIT] = commit()  # once: the first page that is written makes the tree dirty
    stamps = stamp()
    failures = 0
    for figure in chosen:
        print(f"{figure.page.name}: {figure.command}", flush=True)
        try:
            if not options.list and (printed := figure.print_again()):
                figure.put(printed, stamps)
        except Failed as why:
            print(why, file=sys.stderr, flush=True)
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
