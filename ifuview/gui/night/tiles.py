"""Tiles dock: what is known of each fiber, all tiles side by side."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtWidgets import QGridLayout, QWidget

from ifuview.app.night.views import tiles as pure
from ifuview.app.night.views.tiles import TilesView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import Pages, column, quiet_label, scrolled
from ifuview.gui.parts.base import Dock
from ifuview.model.figure import Figure

PLOT = (170, 110)  # screen px at least
READING = "The files are being read ..."


class TilesDock(Dock):
    """Draws views/tiles."""

    key: ClassVar[str] = "tiles"
    title: ClassVar[str] = "Tile quality"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots: dict[tuple[int, int], FigurePlot] = {}
        self.said = quiet_label()
        inside = QWidget()
        self.grid = QGridLayout(inside)
        self.grid.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        column(content, self.said, scrolled(inside), margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName(self.title)
        self.draw(None)

    def draw(self, view: object) -> None:
        """Say which tiles there are; their figures come from the worker."""
        if not isinstance(view, TilesView):
            self.pages.show_hint(pure.HINT)
            return
        self.pages.show_content()
        more = f"; {view.left_out} more are left out" if view.left_out else ""
        self.said.setText(f"{len(view.files)} tile{'s' * (len(view.files) != 1)}{more}. {READING}")

    def answer(self, value: tuple[tuple[Figure, ...], ...]) -> None:
        """A row of figures for each number."""
        self.said.setText(self.said.text().removesuffix(READING).strip())
        shown = {(row, place) for row, figures in enumerate(value) for place in range(len(figures))}
        for place in shown - set(self.plots):
            plot = self.plots[place] = FigurePlot("Quality of a tile")
            plot.setMinimumSize(*PLOT)
            self.grid.addWidget(plot, *place)
        for place, plot in self.plots.items():
            plot.setVisible(place in shown)
            if place in shown:
                plot.show_figure(value[place[0]][place[1]])
