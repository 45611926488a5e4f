"""The kept form of a session, and its file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace

from ifuview.app.frames.state import Made, RangeOf, RgbOf
from ifuview.app.photons.state import PhotonFrame
from ifuview.app.saved.marks import marked
from ifuview.app.saved.plain import OddValue, from_plain, to_plain
from ifuview.app.saved.state import (
    FileMark,
    Saved,
    SavedContours,
    SavedFrame,
    SavedMade,
    SavedNight,
    SavedPhotons,
    SavedRange,
)
from ifuview.app.session import Session, Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.files import whole_file
from ifuview.inputs import own_file, read_json
from ifuview.model.image import Kind
from ifuview.model.region import Region

FORMAT = "ifuview session"
VERSION = 1
HEAD = b'{"format": "ifuview session"'
TRACES_LOST = "its traces were made here: make them again"
FROM_A_FILE = ("", "read")  # steps of traces that are just what a file has


def kept(session: Session, desk: str = "", panels: str = "") -> Saved:
    """What of a session is kept; quick: no file is looked at."""
    place = {slot.key: n for n, slot in enumerate(session.slots)}
    selection, night = session.selection, session.night
    return Saved(
        frames=tuple(_frame(session, slot, place) for slot in session.slots),
        current=place.get(-1 if session.current is None else session.current, -1),
        previous=place.get(-1 if session.previous is None else session.previous, -1),
        blink=tuple(place[key] for key in session.blink_keys if key in place),
        selection=replace(selection, elsewhere=tuple((place[k], r) for k, r in selection.elsewhere if k in place)),
        tables=tuple(FileMark(path) for path in dict.fromkeys(table.path for table in session.tables)),
        night=None if night is None else SavedNight(
            night.index.folder, "" if night.compared is None else night.compared.folder, night.place,
            night.watched, night.newest, night.results,
        ),
        layout=session.layout, arrangement=session.arrangement, blink_ms=session.blink_ms, locks=session.locks,
        overlay=session.overlay, section_columns=session.section_columns,
        cut_width=session.cut_width, gather=session.gather, region=_region(session, place),
        extraction=session.extraction, window=session.window, doctor_limits=session.doctor_limits, light=session.light,
        trend_files=session.trend_files, desk=desk, panels=panels, time=time.time(),
    )  # fmt: skip


def _region(session: Session, place: dict[int, int]) -> tuple[int, Region] | None:
    """The region whose spectrum is shown, with the place of its frame."""
    shown = session.region
    return None if shown is None or shown[0] not in place else (place[shown[0]], shown[1])


def _frame(session: Session, slot: Slot, place: dict[int, int]) -> SavedFrame:
    """What of a frame is kept."""
    dataset, made = slot.dataset, slot.made_of
    alike = [image for image in dataset.images if image.name == slot.image.name]
    own = [n for n, image in enumerate(alike) if image is slot.image]
    night = session.night
    traces, lost = _traces(slot)

    def known(*keys: int) -> bool:
        return all(key in place for key in keys)

    pair = (
        SavedMade(place[made.a], place[made.b], made.how) if isinstance(made, Made) and known(made.a, made.b) else None
    )
    colors = tuple(place[key] for key in made.keys) if isinstance(made, RgbOf) and known(*made.keys) else ()
    of = _range(slot, made, place) if isinstance(made, RangeOf) and known(made.key) else None
    drawn = None if slot.measured is None else slot.measured.contours
    shown_of_night = night is not None and slot.key in night.shown  # made again of its two products
    again = pair is not None or of is not None or bool(colors)
    return SavedFrame(
        title=slot.title, spec=dataset.spec or dataset.path, file=FileMark(dataset.path), image=slot.image.name,
        number=own[0] if own else 0, cube=slot.image.kind is Kind.CUBE and slot.image.name == "cube",
        plane=slot.plane, look=slot.look, view=slot.view, regions=slot.regions, traces=traces,
        made=pair, range=of, rgb=colors, sources=() if slot.measured is None else slot.measured.sources,
        contours=None if drawn is None or not known(drawn.of) else SavedContours(place[drawn.of], drawn.how),
        photons=_photons(slot.photons), place=None if night is None else night.shown.get(slot.key),
        lost="it was made here: make it again" if not (dataset.path or again or shown_of_night) else lost,
    )  # fmt: skip


def _range(slot: Slot, made: RangeOf, place: dict[int, int]) -> SavedRange:
    """What a frame shows of the wavelengths of another one."""
    follows = (slot.look.lo, slot.look.hi) == made.limits
    return SavedRange(place[made.key], made.how, made.window, made.part, made.live, follows)


def _photons(frame: PhotonFrame | None) -> SavedPhotons | None:
    """What is shown of a photon list."""
    return None if frame is None else SavedPhotons(frame.shown, frame.cut, frame.beammap)


def _traces(slot: Slot) -> tuple[str, str]:
    """The file of the traces of a frame, and what is said of those that no file has."""
    traces = slot.traces
    if traces is None or traces is slot.dataset.traces:
        return "", ""
    made = traces.provenance
    if made.step in FROM_A_FILE and len(made.inputs) == 1:
        return made.inputs[0], ""
    return "", TRACES_LOST if made.step not in FROM_A_FILE else ""


def with_traces(saved: Saved, slots: Sequence[Slot], path: str, ctx: JobContext = SILENT) -> Saved:
    """The session with the traces that no file has in files beside that of the session, which are written here.

    Raises
    ------
    UsageError, FileFormatError
        They cannot be written there.
    """
    from ifuview.io.traces.write import write_traces

    frames = list(saved.frames)
    for n, (frame, slot) in enumerate(zip(saved.frames, slots, strict=True)):
        if frame.lost == TRACES_LOST and slot.traces is not None:
            ctx.checkpoint(n / len(frames), f"traces of {slot.title}")
            own = f"{os.path.splitext(path)[0]}.traces-{n + 1}.fits"
            write_traces(own, slot.traces, slot.image.orientation, slot.image.shape)
            frames[n] = replace(frame, traces=os.path.abspath(own), lost="")
    return replace(saved, frames=tuple(frames))


def write(path: str, saved: Saved) -> None:
    """Write a session with the fingerprints of its files, as a whole or not at all.

    Raises
    ------
    UsageError
        It cannot be written there.
    """
    marks: dict[str, FileMark] = {}

    def known(mark: FileMark) -> FileMark:
        if mark.path not in marks:
            marks[mark.path] = marked(mark) if mark.path else mark
        return marks[mark.path]

    saved = replace(
        saved, frames=tuple(replace(f, file=known(f.file)) for f in saved.frames),
        tables=tuple(known(table) for table in saved.tables),
    )  # fmt: skip
    content = {"format": FORMAT, "version": VERSION, "session": to_plain(saved)}
    with whole_file(path, "the session") as part, open(part, "w", encoding="utf-8") as out:
        out.write(json.dumps(content, allow_nan=False))


def read(path: str) -> tuple[Saved, tuple[str, ...]]:
    """A kept session, and the names of the values in it that make no sense.

    Raises
    ------
    MissingDataError, FileFormatError
        There is no such file, or it is something else.
    """
    content = read_json(path)
    bad: list[str] = []
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError("is no session of ifuview", path, "choose a file that was saved as a session")
    if content.get("version") != VERSION:
        raise FileFormatError("is a session of another version of ifuview", path, "open it with that version")
    own_file(path)  # who goes on with a session saves it to the same place
    try:
        return from_plain(Saved, content.get("session"), bad), tuple(bad)
    except OddValue as odd:
        raise FileFormatError(f"is a session without a proper {odd}", path) from odd


def is_session(path: str) -> bool:
    """Whether a file begins as a session does."""
    if not path.endswith(".json") or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(HEAD)) == HEAD
    except OSError:
        return False
