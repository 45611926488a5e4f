"""A whole observation of VIRUS, 78 heads and three exposures, made of the two heads of the shared night.

    python -m tests.bench.virus_whole [HEADS [PROCESSES]]

Frames are copied with the slot of another head and a little noise of their own, calibrations under its name, stars as
its place has them. Told are the peak memory of every process and the time. Five gigabytes of disk are needed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np

from ifuview.instrument.tables import Tables
from tests.bench.virus import CALIBRATIONS, NIGHT, NUMBER
from tests.bench.virus_truth import SHARED, SLOTS, VirusTruth

HEADS, PROCESSES = 78, 2
LRS2 = ("056", "066")  # slots of the other instrument
BLOCK, CARD = 2880, 80
LOOK = 0.2  # s between looks at the processes


def write_whole(folder: Path, count: int) -> tuple[Path, Path]:
    """Raw night and calibrations of `count` heads below a folder: the paths of calibrations and of the catalog."""
    plane = Tables("virus").focal_plane(NIGHT)
    slots = [one.slot for one in plane if "000" < one.slot < "500" and one.slot not in LRS2][:count]
    name = f"{NIGHT}/virus/virus{NUMBER:07d}.tar"
    (folder / name).parent.mkdir(parents=True)
    rng = np.random.default_rng(78)
    with tarfile.open(SHARED / name) as old, tarfile.open(folder / name, "w") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            if file is None:
                continue
            frame, own = file.read(), next(slot for slot in SLOTS if f"_{slot}" in member.name)
            for slot in slots[SLOTS.index(own) :: len(SLOTS)]:
                member.name = member.name.replace(f"_{own}", f"_{slot}")
                new.addfile(member, BytesIO(_of_slot(frame, slot, rng)))
                member.name = member.name.replace(f"_{slot}", f"_{own}")
    cals = folder / "cals.h5"
    with h5py.File(CALIBRATIONS) as old, h5py.File(cals, "w") as new:
        rows, told = old["Cals"][()], {int(slot): [] for slot in SLOTS}
        for row in rows:
            told[int(row["ifuslot"])].append(row)
        own = [(slot, row) for n, slot in enumerate(slots) for row in told[int(SLOTS[n % len(SLOTS)])]]
        table = new.create_dataset("Cals", (len(own),), rows.dtype, chunks=(1,), compression=1)
        for n, (slot, row) in enumerate(own):
            row["ifuslot"] = int(slot)
            table[n] = row
    return cals, _catalog(folder, slots)


def _of_slot(frame: bytes, slot: str, rng: np.random.Generator) -> bytes:
    """A frame under another slot, with a little noise of its own."""
    at = next(n for n in range(0, len(frame), CARD) if frame[n : n + 8] == b"IFUSLOT ")
    end = next(n for n in range(0, len(frame), CARD) if frame[n : n + 8] == b"END     ") // BLOCK * BLOCK + BLOCK
    card = frame[at : at + CARD].replace(frame[at + 10 : at + CARD].split(b"/")[0].strip(), f"'{slot}'".encode())
    pixels = np.frombuffer(frame, ">i2", offset=end).copy()
    inside = np.abs(pixels.astype(np.int32)) < np.iinfo(np.int16).max
    pixels += inside * rng.integers(0, 2, pixels.size, dtype=np.int16)
    return frame[:at] + card[:CARD].ljust(CARD) + frame[at + CARD : end] + pixels.tobytes()


def _catalog(folder: Path, slots: list[str]) -> Path:
    """The stars of the heads as the sky has them."""
    truth = VirusTruth()
    plane = {one.slot: (one.y, one.x) for one in Tables("virus").focal_plane(NIGHT)}
    lines = ["ra,dec,g,r,i,z,y"]
    for n, slot in enumerate(slots):
        for star in truth.whole["stars"]:
            if star["ifuslot"] == SLOTS[n % len(SLOTS)]:
                place = np.array([star["x"]]) + plane[slot][0], np.array([star["y"]]) + plane[slot][1]
                ra, dec = (float(v[0]) for v in truth.on_sky(*place))
                lines.append(f"{ra:.6f},{dec:.6f}" + f",{star['gmag_ps1']:.4f}" * 5)
    path = folder / "stars.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def peaks(pid: int) -> Iterator[tuple[int, float]]:
    """Process and peak memory in MiB, of a process and those below it."""
    status, children = Path(f"/proc/{pid}/status"), Path(f"/proc/{pid}/task/{pid}/children")
    try:
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        below = children.read_text().split()
    except (OSError, StopIteration):
        return
    yield pid, float(peak.split()[1]) / 1024
    for child in below:
        yield from peaks(int(child))


def run(count: int, processes: int, folder: Path) -> None:
    """Make it, reduce it, say what it took."""
    began = time.monotonic()
    cals, catalog = write_whole(folder / "raw", count)
    print(f"{count} heads written in {time.monotonic() - began:.0f} s", flush=True)
    words = [
        sys.executable, "-m", "ifuview", "reduce", "virus", str(NIGHT), str(NUMBER), "all", str(cals), "-r",
        str(folder / "raw"), "-O", str(folder / "out"), "--catalog", str(catalog), "-j", str(processes),
    ]  # fmt: skip
    highest: dict[int, float] = {}
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(words, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}) as job:
        while job.poll() is None:
            highest |= dict(peaks(job.pid))
            time.sleep(LOOK)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
    print(f"code {job.returncode}, {time.monotonic() - began:.0f} s, CPU {cpu:.0f} s, {cpu / count:.1f} s a head")
    print("peak of each process, MiB:", ", ".join(f"{one:.0f}" for one in sorted(highest.values(), reverse=True)))
    size = sum(path.stat().st_size for path in (folder / "out").iterdir())
    print(f"products {size / 2**30:.1f} GiB, left behind {sorted(p.name for p in folder.iterdir())}")


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as place:
        run(*(asked + [HEADS, PROCESSES][len(asked) :]), Path(place))
