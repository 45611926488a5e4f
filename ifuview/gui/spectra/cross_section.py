"""Cross-section dock: counts across the fibers, live under the cursor and fitted at the last click."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtWidgets import QSpinBox, QVBoxLayout, QWidget

from ifuview.app.intents import SetSectionColumns
from ifuview.app.spectra.views.cross_section import CrossSectionHover, CrossSectionView, with_ghost
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._plot import show_bottom
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, labelled, plain_numbers, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.model.figure import Figure

MAX_COLUMNS = 999


class CrossSectionDock(Dock):
    """Draws views/cross_section; emits SetSectionColumns."""

    key: ClassVar[str] = "section"
    title: ClassVar[str] = "Cross-section"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: CrossSectionView | None = None
        self.columns = QSpinBox()
        self.columns.setRange(1, MAX_COLUMNS)
        plain_numbers(self.columns, "Columns of the running median")
        self.columns.valueChanged.connect(lambda n: self.intent.emit(SetSectionColumns(n)))
        self.hold = button("Hold", "Keep the fitted cross-section; off: follow the pointer", check=True)
        self.hold.toggled.connect(lambda _on: self._show())
        self.info = quiet_label()
        bar = FlowLayout()
        bar.addWidget(labelled("Columns", self.columns))
        bar.addWidget(self.hold)
        content = QWidget()
        self._build_plots(content)
        self.pages = Pages(content)
        column(self, bar, self.info, self.pages)
        self.setAccessibleName("Cross-section")
        self.draw(None)

    def _build_plots(self, content: QWidget) -> None:
        """The counts above, their residuals below."""
        self.plot = FigurePlot("Counts across the fibers", headed=False)
        self.residual_plot = FigurePlot("Residual of the profile fit in sigma", headed=False)
        self.residual_plot.setXLink(self.plot)
        self.residual_plot.setFixedHeight(110)
        box = QVBoxLayout(content)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.plot, 1)
        box.addWidget(self.residual_plot)

    def draw(self, view: CrossSectionView | None) -> None:
        """Show the fitted section of the last click, or how to get one."""
        before = self._view.section if self._view is not None else None
        self._view = view
        if view is not None and view.columns != self.columns.value():
            self.columns.blockSignals(True)
            self.columns.setValue(view.columns)
            self.columns.blockSignals(False)
        section = view.section if view is not None else None
        self.hold.setEnabled(section is not None)
        if section is not before:
            self.hold.blockSignals(True)
            self.hold.setChecked(section is not None)
            self.hold.blockSignals(False)
        self._show()

    def hover(self, view: CrossSectionHover | None) -> None:
        """Follow the pointer: the whole plot, or a thin line while a section is held."""
        held = self._held
        if held is not None:
            self.plot.show_figure(with_ghost(held, view), fit=False)
        elif view is None:
            self._show()
        else:
            self.pages.show_content()
            self._show_residual(None)
            self.info.setText(view.text)
            self.plot.show_figure(view.figure)

    @property
    def _held(self) -> CrossSectionView | None:
        """The view whose section is kept on show."""
        view = self._view
        return view if view is not None and view.figure is not None and self.hold.isChecked() else None

    def _show(self) -> None:
        """Draw the held section, the hint, or an empty plot that waits for the pointer."""
        view, held = self._view, self._held
        if held is None or held.figure is None:
            self._show_residual(None)
            self.plot.show_figure(Figure())
            self.info.setText("")
            hint = "Open a detector image or row-stacked spectra to see a cross-section." if view is None else view.hint
            if view is not None and view.section is not None:
                hint = "Move the pointer over the image, or press Hold to see the fit again."
            self.pages.show_hint(hint)
            return
        self.pages.show_content()
        self.info.setText(f"{held.title}\n{held.summary}".strip())
        self._show_residual(held.residual)
        self.plot.show_figure(held.figure)

    def _show_residual(self, figure: Figure | None) -> None:
        """The residual panel; hidden without a model."""
        self.residual_plot.setVisible(figure is not None)
        show_bottom(self.plot, figure is None)
        if figure is not None:
            self.residual_plot.show_figure(figure)
