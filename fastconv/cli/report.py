"""Rows as they come: a progress bar and a table by rich on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from .terminal import is_styled

try:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    HAVE_RICH = True
except ImportError:
    HAVE_RICH = False

WIDTHS = (28, 31, 10, 8, 10, 24, 6, 6, 10)
NUMBERS = (3, 4, 6, 8)  # columns that are set to the right
NARROW = (0, 1, 5, 6, 7)  # those that a narrow terminal has room for
BORDERS = 3 * len(WIDTHS) + 1


class Report:
    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.rows: list[tuple[tuple[str, ...], bool]] = []
        self.console = Console(highlight=False) if HAVE_RICH and is_styled() else None

    def text(self, text: str) -> None:
        print(text, flush=True)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """Yields a function that is told what is done next."""
        if self.console is None:
            print(_line(self.columns))
            yield lambda what: None
            return
        # Redrawn at each step alone: a thread that redraws would be in the times.
        with Progress(console=self.console, transient=True, auto_refresh=False) as bar:
            task = bar.add_task("", total=total, completed=-1)

            def step(what: str) -> None:
                bar.update(task, description=what, advance=1, refresh=True)

            yield step

    def row(self, cells: tuple[str, ...], slower: bool) -> None:
        self.rows.append((cells, slower))
        if self.console is None:
            print(_line(cells), flush=True)

    def table(self) -> None:
        """What the terminal shows once the bar is gone; plain lines are out already."""
        if self.console is None:
            return
        wide = self.console.width >= sum(WIDTHS) + BORDERS
        places = range(len(self.columns)) if wide else NARROW
        table = Table()
        for place in places:
            side: Literal["left", "right"] = "right" if place in NUMBERS else "left"
            table.add_column(self.columns[place], justify=side, overflow="fold")
        for cells, slower in self.rows:
            table.add_row(*(cells[place] for place in places), style="red" if slower else None)
        self.console.print(table)
        if not wide:
            self.text(f"more of each on {sum(WIDTHS) + BORDERS} columns, and in the file of --json")


def _line(cells: tuple[str, ...]) -> str:
    parts = [
        f"{cell:>{width}}" if place in NUMBERS else f"{cell:{width}}"
        for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    return " ".join(parts).rstrip()
