"""The night that is open: its exposures, which frame shows which product, and what a step or a comparison asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ifuview.app.frames.adding import placed
from ifuview.app.frames.look import Look
from ifuview.app.frames.opening.opened import Opened, new_slot
from ifuview.app.messages import note
from ifuview.app.night.state import Night, Place
from ifuview.app.session import Layout, Session
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.night.exposures import RAW, ExposureIndex, FileState
from ifuview.model.night.raw import DETECTOR
from ifuview.model.trace import TraceSet

MOST_FRAMES = 16  # of a night that stay open; the oldest is closed for a new one
NO_NIGHT = "no night is open"
OPEN_ONE = "open the folder of a production, a night, an exposure or a tile"


def night_of(session: Session) -> Night:
    """The night of a session.

    Raises
    ------
    UsageError
        None is open.
    """
    if session.night is None:
        raise UsageError(NO_NIGHT, todo=OPEN_ONE)
    return session.night


def scan_folder(path: str, ctx: JobContext = SILENT) -> ExposureIndex:
    """Return the exposures of a production, a night, an exposure, a tile or any folder of products.

    Parameters
    ----------
    path : str
        The folder; an archive of raw data is one, too.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    MissingDataError, UsageError
        There is no such folder, or it cannot be read.
    """
    from ifuview.app.frames.opening.reading import brought
    from ifuview.app.preferences import calibration_folder
    from ifuview.io.night.defaults import default_calibrations
    from ifuview.io.night.exposures import scan

    index = scan(brought(path, ctx), ctx)
    defaults = default_calibrations(index, calibration_folder(index.chain.defaults_in))
    return replace(index, defaults=defaults, notes=(*index.notes, *_said(defaults))) if defaults else index


def _said(defaults: Mapping[tuple[str, str], str]) -> list[str]:
    """One sentence for each calibration that is a default: of which cameras, and which files."""
    out = []
    for product in dict.fromkeys(product for product, _ in defaults):
        own = {camera: path for (name, camera), path in defaults.items() if name == product}
        files = ", ".join(dict.fromkeys(os.path.basename(path) for path in own.values()))
        out.append(f"{' '.join(own)}: the night has no {product}, the default of {_folder(own)} is used: {files}")
    return out


def _folder(paths: Mapping[str, str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths.values()])


def here(session: Session) -> Place | None:
    """What the current frame shows, or what was shown last."""
    night = session.night
    if night is None:
        return None
    return night.shown.get(session.current if session.current is not None else -1, night.place)


def is_elsewhere(session: Session) -> bool:
    """Whether the frame on the canvas is none that a night has opened there."""
    night, current = session.night, session.current
    return night is not None and current is not None and current not in night.shown


def has(index: ExposureIndex, expid: int, camera: str, product: str) -> bool:
    """Whether a product is there and whole, or can be computed."""
    if product == RAW:
        return (exposure := index.find(expid)) is not None and bool(exposure.raw)
    if product in index.chain.computed:
        return all(path_of(index, expid, camera, part) for part in index.chain.computed[product])
    file = index.file(expid, camera, product)
    return file is not None and file.state is not FileState.WRITING


def path_of(index: ExposureIndex, expid: int, camera: str, product: str) -> str:
    """The whole file of a product of an exposure, else that of its night; "" without one."""
    file, exposure = index.file(expid, camera, product), index.find(expid)
    if file is not None or exposure is None:
        return "" if file is None or file.state is FileState.WRITING else file.path
    return index.calibrations.get((exposure.night, product, camera)) or index.defaults.get((product, camera), "")


def chosen(session: Session, expid: int | None, camera: str, product: str) -> Place:
    """The place that is meant; what is not named stays as it is, as far as the exposure has it.

    Raises
    ------
    UsageError, MissingDataError
        No night is open, or it has no such exposure or product.
    """
    night, now = night_of(session), here(session)
    first = night.index.exposures[0] if night.index.exposures else None
    number = expid if expid is not None else now.expid if now else first.expid if first else 0
    exposure = night.index.find(number)
    if exposure is None:
        raise MissingDataError(f"there is no exposure {number}", night.index.folder)
    given = camera or (now.camera if now else "")
    order = {c: n for n, c in enumerate(night.index.cameras)}
    have = sorted({c for c, _ in exposure.files}, key=lambda c: (c != given, c not in exposure.target, order[c]))
    if not have and exposure.raw and product in ("", RAW):
        return Place(number, camera, RAW)
    if not have:
        raise MissingDataError(f"exposure {number} has no files")
    camera = camera or have[0]
    wish = product or (now.product if now else "")
    if not product and not has(night.index, number, camera, wish):
        best = night.index.chain.first
        wish = next((p for p in best if has(night.index, number, camera, p)), wish or "".join(best[:1]))
    stays = bool(now and now.other and expid is None and product)  # who names an exposure means the production listed
    other = bool(stays and night.compared and has(night.compared, number, camera, wish))
    if not other:
        require(night.index, number, camera, wish)
    return Place(number, camera, wish, other)


def require(index: ExposureIndex, expid: int, camera: str, product: str) -> None:
    """Raise MissingDataError, with what there is instead, if a product cannot be shown."""
    if has(index, expid, camera, product):
        return
    where = f"{camera} {index.name(expid)}"
    file = index.file(expid, camera, product)
    if file is not None:
        raise MissingDataError(f"{product} is still being written", where, "try again in a moment")
    own = [p for p in index.chain.shown if has(index, expid, camera, p)]
    if product in index.chain.computed and index.chain.stored(product) in own:
        made_of = index.chain.computed[product]
        raise MissingDataError(f"there is no {made_of[1]} for this {made_of[0]}", where)
    if not own:
        raise MissingDataError("the camera has no products", where, "choose another camera")
    there = ", ".join(map(index.chain.title, own))
    raise MissingDataError(f"there is no {index.chain.title(product)}", where, f"choose {there}")


def stepped_exposure(session: Session, step: int) -> Place:
    """The same product in the exposure after (1) or before (-1); exposures without it are passed by."""
    night, now = night_of(session), here(session)
    if now is None:
        return chosen(session, None, "", "")
    product = night.index.chain.stored(now.product)
    found = night.index.neighbor(now.expid, step, now.camera, product)
    if found is None:
        side = "later" if step > 0 else "earlier"
        raise UsageError(f"there is no {side} exposure with {night.index.chain.title(now.product)} of {now.camera}")
    return Place(found.expid, now.camera, now.product)


def stepped_camera(session: Session, step: int) -> Place:
    """The same product in the next camera that has it, around the end."""
    night, now = night_of(session), here(session)
    if now is None:
        return chosen(session, None, "", "")
    own = [c for c in night.index.cameras if has(night.index, now.expid, c, now.product)]
    if not own or own == [now.camera]:
        name = night.index.name(now.expid)
        raise UsageError(f"no other camera has {night.index.chain.title(now.product)} in {name}")
    at = own.index(now.camera) if now.camera in own else 0
    return Place(now.expid, own[(at + step) % len(own)], now.product)


def same_tile(session: Session) -> Place:
    """The same product in the next exposure of this tile, around the end."""
    night, now = night_of(session), here(session)
    if now is None:
        return chosen(session, None, "", "")
    every = night.index.same_tile(now.expid)
    own = [e.expid for e in every if has(night.index, e.expid, now.camera, now.product)]
    if not every:
        raise UsageError(f"the tile of exposure {night.index.name(now.expid)} is not known")
    if own in ([], [now.expid]):
        what = f"{night.index.chain.title(now.product)} of {now.camera}"
        raise UsageError(f"tile {every[0].tile} has no other exposure with {what}")
    at = own.index(now.expid) if now.expid in own else -1
    return Place(own[(at + 1) % len(own)], now.camera, now.product)


def other_production(session: Session) -> Place:
    """The same product in the other production, or back."""
    night, now = night_of(session), here(session)
    if night.compared is None:
        todo = "choose one: File > Compare with production"
        raise UsageError("no other production is open to compare with", todo=todo)
    if now is None:
        raise UsageError("nothing is shown that could be compared", todo="show a product first")
    require(night.index if now.other else night.compared, now.expid, now.camera, now.product)
    return replace(now, other=not now.other)


def key_of(session: Session, place: Place) -> int | None:
    """The frame that shows a place."""
    night = night_of(session)
    open_keys = {s.key for s in session.slots}
    return next((k for k, p in night.shown.items() if p == place and k in open_keys), None)


def look_of(session: Session, place: Place) -> Look | None:
    """The look of the last frame with the same product: limits belong to the product, not to the frame."""
    night = night_of(session)
    for slot in reversed(session.slots):
        shown = night.shown.get(slot.key)
        if shown is not None and shown.product == place.product:
            return slot.look
    return None


def title_of(night: Night, place: Place, title: str) -> str:
    """A title that tells the computed product, and the production where there are two."""
    exposure = night.index.find(place.expid)
    if exposure is not None and exposure.parts:
        picture = "" if place.product == DETECTOR else f" {night.index.chain.title(place.product)}"
        title = f"{place.camera} {exposure.obstype} {exposure.night} {exposure.name}{picture}"
    elif place.product in night.index.chain.computed:
        title = f"{night.index.chain.title(place.product)}-{place.camera}-{place.expid:08d}"
    if place.other and night.compared is not None:
        folder = os.path.basename(night.compared.folder)
        title = f"{title} [{folder}]"
    return title


def with_opened(
    session: Session, found: tuple[tuple[Place, Opened, TraceSet | None], ...], wanted: tuple[Place, ...] = ()
) -> Session:
    """The session with new frames, each with the view of its like; the last one is current; `wanted` ones stay."""
    night = night_of(session)
    shown = dict(night.shown)
    for place, opened, traces in found:
        slot = new_slot(session, opened)
        slot = replace(slot, title=title_of(night, place, slot.title), traces=traces)
        session = session.adding(placed(session, slot))
        shown[slot.key] = place
    session = replace(session, night=replace(night, shown=MappingProxyType(shown), place=found[-1][0]))
    return _trimmed(session, {key for key, place in shown.items() if place in {*wanted, *(p for p, *_ in found)}})


def _trimmed(session: Session, keep: set[int]) -> Session:
    """Close the oldest frames of the night beyond what is kept open."""
    night = night_of(session)
    own = [s.key for s in session.slots if s.key in night.shown]
    spare = [k for k in own if k not in keep and k != session.current]
    gone = set(spare[: max(0, len(own) - MOST_FRAMES)])
    return session.with_slots(s for s in session.slots if s.key not in gone) if gone else session


def blinking(session: Session, places: tuple[Place, ...], layout: Layout = Layout.BLINK) -> Session:
    """Blink (or tile) exactly these places, from the one that is shown on; the other frames stay as they are."""
    night = night_of(session)
    by_place = {night.shown[s.key]: s.key for s in session.slots if s.key in night.shown}
    keys = tuple(by_place[p] for p in places if p in by_place)
    current = session.current if session.current in keys else keys[0]
    if len(keys) < 2:
        return note(session.showing(current), "there is nothing else to blink with")
    return replace(session.showing(current), layout=layout, blink_keys=keys)


def at_place(session: Session, place: Place) -> Session:
    """The session with the frame of a place current."""
    key = key_of(session, place)
    night = replace(night_of(session), place=place)
    return replace(session if key is None else session.showing(key), night=night)


def refreshed(session: Session, index: ExposureIndex) -> tuple[Session, tuple[Place, ...]]:
    """The session with a new index of the same folder, and the products that are whole now and were not before."""
    night = night_of(session)
    new = []
    for exposure in index.exposures:
        for (camera, product), file in exposure.files.items():
            before = night.index.file(exposure.expid, camera, product)
            whole = file.state is FileState.READY
            if whole and (before is None or before.state is not FileState.READY or before.mtime < file.mtime):
                new.append((file.mtime, Place(exposure.expid, camera, product)))
    places = tuple(p for _, p in sorted(new, key=lambda t: t[0]))
    same = not places and states(index) == states(night.index)
    return (session if same else replace(session, night=replace(night, index=index))), places


def states(index: ExposureIndex) -> list[tuple[int, tuple[tuple[str, str], ...], tuple[FileState, ...]]]:
    """What of an index the dock shows."""
    return [(e.expid, tuple(e.files), tuple(f.state for f in e.files.values())) for e in index.exposures]


def newest_of(session: Session, places: tuple[Place, ...]) -> Place | None:
    """Which of some new products to show: that of the camera and product on the canvas, else the most telling one.

    Where the program chose what is on the canvas, a more telling product of the same camera takes its place.
    """
    now, night = here(session), night_of(session)
    same = [p for p in places if now is not None and (p.camera, p.product) == (now.camera, now.product)]
    if now is not None and now != night.auto:
        return same[-1] if same else None
    rank = {product: n for n, product in enumerate(night.index.chain.first)}
    known = [p for p in places if p.product in rank and (now is None or p.camera == now.camera)]
    best = min(reversed(known), key=lambda p: (-p.expid, rank[p.product]), default=None)
    if best is None or now is None:
        return best or next((p for p in reversed(places) if p.product in night.index.chain.shown and now is None), None)
    better = best.expid > now.expid or (
        best.expid == now.expid and rank[best.product] < rank.get(now.product, len(rank))
    )
    return best if better else same[-1] if same else None


def summary(index: ExposureIndex) -> str:
    """One sentence about an index."""
    nights = {e.night for e in index.exposures}
    files = sum(len(e.files) for e in index.exposures)
    tiles = len({f.tile for f in index.tiles})
    of_tiles = f"{len(index.tiles)} products of {tiles} tile{'s' * (tiles != 1)}"
    name = os.path.basename(index.folder)
    if not index.exposures:
        nothing = f"{index.folder}: no products of cameras or tiles are in this folder"
        return f"{name}: {of_tiles}" if index.tiles else nothing

    def count(n: int, what: str) -> str:
        return f"{n} {what}{'s' * (n != 1)}"

    have = {c for e in index.exposures for c, _ in e.files}
    words = count(len(index.exposures), "exposure"), count(len(nights), "night"), count(files, "file")
    more = f"; {of_tiles}" if index.tiles else ""
    return f"{name}: {words[0]} of {words[1]}, {words[2]} of {count(len(have), 'camera')}{more}"
