"""One exposure: both detectors of a fiber head in electrons, and all its fibers together as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.ccd.dark import without_dark
from ifuview.engine.ccd.health import judged
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.spectra.flat.fibers import FiberResponse
from ifuview.engine.spectra.flat.response import corrected
from ifuview.engine.spectra.flux.scale import dispersion, per_angstrom
from ifuview.engine.spectra.wave.sky import SkyShift, measure_sky_match, moved, shared_shifts
from ifuview.engine.traces.slit.shift import TraceShift
from ifuview.errors import MissingDataError
from ifuview.model.checks import Array, Header
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ccd import CcdFrame, ReadOut, ReductionBit
from ifuview.model.reduction.ifu import IfuAmplifier, IfuExposure
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.trace import TraceSet
from ifuview.recipes.camera.read import ReadParams, read_detector
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import DetectorFrame, ExtractedExposure, FiberFlat
from ifuview.recipes.virus.stored import lost_fibers
from ifuview.recipes.virus.values import APERTURE, DetectorGround, FiberLamps, without

ORDER = ("LL", "LU", "RL", "RU")  # amplifiers in all products
NAN = float("nan")
MOST_BENT, SURE_OF = 1.0, 10.0  # px, of the shift of traces over a detector, that is believed; times its errors


@dataclass(frozen=True, slots=True)
class RawParams(ReadParams):
    """How amplifiers become electrons, and which are used."""

    dark: bool = param(True, "Take the dark current off")
    health: bool = param(True, "Leave out broken amplifiers", hint="whose read-out says that they are")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CameraExposure:
    """One detector of one exposure with all that a fiber head needs of it: nothing of the size of the detector.

    Parameters
    ----------
    setup : CameraSetup
    reads : tuple of ReadOut
        By amplifier.
    exptime : float, s
    header : mapping
    spectra : FiberSpectra
        Electrons of each px, wavelengths of the lamps.
    aperture : ndarray of float32, shape (nfiber, ncol)
        Sum over some px, electrons.
    traces : TraceSet
        Of the light of the exposure.
    shift : TraceShift or None
    scattered : tuple of float
        Share of the light that is scattered, by amplifier.
    wave : WaveSolution
        Of the lamps.
    flat : FiberResponse
    lamps : FiberLamps
    notes : tuple of str
    """

    setup: CameraSetup
    reads: tuple[ReadOut, ...]
    exptime: float
    header: Header
    spectra: FiberSpectra
    aperture: Array
    traces: TraceSet
    shift: TraceShift | None
    scattered: tuple[float, ...]
    wave: WaveSolution
    flat: FiberResponse
    lamps: FiberLamps
    notes: tuple[str, ...] = ()


def camera_exposure(
    setup: CameraSetup, flat: DetectorFrame, science: DetectorFrame, spectra: ExtractedExposure, wave: WaveSolution,
    response: FiberFlat, lamps: FiberLamps, notes: tuple[str, ...] = (),
) -> CameraExposure:  # fmt: skip
    """Return what a fiber head needs of a detector, of the values of its steps; `notes` are of its calibrations.

    An amplifier that has no flat cannot be used.
    """
    frame, found = spectra.extraction.frame, spectra.extraction
    sums = boxcar(frame.data - spectra.scattered, spectra.traces.center, APERTURE)[0]
    shares = []
    for number in range(len(setup.amplifiers)):
        rows = slice(number * setup.shape[0], (number + 1) * setup.shape[0])
        light = float(found.model[rows].sum())
        shares.append(float(spectra.scattered[rows].sum()) / light if light > 0 else NAN)
    elsewhere = unlike_traces(spectra.shift)
    reads = tuple(
        replace(read, problem=read.problem or known.problem or elsewhere)
        for read, known in zip(science.reads, flat.reads, strict=True)
    )
    return CameraExposure(
        setup=setup, reads=reads, exptime=science.exptime, header=science.header, spectra=found.spectra,
        aperture=np.nan_to_num(sums), traces=spectra.traces, shift=spectra.shift, scattered=tuple(shares), wave=wave,
        flat=response.fibers, lamps=lamps, notes=(*notes, *science.notes, *spectra.notes),
    )  # fmt: skip


def unlike_traces(shift: TraceShift | None) -> str:
    """Why an exposure cannot have been read out as its calibrations were, "" if it can.

    Flexure and temperature move all fibers of a detector nearly alike. Where the light seems to be bent against the
    traces, it is that of other fibers.
    """
    if shift is None:
        return ""
    u, v = np.meshgrid(np.linspace(-1, 1, 3), np.linspace(-1, 1, 41))
    bent = float(np.ptp(shift.at(u, v)))
    if not bent > max(MOST_BENT, SURE_OF * float(np.max(shift.error))):
        return ""
    return (
        f"the light lies unevenly off the traces of the calibrations, by {bent:.1f} px more here than there: they are "
        "of another head or controller, or CCDPOS, CCDHALF or AMPNAME of the header are not right"
    )


def make_raw(
    params: RawParams, ctx: JobContext, setup: CameraSetup, science: RawExposure, ground: DetectorGround,
    response: FiberFlat,
) -> DetectorFrame:  # fmt: skip
    """The exposure in electrons without dark current, over the response of the pixels; broken amplifiers masked.

    Raises
    ------
    MissingDataError
        No amplifier of it can be used.
    """
    found = read_detector(params, ctx, setup, science, ground.biases)
    frame = without(found.frame, ground.mask)
    if params.dark and ground.dark is not None:
        frame = without_dark(frame, ground.dark, found.exptime if np.isfinite(found.exptime) else 0.0)
    reads = [judged(read) if params.health and np.isfinite(read.gain) else read for read in found.reads]
    mask, notes = np.array(frame.mask), list(found.notes)
    for number, (name, read) in enumerate(zip(setup.amplifiers, reads, strict=True)):
        if read.problem:
            mask[number * setup.shape[0] : (number + 1) * setup.shape[0]] |= np.uint32(ReductionBit.AMPLIFIER)
            if np.isfinite(read.gain):  # else the reader has said it
                notes.append(f"{setup.camera} {name} is left out: {read.problem}")
    if all(read.problem for read in reads):
        raise MissingDataError(f"no amplifier can be used: {reads[0].problem}", f"{setup.camera} {found.what}")
    frame = corrected(CcdFrame(frame.data, frame.variance, mask), response.pixels)
    return replace(found, frame=frame, reads=tuple(reads), notes=tuple(dict.fromkeys(notes)))


def sky_shifts(exposures: Sequence[CameraExposure]) -> tuple[SkyShift | None, ...]:
    """Shift of the wavelengths of each detector and exposure of a fiber head against the lamps; None: no known sky."""
    found = [measure_sky_match(one.spectra, one.setup.sky) for one in exposures if one.setup.sky]
    shared = iter(shared_shifts(found))
    return tuple(next(shared) if one.setup.sky else None for one in exposures)


def ifu_exposure(
    cameras: Sequence[CameraExposure], exposure: RawExposure, drifts: Sequence[SkyShift | None]
) -> IfuExposure:
    """Both detectors of a fiber head as one value; amplifiers that are not there are masked.

    Parameters
    ----------
    cameras : sequence of CameraExposure
        One or two, of the same exposure and fiber head.
    exposure : RawExposure
    drifts : sequence of SkyShift or None
        Of their wavelengths.
    """
    pairs = list(zip(cameras, drifts, strict=True))
    parts = {part.amplifier.name: part for camera, drift in pairs for part in _parts(camera, drift)}
    names = [name for name in ORDER if name in parts]
    amplifiers, first = [], 0
    for name in names:
        n = parts[name].spectra.nfiber
        amplifiers.append(replace(parts[name].amplifier, first=first, last=first + n))
        first += n
    own = [parts[name] for name in names]
    unit = next(a for a in exposure.amplifiers if a.camera == cameras[0].setup.camera)
    header: Header = next((c.header for c in cameras if c.header), {})
    lamps = set.intersection(*(set(part.lamps) for part in own))
    notes = [note for camera in cameras for note in camera.notes]
    for camera, drift in pairs:
        notes += [] if drift is None else [f"{camera.setup.camera}: {note}" for note in drift.notes]
    return IfuExposure(
        slot=unit.slot, specid=unit.specid, ifuid=unit.ifuid, contid=unit.contid, date=exposure.date,
        observation=exposure.observation, number=exposure.number, exptime=cameras[0].exptime,
        spectra=_joined([part.spectra for part in own]), fiber_flat=np.concatenate([part.flat for part in own]),
        x=np.concatenate([part.x for part in own]), y=np.concatenate([part.y for part in own]),
        amplifiers=tuple(amplifiers), dead=np.concatenate([part.dead for part in own]),
        aperture=np.concatenate([part.aperture for part in own]), trace=np.concatenate([part.trace for part in own]),
        lsf=np.concatenate([part.lsf for part in own]),
        lamps={name: np.concatenate([part.lamps[name] for part in own]) for name in sorted(lamps)},
        header=header, notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What a fiber head has of one amplifier."""

    amplifier: IfuAmplifier
    spectra: FiberSpectra
    flat: Array
    x: Array
    y: Array
    dead: Array
    aperture: Array
    trace: Array
    lsf: Array
    lamps: Mapping[str, Array]


def _parts(camera: CameraExposure, drift: SkyShift | None) -> list[_Part]:
    """The amplifiers of a detector."""
    setup, flats = camera.setup, camera.flat
    wave = camera.wave if drift is None else moved(camera.wave, drift)
    own = replace(camera.spectra, wave=wave.wave, medium=wave.medium)
    counts = per_angstrom(replace(own, mask=own.mask | flats.mask))
    per_px = camera.aperture / dispersion(counts.wave).astype(np.float32)
    flat = np.where(np.isfinite(flats.error), flats.flat, np.float32(0))
    lost = lost_fibers(camera.traces)
    dead = lost["dead"] | lost["lost"]
    out, first = [], 0
    for number, rows in enumerate(setup.rows):
        part = slice(first, first := first + rows.row.size)
        one = _Part(
            amplifier=_amplifier(camera, number, drift), spectra=counts.some(part), flat=flat[part],
            x=setup.layout.x[part], y=setup.layout.y[part], dead=dead[part], aperture=per_px[part],
            trace=camera.traces.center[part] - number * setup.shape[0], lsf=camera.wave.lsf[part],
            lamps={key: value[part] for key, value in camera.lamps.spectra.items()},
        )  # fmt: skip
        out.append(one)
    return out


def _amplifier(camera: CameraExposure, number: int, drift: SkyShift | None) -> IfuAmplifier:
    """What is known of an amplifier in an exposure."""
    setup, wave, read = camera.setup, camera.wave.wave, camera.reads[number]
    shift, error = NAN, NAN
    if camera.shift is not None and not read.problem:
        middle = (number + 0.5) * setup.shape[0]
        at = middle * 2 / (len(setup.amplifiers) * setup.shape[0] - 1) - 1
        shift, error = float(camera.shift.at(np.zeros(1), np.array([at]))[0]), float(camera.shift.error[0])
    step = float(np.median(np.diff(wave[wave.shape[0] // 2])))
    sure = drift is not None and np.isfinite(drift.shift)
    return IfuAmplifier(
        setup.amplifiers[number], 0, 0, read if np.isfinite(read.gain) else None, shift, error,
        -drift.shift * step if drift is not None and sure else NAN,
        drift.error * step if drift is not None and sure else NAN,
        camera.scattered[number] if not read.problem else NAN, read.problem,
    )  # fmt: skip


def _joined(parts: Sequence[FiberSpectra]) -> FiberSpectra:
    """Fibers of several amplifiers together."""
    chi2 = [p.chi2 for p in parts if p.chi2 is not None]
    flux, variance, mask, wave = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("flux", "variance", "mask", "wave")
    )
    all_chi2 = np.concatenate(chi2) if len(chi2) == len(parts) else None
    return FiberSpectra(flux, variance, mask, wave, parts[0].unit, parts[0].medium, all_chi2)
