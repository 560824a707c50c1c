"""Measure what the selector believes, and write csrc/shipped.h.

Run against the installed package, on an idle machine:

    python benchmarks/costs.py csrc/shipped.h

It takes the measurements of `fastconv.tune`, with more time for each, and writes the table of this
CPU's maker. In AMD's, levels that this machine cannot run are derived: plain loops are sse2 divided
by its lanes, neon is sse2 with FMA (twice the multiply-adds).
"""

import sys
from pathlib import Path

import numpy as np

from fastconv import _core, _measure
from fastconv._tune import cpu

SECONDS_A_LEVEL = 12
SIMD_WITH_FMA = 2


def scaled(costs, factor):
    """A level that is not measured here: rates of sse2's times a factor that its lanes give.

    `factor(item_bytes)`; fixed times of calls, and what memory does, stay.
    """
    by_pair = [factor(_real_bytes(a)) for a, _ in _measure.PAIRS]
    by_precision = [factor(4), factor(8)]
    found = {name: list(values) for name, values in costs.items()}
    for name in ("direct_rate", "direct2d_rate"):
        found[name] = [rate * f for rate, f in zip(costs[name], by_pair, strict=True)]
    for kind in ("lanes", "matrix"):
        for part in ("piece", "point", "pass"):
            name = f"{kind}_{part}"
            found[name] = [ns / f for ns, f in zip(costs[name], by_precision, strict=True)]
    return found


def with_derived(measured):
    sse2 = measured["sse2"]
    return {
        "plain": scaled(sse2, lambda item: item / 16),
        "sse2": sse2,
        "neon": scaled(sse2, lambda item: SIMD_WITH_FMA),
        **{level: costs for level, costs in measured.items() if level != "sse2"},
    }


def _real_bytes(dtype):
    """Of what a vector lane holds."""
    return np.dtype(dtype).itemsize // (2 if np.dtype(dtype).kind == "c" else 1)


def row_text(level, costs):
    numbers = {name: ", ".join(f"{x:.3g}" for x in values) for name, values in costs.items()}
    fields = [text if name == "direct_call" else f"{{{text}}}" for name, text in numbers.items()]
    return f'    {{"{level}", {{' + ",\n      ".join(fields) + "}},"


def replace_table(text, name, rows):
    """shipped.h with one table's machine and rows exchanged."""
    begin = f"constexpr Shipped {name}[] = {{\n"
    head, _, rest = text.partition(begin)
    head, mark, _ = head.rpartition("// Measured on: ")
    _, end, tail = rest.partition("\n};\n")
    return f"{head}{mark}{cpu()}\n{begin}" + "\n".join(rows) + end + tail


def main():
    available = [entry["name"] for entry in _core.levels() if entry["available"]]
    measured = {level: _measure.measure(level, SECONDS_A_LEVEL) for level in available}
    intel = "Intel" in cpu()
    rows = measured if intel else with_derived(measured)
    order = list(_core.costs(available[0]))
    rows = [row_text(level, {name: costs[name] for name in order}) for level, costs in rows.items()]
    if len(sys.argv) < 2:
        print("\n".join(rows))
        return
    path = Path(sys.argv[1])
    table = "kIntelCosts" if intel else "kAmdCosts"
    path.write_text(replace_table(path.read_text(), table, rows))


if __name__ == "__main__":
    main()
