"""Files of every family opened and closed in one window, again and again: memory, threads and descriptors stay flat.

`python -m tests.robust.cycles COUNT` prints the growth of each behind the warm-up as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

WARM_UP = 1 / 3  # of the cycles, and at least one of each file: libraries and pools are loaded in them
PATIENCE = 120  # s for a file to be opened


def measured() -> tuple[int, int, int]:
    """Memory in KiB, threads and descriptors of this process."""
    import gc

    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]), threading.active_count(), len(os.listdir("/proc/self/fd"))


def run(count: int) -> dict[str, int]:
    """Open and close `count` files; how much more there is at the end than after the warm-up."""
    from PyQt6.QtWidgets import QApplication

    from ifuview.app import intents as want
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.gui.shell.shell import Shell
    from tests.robust.seeds import made

    with tempfile.TemporaryDirectory() as place:
        paths = [path for _, path, read in made(Path(place)) if read.__name__ in ("opened", "every")]
        shell = Shell(WindowOptions(width=1200, height=800, x=0, y=0, fresh=True))
        shell.start(Script())

        def settle() -> None:
            until = time.monotonic() + PATIENCE
            while not shell.finished or shell.controller.busy or not shell.window.is_ready:
                QApplication.processEvents()
                time.sleep(0.001)
                if time.monotonic() > until:
                    raise TimeoutError("a file was not opened in time")
            QApplication.processEvents()

        settle()
        start = measured()
        for number in range(count):
            if number == max(len(paths), int(WARM_UP * count)):
                start = measured()
            shell.controller.handle(want.OpenFile(str(paths[number % len(paths)])))
            settle()
            shell.window.canvas.repaint()
            shell.controller.handle(want.CloseAll())
            settle()
        now = measured()
        shell.worker.shut_down(1.0)
    return dict(zip(("KiB", "threads", "descriptors"), (b - a for a, b in zip(start, now, strict=True)), strict=True))


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]))), flush=True)
    os._exit(0)
