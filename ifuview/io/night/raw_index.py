"""Find the raw amplifiers of nights, in folders and in archives, and put them together as exposures."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime

from ifuview import instrument as instruments
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.io.archive.paths import first_bytes, is_folder, leads_inside
from ifuview.io.archive.walk import FoundFile, files_below
from ifuview.io.fits.cards import real, word
from ifuview.io.fits.head import BLOCK, cards_of
from ifuview.io.night.guider import SEEING, TRANSPARENCY, GuidePicture, guide_pictures, while_exposed
from ifuview.io.night.raw_units import of_known_units, with_read_out
from ifuview.model.checks import Header
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import ExposureKey, RawAmplifier, RawExposure, RawNight, exposure_key, joined_cards
from ifuview.model.night.raw_spec import RawSpec

DATE = re.compile(r"20\d{6}", re.ASCII)
KIND = re.compile(r"[a-z]{3}", re.ASCII)
CHECK_EVERY = 512  # files between two checkpoints
HEAD = 4 * BLOCK  # bytes of a file that are looked at; a raw header has 40 to 120 cards
LONGEST = 86400.0  # s; nothing is exposed for longer than a day
OVERHEAD = 7.0  # s that the shutter is open longer than was asked for, where only that is known
KEYS = (
    *("INSTRUME", "OBJECT", "DATE", "UT", "EXPTIME", "REXPTIME", "IMAGETYP", "IFUSLOT", "SPECID", "IFUID", "CONTID"),
    *("CCDPOS", "CCDHALF", "AMPNAME", "GAIN", "RDNOISE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "QPROG", "QRA", "QDEC"),
    *("TRAJRA", "TRAJDEC", "TRAJCRA", "TRAJCDEC", "PARANGLE", "AIRMASS", "TRANSPAR", "IQ"),
)
SKY = "sci"  # kind of what is exposed to the sky and guided


@dataclass(frozen=True, slots=True)
class _Found:
    """A file whose name is that of a raw amplifier: what its folders, its name and its header say."""

    date: int
    observation: int
    number: int
    start: str
    kind: str
    amplifier: RawAmplifier


def is_raw_name(path: str, name: str = "") -> bool:
    """Whether a file is called like a raw amplifier of an instrument, or of any."""
    base = os.path.basename(path)
    return any(re.fullmatch(raw.file, base) for _, raw in _known(name))


def index_night(
    path: str, instrument: str = "", ctx: JobContext = SILENT, *, night: int = 0, days: int = 0
) -> RawNight:
    """Index what lies below a root, a date folder, an archive, an exposure folder, or one amplifier.

    Parameters
    ----------
    path : str
        A folder, an archive, a folder inside one, or a file.
    instrument : str
        Only data of that instrument; "": of the one that has most.
    ctx : JobContext
    night, days : int
        Of folders and archives that are named by a date (YYYYMMDD) only those so many days around a night; 0: all.

    Raises
    ------
    MissingDataError
        There is no such path.
    """
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(path) and not leads_inside(path):
        raise MissingDataError("no such file or folder", path)
    notes: list[str] = []
    known = _known(instrument)
    by_owner: dict[str, list[_Found]] = defaultdict(list)
    enter = _Doors(path, instrument, night, days)
    for done, entry in enumerate(files_below(path, notes, ctx, wanted=is_raw_name, enter=enter)):
        if done % CHECK_EVERY == 0:
            ctx.checkpoint(0.1, "Looking for raw amplifiers")
        if any(re.fullmatch(raw.file, os.path.basename(entry.path)) for _, raw in known):
            _note_file(entry, by_owner, ctx)
    name = instrument or max(by_owner, key=lambda one: len(by_owner[one]), default="")
    for other, files in by_owner.items():
        if other != name and files:
            title = instruments.instrument(other).title
            notes.append(f"{path}: {len(files)} files of {title} are left out; ask for that instrument to see them.")
    found = by_owner.get(name, [])
    if not found:
        return RawNight(path, name, (), tuple(notes))
    spec = instruments.instrument(name)
    exposures = _guided(with_read_out(of_known_units(_exposures(found, spec, notes))), ctx)
    return RawNight(path, name, exposures, tuple(notes))


def _guided(exposures: tuple[RawExposure, ...], ctx: JobContext) -> tuple[RawExposure, ...]:
    """Exposures of the sky with what the guide cameras saw, where their pictures lie beside."""
    known: dict[str, tuple[GuidePicture, ...]] = {}
    out = []
    for one in exposures:
        folder = date_folder(one)
        if one.kind == SKY and one.exptime and folder:
            if folder not in known:
                known[folder] = guide_pictures(folder, ctx)
            seeing, transparency = while_exposed(known[folder], one.start, one.exptime, ctx)
            one = replace(one, seeing=seeing or one.seeing, transparency=transparency or one.transparency)
        out.append(one)
    return tuple(out)


def date_folder(exposure: RawExposure) -> str:
    """The folder of the date that an exposure lies in, "" without one."""
    above, name = os.path.split(exposure.amplifiers[0].path)
    while name:
        above, name = os.path.split(above)
        if DATE.fullmatch(name):
            folder = os.path.join(above, name)
            return folder if os.path.isdir(folder) else ""
    return ""


@dataclass(frozen=True, slots=True)
class _Doors:
    """Which folders and archives are looked into: not those of other dates, nor those named after other instruments."""

    start: str
    instrument: str
    night: int
    days: int

    def __call__(self, path: str) -> bool:
        """Whether a folder or archive is looked into."""
        name = os.path.basename(path).partition(".")[0]
        if path == self.start:
            return True
        if self.night and DATE.fullmatch(name):
            return abs(_days(name) - _days(str(self.night))) <= self.days
        others = {spec.name for spec, _ in _known()} - {self.instrument} if self.instrument else set()
        return name not in others


def holds_raw(path: str, ctx: JobContext = SILENT) -> bool:
    """Whether a folder or archive holds a file that is called like a raw amplifier; the first one ends the search."""
    return is_folder(path, ctx) and any(
        is_raw_name(entry.path) for entry in files_below(path, [], ctx, wanted=is_raw_name)
    )


def _known(name: str = "") -> list[tuple[InstrumentSpec, RawSpec]]:
    """Instruments with raw data of one file an amplifier."""
    specs = [instruments.instrument(one) for one in ((name,) if name else instruments.names())]
    return [(spec, spec.raw) for spec in specs if spec.raw is not None]


def _note_file(entry: FoundFile, by_owner: dict[str, list[_Found]], ctx: JobContext) -> None:
    """Put a file to the instrument that its header names, or else its folders."""
    header = cards_of(first_bytes(entry.path, HEAD, ctx), KEYS)
    owner = instruments.recognize(header)
    for spec, raw in _known():
        folders = _number(raw.observation, "observation", entry.path)
        if owner == spec.name or (owner == instruments.PLAIN and folders is not None):
            by_owner[spec.name].append(_described(entry, header, spec, raw))
            return


def _number(pattern: str, group: str, path: str) -> int | None:
    """The number that the innermost folder or archive of that pattern has."""
    for part in reversed(os.path.dirname(path).split("/")):
        match = re.fullmatch(rf"{pattern}(?:\.[a-z0-9.]+)?", part)
        if match is not None:
            return int(match[group])
    return None


def _described(entry: FoundFile, header: Header, spec: InstrumentSpec, raw: RawSpec) -> _Found:
    """What is known of one file."""
    match = re.fullmatch(raw.file, os.path.basename(entry.path))
    assert match is not None
    slot = _code(header.get("IFUSLOT")) or match["slot"]
    name = word(header.get("CCDPOS")) + word(header.get("CCDHALF"))
    name = name if name and raw.detector(slot, name) is not None else match["amplifier"]
    detector = raw.detector(slot, name)
    dates = [part for part in re.split(r"[/.]", os.path.dirname(entry.path)) if DATE.fullmatch(part)]
    kind = word(header.get("IMAGETYP")).lower()
    amplifier = RawAmplifier(
        path=entry.path,
        camera="" if detector is None else detector.camera,
        name=name,
        slot=slot,
        specid=_code(header.get("SPECID")),
        ifuid=_code(header.get("IFUID")),
        contid=word(header.get("CONTID")),
        header=header,
        problem=_problem(entry, header, raw) if detector is not None else f"slot {slot} is none of {spec.title}",
    )
    return _Found(
        date=int(dates[-1] if dates else match["start"][:8]),
        observation=_number(raw.observation, "observation", entry.path) or 0,
        number=_number(raw.exposure, "exposure", entry.path) or 0,
        start=match["start"],
        kind=kind if KIND.fullmatch(kind) else match["kind"],
        amplifier=amplifier,
    )


def _code(value: object) -> str:
    """A number of a unit as three digits, also where the header has an integer; "" without one."""
    whole = real(value)
    text = str(value).strip() if whole is None else str(int(whole))
    return text.zfill(3) if text.isdecimal() else ""


def _problem(entry: FoundFile, header: Header, raw: RawSpec) -> str:
    """Why a file cannot be used, "" if it can."""
    if not header:
        return "is no FITS file, or cut short in its header"
    if header.get("NAXIS") != 2 or header.get("BITPIX") != 16:
        return "has no 16 bit image"
    rows, columns = header.get("NAXIS2"), header.get("NAXIS1")
    if (rows, columns) != raw.shape:
        return f"has {columns} x {rows} pixels, not {raw.shape[1]} x {raw.shape[0]}"
    least = BLOCK + 2 * raw.shape[0] * raw.shape[1]
    return "is cut short" if entry.size < least and not entry.path.endswith((".gz", ".fz", ".bz2", ".xz")) else ""


def _exposures(found: list[_Found], spec: InstrumentSpec, notes: list[str]) -> tuple[RawExposure, ...]:
    """Put files of one exposure together: by its folders, else by the time that it began."""
    groups: dict[ExposureKey, list[_Found]] = defaultdict(list)
    for one in found:
        groups[exposure_key(one.date, one.observation, one.number, one.start)].append(one)
    out = [_exposure(group, spec, notes) for group in groups.values()]
    return tuple(sorted(out, key=lambda e: (e.date, e.observation, e.number, e.start)))


def _exposure(group: list[_Found], spec: InstrumentSpec, notes: list[str]) -> RawExposure:
    """One exposure of its files."""
    raw = spec.raw
    assert raw is not None
    own: dict[tuple[str, str], RawAmplifier] = {}
    for one in group:
        key = one.amplifier.slot, one.amplifier.name
        if key in own:
            notes.append(f"{one.amplifier.path}: {own[key].path} is the same amplifier; the first one counts.")
        else:
            own[key] = one.amplifier
    first, wanted = group[0], _wanted({slot for slot, _ in own}, raw)
    amplifiers = tuple(own[key] for key in wanted if key in own)
    amplifiers += tuple(amp for key, amp in own.items() if key not in wanted)
    header = joined_cards(amplifiers)
    target = _target(word(header.get("OBJECT")), raw)
    exptime, odd = _exptime([a.header for a in amplifiers if a.header] or [header])
    odd += _contradictions(group)
    return RawExposure(
        date=first.date,
        observation=first.observation,
        number=first.number,
        kind=first.kind,
        object=word(header.get("OBJECT")),
        exptime=exptime,
        start=first.start,
        amplifiers=amplifiers,
        target=tuple(dict.fromkeys(a.camera for a in amplifiers if a.slot == target)),
        missing=tuple((camera, name) for (slot, name), camera in wanted.items() if (slot, name) not in own),
        seeing=_within(real(header.get("IQ")), SEEING),
        transparency=_within(real(header.get("TRANSPAR")), TRANSPARENCY),
        notes=odd + tuple(a.trouble for a in amplifiers if a.problem),
    )


def _contradictions(group: list[_Found]) -> tuple[str, ...]:
    """Where the files of an exposure do not agree, with each other or with their folders."""
    out = []
    kinds = sorted({one.kind for one in group})
    if len(kinds) > 1:
        out.append(f"its amplifiers are of several kinds ({', '.join(kinds)}): it is taken as {group[0].kind}")
    days = sorted({one.start[:8] for one in group if abs(_days(one.start[:8]) - _days(str(one.date))) > 1})
    if days:
        out.append(f"it was begun on {', '.join(days)}, but lies in the folder of {group[0].date}")
    return tuple(out)


def _days(date: str) -> int:
    """Number of a day YYYYMMDD; 0 for none."""
    try:
        return datetime.strptime(date, "%Y%m%d").toordinal()
    except ValueError:
        return 0


def _wanted(slots: set[str], raw: RawSpec) -> dict[tuple[str, str], str]:
    """Slot and amplifier of every detector of some slots, and the name of that detector, in the order of the file."""
    out: dict[tuple[str, str], str] = {}
    for slot in sorted(slots):
        for one in raw.detectors:
            if one.slot in ("", slot):
                out |= {(slot, name): one.camera.format(slot=slot) for name in one.amplifiers}
    return out


def _target(name: str, raw: RawSpec) -> str:
    """The slot that the target is on, "" if the name does not say it."""
    match = re.search(raw.target, name) if raw.target else None
    return "" if match is None else match["slot"]


def _exptime(headers: list[Header]) -> tuple[float | None, tuple[str, ...]]:
    """The exposure time of the first amplifier that tells one, and what was odd about it."""
    times, asked = ([real(one.get(card)) for one in headers] for card in ("EXPTIME", "REXPTIME"))
    time = next((one for one in times if one is not None and 0 <= one <= LONGEST), None)
    if time is not None:
        return time, ()
    what = "is missing or no number" if times[0] is None else f"is {times[0]:g} s"
    wanted = next((one for one in asked if one is not None and 0 <= one <= LONGEST), None)
    if wanted is None:
        return None, (f"EXPTIME {what}, and REXPTIME does not help",)
    return wanted + OVERHEAD, (f"EXPTIME {what}: REXPTIME + {OVERHEAD:g} s is taken",)


def _within(value: float | None, bounds: tuple[float, float]) -> float | None:
    return value if value is not None and bounds[0] <= value <= bounds[1] else None
