"""Photons dock: what is shown of a photon list, its time and wavelength sliders, playing, the legend of its flags."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from PyQt6.QtWidgets import QButtonGroup, QDoubleSpinBox, QProgressBar, QSizePolicy, QToolButton, QWidget

from ifuview.app import intents as want
from ifuview.app.photons.views.photons import PhotonsView
from ifuview.app.session import Layout
from ifuview.gui.parts._flag_legend import FlagLegend
from ifuview.gui.parts._range_slider import RangeRow
from ifuview.gui.parts._widgets import (
    Elided,
    FlowLayout,
    Pages,
    button,
    check,
    column,
    labelled,
    plain_numbers,
    quiet_label,
)
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel

SHOWN = (("Flags", "flags", "The beam flags of the file"), ("Counts", "counts", "Photons per pixel"),
         ("Rate", "rate", "Photons per second and pixel"))  # fmt: skip
MILLI = 1e-3
TIME_DIGITS, VALUE_DIGITS = 3, 1


class PhotonsDock(Dock):
    """Draws views/photons; emits SetPhotonCut, ShowPhotons, PlayPhotons, CopyPhotons, IndexPhotons and layouts."""

    key: ClassVar[str] = "photons"
    title: ClassVar[str] = "Photons"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = PhotonsView()
        content = QWidget()
        self.headline, self.state = Elided(), quiet_label()  # one line: what lies below must not move in a drag
        self.time, self.value = RangeRow("Time", TIME_DIGITS), RangeRow("Wavelength", VALUE_DIGITS)
        self.time.moved.connect(lambda low, high, final: self._cut(final, start=low, stop=high))
        self.value.moved.connect(lambda low, high, final: self._cut(final, low=low, high=high))
        self.flags = FlagLegend()
        self.flags.changed.connect(lambda names: self._cut(True, exclude=names))
        column(content, self._build_shown(), self.headline, self.time, self.value, self._build_play(),
               self._build_compare(), self.state, self._build_index(), self.flags, margin=0)  # fmt: skip
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Photons")
        self.draw(self._view)

    # building

    def _build_shown(self) -> FlowLayout:
        bar = FlowLayout()
        self.choices: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        for text, what, tip in SHOWN:
            one = button(text, tip, check=True)
            one.clicked.connect(lambda _=False, what=what: self._show(what))
            group.addButton(one)
            self.choices[what] = one
            bar.addWidget(one)
        self.weighted = check("Weighted", "Sum the weights of the photons instead of counting them")
        self.weighted.clicked.connect(lambda on: self._cut(True, weighted=on))
        bar.addWidget(self.weighted)
        self.everything = button("Full range", "All times and all wavelengths (Alt+0)")
        self.everything.clicked.connect(lambda: self._cut(True, start=None, stop=None, low=None, high=None))
        bar.addWidget(self.everything)
        return bar

    def _build_play(self) -> FlowLayout:
        bar = FlowLayout()
        self.play = button("Play", "Play through time in steps, around the end (Ctrl+Space)", check=True)
        self.play.clicked.connect(lambda on: self.intent.emit(want.PlayPhotons(on, self._step(), self.fps.value())))
        self.step = QDoubleSpinBox()
        plain_numbers(self.step, "Length of a step of time, 1 ms to 1000 ms")
        self.step.setRange(1.0, 1000.0)
        self.step.setDecimals(0)
        self.step.setSuffix(" ms")
        self.step.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.fps = QDoubleSpinBox()
        plain_numbers(self.fps, "Steps shown in a second")
        self.fps.setRange(1.0, 50.0)
        self.fps.setDecimals(0)
        self.fps.setSuffix(" /s")
        for box in (self.step, self.fps):
            box.valueChanged.connect(self._speed)
        self.now = PlainLabel()
        for widget in (self.play, labelled("step", self.step), labelled("speed", self.fps), self.now):
            bar.addWidget(widget)
        return bar

    def _build_compare(self) -> FlowLayout:
        bar = FlowLayout()
        twin = button("Duplicate", "Open one more frame of this photon list, with ranges of its own (Ctrl+Shift+D)")
        twin.clicked.connect(lambda: self.intent.emit(want.CopyPhotons()))
        self.blink = button("Blink", "Blink the frames; click again to stop (b)", check=True)
        self.blink.clicked.connect(lambda on: self.intent.emit(want.SetLayout(Layout.BLINK if on else Layout.SINGLE)))
        for widget in (twin, self.blink):
            bar.addWidget(widget)
        return bar

    def _build_index(self) -> FlowLayout:
        bar = FlowLayout()
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setMaximumWidth(150)
        self.progress.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.cancel = button("Cancel", "Do not make the index; counts then read the file")
        self.cancel.clicked.connect(lambda: self.intent.emit(want.CancelJob(self._view.job)))
        self.make_index = button("Make the index", "With it, images follow the sliders and time can be played")
        self.make_index.clicked.connect(lambda: self.intent.emit(want.IndexPhotons()))
        for widget in (self.progress, self.cancel, self.make_index):
            bar.addWidget(widget)
        return bar

    # drawing

    def draw(self, view: PhotonsView | None) -> None:
        """Show the cut and the state of a frame, or how to get one."""
        view = PhotonsView() if view is None else view
        self._view = view
        if view.key < 0:
            self.pages.show_hint(view.hint)
            return
        self.pages.show_content()
        self.choices[view.shown.value].setChecked(True)
        self.weighted.setChecked(view.cut.weighted)
        self.weighted.setEnabled(view.weights)
        self.headline.setText(view.headline)
        self.time.show_range("Time", "s", view.span, (view.cut.start, view.cut.stop))
        self.value.show_range(view.column, view.unit, view.values, (view.cut.low, view.cut.high))
        self.play.setChecked(view.playing)
        self.play.setText("Stop" if view.playing else "Play")
        self.play.setEnabled(view.live)
        for box, value in ((self.step, view.step / MILLI), (self.fps, view.fps)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.now.setText(view.now)
        self.state.setText(view.state)
        self.state.setVisible(bool(view.state))
        self.progress.setVisible(view.job is not None)
        self.progress.setValue(round(100 * view.fraction))
        self.cancel.setVisible(view.job is not None)
        self.make_index.setVisible(view.can_index)
        self.blink.setEnabled(view.two)
        self.blink.setChecked(view.blinking)
        self.flags.draw(view.flags)

    # what the user does

    def _cut(self, final: bool, **changes: object) -> None:
        if self._view.key >= 0:
            cut = replace(self._view.cut, **changes)
            self.intent.emit(want.SetPhotonCut(self._view.key, cut, final))

    def _show(self, what: str) -> None:
        if self._view.key >= 0:
            self.intent.emit(want.ShowPhotons(what, self._view.key))

    def _step(self) -> float:
        return self.step.value() * MILLI

    def _speed(self) -> None:
        if self._view.key >= 0:
            self.intent.emit(want.PlayPhotons(self._view.playing, self._step(), self.fps.value()))
