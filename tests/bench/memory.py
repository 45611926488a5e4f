"""Two hundred open and close cycles of frames and docks: no crash, and the memory stays where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ifuview.exit_codes import FOUND

Row = tuple[str, float, float, str, bool]

CYCLES, QUICK_CYCLES = 200, 40
WARM_UP = 40  # cycles until caches, fonts and plot libraries are filled
GROWTH_MIB = 20.0
SHAPE = (500, 700)
WAIT_MS = 5000
TIMEOUT = 600


def peak_of(words: tuple[str, ...]) -> float:
    """Peak memory of a process that does nothing but this command, MiB.

    What the system says of a child (ru_maxrss) is never less than what its parent held when it began. A command that
    finds something wrong with the data has done its work.
    """
    code = "import sys\nfrom ifuview.cli import main\ncode = main(sys.argv[1:])\n"
    code += "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    code += f"sys.exit(0 if code == {FOUND} else code)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return float(done.stdout.split("VmHWM:")[-1].split()[0]) / 1024


def rows(quick: bool = False) -> list[Row]:
    """Return (name, measured, bar, unit, ok)."""
    count = QUICK_CYCLES if quick else CYCLES
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    if not env.get("DISPLAY"):
        env["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.fits"
        _write(path)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.memory", str(path), str(count)],
            cwd=root,
            env=env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    name = f"{count} open and close cycles, growth"
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        return [(f"{name}: ended with code {done.returncode}", float("inf"), GROWTH_MIB, "MiB", False)]
    growth = json.loads(done.stdout.splitlines()[-1])["growth"]
    return [(name, round(growth, 1), GROWTH_MIB, "MiB", growth <= GROWTH_MIB)]


def cycle(path: str, count: int) -> float:
    """Open a frame, show and hide every dock in turn, close the frame; return the growth in MiB."""
    from ifuview.app import intents as want
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.gui.docks import DOCKS
    from ifuview.gui.shell.app import make_shell

    shell = make_shell(WindowOptions(fresh=True, width=1200, height=800))
    shell.start(Script())
    _wait(shell)
    before = 0.0
    for number in range(WARM_UP + count):
        if number == WARM_UP:
            before = _resident()
        entry = DOCKS[number % len(DOCKS)]
        shell.controller.handle(want.OpenFile(path))
        _wait(shell)
        shell.controller.handle(want.ShowDock(entry.key, True))
        shell.controller.handle(want.SelectFiber(number % SHAPE[0]))
        _wait(shell)
        shell.controller.handle(want.ShowDock(entry.key, entry.shown))
        shell.controller.handle(want.CloseSlot())
        _wait(shell)
    growth = _resident() - before
    shell.close()
    shell.worker.shut_down()
    return growth


def _wait(shell: object) -> None:
    """Let the event loop run until no job is left."""
    from PyQt6.QtCore import QDeadlineTimer
    from PyQt6.QtWidgets import QApplication

    deadline = QDeadlineTimer(WAIT_MS)
    for _ in range(3):
        QApplication.processEvents()
    while shell.controller.busy and not deadline.hasExpired():  # type: ignore[attr-defined]
        QApplication.processEvents()
    QApplication.sendPostedEvents(None, 52)  # deferred deletes
    QApplication.processEvents()


def _resident() -> float:
    """Resident memory of this process in MiB after a collection."""
    import gc

    gc.collect()
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _write(path: Path) -> None:
    """A small frame."""
    cards = ["SIMPLE  =                    T", f"BITPIX  = {-32:20d}", f"NAXIS   = {2:20d}",
             f"NAXIS1  = {SHAPE[1]:20d}", f"NAXIS2  = {SHAPE[0]:20d}", "END"]  # fmt: skip
    data = np.random.default_rng(3).normal(100, 5, SHAPE).astype(">f4").tobytes()
    head = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    path.write_bytes(head + data + b"\0" * (-len(data) % 2880))


if __name__ == "__main__":
    print(json.dumps({"growth": cycle(sys.argv[1], int(sys.argv[2]))}))
