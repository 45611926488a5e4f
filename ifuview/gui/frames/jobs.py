"""Jobs dock: what runs, how far it is, and buttons to stop it."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ifuview.app.frames.views.jobs import JobRow, JobsView
from ifuview.app.intents import CancelJob
from ifuview.app.jobs import JobStatus
from ifuview.gui.parts._widgets import Elided, FlowLayout, Pages, button, column, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel

MARKS = {
    JobStatus.QUEUED: "…",
    JobStatus.RUNNING: "▶",
    JobStatus.DONE: "✓",
    JobStatus.FAILED: "✕",
    JobStatus.CANCELLED: "–",
}
MOST = 60  # jobs that are listed


class JobWidget(QFrame):
    """One job: name, progress, what it does, and a button to stop it."""

    def __init__(self) -> None:
        super().__init__()
        self.id = -1
        self.mark = PlainLabel()
        self.mark.setFixedWidth(16)
        self.name = Elided()
        self.name.elide = Qt.TextElideMode.ElideMiddle  # the end of a path tells most
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setMaximumHeight(14)
        self.text = Elided()
        self.cancel = button("Cancel", "Cancel this job")
        head = QHBoxLayout()
        head.addWidget(self.mark)
        head.addWidget(self.name, 1)
        head.addWidget(self.cancel)
        column(self, head, self.bar, self.text, margin=2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def draw(self, row: JobRow) -> None:
        """Show one job."""
        self.id = row.id
        self.mark.setText(MARKS[row.status])
        self.name.setText(row.name)
        self.text.setText(row.text)
        self.bar.setVisible(row.active)
        self.bar.setValue(row.percent)
        self.bar.setAccessibleName(f"Progress of {row.name}")
        self.cancel.setVisible(row.active)
        self.cancel.setAccessibleName(f"Cancel {row.name}")


class JobsDock(Dock):
    """Draws views/jobs; emits CancelJob."""

    key: ClassVar[str] = "jobs"
    title: ClassVar[str] = "Jobs"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[JobWidget] = []
        self.cancel_all = button("Cancel all", "Cancel every job that waits or runs")
        self.cancel_all.clicked.connect(lambda: self.intent.emit(CancelJob(None)))
        self.count = quiet_label()
        bar = FlowLayout()
        bar.addWidget(self.cancel_all)
        inner = QWidget()
        self.box = QVBoxLayout(inner)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setAlignment(Qt.AlignmentFlag.AlignTop)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        self.pages = Pages(scroll)
        column(self, bar, self.count, self.pages)
        self.setAccessibleName("Jobs")
        self.draw(None)

    def draw(self, view: JobsView | None) -> None:
        """Show the jobs; widgets are reused."""
        rows = () if view is None else view.rows[:MOST]
        active = 0 if view is None else view.active
        self.cancel_all.setEnabled(active > 0)
        self.count.setVisible(bool(rows))
        self.count.setText(f"{active} active" if active else "Nothing runs.")
        if not rows:
            self.pages.show_hint("Nothing has run yet. Opening, tracing, extraction and reports appear here.")
        else:
            self.pages.show_content()
        while len(self.rows) < len(rows):
            widget = JobWidget()
            widget.cancel.clicked.connect(lambda _on, w=widget: self.intent.emit(CancelJob(w.id)))
            self.rows.append(widget)
            self.box.addWidget(widget)
        for i, widget in enumerate(self.rows):
            widget.setVisible(i < len(rows))
            if i < len(rows):
                widget.draw(rows[i])
