"""Inward road of the night: its intents become jobs that index folders and read products, whose results are shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QTimer

from ifuview.app import intents as want
from ifuview.app import steps
from ifuview.app.jobs import JobRequest
from ifuview.app.session import Layout, Level, Slot
from ifuview.errors import IfuviewError, MissingDataError

if TYPE_CHECKING:
    from ifuview.app.night.state import Place
    from ifuview.gui.shell.controller import After, Controller
    from ifuview.model.night.exposures import ExposureIndex

WATCH_MS = 3000  # between two looks at a folder that is watched
TIMER = "night watch"
SHOW = "night show"  # slot of the jobs that read products: the latest wish counts


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    night = NightRoads(controller)
    return {
        want.OpenFolder: night.open_folder,
        want.WatchFolder: night.watch,
        want.ShowProduct: night.show_product,
        want.StepExposure: night.step_exposure,
        want.StepCamera: night.step_camera,
        want.SameTile: night.same_tile,
        want.CompareProduction: night.compare,
        want.OtherProduction: night.other,
        want.BlinkAlong: night.blink,
        want.ShowTileFile: night.show_tile_file,
        want.ShowAllCameras: night.all_cameras,
    }


def place_on_detector(controller: Controller, slot: Slot) -> None:
    """Read where the spectra of a frame lie on the detector, if their psf was found."""
    if slot.detector is not None or not slot.dataset.companions or controller.headless:
        return

    def run(ctx: Any) -> Any:
        from ifuview.app.frames.detector_place import detector_of

        try:
            return detector_of(slot, ctx)
        except (IfuviewError, OSError) as problem:  # the spectra can be looked at without it
            return f"{slot.title}: where it lies on the detector is not known: {problem}"

    def done(found: Any) -> None:
        now = controller.session.slot(slot.key)
        if isinstance(found, str):
            controller.say(Level.INFO, found)
        elif now is not None and found is not None:
            controller.store.put(controller.session.with_slot(replace(now, detector=found)))

    controller.submit(JobRequest(f"Where {slot.title} lies on the detector", run, quiet=True), done)


class NightRoads:
    """What the controller does for a night of exposures."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._opening: set[str] = set()  # products of tiles that are being read
        self._waiting: dict[tuple[int, str], int] = {}  # watched cameras: looks since their last new file
        self._said: set[str] = set()  # of them

    # folders

    def open_folder(self, intent: want.OpenFolder, after: After | None = None, failed: After | None = None) -> None:
        """Index a folder on the worker and list what it has."""
        control = self.controller

        def done(index: ExposureIndex) -> None:
            if not index.exposures and not index.tiles:
                todo = "choose a production, a night, an exposure or a tile"
                error = MissingDataError("no products of cameras or tiles are in this folder", intent.path, todo)
                control.say(Level.ERROR, str(error))
                if failed is not None:
                    failed(error)
                return
            self._indexed(index)
            if after is not None:
                after(index)

        control.submit(JobRequest(f"Index {intent.path}", _scan(intent.path), slot="night index"), done, failed)

    def _indexed(self, index: ExposureIndex, watched: bool = False, newest: bool = False, results: str = "") -> None:
        from ifuview.app.night import open_night as night
        from ifuview.app.night.state import Night

        control = self.controller
        opened = Night(index, watched=watched, newest=newest, results=results)
        control.store.put(replace(control.session, night=opened))
        control.say(Level.INFO, night.summary(index))
        for note in index.notes:
            control.say(Level.INFO, note)
        self._set_timer(watched)
        control.store.put(steps.remember(control.session, index.folder))
        control.shell.emit(want.ShowDock("exposures"))

    def compare(self, intent: want.CompareProduction) -> None:
        """Index another production and show the same product of it."""
        from ifuview.app.night import open_night as night

        control = self.controller
        night.night_of(control.session)

        def done(index: ExposureIndex) -> None:
            now = night.night_of(control.session)
            control.store.put(replace(control.session, night=replace(now, compared=index)))
            control.say(Level.INFO, f"Compared with {night.summary(index)}")
            place = night.here(control.session)
            if place is not None and night.has(index, place.expid, place.camera, place.product):
                control.handle(want.OtherProduction())

        control.submit(JobRequest(f"Index {intent.path}", _scan(intent.path), slot="night compare"), done)

    # watching

    def watch(self, intent: want.WatchFolder) -> None:
        """Index a folder and look for new files from now on; or end that."""
        from ifuview.app.night import open_night as night

        control = self.controller
        if not intent.on:
            self._set_timer(False)
            if control.session.night is not None:
                control.store.put(replace(control.session, night=replace(control.session.night, watched=False)))
            return
        path = intent.path or night.night_of(control.session).index.folder
        control.submit(
            JobRequest(f"Index {path}", _scan(path), slot="night index"),
            lambda index: self._indexed(index, watched=True, newest=intent.newest, results=intent.results),
        )

    def _set_timer(self, on: bool) -> None:
        timer = self.controller.findChild(QTimer, TIMER)
        if timer is None and on:
            timer = QTimer(self.controller)
            timer.setObjectName(TIMER)
            timer.setInterval(WATCH_MS)
            timer.timeout.connect(self._look_again)
        if timer is not None:
            timer.start() if on else timer.stop()

    def _look_again(self) -> None:
        control = self.controller
        night = control.session.night
        if night is None or not night.watched:
            self._set_timer(False)
            return
        folder = night.index.folder
        control.submit(
            JobRequest(f"Look for new files in {folder}", _scan(folder), slot="night watch", quiet=True), self._looked
        )

    def _looked(self, index: ExposureIndex) -> None:
        from ifuview.app.night import open_night as night
        from ifuview.app.night import watch as night_watch

        control = self.controller
        now = control.session.night
        if now is None or now.index.folder != index.folder:
            return
        session, places = night.refreshed(control.session, index)
        asked, self._waiting = night_watch.due(index, self._waiting, places)
        for expid, camera in asked:
            self._triage(index, expid, camera)
        if session is control.session:
            return
        control.store.put(session)
        if places:
            names = sorted({f"{p.product}-{p.camera}-{p.expid}" for p in places})
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            control.say(Level.INFO, f"New: {', '.join(names[:3])}{more}")
        place = night.newest_of(session, places) if now.newest else None
        if place is not None:
            state = night.night_of(control.session)
            chosen_here = night.here(session) in (None, state.auto)
            control.store.put(replace(control.session, night=replace(state, auto=place if chosen_here else state.auto)))
            self.show((place,))

    def _triage(self, index: ExposureIndex, expid: int, camera: str) -> None:
        """Ask of a camera that has just been reduced what is wrong with it; the Triage dock has all the answers."""
        control = self.controller
        results = control.session.night.results

        def run(ctx: Any) -> Any:
            from ifuview.app.night.watch import triage_of

            return triage_of(index, expid, camera, ctx, results)

        def done(state: Any) -> None:
            from ifuview.app.night.watch import gathered, lines

            first = control.session.triage is None
            control.store.put(replace(control.session, triage=gathered(control.session.triage, state)))
            if first and state.result.findings:
                control.shell.emit(want.ShowDock("triage"))
            self._tell(lines(state), any(not f.known for f in state.result.findings))

        control.submit(JobRequest(f"Triage of {camera} {expid}", run, slot=f"triage {camera} {expid}"), done)

    def _tell(self, words: tuple[str, ...], bad: bool) -> None:
        """Say what was not said yet, the worst last: that is the one that stays on the status line."""
        control = self.controller
        fresh = [line for line in words if line not in self._said]
        self._said.update(fresh)
        for line in reversed(fresh[1:]):
            control.say(Level.INFO, line)
        more = f" (and {len(fresh) - 1} more in the Triage dock)" if len(fresh) > 1 else ""
        for line in fresh[:1]:
            control.say(Level.WARNING if bad else Level.INFO, f"{line}{more}")

    # products

    def show_product(self, intent: want.ShowProduct) -> None:
        """One product; at once if it is open already."""
        from ifuview.app.night import open_night as night

        self.show((night.chosen(self.controller.session, intent.expid, intent.camera, intent.product),))

    def step_exposure(self, intent: want.StepExposure) -> None:
        """The exposure before or after."""
        from ifuview.app.night import open_night as night

        self.show((night.stepped_exposure(self.controller.session, intent.step),))

    def step_camera(self, intent: want.StepCamera) -> None:
        """Another camera."""
        from ifuview.app.night import open_night as night

        self.show((night.stepped_camera(self.controller.session, intent.step),))

    def same_tile(self, _: want.SameTile) -> None:
        """The next exposure of the tile."""
        from ifuview.app.night import open_night as night

        self.show((night.same_tile(self.controller.session),))

    def other(self, _: want.OtherProduction) -> None:
        """The other production, or back."""
        from ifuview.app.night import open_night as night

        self.show((night.other_production(self.controller.session),))

    def show_tile_file(self, intent: want.ShowTileFile) -> None:
        """A product of a tile; what lies beside it is read with it."""
        control, path = self.controller, intent.path
        slot = next((s for s in control.session.slots if s.dataset.path == path), None)
        if slot is not None:
            control.handle(want.SelectSlot(slot.key))
        elif any(table.path == path for table in control.session.tables):
            control.handle(want.ShowDock("tables"))
        elif path not in self._opening:
            self._opening.add(path)

            def over(_: Any) -> None:
                self._opening.discard(path)

            control.open_file(want.OpenFile(path), over, over)

    def blink(self, intent: want.BlinkAlong) -> None:
        """Open what is missing, then blink from what is shown; asked once more, stop."""
        from ifuview.app.night import open_night as night

        control = self.controller
        state = night.night_of(control.session)
        if control.session.layout is Layout.BLINK and state.along == intent.along:
            control.handle(want.SetLayout(Layout.SINGLE))
            return
        places, now = night.blinked(control.session, intent.along), night.here(control.session)

        def go() -> None:
            found = night.blinking(control.session, places)
            control.store.put(replace(found, night=replace(night.night_of(found), along=intent.along)))

        last = tuple(p for p in places if p == now)
        self.show((*(p for p in places if p != now), *last), go)

    def all_cameras(self, _: want.ShowAllCameras) -> None:
        """Open the other cameras of this exposure; its folder is looked through first if that is not known yet."""
        from ifuview.app.night import cameras as night_cameras
        from ifuview.app.night import open_night as night

        control = self.controller
        folder = night_cameras.folder_to_index(control.session)

        def go(index: ExposureIndex | None) -> None:
            control.store.put(night_cameras.adopted(control.session, index))
            self.show(night_cameras.all_cameras(control.session))

        def done(index: ExposureIndex) -> None:
            try:
                go(index)
                control.say(Level.INFO, night.summary(index))
            except IfuviewError as error:
                control.say(Level.ERROR, str(error))

        if folder:
            control.submit(JobRequest(f"Index {folder}", _scan(folder), slot="night index"), done)
        else:
            go(None)

    def show(self, places: tuple[Place, ...], then: Callable[[], None] | None = None) -> None:
        """Make the last of some places current, after those that are not open have been read."""
        from ifuview.app.night import open_night as night

        control = self.controller
        missing = [p for p in places if night.key_of(control.session, p) is None]
        if not missing:
            self._arrive(places[-1], then)
            return
        session = control.session
        state = night.night_of(session)
        looks = [night.look_of(session, p) for p in missing]

        def run(ctx: Any) -> Any:
            from ifuview.app.frames.detector_place import traces_of
            from ifuview.app.night.files import open_place

            out, problems = [], []
            for n, (place, look) in enumerate(zip(missing, looks)):
                step = ctx.part(n / len(missing), (n + 1) / len(missing))
                ctx.checkpoint(n / len(missing), f"{night.name_of(place.product)} of {place.camera} {place.expid}")
                try:
                    opened = open_place(state, place, look, step)
                except (IfuviewError, OSError) as problem:
                    if place == places[-1]:
                        raise
                    problems.append((place, str(problem)))  # the others are shown all the same
                    continue
                out.append((place, opened, traces_of(opened.dataset, opened.image, step)))
            return tuple(out), tuple(problems)

        def done(result: Any) -> None:
            found, problems = result
            for place, problem in problems:
                control.say(Level.WARNING, f"{place.camera} {place.expid} is left out: {problem}")
            left_out = {place for place, _ in problems}
            self._opened(found, tuple(p for p in places if p not in left_out), then)

        words = f"{night.name_of(missing[0].product)} of {missing[0].camera} {missing[0].expid}"
        words += f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        control.submit(JobRequest(f"Read {words}", run, slot=SHOW, front=True), done)

    def _opened(self, found: Any, places: tuple[Place, ...], then: Callable[[], None] | None) -> None:
        from ifuview.app.night import open_night as night

        control = self.controller
        before = control.session
        if before.night is None:
            return
        fresh = tuple(item for item in found if night.key_of(before, item[0]) is None)
        after = night.with_opened(before, fresh, places) if fresh else before
        if fresh:
            after = steps.carried_over(after, before.slot())
            control.store.put(after)
        for p, *_ in fresh:
            key = night.key_of(control.session, p)
            slot = None if key is None else control.session.slot(key)
            if slot is not None:
                control.opened.emit(slot.key)
                control.follow_up(slot)
        self._arrive(places[-1], then)
        control.reinspect()

    def _arrive(self, place: Place, then: Callable[[], None] | None) -> None:
        from ifuview.app.night import open_night as night

        control = self.controller
        before = control.session
        after = night.at_place(before, place)
        if after.current != before.current:
            after = steps.carried_over(after, before.slot())
        control.store.put(after)
        if after.current != before.current:
            control.reinspect()
        if then is not None:
            then()


def _scan(path: str) -> Callable[[Any], Any]:
    """A job that indexes a folder."""

    def run(ctx: Any) -> Any:
        from ifuview.app.night import open_night as night

        return night.scan_folder(os.path.expanduser(path), ctx)

    return run
