"""The task of the window: cutouts of the selected fiber at the wavelength of the crosshair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ifuview.app.frames.intents import Intent
from ifuview.app.frames.views.sampling import wavelength_at
from ifuview.app.jobs import JobKind
from ifuview.app.night import intents as want
from ifuview.app.night.open_night import here, night_of
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan, Telling
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class WriteCutouts(Telling):
    """The page, or the FITS file."""

    kind: ClassVar[JobKind] = JobKind.REPORT
    fiber: str
    wave: float
    tile: int | None
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Cut out and write, and say what."""
        from ifuview.app.night.cutouts.find import cutouts
        from ifuview.app.night.cutouts.write import check_outputs, words_of, write_cutouts

        check_outputs((self.path,))
        page = cutouts(night_of(session).index, self.fiber, self.wave, tile=self.tile, ctx=ctx)
        write_cutouts(page, self.path)
        return words_of(page, (self.path,))


def export_cutouts(session: Session, intent: want.ExportCutouts) -> Outcome:
    """Of the fiber that is selected, in all exposures of its tile.

    Raises
    ------
    UsageError
        No fiber is selected, or nothing is known of its wavelengths.
    """
    night, slot, chosen = night_of(session), session.slot(), session.selection
    if slot is None or chosen.fiber is None or chosen.x is None or chosen.y is None:
        raise UsageError("no fiber is selected", todo="click one at the wavelength that you want to see")
    disp = slot.image.orientation.from_native(chosen.x, chosen.y, slot.image.shape)[1]
    wave = wavelength_at(slot, chosen.fiber, round(float(disp)))
    if wave is None:
        raise UsageError("the wavelength of that place is not known", slot.title, "show spectra or load traces")
    source = slot.image.fibermap or slot.dataset.fibermap or slot.traces
    fiber = source.fiber_id[chosen.fiber] if source is not None else str(chosen.fiber)
    place = here(session)
    exposure = None if place is None else night.index.find(place.expid)
    tile = None if exposure is None else exposure.tile
    return WriteCutouts(title=f"Cut out fiber {fiber}", fiber=fiber, wave=wave, tile=tile, path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {want.ExportCutouts: export_cutouts}
