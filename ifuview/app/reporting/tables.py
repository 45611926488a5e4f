"""What is shown as a table in a file: spectra of the selected fibers, the fibers of a frame, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.gathered import subject
from ifuview.app.spectra.judging import can_judge, judged_image, verdict_of
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.image import Kind
from ifuview.model.inspection import FiberSpectrum

if TYPE_CHECKING:
    from astropy.table import Table

    from ifuview.model.spectra.verdict import SpectraVerdict

WHAT = ("spectra", "fibers", "findings", "sources")
LONG_TEXT = 60  # fibers that a finding names one by one


def save_table(session: Session, what: str, path: str) -> str:
    """Write one of `WHAT` as .fits, .ecsv, .vot or .csv; return a sentence.

    Raises
    ------
    UsageError, MissingDataError
        There is nothing of the kind, the suffix is unknown, or the file cannot be written.
    """
    from ifuview.files import check_place, check_suffix
    from ifuview.io.objects.writing import FORMATS, write_table

    if what not in WHAT:
        raise UsageError(f"{what!r} cannot be saved as a table", path, f"choose {', '.join(WHAT)}")
    check_suffix(path, FORMATS, "the table")
    check_place(path, "the table")
    table = {"spectra": spectra, "fibers": fibers, "findings": findings, "sources": sources}[what](session)
    write_table(table, path, what.upper())
    return f"{len(table)} rows of {what} written to {path}"


def spectra(session: Session) -> Table:
    """Spectra of the selected fibers one below the other: (fiber,) wavelength in Angstrom, flux, error, mask (1 = bad).

    Raises
    ------
    UsageError
        No fiber is selected.
    """
    from astropy.table import vstack

    from ifuview.io.objects.outgoing import spectrum_table

    found = _spectra(session)
    if not found:
        raise UsageError("no spectrum is selected", todo="select a fiber first: -fiber N, or click one")
    tables = []
    for spectrum in found:
        table = spectrum_table(spectrum)
        if len(found) > 1:
            table.add_column([spectrum.fiber_id] * len(table), name="fiber", index=0)
            table.meta.clear()
        tables.append(table)
    return tables[0] if len(tables) == 1 else vstack(tables, metadata_conflicts="silent")


def _spectra(session: Session) -> list[FiberSpectrum]:
    """Of a region or of fibers together their one; rows as they are; of a detector image what was extracted."""
    slot, chosen = session.slot(), session.selection
    if session.gathered is not None and session.gathered.asked == subject(session):
        return list(session.gathered.spectra)
    if slot is not None and slot.image.kind in (Kind.RSS, Kind.SPECTRUM):
        one = (chosen.fiber,) if chosen.fiber is not None else (0,) if slot.image.kind is Kind.SPECTRUM else ()
        return [_row(slot, row) for row in chosen.fibers or one if 0 <= row < slot.image.shape[0]]
    return list(session.inspection.spectra[:1]) if session.inspection is not None else []


def _row(slot: Slot, row: int) -> FiberSpectrum:
    image = slot.image
    wave = image.wave if image.wave is None or image.wave.ndim == 1 else image.wave[row]
    error = None
    if image.ivar is not None:
        with np.errstate(divide="ignore"):
            error = 1 / np.sqrt(image.ivar.rows(row, row + 1)[0].astype(np.float64))
    flux = image.pixels.rows(row, row + 1)[0]
    masked = np.zeros(flux.shape, bool) if image.mask is None else image.mask.raw[row] != 0
    name = image.fibermap.fiber_id[row] if image.fibermap is not None else str(row)
    return FiberSpectrum(name, np.arange(flux.size), wave, flux, error, masked, "row", image.unit, slot.title)


def fibers(session: Session) -> Table:
    """The fibers of the current frame, one row a fiber.

    Raises
    ------
    UsageError, MissingDataError
        No frame is open, or it has no fibers.
    """
    from dataclasses import replace

    from ifuview.io.objects.outgoing import to_table

    slot = session.slot()
    if slot is None:
        raise UsageError("there is no frame", todo="open a file first")
    fibermap = joined.fibermap_of(slot)
    return to_table(replace(slot.dataset, fibermap=fibermap), replace(slot.image, fibermap=fibermap))


def sources(session: Session) -> Table:
    """The measured sources of all frames, one row each; px count from 0.

    Raises
    ------
    MissingDataError
        Nothing was measured.
    """
    from astropy.table import Table

    from ifuview.app.frames.measuring.sources import table

    found = table(session)
    if found is None:
        raise MissingDataError("no source was measured", todo="point at one and press Shift+M")
    return Table(dict(found.table.columns), units=dict(found.table.units))


def findings(session: Session) -> Table:
    """What the triage found, one row a finding; without one what the trace doctor measured, one row a fiber.

    Spectra of no chain are judged by themselves.

    Raises
    ------
    MissingDataError
        Nothing was judged.
    """
    from astropy.table import Table

    if session.triage is not None and session.triage.result.findings:
        rows = session.triage.result.findings
        nan = float("nan")
        return Table({
            "expid": [f.expid for f in rows], "camera": [f.camera for f in rows], "class": [f.kind for f in rows],
            "first_step": [f.first_step for f in rows], "or_first_step": [" ".join(f.steps[1:]) for f in rows],
            "fibers": [_named(f.fibers) for f in rows],
            "wave_low": [f.wave_range[0] if f.wave_range else nan for f in rows],
            "wave_high": [f.wave_range[1] if f.wave_range else nan for f in rows],
            "amplifier": [f.amplifier for f in rows], "amplitude": [f.amplitude for f in rows],
            "unit": [f.unit for f in rows], "significance": [f.significance for f in rows],
            "confidence": [f.confidence for f in rows], "known": [f.known for f in rows],
            "extent": [f.extent for f in rows], "text": [f.text for f in rows],
        })  # fmt: skip
    slot = session.slot()
    if slot is not None and slot.diagnosis is not None:
        found = slot.diagnosis
        return Table({"fiber": list(found.fiber_id), **{k: np.asarray(v) for k, v in found.per_fiber.items()}})
    if slot is not None and can_judge(session, slot):
        return _of_spectra(verdict_of(slot) or judged_image(slot.image))
    raise MissingDataError("nothing was judged", todo="run the triage, or diagnose the traces, first")


def _of_spectra(found: SpectraVerdict) -> Table:
    from astropy.table import Table

    rows, nan = found.findings, float("nan")
    return Table({
        "fault": [f.fault.value for f in rows], "known": [f.known for f in rows],
        "fibers": [_named(f.fibers) for f in rows],
        "wave_low": [f.wave[0] if f.wave else nan for f in rows],
        "wave_high": [f.wave[1] if f.wave else nan for f in rows],
        "amount": [f.amount for f in rows], "significance": [f.significance for f in rows],
    }, meta={"judged": found.judged, "nfiber": found.nfiber, "not_asked": "; ".join(found.not_asked)})  # fmt: skip


def _named(fibers: tuple[int, ...]) -> str:
    text = " ".join(map(str, fibers[:LONG_TEXT]))
    return text if len(fibers) <= LONG_TEXT else f"{text} and {len(fibers) - LONG_TEXT} more"
