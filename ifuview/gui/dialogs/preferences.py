"""Edits the Settings: what new frames look like, the wheel, the theme, the blink time, memory and threads."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from ifuview.gui.window.menus import CMAPS
from ifuview.settings import Settings

THEMES = (("auto", "Follow the desktop"), ("light", "Light"), ("dark", "Dark"))
WHEELS = (("cursor", "Zooms at the cursor"), ("center", "Zooms about the center, as ds9"))
LIMITS = (("zscale", "zscale"), ("minmax", "min - max"), ("99.5", "99.5 %"), ("99", "99 %"), ("95", "95 %"))
SKIES = (("degrees", "Degrees"), ("sexagesimal", "Hours, minutes, seconds"))
JUDGED = (("opening", "On opening, in the background"), ("asked", "Only when asked"))
MOST_MIB = 1 << 24
MOST_THREADS = 256


class PreferencesDialog(QDialog):
    """A form over the Settings; `chosen()` gives the edited value."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self._settings = settings
        form = QFormLayout(self)
        self.theme = _combo(THEMES, settings.theme)
        self.wheel = _combo(WHEELS, settings.wheel)
        self.cmap = _combo(tuple((c, c) for c in CMAPS), settings.cmap)
        self.limits = _combo(LIMITS, settings.limits)
        self.blink = _number(settings.blink_ms, 8, 10_000, " ms")
        self.warn = _number(settings.memory_warn_mib, 1, MOST_MIB, " MiB")
        self.most = _number(settings.memory_limit_mib, 1, MOST_MIB, " MiB")
        self.threads = _number(settings.threads, 0, MOST_THREADS, "")
        self.threads.setSpecialValueText("One for each core")
        self.sky = _combo(SKIES, settings.sky)
        self.judge = _combo(JUDGED, settings.judge)
        self.data = QLineEdit(settings.data)
        self.data.setPlaceholderText("Beside the file that was opened last")
        self.calibrations = QLineEdit(settings.calibrations)
        self.calibrations.setPlaceholderText("As the environment says")
        for label, widget in (
            ("Theme", self.theme),
            ("Mouse wheel", self.wheel),
            ("Colors of new frames", self.cmap),
            ("Limits of new frames", self.limits),
            ("Blink: each frame for", self.blink),
            ("RA and Dec", self.sky),
            ("Nights, traces and photons are judged", self.judge),
            ("Open dialogs start in", self.data),
            ("Calibrations of nights without their own", self.calibrations),
            ("Message when open frames exceed", self.warn),
            ("Limit of open frames", self.most),
            ("Threads of measurements", self.threads),
        ):
            widget.setAccessibleName(label)
            form.addRow(label, widget)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    def chosen(self) -> Settings:
        """The settings as the form has them now."""
        return replace(
            self._settings,
            theme=self.theme.currentData(),
            wheel=self.wheel.currentData(),
            cmap=self.cmap.currentData(),
            limits=self.limits.currentData(),
            blink_ms=self.blink.value(),
            memory_warn_mib=self.warn.value(),
            memory_limit_mib=self.most.value(),
            threads=self.threads.value(),
            sky=self.sky.currentData(),
            judge=self.judge.currentData(),
            data=self.data.text().strip(),
            calibrations=self.calibrations.text().strip(),
        )


def _number(value: int, least: int, most: int, unit: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, most)
    box.setSuffix(unit)
    box.setValue(value)
    return box


def _combo(choices: tuple[tuple[str, str], ...], value: str) -> QComboBox:
    box = QComboBox()
    for key, text in choices:
        box.addItem(text, key)
    if box.findData(value) < 0:
        box.addItem(value, value)
    box.setCurrentIndex(box.findData(value))
    return box
