"""Write a night of raw exposures in the exact format of the telescope, and the truth beside it.

channels = [channel_setup(spec, Tables("lrs2"), "uv", ("503", "056", "7001"), 20181201)]
truth = write_night(folder, spec, channels, standard_night(), date=20181201)
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ifuview.files import put
from ifuview.model.checks import Array
from ifuview.model.dataset import CardValue
from ifuview.model.instrument import InstrumentSpec
from ifuview.simulate.het import light as lights
from ifuview.simulate.het.ccd import ReadPixels, as_stored, light_on, read_out
from ifuview.simulate.het.faults import NO_FAULTS, ShotFaults
from ifuview.simulate.het.light import FiberLight, SkyScene
from ifuview.simulate.het.setup import TrueAmplifier, TrueChannel
from ifuview.simulate.het.source import SkySource, SpectralLine, fiber_points
from ifuview.simulate.het.truth import NightTruth

PACKINGS = {"": "", "tar": "w", "xz": "w:xz", "gz": "w:gz", "bz2": "w:bz2"}
SITE: Mapping[str, CardValue] = {"TELESCOP": "mcdonald: HET", "OBSERVAT": "McDonald"}
POINTING: Mapping[str, CardValue] = {
    "PARANGLE": 155.3, "QPROG": "SIM18-1-001", "TRAJRA": 5.2, "TRAJDEC": 22.1, "TRAJCRA": 5.2, "TRAJCDEC": 22.1,
    "AIRMASS": 1.22, "QRA": "05:12:00.0", "QDEC": "+22:06:00",
}  # fmt: skip
SHUTTER = 7.0  # s that the shutter is open longer than was asked for


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One exposure.

    Parameters
    ----------
    observation : int
    kind : str
        zro, drk, flt, twi, cmp or sci.
    object : str
        For cmp the name of the lamp.
    exptime : float, s
    number : int
        Of the exposure within the observation.
    scenes : mapping of str to SkyScene
        By the slot of the fiber head, of a science exposure; a slot without one sees sky.
    shift, tilt : float, px
        Of the traces, and what that is more at the top than at the bottom of an amplifier.
    drift : float, px
        Of the wavelengths.
    start : str
        hhmmss.s
    cards : mapping
        Header cards that differ from the usual ones; one that is None is left out.
    missing, zero : tuple of str
        Amplifiers that are not there, and that are all zero: "056LL".
    flipped : mapping of str to str
        AMPNAME of amplifiers, "056LL": "LR".
    faults : ShotFaults
        What is wrong with it beside these.
    """

    observation: int
    kind: str
    object: str
    exptime: float = 0.0
    number: int = 1
    scenes: Mapping[str, SkyScene] = field(default_factory=lambda: MappingProxyType({}))
    shift: float = 0.0
    tilt: float = 0.0
    drift: float = 0.0
    start: str = ""
    cards: Mapping[str, CardValue] = field(default_factory=lambda: MappingProxyType({}))
    missing: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    flipped: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    faults: ShotFaults = NO_FAULTS


def standard_night(slots: Sequence[str] = ("056",), *, flats: bool = True, biases: int = 1) -> tuple[Shot, ...]:
    """Calibrations and, for each slot, a compact source, a bright standard star and a galaxy."""
    lamps = {"056": ("Hg_B", "Cd-A_B"), "066": ("Hg_R", "FeAr_R")}
    shots = [Shot(1, "zro", "zero", number=n + 1) for n in range(biases)]
    shots += [Shot(2, "twi", "skyflat", 5.0)]
    names = list(dict.fromkeys(name for slot in slots for name in lamps.get(slot, ("hg", "cd-a"))))
    shots += [Shot(3 + n, "cmp", name, 30.0) for n, name in enumerate(names)]
    shots += [Shot(20, "flt", "ldls", 10.0)] if flats else []
    for n, slot in enumerate(slots):
        lines = tuple(SpectralLine(wave, 2.4, flux) for wave, flux in AGN)
        reference = 4142.5 if slot == "056" else 7425.0
        compact = SkySource(0.83, -0.47, 1.35, lines=lines, reference=reference)
        star = SkySource(-0.41, 0.28, 1.5, 2.2e-12, temperature=6000.0, reference=reference)
        turning = tuple(SpectralLine(wave, 1e-3, flux) for wave, flux in GALAXY)
        disk = SkySource(0.3, -0.22, 1.45, 1.2e-15, lines=turning, reference=reference, scale=1.5)
        for step, (name, source, exptime) in enumerate(
            (
                (f"SIMAGN_{slot}_E", compact, 900.0),
                (f"HD_19445_{slot}_E", star, 48.1),
                (f"SIMGAL_{slot}_W", disk, 900.0),
            )
        ):
            shots.append(
                Shot(
                    7 + 3 * n + step,
                    "sci",
                    name,
                    exptime,
                    scenes={slot: SkyScene(source)},
                    shift=0.12 + 0.03 * n,
                    tilt=0.02,
                    drift=0.08,
                )
            )
    return tuple(shots)


AGN = ((3760.2, 6e-15), (4188.4, 1.2e-14), (5345.0, 2e-14), (6205.0, 8e-15), (6702.0, 9e-15), (7011.0, 1e-14),
       (7790.0, 1.5e-14), (9055.0, 1.5e-14), (9840.0, 8e-15))  # fmt: skip
GALAXY = ((3805.675, 9e-15), (4963.418, 4e-15), (5063.047, 2.7e-15), (5111.984, 8e-15), (6700.619, 1.2e-14))


def write_night(
    folder: Path | str,
    spec: InstrumentSpec,
    channels: Sequence[TrueChannel],
    shots: Iterable[Shot],
    date: int,
    *,
    packing: str = "tar",
    seed: int = 0,
    radius: float = 0.0,
    overscan: int | None = None,
    cosmics: float = 1.0,
    broken: bool = True,
) -> NightTruth:
    """Write DATE/INSTRUMENT/INSTRUMENTnnnnnnn[.tar] below a folder.

    Parameters
    ----------
    packing : str
        "" for folders, "tar", "xz", "gz" or "bz2"; the name of an archive always ends in .tar.
    seed : int
        Of noise and particles.
    radius : float, arcsec
        Of a round fiber; 0: lenslets that fill the field, their pitch is the fiber diameter of the instrument.
    overscan : int, px
        Default: that of the instrument.
    cosmics : float
        Times the usual rate of particles.
    broken : bool
        With the defects of the detectors.
    """
    raw = spec.raw
    assert raw is not None
    truth = NightTruth(spec.name, date, tuple(channels))
    below = Path(folder) / str(date) / spec.name
    points, area = fiber_points(spec.fiber_diameter or 1.0, radius)
    by_observation: dict[int, list[tuple[str, bytes]]] = {}
    for order, shot in enumerate(shots):
        truth.add_shot(shot.observation, shot.object, shot.kind, shot.exptime, dict(shot.scenes), shot.shift)
        files = by_observation.setdefault(shot.observation, [])
        for channel in channels:
            light = light_of(channel, shot, points, area)
            truth.add_light(shot.observation, channel, light, shot.number)
            for amp, lit in zip(channel.amplifiers, pixels_of(channel, light, shot), strict=True):
                tag = channel.slot + amp.name
                if tag in shot.missing:
                    continue
                rng = np.random.default_rng((seed, order, *map(ord, channel.camera + amp.name)))
                read = expose_amplifier(
                    amp, lit, shot, rng, overscan=raw.overscan if overscan is None else overscan,
                    cosmics=cosmics, broken=broken, tag=tag,
                )  # fmt: skip
                truth.add_read(shot.observation, shot.number, channel, amp, read)
                begun = f"{date}T{shot.start or f'{order // 6:02d}{order % 6}000.0'}"
                folders = f"{spec.name}{shot.observation:07d}/exp{shot.number:02d}/{spec.name}"
                name = f"{folders}/{begun}_{tag}_{shot.kind}.fits"
                files.append((name, raw_file(spec, channel, amp, shot, read, begun)))
    for observation, files in by_observation.items():
        _write(below, f"{spec.name}{observation:07d}", files, packing)
    return truth


def light_of(channel: TrueChannel, shot: Shot, points: Array, area: float) -> FiberLight:
    """Electrons of all fibers of a detector in an exposure; none for a bias or a dark."""
    if shot.kind == "twi":
        found = lights.twilight(channel)
    elif shot.kind == "flt":
        found = lights.lamp(channel)
    elif shot.kind == "cmp":
        found = lights.arc(channel, shot.object, shift=shot.drift)
    elif shot.kind == "sci":
        scene = shot.scenes.get(channel.slot, SkyScene())
        found = lights.sky_and_source(channel, scene, shot.exptime, points, area, shot.drift)
    else:
        return FiberLight(np.zeros((0, 0)), np.zeros(0))
    return replace(found, electrons=shot.faults.on_light(found.electrons))


def pixels_of(channel: TrueChannel, light: FiberLight, shot: Shot) -> Sequence[Array | None]:
    """The light on the pixels of each amplifier of a detector; None for a bias or a dark."""
    if not len(light.electrons):
        return [None] * len(channel.amplifiers)
    return light_on(channel.amplifiers, light.electrons, shot.shift, shot.tilt)


def expose_amplifier(
    amp: TrueAmplifier,
    light: Array | None,
    shot: Shot,
    rng: np.random.Generator,
    *,
    overscan: int = 64,
    cosmics: float = 1.0,
    broken: bool = True,
    tag: str = "",
) -> ReadPixels:
    """Read the `light` of an amplifier out; particles hit science and dark exposures only, as others are short."""
    rate = cosmics if shot.kind in ("sci", "drk") else 0.0
    amp = replace(amp, readnoise=amp.readnoise * shot.faults.noise.get(tag, 1.0))
    read = read_out(
        amp,
        np.zeros(amp.shape) if light is None else light,
        shot.exptime,
        rng,
        overscan=overscan,
        cosmics=rate,
        broken=broken,
    )
    return shot.faults.on_read(read, tag)


def raw_file(
    spec: InstrumentSpec, channel: TrueChannel, amp: TrueAmplifier, shot: Shot, read: ReadPixels, start: str
) -> bytes:
    """The bytes of the FITS file of an amplifier."""
    from astropy.io import fits

    tag = channel.slot + amp.name
    ny, nx = amp.shape
    over = read.overscan.shape[1]
    time = f"{start[9:11]}:{start[11:13]}:{start[13:]}"
    cards: dict[str, CardValue] = {
        **SITE, "INSTRUME": spec.name, "IMAGETYP": shot.kind, "OBJECT": shot.object,
        "DATE": f"{start[:4]}-{start[4:6]}-{start[6:8]}T{time}", "UT": time, "EXPTIME": shot.exptime,
        "REXPTIME": max(shot.exptime - SHUTTER, 0.0) if shot.exptime > 2 * SHUTTER else shot.exptime,
        "IFUSLOT": channel.slot, "SPECID": channel.specid, "IFUID": channel.ifuid, "CONTID": channel.contid,
        "CCDPOS": amp.name[0], "CCDHALF": amp.name[1], "GAIN": amp.gain, "RDNOISE": amp.readnoise,
        "CCDSEC": f"[1:{nx},1:{ny}]", "DATASEC": f"[1:{nx},1:{ny}]", "TRIMSEC": f"[1:{nx},1:{ny}]",
        "BIASSEC": f"[{nx + 1}:{nx + over},1:{ny}]", "CCDSUM": "1 1",
    }  # fmt: skip
    cards |= POINTING if shot.kind == "sci" else {}
    cards |= {"AMPNAME": shot.flipped[tag]} if tag in shot.flipped else {}
    header = {key: value for key, value in {**cards, **shot.cards}.items() if value is not None}
    numbers = as_stored(read, spec.orientation_of({**cards, **header}))
    hdu = fits.PrimaryHDU(np.zeros_like(numbers) if tag in shot.zero else numbers)
    hdu.header.update(header)
    out = io.BytesIO()
    hdu.writeto(out)
    return out.getvalue()


def _write(below: Path, name: str, files: list[tuple[str, bytes]], packing: str) -> None:
    """One observation as a folder or an archive."""
    below.mkdir(parents=True, exist_ok=True)
    if not packing:
        for path, data in files:
            place = below / path
            place.parent.mkdir(parents=True, exist_ok=True)
            put(place, data)
        return
    out = io.BytesIO()
    quick = {"compresslevel": 1} if packing == "gz" else {}  # noise does not shrink by more effort
    with tarfile.open(fileobj=out, mode=PACKINGS[packing], **quick) as archive:  # type: ignore[call-overload]
        for path, data in files:
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    put(below / f"{name}.tar", out.getvalue())
