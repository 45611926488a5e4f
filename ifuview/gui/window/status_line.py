"""The line at the bottom: the last message, the running job, its progress and a way to cancel it."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QProgressBar, QSizePolicy, QStatusBar, QToolButton

from ifuview.app import intents as want
from ifuview.app.jobs import JobRecord
from ifuview.app.session import Level, Message
from ifuview.gui.plain import PlainLabel, plain
from ifuview.gui.shell.controller import Controller

MARKS = {Level.INFO: "", Level.WARNING: "\u26a0 ", Level.ERROR: "\u2716 "}
JOB_WIDTH = 360  # px of the name of a job


class StatusLine:
    """Fills the status bar of the window."""

    def __init__(self, bar: QStatusBar, controller: Controller) -> None:
        self.note = PlainLabel()
        self.note.setAccessibleName("Last message")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.job_text = PlainLabel()
        self.progress = QProgressBar()
        self.progress.setFixedWidth(140)
        self.progress.setMaximumHeight(14)
        self.progress.setRange(0, 100)
        self.cancel = QToolButton()
        self.cancel.setText("Cancel")
        self.cancel.clicked.connect(lambda: controller.handle(want.CancelJob(None)))
        bar.addWidget(self.note, 1)
        for widget in (self.job_text, self.progress, self.cancel):
            bar.addPermanentWidget(widget)
            widget.hide()

    def show_message(self, message: Message) -> None:
        """Show what happened last."""
        self.note.setText(MARKS[message.level] + message.text)
        self.note.setToolTip(plain(message.text))
        role = "palette(window-text)" if message.level is Level.INFO else "palette(bright-text)"
        self.note.setStyleSheet(f"color: {role};")

    def forget_error(self) -> None:
        """What went wrong was read, or something went well since."""
        if self.note.text().startswith(MARKS[Level.ERROR]):
            self.note.clear()

    def show_job(self, job: JobRecord | None) -> None:
        """Show a job with its progress, or none."""
        for widget in (self.job_text, self.progress, self.cancel):
            widget.setVisible(job is not None)
        if job is not None:
            text = self.job_text.fontMetrics().elidedText(job.text or job.name, Qt.TextElideMode.ElideMiddle, JOB_WIDTH)
            self.job_text.setText(text)
            self.progress.setValue(round(100 * job.fraction))
