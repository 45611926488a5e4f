"""Inward road of spectra and tables: choosing fibers, wavelength windows, files of tables and those beside a frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifuview.app import intents as want
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.opened import TablesOnly, first_look, first_plane
from ifuview.app.frames.opening import open_dataset
from ifuview.app.jobs import JobRequest
from ifuview.app.session import Level
from ifuview.app.spectra.companions import models_beside, read_tables, tables_beside
from ifuview.errors import UsageError
from ifuview.files import product_stem
from ifuview.model.dataset import Dataset

if TYPE_CHECKING:
    from ifuview.gui.shell.controller import Controller


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    spectra = SpectraRoads(controller)
    controller.opened.connect(spectra.look_beside)
    return {want.ChooseSpectra: spectra.choose, want.SetWindow: spectra.set_window, want.ShowArm: spectra.show_arm}


def tables_or(read: Callable[[Any], Any], ctx: Any) -> Any:
    """What `read` gives, or the Dataset of a file that has tables but no pixels."""
    try:
        return read(ctx)
    except TablesOnly as found:
        return found.dataset


def took_tables(controller: Controller, found: Any) -> bool:
    """Whether a file of tables was opened; then they stand in the tables dock."""
    if not isinstance(found, Dataset):
        return False
    _add(controller, found)
    for note in found.notes:
        controller.say(Level.INFO, note)
    controller.handle(want.ShowDock("tables"))
    return True


def _add(controller: Controller, dataset: Dataset) -> None:
    """Put the tables of a file beside the frames, and say whether they belong to the current one."""
    from ifuview.app.frames import joined

    session = controller.session
    tables = joined.open_tables(dataset)
    controller.store.put(replace(session, tables=joined.with_tables(session.tables, tables)))
    slot = session.slot()
    if not tables:
        return
    said = f"{product_stem(dataset.path)}: {', '.join(f'{t.table.name} with {t.nrow} rows' for t in tables)}"
    controller.say(Level.INFO, said)
    empty = [t.title for t in tables if t.nrow == 0]
    if empty:
        controller.say(Level.WARNING, f"{', '.join(empty)}: the table is empty, it has not one row")
    problem = joined.why_not(tables[0], slot) if slot is not None and joined.fibermap_of(slot) is not None else ""
    if problem:
        controller.say(Level.WARNING, f"{problem}; the table is shown by itself")


class SpectraRoads:
    """What the controller does for spectra and tables."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._asked: set[str] = set()  # files that are being read

    def choose(self, intent: want.ChooseSpectra) -> None:
        """Select the fibers that a text names."""
        from ifuview.app.spectra import choice as spectra_choice

        control = self.controller
        slot = control.session.slot()
        if slot is None:
            raise UsageError("there are no spectra to choose from", todo="open a file of spectra first")
        found = spectra_choice.choose(intent.text, slot, control.session.tables)
        rows = tuple(int(row) for row in found.rows)
        control.handle(want.SelectFiber(rows[0], rows if len(rows) > 1 else ()))
        if not control.headless:
            control.handle(want.ShowDock("spectrum"))
        count = "1 spectrum" if len(rows) == 1 else f"{len(rows)} spectra"
        note = f" ({found.note})" if found.note else ""
        control.say(Level.INFO, f"{slot.title}: {count} chosen by {intent.text}{note}")

    def set_window(self, intent: want.SetWindow) -> None:
        """Keep the wavelength window."""
        window = intent.window
        ordered = None if window is None else (float(min(window)), float(max(window)))
        if ordered != self.controller.session.window:
            self.controller.store.put(replace(self.controller.session, window=ordered))

    def _models_beside(self, path: str) -> None:
        """Read the best fits that lie beside a frame of coadded spectra."""
        control = self.controller
        for file in models_beside(path):
            if all(model.path != file for model in control.session.models):

                def done(dataset: Dataset) -> None:
                    rest = tuple(m for m in control.session.models if m.path != dataset.path)
                    control.store.put(replace(control.session, models=(*rest, dataset)))
                    control.say(Level.INFO, f"Best fits of {len(dataset.images)} arms beside {path}")

                def read(ctx: Any, file: str = file) -> Dataset:
                    return open_dataset(file, ctx)

                control.submit(JobRequest(f"Best fits {file}", read, quiet=True), done)

    def show_arm(self, intent: want.ShowArm) -> None:
        """Another arm of a frame, or another frame, with the crosshair of the selected fiber at a wavelength."""
        control = self.controller
        slot = next((s for s in control.session.slots if s.title == intent.title), None)
        if slot is None:
            return
        image = next((i for i in slot.dataset.images if i.camera == intent.camera), slot.image)
        if image is slot.image:
            control.handle(want.SelectSlot(slot.key))
            self._to_wave(slot.key, intent.wave)
            return

        def done(look: Any) -> None:
            now = control.session.slot(slot.key)
            if now is not None:
                plane = first_plane(image)
                changed = replace(now, image=image, plane=plane, look=look, view=ViewState(aspect=0.0), pyramid=None)
                control.store.put(control.session.with_slot(changed))
                control.follow_up(changed)
                self._to_wave(slot.key, intent.wave)
                control.reinspect()

        control.submit(
            JobRequest(f"Limits of {image.name}", lambda ctx: first_look(image), slot="arm", front=True), done
        )

    def _to_wave(self, key: int, wave: float) -> None:
        """Put the crosshair of the selected fiber at a wavelength."""
        from ifuview.app import steps

        control = self.controller
        slot, chosen = control.session.slot(key), control.session.selection
        if slot is None or chosen.fiber is None:
            return
        pixel = steps.pixel_of_wavelength(slot, chosen.fiber, wave)
        if pixel is not None:
            x, y = slot.image.orientation.to_native(float(chosen.fiber), float(pixel), slot.image.shape)
            moved = replace(chosen, x=float(x), y=float(y))
            control.store.put(replace(control.session, selection=moved))
            control.reinspect()

    def look_beside(self, key: Any) -> None:
        """Read the redshifts that lie beside a frame of coadded spectra."""
        control = self.controller
        slot = control.session.slot(key)
        if slot is not None:
            self._models_beside(slot.dataset.path)
        paths = () if slot is None else tables_beside(slot.dataset.path)
        for path in paths:
            if path not in self._asked and all(table.path != path for table in control.session.tables):
                self._asked.add(path)

                def done(dataset: Dataset, path: str = path) -> None:
                    self._asked.discard(path)
                    _add(control, dataset)

                control.submit(
                    JobRequest(f"Tables {path}", lambda ctx, path=path: read_tables(path, ctx), quiet=True),
                    done,
                )
