"""Measure the bars: `python -m tests.bench [--quick] [--json FILE] [start memory canvas engine ...]`.

Ratios are what counts: ds9 (Debian's saods9) and ifuview in turn on one
machine. Rows of ds9 read "not measured" where it is not installed. The big
frames are found in, or written to, IFUVIEW_BENCH_DATA (2 GB).
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from importlib import import_module

from ifuview.cli import one_blas_thread

one_blas_thread()  # as the command line has it; threads of OpenBLAS spin and count as CPU time

from tests.bench import screen  # noqa: E402

# name -> module with rows(quick)
PARTS = {
    "start": "startup",
    "memory": "memory",
    "canvas": "canvas",
    "window": "window",
    "cubes": "cubes",
    "engine": "engine",
    "triage": "triage",
    "truth": "truth",
    "night": "night",
    "first": "first_look",
    "spectra": "spectra",
    "doctor": "doctor",
    "photons": "photons",
    "reduce": "reduce",
    "robust": "robust",
    "remote": "remote",
}


def main(argv: list[str]) -> int:
    """Print one table; return 1 if a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a measurement")
    parser.add_argument("--json", metavar="FILE", help="write the rows there too")
    chosen = parser.parse_args(argv)
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    found = []
    with screen.server() as display:
        print(f"display {display or 'none'}, Python {platform.python_version()}, {platform.machine()}", flush=True)
        for part in chosen.parts or PARTS:
            found += _measure(part, chosen.quick)
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump([dict(zip(("name", "measured", "bar", "unit", "ok"), row, strict=True)) for row in found], file)
    missed = [row[0] for row in found if not row[4]]
    print(f"\n{len(found)} rows, {len(missed)} missed" + "".join(f"\n  missed: {name}" for name in missed))
    return 1 if missed else 0


def _measure(part: str, quick: bool) -> list[tuple[str, float, float, str, bool]]:
    """The rows of one part, printed as they come."""
    module = f"tests.bench.{PARTS[part]}"
    try:
        rows = import_module(module).rows
    except ModuleNotFoundError as problem:
        if problem.name != module:
            raise
        print(f"\n{part}: not there yet")
        return []
    began = time.perf_counter()
    found = list(rows(quick))
    print(f"\n{part}  ({time.perf_counter() - began:.0f} s)")
    for row in found:
        print(line(row), flush=True)
    return found


def line(row: tuple[str, float, float, str, bool]) -> str:
    """One row of the table; a bar of 0 means that the number is only for information."""
    name, measured, bar, unit, ok = row
    value = "not measured" if math.isnan(measured) else f"{measured:.4g} {unit}"
    verdict = "" if bar == 0 or math.isnan(measured) else ("ok" if ok else "MISSED")
    limit = "" if bar == 0 else f"{bar:.4g} {unit}"
    return f"  {name:<52} {value:>16} {limit:>12}  {verdict}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
