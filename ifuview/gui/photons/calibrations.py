"""Calibrations dock: the stack of the photon list with its switches, and plots of the solutions in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QPalette, QResizeEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QFileDialog,
    QMenu,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.app.photons.views import calibrations as pure
from ifuview.app.photons.views.calibrations import CalibrationsView, SolutionCurves, StepRow
from ifuview.app.preferences import data_folder
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import Elided, FlowLayout, Pages, button, check, column, combo, labelled, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain

HINT = "Open a photon list to calibrate it."
SOLUTIONS = "Solutions (*.h5 *.hdf5 *.npz);;All files (*)"
PHOTON_FILES = "Photon lists (*.h5)"
IMAGES = (
    ("R by laser", "resolution"),
    ("Flat weights by wavelength", "weights"),
    ("Errors of the flat weights", "errors"),
    ("Bins without a flat weight", "mask"),
)
PIXEL_METHODS = (
    ("knows the optics (threshold)", "threshold"),
    ("against the median around", "median"),
    ("against the four neighbors", "laplacian"),
)
FLAT_PLOTS = ("flat", "weights")
WIDE = 640  # px; wider docks have stack and plot side by side
LIST_HEIGHT = 92  # px


class StepList(QTreeWidget):
    """The steps with check boxes; small where there are few."""

    def sizeHint(self) -> QSize:
        return QSize(200, LIST_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 40)


class CalibrationsDock(Dock):
    """Draws views/calibrations; emits intents of the stack."""

    key: ClassVar[str] = "calibrations"
    title: ClassVar[str] = "Calibrations"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: CalibrationsView | None = None
        self._curves = SolutionCurves()
        self._titles: tuple[str, ...] = ()
        content = QWidget()
        self.box = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.addWidget(self._build_stack(), 2)
        self.box.addWidget(self._build_plots(), 2)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Calibrations")
        self.draw(None)

    # building

    def _build_stack(self) -> QWidget:
        """Buttons and the list of steps."""
        self.name = Elided()
        self.add = self._menu_button("Add", "Put a calibration on top of the photon list; the file stays as it is")
        self._fill_add()
        self.steps = StepList()
        self.steps.setHeaderLabels(["Step", "What it is"])
        self.steps.setRootIsDecorated(False)
        self.steps.setAccessibleName("Steps of the calibration, in the order in which they act")
        self.steps.setAlternatingRowColors(True)
        self.steps.currentItemChanged.connect(lambda *_: self._enable())
        self.away = button("Take away", "Undo the selected step: take it off the stack")
        self.away.clicked.connect(lambda: self._ask_of_step(lambda n: want.SwitchCalibration(n, None)))
        self.blink = button("Blink", "Blink between the photon list with and without the selected step (none: all)")
        self.blink.clicked.connect(lambda: self.intent.emit(want.CompareCalibration(self._number())))
        self.show_image = self._menu_button("Image", "Open the array in numbers of a solution as a frame")
        for text, what in IMAGES:
            self.show_image.menu().addAction(text, lambda what=what: self.intent.emit(want.ShowSolution(what)))
        self.save_plots = button("Plots...", "Write all plots of the solutions into a folder")
        self.save_plots.clicked.connect(self._save_plots)
        self.write = button("Write...", "Write a calibrated photon list that keeps what is needed to undo it")
        self.write.clicked.connect(self._write)
        bar = FlowLayout()
        for widget in (self.add, self.away, self.blink, self.show_image, self.save_plots, self.write):
            bar.addWidget(widget)
        self.done = quiet_label()
        out = QWidget()
        column(out, self.name, bar, self.done, self.steps, margin=0)
        return out

    def _menu_button(self, text: str, tip: str) -> QToolButton:
        """A button that opens a menu."""
        out = button(text, tip)
        out.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        out.setMenu(QMenu(out))
        return out

    def _fill_add(self) -> None:
        """What can be put on the stack."""
        menu = self.add.menu()
        assert menu is not None
        menu.addAction("Solution, wavelength or flat...", lambda: self._load(""))
        menu.addSeparator()
        menu.addAction("Linearity (dead time)", lambda: self.intent.emit(want.LoadCalibration("linearity")))
        menu.addAction("Cosmic rays", lambda: self.intent.emit(want.LoadCalibration("cosmics")))
        pixels = menu.addMenu("Hot, cold and dead pixels")
        assert pixels is not None
        for text, method in PIXEL_METHODS:
            pixels.addAction(text, lambda method=method: self.intent.emit(want.FindBadPixels(method)))

    def _build_plots(self) -> QWidget:
        """What of the solutions is drawn, in words and as a plot."""
        self.which = combo(pure.PLOTS, "What of the solutions is drawn")
        self.which.activated.connect(lambda _i: self._draw_plot())
        self.text = quiet_label()
        self.plot = FigurePlot("Plot of a calibration solution", headed=False)
        out = QWidget()
        column(out, labelled("Plot", self.which), self.text, self.plot, margin=0)
        return out

    # drawing

    def draw(self, view: CalibrationsView | None) -> None:
        """Show the stack; the plots follow by `answer`."""
        self._view = view
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.name.setText(view.title)
        self.done.setText(view.done)
        self._fill_steps(view.steps)
        for action, what in zip(self.show_image.menu().actions(), IMAGES, strict=True):
            action.setEnabled(view.has_wave if what[1] == "resolution" else view.has_flat)
        self.show_image.setEnabled(view.has_wave or view.has_flat)
        self.save_plots.setEnabled(view.has_wave or view.has_flat)
        self.write.setEnabled(any(step.on and not step.waits for step in view.steps))
        if not (view.has_wave or view.has_flat):
            self.answer(SolutionCurves())

    def _fill_steps(self, rows: tuple[StepRow, ...]) -> None:
        """The list; its selection stays."""
        chosen = self._number()
        before, self._titles = self._titles, tuple(row.title for row in rows)
        fresh = [n for n, title in enumerate(self._titles) if title not in before]
        while self.steps.topLevelItemCount() > len(rows):
            self.steps.takeTopLevelItem(len(rows))
        for n, row in enumerate(rows):
            item = self.steps.topLevelItem(n)
            if item is None:
                item = QTreeWidgetItem(self.steps)
                self.steps.setItemWidget(item, 0, self._box(n))
            box = self.steps.itemWidget(item, 0)
            assert isinstance(box, QCheckBox)
            box.setText(row.title)
            box.setAccessibleName(f"{row.title}: switch on or off")
            box.setChecked(row.on)
            item.setText(1, f"{row.text} ({row.waits})" if row.waits else row.text)
            item.setToolTip(1, plain(item.text(1)))
        self.steps.resizeColumnToContents(0)
        if fresh:
            self.steps.setCurrentItem(self.steps.topLevelItem(fresh[-1]))
            self._follow(rows[fresh[-1]])
        elif chosen is not None and chosen < len(rows):
            self.steps.setCurrentItem(self.steps.topLevelItem(chosen))
        self._enable()

    def _follow(self, row: StepRow) -> None:
        """A solution that is new: one of its plots, if another kind was chosen."""
        if self._view is None or not row.solution:
            return
        flat, at_pixel = row.title == "Flat", self._view.place.startswith("pixel")
        if flat is not (self.which.currentData() in FLAT_PLOTS):
            over, one = ("weights", "flat") if flat else ("resolution", "energy")
            self.which.setCurrentIndex(self.which.findData(one if at_pixel else over))

    def _box(self, number: int) -> QCheckBox:
        """The switch of a step; a box of its own, because boxes of list items cannot be seen on dark palettes."""
        box = check("", "")
        box.clicked.connect(lambda on: self.intent.emit(want.SwitchCalibration(number, on)))
        box.clicked.connect(lambda _on: self.steps.setCurrentItem(self.steps.topLevelItem(number)))
        return box

    def _enable(self) -> None:
        """Buttons that need a step."""
        self.away.setEnabled(self._number() is not None)
        chosen = self._number()
        for n in range(self.steps.topLevelItemCount()):
            box, ink = self.steps.itemWidget(self.steps.topLevelItem(n), 0), QPalette()
            if n == chosen:
                lit = self.steps.palette().color(QPalette.ColorRole.HighlightedText)
                ink.setColor(QPalette.ColorRole.WindowText, lit)
            if box is not None:
                box.setPalette(ink)
        self.blink.setEnabled(self.steps.topLevelItemCount() > 0)

    def answer(self, value: pure.SolutionCurves) -> None:
        """The curves are there."""
        self._curves = value
        self._draw_plot()

    def _draw_plot(self) -> None:
        """The chosen plot."""
        if self._view is None:
            return
        if not (self._view.has_wave or self._view.has_flat):
            self.text.setText("Add a wavelength solution or a flat to see its plots.")
            self.plot.hide()
            return
        figure, text = pure.plot(self._curves, self.which.currentData())
        self.text.setText(text)
        self.plot.setVisible(figure is not None)  # empty axes say nothing
        if figure is not None:
            self.plot.show_figure(figure)

    # asking

    def _number(self) -> int | None:
        """The selected step."""
        item = self.steps.currentItem()
        return None if item is None else self.steps.indexOfTopLevelItem(item)

    def _ask_of_step(self, make: Callable[[int], want.Intent]) -> None:
        """Emit an intent of the selected step."""
        number = self._number()
        if number is not None:
            self.intent.emit(make(number))

    def _load(self, kind: str) -> None:
        """Ask which solution."""
        for path in QFileDialog.getOpenFileNames(self, "Load solutions", data_folder(), SOLUTIONS)[0]:
            self.intent.emit(want.LoadCalibration(kind, path))

    def _save_plots(self) -> None:
        """Ask for a folder."""
        folder = QFileDialog.getExistingDirectory(self, "Write the plots of the solutions into a folder")
        if folder:
            self.intent.emit(want.PlotCalibrations(folder))

    def _write(self) -> None:
        """Ask for a name."""
        path = QFileDialog.getSaveFileName(self, "Write the calibrated photon list", "calibrated.h5", PHOTON_FILES)[0]
        if path:
            self.intent.emit(want.WriteCalibrated(path))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > WIDE
        self.box.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
