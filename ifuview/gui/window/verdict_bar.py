"""The verdict bar: what is wrong, where, how sure; with it the steps through the problems and the chain of products."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.gui.plain import PlainLabel, plain
from ifuview.model.verdict import VERDICT_COLORS, VERDICT_SIGNS, ChainCell, VerdictState, VerdictView

BUTTON = (
    "QToolButton { color: white; background: rgba(255, 255, 255, 36); border: 1px solid rgba(255, 255, 255, 90);"
    " border-radius: 3px; padding: 2px 7px; } QToolButton:hover { background: rgba(255, 255, 255, 70); }"
    " QToolButton:disabled { color: rgba(255, 255, 255, 110); }"
)
CELL_HEIGHT = 24
SMALL = 620  # px, height of a window whose bar has one line
LEAST_WIDTH = 440  # px, before the window has its size
NARROW = 900  # px, of a bar whose buttons stand below its words
MARGIN = 12  # px beside the words of a cell
SPARE = 6  # px around both
PROGRESS = 3  # px, height of the line that grows while cameras are judged
BAD = (VerdictState.WRONG, VerdictState.LOOK)


class VerdictBar(QFrame):
    """Draws app.verdict; emits ShowProblem, Judge, ShowDock, ShowProduct."""

    intent = pyqtSignal(object)

    def __init__(self, window: QMainWindow) -> None:
        super().__init__()
        self._view: VerdictView | None = None
        self.setObjectName("verdict")
        self.setAccessibleName("Verdict")
        self.headline, self.detail, self.judged = PlainLabel(), PlainLabel(), PlainLabel()
        for label in (self.headline, self.detail, self.judged):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self.headline, self.detail):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        bold = QFont(self.headline.font())
        bold.setBold(True)
        bold.setPointSizeF(bold.pointSizeF() * 1.15)
        self.headline.setFont(bold)
        self.back = self._button("\u2039", "Problem before ([)", lambda: self._step(-1))
        self.place = PlainLabel()
        self.on = self._button("\u203a", "Next problem (])", lambda: self._step(1))
        self.proof = self._button("Blink the proof", "Blink the two products that show it (Return)", self._blink)
        self.list = self._button("Problems", "All problems, by cause", self._list)
        hint = "What else shows it: other exposures, cameras, products, tables (Shift+Return)"
        self.more = self._button("Look at \u25be", hint, self.open_menu)
        self.menu = QMenu(self.more)
        self.stop = self._button("Stop", "Judge no more cameras", self._judge)
        self._lay_out()
        self.chain = ChainStrip()
        self.chain.intent.connect(self.intent)
        self._place_in(window)

    def _button(self, text: str, hint: str, slot: object) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(plain(hint))
        button.setAccessibleName(hint)
        button.setStyleSheet(BUTTON)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(slot)
        return button

    def _place_in(self, window: QMainWindow) -> None:
        """Stand across the whole window, below the tool bar, with the chain beneath."""
        both = QWidget()
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self)
        column.addWidget(self.chain)
        self.bar = QToolBar("Verdict")
        self.bar.setObjectName("verdict-bar")
        self.bar.setMovable(False)
        self.bar.addWidget(both)
        window.addToolBarBreak()
        window.addToolBar(self.bar)
        self.bar.hide()

    def _lay_out(self) -> None:
        top = self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        top.addWidget(self.headline, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(top.spacing())
        for widget in (self.back, self.place, self.on, self.proof, self.more, self.list, self.stop):
            buttons.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        buttons.addStretch()
        top.addLayout(buttons)
        self.place.setMinimumHeight(self.on.sizeHint().height())
        below = self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        below.addWidget(self.detail, 1)
        below.addWidget(self.judged)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 4, 8, 5)
        whole.setSpacing(2)
        whole.addLayout(top)
        whole.addLayout(below)

    def draw(self, view: VerdictView | None) -> None:
        """Show a verdict; None hides bar and chain."""
        self._view = view
        self.stay()
        self.chain.draw(() if view is None else view.chain)
        if view is None:
            return
        color = VERDICT_COLORS[view.state]
        self.setStyleSheet(f"QFrame#verdict {{ background: {color}; }} QFrame#verdict QLabel {{ color: white; }}")
        words = view.headline.replace(" \u00c5", "\u00a0\u00c5")  # a number keeps its unit beside it
        self.headline.setText(f"{VERDICT_SIGNS[view.state]}  {words}")
        self.detail.setText(view.detail)
        self.judged.setText(view.judged)
        self.judged.setToolTip(plain(view.unasked))
        count = len(view.problems)
        shown = f"problem {view.problem + 1}/{count}" if view.problem >= 0 else f"{count} problem{'s' * (count != 1)}"
        self.place.setText(shown if count else "")
        for widget in (self.back, self.on):
            widget.setVisible(count > 1)
        self.place.setVisible(count > 0)
        self.list.setVisible(count > 0 and bool(view.dock))
        self.proof.setVisible(view.proof)
        self._fill_menu(view)
        running = view.fraction is not None
        left = running or view.judged.endswith("stopped") or (view.state is VerdictState.NOT_JUDGED and view.asks)
        self.stop.setVisible(left)
        self.stop.setText("Stop" if running else "Judge")
        self.stop.setToolTip(plain("Judge no more cameras" if running else "Judge the cameras that are left"))
        self._fit()
        self.update()

    def stay(self) -> None:
        """There while there is a verdict, whatever a layout that was kept says of its bars."""
        self.bar.setVisible(self._view is not None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as the words need at this width; a tool bar asks for no more."""
        layout, view = self.layout(), self._view
        if layout is not None and view is not None:
            narrow = self.width() < NARROW
            for row in (self._top, self._below):
                row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
            room = self.bar.window().height() >= SMALL  # else they are a tool tip
            self.detail.setVisible(room and bool(view.detail or view.judged))
            self.judged.setVisible(room and bool(view.judged))
            self.setToolTip(plain("" if room else f"{view.detail}\n{view.judged}".strip()))
            layout.activate()
            self.setFixedHeight(layout.heightForWidth(max(self.width(), LEAST_WIDTH)))
            self.bar.setFixedHeight(self.height() + CELL_HEIGHT * bool(self._view and self._view.chain) + SPARE)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        if self._view is not None and self._view.fraction is not None:
            painter = QPainter(self)
            line = QRectF(0, self.height() - PROGRESS, self.width() * self._view.fraction, PROGRESS)
            painter.fillRect(line, QColor(255, 255, 255, 190))

    def _fill_menu(self, view: VerdictView) -> None:
        """Lines of the menu; it stays as it is while it is open."""
        self.more.setVisible(bool(view.more))
        if self.menu.isVisible():
            return
        self.menu.clear()
        for words, intents in view.more:
            item = self.menu.addAction(words)
            if item is not None:
                item.triggered.connect(lambda _=False, intents=intents: self._ask(intents))

    def _ask(self, intents: tuple[object, ...]) -> None:
        for intent in intents:
            self.intent.emit(intent)

    def open_menu(self) -> bool:
        """Offer what else shows the problem, the first line chosen; False where there is nothing."""
        lines = self.menu.actions() if self._view is not None and self._view.more else []
        if lines:
            self.menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))
            self.menu.setActiveAction(lines[0])
        return bool(lines)

    def _emit(self, intent: want.Intent) -> None:
        self.intent.emit(intent)

    def _step(self, step: int) -> None:
        self._emit(want.ShowProblem(step=step))

    def _blink(self) -> None:
        if self._view is not None:
            self._emit(want.ShowProblem(number=max(self._view.problem, 0), blink=True))

    def _list(self) -> None:
        if self._view is not None:
            self._emit(want.ShowDock(self._view.dock))

    def _judge(self) -> None:
        self._emit(want.Judge(on=self._view is None or self._view.fraction is None))


class ChainStrip(QWidget):
    """The steps of the data's flow as one row; a click shows the product of a step."""

    intent = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._cells: tuple[ChainCell, ...] = ()
        self.setFixedHeight(CELL_HEIGHT)
        self.setMouseTracking(True)
        self.setAccessibleName("Chain of products")

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(400, CELL_HEIGHT)

    def draw(self, cells: tuple[ChainCell, ...]) -> None:
        """Show other cells."""
        if cells == self._cells:
            return
        self._cells = cells
        self.setVisible(bool(cells))
        self.setAccessibleDescription(", ".join(f"{cell.title} {cell.state.value}" for cell in cells))
        self.update()

    def cell_at(self, x: float) -> ChainCell | None:
        """The cell below a place."""
        number = bisect_right(self._edges(), x) - 1
        return self._cells[number] if 0 <= number < len(self._cells) else None

    def place_of(self, key: str) -> float:
        """The middle of a cell, px."""
        edges = self._edges()
        number = [cell.key for cell in self._cells].index(key)
        return (edges[number] + edges[number + 1]) / 2

    def _edges(self) -> list[float]:
        """Where cells begin and the last ends: each as wide as its words, and a like share of what is left."""
        font = QFont(self.font())
        font.setBold(True)
        metrics = QFontMetricsF(font)
        sign = metrics.horizontalAdvance(f"{VERDICT_SIGNS[VerdictState.CLEAN]} ")  # so that no border moves with it
        words = [sign + metrics.horizontalAdvance(cell.title) + MARGIN for cell in self._cells]
        spare = (self.width() - sum(words)) / max(len(words), 1)
        sizes = [word + spare for word in words] if spare > 0 else [w * self.width() / sum(words) for w in words]
        return [0.0, *accumulate(sizes)]

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        cell = None if event is None else self.cell_at(event.position().x())
        if cell is not None and cell.there:
            self.intent.emit(want.ShowCell(cell.key))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        cell = None if event is None else self.cell_at(event.position().x())
        if cell is not None:
            self.setToolTip(plain(f"{cell.title}: {cell.hint}"))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for cell, (left, right) in zip(self._cells, pairwise(self._edges()), strict=True):
            self._paint_cell(painter, QRectF(left + 1, 1, right - left - 2, CELL_HEIGHT - 2), cell)

    def _paint_cell(self, painter: QPainter, box: QRectF, cell: ChainCell) -> None:
        color = QColor(VERDICT_COLORS[cell.state])
        filled = cell.there or cell.state in BAD  # what is known of a step that is not there has its color, too
        painter.fillRect(box, color if filled else self.palette().window().color())
        if not filled:
            painter.fillRect(box, QBrush(color, Qt.BrushStyle.BDiagPattern))
        if cell.shown:
            painter.setPen(QPen(self.palette().windowText().color(), 2))
            painter.drawRect(box.adjusted(1, 1, -1, -1))
        font = QFont(self.font())
        font.setBold(cell.first)
        painter.setFont(font)
        painter.setPen(QColor("white") if filled else self.palette().windowText().color())
        text = f"{VERDICT_SIGNS[cell.state] if filled else ''} {cell.title}".strip()
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()) - 6)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
