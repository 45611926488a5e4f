"""What all heads of an observation are reduced with: tables, catalog, pointing, and what is to be said of them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np

from ifuview.app.night.virus.request import ALL, ShotRequest, SourceRequest
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.files import sha256
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables, tables_for
from ifuview.io.archive.paths import split
from ifuview.io.fits.cards import real
from ifuview.io.night.raw_units import GAIN, GAIN_ERROR, tells
from ifuview.io.night.star_catalog import find_catalog, read_catalog
from ifuview.io.products.virus.cals import check_calibration_file
from ifuview.model.checks import Array
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.products import ReductionRecord
from ifuview.model.reduction.solution import Pointing, ShotSolution, StarCatalog
from ifuview.model.reduction.tables import FocalSlot
from ifuview.recipes.graph import Given
from ifuview.recipes.virus.head import AREA, HeadFluxParams
from ifuview.recipes.virus.light.stars import SEEING, SolutionParams
from ifuview.recipes.virus.quality import exposures_words
from ifuview.recipes.virus.shot_values import ShotSetup, SimulatedSource, shot_setup
from ifuview.recipes.virus.solution import header_pointing

VIRUS = "virus"
NOWHERE = (
    "the header (TRAJCRA, TRAJCDEC, PARANGLE) says nothing of the pointing: no place on the sky is known, no catalog "
    "is used, fluxes are by the throughput; give -ra and -dec if only those are missing"
)
UNIT = 1e-17  # erg/s/cm2/A
MOST_FILES = 50  # that products name with their checksums
LARGE = 1e-8  # a flux above is in units of 1e-17 already


@dataclass(frozen=True, slots=True, eq=False)
class ShotInputs:
    """What all heads share beforehand.

    Parameters
    ----------
    tables : Tables
    setup : Given
        Of a ShotSetup.
    catalog : StarCatalog or None
    pointing : SolutionParams
    record : ReductionRecord
    notes : tuple of str
    guided : float, arcsec
        Seeing by the guider; NaN: not known.
    wrong : tuple of str
        What is wrong with the observation.
    """

    tables: Tables
    setup: Given
    catalog: StarCatalog | None
    pointing: SolutionParams
    record: ReductionRecord
    notes: tuple[str, ...] = ()
    guided: float = math.nan
    wrong: tuple[str, ...] = ()

    @property
    def setup_value(self) -> ShotSetup:
        """The setup itself."""
        assert isinstance(self.setup.value, ShotSetup)
        return self.setup.value


def check_request(request: ShotRequest) -> None:
    """Say what is wrong with files and numbers that are asked for, before anything is reduced.

    Raises
    ------
    MissingDataError, FileFormatError, UsageError
    """
    if not os.path.isfile(request.calibrations):
        todo = "make one: ifuview reduce virus-cal"
        raise MissingDataError("there is no such file of calibrations", request.calibrations, todo)
    check_calibration_file(request.calibrations)
    for name, value, low, high in (("ra", request.ra, 0.0, 360.0), ("dec", request.dec, -90.0, 90.0)):
        if not (math.isnan(value) or low <= value <= high):
            raise UsageError(f"{value:g} is no place on the sky", name, f"give {low:g} to {high:g} degrees")
    if request.source is not None and request.source.file:
        source_spectrum(request.source.file)


def shot_inputs(
    request: ShotRequest, root: str, exposures: tuple[RawExposure, ...], checksums: Mapping[str, str] | None = None
) -> ShotInputs:
    """Read tables and catalog; `checksums` are those of the files, where they are known.

    Raises
    ------
    IfuviewError
        A file that was named cannot be read, or nothing says where the field lies.
    """
    beside = os.path.dirname(os.path.abspath(request.calibrations))
    tables = tables_for(VIRUS, "", root, beside)
    if request.plane:
        tables = Tables(VIRUS, tables.folder, request.plane, tables.beside)
    base = request.params.get("solution")
    pointing = base if isinstance(base, SolutionParams) else SolutionParams()
    if math.isfinite(request.ra):
        pointing = replace(pointing, ra=request.ra)
    if math.isfinite(request.dec):
        pointing = replace(pointing, dec=request.dec)
    guided = _median([one.seeing for one in exposures])
    if math.isfinite(guided) and not isinstance(base, SolutionParams):
        pointing = replace(pointing, seeing=guided)
    where = header_pointing(pointing, exposures[0].header)
    plane, lacking = _focal_plane(tables, request.date) if where.known else ((), (NOWHERE,))
    setup = shot_setup(tables.throughput()[0], tables.passband(), tables.refraction(""), plane)
    catalog = _catalog(request, where, (os.curdir, root, beside)) if where.known else None
    wrong = (*lacking, *_dithered(exposures, setup), *_odd(exposures), *_untold_gains(request, exposures))
    return ShotInputs(
        tables, Given(setup, f"setup {request.plane}"), catalog, pointing,
        _record(request, exposures, catalog, checksums), (_guided(exposures, guided),), guided, wrong,
    )  # fmt: skip


def _focal_plane(tables: Tables, night: int) -> tuple[tuple[FocalSlot, ...], tuple[str, ...]]:
    """Slots of the focal plane, or none and why: spectra do not need them."""
    try:
        return tables.focal_plane(night), ()
    except (FileFormatError, MissingDataError) as problem:
        return (), (f"the table of the focal plane cannot be used: {str(problem).rstrip('.')}; astrometry is off",)


def _catalog(request: ShotRequest, where: Pointing, folders: tuple[str, ...]) -> StarCatalog | None:
    """The catalog that is named, else the cached one around the position of the header; None: there is none."""
    path = request.catalog or find_catalog(where.ra, where.dec, folders)
    return None if path is None else read_catalog(path)


def _dithered(exposures: tuple[RawExposure, ...], setup: ShotSetup) -> tuple[str, ...]:
    """What is to be said of the dither where there are not as many exposures as it has places."""
    count, usual = len(exposures), len(setup.dithers)
    if count == usual:
        return ()
    words = f"there are {count} of {usual} exposures"
    if count > 1 and max(one.number for one in exposures) < usual:
        words += "; their dither is not known: it is that of their sources where these tell, else none"
    return (words,)


def _odd(exposures: tuple[RawExposure, ...]) -> tuple[str, ...]:
    """What is odd about exposures as a whole; of amplifiers, heads say it."""
    return tuple(
        f"exposure {one.number}: {note.rstrip('.')}"
        for one in exposures for note in one.notes if note not in {a.trouble for a in one.amplifiers}
    )  # fmt: skip


def _untold_gains(request: ShotRequest, exposures: tuple[RawExposure, ...]) -> tuple[str, ...]:
    """Amplifiers that are asked for whose gain stands in no frame at all, and what is taken."""
    spec = instrument(VIRUS)
    assert spec.raw is not None
    untold: dict[tuple[str, str], list[int]] = {}
    for one in exposures:
        for amplifier in one.amplifiers:
            asked = ALL in request.slots or amplifier.slot in request.slots
            told = tells(amplifier, GAIN) and GAIN_ERROR not in amplifier.header
            if asked and not amplifier.problem and not told:
                taken = f"with {spec.raw.gain:g} e/ADU instead its light may be off from that of others"
                if tells(amplifier, GAIN):
                    gain, error = (real(amplifier.header[card]) for card in (GAIN, GAIN_ERROR))
                    taken = f"{gain:.3f} +- {error:.3f} e/ADU is taken, by its photon noise"
                untold.setdefault((f"{amplifier.slot} {amplifier.name}", taken), []).append(one.number)
    return tuple(
        f"{name}, {exposures_words(numbers)}: no frame tells its gain, {taken}"
        for (name, taken), numbers in untold.items()
    )


def _guided(exposures: tuple[RawExposure, ...], seeing: float) -> str:
    """What the guider says, and which defaults stand in for what it does not."""
    light = _median([one.transparency for one in exposures])
    usual = f"area of the mirror {AREA:.3g} cm2"
    usual += "" if math.isfinite(light) else ", transparency 1"
    usual += "" if math.isfinite(seeing) else f", seeing to begin with {SEEING} arcsec"
    if not (math.isfinite(light) or math.isfinite(seeing)):
        return f"there are no guider files: defaults are taken ({usual})"
    found = [f"seeing {seeing:.2f} arcsec"] * math.isfinite(seeing) + [f"transparency {light:.2f}"] * math.isfinite(
        light
    )
    return f"the guider saw {', '.join(found)}; default: {usual}"


def _median(values: Sequence[float | None]) -> float:
    """Of those that are known; NaN for none."""
    known = [one for one in values if one is not None]
    return float(np.median(known)) if known else math.nan


def flux_params(request: ShotRequest, exposures: tuple[RawExposure, ...]) -> HeadFluxParams:
    """Area and transparency, by the guider where it says anything."""
    base = request.params.get("flux")
    own = base if isinstance(base, HeadFluxParams) else HeadFluxParams()
    light = _median([one.transparency for one in exposures])
    return replace(own, transparency=light) if math.isfinite(light) and base is None else own


def _record(
    request: ShotRequest, exposures: tuple[RawExposure, ...], catalog: StarCatalog | None,
    checksums: Mapping[str, str] | None,
) -> ReductionRecord:  # fmt: skip
    """What the products are made from and how."""
    from ifuview import __version__

    used = {"calibrations": request.calibrations, "catalog": "none" if catalog is None else catalog.source}
    for name, own in request.params.items():
        if is_dataclass(own):
            used |= {f"{name}.{one.name}": str(getattr(own, one.name)) for one in fields(own)}
    files = dict.fromkeys([request.calibrations, *(split(a.path)[0] for e in exposures for a in e.amplifiers)])
    known = {path: sha256(path) for path in list(files)[:MOST_FILES]} if checksums is None else checksums
    return ReductionRecord(used, known, (), __version__)


def simulated_source(request: SourceRequest, setup: ShotSetup, solution: ShotSolution) -> SimulatedSource:
    """The source to be put in.

    Raises
    ------
    FileFormatError
        Its spectrum is no two columns of numbers.
    """
    seeing = request.seeing if math.isfinite(request.seeing) else solution.optics.fwhm
    grid = np.asarray(setup.grid)
    if not request.file:
        return SimulatedSource(request.x, request.y, seeing, grid, np.ones(grid.size))
    return SimulatedSource(request.x, request.y, seeing, *source_spectrum(request.file))


def source_spectrum(path: str) -> tuple[Array, Array]:
    """Wavelength (Angstrom) and flux (1e-17 erg/s/cm2/A) of a file of two columns.

    Raises
    ------
    FileFormatError
        It is no two columns of numbers.
    """
    rows = []
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.replace(",", " ").split()
                if len(words) >= 2 and words[0][0] in "0123456789.+-":
                    rows.append((float(words[0]), float(words[1])))
    except (OSError, ValueError) as problem:
        raise FileFormatError(f"is no spectrum of two columns ({problem})", path) from problem
    if len(rows) < 2:
        raise FileFormatError("is no spectrum of two columns, wavelength and flux", path)
    wave, flux = np.array(sorted(rows)).T
    scale = UNIT if np.nanmax(np.abs(flux)) < LARGE else 1.0
    return wave, flux / scale
