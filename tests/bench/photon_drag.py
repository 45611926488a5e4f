"""Dragging the sliders of a photon list through the whole window: from the mouse on the slider to the painted canvas.

Counted are pictures that the canvas painted, each of another range. Counting and painting go on side by side in two
threads, so that the busier one sets the pace: the rate is by its CPU seconds, as other programs may share the machine.
The rates by the clock and by the CPU seconds of both are given beside it.
"""

from __future__ import annotations

import os
import time
from typing import Any

Row = tuple[str, float, float, str, bool]

BAR = 30.0  # images/s
MOVES, QUICK_MOVES = 375, 125
MOVE_S = 0.008  # s; a mouse tells where it is 125 times a second
TIMEOUT_S = 300.0
SIZE = (1600, 1000)


def rows(path: str, quick: bool = False) -> list[Row]:
    """Return (name, measured, bar, unit, ok) for drags on the photon list of a file."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ifuview.app import intents as want
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.gui.shell.app import make_shell

    shell = make_shell(WindowOptions(fresh=True, width=SIZE[0], height=SIZE[1]))
    shell.start(Script())
    _until(shell, lambda: shell.window.is_ready and not shell.controller.busy)
    try:
        shell.controller.handle(want.OpenFile(path))
        _until(shell, lambda: _frame(shell) is not None and _frame(shell).live is not None)
        shell.controller.handle(want.ShowPhotons("counts"))
        _until(shell, lambda: not shell.controller.busy and shell.window.docks["photons"].widget() is not None)
        dock, moves = shell.window.docks["photons"].widget(), QUICK_MOVES if quick else MOVES
        out = []
        for name, slider, places in (
            ("one wavelength slider", dock.value.slider, (0.0, 0.15, 0.5)),
            ("a wavelength window", dock.value.slider, (0.3, 0.4, 0.75)),
            ("one time slider", dock.time.slider, (0.0, 0.05, 0.6)),
            ("a window of time", dock.time.slider, (0.2, 0.4, 0.8)),
        ):
            out += _drag(shell, name, slider, places, moves)
        return out
    finally:
        shell.close()
        shell.worker.shut_down()


def _frame(shell: Any) -> Any:
    slot = shell.controller.session.slot()
    return None if slot is None else slot.photons


def _until(shell: Any, ready: Any) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not ready() and time.monotonic() < end:
        shell.app.processEvents()
        time.sleep(0.001)


def _drag(shell: Any, name: str, slider: Any, places: tuple[float, float, float], moves: int) -> list[Row]:
    """Press on a slider, move as fast as pictures come, release; the window is checked against an exact count."""
    from PyQt6.QtCore import QEvent, QEventLoop, QTimer

    wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    canvas, painted = shell.window.canvas, []
    original = canvas.paintEvent

    def paint(event: Any) -> None:
        original(event)
        image = shell.controller.session.slot().image
        if not painted or painted[-1] is not image:
            painted.append(image)

    width = slider.width()
    begin, first, last = (width * p for p in places)
    if begin > 0:  # a window: set it, then take it by its middle
        key, cut, (low, high) = _ends(shell, slider, places)
        _cut(shell, key, cut, low, high)
        begin = width * (places[0] + places[1]) / 2
    else:
        begin = 4.0
    canvas.paintEvent = paint
    try:
        _mouse(slider, QEvent.Type.MouseButtonPress, begin)
        wall, cpu, main = time.perf_counter(), time.process_time(), time.thread_time()
        for k in range(moves):  # as a hand moves: whether a picture is ready or not
            _mouse(slider, QEvent.Type.MouseMove, first + (last - first) * (k + 1) / moves)
            end = wall + (k + 1) * MOVE_S
            while (left := end - time.perf_counter()) > 0:
                QTimer.singleShot(max(round(left * 1000), 1), lambda: None)
                shell.app.processEvents(wait)  # sleeps until something happens
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        main = time.thread_time() - main
        _mouse(slider, QEvent.Type.MouseButtonRelease, last)
    finally:
        canvas.paintEvent = original
    _until(shell, lambda: not shell.controller.busy)
    _everything(shell)
    rate = len(painted) / max(main, cpu - main)
    return [
        (f"window, {name}", rate, BAR, "images/s CPU", rate >= BAR),
        ("  the same by the clock", len(painted) / wall, 0, "images/s", True),
        ("  the same by CPU seconds of both threads", len(painted) / cpu, 0, "images/s CPU", True),
    ]


def _ends(shell: Any, slider: Any, places: tuple[float, float, float]) -> tuple[int, Any, tuple[float, float]]:
    """Frame, cut and ends of a window of a slider."""
    slot, (low, high) = shell.controller.session.slot(), slider.span
    ends = tuple(round(low + p * (high - low), 1) for p in places[:2])
    name = "time" if slider.accessibleName().startswith("Time") else "value"
    return slot.key, (slot.photons.cut, name), ends


def _cut(shell: Any, key: int, cut: Any, low: float, high: float) -> None:
    from dataclasses import replace

    from ifuview.app import intents as want

    old, name = cut
    fields = {"start": low, "stop": high} if name == "time" else {"low": low, "high": high}
    shell.controller.handle(want.SetPhotonCut(key, replace(old, **fields)))
    _until(shell, lambda: not shell.controller.busy)
    shell.app.processEvents()
    time.sleep(0.1)
    shell.app.processEvents()


def _everything(shell: Any) -> None:
    slot = shell.controller.session.slot()
    _cut(shell, slot.key, (slot.photons.cut, "time"), None, None)
    slot = shell.controller.session.slot()
    _cut(shell, slot.key, (slot.photons.cut, "value"), None, None)


def _mouse(slider: Any, kind: Any, x: float) -> None:
    """One mouse event on the slider."""
    from PyQt6.QtCore import QPointF, Qt
    from PyQt6.QtGui import QMouseEvent
    from PyQt6.QtWidgets import QApplication

    at = QPointF(x, slider.height() / 2)
    left = Qt.MouseButton.LeftButton
    moving = kind.name == "MouseMove"
    event = QMouseEvent(kind, at, slider.mapToGlobal(at), Qt.MouseButton.NoButton if moving else left, left,
                        Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(slider, event)


if __name__ == "__main__":
    import json
    import sys

    print(json.dumps(rows(sys.argv[1], "--quick" in sys.argv)))
