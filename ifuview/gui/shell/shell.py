"""Everything of one running window: application, store, worker, controller, presenter, main window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QLocale, QObject, QSize, QTimer, qInstallMessageHandler
from PyQt6.QtWidgets import QApplication, QMessageBox

from ifuview.app import intents as want
from ifuview.app import preferences
from ifuview.app.desk import Desk, suited
from ifuview.app.frames.state import MemoryBounds
from ifuview.app.jobs import JobRequest
from ifuview.app.open_tasks import frames_opened
from ifuview.app.script.words import Script, WindowOptions
from ifuview.app.session import Level, Session
from ifuview.errors import IfuviewError, UsageError, told
from ifuview.exit_codes import BAD_INPUT, INTERNAL_ERROR, OK
from ifuview.files import whole_file
from ifuview.gui.canvas.thumbnail import encoded
from ifuview.gui.frames._file_watch import FileWatch
from ifuview.gui.night.watcher import Watcher
from ifuview.gui.photons.player import Player
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.habits import Habits
from ifuview.gui.shell.main_window import MainWindow
from ifuview.gui.shell.prefetch import Prefetch
from ifuview.gui.shell.presenter import Presenter
from ifuview.gui.shell.store import Store
from ifuview.gui.shell.warm_up import WARM_UP, LookForSession, WarmKernels, _keep_loaded, _log, _qt_message, _warm_plots
from ifuview.gui.shell.worker import PATIENCE, Collector, Worker
from ifuview.gui.window import theme, window_state
from ifuview.settings import Settings

if TYPE_CHECKING:
    from ifuview.gui.outside.keeper import Keeper
    from ifuview.gui.outside.ways import Ways
    from ifuview.gui.shell.tour import Tour

MAX_PROBLEM_BOXES = 3  # open at once; a fault in a paint event comes sixty times a second
FIRST_PAINT_LIMIT_MS = 400  # then the window is finished even if no picture was painted
PICTURE_QUALITY = 80  # of Qt's 0 to 100: light compression, three times faster than the default
DOCK_PICTURE = QSize(1200, 700)  # of a dock that is not on the screen


class Shell(QObject):
    """Owns the parts and their order of birth and death."""

    def __init__(self, options: WindowOptions, *, headless: bool = False, embedded: bool = False) -> None:
        found = QApplication.instance()
        self.app = found if isinstance(found, QApplication) else QApplication(["ifuview"])
        super().__init__()
        QLocale.setDefault(QLocale.c())
        qInstallMessageHandler(_qt_message)
        self.app.setApplicationName("ifuview")
        self.app.setDesktopFileName("ifuview")
        self.options, self.headless, self.embedded = options, headless, embedded
        self.settings, note = self._load_settings()
        theme.apply(self.app, options.theme or self.settings.theme)
        self.store = Store(Session(recent=self.settings.recent, blink_ms=self.settings.blink_ms, headless=headless))
        self.collector = Collector(self)
        self.worker = Worker(self.collector.held)
        self.controller = Controller(self.store, self.worker)
        self.player, self.watcher = Player(self.controller), Watcher(self.controller)
        self.files = None if headless else FileWatch(self.controller)
        self.presenter = Presenter(self.store, self.controller.jobs)
        self.presenter.wanted.connect(self.controller.submit)
        self.window = MainWindow(self.controller, self.presenter)
        self._use(self.settings)
        self.roads: dict[type, Callable[[Any], None]] = {
            want.CopyText: lambda i: self.window.copy_text(i.text),
            want.ShowDesk: lambda i: self.window.dock_area.arrange(Desk(i.name)),
            want.ShowDock: lambda i: self.window.dock_area.show(i.key, i.on, i.front),
            want.SaveImage: self._save_image,
            want.SetTheme: lambda i: self._use(replace(self.settings, theme=i.name)),
            want.SetPreferences: lambda i: self._use(i.settings),
            want.EditPreferences: self._edit_preferences,
            want.BeginTour: self._begin_tour,
            want.TalkSamp: lambda i: self._listen().talk(i.what),
            want.OpenConsole: lambda _: self._listen().open_console(),
            want.SaveSession: lambda i: self._keep().save(i),
            want.ShowPanels: lambda i: self._keep().arrange(i),
        }
        self.controller.shell.connect(lambda intent: self.roads[type(intent)](intent))
        self.habits = None if headless else Habits(self.controller, self.window.dock_area)
        self.window.closing.connect(self._closing)
        self.kernels = WarmKernels(self.controller)
        self.exit_code = OK
        self.finished = False
        self.picture_folder: str | None = None  # the tour writes pictures there instead of waiting for clicks
        self.tour: Tour | None = None
        self.ways: Ways | None = None
        self.keeper: Keeper | None = None
        self._boxes: list[QMessageBox] = []
        self.runner: Any = None
        window_state.place(self.window, options, headless)
        if options.title:
            self.window.fixed_title = options.title
            self.window.setWindowTitle(options.title)
        if not embedded:  # else the hooks and the end of the program are those of a script or a notebook
            sys.excepthook = self._unexpected
        if note:
            self.controller.say(Level.WARNING, note)

    def _load_settings(self) -> tuple[Settings, str]:
        if self.options.fresh:
            return Settings(), ""
        from ifuview import settings

        return settings.load()

    # start

    def start(self, script: Script, prefetch: Prefetch | None = None) -> None:
        """Show the window with the first file if that is there at once, then carry out the script."""
        from ifuview.gui.shell.script_runner import ScriptRunner

        self.worker.start()
        if self.store.session.base_look is not None:
            prefetch = None  # it was begun without knowing the preferences
        self.runner = ScriptRunner(script, self.controller, self.window, prefetch)
        self.runner.ended.connect(self._script_ended)
        for text in script.warnings:
            print(f"ifuview: {text}", file=sys.stderr)
            self.controller.say(Level.WARNING, text)
        self.controller.follows = False  # until the first picture is painted
        found = prefetch.ready() if prefetch is not None else None
        if found is not None:
            self.runner.steps.popleft()
            self.controller.take(frames_opened(self.store.session, found))
        self.window.canvas.painted.connect(self._first_paint)
        self.show()

    def show(self) -> None:
        """Show the window; what the first picture does not need follows after it."""
        area = self.window.dock_area
        if self.headless:
            for dock in area.docks.values():
                dock.hide()
        else:
            area.desks = {} if self.options.fresh else window_state.desks()
            area.arrange(suited(self.store.session))
        self.window.show()
        if not self.store.session.slots:
            QTimer.singleShot(0, self._finish)
        QTimer.singleShot(FIRST_PAINT_LIMIT_MS, self._finish)

    def _first_paint(self) -> None:
        exit_file = os.environ.get("IFUVIEW_EXIT_AFTER_PAINT")
        if exit_file:
            with open(exit_file, "w", encoding="utf-8") as out:
                out.write("\n".join(sorted(sys.modules)))
            self.app.exit(0)
            return
        QTimer.singleShot(0, self._finish)

    def _finish(self) -> None:
        if self.finished:
            return
        self.finished = True
        self.collector.begin(only_held=self.embedded)  # other garbage of a notebook does not wait for the window
        _keep_loaded()
        self._after_paint_log()
        if not self.embedded:
            self._late_hooks()
        self.window.finish()
        self.controller.follow()
        if not self.headless:
            self.controller.submit(
                JobRequest("Load plot libraries", _warm_plots, WARM_UP, quiet=True),
                lambda _: self.window.dock_area.build(),
            )
            self.kernels.wait()
            self._listen()
            if not (self.embedded or self.options.fresh):
                LookForSession(self.controller, lambda offered: self._keep().begin(offered)).wait()
        if self.runner is not None:
            self.runner.go()

    def _keep(self) -> Keeper:
        if self.keeper is None:
            from ifuview.gui.outside.keeper import Keeper

            self.keeper = Keeper(self.controller, self.window)
        return self.keeper

    def _listen(self) -> Ways:
        if self.ways is None:
            from ifuview.gui.outside.ways import Ways

            self.ways = Ways(self.controller, self.window, self.close)
        return self.ways

    def _after_paint_log(self) -> None:
        from ifuview import log as log_setup

        try:
            self.log_file = log_setup.set_up(self.options.log_level or "warning", console=bool(self.options.log_level))
        except OSError:
            self.log_file = None
        logger = log_setup.logger("gui")
        for message in self.store.session.messages:
            _log(logger, message)
        self.controller.said.connect(lambda message: _log(logger, message))

    def _script_ended(self, code: int | None) -> None:
        if self.runner.problems:
            for text in self.runner.problems:
                print(f"ifuview: {text}", file=sys.stderr)
            if not self.store.session.slots:
                self.exit_code = BAD_INPUT
        if code is not None:
            self.exit_code = code
            self.close()

    def run(self) -> int:
        """Run until the window is closed; return the exit code.

        Jobs are cancelled. One that does not end soon is left to the end of the process, which comes at once.
        """
        code = self.app.exec()
        if self.keeper is not None:
            self.keeper.end()
        self.worker.shut_down(PATIENCE)
        self.collector.end()
        return code or self.exit_code

    def close(self) -> None:
        """End the program."""
        self.window.close()
        self.app.quit()

    def take_down(self) -> None:
        """Close the window and free what the shell holds (for programs that go on without it)."""
        self.controller.jobs.blockSignals(True)  # news of the last jobs have nobody to be shown to
        self.presenter.stop()
        self.collector.end()
        self.window.close()
        self.window.deleteLater()
        if hasattr(self, "_interrupts"):
            self._interrupts.close()

    def _closing(self) -> None:
        self.kernels.stop()
        if not self.options.fresh and not self.headless:
            from ifuview import settings

            self.window.dock_area.leave()
            window_state.save(self.window, self.window.dock_area.desks)
            session = self.store.session
            kept = replace(self.settings, recent=session.recent, blink_ms=session.blink_ms)
            if kept != self.settings:
                try:
                    settings.save(kept)
                except (OSError, IfuviewError) as error:
                    self.controller.say(Level.WARNING, f"the settings were not saved: {error}")
        self.worker.cancel()
        if not self.embedded:
            QTimer.singleShot(0, self.app.quit)

    # intents that only the window can carry out

    def _begin_tour(self, intent: want.BeginTour) -> None:
        from ifuview.gui.shell.tour import Tour

        folder = None if self.picture_folder is None else Path(self.picture_folder)
        self.tour = Tour(self.controller, self.window, intent.plan.stops, folder)
        self.tour.ended.connect(self.close)

    def _edit_preferences(self, _: want.EditPreferences) -> None:
        from ifuview.gui.dialogs.preferences import PreferencesDialog

        dialog = PreferencesDialog(self.settings, self.window)
        if dialog.exec():
            self.controller.handle(want.SetPreferences(dialog.chosen()))

    def _use(self, settings: Settings) -> None:
        """Let preferences take effect."""
        if settings.theme != self.settings.theme:
            theme.apply(self.app, settings.theme)
        if settings.blink_ms != self.settings.blink_ms:
            self.controller.handle(want.SetLayout(self.store.session.layout, settings.blink_ms))
        self.settings = settings
        preferences.use(settings)
        self.window.canvas.hands.wheel_at = settings.wheel
        look, problem = preferences.base_look(settings)
        if problem:
            self.controller.say(Level.WARNING, problem)
        memory = MemoryBounds(settings.memory_warn_mib, settings.memory_limit_mib)
        judges = settings.judge == "opening"
        overlay = replace(self.store.session.overlay, sexagesimal=settings.sky == "sexagesimal")
        new = replace(self.store.session, base_look=look, memory=memory, judges=judges, overlay=overlay)
        self.controller.take(new)

    def _save_image(self, intent: want.SaveImage) -> None:
        area, canvas = self.window.dock_area, self.window.canvas
        picture = area.picture(intent.dock, DOCK_PICTURE).toImage() if intent.dock else canvas.grab_image()
        try:
            if not (data := encoded(picture, intent.format.upper(), PICTURE_QUALITY)):
                raise UsageError(f"no picture can be written as {intent.format}", intent.path, "choose png")
            with whole_file(intent.path, "the picture") as part:
                Path(part).write_bytes(data)
        except UsageError as problem:
            self.controller.say(Level.ERROR, str(problem))
            return
        self.controller.say(Level.INFO, f"Picture written to {intent.path}")

    # last resort

    def _late_hooks(self) -> None:
        """The hooks whose modules need not be loaded before the first paint."""
        import threading

        threading.excepthook = lambda a: self._unexpected(a.exc_type, a.exc_value, a.exc_traceback)
        if threading.current_thread() is threading.main_thread():
            from ifuview.gui.outside.interrupts import Interrupts

            self._interrupts = Interrupts(self.app.quit, self)

    def _unexpected(self, kind: type[BaseException], error: BaseException | None, trace: Any) -> None:
        import traceback

        detail = "".join(traceback.format_exception(kind, error, trace))
        print(detail, file=sys.stderr)
        if self.headless:
            self.exit_code = INTERNAL_ERROR
            self.app.exit(1)
            return
        self.controller.say(Level.ERROR, told(error or kind()), detail)
        self._boxes = [b for b in self._boxes if b.isVisible()]
        if len(self._boxes) < MAX_PROBLEM_BOXES:
            from ifuview.gui.dialogs.problem import show_problem

            text = told(error or kind())
            self._boxes.append(show_problem(text, detail, str(getattr(self, "log_file", "") or ""), self.window))
