"""Inward road: an intent becomes a new Session, or a job whose result becomes one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from ifuview.app import intents as want
from ifuview.app import steps
from ifuview.app.frames.combine import combine
from ifuview.app.frames.fibers import trace_companions
from ifuview.app.frames.memory import MemoryWatch
from ifuview.app.frames.opened import Opened, limits, new_slot, pyramid
from ifuview.app.frames.opening import with_mask_file
from ifuview.app.frames.region_files import read_regions, write_regions
from ifuview.app.jobs import JobRecord, JobRequest, JobStatus
from ifuview.app.opening import is_photons, open_images
from ifuview.app.reporting.headless import inspect, write_report
from ifuview.app.session import Level, Message, Session, Slot
from ifuview.app.traces.loading import aligned, load_traces, measure_traces, with_traces
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.gui import (
    calibration_roads,
    doctor_roads,
    light_roads,
    night_roads,
    photon_roads,
    speckle_roads,
    spectra_roads,
    triage_roads,
)
from ifuview.gui.shell.store import Store
from ifuview.gui.shell.worker import Failure, Worker
from ifuview.model.image import Kind
from ifuview.settings import Settings

TRACE_KINDS = ("traces", "psf")
KEEP_JOBS = 50  # ended jobs that the jobs dock still lists
ENDS = {JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED}

After = Callable[[Any], None]


class Controller(QObject):
    """Turns intents into sessions and jobs; the only writer of the store."""

    settled = pyqtSignal()  # no job is waiting or running
    shell = pyqtSignal(object)  # intents that only the window can carry out
    opened = pyqtSignal(object)  # key of a new slot
    said = pyqtSignal(object)  # Message

    def __init__(self, store: Store, worker: Worker) -> None:
        super().__init__()
        self.store, self.worker = store, worker
        self.memory = MemoryWatch(Settings().memory_warn_mib, Settings().memory_limit_mib)
        self.headless = False  # pictures are written and the program ends: nothing is read ahead
        self._when_settled: list[Callable[[], None]] = []
        self._pending: dict[int, tuple[JobRequest, After | None, After | None]] = {}
        self.look_fields: tuple[tuple[str, Any], ...] = ()  # of new frames, from the preferences
        self.prefetched: dict[str, Callable[[JobContext], Any]] = {}  # files that are being read since the start
        self.photon_roads = photon_roads.PhotonRoads(self)
        worker.began.connect(self._began)
        worker.progressed.connect(self._progressed)
        worker.done.connect(self._done)
        worker.failed.connect(self._failed)
        worker.cancelled.connect(self._cancelled)
        self._roads: dict[type, Callable[[Any], None]] = {
            want.OpenFile: self.open_file,
            want.ChooseImage: self._choose_image,
            want.LoadTraces: self._load_traces,
            want.MeasureTraces: self._measure_traces,
            want.LoadRegions: self._load_regions,
            want.SaveRegions: self._save_regions,
            want.LoadMask: self._load_mask,
            want.Reload: self._reload,
            want.SetLook: self._set_look,
            want.SetPlane: self._set_plane,
            want.Combine: self._combine,
            want.PickPoint: self._select,
            want.SelectFiber: self._select,
            want.StepFiber: self._select,
            want.FindFiber: self._select,
            want.SetSectionColumns: self._select,
            want.SetExtraction: self._select,
            want.CancelJob: lambda i: worker.cancel(i.id),
            want.ExportReport: self._export_report,
            want.Demo: self._demo,
            **calibration_roads.roads(self),
            **doctor_roads.roads(self),
            **light_roads.roads(self),
            **night_roads.roads(self),
            **photon_roads.roads(self),
            **speckle_roads.roads(self),
            **spectra_roads.roads(self),
            **triage_roads.roads(self),
            want.Note: lambda i: self.say(Level(i.level), i.text, i.detail),
        }

    @property
    def session(self) -> Session:
        """The session now."""
        return self.store.session

    def handle(self, intent: want.Intent) -> None:
        """Carry out one intent."""
        road = self._roads.get(type(intent))
        try:
            if road is not None:
                road(intent)
            elif (step := steps.STEPS.get(type(intent))) is not None:
                before = self.session
                after = step(before, intent)
                if after.current != before.current:
                    after = steps.carried_over(after, before.slot())
                self.store.put(after)
                if after.current != before.current:
                    self._copies_again()
                    self.reinspect()
            else:
                self.shell.emit(intent)
        except IfuviewError as error:
            self.say(Level.ERROR, str(error))

    def say(self, level: Level, text: str, detail: str = "") -> None:
        """Put a message where the user sees it; the shell writes it into the log."""
        message = Message(level, text, detail, time.time())
        self.said.emit(message)
        self.store.put(replace(self.session, messages=(*self.session.messages, message)))

    # jobs

    def submit(self, request: JobRequest, after: After | None = None, failed: After | None = None) -> int:
        """Queue a job; `after` gets its value on this thread."""
        ident = self.worker.submit(request)
        self._pending[ident] = (request, after, failed)
        self._record(JobRecord(ident, request.name, quiet=request.quiet))
        return ident

    def _record(self, record: JobRecord) -> None:
        jobs = [j for j in self.session.jobs if j.id != record.id]
        ended = [j for j in jobs if j.status in ENDS]
        drop = {j.id for j in ended if j.quiet} | {j.id for j in ended[:-KEEP_JOBS]}
        self.store.put(replace(self.session, jobs=(*(j for j in jobs if j.id not in drop), record)))

    def _update(self, ident: int, **changes: Any) -> None:
        old = next((j for j in self.session.jobs if j.id == ident), None)
        if old is not None:
            new = tuple(replace(j, **changes) if j.id == ident else j for j in self.session.jobs)
            self.store.put(replace(self.session, jobs=new))

    def _began(self, ident: int) -> None:
        self._update(ident, status=JobStatus.RUNNING)

    def _progressed(self, ident: int, fraction: float, text: str) -> None:
        self._update(ident, fraction=fraction, text=text)

    def _done(self, ident: int, value: Any) -> None:
        request, after, _ = self._pending.pop(ident)
        self._update(ident, status=JobStatus.DONE, fraction=1.0, text="")
        if after is not None and self.worker.is_current(ident, request.slot):
            after(value)
        self._check_settled()

    def _failed(self, ident: int, failure: Failure) -> None:
        request, _, failed = self._pending.pop(ident)
        self._update(ident, status=JobStatus.FAILED, text=failure.text)
        if self.worker.is_current(ident, request.slot):
            detail = "" if isinstance(failure.error, IfuviewError) else failure.detail
            self.say(Level.ERROR, failure.text, detail)
            if failed is not None:
                failed(failure)
        self._check_settled()

    def _cancelled(self, ident: int) -> None:
        self._pending.pop(ident)
        self._update(ident, status=JobStatus.CANCELLED, text="")
        self._check_settled()

    def _check_settled(self) -> None:
        if not self._pending:
            self.settled.emit()
            waiting, self._when_settled = self._when_settled, []
            for call in waiting:
                call()

    def when_settled(self, call: Callable[[], None]) -> None:
        """Call once, as soon as no job waits or runs."""
        self._when_settled.append(call)
        if not self._pending:
            self._check_settled()

    def is_pending(self, ident: int) -> bool:
        """Whether a job waits or runs."""
        return ident in self._pending

    @property
    def busy(self) -> bool:
        """Whether any job is waiting or running."""
        return bool(self._pending)

    # opening

    def open_file(self, intent: want.OpenFile, after: After | None = None, failed: After | None = None) -> None:
        """Read a file on the worker and show it, or index a folder; `after` or `failed` is called when it is over."""
        early = self.prefetched.pop(intent.spec, None)
        if os.path.isdir(intent.spec) and not is_photons(intent.spec):
            night_roads.NightRoads(self).open_folder(want.OpenFolder(intent.spec), after, failed)
            return
        look = intent.look or (steps.look_of(self.look_fields) if self.look_fields else None)

        def read(ctx: JobContext) -> Any:
            self.memory.check_room(self.session, intent.spec)
            if early is not None:
                return early(ctx)
            return open_images(intent.spec, every=intent.every, cube=intent.cube, look=look, ctx=ctx)

        def run(ctx: JobContext) -> Any:
            return spectra_roads.tables_or(read, ctx)

        def done(found: tuple[Opened, ...]) -> None:
            if not spectra_roads.took_tables(self, found) and not self._traces_instead(found):
                self.add_opened(found)
            if after is not None:
                after(found)

        self.submit(JobRequest(f"Open {intent.spec}", run), done, failed)

    def _traces_instead(self, found: tuple[Opened, ...]) -> bool:
        """Whether the file was a trace file for the image on the canvas; then its traces are loaded."""
        slot = self.session.slot()
        fits = slot is not None and slot.image.kind in (Kind.DETECTOR, Kind.IMAGE) and slot.dataset.kind != "traces"
        if found[0].dataset.kind not in TRACE_KINDS or not fits:
            return False
        self.handle(want.LoadTraces(found[0].dataset.path))
        return True

    def add_opened(self, found: tuple[Opened, ...], background: bool = True) -> None:
        """Put opened images on the canvas; then their pyramids and traces follow in the background."""
        session = self.session
        for opened in found:
            slot = new_slot(session, opened)
            session = session.adding(steps.placed(session, slot))
        self.store.put(steps.remember(session, found[0].dataset.spec or found[0].dataset.path))
        for slot in session.slots[-len(found) :]:
            self.opened.emit(slot.key)
            for note in dict.fromkeys(slot.dataset.notes):
                self.say(Level.INFO, f"{slot.title}: {note}")
        self._mind_memory()
        if background:
            for slot in session.slots[-len(found) :]:
                self.follow_up(slot)
            self.reinspect()

    def _mind_memory(self) -> None:
        """Give up what can be made again where too much is open, and say so."""
        session, text = self.memory.settled(self.session)
        if session is not self.session:
            self.store.put(session)
        if text:
            self.say(Level.WARNING, text)

    def _copies_again(self) -> None:
        """Make the reduced copies of a shown frame that had to give them up."""
        slot = self.session.slot()
        if slot is not None and self.memory.takes_back(self.session):
            self._pyramid(slot)

    def follow_up(self, slot: Slot) -> None:
        """What a new picture needs next: its pyramid, and the traces that lie beside it."""
        if slot.dataset.kind == "photons":
            self.photon_roads.begin(slot)
            return
        self.photon_roads.other(slot)
        self._pyramid(slot)
        if slot.image.kind is Kind.RSS:
            night_roads.place_on_detector(self, slot)
        elif slot.traces is None and slot.dataset.kind != "traces":
            self._companion(slot)

    def _companion(self, slot: Slot) -> None:
        paths = trace_companions(slot.dataset)
        if slot.dataset.traces is None and not paths:
            return

        def done(found: Slot) -> None:
            now = self.session.slot(slot.key)
            if now is not None and now.traces is None and found.traces is not None:
                self.store.put(self.session.with_slot(replace(now, traces=found.traces)))
                self.say(Level.INFO, f"{now.title}: {found.traces.nfiber} traces from {found.traces.name}")
                self.reinspect()

        self.submit(JobRequest(f"Traces of {slot.title}", lambda ctx: with_traces(slot, ctx=ctx), quiet=True), done)

    def _pyramid(self, slot: Slot) -> None:
        if not self.memory.has_room(self.session):
            return

        def done(pyramid: Any) -> None:
            now = self.session.slot(slot.key)
            if now is not None and now.plane == slot.plane and now.look.reduction is slot.look.reduction:
                self.store.put(self.session.with_slot(replace(now, pyramid=pyramid)))
                self._mind_memory()

        self.submit(
            JobRequest(f"Reduced copies of {slot.title}", lambda ctx: pyramid(slot, ctx),
                       slot=f"pyramid {slot.key}", quiet=True), done,
        )  # fmt: skip

    def _choose_image(self, intent: want.ChooseImage) -> None:
        slot = self.session.slot(intent.key)
        if slot is None:
            return
        spec = f"{slot.dataset.path}[{intent.hdu}]"

        def done(found: tuple[Opened, ...]) -> None:
            if intent.new:
                self.add_opened(found)
            else:
                self._replace(slot.key, found[0])

        self.submit(JobRequest(f"Open {spec}", lambda ctx: open_images(spec, ctx=ctx)), done)

    def _reload(self, intent: want.Reload) -> None:
        slot = self.session.slot(intent.key)
        if slot is None or not slot.dataset.path:
            return
        spec = slot.dataset.spec or slot.dataset.path

        def done(found: tuple[Opened, ...]) -> None:
            self._replace(slot.key, found[0])
            self.say(Level.INFO, f"{slot.title}: read again")

        self.submit(JobRequest(f"Reload {slot.title}", lambda ctx: open_images(spec, ctx=ctx)), done)

    def _replace(self, key: int, opened: Opened) -> None:
        old = self.session.slot(key)
        if old is None:
            return
        slot = replace(new_slot(self.session, opened), key=key)
        if slot.image.shape == old.image.shape:
            slot = replace(slot, view=old.view, regions=old.regions, traces=old.traces)
        self.store.put(self.session.with_slot(slot))
        self.follow_up(slot)
        self.reinspect()

    def _demo(self, _: want.Demo) -> None:
        from ifuview.app.frames import demo

        def done(plan: demo.Plan) -> None:
            for spec in plan.files:
                self.open_file(want.OpenFile(spec))
            self.shell.emit(plan)

        self.submit(JobRequest("Simulate the demo data", demo.prepare), done)

    # traces, regions, masks

    def _load_traces(self, intent: want.LoadTraces) -> None:
        slot = self.session.slot()
        if slot is None:
            raise IfuviewError("no frame to put the traces on", intent.path, "open an image first")
        self.submit(
            JobRequest(f"Traces {intent.path}", lambda ctx: load_traces(intent.path, slot.image, ctx)),
            lambda traces: self._put_traces(slot, traces),
        )

    def _measure_traces(self, _: want.MeasureTraces) -> None:
        slot = self.session.slot()
        if slot is not None:
            self.submit(
                JobRequest(f"Trace {slot.title}", lambda ctx: measure_traces(slot.image, ctx), slot="trace"),
                lambda traces: self._put_measured(slot, traces),
            )

    def _put_traces(self, slot: Slot, traces: Any) -> None:
        self.store.put(steps.traces_on_all(self.session, slot, traces))
        self.say(Level.INFO, f"{slot.title}: {traces.nfiber} traces from {traces.name}")
        self.reinspect()

    def _put_measured(self, slot: Slot, traces: Any) -> None:
        """Measured traces go onto the image; where it has traces already, onto a copy, to be blinked against them."""
        if slot.traces is None:
            self._put_traces(slot, traces)
            return
        traces = aligned(traces, slot.traces)
        session = self.session
        copy = replace(slot, key=session.next_key, title=f"{slot.title} (measured traces)", traces=traces)
        self.store.put(session.adding(copy))
        self.say(Level.INFO, f"{copy.title}: {traces.nfiber} traces; blink them against the {slot.traces.nfiber} given")
        self.reinspect()

    def _load_regions(self, intent: want.LoadRegions) -> None:
        key = self.session.current

        def done(regions: tuple[Any, ...]) -> None:
            slot = self.session.slot(key)
            if slot is not None:
                self.store.put(self.session.with_slot(replace(slot, regions=(*slot.regions, *regions))))
                self.say(Level.INFO, f"{len(regions)} regions from {intent.path}")

        self.submit(JobRequest(f"Regions {intent.path}", lambda ctx: read_regions(intent.path)), done)

    def _save_regions(self, intent: want.SaveRegions) -> None:
        slot = self.session.slot()
        if slot is not None:
            self.submit(
                JobRequest(f"Save {intent.path}", lambda ctx: write_regions(intent.path, slot.regions)),
                lambda _: self.say(Level.INFO, f"{len(slot.regions)} regions written to {intent.path}"),
            )

    def _load_mask(self, intent: want.LoadMask) -> None:
        slot = self.session.slot()
        if slot is None:
            raise IfuviewError("no frame to put the mask on", intent.path, "open an image first")

        def done(image: Any) -> None:
            now = self.session.slot(slot.key)
            if now is not None:
                shown = replace(now.look, mask_shown=now.look.mask_shown or steps.ALL_BITS)
                self.store.put(self.session.with_slot(replace(now, image=image, look=shown)))

        self.submit(JobRequest(f"Mask {intent.path}", lambda ctx: with_mask_file(slot.image, intent.path, ctx)), done)

    # looks, planes, new frames

    def _set_look(self, intent: want.SetLook) -> None:
        old = self.session.slot(intent.key)
        if old is None:
            return
        self.store.put(steps.set_look(self.session, intent))
        slot = self.session.slot(intent.key)
        assert slot is not None
        if slot.look.reduction is not old.look.reduction:
            self._pyramid(slot)
        if intent.look.lo is None or intent.look.hi is None:
            self._limits(slot)

    def _limits(self, slot: Slot) -> None:
        pixels, look = slot.image.pixels.plane(slot.plane), slot.look

        def done(found: tuple[float, float]) -> None:
            now = self.session.slot(slot.key)
            if now is not None:
                self.store.put(steps.with_limits(self.session, now.key, *found))

        self.submit(
            JobRequest(f"Limits of {slot.title}", lambda ctx: limits(pixels, look),
                       slot=f"limits {slot.key}", quiet=True, front=True), done,
        )  # fmt: skip

    def _set_plane(self, intent: want.SetPlane) -> None:
        self.store.put(steps.set_plane(self.session, intent))
        slot = self.session.slot(intent.key)
        if slot is not None:
            self._pyramid(slot)

    def _combine(self, intent: want.Combine) -> None:
        a, b = self.session.slot(intent.a), self.session.slot(intent.b)

        def done(found: tuple[Opened, ...]) -> None:
            self.add_opened(found)
            self.photon_roads.made(intent, self.session.slots[-1].key)

        if a is not None and b is not None:
            self.submit(
                JobRequest(f"{intent.how} of {a.title} and {b.title}",
                           lambda ctx: (combine(a, b, intent.how, ctx),)),
                done,
            )  # fmt: skip

    # selection

    def _select(self, intent: want.Intent) -> None:
        before = self.session
        self.store.put(steps.STEPS[type(intent)](before, intent))
        if self.session is not before:
            self.reinspect()

    def reinspect(self) -> None:
        """Measure the selected fiber anew; an older request that still waits is dropped."""
        session = self.session
        if session.slot() is None or (session.selection.fiber is None and session.selection.x is None):
            return
        self.submit(
            JobRequest("Inspect the selected fiber", lambda ctx: inspect(session, ctx), slot="inspect",
                       quiet=True, front=True),
            lambda found: self.store.put(replace(self.session, inspection=found)),
        )  # fmt: skip

    def _export_report(self, intent: want.ExportReport) -> None:
        session = self.session
        self.submit(
            JobRequest(f"Report {intent.path}", lambda ctx: write_report(session, intent.path, ctx)),
            lambda path: self.say(Level.INFO, f"Report written to {path}"),
        )
