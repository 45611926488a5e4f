"""Limits and colors dock: histogram with two handles, transfer, color map, reduction, smoothing, mask."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pyqtgraph as pg
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QColor, QIcon, QPixmap, QValidator
from PyQt6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QMenu,
    QScrollArea,
    QSlider,
    QToolButton,
    QWidget,
)

from ifuview.app.frames.look import LimitMode, Look, Smooth, Transfer
from ifuview.app.frames.views import colors
from ifuview.app.frames.views.limits import LimitsView, with_limits, with_mode
from ifuview.app.intents import SetLook
from ifuview.gui.frames._look_choices import MODES, REDUCTIONS, SMOOTHS, SWATCH, TRANSFERS, narrow, select, swatch
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._plot import Ink
from ifuview.gui.parts._widgets import Pages, button, check, column, combo, plain_numbers, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel

HUGE = 1e308
LONG, DIGITS = 1e12, 6  # a number above the first, without decimals, is written with so many digits


class LimitsDock(Dock):
    """Draws views/limits; emits SetLook, and `limits_live(key, lo, hi)` while a handle is dragged."""

    limits_live = pyqtSignal(int, float, float)

    key: ClassVar[str] = "limits"
    title: ClassVar[str] = "Limits and colors"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: LimitsView | None = None
        self._drawing = False
        content = QWidget()
        self.name = quiet_label()
        self._build_histogram()
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._build_limits(form)
        self._build_colors(form)
        self._build_mask(form)
        column(content, self.name, self.plot, form, QWidget())
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self.pages = Pages(scroll)
        column(self, self.pages, margin=0)
        self.setAccessibleName("Limits and colors")
        self.draw(None)

    # building

    def _build_histogram(self) -> None:
        """The histogram with its two handles."""
        self.plot = FigurePlot("Histogram of the image values", headed=False, aligned=False)
        self.plot.setFixedHeight(150)
        self.plot.hideAxis("left")
        self.plot.plotItem.setMouseEnabled(x=True, y=False)
        self.handles = [self._handle(0), self._handle(1)]

    def _handle(self, index: int) -> pg.InfiniteLine:
        """One line that can be dragged."""
        line = pg.InfiniteLine(angle=90, movable=True)
        line.addMarker("v", 0.98, 12)

        def style(ink: Ink) -> None:
            line.setPen(ink.pen(index, 2))
            line.setHoverPen(ink.pen(index, 4))

        self.plot.styled(line, style, add=False)
        self.plot.addItem(line, ignoreBounds=True)
        line.sigDragged.connect(self._drag)
        line.sigPositionChangeFinished.connect(self._drop)
        return line

    def _build_limits(self, form: QFormLayout) -> None:
        """Boxes and mode."""
        self.low, self.high = _box("Lower limit"), _box("Upper limit")
        for box in (self.low, self.high):
            box.valueChanged.connect(self._typed)
        self.mode = narrow(combo(MODES, "Where the limits come from"))
        self.mode.activated.connect(self._choose_mode)
        form.addRow("Low", self.low)
        form.addRow("High", self.high)
        form.addRow("Limits", self.mode)

    def _build_colors(self, form: QFormLayout) -> None:
        """Transfer, color map, reduction, smoothing."""
        self.transfer = narrow(combo(TRANSFERS, "Transfer function between limits and colors"))
        self.exponent = _box("Exponent of the logarithm or power")
        self.exponent.setRange(0.1, 1e6)
        self.exponent.setDecimals(1)
        self.cmap = narrow(QComboBox())
        self.cmap.setAccessibleName("Color map")
        self.cmap.setIconSize(SWATCH)
        for name in colors.names():
            self.cmap.addItem(swatch(name), name, name)
        self.invert = check("Invert", "Run the color map the other way")
        self.reset = button("Reset contrast", "Undo what a right drag on the image did to bias and contrast")
        self.reduction = narrow(combo(REDUCTIONS, "How many image pixels become one screen pixel"))
        self.smooth = narrow(combo(SMOOTHS, "Smoothing of the display"))
        self.radius = _box("Radius of the smoothing in pixels")
        self.radius.setRange(0.5, 50)
        self.radius.setDecimals(1)
        self.radius.setSuffix(" px")
        self.transfer.activated.connect(lambda _i: self._set(transfer=self.transfer.currentData()))
        self.exponent.valueChanged.connect(lambda v: self._set(exponent=v))
        self.cmap.activated.connect(lambda _i: self._set(cmap=self.cmap.currentData()))
        self.invert.clicked.connect(lambda on: self._set(invert=on))
        self.reset.clicked.connect(lambda: self._set(bias=0.5, contrast=1.0))
        self.reduction.activated.connect(lambda _i: self._set(reduction=self.reduction.currentData()))
        self.smooth.activated.connect(lambda _i: self._set(smooth=self.smooth.currentData()))
        self.radius.valueChanged.connect(lambda v: self._set(smooth_radius=v))
        form.addRow("Transfer", self.transfer)
        form.addRow("Exponent", self.exponent)
        form.addRow("Colors", self.cmap)
        form.addRow(self.invert, self.reset)
        form.addRow("Zoomed out", self.reduction)
        form.addRow("Smooth", self.smooth)
        form.addRow("Radius", self.radius)
        self._form = form

    def _build_mask(self, form: QFormLayout) -> None:
        """Which mask bits are painted, in which color and how strongly."""
        self.bits = button("None", "Mask bits that are painted over the image")
        self.bits.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.bits_menu = QMenu(self.bits)
        self.bits.setMenu(self.bits_menu)
        self.mask_color = button("", "Color of the mask")
        self.mask_color.clicked.connect(self._choose_color)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(5, 100)
        self.opacity.setAccessibleName("Opacity of the mask in percent")
        self.opacity.setToolTip("Opacity of the mask")
        self.opacity.sliderReleased.connect(lambda: self._set(mask_opacity=self.opacity.value() / 100))
        self.opacity.actionTriggered.connect(self._opacity_key)
        self.no_mask = PlainLabel("no mask in this file")
        form.addRow("Mask", self.bits)
        form.addRow("Mask color", self.mask_color)
        form.addRow("Opacity", self.opacity)
        form.addRow("Mask", self.no_mask)

    # drawing

    def draw(self, view: LimitsView | None) -> None:
        """Show histogram and switches of the current frame."""
        fresh = view is not None and (self._view is None or view.key != self._view.key)
        self._view = view
        if view is None:
            self.pages.show_hint("Open an image to set its limits and colors.")
            return
        self._drawing = True
        self.pages.show_content()
        look = view.look
        self.name.setText(view.title)
        self.plot.show_figure(view.figure, fit=fresh or look.limit_mode is not LimitMode.USER)
        self._draw_limits(view)
        select(self.mode, self._mode_of(look))
        select(self.transfer, look.transfer)
        select(self.cmap, look.cmap)
        select(self.reduction, look.reduction)
        select(self.smooth, look.smooth)
        self.invert.setChecked(look.invert)
        self.reset.setEnabled(look.bias != 0.5 or look.contrast != 1.0)
        self.exponent.setValue(look.exponent)
        self.radius.setValue(look.smooth_radius)
        self._form.setRowVisible(self.exponent, look.transfer in (Transfer.LOG, Transfer.POWER))
        self._form.setRowVisible(self.radius, look.smooth is not Smooth.NONE)
        self._draw_mask(view)
        self._drawing = False

    def _draw_limits(self, view: LimitsView) -> None:
        """Handles and boxes."""
        for handle, box, value in zip(self.handles, (self.low, self.high), (view.look.lo, view.look.hi), strict=True):
            handle.setVisible(value is not None)
            box.setDecimals(view.decimals)
            box.setSingleStep(view.step)
            box.setEnabled(value is not None)
            if value is not None:
                box.setValue(value)
                if handle.value() != value:
                    handle.blockSignals(True)
                    handle.setValue(value)
                    handle.blockSignals(False)

    def _draw_mask(self, view: LimitsView) -> None:
        """Names of the bits, color, opacity."""
        shown = view.look.mask_shown
        names = [name for bit, name, _ in view.bits if shown >> bit & 1]
        self.bits.setText(", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "") or "None")
        for widget in (self.bits, self.mask_color, self.opacity):
            self._form.setRowVisible(widget, bool(view.bits))
        self._form.setRowVisible(self.no_mask, not view.bits)
        pixmap = QPixmap(32, 12)
        pixmap.fill(QColor(view.look.mask_color))
        self.mask_color.setIcon(QIcon(pixmap))
        self.mask_color.setText(QColor(view.look.mask_color).name())
        self.mask_color.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.opacity.setValue(round(100 * view.look.mask_opacity))
        self.bits_menu.clear()
        every = sum(1 << bit for bit, _, _ in view.bits)
        self.bits_menu.addAction("All", lambda: self._set(mask_shown=every))
        self.bits_menu.addAction("None", lambda: self._set(mask_shown=0))
        self.bits_menu.addSeparator()
        for bit, name, meaning in view.bits:
            action = QAction(f"{name}  {meaning}" if meaning else name, self.bits_menu)
            action.setCheckable(True)
            action.setChecked(bool(shown >> bit & 1))
            action.triggered.connect(lambda _on, bit=bit: self._toggle_bit(bit))
            self.bits_menu.addAction(action)

    # asking

    def _mode_of(self, look: Look) -> tuple[LimitMode, float | None]:
        """The entry of the mode box that a look stands for."""
        if look.limit_mode is not LimitMode.PERCENTILE:
            return look.limit_mode, None
        entry = (LimitMode.PERCENTILE, look.percent)
        if self.mode.findData(entry) < 0 and entry not in [self.mode.itemData(i) for i in range(self.mode.count())]:
            self.mode.addItem(f"{look.percent:g} % of the pixels", entry)
        return entry

    def _look(self, look: Look) -> None:
        """Ask for another look unless nothing changed."""
        if self._view is not None and not self._drawing and look != self._view.look:
            self.intent.emit(SetLook(self._view.key, look))

    def _set(self, **changes: object) -> None:
        """Ask for a look with some fields changed."""
        if self._view is not None:
            self._look(replace(self._view.look, **changes))

    def _choose_mode(self, _index: int) -> None:
        """The user chose where limits come from."""
        if self._view is not None:
            mode, percent = self.mode.currentData()
            self._look(with_mode(self._view.look, mode, percent))

    def _typed(self, _value: float) -> None:
        """The user typed a limit."""
        if self._view is not None and not self._drawing and self.low.value() != self.high.value():
            self._look(with_limits(self._view.look, self.low.value(), self.high.value()))

    def _handle_values(self) -> tuple[float, float]:
        """The handles in rising order."""
        lo, hi = sorted(float(handle.value()) for handle in self.handles)
        return lo, hi

    def _drag(self, *_args: object) -> None:
        """A handle moves: the canvas follows at once, the session when it is let go."""
        if self._view is None:
            return
        lo, hi = self._handle_values()
        self._drawing = True
        self.low.setValue(lo)
        self.high.setValue(hi)
        self._drawing = False
        self.limits_live.emit(self._view.key, lo, hi)

    def _drop(self, *_args: object) -> None:
        """A handle was let go."""
        lo, hi = self._handle_values()
        if self._view is not None and hi > lo:
            self._look(with_limits(self._view.look, lo, hi))

    def _toggle_bit(self, bit: int) -> None:
        """Paint or hide one mask bit."""
        if self._view is not None:
            self._set(mask_shown=self._view.look.mask_shown ^ (1 << bit))

    def _choose_color(self) -> None:
        """Ask for the color of the mask."""
        if self._view is None:
            return
        color = QColorDialog.getColor(QColor(self._view.look.mask_color), self, "Color of the mask")
        if color.isValid():
            self._set(mask_color=color.name())

    def _opacity_key(self, _action: int) -> None:
        """The slider was moved by key or click rather than dragged."""
        if not self.opacity.isSliderDown():
            self._set(mask_opacity=self.opacity.sliderPosition() / 100)


class _Number(QDoubleSpinBox):
    """A box whose largest numbers are written with an exponent."""

    def textFromValue(self, value: float) -> str:
        """Short text of a number."""
        short = abs(value) >= LONG and self.decimals() == 0
        return f"{value:.{DIGITS}g}" if short else super().textFromValue(value)

    def valueFromText(self, text: str | None) -> float:
        """The number of a text of either form."""
        try:
            return float(text or "")
        except ValueError:
            return super().valueFromText(text)

    def validate(self, text: str | None, place: int) -> tuple[QValidator.State, str, int]:
        """Whatever Python reads as a number is one."""
        try:
            float(text or "")
        except ValueError:
            return super().validate(text, place)
        return QValidator.State.Acceptable, text or "", place


def _box(name: str) -> QDoubleSpinBox:
    """A box for any number."""
    box = _Number()
    box.setDecimals(4)
    box.setRange(-HUGE, HUGE)
    box.setMinimumWidth(60)
    plain_numbers(box, name)
    return box
