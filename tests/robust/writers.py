"""Every kind of writer, killed at random moments and on a disk of 1 MB: the older output stays, whole, and alone.

`python -m tests.robust.writers kill SEED COUNT` and `python -m tests.robust.writers full FOLDER` print what was wrong.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ifuview import files
from ifuview.errors import IfuviewError

Write = Callable[[Path, int], None]
LONGEST = 0.12  # s until a writer is killed


def prepared(aside: Path) -> dict[str, Write]:
    """Writers of two generations (0 and 1) of an output of more than 1 MB, with all that they need at hand."""
    from ifuview.io import read_traces, write_regions
    from ifuview.io.photons.lists.write import write_photons
    from ifuview.io.photons.opening import open_photons
    from ifuview.io.traces.write import write_traces
    from ifuview.model.region import Region
    from ifuview.sets import filled
    from ifuview.settings import Settings, save
    from tests.io.photons.photonfiles import photons, write_modern

    given, lists = [], []
    for mark in (0, 1):
        rows = "".join(f"{f},{x},{5 * f + 0.01 * x + mark:.3f}\n" for f in range(40) for x in range(0, 4000, 10))
        (aside / f"{mark}.csv").write_text("fiber_id,x,y\n" + rows)
        given.append(read_traces(aside / f"{mark}.csv"))
        lists.append(open_photons(write_modern(aside / f"{mark}.h5", photons(140_000, seed=mark))))
    circles = [[Region("circle", ((n + 0.5 * mark, 2.0),), (3.0,)) for n in range(60_000)] for mark in (0, 1)]

    def folder(place: Path, mark: int) -> None:
        with filled(place / "set") as part:
            for n in range(8):
                (part / f"{n}.txt").write_text(str(mark) * 200_000)

    return {
        "text": lambda place, mark: files.put(place / "text.json", str(mark) * 1_600_000),
        "settings": lambda place, mark: save(Settings(recent=(f"{mark}" * 1_600_000,)), place / "settings.toml"),
        "regions": lambda place, mark: write_regions(place / "circles.reg", circles[mark]),
        "traces in FITS": lambda place, mark: write_traces(place / "traces.fits", given[mark]),
        "traces in text": lambda place, mark: write_traces(place / "traces.ecsv", given[mark]),
        "photons": lambda place, mark: write_photons(place / "photons.h5", lists[mark]) and None,
        "set": folder,
    }  # fmt: skip


def state(place: Path) -> dict[str, int]:
    """Files below a folder and their contents."""
    return {str(p.relative_to(place)): hash(p.read_bytes()) for p in sorted(place.rglob("*")) if p.is_file()}


def kill(seed: int, count: int) -> list[str]:
    """Kill writers at random moments; what was wrong."""
    wrong = []
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as top:
        writers = prepared(Path(top))
        for number in range(count):
            name = list(writers)[number % len(writers)]
            place = Path(top) / f"place {number}"
            place.mkdir()
            writers[name](place, 0)
            whole = [state(place)]
            writers[name](place, 1)
            whole.append(state(place))
            _killed(writers[name], place, rng.uniform(0, LONGEST))
            left = [p for p in place.iterdir() if ".part" in p.name]
            now = {key: value for key, value in state(place).items() if ".part" not in key}
            if now not in whole:
                wrong.append(f"{number} {name}: neither the older nor the newer output: {sorted(now)}")
            files._swept.clear()
            files.put(place / "next.txt", "x")
            if gone := [p.name for p in place.iterdir() if ".part" in p.name]:
                wrong.append(f"{number} {name}: left {gone} of {len(left)}")
    return wrong


def _killed(write: Write, place: Path, after: float) -> None:
    """Write one generation after the other in another process until it is killed."""
    child = os.fork()
    if child == 0:
        try:
            for n in range(10_000):
                write(place, n % 2)
        finally:
            os._exit(1)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def full(place: Path) -> list[str]:
    """Write to a disk that has no room; what was wrong."""
    wrong = []
    with tempfile.TemporaryDirectory() as aside:
        for name, write in prepared(Path(aside)).items():
            before = state(place)
            try:
                write(place, 0)
                wrong.append(f"{name}: there was room")
            except IfuviewError as problem:
                if os.strerror(errno.ENOSPC) not in str(problem):
                    wrong.append(f"{name}: {problem}")
            except OSError as problem:
                if problem.errno != errno.ENOSPC:
                    wrong.append(f"{name}: {problem!r}")
            if state(place) != before:
                wrong.append(f"{name}: left {sorted(state(place))}")
    return wrong


if __name__ == "__main__":
    found = kill(int(sys.argv[2]), int(sys.argv[3])) if sys.argv[1] == "kill" else full(Path(sys.argv[2]))
    print(json.dumps(found, indent=1))
