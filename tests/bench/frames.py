"""The big frames that the canvas is timed on: found in the folder IFUVIEW_BENCH_DATA, or made in a temporary one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from ifuview.model.pixels import Pixels
from ifuview.model.trace import TraceSet

SHAPES = {"ccd4k": ((4128, 4114), ">f4"), "ccd9k": ((9216, 9232), ">i2")}
NFRAMES = 3
NFIBER = 500
UNSIGNED_ZERO = 32768.0
BLOCK = 2880


def folder() -> Path:
    """Where the frames are."""
    named = os.environ.get("IFUVIEW_BENCH_DATA")
    path = Path(named) if named else Path(tempfile.gettempdir()) / "ifuview-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def paths(name: str) -> list[Path]:
    """Paths of three frames, made if they are missing."""
    out = [folder() / f"{name}_{k}.fits" for k in range(NFRAMES)]
    for k, path in enumerate(out):
        if not path.exists():
            _write(path, name, k)
    return out


def _write(path: Path, name: str, seed: int) -> None:
    """Fibers, lines and noise, as FITS."""
    (ny, nx), dtype = SHAPES[name]
    random = np.random.default_rng(seed)
    cards = [
        "SIMPLE  =                    T",
        f"BITPIX  = {-32 if dtype == '>f4' else 16:20d}",
        "NAXIS   =                    2",
    ]
    cards += [f"NAXIS1  = {nx:20d}", f"NAXIS2  = {ny:20d}"]
    if dtype == ">i2":
        cards.append(f"BZERO   = {UNSIGNED_ZERO:20.1f}")
    head = "".join(c.ljust(80) for c in [*cards, "END"])
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        file.write(head.ljust(-(-len(head) // BLOCK) * BLOCK).encode())
        lines = 1 + 3 * (random.random(nx) > 0.97)
        for y in range(ny):
            fiber = np.exp(-0.5 * ((y % 8.25 - 4.1) / 1.1) ** 2)
            row = random.normal(0, 3, nx).astype(np.float32) + (40 * fiber * lines + 5 * seed)
            file.write((row - (UNSIGNED_ZERO - 1000 if dtype == ">i2" else 0)).astype(dtype).tobytes())
        file.write(b"\0" * (-file.tell() % BLOCK))
    os.replace(temporary, path)


def pixels(path: Path) -> Pixels:
    """One frame, memory-mapped."""
    with path.open("rb") as file:
        head = b""
        while b"END     " not in head:
            head += file.read(BLOCK)
        start = file.tell()
    cards = {head[a : a + 8].decode().strip(): head[a + 10 : a + 31].decode() for a in range(0, len(head), 80)}
    number = {k: cards[k].split("/")[0] for k in ("BITPIX", "NAXIS1", "NAXIS2")}
    dtype = ">f4" if int(number["BITPIX"]) < 0 else ">i2"
    shape = (int(number["NAXIS2"]), int(number["NAXIS1"]))
    zero = float(cards["BZERO"].split("/")[0]) if "BZERO" in cards else 0.0
    return Pixels(np.memmap(path, dtype, "r", start, shape), 1.0, zero)


def traces(shape: tuple[int, int]) -> TraceSet:
    """Curved traces of 500 fibers over a whole image."""
    ny, nx = shape
    bend = 12 * (np.arange(nx) / nx - 0.5) ** 2
    start = np.linspace(20, ny - 20, NFIBER)
    return TraceSet(np.arange(NFIBER), start[:, None] + bend[None] * (start[:, None] / ny - 0.5) * 4)
