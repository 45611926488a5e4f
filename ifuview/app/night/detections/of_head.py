"""The detections of a head that was reduced in the window, with what was said of those that were there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.night.detections.state import DetectionState
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.session import Session
from ifuview.model.night.detections import DetectionSpectrum, DetectionTable, Judgment, PlaceFibers
from ifuview.model.reduction.detection import FieldDetections
from ifuview.model.reduction.shot import IfuSpectra
from ifuview.model.reduction.solution import ShotSolution
from ifuview.recipes.virus.place import placed

SAME_PLACE, SAME_WAVE = 1.5, 6.0  # arcsec and Angstrom between two detections of one source


@dataclass(frozen=True, slots=True, eq=False)
class HeadSource:
    """Spectra and fibers of the detections of a head in memory."""

    fields: IfuSpectra
    found: FieldDetections

    def spectrum(self, row: int) -> DetectionSpectrum:
        """The spectrum of one detection."""
        one = self.found.detections[row]
        return DetectionSpectrum(np.asarray(self.fields.wave, float), one.spectrum, one.error, one.model)

    def fibers(self, row: int, reach: float) -> PlaceFibers:
        """The fibers around it, the nearest first."""
        one, joined = self.found.detections[row], self.fields.joined()
        away = np.hypot(self.fields.x - one.x, self.fields.y - one.y)
        near = np.flatnonzero(away <= reach)
        near = near[np.argsort(away[near], kind="stable")]
        good = joined.usable()[near] & (joined.variance[near] > 0)
        flux = np.where(good, joined.flux[near], np.nan)
        error = np.where(good, np.sqrt(np.maximum(joined.variance[near], 0)), np.nan)
        names = np.full(self.fields.nfiber, "", "U8")
        for amplifier in self.fields.fields[0].amplifiers:
            names[amplifier.fibers] = amplifier.name
        numbers = np.array([field.number for field in self.fields.fields])
        return PlaceFibers(
            np.asarray(self.fields.wave, float), flux, error, self.fields.x[near], self.fields.y[near],
            numbers[near // self.fields.nfiber], names[near % self.fields.nfiber], near,
        )  # fmt: skip


def with_detections(session: Session, state: ReductionState) -> Session:
    """The session with the detections of a reduction, if it has any that are new."""
    found, fields, solution = (state.value(name) for name in ("detections", "fields", "solution"))
    if not (
        isinstance(found, FieldDetections) and isinstance(fields, IfuSpectra) and isinstance(solution, ShotSolution)
    ):
        return session
    old = session.detections
    if old is not None and isinstance(old.source, HeadSource) and old.source.found is found:
        return session
    table = table_of(found, fields, solution)
    mine = old is not None and old.path == state.title
    said = carried(old.table, old.said, table) if old is not None and mine else {}
    same = old is not None and mine and said == old.said
    new = DetectionState(
        state.title, f"{state.title}", table, HeadSource(fields, found), said=said,
        past=old.past if old is not None and same else (), undone=old.undone if old is not None and same else (),
    )  # fmt: skip
    return replace(session, detections=new)


def table_of(found: FieldDetections, fields: IfuSpectra, solution: ShotSolution) -> DetectionTable:
    """Detections of a head as columns."""
    own = found.detections
    places = placed(own, solution, fields.focal)

    def column(name: str) -> np.ndarray:
        return np.array([getattr(one, name) for one in own], np.float64)

    return DetectionTable(
        slot=np.full(len(own), fields.slot, "U8"), kind=np.array([one.kind for one in own], "U9"),
        x=column("x"), y=column("y"), ra=np.array([one.ra for one in places], np.float64),
        dec=np.array([one.dec for one in places], np.float64), wave=column("wave"), flux=column("flux"),
        sn=column("sn"), chi2=column("chi2"), fwhm=column("fwhm"),
        doubts=np.array([int(one.doubts) for one in own], np.int64),
    )  # fmt: skip


def carried(old: DetectionTable, said: Mapping[int, Judgment], new: DetectionTable) -> dict[int, Judgment]:
    """What was said of detections, for those of another table that are the same sources."""
    out = {}
    for row, given in said.items():
        away = np.hypot(new.x - old.x[row], new.y - old.y[row])
        step = np.abs(new.wave - old.wave[row])
        same = (away < SAME_PLACE) & (np.isnan(new.wave) if np.isnan(old.wave[row]) else step < SAME_WAVE)
        if same.any():
            out[int(np.argmin(np.where(same, away, np.inf)))] = given
    return out
