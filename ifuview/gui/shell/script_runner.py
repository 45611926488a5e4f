"""Carries out the steps of a command line in the window, each when the one before it has taken effect."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ifuview.app import intents as want
from ifuview.app.frames.adding import look_of
from ifuview.app.frames.fibers import find_fiber
from ifuview.app.frames.look import Look
from ifuview.app.open_tasks import ReadFile, open_file
from ifuview.app.script.words import Script, Step
from ifuview.app.session import Layout, Level
from ifuview.app.tasks import Task
from ifuview.errors import IfuviewError, UsageError
from ifuview.gui.docks import DOCKS
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.main_window import MainWindow
from ifuview.gui.shell.prefetch import Prefetch

WAIT_FOR_ALL = {"save-image", "save-table", "exit"}  # earlier jobs, also verdicts and what else goes on by itself
# need what was asked for before
WAIT_FOR_QUIET = {
    "save-session", "restore", "regions", "fiber", "traces", "mask", "photons", "photon-range",
}  # fmt: skip
LOOK_MS = 20  # between two looks whether that is done
OF_A_FILE = {
    "look", "zoom", "pan", "rotate", "orient", "block", "regions", "traces", "fiber", "crosshair", "mask", "photons",
    "photon-range",
}  # fmt: skip
PLAY_MS = 100  # -cube play
PICTURES = {entry.key for entry in DOCKS if entry.picture}


class ScriptRunner(QObject):
    """Runs a Script; `ended` is emitted once, with the exit code if the script asks for the end."""

    ended = pyqtSignal(object)  # exit code or None

    def __init__(
        self, script: Script, controller: Controller, window: MainWindow, prefetch: Prefetch | None = None
    ) -> None:
        super().__init__()
        self.script, self.controller, self.window = script, controller, window
        self.steps: deque[Step] = deque(script.steps)
        self._said = len(controller.session.messages)
        self._prefetch = prefetch  # the first file, if it is being read since the start
        self._opening: Task[Any] | None = None
        self._waiting = self._ended = self._lost = False
        self._picture = ""  # dock that -saveimage writes instead of the canvas
        self._verbs: dict[str, Callable[..., None]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        controller.settled.connect(self._settled)
        controller.ended.connect(self._opened)

    def go(self) -> None:
        """Carry out steps until one has to wait."""
        while self.steps and not self._waiting:
            step = self.steps[0]
            if step.verb in WAIT_FOR_ALL and self.controller.busy:
                return  # `settled` goes on
            if step.verb in WAIT_FOR_QUIET and self.controller.jobs.book.busy:
                QTimer.singleShot(LOOK_MS, self.go)
                return
            self.steps.popleft()
            self._carry_out(step)
        if not self.steps and not self._waiting and not self._ended:
            self._ended = True
            self.ended.emit(None)

    def _settled(self) -> None:
        if not self._waiting and not self._ended:
            QTimer.singleShot(0, self.go)

    def _carry_out(self, step: Step) -> None:
        if self._lost and step.verb in OF_A_FILE and step.args[:1] != ("save",):
            return  # meant for a file that could not be opened
        try:
            self._verbs[step.verb.replace("-", "_")](*step.args)
        except IfuviewError as error:
            self._lost = self._lost or step.verb == "open"
            self.controller.say(Level.ERROR, str(error))

    @property
    def problems(self) -> list[str]:
        """What went wrong since the script began, in the words that the user sees."""
        messages = self.controller.session.messages[self._said :]
        return list(dict.fromkeys(m.text for m in messages if m.level is Level.ERROR))

    @property
    def _slot(self) -> Any:
        return self.controller.session.slot()

    def do_open(self, spec: str, every: bool, cube: bool, fields: tuple[tuple[str, Any], ...]) -> None:
        session, prefetch = self.controller.session, self._prefetch
        look = look_of(fields, session.base_look) if fields else None
        task = open_file(session, want.OpenFile(spec, every, look, cube))
        if isinstance(task, ReadFile) and prefetch is not None and prefetch.spec == spec:
            task, self._prefetch = replace(task, early=prefetch.result), None
        self._waiting, self._lost, self._opening = True, False, task
        self.controller.begin(task)

    def do_restore(self, path: str) -> None:
        from ifuview.app.saved.restore import restore

        task = restore(self.controller.session, want.RestoreSession(path))
        self._waiting, self._lost, self._opening = True, False, task
        self.controller.begin(task)

    def do_save_session(self, path: str) -> None:
        self.controller.handle(want.SaveSession(path))

    def _opened(self, task: Task[Any], well: bool) -> None:
        """A task is over; if it was to open a file, go on."""
        if task is self._opening:
            self._waiting, self._lost, self._opening = False, not well, None
            QTimer.singleShot(0, self.go)

    def do_watch(self, folder: str, newest: bool, results: str = "") -> None:
        self.controller.handle(want.WatchFolder(folder, newest, results=results))

    def do_look(self, *fields: tuple[str, Any]) -> None:
        if self._slot is not None:
            look: Look = look_of(fields, self._slot.look)
            self.controller.handle(want.SetLook(self._slot.key, look))

    def _view(self, **changes: Any) -> None:
        if self._slot is not None:
            view = self.window.canvas.view_of(self._slot.key)
            self.controller.handle(want.SetView(self._slot.key, replace(view, **changes)))

    def do_zoom(self, how: str, factor: float = 1.0) -> None:
        if self._slot is None:
            return
        if how == "fit":
            self.controller.handle(want.SetView(self._slot.key, self._slot.whole))
        else:
            view = self._slot.view  # ds9 opens at 1: "-zoom 4" after a file that is still fitted means 4
            now = view.zoom if how == "by" and not view.fit else 1.0
            self._view(zoom=now * factor, fit=False)

    def do_pan(self, how: str, x: float, y: float) -> None:
        if self._slot is not None:
            view = self.window.canvas.view_of(self._slot.key)
            base = (view.x, view.y) if how == "by" else (0.0, 0.0)
            self._view(x=base[0] + x, y=base[1] + y, fit=False)

    def do_rotate(self, how: str, degrees: float) -> None:
        if self._slot is not None:
            base = self._slot.view.rotation if how == "by" else 0
            self._view(rotation=(base + degrees) % 360)

    def do_orient(self, flip_x: bool, flip_y: bool) -> None:
        self._view(flip_x=flip_x, flip_y=flip_y)

    def do_block(self, factor: float) -> None:
        self.do_look(("smooth", "boxcar"), ("smooth_radius", factor / 2))

    def do_frame(self, how: str, number: int = 0) -> None:
        slots = self.controller.session.slots
        if how in ("next", "previous"):
            self.controller.handle(want.StepSlot(1 if how == "next" else -1))
        elif how == "delete":
            self.controller.handle(want.CloseSlot())
        elif how == "delete-all":
            self.controller.handle(want.CloseAll())
        elif slots:
            place = {"first": 0, "last": len(slots) - 1}.get(how, number - 1)
            if not 0 <= place < len(slots):
                raise IfuviewError(f"there is no frame {number}", "-frame", f"there are {len(slots)}")
            self.controller.handle(want.SelectSlot(slots[place].key))

    def do_layout(self, layout: str, arrangement: str) -> None:
        self.controller.handle(want.SetLayout(Layout(layout), None, arrangement))

    def do_blink(self, milliseconds: int) -> None:
        self.controller.handle(want.SetLayout(self.controller.session.layout, milliseconds))

    def do_lock(self, what: str, on: bool) -> None:
        self.controller.handle(want.SetLock(what, on))

    def do_match(self, what: str) -> None:
        self.controller.handle(want.Match(what))

    def do_overlay(self, name: str, value: Any) -> None:
        self.controller.handle(want.SetOverlay(name, value))

    def do_regions(self, how: str, path: str) -> None:
        self.controller.handle(want.LoadRegions(path) if how == "load" else want.SaveRegions(path))

    def do_traces(self, path: str) -> None:
        self.controller.handle(want.LoadTraces(path))

    def do_mask(self, path: str) -> None:
        self.controller.handle(want.LoadMask(path))

    def do_fiber(self, name: str) -> None:
        try:
            row = find_fiber(self.controller.session, name)
        except UsageError:
            self.controller.handle(want.ChooseSpectra(name))  # 50:60,4 or SPECTYPE=QSO
        else:
            self.controller.handle(want.SelectFiber(row))

    def do_plane(self, number: Any) -> None:
        if self._slot is None or not self._slot.plane:
            raise IfuviewError("this is not a cube", "-cube", "open a file with three axes")
        if number == "play":
            self.window.dock_area.show("frames")
            self.window.menus.commands.play_planes(PLAY_MS)
        else:
            self.controller.handle(want.SetPlane(self._slot.key, (*self._slot.plane[:-1], int(number) - 1)))

    def do_crosshair(self, x: float, y: float) -> None:
        if self._slot is not None:
            self.controller.handle(want.PickPoint(self._slot.key, x, y))

    def do_photons(self, what: str) -> None:
        self.controller.handle(want.ShowPhotons(what))

    def do_photon_range(self, axis: str, low: float, high: float) -> None:
        from ifuview.app.photons.which import frame_of

        frame = frame_of(self._slot)
        if frame is None:
            raise IfuviewError("this frame is not of a photon list", f"-{axis}", "open one first")
        ends = {"start": low, "stop": high} if axis == "time" else {"low": low, "high": high}
        self.controller.handle(want.SetPhotonCut(self._slot.key, frame.with_cut(**ends).cut))

    def do_mode(self, name: str) -> None:
        self.controller.say(Level.INFO, f"-mode {name}: the mouse needs no modes here; see Help, Mouse and keys")

    def do_dock(self, key: str, on: bool) -> None:
        if key == "canvas":
            self._picture = ""
            return
        self.controller.handle(want.ShowDock(key, on))
        if key in PICTURES:
            self._picture = key if on else ""

    def do_save_table(self, what: str, path: str) -> None:
        self.controller.handle(want.SaveTable(what, path))

    def do_samp(self, what: str) -> None:
        self.controller.handle(want.TalkSamp(what))

    def do_save_image(self, kind: str, path: str) -> None:
        if self._slot is None and self.problems:
            return  # what could not be opened has been said; an empty picture would look like success
        if self._slot is None and not (self._picture and self.controller.session.tables):
            raise IfuviewError("there is no image to save", path, "open a file that can be shown")
        self.controller.handle(want.SaveImage(path, kind, self._picture))

    def do_exit(self) -> None:
        self.steps.clear()
        self._waiting = True
        self.ended.emit(2 if self.problems else 0)
