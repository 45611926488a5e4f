"""Small sessions made by hand for the tests of views and docks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import Look
from ifuview.app.jobs import JobBook, JobKey, JobKind, JobRecord, JobStatus
from ifuview.app.session import Level, Message, Selection, Session, Slot
from ifuview.model.dataset import Dataset, HduInfo
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import CrossSection, FiberInspection, FiberSpectrum, ProfileComponent, TraceQuality
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.model.quality import MaskBits
from ifuview.model.trace import TraceSet
from ifuview.model.verdict import Verdict

NFIBER, NCROSS, NDISP = 12, 100, 240
SPACING, FIRST = 8.0, 6.0  # px
WAVE0, DWAVE = 6000.0, 0.5  # Angstrom
SIGMA = 1.2  # px
BITS = MaskBits({0: ("BADPIX", "bad pixel"), 3: ("COSMIC", "cosmic ray")})


def centers() -> np.ndarray:
    """Straight, tilted traces, (NFIBER, NDISP)."""
    return FIRST + SPACING * np.arange(NFIBER)[:, None] + 0.005 * np.arange(NDISP)[None, :]


def canonical_image() -> np.ndarray:
    """Gaussian profiles of 1000 (1 + fiber) counts each, no noise, (NCROSS, NDISP)."""
    rows = np.arange(NCROSS)[:, None]
    out = np.zeros((NCROSS, NDISP))
    for i, center in enumerate(centers()):
        out += 1000.0 * (1 + i) * np.exp(-0.5 * ((rows - center) / SIGMA) ** 2) / (SIGMA * np.sqrt(2 * np.pi))
    return out.astype(np.float32)


def fibermap() -> FiberMap:
    """Every third fiber is sky, the fourth is broken."""
    n = np.arange(NFIBER)
    flux = np.where(n == 5, np.nan, 10.0 - n).astype(np.float32)
    return FiberMap(
        fiber=n,
        fiber_id=tuple(str(500 + i) for i in n),
        role=tuple(FiberRole.SKY if i % 3 == 0 else FiberRole.DEAD if i == 4 else FiberRole.SCIENCE for i in n),
        block=n // 4,
        focal_x=10.0 * np.cos(n),
        focal_y=10.0 * np.sin(n),
        status=np.where(n == 4, 4, 0),
        status_bits=MaskBits({2: ("BROKEN", "no light")}),
        target=tuple(f"star {i}" for i in n),
        table={
            "OBJTYPE": np.array([b"SKY" if i % 3 == 0 else b"TGT" for i in n]),
            "FLUX_R": flux,
            "STATUS_WORD": np.where(n == 4, 4, 0),
            "COEFF": np.ones((NFIBER, 3)),
        },
    )


def traces() -> TraceSet:
    """The truth of `canonical_image` with a linear wavelength."""
    wave = np.broadcast_to(WAVE0 + DWAVE * np.arange(NDISP), (NFIBER, NDISP))
    return TraceSet(fiber=np.arange(NFIBER), center=centers(), wave=wave, fiber_id=fibermap().fiber_id)


def dataset(kind: str = "preproc") -> Dataset:
    """Four HDUs, one of them a table."""
    cards = (("SIMPLE", True, "standard"), ("EXPTIME", 900.0, "[s] exposure time"), ("COMMENT", "made by hand", ""))
    hdus = (
        HduInfo(0, "IMAGE", 1, "image", (NCROSS, NDISP), "float32", "electron", cards),
        HduInfo(1, "IVAR", 1, "image", (NCROSS, NDISP), "float32", "", cards[:1]),
        HduInfo(2, "FIBERMAP", 1, "table", (NFIBER,), "9 columns", "", cards[:2]),
        HduInfo(3, "", 1, "empty", (), "", "", ()),
    )
    return Dataset(f"folder/{kind}.fits", kind=kind, fibermap=fibermap(), traces=traces(), hdus=hdus, block="bundle")


def detector(key: int = 1, orientation: Orientation | None = None) -> Slot:
    """A detector image in any orientation, with a mask of one cosmic ray and one bad pixel (canonical places)."""
    orientation = orientation or Orientation()
    mask = np.zeros((NCROSS, NDISP), np.int32)
    mask[30, 100], mask[31, 100] = 8, 1
    native = np.ascontiguousarray(from_canonical(canonical_image(), orientation))
    image = Image(
        "IMAGE",
        Kind.DETECTOR,
        Pixels(native),
        mask=Pixels(np.ascontiguousarray(from_canonical(mask, orientation))),
        mask_bits=BITS,
        unit="electron",
        orientation=orientation,
        fibermap=fibermap(),
    )
    return Slot(key, "preproc", dataset(), image, look=Look(lo=0.0, hi=500.0), traces=traces())


def from_canonical(image: np.ndarray, o: Orientation) -> np.ndarray:
    """The native array whose canonical view is `image`."""
    flipped = image[:: -1 if o.flip_cross else 1, :: -1 if o.flip_disp else 1]
    return flipped.T if o.transpose else flipped


def spectra_slot(key: int = 2) -> Slot:
    """Row-stacked spectra: fiber i is 100 (1 + i) with an emission line at sample 120."""
    flux = 100.0 * (1 + np.arange(NFIBER))[:, None] * np.ones(NDISP)[None, :]
    flux = flux + 500.0 * np.exp(-0.5 * ((np.arange(NDISP) - 120) / 3.0) ** 2)
    mask = np.zeros(flux.shape, np.int32)
    mask[2, 10:14] = 1
    image = Image(
        "FLUX",
        Kind.RSS,
        Pixels(flux.astype(np.float32)),
        ivar=Pixels(np.full(flux.shape, 0.04, np.float32)),
        mask=Pixels(mask),
        mask_bits=BITS,
        unit="electron/Angstrom",
        wave=WAVE0 + DWAVE * np.arange(NDISP),
        fibermap=fibermap(),
    )
    return Slot(key, "frame", dataset("frame"), image)


def cube_slot(key: int = 3) -> Slot:
    """A cube whose value is the plane number plus 1000 x plus 100 y."""
    z, y, x = np.mgrid[0:30, 0:5, 0:7]
    image = Image(
        "CUBE", Kind.CUBE, Pixels((z + 1000 * x + 100 * y).astype(np.float32)), wave=4000.0 + 2.0 * np.arange(30)
    )
    return Slot(key, "cube", Dataset("folder/cube.fits", kind="cube"), image, plane=(11,))


def section() -> CrossSection:
    """The fit of fiber 5 at column 100, exact, with one masked cosmic ray."""
    center = centers()[:, 100]
    position = np.arange(30, 63).astype(np.float64)
    counts = canonical_image()[30:63, 100].astype(np.float64)
    masked = np.zeros(position.size, bool)
    masked[0] = True
    counts[0] = 60_000.0
    parts = []
    for i in range(3, 8):
        model = 1000.0 * (1 + i) * np.exp(-0.5 * ((position - center[i]) / SIGMA) ** 2) / (SIGMA * np.sqrt(2 * np.pi))
        parts.append(ProfileComponent(str(500 + i), float(center[i]), 0.01, 1000.0 * (1 + i), 9.0, SIGMA, model))
    total = np.sum([p.model for p in parts], axis=0)
    return CrossSection(
        position,
        counts,
        np.full(position.size, 10.0),
        masked,
        100,
        1,
        float(center[5]) + 0.1,
        (float(center[5]) - 3, float(center[5]) + 3),
        total,
        tuple(parts),
        1.1,
        "electron",
    )


def spectrum(label: str = "preproc", unit: str = "electron", scale: float = 1.0) -> FiberSpectrum:
    """A line of sigma 2 px at sample 120 on a level of 100, error 5, four masked samples."""
    pixel = np.arange(NDISP, dtype=np.float64)
    flux = scale * (100.0 + 500.0 * np.exp(-0.5 * ((pixel - 120) / 2.0) ** 2))
    masked = np.zeros(NDISP, bool)
    masked[10:14] = True
    wave = WAVE0 + DWAVE * pixel
    return FiberSpectrum("505", pixel, wave, flux, np.full(NDISP, 5.0 * scale), masked, "boxcar", unit, label)


def quality(verdict: Verdict = Verdict.WARN) -> TraceQuality:
    """Twenty bins, one of them not measured."""
    n = 20
    offset = np.full(n, 0.1)
    offset[3] = np.nan
    error, one = np.full(n, 0.02), np.ones(n)
    column = np.linspace(5, NDISP - 5, n)
    return TraceQuality(
        "505", column, offset, error, 1.2 * one, error, 6000 * one, 9 * one, one, 8 * one, 8 * one,
        0.1, 0.005, 12.0, 18, 20.0, 0.018, verdict, "The light lies 0.100 px above the trace (20 sigma).",
    )  # fmt: skip


def session(current: int = 1, *, inspected: bool = True) -> Session:
    """A detector image, row-stacked spectra and a cube, with fiber 5 inspected."""
    spectra = (spectrum(), spectrum("frame", "electron/Angstrom", 0.5))
    found = FiberInspection(1, 5, "505", 100, section(), spectra, quality()) if inspected else None
    selection = Selection(5, 100.0, float(centers()[5, 100])) if inspected else Selection()
    return Session(
        (detector(), spectra_slot(), cube_slot()),
        current,
        2,
        selection=selection,
        inspection=found,
        metrics=(("throughput", np.linspace(0.8, 1.2, NFIBER)),),
        messages=(Message(Level.INFO, "first"), Message(Level.ERROR, "second", "line 1\nline 2", 1000.0)),
        next_key=4,
    )


def job_book() -> JobBook:
    """Jobs in all their states."""
    opening, inspecting = JobKey(JobKind.OPEN), JobKey(JobKind.INSPECT)
    pyramid, tracing = JobKey(JobKind.PYRAMID, 1), JobKey(JobKind.TRACES)
    return JobBook(
        (
            JobRecord(1, "Open a", opening, JobStatus.DONE, 1.0),
            JobRecord(2, "Inspect", inspecting, JobStatus.RUNNING, 0.4, "quality"),
            JobRecord(3, "Pyramid", pyramid, JobStatus.QUEUED, quiet=True),
            JobRecord(4, "Open b", opening, JobStatus.FAILED, 0.1, "no such file"),
            JobRecord(5, "Trace", tracing, JobStatus.QUEUED),
        )
    )


def replace_pixels(slot: Slot, image: np.ndarray) -> Slot:
    """The slot with other values."""
    return replace(slot, image=replace(slot.image, pixels=Pixels(image)))
