"""A kept session as a session: its files are read again, what is gone or changed is said, the rest is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from ifuview.app.frames.combine import combine
from ifuview.app.frames.intents import Intent, Judge
from ifuview.app.frames.measuring.state import OnFrame
from ifuview.app.frames.measuring.tasks import LayContours
from ifuview.app.frames.opening.opened import Opened, first_plane, new_slot
from ifuview.app.frames.rgb import COLORS, picture
from ifuview.app.frames.state import Made, RangeOf, RgbOf
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night.files import open_place
from ifuview.app.night.intents import OpenTrends
from ifuview.app.night.open_night import scan_folder
from ifuview.app.night.state import Night, Place
from ifuview.app.opening import open_images
from ifuview.app.photons.intents import SetPhotonCut, ShowPhotons
from ifuview.app.photons.state import Shown
from ifuview.app.saved.intents import RestoreSession, ShowPanels
from ifuview.app.saved.keep import read, with_traces, write
from ifuview.app.saved.marks import what_became
from ifuview.app.saved.sense import drawable, plane_of, sensible
from ifuview.app.saved.state import Saved, SavedFrame
from ifuview.app.session import Level, Session, Slot
from ifuview.app.spectra.inspect import arms_beside
from ifuview.app.spectra.range_images import frames_of
from ifuview.app.spectra.state import HOWS
from ifuview.app.spectra.tasks import ReadTables
from ifuview.app.tasks import Change, Outcome, Plan, Task, Telling
from ifuview.app.traces.loading import load_traces
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.trace import TraceSet

OF_THE_WINDOW = ("recent", "messages", "next_key", "headless", "judges", "memory", "base_look")  # not of what is open
MOST_NAMES = 3  # values that make no sense which are named


@dataclass(frozen=True, slots=True, eq=False)
class ReadAgain:
    """What was read again; `opened`, `traces` and, of images of a range, `fibers` by the place of their frame."""

    saved: Saved
    opened: Mapping[int, Opened]
    traces: Mapping[int, TraceSet]
    fibers: Mapping[int, Array]
    night: ExposureIndex | None
    compared: ExposureIndex | None
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    """What is gathered while files are read."""

    problems: list[str] = field(default_factory=list)
    files: dict[tuple[str, bool, bool], tuple[Opened, ...]] = field(default_factory=dict)

    def told(self, title: str, problem: IfuviewError | str) -> None:
        self.problems.append(f"{title}: {problem}" if title else str(problem))


def find(path: str, ctx: JobContext) -> ReadAgain:
    """Read a kept session and the files that it names.

    Raises
    ------
    MissingDataError, FileFormatError
        It is no session, or is not there.
    """
    saved, bad = read(path)
    gathered = _Reading()
    if bad:
        more = f" and {len(bad) - MOST_NAMES} more" if len(bad) > MOST_NAMES else ""
        names = ", ".join(bad[:MOST_NAMES]) + more
        gathered.told(path, f"the values of {names} make no sense; the usual ones are used.")
    saved = replace(saved, frames=tuple(map(sensible, saved.frames)))
    night, compared = _folders(saved, gathered, ctx)
    opened: dict[int, Opened] = {}
    traces: dict[int, TraceSet] = {}
    for n, frame in enumerate(saved.frames):
        ctx.checkpoint((n + 0.5) / len(saved.frames), frame.title)
        found = None if frame.parents else _opened(frame, night, compared, gathered, ctx)
        if found is not None:
            opened[n] = found
            own = _own_traces(frame, found.image, gathered, ctx)
            traces |= {} if own is None else {n: own}
    fibers = _all_made_again(saved, opened, gathered, ctx)
    return ReadAgain(saved, opened, traces, fibers, night, compared, tuple(gathered.problems))


def _folders(saved: Saved, to: _Reading, ctx: JobContext) -> tuple[ExposureIndex | None, ExposureIndex | None]:
    """The folders of exposures, as far as they are there."""
    found: list[ExposureIndex | None] = []
    for path in () if saved.night is None else (saved.night.folder, saved.night.compared):
        try:
            found.append(scan_folder(path, ctx) if path else None)
        except IfuviewError as problem:
            to.told("", problem)
            found.append(None)
    return (found[0], found[1]) if found else (None, None)


def _opened(
    frame: SavedFrame, night: ExposureIndex | None, compared: ExposureIndex | None, to: _Reading, ctx: JobContext
) -> Opened | None:
    """The image of a frame; None, and a sentence, where it is not there."""
    became = what_became(frame.file)
    if became == "is gone":
        to.told(frame.title, f"{frame.file.path} is gone; the other frames are there.")
        return None
    try:
        found = _read_again(frame, night, compared, to, ctx)
    except (IfuviewError, OSError) as problem:
        to.told(frame.title, str(problem))
        return None
    if found is None:
        to.told(frame.title, f"{frame.lost or 'it has no file'}.")
        return None
    if became:
        to.told(frame.title, f"{frame.file.path} {became}; it is shown as it is now.")
    if frame.lost:
        to.told(frame.title, f"{frame.lost}.")
    return found


def _read_again(
    frame: SavedFrame, night: ExposureIndex | None, compared: ExposureIndex | None, to: _Reading, ctx: JobContext
) -> Opened | None:
    """The image of a frame from its night or its file."""
    if frame.place is not None and night is not None:
        return open_place(Night(night, compared=compared), frame.place, frame.look, ctx)
    if not frame.file.path or not frame.spec:
        return None
    for every in (False, True):
        key = (frame.spec, every, frame.cube)
        if key not in to.files:
            to.files[key] = open_images(frame.spec, every=every, cube=frame.cube, look=frame.look, ctx=ctx)
        alike = [one for one in to.files[key] if one.image.name == frame.image]
        if len(alike) > frame.number:
            return alike[frame.number]
    return to.files[frame.spec, False, frame.cube][0]  # under another name now


def _all_made_again(saved: Saved, opened: dict[int, Opened], to: _Reading, ctx: JobContext) -> dict[int, Array]:
    """Make what is made of other frames, of those that are there; the rows of the fibers in images of a range."""
    todo = [n for n, frame in enumerate(saved.frames) if frame.parents]
    fibers: dict[int, Array] = {}
    while todo:
        ready = [n for n in todo if all(parent in opened for parent in saved.frames[n].parents)]
        todo = [n for n in todo if n not in ready]
        for n in ready:
            try:
                opened[n], rows = _made_again(saved, saved.frames[n], opened, ctx)
            except IfuviewError as problem:
                to.told(saved.frames[n].title, problem)
                continue
            fibers |= {} if rows is None else {n: rows}
        if not ready:
            break
    for n in todo:
        to.told(saved.frames[n].title, "it was made of a frame that is not there.")
    return fibers


def _made_again(
    saved: Saved, frame: SavedFrame, opened: Mapping[int, Opened], ctx: JobContext
) -> tuple[Opened, Array | None]:
    """A frame that is made of others: a difference or ratio, a range of wavelengths, three colors."""
    parents = [_slot(Session(), saved.frames[n], opened[n], None, n) for n in frame.parents]
    if frame.made is not None:
        return combine(parents[0], parents[1], frame.made.how, ctx), None
    if frame.range is None:
        dataset = picture(parents)
        return Opened(dataset, dataset.images[0], frame.look), None
    if parents[0].image.wave is None or frame.range.how not in HOWS:
        raise UsageError("the frame that it is a range of has no such range now", frame.title)
    others = (n for n in opened if n not in frame.parents and not saved.frames[n].parents)
    slots = (parents[0], *(_slot(Session(), saved.frames[n], opened[n], None, n) for n in others))
    arms = arms_beside(Session(slots=slots, current=parents[0].key), parents[0])
    images = frames_of(parents[0], frame.range.how, frame.range.window, ctx, group=arms)
    shown = images[min(max(frame.range.part, 0), len(images) - 1)]
    return shown.opened, shown.fibers


def _own_traces(frame: SavedFrame, image: Image, to: _Reading, ctx: JobContext) -> TraceSet | None:
    """The traces that were read for a frame."""
    if not frame.traces:
        return None
    try:
        return load_traces(frame.traces, image, ctx)
    except IfuviewError as problem:
        to.told(frame.title, problem)
        return None


# the session


@dataclass(frozen=True, kw_only=True)
class Restore(Task[ReadAgain]):
    """A kept session in place of all that is open."""

    kind: ClassVar[JobKind] = JobKind.RESTORE
    path: str

    @property
    def of(self) -> str:
        """The file."""
        return self.path

    def run(self, session: Session, ctx: JobContext) -> ReadAgain:
        """Read all files."""
        return find(os.path.expanduser(self.path), ctx)

    def apply(self, session: Session, result: ReadAgain) -> Outcome:
        """Show what was shown, and say what is not there."""
        return restored(session, result)


def restored(session: Session, found: ReadAgain) -> Change:
    """A session of what was read again."""
    saved = found.saved
    fresh = replace(Session(), **{name: getattr(session, name) for name in OF_THE_WINDOW})
    keys = {n: session.next_key + n for n in sorted(found.opened)}
    slots = {}
    for n, key in keys.items():
        slot = _slot(fresh, saved.frames[n], found.opened[n], found.traces.get(n), key)
        slots[n] = _linked(slot, saved.frames[n], keys, found.fibers.get(n))
    now = keys.get(saved.current, next(reversed(keys.values()), None))
    blink = tuple(keys[n] for n in saved.blink if n in keys)
    chosen = saved.selection if saved.current in keys else type(saved.selection)()
    selection = replace(chosen, elsewhere=tuple((keys[n], rows) for n, rows in chosen.elsewhere if n in keys))
    shown = saved.region
    region = None if shown is None or shown[0] not in keys or not drawable(shown[1]) else (keys[shown[0]], shown[1])
    out = replace(
        fresh, slots=tuple(slots.values()), next_key=fresh.next_key + len(saved.frames), current=now,
        previous=keys.get(saved.previous), layout=saved.layout, blink_keys=blink, blink_ms=max(saved.blink_ms, 1),
        arrangement=saved.arrangement, locks=saved.locks, overlay=saved.overlay, selection=selection,
        section_columns=max(saved.section_columns, 1), cut_width=max(saved.cut_width, 1),
        gather=saved.gather, region=region, extraction=saved.extraction, window=saved.window,
        doctor_limits=saved.doctor_limits, light=saved.light, night=_night(found, keys),
    )  # fmt: skip
    for problem in found.problems:
        out = note(out, problem, Level.WARNING)
    missing = len(saved.frames) - len(slots)
    whole = f"{len(slots)} frame{'s' * (len(slots) != 1)}"
    count = f"{len(slots)} of {len(saved.frames)} frames" if missing else whole
    out = note(out, f"Session restored: {count}{'; Messages say what is missing' if found.problems else ''}",
               Level.WARNING if found.problems else Level.INFO)  # fmt: skip
    return Change(out, (*_then(out, saved), *_contours(saved, keys)), settled=tuple(_settled(saved, keys)))


def _slot(session: Session, frame: SavedFrame, opened: Opened, traces: TraceSet | None, key: int) -> Slot:
    """A frame as it was."""
    look = frame.look if frame.look.lo is not None else replace(frame.look, lo=opened.look.lo, hi=opened.look.hi)
    slot = new_slot(replace(session, next_key=key), replace(opened, look=look))
    titled = slot.title if frame.photons is not None else frame.title  # a photon list is titled by what is counted
    return replace(
        slot, title=titled or slot.title, plane=plane_of(frame.plane, slot.image, first_plane(slot.image)),
        view=frame.view, regions=frame.regions, measured=OnFrame(frame.sources) if frame.sources else None,
        traces=traces if traces is not None else slot.traces,
    )  # fmt: skip


def _linked(slot: Slot, frame: SavedFrame, keys: Mapping[int, int], fibers: Array | None) -> Slot:
    """A frame that knows of which it was made."""
    made, own = frame.made, frame.range
    if made is not None:
        return replace(slot, made_of=Made(keys[made.a], keys[made.b], made.how))
    if len(frame.rgb) == len(COLORS):
        red, green, blue = (keys[n] for n in frame.rgb)
        return replace(slot, made_of=RgbOf((red, green, blue)))
    if own is None:
        return slot
    limits = (slot.look.lo, slot.look.hi) if own.follows else (None, None)
    return replace(slot, made_of=RangeOf(keys[own.frame], own.how, own.part, limits, fibers, own.live, own.window))


def _night(found: ReadAgain, keys: Mapping[int, int]) -> Night | None:
    """The folder of exposures that was open, with what its frames show."""
    was = found.saved.night
    if found.night is None or was is None:
        return None
    shown: dict[int, Place] = {}
    for n, key in keys.items():
        place = found.saved.frames[n].place
        if place is not None:
            shown[key] = place
    return Night(found.night, was.place, shown, found.compared, was.watched, was.newest, was.results)


def _then(session: Session, saved: Saved) -> tuple[Task[Dataset] | Intent, ...]:
    """Tables, the layout of the panels, and the judging of what is open."""
    tables = tuple(ReadTables(title=f"Tables {one.path}", path=one.path) for one in saved.tables)
    panels = (ShowPanels(saved.desk, saved.panels),) if saved.desk and not session.headless else ()
    trends = (OpenTrends(saved.trend_files),) if saved.trend_files else ()
    return (*tables, *trends, *panels, *((Judge(),) if session.judges and session.night is not None else ()))


def _contours(saved: Saved, keys: Mapping[int, int]) -> Iterator[LayContours]:
    """Contours of one frame over another, drawn again."""
    for n, key in keys.items():
        drawn = saved.frames[n].contours
        if drawn is not None and drawn.frame in keys:
            title = f"Contours of {saved.frames[drawn.frame].title}"
            yield LayContours(title=title, frame=key, other=keys[drawn.frame], how=drawn.how)


def _settled(saved: Saved, keys: Mapping[int, int]) -> Iterator[Intent]:
    """What photon lists show, as soon as they are open."""
    for n, key in keys.items():
        photons = saved.frames[n].photons
        if photons is not None and photons.shown is not Shown.FLAGS:
            yield SetPhotonCut(key, photons.cut)
            yield ShowPhotons(photons.shown, key)


@dataclass(frozen=True, kw_only=True)
class Keep(Telling):
    """A session written to a file that the user has named; `slots`: its frames."""

    kind: ClassVar[JobKind] = JobKind.RESTORE
    path: str
    saved: Saved
    slots: tuple[Slot, ...]

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write it, and the traces that no file has beside it."""
        write(path := os.path.expanduser(self.path), with_traces(self.saved, self.slots, path, ctx))
        return f"Session written to {self.path}"


def restore(session: Session, intent: RestoreSession) -> Restore:
    """Read a kept session."""
    return Restore(title=f"Restore {intent.path}", path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {RestoreSession: restore}
