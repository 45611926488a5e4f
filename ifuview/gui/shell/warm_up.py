"""What is done before it is needed, and what Qt says on the way."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QTimer, QtMsgType

from ifuview.app.jobs import JobKey, JobKind, JobRequest
from ifuview.app.session import Message

if TYPE_CHECKING:
    from ifuview.gui.shell.controller import Controller

WARM_UP = JobKey(JobKind.WARM_UP)
LATEST_MS = 6000  # after the first paint


def _qt_message(kind: QtMsgType, _context: Any, text: str | None) -> None:
    """Send what Qt has to say to the log; its chatter before the first paint goes to nobody."""
    levels = {QtMsgType.QtCriticalMsg: "error", QtMsgType.QtFatalMsg: "critical"}
    if kind not in levels and "logging" not in sys.modules:
        return
    from ifuview import log

    getattr(log.logger("qt"), levels.get(kind, "debug"))(text)


def _log(logger: Any, message: Message) -> None:
    """Write a message of the session into the log."""
    getattr(logger, str(message.level))(message.text if not message.detail else f"{message.text}\n{message.detail}")


def _keep_loaded() -> None:
    """Take what is loaded out of the garbage collector's rounds: a full one over all modules stalls the window."""
    gc.freeze()


def _warm_plots(ctx: Any) -> None:
    """Load pyqtgraph on the worker, so that building the docks does not stall the window."""
    import pyqtgraph

    pyqtgraph.setConfigOptions(antialias=False, imageAxisOrder="row-major")
    ctx.checkpoint(1.0)


class WarmKernels(QTimer):
    """Loads what the first click needs when what was opened is shown and its first verdict has had its time.

    Measured: 0.6 s CPU, without which the first verdict on a night comes at 2.3 instead of 3 s CPU.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.controller = controller
        self.setSingleShot(True)
        self.timeout.connect(self.load)

    def wait(self) -> None:
        """Load them once nothing is at work, at the latest after `LATEST_MS` if there is a picture by then."""
        self.controller.settled.connect(self.load)
        self.start(LATEST_MS)

    def load(self) -> None:
        """Load them now; while the first picture is still to come, again later: compiling takes a minute."""
        if self.controller.busy and not self.controller.session.slots:
            self.start(LATEST_MS)
            return
        self.stop()
        self.controller.settled.disconnect(self.load)
        request = JobRequest("Load kernels", _warm_kernels, WARM_UP, quiet=True)
        self.controller.submit(request, lambda _: _keep_loaded())


def _warm_kernels(ctx: Any) -> None:
    """Load the compiled kernels, so that the first click answers at once."""
    from ifuview.app.spectra.inspect import warm_up

    warm_up(ctx)


class LookForSession(QTimer):
    """Finds what a crash has left behind, at once; else what keeps sessions is loaded when other work has had its time.

    Measured: it takes 0.2 s to load, on the worker.
    """

    def __init__(self, controller: Controller, begin: Callable[[Any], None]) -> None:
        super().__init__(controller)
        self.controller, self.begin = controller, begin
        self.setSingleShot(True)
        self.timeout.connect(self.look)

    def wait(self) -> None:
        """Look now if there is anything, else a little later."""
        from ifuview.app.saved import left

        self.start(0 if left.left() else LATEST_MS)

    def look(self) -> None:
        """Look now; `begin` gets the session that is offered, or None."""
        request = JobRequest("Look for a session", _look_for_session, WARM_UP, quiet=True, aside=True)
        self.controller.submit(request, self.begin)


def _look_for_session(ctx: Any) -> object:
    """The session that a crash has left behind; what keeps sessions is loaded with it."""
    from ifuview.app.saved import left

    ctx.checkpoint(1.0)
    return left.offered()
