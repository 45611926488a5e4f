"""The stack of calibration steps on top of the columns of a photon list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, overload

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.masks import TimeMask
from ifuview.model.photons.wavelength_solution import WavelengthSolution


@dataclass(frozen=True, slots=True)
class WaveStep:
    """Phases become wavelengths."""

    solution: WavelengthSolution
    on: bool = True
    key: str = field(default="wavecal", init=False)


@dataclass(frozen=True, slots=True)
class FlatStep:
    """Weights are multiplied by those of a flat."""

    solution: FlatSolution
    on: bool = True
    key: str = field(default="flatcal", init=False)


@dataclass(frozen=True, slots=True)
class LinearityStep:
    """Weights make up for the dead time: 1 / (1 - N tau / (2 dt)), N photons within dt on either side."""

    window: float = 1e-3  # s
    dead_time: float = 1e-5  # s
    on: bool = True
    key: str = field(default="lincal", init=False)


@dataclass(frozen=True, slots=True)
class MaskStep:
    """Photons of some times are left out; `key` is "cosmiccal" for cosmic rays, "timemask" for others."""

    mask: TimeMask
    key: str = "cosmiccal"
    method: str = "poisson"
    on: bool = True


@dataclass(frozen=True, slots=True)
class FlagStep:
    """Pixel flags are set: name to boolean image (ny, nx)."""

    flags: Mapping[str, Array]
    method: str = "threshold"
    on: bool = True
    key: str = field(default="pixcal", init=False)


Step = WaveStep | FlatStep | LinearityStep | MaskStep | FlagStep
STEP_ORDER = ("lincal", "wavecal", "flatcal", "pixcal", "cosmiccal", "timemask")


@dataclass(frozen=True, slots=True)
class CalibrationStack:
    """Steps on top of the columns of a file; each is there once and can be switched off.

    Whatever the order in which they are given, they act in the order of STEP_ORDER: neighbors are counted among all
    photons, weights of a flat need wavelengths, and masked photons go last.
    """

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        keys = [step.key for step in self.steps]
        if len(set(keys)) < len(keys):
            raise UsageError("a calibration step is there twice", todo="take one away")
        object.__setattr__(self, "steps", tuple(sorted(self.steps, key=lambda step: STEP_ORDER.index(step.key))))

    def get(self, key: str) -> Step | None:
        """The step of that key."""
        return next((step for step in self.steps if step.key == key), None)

    @overload
    def active(self, key: Literal["wavecal"]) -> WaveStep | None: ...
    @overload
    def active(self, key: Literal["flatcal"]) -> FlatStep | None: ...
    @overload
    def active(self, key: Literal["lincal"]) -> LinearityStep | None: ...
    @overload
    def active(self, key: Literal["pixcal"]) -> FlagStep | None: ...
    @overload
    def active(self, key: Literal["cosmiccal", "timemask"]) -> MaskStep | None: ...
    @overload
    def active(self, key: str) -> Step | None: ...
    def active(self, key: str) -> Step | None:
        """The step of that key if it is switched on."""
        step = self.get(key)
        return step if step is not None and step.on else None

    @property
    def masks(self) -> tuple[TimeMask, ...]:
        """Times that are left out by steps that are on."""
        return tuple(step.mask for step in self.steps if isinstance(step, MaskStep) and step.on)

    def with_step(self, step: Step) -> CalibrationStack:
        """The stack with a step added, or put in the place of the one of its key."""
        return CalibrationStack((*(s for s in self.steps if s.key != step.key), step))

    def without(self, key: str) -> CalibrationStack:
        """The stack without a step."""
        return CalibrationStack(tuple(s for s in self.steps if s.key != key))

    def switched(self, key: str, on: bool) -> CalibrationStack:
        """The stack with a step switched on or off."""
        return CalibrationStack(tuple(replace(s, on=on) if s.key == key else s for s in self.steps))
