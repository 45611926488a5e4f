"""What the session knows of the exposures and of the triage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.triage import Finding, Fixed, TriageResult
from ifuview.model.trace import TraceSet
from ifuview.model.verdict import VerdictState

if TYPE_CHECKING:
    from ifuview.app.night.triage.files import CameraFiles
    from ifuview.app.night.triage.sum import Triaged
    from ifuview.engine.ccd.health import AmplifierHealth


@dataclass(frozen=True, slots=True)
class Place:
    """One product of one camera of one exposure; `other`: in the production that is compared."""

    expid: int
    camera: str
    product: str
    other: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """What the session knows of the exposures.

    Parameters
    ----------
    index : ExposureIndex
    place : Place or None
        What was shown last.
    shown : mapping of frame key to Place
    compared : ExposureIndex or None
        Another production.
    watched : bool
        New files are looked for.
    results : str
        Folder that the triage of each new camera is written to, "" for none.
    newest : bool
        A new file is shown as soon as it is whole.
    along : str
        What was blinked along last.
    auto : Place or None
        What was shown because it was the newest, or the worst: nobody has chosen it.
    left : Place or None
        What was on the canvas when `auto` was asked for, and stays there while that is read.
    waiting : mapping of (exposure, camera) to int
        Watched cameras that are not whole: looks since the last new file of each.
    said : frozenset of str
        What was said of watched cameras.
    others : tuple of str
        Folders of other productions of the same exposures.
    lent : frozenset of int
        Frames that the problem on the canvas has opened; they go with it.
    places : mapping of (night, camera) to TraceSet
        Fibers and wavelengths of the detectors of a raw night, as far as they were looked for.
    """

    index: ExposureIndex
    place: Place | None = None
    shown: Mapping[int, Place] = field(default_factory=lambda: MappingProxyType({}))
    compared: ExposureIndex | None = None
    watched: bool = False
    newest: bool = False
    results: str = ""
    along: str = ""
    auto: Place | None = None
    left: Place | None = None
    waiting: Mapping[tuple[int, str], int] = field(default_factory=lambda: MappingProxyType({}))
    said: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()
    lent: frozenset[int] = frozenset()
    places: Mapping[tuple[int, str], TraceSet] = field(default_factory=lambda: MappingProxyType({}))

    def words_of(self, key: int) -> str:
        """What tells a frame from the others, what differs most first; "" for one that is not of the night."""
        place = self.shown.get(key)
        exposure = None if place is None else self.index.find(place.expid)
        if place is None or exposure is None or exposure.parts:
            return ""
        other = " [other]" if place.other else ""
        return f"{place.camera} \u00b7 {place.expid} \u00b7 {self.index.chain.title(place.product)}{other}"


@dataclass(frozen=True, slots=True)
class Fix:
    """What became of the findings in another production.

    Parameters
    ----------
    name : str
        Of its folder.
    fixed : tuple of Fixed
    cameras : tuple of (exposure, camera)
        Those that are there and were judged.
    problems : tuple of str
        Why others could not be.
    """

    name: str
    fixed: tuple[Fixed, ...] = ()
    cameras: tuple[tuple[int, str], ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TriageState:
    """A triage that was run from the window, or that grows camera by camera.

    Parameters
    ----------
    result : TriageResult
    arrays : mapping of (exposure, camera) to mapping
        What the evidence is drawn from.
    scope : str
        In words.
    groups : tuple of tuple of int
        Numbers of the findings by cause, the worst cause first.
    fiber_ids : mapping of (exposure, camera) to sequence of int, or None
        How the instrument counts the fibers of a camera.
    done : tuple of Triaged
        Cameras that have been asked.
    unread : tuple of str
        Why others could not be.
    todo : tuple of CameraFiles
        Cameras that are still to be asked.
    stopped : bool
        The user has stopped it.
    problem : int
        Which cause is shown, -1 for none.
    finding : int
        Which of its findings, -1 for the worst.
    taken : bool
        The view has been taken to a problem.
    fix : Fix or None
        What another production has mended.
    """

    result: TriageResult = field(default_factory=TriageResult)
    arrays: Mapping[tuple[int, str], Mapping[str, Any]] = field(default_factory=dict)
    scope: str = ""
    groups: tuple[tuple[int, ...], ...] = ()
    fiber_ids: Mapping[tuple[int, str], Sequence[int] | None] = field(default_factory=dict)
    done: tuple[Triaged, ...] = ()
    unread: tuple[str, ...] = ()
    todo: tuple[CameraFiles, ...] = ()
    stopped: bool = False
    problem: int = -1
    finding: int = -1
    taken: bool = False
    fix: Fix | None = None

    @property
    def number(self) -> int:
        """Number of the finding that all parts of the window speak of, by itself the worst; -1 without one."""
        if not self.groups:
            return -1
        group = self.groups[min(max(self.problem, 0), len(self.groups) - 1)]
        return self.finding if self.finding in group else group[0]

    @property
    def shown(self) -> Finding | None:
        """That finding."""
        return None if self.number < 0 else self.result.findings[self.number]

    def at(self, number: int) -> TriageState:
        """The state with another finding shown."""
        group = next((n for n, group in enumerate(self.groups) if number in group), -1)
        return replace(self, problem=group, finding=number, taken=True)

    def about(self, path: str) -> bool:
        """Whether a product is of a camera that was or is to be asked; True where that is not known."""
        asked = (*(one.camera for one in self.done), *self.todo)
        return not asked or any(path in camera.files.values() for camera in asked)


class AmplifierKey(NamedTuple):
    """One amplifier in one exposure of an index."""

    expid: int
    camera: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class HealthState:
    """What is known of the amplifiers of a night.

    Parameters
    ----------
    night : ExposureIndex
        That it is about.
    found : mapping of AmplifierKey to AmplifierHealth
    todo : tuple of AmplifierKey
        Those that are still to be asked.
    unread : tuple of str
        Why others could not be.
    problem : int
        Which is shown, -1 for none.
    stopped : bool
        The user has stopped it.
    """

    night: ExposureIndex
    found: Mapping[AmplifierKey, AmplifierHealth] = field(default_factory=dict)
    todo: tuple[AmplifierKey, ...] = ()
    unread: tuple[str, ...] = ()
    problem: int = -1
    stopped: bool = False

    @property
    def groups(self) -> tuple[tuple[AmplifierKey, ...], ...]:
        """Exposures of each amplifier that is not as it should be, the worst amplifier first."""
        out: dict[tuple[str, str], list[AmplifierKey]] = {}
        for key, one in self.found.items():
            if one.state is not VerdictState.CLEAN:
                out.setdefault((key.camera, key.name), []).append(key)
        return tuple(sorted((tuple(sorted(keys)) for keys in out.values()), key=self._rank))

    @property
    def worst(self) -> dict[tuple[str, str], VerdictState]:
        """The worst of all exposures for each amplifier that was asked, by detector and name."""
        order = tuple(VerdictState).index
        out: dict[tuple[str, str], VerdictState] = {}
        for key, one in self.found.items():
            known = out.get((key.camera, key.name), one.state)
            out[key.camera, key.name] = min(known, one.state, key=order)
        return out

    def _rank(self, keys: tuple[AmplifierKey, ...]) -> tuple[int, int, AmplifierKey]:
        order = tuple(VerdictState)
        return min(order.index(self.found[key].state) for key in keys), -len(keys), keys[0]

    def of(self, expid: int, camera: str) -> dict[str, AmplifierHealth]:
        """What was found in the amplifiers of a detector in an exposure, by name."""
        return {key.name: one for key, one in self.found.items() if (key.expid, key.camera) == (expid, camera)}
