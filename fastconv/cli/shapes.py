"""Shapes and lists as they are written on the command line."""

import argparse
from typing import TypeAlias

import numpy as np

from .checks import FLOATS, INTEGERS

Shape: TypeAlias = tuple[int, ...]

SHAPE = "a length, 1000, or lengths, 512x512"
SIZES = "10000*127, 512x512*7x7"


def shape(text: str) -> Shape:
    try:
        lengths = tuple(int(n) for n in text.replace(",", "").split("x"))
    except ValueError:
        lengths = (0,)
    if min(lengths) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, takes {SHAPE}, each 1 or more")
    return lengths


def sizes(text: str) -> list[tuple[Shape, Shape]]:
    """Pairs of a signal's and a kernel's shape, in one dimension or two."""
    found = []
    for size in words(text):
        if size.count("*") != 1:
            raise argparse.ArgumentTypeError(f"got {size!r}, takes lengths or pictures: {SIZES}")
        a, _, v = size.partition("*")
        pair = shape(a), shape(v)
        if len(pair[0]) != len(pair[1]) or len(pair[0]) > 2:
            raise argparse.ArgumentTypeError(f"got {size!r}, takes lengths or pictures: {SIZES}")
        if any(n < m for n, m in zip(*pair, strict=True)):
            raise argparse.ArgumentTypeError(f"got {size!r}, takes a signal as long as its kernel")
        found.append(pair)
    return found


def dtypes(text: str) -> list[str]:
    known = INTEGERS + FLOATS
    if wrong := [name for name in words(text) if name not in known]:
        raise argparse.ArgumentTypeError(f"got {wrong[0]!r}, takes {', '.join(known)}")
    return words(text)


def dtype(text: str) -> str:
    """Any that numpy knows."""
    try:
        np.dtype(text)
    except TypeError:
        takes = "float64, int16, complex64 or another of numpy's"
        raise argparse.ArgumentTypeError(f"got {text!r}, takes {takes}") from None
    return text


def words(text: str) -> list[str]:
    """What commas separate."""
    return [word.strip() for word in text.split(",")]


def workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, takes a number of threads, 1 or more")
    return int(text)
