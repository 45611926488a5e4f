"""Where things are saved: each asks for a name and ends in an intent."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QFileDialog

from ifuview.app import intents as want
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.window_contract import CommandedWindow

PICTURE_FILES = "FITS (*.fits);;PNG (*.png)"
TABLE_FILES = "FITS (*.fits);;ECSV (*.ecsv);;VOTable (*.vot);;CSV (*.csv)"
CUTOUT_FILES = "Page (*.png *.pdf);;FITS (*.fits)"
LIGHT_FILES = "FITS (*.fits);;ECSV (*.ecsv)"
TRACE_FILES = "Traces (*.fits *.ecsv *.csv *.json);;All files (*)"
MOVIE_FILES = "Animated GIF (*.gif);;Animated PNG (*.png *.apng);;FITS cube (*.fits)"


class SaveDialogs:
    """The methods of the table of actions that save."""

    window: CommandedWindow
    controller: Controller

    def _ask_save(self, title: str, name: str, pattern: str, then: Callable[[str], want.Intent]) -> None:
        path = QFileDialog.getSaveFileName(self.window, title, name, pattern)[0]
        if path:
            self.controller.handle(then(path))

    def save_session_dialog(self) -> None:
        self._ask_save("Save the session", "session.json", "Sessions (*.json)", want.SaveSession)

    def save_regions_dialog(self) -> None:
        self._ask_save("Save regions", "ifuview.reg", "ds9 regions (*.reg)", want.SaveRegions)

    def cutouts_dialog(self) -> None:
        self._ask_save("Cut out this fiber in every exposure", "cutouts.png", CUTOUT_FILES, want.ExportCutouts)

    def _save_table(self, what: str) -> None:
        self._ask_save(f"Save {what}", f"{what}.fits", TABLE_FILES, lambda path: want.SaveTable(what, path))

    def save_spectra_dialog(self) -> None:
        self._save_table("spectra")

    def save_fibers_dialog(self) -> None:
        self._save_table("fibers")

    def save_sources_dialog(self) -> None:
        self._save_table("sources")

    def save_findings_dialog(self) -> None:
        self._save_table("findings")

    def save_curve_dialog(self) -> None:
        self._ask_save("Save light curves", "light_curve.fits", LIGHT_FILES, lambda path: want.SaveLight("curve", path))

    def save_spectrum_dialog(self) -> None:
        self._ask_save("Save spectra", "spectrum.fits", LIGHT_FILES, lambda path: want.SaveLight("spectrum", path))

    def save_photon_image_dialog(self) -> None:
        self._ask_save("Save the image of the photons", "photons.fits", PICTURE_FILES,
                       lambda path: want.SavePhotons("image", path))  # fmt: skip

    def save_photon_movie_dialog(self) -> None:
        self._ask_save("Save a movie of the time range, in steps of playing", "photons.gif", MOVIE_FILES,
                       lambda path: want.SavePhotons("movie", path))  # fmt: skip

    def write_calibrated_dialog(self) -> None:
        self._ask_save("Write calibrated photon list", "calibrated.h5", "Photon lists (*.h5)", want.WriteCalibrated)

    def save_speckle_dialog(self) -> None:
        self._ask_save("Save speckle maps", "speckle.fits", "FITS (*.fits)", want.SaveSpeckle)

    def save_traces_dialog(self) -> None:
        self._ask_save("Save corrected traces", "traces_corrected.fits", TRACE_FILES, want.SaveTraces)

    def report_dialog(self) -> None:
        self._ask_save("Export report", "report.png", "PNG (*.png)", want.ExportReport)

    def save_image_dialog(self) -> None:
        self._ask_save("Save picture", "ifuview.png", "PNG (*.png);;JPEG (*.jpg)", want.SaveImage)
