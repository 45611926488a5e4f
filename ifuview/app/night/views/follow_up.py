"""What else can be looked at of the problem that the bar speaks of: lines of its menu, in the order of a search."""

from __future__ import annotations

import os

from ifuview.app.frames.intents import CopyText, Intent, ShowDock, ShowProblem
from ifuview.app.frames.views import skyposition
from ifuview.app.night import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.triage.window import places
from ifuview.app.session import Session
from ifuview.instrument import words
from ifuview.model.night.exposures import ExposureIndex, TileFile

Choice = tuple[str, tuple[Intent, ...]]
FAR = "Z>4"
FAMILIES = (("Redshifts", "redshifts"), ("Spectra", "spectra"), ("Quality", "quality"))


def follow_up(session: Session) -> tuple[Choice, ...]:
    """Words, and what is asked for."""
    night, now = session.night, open_night.here(session)
    if night is None or now is None:
        return ()
    index, finding = night.index, None if session.triage is None else session.triage.shown
    place = f"{now.camera} {index.name(now.expid)}"
    out: list[Choice] = []
    if finding is not None and len(places(session, finding)) > 1:
        out.append(("Blink the proof", (ShowProblem(blink=True),)))
    out += [
        (f"Blink along the chain of {place}", (want.BlinkAlong("chain"),)),
        ("Blink with other fields before and after", (want.BlinkAlong("exposures"),)),
        ("Cameras side by side", (want.BlinkAlong("cameras", tile=True),)),
        ("Sky fibers, rebinned", (ShowDock("sky"),)),
    ]
    exposure = index.find(now.expid)
    if exposure is not None and len(index.same_tile(now.expid)) > 1:
        out.insert(3, (f"Blink the exposures of tile {exposure.tile}", (want.BlinkAlong("tile"),)))
    if finding is not None and finding.wave_range is not None:
        low, high = finding.wave_range
        out.append((f"Focal plane at {low:.0f} to {high:.0f} \u00c5", (want.ShowField((low, high)),)))
    if exposure is not None and exposure.tile is not None:
        out += [(f"{name} of tile {exposure.tile}{_petal(one)}", (want.ShowTileFile(one.file.path),))
                for name, one in _of_tile(index, exposure.tile, now.camera)]  # fmt: skip
        out += _far(index, exposure.tile, now.camera)
    families = words("quality", "tables")
    if any(file.family in families for file in index.tiles):
        out.append(("Quality of all tiles side by side", (ShowDock("tiles"),)))
    spot = skyposition.position(session)
    if spot is not None:
        out.append(("Copy the address of the sky viewer", (CopyText(skyposition.address(spot)),)))
    if night.compared is not None:
        out.append((f"Blink with {_name(night.compared.folder)}", (want.BlinkAlong("production"),)))
    done = "" if night.compared is None else night.compared.folder
    out += [(f"Compare with {_name(path)}", (want.CompareProduction(path),)) for path in night.others if path != done]
    return tuple(out)


def _far(index: ExposureIndex, tile: int, camera: str) -> list[Choice]:
    """The spectra of the petal with redshifts that few objects have: many of them tell of a fault."""
    own = dict(_of_tile(index, tile, camera))
    if not {"Redshifts", "Spectra"} <= set(own):
        return []
    spectra = own["Spectra"]
    title = f"Spectra with {FAR} of tile {tile}{_petal(spectra)}"
    return [(title, (want.ShowTileFile(spectra.file.path, FAR),))]


def _of_tile(index: ExposureIndex, tile: int, camera: str) -> list[tuple[str, TileFile]]:
    """The product of each kind that is of the petal of a camera, or of the whole tile."""
    out = []
    for name, meaning in FAMILIES:
        families = words(meaning, "tables")
        own = [f for f in index.tiles if f.tile == tile and f.family in families]
        fitting = [f for f in own if f.petal is None or str(f.petal) == camera[1:]]
        out += [(name, fitting[-1])] if fitting else []
    return out


def _petal(file: TileFile) -> str:
    return "" if file.petal is None else f", {file.petal}"


def _name(folder: str) -> str:
    return os.path.basename(folder.rstrip(os.sep))
