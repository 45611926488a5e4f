"""Odd command lines, messages of SAMP and kept sessions, one after the other in one window: each is done or refused.

`python -m tests.robust.window SEED COUNT` prints what went wrong as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ifuview.errors import IfuviewError
from tests.robust.talk import MESSAGES

PATIENCE = 60  # s of the clock for one input
ODD = (
    *("1e300", "-1e300", "1e-320", "nan", "inf", "-7", "99999999999999999999", "9" * 5000, "²", "٣", "", " "),
    *(
        "[",
        "]",
        "{}",
        "\udcff",
        "a\nb",
        "<b>x</b>",
        "%s%n",
        "../x",
        "x" * 300,
        "-",
        "--",
        "=",
        "0",
        "0.5",
        "1,2",
        "3:1",
    ),
)
USUAL = (
    *("to", "fit", "in", "out", "yes", "no", "image", "all", "1", "2", "4", "0.2", "90", "10 12", "value", "limits"),
    *("mode", "lock", "frame", "scale", "log", "heat", "interval", "next", "last", "column", "spectrum", "open"),
    *("close", "load", "contrast", "radius", "gaussian", "value 2 0.4", "0 500", "xy"),
)
# The program is not to end, nor to speak with others; what they open by themselves is not the same twice.
LEFT_OUT = {"exit", "quit", "samp", "help", "h", "version", "restore"}


def line(rng: random.Random, names: list[str], files: list[str]) -> list[str]:
    """A command line of some options with usual and odd words; what it writes has the name of a new file."""
    out: list[str] = []
    for _ in range(rng.randint(1, 6)):
        if rng.random() < 0.4:
            out.append(rng.choice(files) + rng.choice(("", "", "", "[1]", "[SCI]", "[0][2:9,*]", "[9]", "[²]")))
        out.append(f"-{rng.choice(names)}")
        for _ in range(rng.randint(0, 3)):
            out += [rng.choice(ODD)] if rng.random() < 0.3 else rng.choice(USUAL).split()
    return out


def message(rng: random.Random) -> tuple[str, dict[str, object]]:
    """A message whose values are odd."""
    kind, params = rng.choice(MESSAGES)
    return kind, _odd(params, rng)


def _odd(value: Any, rng: random.Random) -> Any:
    """A value of JSON with some leaves exchanged for odd ones, of another kind or gone."""
    if rng.random() < 0.02:
        return rng.choice([None, True, -1, 10**30, 1e300, [], {}, "", "²", "x" * 300, [[[]]], {"a": {}}])
    if isinstance(value, dict):
        return {key: _odd(one, rng) for key, one in value.items() if rng.random() > 0.01}
    if isinstance(value, list):
        return [_odd(one, rng) for one in value]
    if rng.random() < 0.05:
        return rng.choice((*ODD, -1, 2**70, 1e300, None, False))
    return value


class Odd:
    """One window, and what is done to it."""

    def __init__(self, seed: int, place: Path) -> None:
        from ifuview.app.saved.keep import kept, write
        from ifuview.app.script.options import IGNORED, OPTIONS
        from ifuview.app.script.words import Script, WindowOptions
        from ifuview.gui.shell.shell import Shell
        from tests.robust.seeds import made

        self.place, self.seed = place, seed
        self.files = [str(path) for _, path, read in made(place) if read.__name__ == "opened" and path.suffix != ".h5"]
        self.names = [name for name in (*OPTIONS, *IGNORED) if name not in LEFT_OUT]
        self.wrong: list[dict[str, str]] = []
        self.now = ""
        self.shell = Shell(WindowOptions(width=1000, height=700, x=0, y=0, fresh=True))
        self.shell.start(Script())
        sys.excepthook = lambda kind, error, trace: self._told("".join(traceback.format_exception(kind, error, trace)))
        self.shell.worker.failed.connect(lambda _, f: isinstance(f.error, IfuviewError) or self._told(f.detail))
        self._settle(lambda: self.shell.finished)
        self._carry_out([str(place / "several.fits"), str(place / "cube.fits")])
        write(str(place / "kept.json"), kept(self.shell.controller.session))
        self.saved = json.loads((place / "kept.json").read_text())
        self.doings = (self._line, self._line, self._samp, self._restore)

    def run(self, count: int) -> list[dict[str, str]]:
        """Do `count` things; what went wrong."""
        from ifuview.app import intents as want

        for number in range(count):
            rng = random.Random(f"{self.seed} {number}")
            signal.alarm(PATIENCE)
            try:
                self.doings[number % len(self.doings)](rng)
                self._settle(lambda: True)
            except IfuviewError:
                pass
            except Exception:
                self._told(traceback.format_exc())
            finally:
                signal.alarm(0)
            if number % 10 == 9:
                self.shell.controller.handle(want.CloseAll())
                self._settle(lambda: True)
        return self.wrong

    def _line(self, rng: random.Random) -> None:
        words = line(rng, self.names, self.files)
        self.now = repr(words)
        self._carry_out(words)

    def _carry_out(self, words: list[str]) -> None:
        from ifuview.app.script.parse import parse
        from ifuview.gui.shell.script_runner import ScriptRunner

        runner = ScriptRunner(parse(words), self.shell.controller, self.shell.window)
        ended: list[object] = []
        runner.ended.connect(ended.append)
        runner.go()
        self._settle(lambda: bool(ended))

    def _samp(self, rng: random.Random) -> None:
        from ifuview.app.outside import samp_words

        kind, params = message(rng)
        self.now = f"{kind} {params!r}"
        before = self.shell.controller.session
        for intent in samp_words.asked(before, kind, params, str(self.place / "plain.fits")):
            self.shell.controller.handle(intent)
        samp_words.told(before, self.shell.controller.session, {"t"})

    def _restore(self, rng: random.Random) -> None:
        from ifuview.app import intents as want

        path = self.place / "odd.json"
        path.write_text(json.dumps({**self.saved, "session": _odd(self.saved["session"], rng)}))
        self.now = f"session {path.read_text()}"
        self.shell.controller.handle(want.RestoreSession(str(path)))

    def _settle(self, done: Callable[[], bool]) -> None:
        from PyQt6.QtWidgets import QApplication

        until = time.monotonic() + PATIENCE
        while not done() or self.shell.controller.busy or not self.shell.window.is_ready:
            QApplication.processEvents()
            time.sleep(0.001)
            if time.monotonic() > until:
                self.shell.controller.worker.cancel()
                raise TimeoutError(f"not ended in {PATIENCE} s")
        self.shell.window.canvas.repaint()
        QApplication.processEvents()

    def _told(self, detail: str) -> None:
        self.wrong.append({"input": self.now[:3000], "detail": detail[-2500:]})


def main(argv: list[str]) -> int:
    """Print what `Odd` found."""

    def late(*_: object) -> None:
        raise TimeoutError("the window does not answer")

    signal.signal(signal.SIGALRM, late)
    with tempfile.TemporaryDirectory() as top:
        os.chdir(top)  # what is written has no folder in its name
        found = Odd(int(argv[0]), Path(top)).run(int(argv[1]))
        print(json.dumps(found, indent=1), flush=True)
    os._exit(1 if found else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
