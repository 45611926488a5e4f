"""What the actions do that need the window itself: file dialogs, zoom steps, sheets. Each ends in an intent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer, QUrl
from PyQt6.QtGui import QDesktopServices, QGuiApplication
from PyQt6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMessageBox

from ifuview.app import intents as want
from ifuview.app.frames.views import skyposition
from ifuview.app.preferences import data_folder
from ifuview.gui.docks import DOCKS
from ifuview.gui.shell.window_contract import CommandedWindow
from ifuview.gui.window.actions import photons_of
from ifuview.gui.window.menus import ACTIONS
from ifuview.gui.window.save_dialogs import SaveDialogs

FILTER = (
    "Images, photon lists, traces (*.fits *.fit *.fits.gz *.fits.fz *.fz *.h5 *.hdf5 *.bin *.img *.ecsv *.csv *.json)"
    ";;All files (*)"
)
NO_POSITION = "select a fiber whose position on the sky the file knows"
PICTURE_FILES = "FITS (*.fits);;PNG (*.png)"
MOST_BINS = 3000


class WindowCommands(SaveDialogs):
    """The methods that the table of actions names."""

    def __init__(self, window: CommandedWindow) -> None:
        self.window, self.controller = window, window.controller
        self._chosen_in = ""  # folder from which something was opened last

    def _ask_files(self, title: str, pattern: str = FILTER) -> list[str]:
        found = QFileDialog.getOpenFileNames(self.window, title, self._start(), pattern)[0]
        self._chosen_in = str(Path(found[0]).parent) if found else self._chosen_in
        return found

    def _start(self) -> str:
        """Where a dialog starts: where files were chosen before, else where data lie, else beside the last file."""
        recent = self.controller.session.recent
        return self._chosen_in or data_folder() or (str(Path(recent[0]).parent) if recent else "")

    def _ask_folder(self, title: str) -> str:
        """A folder to open."""
        found = QFileDialog.getExistingDirectory(self.window, title, self._start())
        self._chosen_in = found or self._chosen_in
        return found

    def open_dialog(self) -> None:
        for path in self._ask_files("Open"):
            self.controller.handle(want.OpenFile(path))

    def open_all_dialog(self) -> None:
        for path in self._ask_files("Open all extensions as frames"):
            self.controller.handle(want.OpenFile(path, every=True))

    def open_folder_dialog(self) -> None:
        if folder := self._ask_folder("Open a production, a night, an exposure or a tile"):
            self.controller.handle(want.OpenFolder(folder))

    def compare_folder_dialog(self) -> None:
        if folder := self._ask_folder("Compare with another production"):
            self.controller.handle(want.CompareProduction(folder))

    def traces_dialog(self) -> None:
        for path in self._ask_files("Load traces")[:1]:
            self.controller.handle(want.LoadTraces(path))

    def restore_session_dialog(self) -> None:
        for path in self._ask_files("Restore a session", "Sessions (*.json);;All files (*)")[:1]:
            self.controller.handle(want.RestoreSession(path))

    def regions_dialog(self) -> None:
        for path in self._ask_files("Load regions", "ds9 regions (*.reg);;All files (*)")[:1]:
            self.controller.handle(want.LoadRegions(path))

    def remove_region(self) -> None:
        """Remove the region that is selected on the canvas."""
        if not self.window.canvas.hands.regions.remove():
            self.controller.handle(want.Note("info", "select a region first: draw with Shift+B, then click one"))

    def region_text_dialog(self) -> None:
        """Ask for the text of the region that is selected on the canvas."""
        hands = self.window.canvas.hands.regions
        chosen = hands.chosen()
        if chosen is None:
            self.controller.handle(want.Note("info", "select a region first: draw with Shift+B, then click one"))
            return
        text, ok = QInputDialog.getText(self.window, "Text of the region", "Text", text=chosen.text)
        if ok:
            hands.rename(text.strip())

    def beammap_dialog(self) -> None:
        for path in self._ask_files("Use a beam map", "Beam maps (*.bmap *.txt);;All files (*)")[:1]:
            self.controller.handle(want.UseBeammap(path))

    def save_photon_cube_dialog(self) -> None:
        """Ask for the axis, then the bins (0: those of the file), then where."""
        if photons_of(self.controller.session) is None:
            self.controller.handle(want.Note("info", "open a photon list first"))
            return
        axes = ("time", "wavelength or phase")
        axis, ok = QInputDialog.getItem(self.window, "Save a cube", "Bins of", axes, 0, False)
        if not ok:
            return
        bins, ok = QInputDialog.getInt(self.window, "Save a cube", "Number of bins (0: of 1 s or as the file says)",
                                       0, 0, MOST_BINS)  # fmt: skip
        kind = "time" if axis == "time" else "wave"
        if ok:
            self._ask_save("Save a cube", f"photons_{kind}.fits", PICTURE_FILES,
                           lambda path: want.SavePhotons("cube", path, kind, bins))  # fmt: skip

    def diagnose(self) -> None:
        """Diagnose the traces of the current frame and show the findings."""
        self.controller.handle(want.ShowDock("findings"))
        self.controller.handle(want.Diagnose())

    def load_solution_dialog(self) -> None:
        for path in self._ask_files("Load solutions", "Solutions (*.h5 *.hdf5 *.npz);;All files (*)"):
            self.controller.handle(want.LoadCalibration("", path))

    def export_diagnosis_dialog(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.window, "Export the diagnosis into a folder")
        if folder:
            self.controller.handle(want.ExportDiagnosis(folder))

    def save_reduction_dialog(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.window, "Folder of the products")
        if folder:
            self.controller.handle(want.SaveReduction(folder))

    def escape(self) -> None:
        """End the drawing of regions; leave a search box or a table for the image; there, clear the selection."""
        if self.window.banner.isVisible():
            self.window.banner.hide()
            return
        if self.controller.session.drawing:
            if not self.window.canvas.hands.regions.drop():
                self.controller.handle(want.DrawRegions(""))
            return
        if self.window.canvas.hasFocus():
            self.controller.handle(want.SelectFiber(None))
        else:
            self.window.canvas.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def fiber_dialog(self) -> None:
        name, ok = QInputDialog.getText(self.window, "Go to fiber", "Number of the fiber")
        if ok and name.strip():
            self.controller.handle(want.FindFiber(name.strip()))

    def problem_menu(self) -> None:
        """What else shows the problem, as the bar offers it."""
        if not self.window.verdict.open_menu():
            self.controller.handle(want.Note("info", "nothing else is there to look at of a problem"))

    def choose_dialog(self) -> None:
        """Ask which spectra."""
        words = "Fibers (3000:3010,3050), a TARGETID, or terms (SPECTYPE=QSO, Z>4)"
        text, ok = QInputDialog.getText(self.window, "Choose spectra", words)
        if ok and text.strip():
            self.controller.handle(want.ChooseSpectra(text))

    def copy_radec(self) -> None:
        """Put the position of the selected fiber on the clipboard."""
        place = skyposition.position(self.controller.session)
        if place is None:
            self.controller.handle(want.Note("info", NO_POSITION))
            return
        QGuiApplication.clipboard().setText(skyposition.text(place))
        self.controller.handle(want.Note("info", f"Copied: {skyposition.text(place)}"))

    def open_sky_viewer(self) -> None:
        """Show the position of the selected fiber in the browser; nothing goes to the network before this."""
        place = skyposition.position(self.controller.session)
        if place is None:
            self.controller.handle(want.Note("info", NO_POSITION))
        else:
            QDesktopServices.openUrl(QUrl(skyposition.address(place)))

    def _zoom(self, factor: float) -> None:
        slot = self.controller.session.slot()
        if slot is not None:
            view = self.window.canvas.view_of(slot.key)
            self.controller.handle(want.SetView(slot.key, replace(view, zoom=view.zoom * factor, fit=False)))

    def zoom_in(self) -> None:
        self._zoom(2.0)

    def zoom_out(self) -> None:
        self._zoom(0.5)

    def zoom_one(self) -> None:
        slot = self.controller.session.slot()
        if slot is not None:
            view = self.window.canvas.view_of(slot.key)
            self.controller.handle(want.SetView(slot.key, replace(view, zoom=1.0, aspect=1.0, fit=False)))

    def stretch(self) -> None:
        """Use the whole canvas, with pixels that are not square; again to go back."""
        slot = self.controller.session.slot()
        if slot is not None:
            aspect = 0.0 if slot.view.aspect == 1.0 else 1.0
            self.controller.handle(want.SetView(slot.key, replace(slot.whole, aspect=aspect)))

    def _step_plane(self, step: int) -> None:
        slot = self.controller.session.slot()
        if slot is not None and slot.plane:
            self.controller.handle(want.SetPlane(slot.key, (*slot.plane[:-1], slot.plane[-1] + step)))

    def plane_next(self) -> None:
        self._step_plane(1)

    def plane_previous(self) -> None:
        self._step_plane(-1)

    def play_planes(self, period_ms: int) -> None:
        """Step through the planes of a cube until it is closed or another step is made by hand."""
        timer = QTimer(self.window)
        timer.timeout.connect(lambda: self._play_step(timer))
        timer.start(period_ms)

    def _play_step(self, timer: QTimer) -> None:
        slot = self.controller.session.slot()
        if slot is None or not slot.plane:
            timer.stop()
            return
        plane = (slot.plane[-1] + 1) % slot.image.nplanes
        self.controller.handle(want.SetPlane(slot.key, (*slot.plane[:-1], plane)))

    def toggle_freeze(self) -> None:
        self.window.readout.frozen = not self.window.readout.frozen
        self.window.actions_by_name["freeze"].setChecked(self.window.readout.frozen)
        self.window.readout.update()

    def measure_source(self) -> None:
        """Measure the source under the cursor, else at the crosshair."""
        session, at = self.controller.session, self.window.presenter.cursor
        if at is None and session.current is not None and session.selection.x is not None:
            at = session.current, session.selection.x, session.selection.y or 0.0
        if at is None:
            self.controller.handle(want.Note("info", "point at a source on the image, then press the key"))
        else:
            self.controller.handle(want.MeasureSource(*at))

    def cut(self) -> None:
        """Draw a line; the values along it are shown."""
        self.controller.handle(want.ShowDock("cut"))
        self.controller.handle(want.DrawRegions("line"))

    def copy_readout(self) -> None:
        QGuiApplication.clipboard().setText(self.window.readout.text())

    def mask_bits_dialog(self) -> None:
        """Choose which mask bits of the current frame are painted."""
        from ifuview.app.frames.views.limits import mask_bits
        from ifuview.gui.dialogs.mask_bits import MaskBitsDialog

        slot = self.controller.session.slot()
        bits = () if slot is None else mask_bits(slot.image)
        if slot is None or not bits:
            text = "this image has no mask" if slot else "open an image with a mask"
            self.controller.handle(want.Note("info", text))
            return
        key = slot.key

        def show(shown: int) -> None:
            now = self.controller.session.slot(key)
            if now is not None:
                self.controller.handle(want.SetLook(key, replace(now.look, mask_shown=shown)))

        dialog = MaskBitsDialog(bits, slot.look.mask_shown, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.changed.connect(show)
        dialog.show()

    def reset_layout(self) -> None:
        self.window.dock_area.reset()

    def theme_auto(self) -> None:
        self.controller.handle(want.SetTheme("auto"))

    def theme_light(self) -> None:
        self.controller.handle(want.SetTheme("light"))

    def theme_dark(self) -> None:
        self.controller.handle(want.SetTheme("dark"))

    def toggle_fullscreen(self) -> None:
        self.window.setWindowState(self.window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def command_palette(self) -> None:
        from ifuview.gui.dialogs.palette import CommandPalette

        known = self.window.actions_by_name
        commands = [(a.text.rstrip("."), a.menu.lstrip("-").replace("/", " \u203a "), known[a.name]) for a in ACTIONS]
        commands += [(f"Dock: {e.title}", "Window", known[f"dock-{e.key}"]) for e in DOCKS]
        palette = CommandPalette(commands, self.window)
        if palette.exec() and palette.chosen is not None:
            palette.chosen.trigger()

    def show_shortcuts(self) -> None:
        from ifuview.gui.dialogs.shortcuts import ShortcutSheet

        sheet = ShortcutSheet(self.window)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.show()

    def show_help(self) -> None:
        from ifuview.gui.dialogs.help import HelpDialog

        dialog = HelpDialog(self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def show_about(self) -> None:
        from ifuview import __version__

        QMessageBox.about(
            self.window,
            "About ifuview",
            f"<b>ifuview {__version__}</b><br>Which fiber, which wavelength, which step.<br>GPL-3.0-or-later",
        )

    def close(self) -> None:
        self.window.close()

    def toggle_panel(self, key: str) -> None:
        """Bring a panel to the front; one that is there goes. The focus stays where it is."""
        dock = self.window.docks[key]
        in_front = dock.isVisible() and not dock.visibleRegion().isEmpty()
        self.controller.handle(want.ShowDock(key, not in_front))

    def focus_next_panel(self) -> None:
        """Move the focus to the next visible panel, the canvas included."""
        stops = [self.window.canvas, *(d.widget() for d in self.window.docks.values() if d.widget() and d.isVisible())]
        focus = QApplication.focusWidget()
        inside = [i for i, w in enumerate(stops) if focus is not None and (w is focus or w.isAncestorOf(focus))]
        target = stops[(inside[0] + 1) % len(stops)] if inside else stops[0]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        target.focusNextPrevChild(True) if target is not self.window.canvas else None
