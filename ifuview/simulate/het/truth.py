"""What is known of a simulated night, kept as it is made, and written in the form of the shared nights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ifuview.files import put
from ifuview.model.checks import Array
from ifuview.simulate.het.ccd import ReadPixels
from ifuview.simulate.het.light import AREA, FiberLight, SkyScene
from ifuview.simulate.het.setup import TrueAmplifier, TrueChannel

LEVELS = 32000  # of a whole number that stands for a source's light


@dataclass(slots=True, eq=False)
class NightTruth:
    """The truth of a night.

    Parameters
    ----------
    instrument : str
    date : int
    channels : tuple of TrueChannel
    objects : dict of int to dict
        What was exposed, by observation.
    arrays : dict of str to ndarray
        By the names of the shared nights: trace_coef_{camera}_{amplifier}, src_{observation}_{camera} ...
    """

    instrument: str
    date: int
    channels: tuple[TrueChannel, ...]
    objects: dict[int, dict[str, object]] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel in self.channels:
            self.arrays[f"dar_{channel.camera}"] = channel.refraction
            for amp in channel.amplifiers:
                tag = f"{channel.camera}_{amp.name}"
                self.arrays |= {
                    f"trace_coef_{tag}": amp.trace, f"wave_coef_{tag}": amp.wave, f"hot_{tag}": amp.hot,
                    f"spatial_sigma_coef_{tag}": amp.sigma, f"throughput_coef_{tag}": amp.throughput,
                    f"ifupos_{tag}": np.stack([amp.x, amp.y], axis=1),
                }  # fmt: skip

    def add_shot(
        self, observation: int, name: str, kind: str, exptime: float, scenes: dict[str, SkyScene], shift: float
    ) -> None:
        """What was exposed."""
        held = [scene.source for scene in scenes.values() if scene.source is not None]
        self.objects[observation] = {"object": name, "kind": kind, "exptime": exptime, "trace_shift_px": shift}
        if held:
            source = held[0]
            targets = [channel.camera for channel in self.channels if channel.slot in scenes]
            self.objects[observation] |= {
                "source_xy": [source.x, source.y], "fwhm_arcsec": source.fwhm, "reference": source.reference,
                "target_channels": targets, "lines": [[line.wave, line.sigma, line.flux] for line in source.lines],
            }  # fmt: skip

    def add_light(self, observation: int, channel: TrueChannel, light: FiberLight, number: int = 1) -> None:
        """Light of source and sky in each fiber on the common grid, of one exposure."""
        if not light.source.size:
            return
        tag = self._tag(observation, channel.camera, number)
        self.arrays[f"illum_{tag}"] = light.illumination
        self.arrays[f"sky_{channel.camera}"] = light.sky[0] / light.illumination[0]
        if light.source.any():
            scale = np.maximum(np.abs(light.source).max(axis=1), 1e-30) / LEVELS
            self.arrays[f"srcscale_{tag}"] = scale
            self.arrays[f"src_{tag}"] = np.rint(light.source / scale[:, None]).astype(np.int16)
        for line, moments in light.moments.items():
            self.arrays[f"gal_{line}_{channel.camera}"] = moments

    def add_read(
        self, observation: int, number: int, channel: TrueChannel, amp: TrueAmplifier, read: ReadPixels
    ) -> None:
        """Particles and saturated pixels of an exposure; none for one without."""
        tag = f"sci_{observation:07d}_exp{number:02d}_{channel.camera}_{amp.name}"
        if len(read.cosmics):
            self.arrays[f"cr_{tag}"] = read.cosmics
        if len(read.saturated):
            self.arrays[f"sat_{tag}"] = read.saturated

    @staticmethod
    def _tag(observation: int, camera: str, number: int) -> str:
        """How arrays of an exposure are named; the number is told from the second one on."""
        return f"{observation:02d}_{camera}" if number == 1 else f"{observation:02d}_exp{number:02d}_{camera}"

    def source(self, observation: int, camera: str, number: int = 1) -> Array:
        """Light of the source in each fiber on the grid, (nfiber, nwave) erg/s/cm2/Angstrom."""
        tag = self._tag(observation, camera, number)
        channel = self.channel(camera)
        if f"src_{tag}" not in self.arrays:
            return np.zeros((len(channel.layout[0]), channel.grid[2]))
        return np.asarray(self.arrays[f"src_{tag}"] * self.arrays[f"srcscale_{tag}"][:, None])

    def sky(self, observation: int, camera: str, number: int = 1) -> Array:
        """Light of the sky in each fiber on the grid, (nfiber, nwave) erg/s/cm2/Angstrom."""
        illumination = self.arrays[f"illum_{self._tag(observation, camera, number)}"]
        return np.asarray(illumination[:, None] * self.arrays[f"sky_{camera}"])

    def channel(self, camera: str) -> TrueChannel:
        """The detector of that name."""
        return next(channel for channel in self.channels if channel.camera == camera)

    def write(self, folder: Path | str) -> None:
        """Write truth_INSTRUMENT.json and .npz."""
        place = Path(folder)
        put(place / f"truth_{self.instrument}.json", json.dumps(self.numbers(), indent=1))
        np.savez_compressed(place / f"truth_{self.instrument}.npz", **self.arrays)  # type: ignore[arg-type]

    def numbers(self) -> dict[str, object]:
        """All but the arrays."""
        return {
            "instrument": self.instrument,
            "date": str(self.date),
            "mirror_area_cm2": AREA,
            "u_definition": "u = (x - 0.47*nx)/(nx/2), x zero-based column of the oriented, trimmed amplifier",
            "channels": {channel.camera: _channel(channel) for channel in self.channels},
            "objects": {f"{number:07d}": one for number, one in self.objects.items()},
        }


def _channel(channel: TrueChannel) -> dict[str, object]:
    amps = channel.amplifiers
    return {
        "specid": channel.specid, "ifuslot": channel.slot, "ifuid": channel.ifuid, "contid": channel.contid,
        "amps": [a.name for a in amps], "ccd_stacks": [[a.name for a in amps]], "nfib": len(amps[0].x),
        "nx": amps[0].shape[1], "ny": amps[0].shape[0], "lsf_sigma_px": channel.lsf,
        "peak_factor_K": channel.factor, "dispersion": channel.dispersion, "grid": list(channel.grid),
        "dead": {a.name: list(a.dead) for a in amps if a.dead},
        "low_throughput": {a.name: list(a.low) for a in amps if a.low},
        "gain": {a.name: a.gain for a in amps}, "rdnoise": {a.name: a.readnoise for a in amps},
        "badcol": {a.name: [{"x": c.x, "y0": c.y0, "y1": c.y1, "qe": c.qe} for c in a.columns] for a in amps},
        "trap": {a.name: {"x": a.trap[0], "y0": a.trap[1]} for a in amps},
    }  # fmt: skip
