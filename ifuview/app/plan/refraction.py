"""Whether a source moves over the fibers with wavelength as the atmosphere says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ifuview.app.plan.shapes import analyze_trace_wavelength_dependence
from ifuview.app.plan.values import Positions, Traces, names_of, positions_in, traces_in
from ifuview.engine.traces.doctor.dar import centroids, refraction
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

UNKNOWN = (3500.0, 10000.0, 50)  # Angstrom and number: where nothing says the wavelengths


def check_differential_atmospheric_refraction(
    traces: Traces,
    fiber_positions: Positions,
    *,
    flux: Array | None = None,
    wave: Array | None = None,
    error: Array | None = None,
    zenith: float | None = None,
    temperature: float = 10.0,
    pressure: float = 800.0,
    humidity: float = 0.3,
    header: Mapping[str, float] | None = None,
) -> dict[str, object]:
    """Compare how a source moves over the fibers with wavelength with what the atmosphere does.

    Traces cannot show it: their tilt along wavelength is the spectrograph's own and is returned apart.

    Parameters
    ----------
    traces : TraceSet or dict of dicts
    fiber_positions : (nfiber, 2) arcsec, table of fibers, or mapping
    flux, error : (nfiber, nbin), optional
        Extracted, sky-subtracted spectra of a point source in bins; without them the motion is not measured.
    wave : (nbin,), Angstrom, optional
        Of `flux`; default: of the traces.
    zenith : float, degree, optional
        Zenith distance; default: of the header (ZD, or AIRMASS), else not known.
    temperature : float, degree Celsius
    pressure : float, hPa
    humidity : float, 0 to 1
    header : mapping, optional

    Returns
    -------
    dict
        `wave`, `expected` arcsec (against the middle wavelength, towards the zenith); `measured`, `measured_err`
        (nbin,) arcsec along the direction in which the source moves, `direction` degree, `rms_residual` arcsec, or
        None; `detector_tilt` px (nfiber,), which is not the atmosphere's; `position_unit`.
    """
    found = traces_in(traces)
    place, unit = positions_in(fiber_positions, names_of(traces))
    zenith = _zenith(header or {}) if zenith is None else zenith
    wave = _wavelengths(found, flux, wave)
    middle = float(np.nanmedian(wave))
    expected = None
    if zenith is not None:
        expected = refraction(
            wave, zenith, reference=middle, temperature=temperature, pressure=pressure, humidity=humidity
        )
    out: dict[str, object] = {
        "wave": wave, "expected": expected, "zenith": zenith, "measured": None, "measured_err": None,
        "direction": None, "rms_residual": None, "position_unit": unit,
        "detector_tilt": analyze_trace_wavelength_dependence(found)["slopes"],
    }  # fmt: skip
    return out if flux is None else out | _moved(np.asarray(flux, float), error, place, expected)


def _zenith(header: Mapping[str, float]) -> float | None:
    """Zenith distance of a header in degrees, None if it says none."""
    if header.get("ZD") is not None:
        return float(header["ZD"])
    if header.get("AIRMASS") is not None:
        return float(np.degrees(np.arccos(min(1.0, 1 / float(header["AIRMASS"])))))
    return None


def _wavelengths(traces: TraceSet, flux: Array | None, wave: Array | None) -> NDArray[np.float64]:
    """Wavelength of each bin of the flux: as given, else of the traces."""
    if wave is None:
        known = None if traces.wave is None else np.nanmedian(traces.wave, axis=0)
        wave = known if known is not None else np.linspace(*UNKNOWN[:2], UNKNOWN[2])
    out = np.asarray(wave, float)
    if flux is not None and out.size != np.shape(flux)[1]:
        if traces.wave is None:
            raise UsageError(f"{out.size} wavelengths are not those of {np.shape(flux)[1]} bins", todo="give wave")
        out = np.interp(np.linspace(0, out.size - 1, np.shape(flux)[1]), np.arange(out.size), out)
    return out


def _moved(flux: Array, error: Array | None, place: Array, expected: Array | None) -> dict[str, object]:
    """Motion of the centroid along the direction in which it moves, against what is expected."""
    center, err = centroids(flux, error, place)
    good = np.isfinite(center).all(axis=1) & np.isfinite(err).all(axis=1)
    moved = center - np.median(center[good], axis=0)
    if expected is not None and np.ptp(expected) > 0:
        shape = expected - expected[good].mean()
        axis = (moved[good] * shape[good, None]).sum(axis=0)
    else:
        axis = np.linalg.svd(moved[good], full_matrices=False)[2][0]
    axis = axis / max(float(np.hypot(*axis)), 1e-30)
    measured = moved @ axis
    return {
        "measured": measured, "measured_err": np.sqrt((err * axis) ** 2 @ np.ones(2)),
        "direction": float(np.degrees(np.arctan2(axis[1], axis[0]))),
        "rms_residual": None if expected is None else float(np.std((measured - expected)[good])),
    }  # fmt: skip
