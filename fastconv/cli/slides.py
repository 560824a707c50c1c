"""A convolution as slides of a kernel over a signal, in exact numbers."""

import re
from dataclasses import dataclass
from fractions import Fraction

Matrix = list[list[Fraction]]

MOST_TAPS = 16  # 31 slides of 16 on 16, each below a line of a hundred characters or two
MOST_OUTPUTS = 64  # each is drawn as a picture: a screen holds about four of them
# Nine digits and six decimals keep a sum of products below 40 characters.
NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,6})?|\.\d{1,6})(/\d{1,9})?")


@dataclass(frozen=True)
class Slide:
    """One output: where the kernel's first element lies on the signal, and what meets there."""

    row: int
    col: int
    top: int
    left: int
    pairs: list[tuple[Fraction, Fraction]]
    hangs_over: bool

    @property
    def sum(self) -> Fraction:
        return sum((x * y for x, y in self.pairs), Fraction())


@dataclass(frozen=True)
class Sliding:
    """All slides of one mode; a single line is a matrix of one row."""

    a: Matrix
    v: Matrix
    slid: Matrix  # the kernel as it slides: flipped, unless correlating
    mode: str
    correlate: bool
    flat: bool
    fractions: bool
    slides: list[Slide]

    @classmethod
    def parse(cls, a_text: str, v_text: str, mode: str, correlate: bool) -> "Sliding":
        a, v = parsed("a", a_text), parsed("v", v_text)
        flat = len(a) == len(v) == 1 and ";" not in a_text + v_text
        slid = v if correlate else [row[::-1] for row in v[::-1]]
        lengths = list(zip((len(a), len(a[0])), (len(v), len(v[0])), strict=True))
        if mode == "valid" and not flat and len({n > m for n, m in lengths if n != m}) == 2:
            raise ValueError("valid: one of a and v has to hold the other in both dimensions")
        (top, bottom), (left, right) = (window(n, m, mode, correlate, flat) for n, m in lengths)
        if not flat and (bottom - top) * (right - left) > MOST_OUTPUTS:
            raise ValueError(
                f"{bottom - top} by {right - left} outputs, shows {MOST_OUTPUTS} at most"
            )
        slides = [
            slide(a, slid, (i - top, j - left), (i - len(v) + 1, j - len(v[0]) + 1))
            for i in range(top, bottom)
            for j in range(left, right)
        ]
        return cls(a, v, slid, mode, correlate, flat, "/" in a_text + v_text, slides)

    @property
    def result(self) -> Matrix:
        rows = [slide.row for slide in self.slides]
        return [[s.sum for s in self.slides if s.row == row] for row in range(max(rows) + 1)]

    def words(self, matrix: Matrix) -> list[list[str]]:
        return [[shown(x, self.fractions) for x in row] for row in matrix]


def window(n: int, m: int, mode: str, correlate: bool, flat: bool) -> tuple[int, int]:
    """The part of the n + m - 1 full outputs that a mode keeps.

    'same' has the longer length by numpy's rule, which holds for lines, and the signal's by
    scipy's, which holds for matrices. Where there is no middle it is the place before it; after it
    in scipy's correlation, and in numpy's with a longer kernel.
    """
    if mode == "full":
        return 0, n + m - 1
    if mode == "valid":
        return min(n, m) - 1, max(n, m)
    length = max(n, m) if flat else n
    other = min(n, m) if flat else m
    from_right = correlate and (not flat or m > n)
    lo = other // 2 if from_right else (other - 1) // 2
    return lo, lo + length


def slide(a: Matrix, slid: Matrix, output: tuple[int, int], place: tuple[int, int]) -> Slide:
    pairs = []
    for i, row in enumerate(slid, place[0]):
        for j, tap in enumerate(row, place[1]):
            if 0 <= i < len(a) and 0 <= j < len(a[0]):
                pairs.append((a[i][j], tap))
    return Slide(*output, *place, pairs, len(pairs) < len(slid) * len(slid[0]))


def parsed(name: str, text: str) -> Matrix:
    matrix = []
    for line in text.strip().rstrip(";").split(";"):
        words = line.replace(",", " ").split()
        for word in words:
            if not NUMBER.fullmatch(word) or re.search("/0+$", word):
                raise ValueError(
                    f"{name}: got {word!r}, takes numbers like 3, -0.5 or 1/2, of at most 9 digits "
                    "and 6 decimals"
                )
        matrix.append([_exact(word) for word in words])
    lengths = {len(row) for row in matrix}
    if 0 in lengths:
        raise ValueError(f"{name}: got an empty row in {text!r}, takes a number or more in each")
    if len(lengths) > 1:
        raise ValueError(f"{name}: got rows of {sorted(lengths)} numbers, takes equally long ones")
    if max(len(matrix), *lengths) > MOST_TAPS:
        shape = f"{len(matrix)} by {len(matrix[0])}"
        raise ValueError(f"{name}: got {shape} numbers, takes {MOST_TAPS} at most each way")
    return matrix


def _exact(word: str) -> Fraction:
    above, _, below = word.partition("/")
    return Fraction(above) / (int(below) if below else 1)


def shown(x: Fraction, as_fraction: bool) -> str:
    """The exact number; without fractions among the inputs a finite number of decimals has it."""
    if as_fraction or x.denominator == 1:
        return str(x)
    decimals = next(k for k in range(1, 100) if 10**k % x.denominator == 0)
    whole, part = divmod(abs(x) * 10**decimals, 10**decimals)
    return f"{'-' if x < 0 else ''}{whole}.{part.numerator:0{decimals}}"
