"""`fastconv steps`: a convolution by hand, slide by slide."""

import argparse
import json
from fractions import Fraction
from typing import Any

from . import plot
from .files import output
from .slides import Slide, Sliding, shown
from .steps_plot import draw
from .terminal import BOLD, styled


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "show a small convolution by hand: the flip, every slide, its products and their sum"
    parser = commands.add_parser(
        "steps",
        help=about,
        description=about,
        epilog="Numbers are separated by spaces, rows by semicolons. They are taken exactly: "
        "3, -0.5, 1/2. What starts with a minus and has no space in it goes after a --.",
    )
    parser.add_argument("a", help="the signal: '1 2 3', or rows: '1 2 0; 4 1 0'")
    parser.add_argument("v", help="the kernel, of as many dimensions")
    parser.add_argument("more", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument(
        "--mode", choices=("full", "same", "valid"), default="full", help="full is the default"
    )
    parser.add_argument("--correlate", action="store_true", help="slide the kernel without a flip")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plot", type=output, metavar="FILE.png", help="draw it, by matplotlib")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    if options.more:
        options.parser.error(
            f"got {2 + len(options.more)} arguments, takes the signal and the kernel, each in "
            "quotes: fastconv steps '1 2 3' '2 3 4'"
        )
    try:
        if options.plot:
            plot.require(options.plot)
        sliding = Sliding.parse(options.a, options.v, options.mode, options.correlate)
    except (ValueError, plot.CannotDraw) as error:
        options.parser.error(str(error))
    print(json.dumps(as_dict(sliding), indent=1) if options.json else text(sliding))
    if options.plot:
        draw(options.plot, sliding)


def text(sliding: Sliding) -> str:
    return _text_1d(sliding) if sliding.flat else _text_2d(sliding)


def as_dict(sliding: Sliding) -> dict[str, Any]:
    """Whole numbers as numbers, others as the text that is printed, which is exact."""

    def number(x: Fraction) -> int | str:
        return x.numerator if x.denominator == 1 else shown(x, sliding.fractions)

    def matrix(rows: list[list[Fraction]]) -> list[Any]:
        nested = [list(map(number, row)) for row in rows]
        return nested[0] if sliding.flat else nested

    return {
        "a": matrix(sliding.a),
        "v": matrix(sliding.v),
        "mode": sliding.mode,
        "slid": matrix(sliding.slid),
        "steps": [
            {
                "output": [slide.col] if sliding.flat else [slide.row, slide.col],
                "products": [[number(x), number(y)] for x, y in slide.pairs],
                "sum": number(slide.sum),
            }
            for slide in sliding.slides
        ],
        "result": matrix(sliding.result),
    }


def _text_1d(sliding: Sliding) -> str:
    """The signal once, and under it the kernel of every slide with its sum."""
    a, slid = sliding.words(sliding.a)[0], sliding.words(sliding.slid)[0]
    width = max(map(len, [*a, *slid])) + 1
    left = max(0, -sliding.slides[0].left)
    right = max(0, sliding.slides[-1].left + len(slid) - len(a))
    names = [f"out[{slide.col}]" for slide in sliding.slides]
    margin = max(map(len, [*names, "signal"])) + 1

    def line(name: str, cells: list[str], rest: str = "") -> str:
        placed = "".join(f"{cell:>{width}}" for cell in cells)
        return f"{name:{margin}}{placed}   {rest}".rstrip()

    lines = [*_opening(sliding), "", line("signal", ["."] * left + a + ["."] * right)]
    cells = left + len(a) + right
    for name, slide in zip(names, sliding.slides, strict=True):
        before = left + slide.left
        placed = [""] * before + slid + [""] * (cells - before - len(slid))
        lines.append(line(name, placed, _sum(sliding, slide)))
    return "\n".join([*lines, "", "result  " + " ".join(sliding.words(sliding.result)[0])])


def _text_2d(sliding: Sliding) -> str:
    """Every slide as the picture with the window that the kernel covers in brackets."""
    a = sliding.words(sliding.a)
    rows, cols = len(sliding.v), len(sliding.v[0])
    tops = [slide.top for slide in sliding.slides]
    lefts = [slide.left for slide in sliding.slides]
    seen_rows = range(min(0, *tops), max(len(a), max(tops) + rows))
    seen_cols = range(min(0, *lefts), max(len(a[0]), max(lefts) + cols))
    width = max(len(word) for row in a for word in row)
    lines = _opening(sliding)
    for slide in sliding.slides:
        lines += ["", f"out[{slide.row}, {slide.col}] = {_sum(sliding, slide)}"]
        end = slide.left + cols
        for i in seen_rows:
            covered = slide.top <= i < slide.top + rows
            line = " "
            for j in seen_cols:
                inside = 0 <= i < len(a) and 0 <= j < len(a[0])
                mark = "[" if covered and j == slide.left else " "
                mark = "]" if covered and j == end else mark
                cell = f"{a[i][j] if inside else '.':>{width}}"
                line += mark + (styled(cell, BOLD) if covered and slide.left <= j < end else cell)
            lines.append(line + ("]" if covered and end == seen_cols.stop else ""))
    return "\n".join([*lines, "", "result", *_indented(sliding.words(sliding.result))])


def _opening(sliding: Sliding) -> list[str]:
    how = "kernel, as it is" if sliding.correlate else "kernel, flipped"
    lines = []
    for name, matrix in (("signal", sliding.a), ("kernel", sliding.v), (how, sliding.slid)):
        words = sliding.words(matrix)
        if sliding.flat:
            lines.append(f"{name:18}{' '.join(words[0])}")
        else:
            lines += [name, *_indented(words)]
    if any(slide.hangs_over for slide in sliding.slides):
        lines.append("beyond its ends (.) the signal is 0")
    return lines


def _indented(words: list[list[str]]) -> list[str]:
    width = max(len(word) for row in words for word in row)
    return ["  " + " ".join(f"{word:>{width}}" for word in row) for row in words]


def _sum(sliding: Sliding, slide: Slide) -> str:
    def factor(x: Fraction) -> str:
        word = shown(x, sliding.fractions)
        return f"({word})" if x < 0 or "/" in word else word

    products = " + ".join(f"{factor(x)}*{factor(y)}" for x, y in slide.pairs)
    return f"{products} = {styled(shown(slide.sum, sliding.fractions), BOLD)}"
