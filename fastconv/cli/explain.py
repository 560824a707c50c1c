"""`fastconv explain`: the plan of a call, from shapes."""

import argparse
import json
from dataclasses import asdict

import fastconv

from .shapes import SHAPE, dtype, shape


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "print which method a call would take, what others would cost, and why"
    parser = commands.add_parser("explain", help=about, description=about)
    parser.add_argument("a", type=shape, help=f"the signal's shape: {SHAPE}")
    parser.add_argument("v", type=shape, help="the kernel's shape")
    parser.add_argument("--mode", default="full", help="full (the default), same or valid")
    parser.add_argument(
        "--dtype", type=dtype, default="float64", help="of both; float64 by default"
    )
    parser.add_argument("--axis", type=int, help="lines along this axis, as convolve takes it")
    parser.add_argument("--boundary", default="fill", help="fill (the default), wrap or symm")
    parser.add_argument("--method", default="auto", help="auto (the default), direct, fft, overlap")
    parser.add_argument(
        "--accuracy", default="auto", help="auto (the default), normwise, componentwise"
    )
    parser.add_argument("--correlate", action="store_true", help="a correlation, not a convolution")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    try:
        told = fastconv.explain(
            options.a,
            options.v,
            options.mode,
            dtype=options.dtype,
            axis=options.axis,
            boundary=options.boundary,
            method=options.method,
            accuracy=options.accuracy,
            correlate=options.correlate,
        )
    except (TypeError, ValueError) as error:
        options.parser.error(str(error))
    print(json.dumps(asdict(told), indent=1) if options.json else told)
