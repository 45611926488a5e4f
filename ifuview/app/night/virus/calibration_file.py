"""The calibrations of slots as one file, with a page that says what each amplifier shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ifuview import memory
from ifuview.app.night.amplifiers.page import write_quality
from ifuview.app.night.virus.calibrate import BuiltCamera, NightRange, build_camera, night_of
from ifuview.app.night.virus.setup import VIRUS
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.files import stem
from ifuview.instrument import instrument
from ifuview.instrument.tables import tables_for
from ifuview.io.products.virus.cals_write import write_calibrations
from ifuview.model.frames.units import unit_words
from ifuview.model.night.raw import RawNight
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.quality import AmplifierQuality
from ifuview.model.verdict import VerdictState
from ifuview.recipes.virus.quality import calibration_quality

ALL = "all"
OF_CAMERA = 2  # amplifiers


@dataclass(frozen=True, slots=True)
class BuiltCalibrations:
    """What became of a file of calibrations.

    Parameters
    ----------
    path : str
    rows : int
        Amplifiers in it.
    quality : tuple of AmplifierQuality
    lost : tuple of str
        Detectors that have no calibrations.
    files : tuple of str
        Page and JSON, where they were asked for.
    notes : tuple of str
    """

    path: str
    rows: int
    quality: tuple[AmplifierQuality, ...]
    lost: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def slots(self) -> tuple[str, ...]:
        """Slots in it."""
        return tuple(sorted({one.slot for one in self.quality}))

    @property
    def wrong(self) -> bool:
        """Whether an amplifier is wrong or lost."""
        return bool(self.lost) or any(one.state is VerdictState.WRONG for one in self.quality)

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each amplifier that is not clean."""
        out = []
        for one in self.quality:
            if one.state is not VerdictState.CLEAN:
                said = [f"{n.title} {n.value:.4g} {unit_words(n.unit)}".rstrip() for n in one.numbers if n.state in BAD]
                out.append(f"{one.text}: {one.state}: {'; '.join([one.problem] * bool(one.problem) + said)}")
        return tuple(out)


BAD = (VerdictState.WRONG, VerdictState.LOOK)


class _Builder:
    """Detectors one after the other; what is remembered of each is little."""

    def __init__(
        self, night: RawNight, slots: Sequence[str], nights: NightRange, config: str,
        tell: Callable[[BuiltCamera], None] | None,
    ) -> None:  # fmt: skip
        self._night, self._nights, self._told = night, nights, tell
        self._tables = tables_for(VIRUS, config, night.path)
        self.cameras = {
            slot: sorted({a.camera for e in night.exposures for a in e.amplifiers if a.slot == slot and a.camera})
            for slot in slots
        }
        self.notes: list[str] = []
        self.quality: list[AmplifierQuality] = []
        self.lost: list[str] = []

    def rows(self, ctx: JobContext) -> Iterator[AmplifierCalibration]:
        """Rows slot by slot, in the order of amplifiers that all products have."""
        total = sum(map(len, self.cameras.values()))
        count = 0
        for cameras in self.cameras.values():
            made: list[AmplifierCalibration] = []
            for camera in cameras:
                made += self._camera(camera, ctx.part(count / total, (count + 1) / total))
                count += 1
            yield from sorted(made, key=lambda row: row.amplifier)

    def _camera(self, camera: str, ctx: JobContext) -> tuple[AmplifierCalibration, ...]:
        """The rows of one detector; none where they cannot be made, which is noted."""
        try:
            done = build_camera(self._night, camera, self._tables, self._nights, ctx=ctx)
        except MissingDataError as problem:
            self.notes.append(problem.what)
            self.lost.append(camera)
            return ()
        self.notes += done.notes
        self.quality += [calibration_quality(row, done.setup, done.steps, done.night) for row in done.rows]
        if len(done.rows) < OF_CAMERA:
            self.lost.append(camera)
        if self._told is not None:
            self._told(done)
        return done.rows


def build_calibrations(
    out: str,
    root: str,
    slots: Sequence[str],
    nights: NightRange,
    config: str = "",
    qa_folder: str = "",
    ctx: JobContext = SILENT,
    tell: Callable[[BuiltCamera], None] | None = None,
) -> BuiltCalibrations:
    """Make the calibrations of slots and write them to a file.

    Parameters
    ----------
    out : str
    root : str
        Folder of nights.
    slots : sequence of str
        None, or "all": all that there are.
    nights : NightRange
    config : str
        Folder of the user's own tables.
    qa_folder : str
        Where page and JSON go; "": they are not made.
    ctx : JobContext
    tell : callable, optional
        Gets each detector as soon as it is done.

    Raises
    ------
    IfuviewError
        There are no raw frames, or none that calibrations can be made of, or the file cannot be written.
    """
    night, raw = night_of(root, nights, ctx.part(0.0, 0.05)), instrument(VIRUS).raw
    assert raw is not None
    known = sorted({a.slot for e in night.exposures for a in e.amplifiers})
    wanted = known if not slots or ALL in slots else list(dict.fromkeys(slot.zfill(3) for slot in slots))
    missing = [slot for slot in wanted if slot not in known]
    if missing or not known:
        of = f"slot {', '.join(missing)}" if known else "any slot"
        raise MissingDataError(f"there are no frames of {of}", root, f"it has {', '.join(known) or 'none'}")
    work = _Builder(night, wanted, nights, config, tell)
    shape = (raw.shape[0], raw.shape[1] - raw.overscan)
    count = OF_CAMERA * sum(map(len, work.cameras.values()))
    try:
        with memory.freed_kept():
            written = write_calibrations(out, work.rows(ctx.part(0.05, 1.0)), count, instrument(VIRUS).nfiber, shape)
    except MissingDataError as problem:
        raise MissingDataError("no calibrations could be made", root, work.notes[-1] if work.notes else "") from problem
    files = write_quality(qa_folder, stem(out), work.quality) if qa_folder else ()
    return BuiltCalibrations(
        out, written, tuple(work.quality), tuple(work.lost), files, tuple(dict.fromkeys(work.notes))
    )
