"""The guided tour of the demo: a panel with the text of each stop, or PNG files of all stops without a display."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, QRect, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from ifuview.app.frames.tour import Stop
from ifuview.app.night.demo import intents_of
from ifuview.app.verdict import is_judging
from ifuview.gui.plain import PlainLabel
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.main_window import MainWindow

MARGIN = 10  # px, left and right of the text
SETTLE_MS = 250  # for the last repaints before a picture is taken
AGAIN_MS = 50  # until it is looked again whether all is judged


class TourPanel(QFrame):
    """Shows one stop at a time in a strip above the canvas, so that it covers nothing."""

    def __init__(self, controller: Controller, stops: tuple[Stop, ...]) -> None:
        super().__init__()
        self.controller, self.stops, self.place = controller, stops, -1
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Guided tour")
        self.title, self.text = PlainLabel(), PlainLabel()
        self.title.setStyleSheet("font-weight: bold;")
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.back, self.next = QPushButton("Back"), QPushButton("Next")
        end = QPushButton("End the tour")
        self.back.clicked.connect(lambda: self.go(self.place - 1))
        self.next.clicked.connect(lambda: self.go(self.place + 1))
        end.clicked.connect(self.hide)
        buttons = QHBoxLayout()
        buttons.addWidget(end)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 6, MARGIN, 6)
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(buttons)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the room of the longest text, so that the buttons stay under the pointer."""
        super().resizeEvent(event)
        width = self.width() - 2 * self.contentsMargins().left() - 2 * MARGIN
        box = QRect(0, 0, max(width, 1), 10_000)
        metrics, wrap = self.text.fontMetrics(), int(Qt.TextFlag.TextWordWrap)
        self.text.setFixedHeight(max(metrics.boundingRect(box, wrap, s.text).height() for s in self.stops))

    def go(self, place: int) -> None:
        """Go to a stop; after the last one the panel goes away."""
        if not 0 <= place < len(self.stops):
            self.hide()
            return
        self.place = place
        stop = self.stops[place]
        self.title.setText(f"{place + 1} / {len(self.stops)}  {stop.title}")
        self.text.setText(stop.text)
        self.back.setEnabled(place > 0)
        self.next.setText("Finish" if place == len(self.stops) - 1 else "Next")
        for intent in intents_of(stop, self.controller.session):
            self.controller.handle(intent)
        self.show()


class Tour(QObject):
    """Leads through the stops when all files are open; with a folder it writes each as a PNG file instead, and ends."""

    ended = pyqtSignal()

    def __init__(
        self, controller: Controller, window: MainWindow, stops: tuple[Stop, ...], folder: Path | None
    ) -> None:
        super().__init__(window)
        self.controller, self.window, self.folder = controller, window, folder
        self.panel = TourPanel(controller, stops)
        self.place = -1
        window.add_strip(self.panel)
        controller.when_settled(self._begin)

    def _begin(self) -> None:
        if self.folder is not None:
            self.next()
            return
        self.panel.go(0)
        QTimer.singleShot(AGAIN_MS, self._when_judged)

    def _when_judged(self) -> None:
        """The first stop is of a verdict: what other verdicts show meanwhile is left for it, unless one has gone on."""
        if self.panel.place or self.panel.isHidden():
            return
        if self.controller.busy or is_judging(self.controller.session):
            QTimer.singleShot(AGAIN_MS, self._when_judged)
        else:
            self.panel.go(0)

    def next(self) -> None:
        """Go to the next stop when the work for this one is done."""
        self.place += 1
        if self.place >= len(self.panel.stops):
            self.ended.emit()
            return
        self.panel.go(self.place)
        self.wait()

    def wait(self) -> None:
        """Take the picture as soon as nothing is being computed, and what is shown is judged."""
        if self.controller.busy or not self.window.is_ready or is_judging(self.controller.session):
            QTimer.singleShot(AGAIN_MS, self.wait)
        else:
            QTimer.singleShot(SETTLE_MS, self._take)

    def _take(self) -> None:
        assert self.folder is not None
        path = self.folder / f"demo-{self.place + 1}.png"
        self.window.grab().save(str(path))
        print(path)
        self.next()
