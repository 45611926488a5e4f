"""Damaged files and odd words by the thousand, writers killed 200 times, files opened and closed 300 times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

Row = tuple[str, float, float, str, bool]
SEED = 20261129
INPUTS, ODD, KILLS, CYCLES = 20_000, 2_000, 200, 300
QUICK = 10  # times fewer
GROWTH = 40.0  # MiB, that the cycles may add


def rows(quick: bool) -> Iterator[Row]:
    """All bars."""
    less = QUICK if quick else 1
    found = _told("tests.robust.fuzz", str(SEED), str(INPUTS // less))
    outcomes = found["outcomes"]
    for name, number in outcomes.items():
        yield f"{INPUTS // less} damaged inputs: {name}", float(number), 0, "", True
    for wrong in found["wrong"][:10]:
        print(f"    {wrong['family']} {wrong['number']}: {wrong['outcome']} {wrong['detail'].strip()[-300:]}")
    good = 100.0 * (outcomes["refusal"] + outcomes["opened"]) / found["count"]
    yield "of them refused or opened, and nothing else", good, 100.0, "%", good == 100.0
    odd = _told("tests.robust.window", str(SEED), str(ODD // less))
    for wrong in odd[:10]:
        print(f"    {wrong['input'][:200]!r}: {wrong['detail'].strip()[-300:]}")
    name = f"{ODD // less} odd command lines, messages and sessions in a window: done or refused"
    yield name, 100.0 * (1 - len(odd) / (ODD // less)), 100.0, "%", not odd
    lost = _told("tests.robust.writers", "kill", str(SEED), str(KILLS // less))
    kept = 100.0 * (1 - len(lost) / (KILLS // less))
    yield f"{KILLS // less} writers killed: the output is whole", kept, 100.0, "%", not lost
    grown = _told("tests.robust.cycles", str(CYCLES // less))
    yield (
        f"{CYCLES // less} files opened and closed: growth",
        grown["KiB"] / 1024,
        GROWTH,
        "MiB",
        grown["KiB"] < GROWTH * 1024,
    )
    for name in ("threads", "descriptors"):
        yield f"{CYCLES // less} files opened and closed: {name} more", float(grown[name]), 4.0, "", grown[name] <= 4


def _told(module: str, *words: str) -> Any:
    """What a module prints as JSON, after what libraries print."""
    with tempfile.TemporaryDirectory() as config:
        known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": config}
        done = subprocess.run([sys.executable, "-m", module, *words], env=known, capture_output=True, text=True)
    begin = min((at for at in map(done.stdout.find, ("\n{", "\n[")) if at >= 0), default=-1) + 1
    if not done.stdout:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout[begin:])
