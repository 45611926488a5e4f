"""The first look of a night: CPU of a program from its start to a picture, and to the first verdict on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

Row = tuple[str, float, float, str, bool]

PICTURE_S, VERDICT_S = 2.0, 3.0  # CPU
TIMEOUT_S = 180
NAMES = (("night, first picture", PICTURE_S), ("night, first verdict", VERDICT_S))


def rows(quick: bool = False) -> list[Row]:
    """Rows of the benchmark: the shared production, each time with nothing remembered; the best of three."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "desi"
    if not folder.is_dir():
        return [(name, float("nan"), bar, "s", True) for name, bar in NAMES]
    found = [_once(folder) for _ in range(1 if quick else 3)]
    best = [min(times) for times in zip(*found, strict=True)]
    return [(name, spent, bar, "s", spent <= bar) for (name, bar), spent in zip(NAMES, best, strict=True)]


def _once(folder: Path) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="ifuview-bench-") as place:
        env = dict(os.environ, IFUVIEW_CONFIG=place, IFUVIEW_CACHE=place)
        words = [sys.executable, "-m", "tests.bench.first_look", str(folder)]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    picture, verdict = (float(word) for word in done.stdout.split()[-2:])
    return picture, verdict


def main(folder: str) -> None:
    """Open a folder, print the CPU seconds of the program at the first picture and at the first verdict, and end."""
    from PyQt6.QtCore import QTimer

    from ifuview.app.script.parse import parse
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.gui.shell.app import make_shell

    parsed = parse([folder])
    shell = make_shell(WindowOptions(fresh=True, width=1600, height=1000))
    spent: list[float] = []

    def painted() -> None:
        if not spent and shell.store.session.slots:
            spent.append(time.process_time())

    def look() -> None:
        state = shell.store.session.triage
        if spent and state is not None and state.done:
            spent.append(time.process_time())
            print(*spent, flush=True)
            os._exit(0)

    shell.window.canvas.painted.connect(painted)
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    shell.start(Script(parsed.steps, shell.options, parsed.look, parsed.warnings))
    shell.run()


if __name__ == "__main__":
    main(sys.argv[1])
