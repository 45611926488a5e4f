"""Process start to painted image, beside ds9 in turn; memory after it; a picture without a person.

An image counts as painted at the first moment when a patch in its middle has
many colors and keeps them for a quarter of a second, so a splash screen does
not count. Ratios are taken within a round, the order turns every other round.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench import frames, screen

Row = tuple[str, float, float, str, bool]

WINDOW = "1600x1000+0+0"
PATCH = (120, 120)
MANY_COLORS, KEPT_SECONDS, LOOK_EVERY = 24, 0.25, 0.010
GIVE_UP, SETTLE = 40.0, 1.0
ROUNDS, QUICK_ROUNDS = 5, 2
NOT_MEASURED = float("nan")
CUBE_SHAPE = (3600, 300, 300)
# file, state, bar of the ratio to ds9
SERIES = (
    ("ccd4k_0.fits", "warm", 0.6),
    ("ccd4k_0.fits", "cold", 0.6),
    ("ccd9k_0.fits", "warm", 0.7),
    ("cube.fits", "warm", 0.6),
)
CUBE_MIB = 250.0
BASE_MIB, FRAME_FACTOR = 80.0, 1.4  # anonymous memory: a base, and a multiple of the float32 frame
PICTURE_SECONDS, PICTURE_RATIO = 1.0, 0.7
LEVEL = "image on the screen"


@dataclass
class Tool:
    """A viewer: how it is called, and where on the screen the middle of its image is."""

    name: str
    command: list[str]
    middle: tuple[int, int]
    mapped: set[str] = field(default_factory=set)


@dataclass
class Start:
    """One start: seconds and CPU seconds until the image was there, and the memory a little later."""

    seconds: float
    cpu: float
    memory: dict[str, float]


def rows(quick: bool = False) -> list[Row]:
    """Return (name, measured, bar, unit, ok); a ratio is NaN where ds9 is not installed."""
    if not os.environ.get("DISPLAY"):
        return []
    count = QUICK_ROUNDS if quick else ROUNDS
    out: list[Row] = []
    view = screen.Screen()
    first = {}
    try:
        for name, state, bar in SERIES:
            path = data(name)
            ours, theirs = series(view, path, state, count)
            label = f"start {path.stem.removesuffix('_0')} {state}"
            good = [s for s in (start.seconds for start in ours) if s == s]
            ratio = _paired([s.seconds for s in ours], [s.seconds for s in theirs])
            out.append(_row(f"{label}, ratio to ds9", ratio, bar, "x"))
            out.append((f"{label}, seconds", round(statistics.median(good), 3) if good else NOT_MEASURED, 0, "s", True))
            out.append((f"{label}, CPU ratio", _paired([s.cpu for s in ours], [s.cpu for s in theirs]), 0, "x", True))
            first.setdefault(name, (ours, theirs))
        out += _memory_rows(first)
        out += _picture_rows(first, count)
    finally:
        view.close()
    return out


def data(name: str) -> Path:
    """A file of the benchmark, made if it is missing."""
    path = frames.folder() / name
    if name == "cube.fits" and not path.exists():
        _write_cube(path)
    elif not path.exists():
        frames.paths(name.split("_")[0])
    return path


def series(view: screen.Screen, path: Path, state: str, count: int) -> tuple[list[Start], list[Start]]:
    """Starts of ifuview and of ds9 in turn; the second list is empty without ds9."""
    ours = Tool("ifuview", [sys.executable, "-m", "ifuview", "--fresh", *_words(path)], (720, 430))
    theirs = Tool("ds9", ["ds9", "-xpa", "no", *_words(path)], (740, 560))
    tools = [ours, theirs] if shutil.which("ds9") else [ours]
    found: dict[str, list[Start]] = {"ifuview": [], "ds9": []}
    with tempfile.TemporaryDirectory() as home:
        for tool in tools:  # byte code, font cache, list of libraries
            start(view, tool, path, "warm", home)
        for number in range(count):
            for tool in tools[:: -1 if number % 2 else 1]:
                found[tool.name].append(start(view, tool, path, state, home))
    return found["ifuview"], found["ds9"]


def start(view: screen.Screen, tool: Tool, path: Path, state: str, home: str) -> Start:
    """Start a viewer, wait for the image, look at its memory, end it."""
    _prepare(tool, path, state)
    x, y = tool.middle[0] - PATCH[0] // 2, tool.middle[1] - PATCH[1] // 2
    patience = time.perf_counter() + 5
    while view.colors(x, y, *PATCH) > 4 and time.perf_counter() < patience:
        time.sleep(0.02)  # the window before this one
    began = time.perf_counter()
    process = subprocess.Popen(
        tool.command,
        env=_environment(home),
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        seconds, cpu = _wait_for_image(view, process, (x, y, *PATCH), began)
        time.sleep(SETTLE)
        found = screen.memory(process.pid)
        tool.mapped |= screen.mapped_files(process.pid)
    finally:
        screen.end(process)
    return Start(seconds, cpu, found)


def _wait_for_image(
    view: screen.Screen, process: subprocess.Popen, patch: tuple[int, int, int, int], began: float
) -> tuple[float, float]:
    """Seconds and CPU seconds from `began` to the image; NaN if it never comes."""
    seen, cpu = 0.0, 0.0
    while (now := time.perf_counter() - began) < GIVE_UP and process.poll() is None:
        if view.colors(*patch) < MANY_COLORS:
            seen = 0.0
        elif not seen:
            seen, cpu = now, screen.cpu_seconds(process.pid)
        elif now - seen > KEPT_SECONDS:
            return seen, cpu
        time.sleep(LOOK_EVERY)
    return NOT_MEASURED, NOT_MEASURED


def _prepare(tool: Tool, path: Path, state: str) -> None:
    """Bring the file into the page cache, or drop it with the program and its libraries."""
    if state == "warm":
        screen.remember(str(path))
        return
    screen.forget({str(path), *tool.mapped})
    if tool.name == "ifuview":
        for folder in {sysconfig.get_paths()["purelib"], _bytecode()}:
            screen.forget(str(p) for p in Path(folder).rglob("*") if p.is_file())


def _bytecode() -> str:
    """Where the byte code of the checkout is kept for the benchmark."""
    return str(Path(tempfile.gettempdir()) / "ifuview-bench-bytecode")


def _environment(home: str) -> dict[str, str]:
    """The same clean surroundings for every tool: own home, byte code allowed."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "QT_QPA_PLATFORM")}
    os.chmod(home, 0o700)
    return {**env, "HOME": home, "XDG_RUNTIME_DIR": home, "PYTHONPYCACHEPREFIX": _bytecode()}


def _words(path: Path) -> list[str]:
    """The options that both tools understand."""
    return ["-geometry", WINDOW, "-zscale", str(path), "-zoom", "to", "fit"]


def _paired(ours: list[float], theirs: list[float]) -> float:
    """Median of the ratios within the rounds; NaN if there is none."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=False) if a == a and b == b and b > 0]
    return round(statistics.median(ratios), 2) if ratios else NOT_MEASURED


def _row(name: str, measured: float, bar: float, unit: str) -> Row:
    """One row; what was not measured does not fail."""
    return name, measured, bar, unit, not measured > bar


def _memory_rows(first: dict[str, tuple[list[Start], list[Start]]]) -> list[Row]:
    """Memory of the 4k frame (anonymous) and of the cube (peak)."""
    frame = [s.memory["anonymous"] for s in first["ccd4k_0.fits"][0]]
    cube = [s.memory["peak"] for s in first["cube.fits"][0]]
    (ny, nx), _ = frames.SHAPES["ccd4k"]
    allowed = BASE_MIB + FRAME_FACTOR * 4 * ny * nx / 2**20
    return [
        _row("memory ccd4k, anonymous", round(statistics.median(frame)), round(allowed), "MiB"),
        _row("memory cube, peak", round(statistics.median(cube)), CUBE_MIB, "MiB"),
    ]


def _picture_rows(first: dict[str, tuple[list[Start], list[Start]]], count: int) -> list[Row]:
    """A PNG of the 4k frame without a display, against the time that ds9 needs to start."""
    spans = []
    with tempfile.TemporaryDirectory() as home:
        target = Path(home) / "out.png"
        words = ["-zscale", str(data("ccd4k_0.fits")), "-zoom", "to", "fit", "-saveimage", "png", str(target), "-exit"]
        env = _environment(home)
        env.pop("DISPLAY", None)
        for _ in range(count):
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "ifuview", "--fresh", *words],
                env=env,
                cwd=Path(__file__).resolve().parents[2],
                capture_output=True,
                timeout=GIVE_UP,
                check=False,
            )
            spans.append(time.perf_counter() - began if done.returncode == 0 and target.exists() else NOT_MEASURED)
    ds9 = [s.seconds for s in first["ccd4k_0.fits"][1]]
    good = [s for s in spans if s == s]
    median = round(statistics.median(good), 3) if good else NOT_MEASURED
    return [
        ("picture of ccd4k without a display", median, PICTURE_SECONDS, "s", bool(good) and median <= PICTURE_SECONDS),
        _row("picture of ccd4k, ratio to the start of ds9", _paired(spans, ds9), PICTURE_RATIO, "x"),
    ]


def _write_cube(path: Path) -> None:
    """1.3 GB of noise with lines and a source, plane by plane."""
    random = np.random.default_rng(5)
    nz, ny, nx = CUBE_SHAPE
    cards = ["SIMPLE  =                    T", f"BITPIX  = {-32:20d}", f"NAXIS   = {3:20d}",
             f"NAXIS1  = {nx:20d}", f"NAXIS2  = {ny:20d}", f"NAXIS3  = {nz:20d}", "END"]  # fmt: skip
    head = "".join(card.ljust(80) for card in cards)
    y, x = np.mgrid[:ny, :nx]
    source = 50 * np.exp(-0.5 * ((x - 140) ** 2 + (y - 160) ** 2) / 30**2)
    noise = random.normal(0, 3, (ny, nx)).astype(np.float32)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(head.ljust(-(-len(head) // frames.BLOCK) * frames.BLOCK).encode())
        for plane in range(nz):
            image = np.roll(noise, 37 * plane) + source * (1 + (plane % 100 == 0))
            file.write(image.astype(">f4").tobytes())
        file.write(b"\0" * (-file.tell() % frames.BLOCK))
    os.replace(part, path)
