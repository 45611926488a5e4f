"""The second row of the spectrum dock: which spectra, lines at a redshift, the rest frame, pages of a stack."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLineEdit, QSlider, QSpinBox, QWidget

from ifuview.app.spectra.gathered import EACH, NAMES
from ifuview.app.spectra.views import linemarks
from ifuview.app.spectra.views import spectrum as pure
from ifuview.app.spectra.views.spectrum import SpectrumView
from ifuview.gui.parts._widgets import FlowLayout, button, combo, labelled, plain_numbers

LISTS = (
    *(("No lines", ""), ("Galaxy, QSO", "galaxy")),
    *(("Star", "stellar"), ("Nebula", "nebular")),
)  # rest wavelengths in resources/linelists
GATHER = (("Each (region: mean)", EACH), *((text, how) for how, text in NAMES.items()))
MAX_REDSHIFT = 7.0
SLIDER_STEPS = 7000  # in log(1 + z)
STACK = 1.0  # typical ranges between stacked spectra at first


class LineBar(FlowLayout):
    """Emits what the user turns: `chose(text)`, `gathered(how)`, `turned(pages)`, `relined` and `reframed`."""

    chose = pyqtSignal(str)
    turned = pyqtSignal(int)
    relined = pyqtSignal()
    reframed = pyqtSignal()
    gathered = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._list_chosen = False  # the user chose a line list
        self._shown_redshift: float | None = None  # of the spectra
        self._build_redshift()
        self._build_stack()
        self.gather_box = combo(GATHER, "One spectrum of the region or of the selected fibers")
        self.gather_box.activated.connect(lambda _i: self.gathered.emit(str(self.gather_box.currentData())))
        self.addWidget(self.gather_box)
        self.turned_parts = (self.list_box, labelled("z", self.redshift), self.slider, self.rest_on)
        for part in (labelled("Choose", self.choice), *self.turned_parts, self.stack_part, self.pager):
            self.addWidget(part)

    def _build_redshift(self) -> None:
        """Which spectra, which lines, at which redshift."""
        self.choice = QLineEdit()
        self.choice.setPlaceholderText("3000:3010,3050 or SPECTYPE=QSO, Z>4")
        self.choice.setAccessibleName("Choose spectra")
        self.choice.setToolTip(
            "Fiber numbers and ranges, a TARGETID, or terms like OBJTYPE=SKY, SPECTYPE=QSO, Z=4.3:4.4"
        )
        self.choice.returnPressed.connect(self._choose)
        self.list_box = combo(LISTS, "Lines to mark")
        self.redshift = QDoubleSpinBox()
        self.redshift.setRange(-0.01, MAX_REDSHIFT)
        self.redshift.setDecimals(4)
        self.redshift.setSingleStep(0.001)
        plain_numbers(self.redshift, "Redshift of the lines and of the rest frame")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setMinimumWidth(60)
        self.slider.setAccessibleName("Redshift")
        self.slider.setToolTip("Redshift of the lines and of the rest frame")
        self.rest_on = button("Rest frame", "Divide the wavelengths by 1 + z", check=True)
        self.list_box.activated.connect(self._chose_list)
        self.list_box.currentIndexChanged.connect(lambda _i: self.relined.emit())
        self.redshift.valueChanged.connect(self._redshifted)
        self.slider.valueChanged.connect(
            lambda n: self.redshift.setValue(linemarks.slider_redshift(n, SLIDER_STEPS, MAX_REDSHIFT))
        )
        self.rest_on.toggled.connect(lambda _on: self.reframed.emit())

    def _build_stack(self) -> None:
        """The distance of stacked spectra; how many of many selected fibers are drawn, and the next ones."""
        self.stack_box = QDoubleSpinBox()
        self.stack_box.setRange(0.0, 20.0)
        self.stack_box.setSingleStep(0.5)
        self.stack_box.setValue(STACK)
        plain_numbers(self.stack_box, "Distance of stacked spectra in typical ranges")
        self.stack_part = labelled("Stack", self.stack_box)
        self.pager = QWidget()
        self.count_box = QSpinBox()
        self.count_box.setRange(2, pure.MOST_STACKED)
        self.count_box.setValue(pure.STACKED)
        plain_numbers(self.count_box, "Stacked spectra that are drawn at a time")
        self.before = button("◀", "The selected fibers before these")
        self.after = button("▶", "The next selected fibers")
        row = QHBoxLayout(self.pager)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for part in (labelled("Fibers", self.count_box), self.before, self.after):
            row.addWidget(part)
        self.stack_box.valueChanged.connect(lambda _v: self.reframed.emit())
        self.count_box.valueChanged.connect(lambda _n: self.turned.emit(0))
        self.before.clicked.connect(lambda: self.turned.emit(-1))
        self.after.clicked.connect(lambda: self.turned.emit(1))

    def show_view(self, view: SpectrumView, *, changed: bool) -> None:
        """The redshift and the lines of the spectra, unless the user has turned to others; the pages of a stack.

        Without spectra there is nothing to turn, only to choose.
        """
        self.show_pager(view)
        for part in self.turned_parts:
            part.setVisible(bool(view.spectra))
        self.gather_box.setVisible(bool(view.gather))
        self.gather_box.setCurrentIndex(max(0, self.gather_box.findData(view.gather)))
        if view.redshift is not None and not self._list_chosen:
            self.list_box.setCurrentIndex(max(0, self.list_box.findData(view.lines)))
        if view.redshift is not None and (changed or self._shown_redshift != view.redshift):
            self.redshift.blockSignals(True)
            self.redshift.setValue(view.redshift)
            self.redshift.blockSignals(False)
            self._move_slider(view.redshift)
        self._shown_redshift = view.redshift

    def show_pager(self, view: SpectrumView) -> None:
        """Show the switches of a stack when there is something to turn."""
        self.stack_part.setVisible(bool(view.group))
        self.pager.setVisible(bool(view.group) and len(view.chosen) > pure.STACKED)
        shown = len(set(view.group))
        self.before.setEnabled(view.start > 0)
        self.after.setEnabled(view.start + shown < len(view.chosen))

    @property
    def line_list(self) -> str:
        """Name of the chosen list, "" for none."""
        return str(self.list_box.currentData())

    @property
    def stretch(self) -> float:
        """Observed wavelength over that of the rest frame, 1 where that is not wanted."""
        return 1.0 + self.redshift.value() if self.rest_on.isChecked() else 1.0

    def _choose(self) -> None:
        """Select the spectra that are named."""
        if self.choice.text().strip():
            self.chose.emit(self.choice.text())

    def _chose_list(self, _place: int) -> None:
        """The user wants this line list from now on."""
        self._list_chosen = True

    def _redshifted(self, value: float) -> None:
        """Another redshift: the slider follows, lines and rest frame move."""
        self._move_slider(value)
        if self.rest_on.isChecked():
            self.reframed.emit()
        else:
            self.relined.emit()

    def _move_slider(self, redshift: float) -> None:
        """Bring the slider to a redshift."""
        self.slider.blockSignals(True)
        self.slider.setValue(linemarks.redshift_slider(redshift, SLIDER_STEPS, MAX_REDSHIFT))
        self.slider.blockSignals(False)
