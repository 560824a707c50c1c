"""Measure what the selector believes, and write csrc/shipped.h.

Run against the installed package, on an idle machine:

    python benchmarks/costs.py csrc/shipped.h

It takes the measurements of `fastconv.tune`, with more time for each, and writes their rows of the
table of this CPU's maker; the rows of other levels stay as they are. Two of AMD's are derived:
plain loops are sse2 divided by its lanes, neon is sse2 with FMA (twice the multiply-adds).
"""

import re
import sys
from pathlib import Path

import numpy as np

from fastconv import _core, _measure
from fastconv._tune import cpu

SECONDS_A_LEVEL = 40  # two such runs agree to some hundredths in most numbers
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


def derived(sse2):
    return {
        "plain": scaled(sse2, lambda item: item / 16),
        "neon": scaled(sse2, lambda item: SIMD_WITH_FMA),
    }


def _real_bytes(dtype):
    """Of what a vector lane holds."""
    return np.dtype(dtype).itemsize // (2 if np.dtype(dtype).kind == "c" else 1)


def table_of(model):
    """Whose rows are measured here: a CPU's name, family and model (`Maker` in csrc/engine.h)."""
    if "Intel" in model:
        return "kIntelCosts"
    zen5 = re.search(r", (\d+), \d+$", model) and int(model.split(", ")[-2]) >= 26
    return "kZen5Costs" if "AMD" in model and zen5 else "kAmdCosts"


def row_text(level, costs, where):
    numbers = {name: ", ".join(f"{x:.3g}" for x in values) for name, values in costs.items()}
    fields = [text if name == "direct_call" else f"{{{text}}}" for name, text in numbers.items()]
    return f'    // {where}\n    {{"{level}",\n     {{' + ",\n      ".join(fields) + "}},"


def replace_rows(text, table, rows):
    """shipped.h with those rows of one table exchanged, which are {level: row_text}."""
    head, begin, rest = text.partition(f"constexpr Shipped {table}[] = {{\n")
    body, end, tail = rest.partition("\n};\n")
    for level in rows:
        pattern = rf'    // [^\n]*\n    {{"{level}",.*?}}}},'
        body, found = re.subn(pattern, lambda row: rows[row[0].split('"')[1]], body, flags=re.S)
        if found != 1:
            raise SystemExit(f"costs.py: {found} rows {level} in {table}, where one was expected")
    return head + begin + body + end + tail


def main():
    available = [entry["name"] for entry in _core.levels() if entry["available"]]
    costs = {level: _measure.measure(level, SECONDS_A_LEVEL) for level in available}
    where = dict.fromkeys(available, cpu())
    table = table_of(cpu())
    if table == "kAmdCosts" and "sse2" in costs:
        costs = derived(costs["sse2"]) | costs
        where = {"plain": "sse2's, divided by its lanes", "neon": "sse2's, twice as fast"} | where
    order = list(_core.costs(available[0]))
    rows = {
        level: row_text(level, {name: found[name] for name in order}, where[level])
        for level, found in costs.items()
    }
    if len(sys.argv) < 2:
        print("\n".join(rows.values()))
        return
    path = Path(sys.argv[1])
    path.write_text(replace_rows(path.read_text(), table, rows))


if __name__ == "__main__":
    main()
